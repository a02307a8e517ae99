"""The feedback watch: a tone that goes round from the output to the input is lowered and told.

Such a tone is the strongest both in what is played and in what comes in, and it grows or stands at
the ceiling.  A played note may look the same, so it is tried: the output is lowered, and what goes
round becomes weaker at the input while a note does not care.  Only then it stays lowered, and comes
back slowly once the tone is gone.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..dsp.dynamics import db_to_gain
from ..stream.protection import Protection

Array = npt.NDArray[np.float32]

WINDOW, HOP = 4096, 2048  # samples that are looked at, and from look to look
PEAK_BINS = 3  # on each side of the strongest, that belong to it
PURE_IN, PURE_OUT = 0.7, 0.5  # shares of the power that are in the tone
FLOOR_DB = -50.0  # of a tone that is looked at, at the input and at the output
QUIET = 1e-3  # peak of input or output below which there is nothing to look at
LOOKS, GROWTH_DB = 6, 6.0  # so many looks of one tone, over which it grows by so much
STANDING_LOOKS, STANDING_DB = 24, 1.0  # or stands, within so much, while the ceiling holds it
TRIED_LOOKS, TRIED_DB, FALLEN_DB = 4, -9.0, 4.0  # the trial: how long, how far, what it must do
AGAIN_LOOKS = 240  # until a note that was tried in vain is tried again
LOWER_DB, LEAST_DB = -6.0, -36.0  # a tone that does not fall any more is lowered further
BACK_DB = 0.05  # a look, once it is gone


class Tone(NamedTuple):
    """The strongest tone of a look.

    Attributes
    ----------
    bin : int
    level_in, level_out : float [dBFS]
    share_in, share_out : float
        Of the power of input and output that is in it, 0..1.
    """

    bin: int
    level_in: float
    level_out: float
    share_in: float
    share_out: float


def strongest(heard: Array) -> Tone:
    """The strongest tone of the input in ``heard [2, WINDOW]``, and what the output has of it."""
    window = np.hanning(WINDOW)
    power = np.abs(np.fft.rfft(heard * window)) ** 2
    power[:, : PEAK_BINS + 1] = 0.0
    at = int(power[0].argmax())
    near = power[:, max(0, at - PEAK_BINS) : at + PEAK_BINS + 1].sum(axis=1)
    whole = power.sum(axis=1) + 1e-20
    # a full-scale sine has this much in its bins (Parseval, one-sided)
    full = 0.25 * WINDOW * float((window**2).sum())
    levels = 10.0 * np.log10(near / full + 1e-20)
    shares = near / whole
    return Tone(at, float(levels[0]), float(levels[1]), float(shares[0]), float(shares[1]))


class FeedbackWatch:
    """Told what comes in and what is played, it says how far the output is to be lowered.

    Parameters
    ----------
    rate : int [Hz]

    Attributes
    ----------
    gain_db : float
        How far, 0 for not at all.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self.gain_db = 0.0
        self._looks: deque[Tone] = deque(maxlen=STANDING_LOOKS)
        self._tried: Tone | None = None  # as it was when the trial began
        self._left = 0  # looks of the trial, or until a tone that is held is looked at again
        self._held: Tone | None = None  # what is kept lowered
        self._tired = 0  # looks until another trial

    def look(self, heard: Array, limiting: bool) -> str | None:
        """Take the next ``heard [2, WINDOW]``, :data:`HOP` samples on; a sentence where it helped.

        Parameters
        ----------
        limiting : bool
            Whether the ceiling holds the output.
        """
        tone = strongest(heard)
        self._looks.append(tone)
        self._tired = max(0, self._tired - 1)
        if self._tried is not None:
            return self._judge(tone)
        if self._held is not None:
            self._hold(tone)
            return None
        if self._tired == 0 and self._is_suspicious(limiting):
            self._tried, self._left = tone, TRIED_LOOKS
            self.gain_db = TRIED_DB
        return None

    def _is_suspicious(self, limiting: bool) -> bool:
        looks = list(self._looks)[-LOOKS:]
        if len(looks) < LOOKS or not _is_one(looks):
            return False
        levels = [t.level_in for t in looks]
        steps = np.diff(levels)
        if steps.min() > 0.0 and levels[-1] - levels[0] > GROWTH_DB:
            return True
        looks = list(self._looks)
        levels = [t.level_in for t in looks]
        stands = len(looks) == STANDING_LOOKS and max(levels) - min(levels) < STANDING_DB
        return limiting and stands and _is_one(looks)

    def _judge(self, tone: Tone) -> str | None:
        """Whether the tone has fallen as only what goes round does."""
        before = self._tried
        assert before is not None
        self._left -= 1
        if before.level_in - self._level(before, tone) > FALLEN_DB:
            self._tried, self._held, self._left = None, tone, TRIED_LOOKS
            self._looks.clear()
            hertz = before.bin * self._rate / WINDOW
            return (
                f"feedback at {hertz:.0f} Hz: what is played comes back in; the output was lowered"
                " until it is gone. Turn it down, or take the microphone away from the loudspeaker"
            )
        if self._left == 0:
            self._tried, self.gain_db, self._tired = None, 0.0, AGAIN_LOOKS
            self._looks.clear()
        return None

    def _hold(self, tone: Tone) -> None:
        """Lower further where the tone is still there, else come back slowly."""
        held = self._held
        assert held is not None
        there = _same(tone, held) and tone.share_in > PURE_IN and tone.level_in > FLOOR_DB
        self._left -= 1
        if there and self._left <= 0:
            if tone.level_in > held.level_in + LOWER_DB - FALLEN_DB:  # no less than by the lowering
                self.gain_db = max(LEAST_DB, self.gain_db + LOWER_DB)
            self._held, self._left = tone, TRIED_LOOKS
        elif not there:
            self.gain_db = min(0.0, self.gain_db + BACK_DB)
            if self.gain_db == 0.0:
                self._held = None

    @staticmethod
    def _level(before: Tone, now: Tone) -> float:
        """Level of the tone now; another that is the strongest says that it is below that."""
        return now.level_in if _same(before, now) else min(now.level_in, FLOOR_DB)


def _same(a: Tone, b: Tone) -> bool:
    return abs(a.bin - b.bin) <= 1


def _is_one(looks: list[Tone]) -> bool:
    """Whether all are one tone that goes through the output."""
    return all(
        _same(t, looks[-1])
        and t.share_in > PURE_IN
        and t.share_out > PURE_OUT
        and min(t.level_in, t.level_out) > FLOOR_DB
        for t in looks
    )


class Listener:
    """Has the watch look at what a stream has heard; the engine's pulse calls it.

    Parameters
    ----------
    protection : Protection
    """

    def __init__(self, protection: Protection) -> None:
        self._protection, self._watch = protection, FeedbackWatch(protection.rate)
        self._looked, self._limited = WINDOW - HOP, 0

    def listen(self) -> str | None:
        """Look where enough has been heard since; a sentence where feedback was lowered."""
        record = self._protection.record
        written, limited = int(record["written"]), int(record["limited"])
        if written - self._looked < HOP:
            return None
        self._looked = written
        limiting, self._limited = limited > self._limited, limited
        heard = self._protection.heard(WINDOW)
        if self._watch.gain_db == 0.0 and np.abs(heard).max(axis=1).min() < QUIET:
            return None
        said = self._watch.look(heard, limiting)
        gain = db_to_gain(self._watch.gain_db)
        if gain != record["duck_asked"]:
            self._protection.lower(gain)
        return said

"""What spares the ears, on what a stream plays last, whatever plays.

In order: a DC blocker where there is an offset, a fade-in at the start and a fade-out at the end, a
limiter that keeps the true peak below a ceiling, and a gain that the feedback watch lowers.  After
another sound was loaded the ceiling begins 12 dB above what was heard before and rises from there,
so that nothing much louder bursts in.  What needs none of it passes unchanged, bit for bit, without
delay; the same samples give the same bits whatever the blocks.

The true peak is estimated by four-fold interpolation of the last 12 samples (as in ITU-R BS.1770,
annex 2), which looks 5.5 samples back: a tone is held below the ceiling, while the first samples of
an attack are held by their own values alone.
"""

from __future__ import annotations

import math

import numpy as np

from ..dsp.dynamics import db_to_gain, step_of_mean, towards
from ..native.late_numba import njit
from ..native.records import F32, F64, FLOAT, INT, Array, Table

LEVEL, DUCK = -2, -3  # numbers of a stream's events, beside its bypass: goals of two gains
TAPS, PHASES = 12, 3  # of the interpolation
HEARD = 8192  # samples that are kept for the feedback watch
FADE_SECONDS, RELEASE_SECONDS, DUCK_SECONDS = 0.02, 0.2, 0.05
DC_HZ, DC_SECONDS = 0.3, 2.0  # corner of each of two poles; how long a small offset lasts
DC_AT_ONCE, DC_ON, DC_OFF = 1e-2, 1e-3, 2.5e-4  # offsets: -40, -60 and -72 dBFS
FALL_DB, RISE_DB = 1.0, 24.0  # a second: of what was loudest, of the ceiling after a load
MORE_DB, LEAST_DB = 12.0, -24.0  # the ceiling after a load: above what was loudest; at least
TINY = F32(np.finfo(np.float32).tiny)

PROTECTION = Table(
    "protection",
    channels=INT,
    # goals of the fade and of the watch's gain as they are asked for from outside; as taken up
    level_asked=FLOAT, duck_asked=FLOAT,
    level=FLOAT, level_goal=FLOAT, level_step=FLOAT, duck=FLOAT, duck_goal=FLOAT, duck_step=FLOAT,
    # DC: two poles of each channel, how much of their mean is taken off
    pole=FLOAT, slow=Array(F64, "channels, 2"), blocking=FLOAT, blocks=INT, lasted=INT,
    lasting=INT,
    # ceiling: the one in force, the limiter's gain, samples it touched
    ceiling=FLOAT, cap=FLOAT, rise=FLOAT, gain=FLOAT, release=FLOAT, limited=INT,
    history=Array(F32, f"channels, {2 * TAPS}"), at=INT, taps=Array(F32, f"{PHASES}, {TAPS}"),
    loudest=FLOAT, fall=FLOAT, coming=INT,
    # input and output, channels added, for the watch; samples so far
    heard=Array(F32, f"2, {HEARD}"), written=INT,
)  # fmt: skip
view_protection = PROTECTION.view
_slow, _history, _taps = (
    PROTECTION.array("slow"),
    PROTECTION.array("history"),
    PROTECTION.array("taps"),
)
_heard = PROTECTION.array("heard")


@njit(nogil=True, error_model="numpy", cache=True)
def set_goal(e, number, value):  # type: ignore[no-untyped-def]
    """Set the goal of the fade or of the watch's gain."""
    if number == LEVEL:
        e.level_goal = e.level_asked = value
    elif number == DUCK:
        e.duck_goal = e.duck_asked = value


@njit(nogil=True, error_model="numpy", cache=True)
def soften(e):  # type: ignore[no-untyped-def]
    """Lower the ceiling for a sound that comes in, to a little above what was heard before."""
    e.cap = min(e.cap, max(e.loudest * 10.0 ** (MORE_DB / 20.0), 10.0 ** (LEAST_DB / 20.0)))


@njit(nogil=True, error_model="numpy", cache=True)
def protect(e, x, y, n):  # type: ignore[no-untyped-def]
    """Turn what is about to be played, ``y [channels, n]``, into what is played, in place.

    ``x [channels, n]`` is what came in, as the feedback watch is to see it.
    """
    slow, history, taps, heard = _slow(e), _history(e), _taps(e), _heard(e)
    blocking_step = e.duck_step
    for i in range(n):
        e.level = towards(e.level, e.level_goal, e.level_step)
        e.duck = towards(e.duck, e.duck_goal, e.duck_step)
        e.cap = min(e.ceiling, e.cap * e.rise)
        e.at = (e.at + 1) % TAPS
        gain = F32(1.0)
        if e.level < 1.0:
            gain = F32(0.5 - 0.5 * math.cos(math.pi * e.level))
        e.blocking = towards(e.blocking, float(e.blocks), blocking_step)
        offset, peak = 0.0, F32(0.0)
        heard_x, heard_y = F32(0.0), F32(0.0)
        for c in range(e.channels):
            v = y[c, i]
            slow[c, 0] += e.pole * (v - slow[c, 0])
            slow[c, 1] += e.pole * (slow[c, 0] - slow[c, 1])
            offset = max(offset, abs(slow[c, 1]))
            if e.blocking > 0.0:
                v -= F32(e.blocking * slow[c, 1])
            if gain != F32(1.0):
                v *= gain
            if abs(v) < TINY:
                v = F32(0.0)
            y[c, i] = v
            history[c, e.at] = history[c, e.at + TAPS] = v
            peak = max(peak, abs(v))
            for p in range(PHASES):
                between = F32(0.0)
                for k in range(TAPS):
                    between += taps[p, k] * history[c, e.at + 1 + k]
                peak = max(peak, abs(between))
            heard_x += x[c, i]
        e.lasted = e.lasted + 1 if offset > DC_ON else 0
        if offset > DC_AT_ONCE or e.lasted > e.lasting:
            e.blocks = 1
        elif offset < DC_OFF:
            e.blocks = 0
        e.loudest = max(float(peak) * e.gain, e.loudest * e.fall)
        e.gain += (1.0 - e.gain) * e.release
        if e.gain > 0.9999:
            e.gain = 1.0
        if peak * e.gain > e.cap:
            e.gain = e.cap / peak
        if e.gain < 1.0:
            e.limited += 1
            most = F32(e.cap)
            for c in range(e.channels):
                y[c, i] = min(most, max(-most, F32(y[c, i] * e.gain)))
        for c in range(e.channels):
            if e.duck != 1.0:
                y[c, i] *= F32(e.duck)
            heard_y += y[c, i]
        place = e.written % HEARD
        heard[0, place], heard[1, place] = heard_x, heard_y
        e.written += 1


def interpolation() -> np.ndarray:
    """Taps ``[PHASES, TAPS]``, for samples from the oldest on: values 1/4, 1/2 and 3/4 between."""
    k = np.arange(TAPS)[::-1]
    rows = []
    for phase in range(1, PHASES + 1):
        away = k - (TAPS / 2 - 1) - phase / (PHASES + 1)
        window = np.cos(np.pi * away / TAPS) ** 2
        row = np.sinc(away) * window
        rows.append(row / row.sum())
    return np.array(rows, dtype=np.float32)


class Protection:
    """Owner of the record that :func:`protect` works on.

    Parameters
    ----------
    channels : int
    rate : int [Hz]
    ceiling_db : float [dBFS, true peak]
    """

    def __init__(self, channels: int, rate: int, ceiling_db: float) -> None:
        ceiling = db_to_gain(ceiling_db)
        self.rate = rate
        self.record = PROTECTION.make(
            channels=channels,
            level_asked=1.0,
            duck_asked=1.0,
            level_goal=1.0,
            level_step=1.0 / (FADE_SECONDS * rate),
            duck=1.0,
            duck_goal=1.0,
            duck_step=1.0 / (DUCK_SECONDS * rate),
            pole=step_of_mean(DC_HZ, rate),
            lasting=int(DC_SECONDS * rate),
            ceiling=ceiling,
            cap=ceiling,
            rise=db_to_gain(RISE_DB / rate),
            gain=1.0,
            release=1.0 / (RELEASE_SECONDS * rate),
            fall=db_to_gain(-FALL_DB / rate),
        )
        self.record.arrays["taps"][:] = interpolation()

    @property
    def address(self) -> int:
        """What the callback is given."""
        return self.record.address

    def fade_out(self) -> None:
        """Fade out from the next block on (any thread)."""
        self.record["level_asked"] = 0.0

    def lower(self, gain: float) -> None:
        """Set the watch's gain from the next block on (any thread)."""
        self.record["duck_asked"] = gain

    @property
    def is_silent(self) -> bool:
        """Whether the fade-out is over."""
        return bool(self.record["level"] == 0.0)

    def heard(self, samples: int) -> np.ndarray:
        """The last `samples` of input and output, channels added, ``[2, samples]`` (any thread)."""
        end = int(self.record["written"])
        places = np.arange(end - samples, end) % HEARD
        return self.record.arrays["heard"][:, places]

    def figures(self) -> dict[str, float]:
        """How much was done: samples limited, offset taken off or not, gain of the watch."""
        r = self.record
        return {
            "limited_samples": int(r["limited"]),
            "dc_blocked": float(r["blocking"]),
            "lowered_db": float(20.0 * math.log10(max(1e-6, float(r["duck"])))),
        }

"""The voices that come with restyle, judged: words, level, hiss, band, and what each knob moves."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from realtime.audio_files import Clip
from realtime.presets.check import Library
from realtime.presets.files import list_presets
from realtime.presets.opening import open_preset
from realtime.session.operations import OWN, Set
from realtime.session.render import render
from realtime.session.sound import Setup, Sound
from train.judging.judges import voice as judge

from ..rig.tables import Row

RATE = 48_000
HISS_DB = -66.0  # of what comes in where nobody speaks
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)  # of a knob's range
HARD = ("whisper", "monster")  # more words may be lost
CHARACTERS = {
    "voice": "voice", "words": "words wrong", "more": "more than input", "level_db": "level dB",
    "hiss_db": "hiss out dB", "low_hz": "from Hz", "high_hz": "to Hz", "good": "within bounds",
}  # fmt: skip
KNOBS = {
    "voice": "voice", "knob": "knob", "measure": "what it moves",
    "from": "at its minimum", "to": "at its maximum", "rises": "always one way",
}  # fmt: skip
# what a knob is to move; of the others how far the sound is from that at the knob's minimum
_MOVES = {
    "depth": "pitch", "lift": "pitch", "youth": "pitch", "pitch": "pitch", "giant size": "pitch",
    "size": "centre", "warmth": "low", "rumble": "low", "weight": "low", "air": "high",
    "brightness": "high", "line": "high", "band": "band", "breath": "periodic", "detune": "target",
}  # fmt: skip
Array = npt.NDArray[np.float32]
Said = Sequence[tuple[str, Array]]


def names() -> list[str]:
    """Those that come with restyle."""
    return [e.name for e in list_presets(bundled=True) if e.kind == "voices"]


@cache
def sound_of(voice: str) -> Sound:
    """The sound of a voice, every stage with an identity."""
    library = Library()
    return library.checked(open_preset(voice, library).sound)[0]


def played(sound: Sound, x: Array) -> Array:
    """What a voice makes of ``x [n]``, its latency taken off."""
    return np.asarray(render(sound, Clip(x[None], RATE)).samples[0])


def characters(said: Said) -> list[Row]:
    """A row for each voice."""
    texts, heard = [t for t, _ in said], [judge.words(x, RATE) for _, x in said]
    before = judge.word_errors(texts, heard)
    hiss = np.random.default_rng(0).standard_normal(4 * RATE).astype(np.float32)
    hiss *= np.float32(10.0 ** (HISS_DB / 20.0))
    rows: list[Row] = []
    for voice in names():
        sound = sound_of(voice)
        made = [played(sound, x) for _, x in said]
        words = judge.word_errors(texts, [judge.words(y, RATE) for y in made])
        louder = decibels(np.concatenate(made), np.concatenate([x for _, x in said]))
        hissed = decibels(played(sound, hiss)[2 * RATE :], hiss[2 * RATE :])
        low, high = band(np.concatenate(made))
        most = 0.20 if voice in HARD else 0.10
        good = words <= before + most and hissed <= 6.0 and abs(louder) <= 6.0
        rows.append(
            {
                "voice": voice,
                "words": round(words, 3),
                "more": round(words - before, 3),
                "level_db": round(louder, 1),
                "hiss_db": round(hissed, 1),
                "low_hz": round(low),
                "high_hz": round(high),
                "good": "yes" if good else "no",
            }
        )
    return rows


def turned(said: Said) -> list[Row]:
    """A row for each knob of each voice; the mean of all sentences."""
    rows: list[Row] = []
    for voice in names():
        sound = sound_of(voice)
        for macro in sound.macros:
            span = macro.maximum - macro.minimum
            turns = [
                Set(OWN, macro.name, macro.minimum + share * span).apply(Setup(sound)).sound
                for share in SHARES
            ]
            own = _MOVES.get(f"{voice} {macro.name}")
            what = own or _MOVES.get(macro.name, "change")
            by_sentence = []
            for _, x in said:
                made = [played(turn, x) for turn in turns]
                by_sentence.append([measure(what, y, made[0]) for y in made])
            found = np.mean(by_sentence, axis=0).tolist()
            if what == "target":  # by its first target: voices that beat have no one figure
                found = [
                    next(iter(macro.values(macro.minimum + s * span).values())) for s in SHARES
                ]
            steps = np.diff(found)
            rows.append(
                {
                    "voice": voice,
                    "knob": macro.name,
                    "measure": what,
                    "from": round(found[0], 1),
                    "to": round(found[-1], 1),
                    "rises": "yes" if (steps > 0).all() or (steps < 0).all() else "no",
                }
            )
    return rows


def measure(what: str, y: Array, first: Array) -> float:
    """One figure of a sound: ``pitch`` [Hz], the ``centre`` of its spectrum [Hz], ``low``, ``high``
    and ``band`` [% of its power], how ``periodic`` it is [%], or its ``change`` from the `first` [%
    of its amplitude].
    """
    if what == "pitch":
        hz, voiced, _ = judge.pitched(y, RATE)
        return float(np.median(hz[voiced])) if voiced.any() else 0.0
    if what == "target":
        return 0.0
    if what == "periodic":
        return 100.0 * _periodic(y)
    if what == "change":
        return float(100.0 * np.sqrt(np.sum((y - first) ** 2) / np.sum(first**2)))
    power, frequency = spectrum(y)
    if what == "centre":
        strength = np.sqrt(power)
        return float((strength * frequency).sum() / strength.sum())
    inside = {
        "low": frequency < 300.0,
        "high": frequency > 3000.0,
        "band": (frequency > 400.0) & (frequency < 3000.0),
    }[what]
    return float(100.0 * power[inside].sum() / power.sum())


def _periodic(y: Array) -> float:
    """How like itself a sound is a period of 60 to 400 Hz later; the mean over pieces of 40 ms."""
    size = RATE // 25
    pieces = y[: len(y) // size * size].reshape(-1, size).astype(np.float64)
    loud: npt.NDArray[np.float64] = pieces[(pieces**2).mean(axis=1) > 1e-5]
    lags = np.asarray(np.fft.irfft(np.abs(np.fft.rfft(loud, 2 * size)) ** 2))
    return float((lags[:, RATE // 400 : RATE // 60].max(axis=1) / lags[:, 0]).mean())


def spectrum(y: Array) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Power and frequencies [Hz]."""
    power = np.abs(np.fft.rfft(y.astype(np.float64))) ** 2
    return power.astype(np.float64), np.fft.rfftfreq(len(y), 1.0 / RATE).astype(np.float64)


def band(y: Array) -> tuple[float, float]:
    """Between which frequencies all but 1 % of the power lies at either end."""
    power, hz = spectrum(y)
    share = np.cumsum(power) / power.sum()
    return float(hz[np.searchsorted(share, 0.01)]), float(hz[np.searchsorted(share, 0.99)])


def decibels(y: Array, x: Array) -> float:
    """How much louder one is than the other."""
    return float(10.0 * np.log10(np.mean(y.astype(float) ** 2) / np.mean(x.astype(float) ** 2)))

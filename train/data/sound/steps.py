"""Offline preprocessing by name: ``crop``, ``loudness=-23``, ``denoise``, ``segment=10`` …"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from realtime.errors import ConfigError, nearest

from . import denoise, loudness, preprocess, stretch

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Kind:
    """A step: default value, its range, unit, what it does, ``f(x, sample_rate, value)``."""

    default: float | None
    least: float
    most: float
    unit: str
    about: str
    run: Callable[[Array, int, float], Array | list[Array]]


KINDS = {
    "crop": Kind(-50.0, -120.0, -1.0, "dB",
                 "cut silence at both ends, below this against the loudest",
                 lambda x, rate, db: preprocess.crop_silence(x, rate, db)),
    "pauses": Kind(500.0, 10.0, 60000.0, "ms", "crop, and shorten pauses inside to this",
                   lambda x, rate, ms: preprocess.crop_silence(x, rate, longest_ms=ms)),
    "loudness": Kind(-23.0, -69.0, 0.0, "LUFS", "bring to this loudness, peaks below -1 dB",
                     lambda x, rate, lufs: loudness.loudness_normalise(x, rate, lufs)),
    "denoise": Kind(20.0, 0.0, 120.0, "dB", "lower steady noise by this with a spectral gate",
                    lambda x, rate, db: denoise.spectral_gate(x, rate, reduction_db=db)),
    "stretch": Kind(None, 0.25, 4.0, "times as long", "change the duration, keep the pitch",
                    lambda x, rate, factor: stretch.time_stretch(x, factor)),
    "pitch": Kind(None, -24.0, 24.0, "semitones", "change the pitch, keep the duration",
                  lambda x, rate, semitones: stretch.pitch_shift(x, semitones)),
    "speed": Kind(None, 0.1, 10.0, "times as fast", "change pitch and duration together",
                  lambda x, rate, speed: preprocess.change_speed(x, speed)),
    "segment": Kind(10.0, 0.2, 3600.0, "s",
                    "cut into pieces; all pieces of a recording share its split",
                    lambda x, rate, s: preprocess.segment(x, round(s * rate), pad=False)
                    or [x]),
}  # fmt: skip


@dataclass(frozen=True)
class Step:
    """A step with its value; its text is what the user wrote, and part of a recording's origin."""

    name: str
    value: float

    def __str__(self) -> str:
        return f"{self.name}={self.value:g}"


def parse_steps(words: Iterable[str]) -> tuple[Step, ...]:
    """Read ``name`` or ``name=value``; ``none`` alone means no step at all.

    Raises
    ------
    ConfigError
        Unknown step, or a value that is missing, no number or out of range.
    """
    words = list(words)
    if words == ["none"]:
        return ()
    steps = []
    for word in words:
        name, equals, text = word.partition("=")
        if name not in KINDS:
            raise ConfigError(
                f"no preprocessing step '{name}'{nearest(name, KINDS)};"
                f" there are {', '.join(KINDS)}"
            )
        kind = KINDS[name]
        value = kind.default
        if equals:
            try:
                value = float(text)
            except ValueError:
                value = np.nan
        if value is None or not np.isfinite(value):
            raise ConfigError(f"step '{word}': write {name}=NUMBER ({kind.unit})")
        if not kind.least <= value <= kind.most:
            raise ConfigError(
                f"step '{word}': expected {kind.least:g} to {kind.most:g} {kind.unit}"
            )
        steps.append(Step(name, value))
    return tuple(steps)


def run_steps(x: Array, sample_rate: int, steps: Sequence[Step]) -> list[Array]:
    """Apply the steps in turn; more than one array comes back after ``segment``."""
    pieces = [x]
    for step in steps:
        made: list[Array] = []
        for piece in pieces:
            result = KINDS[step.name].run(piece, sample_rate, step.value)
            made += result if isinstance(result, list) else [result]
        pieces = made
    return pieces

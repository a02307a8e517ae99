"""Small pairs on disk, plucked tunes before and after a bent curve; a clock, and a Ctrl-C."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from train.fit.processes import Stop

from ..tiny import plucked

RATE = 48000


def tune(seed: int, seconds: float) -> np.ndarray:
    return plucked(seed, round(seconds * RATE) // 6144 * 6144 + 6144)


def bent(x: np.ndarray) -> np.ndarray:
    return np.tanh(6 * x).astype(np.float32) * np.float32(0.5)


def write(path: Path, x: np.ndarray, rate: int = RATE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(str(path), x, rate, "FLOAT")
    return path


def folders(root: Path, seconds: float = 24.0, late: int = 0) -> tuple[Path, Path]:
    x = tune(1, seconds)
    write(root / "dry" / "riff.wav", x)
    write(root / "wet" / "riff.wav", np.concatenate([np.zeros(late, np.float32), bent(x)]))
    return root / "dry", root / "wet"


class Ticks:
    """A clock that goes on by one each time it is read."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def stop_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have whatever begins find that Ctrl-C was pressed."""
    enter = Stop.__enter__

    def at_once(self: Stop) -> Stop:
        enter(self)
        self.asked = True
        return self

    monkeypatch.setattr(Stop, "__enter__", at_once)

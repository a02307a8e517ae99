"""Small pairs on disk: plucked tunes before and after a bent curve."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

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

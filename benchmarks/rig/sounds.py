"""What most measurements play: one model, or nothing; and what is played into it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from realtime.presets.files import read_preset
from realtime.session.sound import Device, Setup, Sound, Stage, identified

IDENTITY = 1  # of the model's stage


def one_model(model: Path | None, **own: Any) -> Sound:
    """A sound of one model, or of no stage where `model` is None; `own` are the sound's fields."""
    stages = () if model is None else (Stage(model=str(model), identity=IDENTITY),)
    return Sound(stages, **own)


def of_file(path: Path | None) -> Sound:
    """The sound of a preset file, of one model, or of no stage where `path` is None."""
    if path is None or path.suffix != ".toml":
        return one_model(path)
    sound = read_preset(path).sound
    return msgspec.structs.replace(sound, stages=identified(sound.stages, IDENTITY))


def on_tape(tape: str, model: Path | None) -> Setup:
    """One model on a simulated card in shared memory, by its name."""
    return Setup(one_model(model), Device(kind="tape", tape=tape))


def phrase(seconds: float = 2.0, channels: int = 2, rate: int = 48000) -> npt.NDArray[np.float32]:
    """Noise and tones that swell and pause ``[channels, n]``."""
    rng = np.random.default_rng(0)
    t = np.arange(round(seconds * rate)) / rate
    swell = 0.002 + np.abs(np.sin(2 * np.pi * 1.7 * t)) ** 4
    tones = 0.3 * np.sin(2 * np.pi * 110.0 * t) + 0.2 * np.sin(2 * np.pi * 740.0 * t)
    return ((tones + rng.uniform(-0.2, 0.2, (channels, t.size))) * swell).astype(np.float32)

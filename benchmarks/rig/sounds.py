"""What most measurements play: one model, or nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

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

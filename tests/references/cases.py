"""The sounds of which references are kept, as plain data."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

RATE = 48000
LENGTH = 4800  # samples

Effects = tuple[tuple[str, dict[str, Any]], ...]


class Case(NamedTuple):
    """A model or capture with effects before and after it."""

    model: str | None = None
    before: Effects = ()
    after: Effects = ()
    controls: dict[str, float] = {}


def signal() -> npt.NDArray[np.float32]:
    """A chord that is struck, louder and softer, and a little noise ``[1, LENGTH]``."""
    t = np.arange(LENGTH) / RATE
    notes = [np.sin(2 * np.pi * k * hz * t) / k for hz in (110.0, 164.8, 220.0) for k in (1, 2, 3)]
    x = 0.12 * np.sum(notes, axis=0) * np.exp(-12.0 * (t % 0.05))
    x += 0.01 * np.random.default_rng(0).uniform(-1.0, 1.0, LENGTH)
    return x[None].astype(np.float32)


def _weights(count: int, seed: int, scale: float = 0.5) -> list[float]:
    drawn = np.random.default_rng(seed).uniform(-scale, scale, count)
    return [round(float(w), 6) for w in drawn]


def _wavenet(channels: int, head: int, gated: bool, dilations: list[int]) -> dict[str, Any]:
    layer = {
        "input_size": 1, "condition_size": 1, "channels": channels, "head_size": head,
        "kernel_size": 3, "dilations": dilations, "activation": "Tanh", "gated": gated,
        "head_bias": True,
    }  # fmt: skip
    wide = channels * (2 if gated else 1)
    one = channels * wide * 3 + wide + wide + channels * channels + channels
    count = channels + len(dilations) * one + head * channels + head + 1
    weights = _weights(count, channels)
    weights[-1] = 0.5  # the head's scale
    return {
        "version": "0.5.4", "architecture": "WaveNet", "weights": weights,
        "config": {"layers": [layer], "head": None, "head_scale": 0.5},
    }  # fmt: skip


CAPTURES: dict[str, dict[str, Any]] = {
    "wavenet": _wavenet(4, 1, False, [1, 2, 4, 8, 16]),
    "gated": _wavenet(3, 1, True, [1, 7, 13]),
    "lstm": {
        "version": "0.5.4", "architecture": "LSTM", "weights": _weights(70, 7),
        "config": {"num_layers": 1, "input_size": 1, "hidden_size": 3},
    },
    "convnet": {
        "version": "0.5.4", "architecture": "ConvNet", "weights": _weights(19, 8, 0.9),
        "config": {
            "channels": 2, "dilations": [1, 2], "batchnorm": False, "activation": "Tanh",
        },
    },
}  # fmt: skip

STYLES = ("amp-blend", "radio-voice", "tape", "tube-amp")

CASES: dict[str, Case] = {name: Case(name) for name in STYLES}
CASES |= {f"{name}.nam": Case(f"{name}.nam") for name in CAPTURES}
CASES |= {
    "amp-blend, turned": Case(
        "amp-blend", controls={"warm": 0.25, "crunch": 0.0, "fuzz": 0.75, "radio": 0.0}
    ),
    "filters": Case(
        None,
        (
            ("HighpassFilter", {"cutoff_frequency_hz": 90.0}),
            ("LowShelfFilter", {"gain_db": 3.0}),
            ("PeakFilter", {"gain_db": -4.0, "cutoff_frequency_hz": 800.0}),
            ("HighShelfFilter", {"gain_db": 2.0, "cutoff_frequency_hz": 4000.0}),
            ("LadderFilter", {"cutoff_hz": 5000.0}),
            ("LowpassFilter", {"cutoff_frequency_hz": 9000.0}),
        ),
    ),
    "dynamics": Case(
        None,
        (
            ("NoiseGate", {"threshold_db": -50.0}),
            ("Compressor", {"threshold_db": -20.0, "ratio": 4.0}),
            ("Distortion", {"drive_db": 10.0}),
            ("Gain", {"gain_db": -8.0}),
            ("Limiter", {"threshold_db": -12.0}),
        ),
    ),
    "space": Case(
        None,
        (
            ("Chorus", {}),
            ("Phaser", {}),
            ("Delay", {"delay_seconds": 0.03, "feedback": 0.3}),
            ("Reverb", {"room_size": 0.3}),
        ),
    ),
    "amp with effects": Case(
        "tube-amp",
        (("NoiseGate", {"threshold_db": -60.0}), ("Gain", {"gain_db": 3.0})),
        (("HighpassFilter", {"cutoff_frequency_hz": 80.0}), ("Reverb", {"room_size": 0.4})),
    ),
    "capture with effects": Case(
        "wavenet.nam",
        (("Compressor", {"threshold_db": -30.0, "ratio": 3.0}),),
        (("Resample", {"target_sample_rate": 16000.0}), ("Gain", {"gain_db": -3.0})),
    ),
}

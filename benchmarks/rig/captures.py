"""Captures to measure: files, or random weights in the shapes people share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from realtime.models.nam.build import Variant, build_program, variants
from realtime.models.nam.file import Capture, Weights, from_data, read_capture
from realtime.models.nam.program import Program
from realtime.models.nam.wavenet import build_wavenet

_OCTAVES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]
_SECOND = [1, 3, 7, 17, 41, 101, 239]


def _first_generation(wide: int, narrow: int) -> dict[str, Any]:
    shared = {"condition_size": 1, "kernel_size": 3, "dilations": _OCTAVES, "activation": "Tanh"}
    shared |= {"gated": False}
    first = {"input_size": 1, "channels": wide, "head_size": narrow, "head_bias": False}
    second = {"input_size": wide, "channels": narrow, "head_size": 1, "head_bias": True}
    return {"layers": [{**shared, **first}, {**shared, **second}], "head": None, "head_scale": 0.02}


def _second_generation(channels: int) -> dict[str, Any]:
    array = {
        "input_size": 1,
        "condition_size": 1,
        "channels": channels,
        "head": {"out_channels": 1, "kernel_size": 16, "bias": True},
        "kernel_sizes": [6] * 14 + [15, 15] + [6] * 7,
        "dilations": [*_SECOND, *_SECOND, 1, 13, *_SECOND],
        "activation": [{"type": "LeakyReLU", "negative_slope": 0.01}] * 23,
        "gating_mode": ["none"] * 23,
        "secondary_activation": [None] * 23,
    }
    return {"layers": [array], "head": None, "head_scale": 0.01}


def _lstm(layers: int, size: int) -> tuple[str, dict[str, Any], int]:
    inputs = [1] + [size] * (layers - 1)
    count = sum(4 * size * (n + size + 1) + 2 * size for n in inputs) + size + 1
    return "LSTM", {"input_size": 1, "hidden_size": size, "num_layers": layers}, count


def _conv_net(channels: int, layers: int) -> tuple[str, dict[str, Any], int]:
    config = {
        "channels": channels,
        "dilations": [2**k for k in range(layers)],
        "batchnorm": False,
        "activation": "Tanh",
    }
    later = (layers - 1) * (2 * channels * channels + channels)
    return "ConvNet", config, 3 * channels + later + channels + 1


def _wavenet(config: dict[str, Any]) -> tuple[str, dict[str, Any], int]:
    plenty = Weights(np.zeros(200_000))
    build_wavenet(Program(), config, plenty, 0)
    return "WaveNet", config, plenty.used


SHAPES = {
    "A1 standard": lambda: _wavenet(_first_generation(16, 8)),
    "A1 nano": lambda: _wavenet(_first_generation(4, 2)),
    "A2 full": lambda: _wavenet(_second_generation(8)),
    "A2 lite": lambda: _wavenet(_second_generation(3)),
    "LSTM 1 x 3": lambda: _lstm(1, 3),
    "LSTM 1 x 16": lambda: _lstm(1, 16),
    "LSTM 2 x 24": lambda: _lstm(2, 24),
    "ConvNet 16 x 10": lambda: _conv_net(16, 10),
}


def random_capture(shape: str) -> Capture:
    """A capture of a shared shape whose weights are small random numbers."""
    architecture, config, count = SHAPES[shape]()
    weights = np.random.default_rng(0).uniform(-0.3, 0.3, count)
    data = {"version": "0.7.0" if shape.startswith("A2") else "0.5.4", "architecture": architecture}
    return from_data({**data, "config": config, "weights": weights.tolist(), "sample_rate": 48000})


def chosen(files: list[Path]) -> dict[str, Variant]:
    """The captures in `files`, or one random capture of each shape."""
    if not files:
        return {name: Variant("", random_capture(name)) for name in SHAPES}
    found = {}
    for path in files:
        for variant in variants(read_capture(path)):
            build_program(variant.capture)  # what is wrong is said before anything is measured
            found[path.stem + variant.suffix] = variant
    return found

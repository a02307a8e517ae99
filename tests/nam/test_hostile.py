"""Whatever a configuration says, it is played or refused in one sentence."""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from realtime.errors import ModelError
from realtime.models.nam.build import Variant, build_program, variants
from realtime.models.nam.convert import make_player
from realtime.models.nam.file import from_data, parse_capture, read_capture

from .test_file import tiny

LSTM = {
    "version": "0.5.4", "architecture": "LSTM", "weights": [0.1] * 70,
    "config": {"input_size": 1, "hidden_size": 3, "num_layers": 1},
}  # fmt: skip
CONV_NET = {
    "version": "0.5.4", "architecture": "ConvNet", "weights": [0.1] * 19,
    "config": {"channels": 2, "dilations": [1, 2], "batchnorm": False, "activation": "Tanh"},
}  # fmt: skip
LINEAR = {
    "version": "0.5.4", "architecture": "Linear", "weights": [0.1] * 5,
    "config": {"receptive_field": 4, "bias": True},
}  # fmt: skip
MORE = (
    "bottleneck", "groups_input", "gating_mode", "secondary_activation", "head", "layer1x1",
    "head1x1", "kernel_sizes", "conv_pre_film", "condition_dsp", "sample_rate", "metadata",
)  # fmt: skip
VALUES: list[Any] = [
    None, True, 0, -1, 2, 2**20, 10**12, 10**400, 1.5, float("nan"), float("inf"), 1e300, "x", "",
    [], [0], [-1], [1, 2], [-(10**8)], [10**13], [[1]], {}, {"active": True, "groups": -1},
    {"type": ["Tanh"]}, {"type": "PReLU", "negative_slopes": ["a"]},
    {"type": "LeakyReLU", "negative_slope": 1e300}, {"type": "Hardtanh", "min_val": float("nan")},
    {"out_channels": 1, "kernel_size": 0, "bias": True},
    {"channels": 1, "activation": "Tanh", "out_channels": 1, "num_layers": 10**10},
]  # fmt: skip


def places(data: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Where the objects of a capture are that a value can be put into."""
    layer = [("config", "layers", 0)] if "layers" in data["config"] else []
    return [(), ("config",), *layer]


@pytest.mark.parametrize("data", [tiny(), LSTM, CONV_NET, LINEAR], ids=lambda d: d["architecture"])
def test_any_value_anywhere_is_played_or_refused(data: dict[str, Any]) -> None:
    refused = 0
    for place in places(data):
        node = data
        for key in place:
            node = node[key]
        for key in dict.fromkeys([*node, *MORE]):
            for value in VALUES:
                changed = copy.deepcopy(data)
                inner = changed
                for step in place:
                    inner = inner[step]
                inner[key] = value
                try:
                    for variant in variants(parse_capture(json.dumps(changed))):
                        build_program(variant.capture)
                except ModelError as error:
                    refused += 1
                    assert "\n" not in str(error) and len(str(error)) < 400
    assert refused > 100


@pytest.mark.parametrize("dilation", [0, -1, -(10**8), 2**21, 1.5])
def test_a_dilation_that_would_leave_the_memory_is_refused(dilation: float) -> None:
    data = tiny()
    data["config"]["layers"][0]["dilations"] = [dilation]
    with pytest.raises(ModelError, match="dilations"):
        build_program(from_data(data))


def test_gigabytes_of_history_are_refused_before_any_is_taken() -> None:
    data = tiny()
    layer = data["config"]["layers"][0]
    layer["dilations"] = [2**19] * 20
    # rechannel, layers of 12 + 2 + 2 + 6 weights, head, scale
    data["weights"] = [0.01] * (2 + 20 * 22 + 3 + 1)
    with pytest.raises(ModelError, match="samples of history"):
        build_program(from_data(data))


@pytest.mark.parametrize("value", [1e300, -1e39, 10**400])
def test_weights_beyond_float32_are_refused(value: float) -> None:
    data = tiny()
    data["weights"][3] = value
    with pytest.raises(ModelError, match="weights"):
        from_data(data)


def test_negative_variance_is_refused() -> None:
    data = copy.deepcopy(CONV_NET)
    data["config"] |= {"batchnorm": True, "dilations": [1]}
    # convolution, mean, variance, gain, offset, epsilon, head
    data["weights"] = (
        [0.1] * 4 + [0.0] * 2 + [-1.0] * 2 + [1.0] * 2 + [0.0] * 2 + [1e-5] + [0.1] * 3
    )
    with pytest.raises(ModelError, match="variance"):
        build_program(from_data(data))


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.nam")
    with pytest.raises(ModelError, match="is not a file"):
        read_capture(tmp_path / "x.nam")


def test_what_is_at_the_limits_still_plays() -> None:
    data = tiny()
    data["config"]["layers"][0]["dilations"] = [2**12]
    player = make_player(Variant("", from_data(data)), "x", 1, 64)
    assert np.isfinite(player.step(np.ones((1, 1, 64), dtype=np.float32))).all()

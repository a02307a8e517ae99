"""Captures of random weights, every shape the reference library can build, against its forward.

Left out is what the C++ core plays otherwise (Linear, layers without 1x1, FiLM behind the 1x1): see
:mod:`.test_core`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from realtime.models.nam.build import Variant, build_program
from realtime.models.nam.convert import make_card, null_db, to_onnx
from realtime.models.nam.file import from_data
from realtime.models.nam.player import CapturePlayer
from realtime.models.streaming import StreamingModel

from . import library as lib

FILM = {"active": True, "shift": True, "groups": 1}
MULTIPLY = {"name": "PairMultiply", "primary": "Tanh", "secondary": "Sigmoid"}
BLEND = {"name": "PairBlend", "primary": "ReLU", "secondary": "Sigmoid"}
ACTIVATIONS = [
    "Tanh", "Sigmoid", "ReLU", "Hardtanh", "SiLU", "Hardswish", "Softsign", "Softsigmoid",
    {"name": "LeakyReLU", "negative_slope": 0.2}, "PReLU",
    {"name": "PReLU", "num_parameters": 4},
    {"name": "LeakyHardtanh", "min_val": -0.4, "max_val": 0.3, "min_slope": 0.1, "max_slope": 0.2},
]  # fmt: skip


def _films(*names: str, **changes: Any) -> dict[str, Any]:
    return {"film_params": {n: {**FILM, **changes} for n in names}}


MODELS: dict[str, Any] = {
    "a1-standard": lambda: lib.a1(),
    "a1-lite": lambda: lib.a1((12, 6)),
    "a1-feather": lambda: lib.a1((8, 4)),
    "a1-nano": lambda: lib.a1((4, 2)),
    "a2-like": lambda: lib.wavenet(
        lib.array(
            8, 1, kernel_sizes=[6, 6, 15, 6], dilations=[1, 7, 13, 101],
            activation={"name": "LeakyReLU", "negative_slope": 0.01},
            head={"out_channels": 1, "kernel_size": 16, "bias": True},
        )
    ),
    "three-channels": lambda: lib.wavenet(lib.array(3, 1)),
    "bottleneck": lambda: lib.wavenet(lib.array(6, 1, bottleneck=2)),
    "gated": lambda: lib.wavenet(lib.array(4, 1, activation=MULTIPLY)),
    "blended": lambda: lib.wavenet(lib.array(4, 1, activation=BLEND, bottleneck=2)),
    "groups": lambda: lib.wavenet(
        lib.array(4, 1, groups_input=2, layer_1x1_config={"active": True, "groups": 2})
    ),
    "head-1x1": lambda: lib.wavenet(
        lib.array(4, 1, head_1x1_config={"active": True, "out_channels": 2, "groups": 2})
    ),
    "film-everywhere": lambda: lib.wavenet(
        lib.array(
            4, 1, head_1x1_config={"active": True, "out_channels": 3, "groups": 1},
            **_films(
                "conv_pre_film", "conv_post_film", "input_mixin_pre_film",
                "input_mixin_post_film", "activation_pre_film", "activation_post_film",
                "head1x1_post_film",
            ),
        )
    ),
    "film-scale-only": lambda: lib.wavenet(
        lib.array(4, 1, **_films("activation_pre_film", "conv_post_film", shift=False))
    ),
    "film-gated": lambda: lib.wavenet(
        lib.array(4, 1, activation=MULTIPLY, **_films("conv_post_film", "activation_post_film"))
    ),
    "head": lambda: lib.wavenet(
        lib.array(4, 2),
        head={"channels": 3, "activation": "Tanh", "out_channels": 1, "kernel_sizes": [3, 2]},
    ),
    "condition": lambda: lib.wavenet(
        lib.array(4, 1, condition_size=2),
        condition_dsp={"name": "WaveNet", "config": {"layers_configs": [lib.array(3, 2)]}},
    ),
    "lstm": lambda: lib.LSTM(hidden_size=5, sample_rate=48000),
    "lstm-two-layers": lambda: lib.LSTM(hidden_size=4, num_layers=2, sample_rate=48000),
    # more units than the kernel moves at once, an odd number of them
    "lstm-35-units": lambda: lib.LSTM(hidden_size=35, num_layers=2, sample_rate=48000),
    "convnet": lambda: lib.ConvNet(channels=5, dilations=[1, 2, 4, 8], sample_rate=48000),
    "convnet-batchnorm": lambda: lib.ConvNet(
        channels=4, dilations=[1, 2, 4], batchnorm=True, activation="ReLU", sample_rate=48000
    ),
}  # fmt: skip
for _activation in ACTIVATIONS:
    _label = (
        _activation if isinstance(_activation, str) else "-".join(map(str, _activation.values()))
    )
    MODELS[f"activation-{_label}"] = lambda a=_activation: lib.wavenet(
        lib.array(4, 1, activation=a)
    )


def signal(n: int = 4096, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    envelope = np.repeat(rng.uniform(0.0, 0.5, n // 256), 256)
    return (envelope * rng.standard_normal(n)).astype(np.float32)


def build(name: str) -> tuple[Any, Any]:
    import torch

    torch.manual_seed(7)
    model = MODELS[name]()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.running_mean.uniform_(-0.2, 0.2)
            module.running_var.uniform_(0.5, 1.5)
    data = lib.exported(model)
    if isinstance(model, lib.LSTM):
        model.import_weights(data["weights"])  # with the settled state the file carries
    return model, from_data(data)


def stream(capture: Any, x: np.ndarray, sizes: list[int]) -> np.ndarray:
    """Stream through players of different step sizes that hand their state on."""
    program, card, out, at = build_program(capture), make_card(capture, "c"), [], 0
    players = {n: CapturePlayer(program, replace(card, hop_length=n)) for n in set(sizes)}
    assert len(players) == 1, "one player steps by one size"
    player = players[sizes[0]]
    for n in sizes:
        out.append(player.step(x[None, None, at : at + n]).ravel())
        at += n
    return np.concatenate(out)


@pytest.mark.parametrize("name", MODELS)
def test_stream_equals_the_library(name: str) -> None:
    model, capture = build(name)
    x = signal()
    got = stream(capture, x, [64] * (len(x) // 64))
    expected = lib.forward(model, x)[: len(got)]
    assert null_db(got, expected) <= -115.0


@pytest.mark.parametrize("name", MODELS)
def test_graph_equals_the_library_and_starts_settled(name: str) -> None:
    model, capture = build(name)
    _, data = to_onnx(Variant("", capture), "random")
    graph = StreamingModel(data, tape=False)
    x = signal(2048, seed=1)
    got = np.concatenate([graph.step(b.reshape(1, 1, 64)).ravel() for b in x.reshape(-1, 64)])
    graph.close()
    expected = lib.forward(model, x)
    assert null_db(got, expected) <= -110.0


@pytest.mark.parametrize(
    "name", ["a1-standard", "a2-like", "film-gated", "head", "lstm-two-layers", "lstm-35-units"]
)
def test_stream_does_not_depend_on_how_it_is_cut(name: str) -> None:
    _, capture = build(name)
    x = signal(6144, seed=2)
    whole = stream(capture, x, [6144])
    for n in (1, 2, 7, 16, 33, 64, 100, 441, 480, 1024):
        count = min(len(x), 1024 if n == 1 else 6144) // n
        got = stream(capture, x, [n] * count)
        assert np.array_equal(got, whole[: len(got)]), n


@pytest.mark.parametrize("name", ["a1-standard", "a2-like", "convnet", "lstm"])
def test_first_ten_milliseconds_are_settled(name: str) -> None:
    model, capture = build(name)
    x = np.zeros(480, dtype=np.float32)
    x[200:] = signal(512)[:280]
    got = stream(capture, x, [48] * 10)
    expected = lib.forward(model, x)
    scale = max(float(np.abs(expected).max()), 1e-3)
    assert np.abs(got - expected).max() <= 3e-6 * scale


def test_briefly_trained_weights_stay_equal() -> None:
    import torch

    model = lib.a1((8, 4))
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
    x = torch.from_numpy(signal(12288, seed=3))[None]
    target = torch.tanh(4 * x)
    for _ in range(8):
        y = model(x, pad_start=False)
        loss = (y - target[:, -y.shape[1] :]).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    capture = from_data(lib.exported(model))
    probe = signal(4096, seed=4)
    got = stream(capture, probe, [64] * 64)
    assert null_db(got, lib.forward(model, probe)) <= -115.0


@pytest.mark.parametrize("name", ["a1-nano", "a2-like", "lstm"])
def test_channels_that_hear_the_same_are_run_once_until_one_hears_something_else(name: str) -> None:
    _, capture = build(name)
    program, card = build_program(capture), make_card(capture, "c")
    pair, alone = CapturePlayer(program, card, 2), [CapturePlayer(program, card) for _ in "ab"]
    left = signal(64 * 200, seed=3).reshape(-1, 1, 1, 64)  # longer than a row's room
    right = left.copy()
    right[120:] = signal(64 * 80, seed=4).reshape(-1, 1, 1, 64)
    values = pair._running[0]
    for k, (a, b) in enumerate(zip(left, right, strict=True)):
        begun = values[1].copy()
        got = pair.step(np.concatenate([a, b]))
        expected = [player.step(x) for player, x in zip(alone, (a, b), strict=True)]
        np.testing.assert_array_equal(got, np.concatenate(expected))
        if name != "lstm":
            assert np.array_equal(values[1], begun) == (k < 120)  # where its rows stand
    saved = pair.snapshot()
    again = [pair.step(np.concatenate([left[k], right[k]])) for k in range(5)]
    pair.reset()
    pair.step(np.concatenate([left[0], left[0]]))
    pair.restore(saved)
    for k, expected in enumerate(again):
        np.testing.assert_array_equal(pair.step(np.concatenate([left[k], right[k]])), expected)

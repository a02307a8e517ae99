"""One small capture for every rule of the format that the C++ core has: file bytes by name.

Weights are random, seeded by the capture's name; what the core plays of each is in ``played.json``.
"""

from __future__ import annotations

import json
import zlib
from typing import Any

import numpy as np

FILM = {"active": True, "shift": True, "groups": 1}
Data = dict[str, Any]


def signal(n: int = 192) -> np.ndarray:
    """What is played: noise that begins softly ``[n]``."""
    noise = np.random.default_rng(11).standard_normal(n)
    return (np.linspace(0.05, 0.6, n) * noise).astype(np.float32)


def array(**changes: Any) -> Data:
    """One layer array of four channels and two layers; None leaves a key out."""
    plain = {
        "input_size": 1, "condition_size": 1, "channels": 4, "head_size": 1, "head_bias": True,
        "kernel_size": 3, "dilations": [1, 3], "activation": "Tanh", "gated": False,
    }  # fmt: skip
    return {k: v for k, v in {**plain, **changes}.items() if v is not None}


def wavenet(count: int, *arrays: Data, **changes: Any) -> Data:
    """A WaveNet of `count` weights."""
    top = {k: changes.pop(k) for k in ("condition_dsp", "head", "in_channels") if k in changes}
    config = {"layers": list(arrays), "head": None, "head_scale": 0.3, **top}
    return capture("WaveNet", config, count, **changes)


def capture(architecture: str, config: Data, count: int, **changes: Any) -> Data:
    """A capture of `count` random weights."""
    seed = zlib.crc32(json.dumps([architecture, config]).encode())
    weights = np.random.default_rng(seed).uniform(-0.6, 0.6, count).round(4).tolist()
    plain = {"version": "0.7.0", "architecture": architecture, "config": config}
    plain |= {"weights": weights, "sample_rate": 48000}
    return {k: v for k, v in {**plain, **changes}.items() if v != "leave out"}


def lstm(hidden: int = 3, layers: int = 1, outputs: int = 1, **changes: Any) -> Data:
    """An LSTM; its weights include an initial state that is not settled."""
    count, inputs = 0, 1
    for _ in range(layers):
        count += 4 * hidden * (inputs + hidden + 1) + 2 * hidden
        inputs = hidden
    config = {"input_size": 1, "hidden_size": hidden, "num_layers": layers}
    if outputs != 1:
        config["out_channels"] = outputs
    return capture("LSTM", config, count + outputs * (hidden + 1), **changes)


def container(*sizes: tuple[float, Data], **changes: Any) -> Data:
    """A SlimmableContainer of ``(max_value, model)``."""
    entries = [{"max_value": v, "model": m} for v, m in sizes]
    return {**capture("SlimmableContainer", {"submodels": entries}, 0), **changes}


# weights of array(): rechannel 4, two layers of 52 + 4 + 20, head 5; and the scale 1
PLAIN = 4 + 2 * (52 + 4 + 20) + 5 + 1


def one(count: int = PLAIN, top: Data | None = None, **layer: Any) -> Data:
    """A WaveNet of one layer array with changed keys."""
    return wavenet(count, array(**layer), **(top or {}))


def linear(taps: int, bias: bool = False, **changes: Any) -> Data:
    config = {"receptive_field": taps, "bias": bias}
    return capture("Linear", config, taps + bias, **changes)


def conv_net(count: int, **changes: Any) -> Data:
    config = {"channels": 4, "dilations": [1, 2], "batchnorm": False, "activation": "Tanh"}
    return capture("ConvNet", {**config, **changes}, count)


def _activations() -> dict[str, Data]:
    configs: dict[str, Any] = {
        "Fasttanh": "Fasttanh", "Hardtanh": "Hardtanh", "ReLU": "ReLU", "LeakyReLU": "LeakyReLU",
        "PReLU": "PReLU", "Sigmoid": "Sigmoid", "SiLU": "SiLU", "Hardswish": "Hardswish",
        "LeakyHardtanh": "LeakyHardtanh", "LeakyHardTanh": "LeakyHardTanh", "Softsign": "Softsign",
        "PReLU without slope": {"type": "PReLU"},
        "PReLU with a slope": {"type": "PReLU", "negative_slope": 0.3},
        "PReLU with slopes": {"type": "PReLU", "negative_slopes": [0.1, 0.2, 0.3, 0.4]},
        "PReLU with half the slopes": {"type": "PReLU", "negative_slopes": [0.1, 0.4]},
        "PReLU with both": {"type": "PReLU", "negative_slope": 0.3, "negative_slopes": [1] * 4},
        "LeakyReLU with a slope": {"type": "LeakyReLU", "negative_slope": 0.2},
        "Hardtanh with limits it ignores": {"type": "Hardtanh", "min_val": -0.1, "max_val": 0.1},
        "LeakyHardtanh with all": {
            "type": "LeakyHardtanh", "min_val": -0.2, "max_val": 0.3, "min_slope": 0.1,
            "max_slope": 0.2,
        },
        "LeakyHardtanh crossed": {"type": "LeakyHardtanh", "min_val": 0.2, "max_val": -0.2},
        "unknown keys": {"type": "Tanh", "negative_slope": "x", "more": [1]},
    }  # fmt: skip
    found = {f"activation {k}": one(activation=v) for k, v in configs.items()}
    found["activation per layer"] = one(activation=["Fasttanh", {"type": "ReLU"}])
    return found


def _layers() -> dict[str, Data]:
    gate: Data = {"gated": None, "gating_mode": "gated"}
    blend: Data = {"gated": None, "gating_mode": "blended"}
    wide = 4 + 2 * (104 + 8 + 20) + 5 + 1
    no_one = {"layer1x1": {"active": False, "groups": 1}}
    film = {"layer1x1_post_film": FILM}
    side = {"head1x1": {"active": True, "out_channels": 2, "groups": 1}}
    films = (
        "conv_pre_film", "conv_post_film", "input_mixin_pre_film", "input_mixin_post_film",
        "activation_pre_film", "activation_post_film",
    )  # fmt: skip
    found = {
        "gated": one(wide, **gate),
        "gated, old spelling": one(wide, gated=True),
        "gated by an activation": one(wide, **gate, secondary_activation="Hardtanh"),
        "blended": one(wide, **blend, secondary_activation="Sigmoid"),
        "gating per layer": one(
            4 + 76 + 132 + 5 + 1, gated=None, gating_mode=["none", "gated"],
            secondary_activation=[None, "Fasttanh"],
        ),
        "layer1x1 inactive": one(PLAIN - 40, **no_one),
        "layer1x1 inactive, gated": one(wide - 40, **no_one, **gate),
        "layer1x1_post_film": one(PLAIN + 32, **film),
        "layer1x1_post_film without shift": one(
            PLAIN + 16, layer1x1_post_film={**FILM, "shift": False}
        ),
        "layer1x1_post_film, gated": one(wide + 32, **film, **gate),
        "layer1x1_post_film, blended": one(wide + 32, **film, **blend),
        "layer1x1_post_film, mixed": one(
            4 + 76 + 132 + 5 + 1 + 32, gated=None, gating_mode=["none", "blended"], **film
        ),
        "head1x1": one(PLAIN + 2 * 10 - 2, **side),
        "head1x1_post_film": one(PLAIN + 2 * 18 - 2, **side, head1x1_post_film=FILM),
        "film that is false": one(conv_pre_film=False),
        "film without active": one(PLAIN + 32, conv_post_film={"shift": True}),
        "film without shift": one(PLAIN + 32, conv_post_film={"active": True}),
        "film with groups": one(
            PLAIN + 2 * 16, condition_size=1, activation_pre_film={"active": True, "groups": 1}
        ),
        "film everywhere": one(
            PLAIN + 2 * (5 * 16 + 4), **dict.fromkeys(films, FILM)
        ),
        "head with a kernel": one(
            PLAIN + 8, head_size=None, head_bias=None,
            head={"out_channels": 1, "kernel_size": 3, "bias": True},
        ),
        "head with a dilation": one(
            PLAIN + 8, head_size=None, head_bias=None,
            head={"out_channels": 1, "kernel_size": 3, "bias": True, "head_dilation": 5},
        ),
        "head beside head_size": one(
            PLAIN - 1, head={"out_channels": 1, "kernel_size": 1, "bias": False}
        ),
        "groups": one(
            4 + 2 * (28 + 4 + 12) + 5 + 1, groups_input=2, layer1x1={"active": True, "groups": 2}
        ),
        "bottleneck": one(4 + 2 * (26 + 2 + 12) + 3 + 1, bottleneck=2),
        "kernel_sizes": one(PLAIN - 16, kernel_size=None, kernel_sizes=[3, 2]),
        "slimmable layers": one(
            slimmable={"method": "slice_channels_uniform", "kwargs": {"allowed_channels": [2, 4]}}
        ),
        "unknown keys in a layer": one(colour="red", deep=[[[{}]]]),
    }  # fmt: skip
    two = (array(head_size=2, channels=4), array(input_size=4, channels=2, head_size=1))
    counts = (4 + 152 + 2 * 5) + (8 + 2 * (14 + 2 + 6) + 3) + 1
    found["two arrays"] = wavenet(counts, *two)
    tail = {"channels": 3, "out_channels": 1, "kernel_sizes": [3, 2], "activation": "Fasttanh"}
    pair = array(head_size=2)
    found["head"] = wavenet(PLAIN + 5 + 21 + 7, pair, head=tail)
    found["head that states its inputs"] = wavenet(
        PLAIN + 5 + 21 + 7, pair, head={**tail, "in_channels": 2}
    )
    return found


def _nested() -> dict[str, Data]:
    small = linear(3)
    inner = container((0.5, small), (1.0, one()))
    condition = one(PLAIN + 5, head_size=2)
    conditioned: Data = {"condition_size": 2}
    return {
        "container": container((0.5, small), (1.0, one())),
        "container that leaves its rate open": container(
            (0.5, small), (1.0, one()), sample_rate=-1
        ),
        "container in a container": container((0.5, small), (1.0, inner)),
        "container three deep": container((1.0, container((1.0, inner)))),
        "container of a small container": container((0.5, inner), (1.0, small)),
        "condition": wavenet(PLAIN + 8, array(**conditioned), condition_dsp=condition),
        "condition of an LSTM": wavenet(
            PLAIN + 8, array(**conditioned), condition_dsp=lstm(3, 1, 2)
        ),
        "condition of a ConvNet": wavenet(
            PLAIN + 8, array(**conditioned),
            condition_dsp=conv_net(12 + 36 + 10, out_channels=2),
        ),
    }  # fmt: skip


def _others() -> dict[str, Data]:
    normed = conv_net(4 * 2 + 17 + 32 + 17 + 5, batchnorm=True)
    at = 8
    for first in (at, at + 17 + 32):  # variances are positive
        normed["weights"][first + 4 : first + 8] = [0.5, 0.7, 0.9, 1.1]
        normed["weights"][first + 16] = 1e-5
    return {
        "linear": linear(10),
        "linear with bias": linear(33, True),
        "linear of one tap": linear(1, True),
        "linear by FFT": linear(300),
        "lstm": lstm(),
        "lstm of two layers": lstm(4, 2),
        "lstm without sample rate": lstm(4, 2, sample_rate="leave out"),
        "lstm at 44.1 kHz": lstm(sample_rate=44100),
        "lstm of no layers": lstm(3, 0),
        "convnet": conv_net(12 + 36 + 5),
        "convnet of Fasttanh": conv_net(12 + 36 + 5, activation="Fasttanh"),
        "convnet with batchnorm": normed,
        "convnet of Softsign": conv_net(12 + 36 + 5, activation={"type": "Softsign"}),
    }


def _files() -> dict[str, bytes]:
    text = json.dumps(one()).encode()
    deep = (
        json.dumps(one(top={"metadata": "M"})).encode().replace(b'"M"', b"[" * 5000 + b"]" * 5000)
    )
    changed: dict[str, Data] = {
        "sample_rate -1": one(top={"sample_rate": -1}),
        "sample_rate 0": one(top={"sample_rate": 0}),
        "sample_rate -48000": one(top={"sample_rate": -48000.0}),
        "sample_rate missing": one(top={"sample_rate": "leave out"}),
        "sample_rate with a fraction": one(top={"sample_rate": 44100.0}),
        "version 0.5.0": one(top={"version": "0.5.0"}),
        "version 0.7.9": one(top={"version": "0.7.9"}),
        "metadata null": one(top={"metadata": None}),
        "metadata that is a list": one(top={"metadata": [1, 2]}),
        "metadata of odd values": one(
            top={"metadata": {"name": {"a": []}, "gear_make": 5, "loudness": None, "date": "x"}}
        ),
        "unknown keys": one(top={"colour": 1, "extra": {"a": [1, {"b": None}]}}),
        "weights that are whole numbers": {**linear(4), "weights": [1, 0, -1, 2]},
    }
    found = {k: json.dumps(v).encode() for k, v in changed.items()}
    return found | {
        "byte-order mark": b"\xef\xbb\xbf" + text,
        "text after the document": text + b"\n}] and more",
        "zero bytes after the document": text + b"\0" * 100,
        "bytes after the document": text + b"\n\xff\xfe\x00",
        "white space around": b"\r\n\t " + text + b" \r\n",
        "metadata nested deep": deep,
        "keys twice": text.replace(b'"head_scale": 0.3', b'"head_scale": "x", "head_scale": 1'),
    }


def kinds() -> dict[str, bytes]:
    """All of them."""
    data = {**_activations(), **_layers(), **_nested(), **_others()}
    return {**{k: json.dumps(v).encode() for k, v in data.items()}, **_files()}

"""Networks with memory, controls and faults for the tests, built with onnx's helpers."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto, helper

from realtime.models.card import Card, Spectrum, State
from realtime.parameters.parameter import Parameter

from .graphs import finish, seal

LICENCE = "GPL-3.0-or-later"


def _rng_weights(seed: int, **shapes: tuple[int, ...]) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        k: (rng.standard_normal(s) / np.sqrt(np.prod(s[1:]))).astype(np.float32)
        for k, s in shapes.items()
    }


def gru_model(hop: int = 64, hidden: int = 8, seed: int = 1) -> bytes:
    """Waveform model: a GRU over single samples and a skip, from a state that is not zero."""
    weights = _rng_weights(
        seed, w=(1, 3 * hidden, 1), r=(1, 3 * hidden, hidden), b=(1, 6 * hidden), out=(hidden, 1)
    )
    weights["one"] = np.array([1])
    nodes = [
        helper.make_node("Transpose", ["x"], ["sequence"], perm=[2, 0, 1]),
        helper.make_node("Transpose", ["state_h"], ["h0"], perm=[1, 0, 2]),
        helper.make_node(
            "GRU", ["sequence", "w", "r", "b", "", "h0"], ["all", "last"], hidden_size=hidden
        ),
        helper.make_node("Squeeze", ["all", "one"], ["flat"]),
        helper.make_node("MatMul", ["flat", "out"], ["mono"]),
        helper.make_node("Transpose", ["mono"], ["y"], perm=[1, 2, 0]),
        helper.make_node("Transpose", ["last"], ["state_h_out"], perm=[1, 0, 2]),
    ]
    shape, state = ["n", 1, "t"], ["n", 1, hidden]
    model = finish(
        nodes, {"x": shape, "state_h": state}, {"y": shape, "state_h_out": state}, weights
    )
    card = Card(
        "test-gru",
        "GRU",
        "a recurrent network",
        "waveform",
        48000,
        hop,
        0,
        LICENCE,
        states=(State("h", (1, hidden)),),
    )
    initial = np.linspace(-0.5, 0.5, hidden, dtype=np.float32).reshape(1, hidden)
    return seal(model, card, {"h": initial})


def mask_model(n_fft: int = 256, synthesis: int = 128, hop: int = 64, seed: int = 2) -> bytes:
    """Spectrum model: a mask from a causal convolution over three frames and three bins."""
    bins = n_fft // 2 + 1
    weights = _rng_weights(seed, w=(2, 2, 3, 3))
    weights |= {"start": np.array([-2]), "end": np.array([2**31 - 1]), "axis": np.array([2])}
    nodes = [
        helper.make_node("Concat", ["state_past", "x"], ["full"], axis=2),
        helper.make_node("Conv", ["full", "w"], ["logits"], pads=[0, 1, 0, 1]),
        helper.make_node("Sigmoid", ["logits"], ["mask"]),
        helper.make_node("Mul", ["mask", "x"], ["y"]),
        helper.make_node("Slice", ["full", "start", "end", "axis"], ["state_past_out"]),
    ]
    shape, state = ["n", 2, "t", bins], ["n", 2, 2, bins]
    model = finish(
        nodes,
        {"x": shape, "state_past": state},
        {"y": shape, "state_past_out": state},
        weights,
    )
    card = Card(
        "test-mask",
        "mask",
        "a causal mask",
        "spectrum",
        48000,
        hop,
        synthesis - hop,
        LICENCE,
        states=(State("past", (2, 2, bins)),),
        spectrum=Spectrum(n_fft, synthesis),
    )
    return seal(model, card)


def controlled_model(hop: int = 64) -> bytes:
    """Waveform model: ``y = gain * x + choice``, two controls."""
    weights = {
        "zero": np.array([0]),
        "one": np.array([1]),
        "two": np.array([2]),
        "axis": np.array([1]),
        "cube": np.array([1, 1, 1]),
    }
    nodes = [
        helper.make_node("Slice", ["controls", "zero", "one", "axis"], ["gain2"]),
        helper.make_node("Slice", ["controls", "one", "two", "axis"], ["choice2"]),
        helper.make_node("Reshape", ["gain2", "cube"], ["gain"]),
        helper.make_node("Reshape", ["choice2", "cube"], ["choice"]),
        helper.make_node("Mul", ["x", "gain"], ["scaled"]),
        helper.make_node("Add", ["scaled", "choice"], ["y"]),
    ]
    shape = ["n", 1, "t"]
    model = finish(nodes, {"x": shape, "controls": [1, 2]}, {"y": shape}, weights)
    card = Card(
        "test-controls",
        "controls",
        "gain and offset",
        "waveform",
        48000,
        hop,
        0,
        LICENCE,
        controls=(
            Parameter("gain", 0.0, 1.0, 0.5),
            Parameter("choice", 0, 4, 0, kind="categorical"),
        ),
    )
    return seal(model, card)


def brittle_model(hop: int = 64) -> bytes:
    """``y = sqrt(x + 0.5) + m`` with a running mean `m`: x < -0.5 makes `m` NaN for ever."""
    weights = {"half": np.array(0.5, np.float32), "axis": np.array([2])}
    nodes = [
        helper.make_node("Add", ["x", "half"], ["shifted"]),
        helper.make_node("Sqrt", ["shifted"], ["root"]),
        helper.make_node("ReduceMean", ["root", "axis"], ["mean"]),
        helper.make_node("Add", ["state_m", "mean"], ["sum"]),
        helper.make_node("Mul", ["sum", "half"], ["state_m_out"]),
        helper.make_node("Sub", ["root", "state_m"], ["y"]),
    ]
    shape, state = ["n", 1, "t"], ["n", 1, 1]
    model = finish(
        nodes, {"x": shape, "state_m": state}, {"y": shape, "state_m_out": state}, weights
    )
    card = Card(
        "test-brittle",
        "brittle",
        "fails below -0.5",
        "waveform",
        48000,
        hop,
        0,
        LICENCE,
        states=(State("m", (1, 1)),),
    )
    return seal(model, card)


def failing_model(hop: int = 64) -> bytes:
    """``y = x / 2`` whose step fails (an index out of range) once a peak reaches 1."""
    weights = {
        "half": np.array(0.5, np.float32),
        "table": np.zeros(1, np.float32),
        "axes": np.array([0, 1, 2]),
    }
    nodes = [
        helper.make_node("Abs", ["x"], ["size"]),
        helper.make_node("ReduceMax", ["size", "axes"], ["peak"], keepdims=0),
        helper.make_node("Floor", ["peak"], ["floor"]),
        helper.make_node("Cast", ["floor"], ["index"], to=TensorProto.INT64),
        helper.make_node("Gather", ["table", "index"], ["nothing"]),
        helper.make_node("Mul", ["x", "half"], ["scaled"]),
        helper.make_node("Add", ["scaled", "nothing"], ["y"]),
    ]
    shape = ["n", 1, "t"]
    model = finish(nodes, {"x": shape}, {"y": shape}, weights)
    card = Card(
        "test-failing", "failing", "fails at full scale", "waveform", 48000, hop, 0, LICENCE
    )
    return seal(model, card)


def slow_model(hop: int = 64, rounds: int = 6, size: int = 512) -> bytes:
    """``y = x / 2``, after products of large matrices that add nothing: milliseconds a step."""
    rng = np.random.default_rng(0)
    weights = {
        "big": (rng.standard_normal((size, size)) / size).astype(np.float32),
        "half": np.array(0.5, np.float32),
        "zero": np.array(0.0, np.float32),
        "axes": np.array([0, 1]),
    }
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["level"], keepdims=0),
        helper.make_node("Add", ["big", "level"], ["m0"]),
    ]
    nodes += [helper.make_node("MatMul", [f"m{k}", "big"], [f"m{k + 1}"]) for k in range(rounds)]
    nodes += [
        helper.make_node("ReduceMean", [f"m{rounds}", "axes"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
        helper.make_node("Mul", ["x", "half"], ["halved"]),
        helper.make_node("Add", ["halved", "nothing"], ["y"]),
        helper.make_node("Identity", ["state_m"], ["state_m_out"]),
    ]
    shape, state = ["n", 1, "t"], ["n", 1, 1]
    model = finish(
        nodes, {"x": shape, "state_m": state}, {"y": shape, "state_m_out": state}, weights
    )
    card = Card(
        "test-slow",
        "slow",
        "far too slow",
        "waveform",
        48000,
        hop,
        0,
        LICENCE,
        states=(State("m", (1, 1)),),
    )
    return seal(model, card)

"""Small streaming graphs built with onnx's helpers, independent of the trainer."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from realtime.models.card import CARD_KEY, STATE_KEY, TEST_KEY, Card, Spectrum, State
from realtime.models.metadata import pack_array, write_metadata


def finish(
    nodes: list[Any],
    inputs: dict[str, list[Any]],
    outputs: dict[str, list[Any]],
    weights: dict[str, np.ndarray],
) -> bytes:
    def info(table: dict[str, list[Any]]) -> list[Any]:
        return [helper.make_tensor_value_info(k, TensorProto.FLOAT, v) for k, v in table.items()]

    graph = helper.make_graph(
        nodes,
        "g",
        info(inputs),
        info(outputs),
        [numpy_helper.from_array(v, k) for k, v in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def seal(model: bytes, card: Card, states: dict[str, np.ndarray] | None = None) -> bytes:
    """Add card, initial states and a test vector made by ``InferenceSession.run``."""
    steps, shape = 6, card.step_shape(1)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    x = np.random.default_rng(0).standard_normal((steps, *shape)).astype(np.float32) * 0.1
    names = {s.name: [s.name, *s.shape] for s in card.states}
    held = {
        f"state_{k}": np.asarray((states or {}).get(k, np.zeros(v[1:], np.float32)))[None]
        for k, v in names.items()
    }
    y = []
    controls = {"controls": np.array([[c.default for c in card.controls]], np.float32)}
    for frame in x:
        feed = {"x": frame, **held, **(controls if card.controls else {})}
        out = dict(
            zip([o.name for o in session.get_outputs()], session.run(None, feed), strict=True)
        )
        y.append(out["y"])
        held = {k: out[f"{k}_out"] for k in held}
    vector = {"steps": steps, "x": pack_array(x), "y": pack_array(np.stack(y))}
    entries = {CARD_KEY: card.to_json(), TEST_KEY: json.dumps(vector)}
    for key, value in (states or {}).items():
        entries[STATE_KEY + key] = pack_array(value)
    return write_metadata(model, entries)


def fir_model(taps: np.ndarray, hop: int = 64, initial: np.ndarray | None = None) -> bytes:
    """Waveform model: a causal FIR filter with the last ``len(taps) - 1`` inputs as state."""
    past = len(taps) - 1
    shape = ["n", 1, "t"]
    nodes = [
        helper.make_node("Concat", ["state_past", "x"], ["full"], axis=2),
        helper.make_node("Conv", ["full", "w"], ["y"]),
        helper.make_node("Slice", ["full", "start", "end", "axis"], ["state_past_out"]),
    ]
    weights = {
        "w": taps[::-1].astype(np.float32).reshape(1, 1, -1).copy(),
        "start": np.array([-past]),
        "end": np.array([2**31 - 1]),
        "axis": np.array([2]),
    }
    state = ["n", 1, past]
    model = finish(
        nodes,
        {"x": shape, "state_past": state},
        {"y": shape, "state_past_out": state},
        weights,
    )
    card = Card(
        "test-fir",
        "FIR",
        "a causal filter",
        "waveform",
        48000,
        hop,
        0,
        "GPL-3.0-or-later",
        states=(State("past", (1, past)),),
    )
    return seal(model, card, None if initial is None else {"past": initial})


def identity_spectrum(n_fft: int = 1024, synthesis: int = 256, hop: int = 128) -> bytes:
    """Spectrum model that returns every frame as it came."""
    bins = n_fft // 2 + 1
    shape = ["n", 2, "t", bins]
    model = finish([helper.make_node("Identity", ["x"], ["y"])], {"x": shape}, {"y": shape}, {})
    card = Card(
        "test-identity",
        "identity",
        "frames pass",
        "spectrum",
        48000,
        hop,
        synthesis - hop,
        "GPL-3.0-or-later",
        spectrum=Spectrum(n_fft, synthesis),
    )
    return seal(model, card)

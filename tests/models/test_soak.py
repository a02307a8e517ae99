"""Minutes of noise: what a sound model passes, and a leaking or a brittle one does not."""

from __future__ import annotations

import numpy as np
from onnx import helper

from realtime.models.card import Card, State
from realtime.models.streaming import load_model
from realtime.proof.soak import soak
from tests.graphs import finish, fir_model, seal
from tests.networks import brittle_model, controlled_model


def leaking_model(growth: float, hop: int = 64) -> bytes:
    """``y = x + m``, where `m` grows by a little of the input's mean square with every hop."""
    weights = {"growth": np.array(growth, np.float32), "axis": np.array([2])}
    nodes = [
        helper.make_node("Mul", ["x", "x"], ["square"]),
        helper.make_node("ReduceMean", ["square", "axis"], ["power"]),
        helper.make_node("Mul", ["power", "growth"], ["grown"]),
        helper.make_node("Add", ["state_m", "grown"], ["state_m_out"]),
        helper.make_node("Add", ["x", "state_m"], ["y"]),
    ]
    shape, state = ["n", 1, "t"], ["n", 1, 1]
    model = finish(
        nodes, {"x": shape, "state_m": state}, {"y": shape, "state_m_out": state}, weights
    )
    card = Card(
        "test-leak",
        "leak",
        "drifts",
        "waveform",
        48000,
        hop,
        0,
        "CC0-1.0",
        states=(State("m", (1, 1)),),
    )
    return seal(model, card)


def run(model: bytes, minutes: float = 0.5):  # type: ignore[no-untyped-def]
    loaded = load_model(model)
    try:
        return soak(loaded, minutes)
    finally:
        loaded.close()


def test_a_filter_passes_and_counts_its_seconds() -> None:
    seen = run(fir_model(np.array([0.5, 0.3], dtype=np.float32)))
    assert seen.passed and seen.resets == 0 and seen.finite
    assert abs(seen.seconds - 30.0) < 0.1
    assert abs(seen.last_level_db - seen.first_level_db) < 0.01


def test_moving_controls_pass() -> None:
    assert run(controlled_model()).finite


def test_a_state_that_creeps_is_seen_in_the_level() -> None:
    seen = run(leaking_model(1e-3))
    assert not seen.passed
    assert seen.last_level_db - seen.first_level_db > 6.0


def test_a_state_that_breaks_is_seen_in_the_resets() -> None:
    seen = run(brittle_model())
    assert not seen.passed and seen.resets > 0
    assert seen.finite, "the engine still hands out finite samples"

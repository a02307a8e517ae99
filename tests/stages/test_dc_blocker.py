"""The DC blocker that a card asks for: against scipy, over a model's failure, in any blocks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import lfilter

from realtime.errors import CardError
from realtime.models.card import CARD_KEY, from_json
from realtime.models.metadata import read_metadata, write_metadata
from realtime.models.streaming import load_model
from realtime.stages.model import model_path

from ..graphs import fir_model, identity_spectrum
from ..networks import brittle_model
from ..signals import Array, cut, noise
from ..sounds import RATE

CORNER = 20.0  # Hz


def blocked(source: bytes, corner: float = CORNER) -> bytes:
    card = from_json(read_metadata(source)[CARD_KEY])
    return write_metadata(source, {CARD_KEY: replace(card, dc_blocker=corner).to_json()})


def played(source: bytes, x: Array) -> Array:
    return model_path(load_model(source, channels=x.shape[0])).process_hops(x)


def by_scipy(x: Array) -> Array:
    pole = np.exp(-2.0 * np.pi * CORNER / RATE)
    gain = 0.5 * (1.0 + pole)
    return np.asarray(lfilter([gain, -gain], [1.0, -pole], x.astype(np.float64)), np.float32)


@pytest.mark.parametrize("source", [fir_model(np.array([0.5, 0.2], "f4")), identity_spectrum()])
def test_what_the_graph_gives_is_high_passed(source: bytes) -> None:
    x = (noise(128 * 200, channels=2, level=0.2) + 0.2).astype(np.float32)
    y = played(blocked(source), x)
    assert np.allclose(y, by_scipy(played(source, x)), atol=1e-6)
    assert abs(y[:, -RATE // 4 :].mean()) < 0.01


def test_blocks_make_no_difference_and_a_reset_begins_anew() -> None:
    x = noise(64 * 60, level=0.3) + np.float32(0.1)
    path = model_path(load_model(blocked(fir_model(np.array([0.5, 0.0], "f4")))))
    whole = path.process_hops(x)
    path.reset()
    pieces = np.concatenate([path.process_hops(p) for p in cut(x, [64, 192, 128])], axis=1)
    assert np.array_equal(pieces, whole[:, : pieces.shape[1]])


def test_a_nan_does_not_stay_in_it() -> None:
    x = noise(64 * 400, level=0.3)
    x[0, 64 * 10 + 5] = -0.9  # of which the model makes a NaN
    path = model_path(load_model(blocked(brittle_model())))
    y = path.process_hops(x)
    assert path.counters()["resets"] == 1
    assert np.isfinite(y).all() and np.abs(y[:, -6400:]).max() > 0.05
    fresh = played(blocked(brittle_model()), x[:, 704:])
    assert np.array_equal(y[:, -6400:], fresh[:, -6400:])


@pytest.mark.parametrize("corner", [-1.0, 101.0, 1e9])
def test_a_card_asks_for_a_corner_below_hearing(corner: float) -> None:
    with pytest.raises(CardError, match=r"dc_blocker must be within 0\.\.100 Hz, got"):
        blocked(fir_model(np.array([0.5, 0.0], "f4")), corner)

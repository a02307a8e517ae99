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


def less_its_mean(y: Array) -> Array:
    step = 1.0 - np.exp(-2.0 * np.pi * CORNER / RATE)
    mean = lfilter([step], [1.0, step - 1.0], y.astype(np.float64))
    return np.asarray(y - mean, np.float32)


@pytest.mark.parametrize("source", [fir_model(np.array([0.5, 0.2], "f4")), identity_spectrum()])
def test_while_a_constant_comes_in_none_comes_out(source: bytes) -> None:
    x = (noise(128 * 400, channels=2, level=0.05) + 0.2).astype(np.float32)
    x[1, :25600] = noise(25600, level=0.05)  # of the other channel later
    plain, y = played(source, x), played(blocked(source), x)
    late = [2400, 25600 + 2400]  # found within 30 ms, faded in over 10
    for c in range(2):
        assert np.allclose(y[c, late[c] :], less_its_mean(plain[c])[late[c] :], atol=1e-6)
        assert abs(y[c, -RATE // 4 :].mean()) < 2e-3
    assert np.array_equal(y[1, :25600], plain[1, :25600])


@pytest.mark.parametrize("hz", [25.0, 41.2, 110.0])
def test_what_is_no_constant_is_the_graphs_own_bits(hz: float) -> None:
    source = fir_model(np.array([0.5, 0.2], "f4"))
    t = np.arange(128 * 600) / RATE
    sounds = [0.8 * np.sin(2 * np.pi * hz * t) * (t % 0.4 < 0.3), 0.8 * np.cos(2 * np.pi * hz * t)]
    x = np.stack(sounds).astype(np.float32) + noise(len(t), channels=2, level=0.01)
    assert np.array_equal(played(blocked(source), x), played(source, x))


def test_music_over_a_constant_does_not_switch_it_and_its_end_does() -> None:
    source = fir_model(np.array([1.0, 0.0], "f4"))
    t = np.arange(128 * 3000) / RATE
    x = 0.1 + 0.4 * np.sin(2 * np.pi * 220.0 * t) * (t > 0.5) * (t % 0.5 < 0.3)
    x = (x * (t < 4.0)).astype(np.float32)[None]
    x[0, t > 7.5] = noise(int(np.sum(t > 7.5)), level=0.1)[0]
    y = played(blocked(source), x)
    assert np.allclose(y[0, 4800 : 4 * RATE], less_its_mean(x[0])[4800 : 4 * RATE], atol=1e-6)
    assert np.array_equal(y[0, t > 7.6], x[0, t > 7.6]), "what ended is forgotten"


def test_blocks_make_no_difference_and_a_reset_begins_anew() -> None:
    x = noise(64 * 60, level=0.01) + np.float32(0.1)
    path = model_path(load_model(blocked(fir_model(np.array([0.5, 0.0], "f4")))))
    whole = path.process_hops(x)
    path.reset()
    pieces = np.concatenate([path.process_hops(p) for p in cut(x, [64, 192, 128])], axis=1)
    assert np.array_equal(pieces, whole[:, : pieces.shape[1]])


def test_a_nan_does_not_stay_in_it() -> None:
    x = noise(64 * 400, level=0.3)
    x[0, -6400:] = 0.2  # a constant
    x[0, 64 * 10 + 5] = -0.9  # of which the model makes a NaN
    path = model_path(load_model(blocked(brittle_model())))
    y = path.process_hops(x)
    assert path.counters()["resets"] == 1
    assert np.isfinite(y).all() and np.abs(y[:, -1600:]).max() < 0.01
    fresh = played(blocked(brittle_model()), x[:, 704:])
    assert np.array_equal(y[:, -6400:], fresh[:, -6400:])


@pytest.mark.parametrize("corner", [-1.0, 101.0, 1e9])
def test_a_card_asks_for_a_corner_below_hearing(corner: float) -> None:
    with pytest.raises(CardError, match=r"dc_blocker must be within 0\.\.100 Hz, got"):
        blocked(fir_model(np.array([0.5, 0.0], "f4")), corner)

"""A model at another rate than the device: converted both ways, at a declared latency."""

from __future__ import annotations

import numpy as np
import pytest

from realtime.audio_files import Clip
from realtime.session.render import render

from ..graphs import fir_model, identity_spectrum
from ..signals import Array, noise, random_sizes, sine
from ..sounds import LANES, Player, model, sound

ONE = sound(model(fir_model(np.array([1.0, 0.0], dtype=np.float32))))
SPECTRUM = sound(model(identity_spectrum(512, 256, 128)))


def play(
    x: Array, rate: int, block: int | list[int], lane: str, spectrum: bool
) -> tuple[Array, int]:
    with Player(SPECTRUM if spectrum else ONE, x, block, lane, rate=rate) as player:
        y = player.finish()
        assert player.counters["concealed_samples"] == 0
        return y, player.declared


@pytest.mark.parametrize("spectrum", [False, True])
@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("rate", [44100, 96000, 32000])
@pytest.mark.parametrize("block", [64, 480])
def test_the_sound_arrives_at_the_declared_latency(
    rate: int, block: int, lane: str, spectrum: bool
) -> None:
    x = sine(rate, 997.0, 0.4, rate)
    y, declared = play(x, rate, block, lane, spectrum)
    settled = slice(declared + 2000, rate - 2000)
    n = np.arange(y.shape[1]) - declared
    expected = 0.4 * np.sin(2 * np.pi * 997.0 * n / rate)
    assert np.abs(y[0, settled] - expected[settled]).max() < 1e-4


def test_the_bits_do_not_depend_on_how_callbacks_cut_the_stream() -> None:
    x = sine(44100, 440.0, 0.4, 44100)
    one, declared = play(x, 44100, random_sizes(3), "inline", False)
    other, again = play(x, 44100, random_sizes(5), "inline", False)
    assert declared == again
    n = min(one.shape[1], other.shape[1])
    assert np.array_equal(one[:, :n], other[:, :n])


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("rate", [44100, 96000, 192000, 32000])
@pytest.mark.parametrize("named", ["tube-amp", "spectrum"])
def test_render_gives_the_bits_of_a_stream_at_the_devices_rate(
    named: str, rate: int, lane: str
) -> None:
    what = SPECTRUM if named == "spectrum" else sound(model(named))
    x = noise(rate // 2, level=0.3)
    with Player(what, x, 480, lane, rate=rate) as player:
        y, late = player.finish(), player.declared
        assert player.counters["concealed_samples"] == 0
    made = render(what, Clip(x, rate)).samples
    n = min(made.shape[1], y.shape[1] - late)
    assert n > 0.4 * rate
    assert np.array_equal(y[:, late : late + n], made[:, :n])


def test_render_takes_rates_no_stream_can_convert() -> None:
    x = sine(20000, 440.0, 0.3, 44101)
    made = render(ONE, Clip(x, 44101)).samples
    assert np.abs(made - x)[:, 2000:-2000].max() < 1e-3


def test_the_budget_names_the_conversion() -> None:
    with Player(ONE, sine(4410, 440.0, 0.4, 44100), rate=44100) as player:
        budget = player.session.stream.budget
        parts = {p.name: p.samples for p in budget.parts}
        assert parts["rate conversion"] > 0
        assert sum(parts.values()) == budget.declared == player.session.stream.voice.latency
        player.finish()

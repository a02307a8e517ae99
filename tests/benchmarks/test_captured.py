"""The hidden gear of ``restyle bench captured``: the circuit is one, the cables are as stated."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

pytest.importorskip("torch")

from benchmarks.measures import captured
from realtime.errors import RestyleError
from train.capture.heard import hear
from train.capture.network import CaptureNet
from train.capture.signal import RATE, make_signal


def test_the_clipper_is_the_circuit() -> None:
    rate, seconds = 8 * RATE, 2e-3

    def volts(t: float) -> float:
        return float(4.0 * np.sin(2 * np.pi * 700 * t))

    def slope(t: float, v: np.ndarray) -> np.ndarray:
        current = (volts(t) - v) / captured.SERIES
        current -= 2 * captured.SATURATION * np.sinh(v / captured.THERMAL)
        return current / captured.CAPACITY

    at = np.arange(1, round(seconds * rate)) / rate
    exact = solve_ivp(slope, (0, seconds), [0.0], "Radau", at, rtol=1e-9, atol=1e-12).y[0]
    found = captured.clipper(np.array([volts(t) for t in np.arange(len(at) + 1) / rate]), 1 / rate)
    assert np.abs(found[1:] - exact).max() < 1e-3 * np.abs(exact).max()
    assert 0.4 < np.abs(exact).max() < 0.8  # its diodes conduct


@pytest.mark.parametrize("at", [0, 1])
def test_what_the_interface_does_is_found(at: int) -> None:
    signal = make_signal(0.1)
    y = captured.plugin(None)(signal.samples.astype(float))
    take = captured.recorded(y, at, np.random.default_rng((captured.SEED, at)))
    found = hear(signal, take.astype(np.float32))
    assert 50 <= found.delay < 9000 and found.inverted == (at == 1)
    assert found.noise_db == pytest.approx(captured.NOISE_DB, abs=1)


def test_their_network_is_ours() -> None:
    theirs = captured.their_network("feather")["layers_configs"]
    mine = CaptureNet("feather")
    for one, array in zip(theirs, (mine.first, mine.second), strict=True):
        assert one["input_size"] == array.enter.in_channels
        assert one["channels"] == array.enter.out_channels
        assert [c.dilation[0] for c in array.convs] == one["dilations"]
        assert one["head"]["out_channels"] == array.head.out_channels
        assert one["head"]["bias"] == (array.head.bias is not None)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--trainer", "/no/nam-full"], "the program nam-full"),
        (["--capture", "/no/x.nam"], "cannot read /no/x.nam"),
        (["--json", "/no/x.json"], "cannot write /no/x.json"),
    ],
)
def test_bad_words_are_refused_before_the_work(words: list[str], said: str) -> None:
    with pytest.raises(RestyleError, match=said):
        captured.main(words)

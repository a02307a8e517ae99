from __future__ import annotations

import numpy as np
import pytest

from realtime.dsp.mix import mix

from ..signals import noise


@pytest.mark.parametrize(("amount", "which"), [(0.0, "dry"), (1.0, "wet")])
def test_at_its_ends_the_mix_is_one_signal_bit_for_bit(amount: float, which: str) -> None:
    signals = {"dry": noise(64, seed=1), "wet": noise(64, seed=2)}
    out = signals["wet"].copy()
    mix(signals["dry"], out, amount, amount)
    assert np.array_equal(out, signals[which])


def test_a_moving_mix_equals_numpy() -> None:
    dry, wet = noise(64, channels=2, seed=1), noise(64, channels=2, seed=2)
    out = wet.copy()
    mix(dry, out, 0.2, 0.9)
    m = np.linspace(0.2, 0.9, 65)[1:]
    assert np.allclose(out, (1 - m) * dry + m * wet, atol=1e-7)


def test_equal_signals_mix_to_themselves() -> None:
    x = noise(64)
    out = x.copy()
    mix(x, out, 0.0, 1.0)
    assert np.allclose(out, x, rtol=2e-7, atol=0.0)

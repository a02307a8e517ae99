"""Teachers: harmonics as the curve says, no delay, no look-ahead, bounded."""

from __future__ import annotations

import numpy as np
import pytest

from train.data.examples import teachers

NAMES = ("tube_amp", "warm", "fuzz", "tape", "radio")
RATE = 48000


def sine(hz: float, amplitude: float, seconds: float = 0.5) -> np.ndarray:
    n = round(seconds * RATE)
    return (amplitude * np.sin(2 * np.pi * hz * np.arange(n) / RATE)).astype(np.float32)


def harmonics(y: np.ndarray, hz: float, count: int) -> np.ndarray:
    """Amplitudes of the first harmonics over whole periods in the middle."""
    part = y[4800 : 4800 + RATE // 4].astype(np.float64)
    t = np.arange(len(part)) / RATE
    return np.array(
        [2 * abs(np.mean(part * np.exp(-2j * np.pi * hz * k * t))) for k in range(1, count + 1)]
    )


@pytest.mark.parametrize("bias", [0.0, 0.35])
def test_bend_makes_the_harmonics_of_its_curve(bias: float) -> None:
    x = sine(400.0, 0.3)
    got = harmonics(teachers.bend(x, 12.0, bias), 400.0, 5)
    phase = 2 * np.pi * np.arange(4096) / 4096
    period = np.tanh(10 ** (12 / 20) * 0.3 * np.sin(phase) + bias) - np.tanh(bias)
    expected = 2 * np.abs(np.fft.rfft(period))[1:6] / 4096
    np.testing.assert_allclose(got, expected, atol=2e-4)
    assert (expected[1] < 1e-9) == (bias == 0.0)


def test_bend_aliases_little() -> None:
    y = teachers.bend(sine(7000.0, 0.5), 12.0)[4800:28800].astype(np.float64)
    spectrum = np.abs(np.fft.rfft(y * np.hanning(len(y))))
    hz = np.fft.rfftfreq(len(y), 1 / RATE)
    wanted = np.zeros(len(hz), dtype=bool)
    for k in (1, 3):
        wanted |= np.abs(hz - 7000 * k) < 20
    assert 20 * np.log10(spectrum[~wanted].max() / spectrum.max()) < -40


@pytest.mark.parametrize("name", NAMES)
def test_a_teacher_changes_nothing_before_its_input_changes(name: str) -> None:
    teach = getattr(teachers, name)
    rng = np.random.default_rng(0)
    x = (0.2 * rng.standard_normal(9600)).astype(np.float32)
    other = x.copy()
    other[5000:] *= -0.5
    a, b = teach(x), teach(other)
    assert len(a) == len(x) and np.isfinite(a).all()
    early = np.abs(a - b)[: 5000 - 16].max()  # the resampling filter's short pre-ring aside
    assert early < 2e-3 * np.abs(a - b)[5000:].max()
    assert np.abs(a).max() < 1.5


def test_blended_is_the_weighted_sum() -> None:
    x = sine(200.0, 0.4)
    got = teachers.blended(x, (teachers.warm, teachers.fuzz), (0.25, 0.75))
    np.testing.assert_allclose(got, 0.25 * teachers.warm(x) + 0.75 * teachers.fuzz(x), atol=1e-6)
    assert not np.any(teachers.blended(x, (teachers.warm,), (0.0,)))

from __future__ import annotations

import numpy as np
import pytest
from numba import njit
from scipy import signal

from realtime.dsp.sinc import at_phase, between, design, impulse_response, make_table
from realtime.errors import ConfigError

from ..signals import noise

RATES = [(44100, 48000), (48000, 44100), (48000, 48000), (16000, 48000), (48000, 16000)]
RATES += [(96000, 48000), (48000, 96000), (88200, 96000), (48000, 22050)]
CAPACITY = 1 << 14


@njit(error_model="numpy")
def read_at(table, history, positions):  # type: ignore[no-untyped-def]
    y = np.empty(positions.shape[0])
    for i in range(positions.shape[0]):
        whole = int(np.floor(positions[i]))
        y[i] = between(table, history, 0, whole, positions[i] - whole)
    return y


@pytest.mark.parametrize(("in_rate", "out_rate"), RATES)
def test_the_response_keeps_what_the_design_promises(in_rate: int, out_rate: int) -> None:
    shape, phases = design(in_rate, out_rate), 64
    prototype = make_table(shape, phases)[:phases, ::-1].T.reshape(-1) / phases
    edges = np.array([shape.passband_hz, shape.stopband_hz]) / in_rate
    flat = np.linspace(0.0, edges[0], 500)
    stopped = np.linspace(edges[1], 4.0, 20000)
    _, passed = signal.freqz(prototype, worN=flat, fs=phases)
    _, left = signal.freqz(prototype, worN=stopped, fs=phases)
    assert np.abs(20 * np.log10(np.abs(passed))).max() < 0.051
    assert 20 * np.log10(np.abs(left).max()) < -103.0


@pytest.mark.parametrize(("in_rate", "out_rate"), RATES)
def test_the_delay_is_short_for_the_lower_of_the_two_rates(in_rate: int, out_rate: int) -> None:
    shape = design(in_rate, out_rate)
    low = min(in_rate, out_rate)
    assert shape.half / in_rate * low <= (18 if low >= 48000 else 33)
    if low >= 44100:
        assert shape.passband_hz >= 20000.0
        assert low - shape.stopband_hz == pytest.approx(shape.passband_hz)  # where it folds to
    else:
        assert shape.stopband_hz == low / 2


def test_every_phase_passes_an_offset_the_same() -> None:
    sums = make_table(design(44100, 48000), 160).astype(np.float64).sum(axis=1)
    assert sums[:160].mean() == pytest.approx(1.0, abs=1e-7)
    assert 20 * np.log10(np.abs(sums - 1.0).max()) < -109.0


def test_the_rows_are_the_windowed_sinc_of_scipy() -> None:
    shape = design(48000, 48000)
    row = make_table(shape, 4)[0].astype(np.float64)  # phase 0: whole samples
    beta = signal.kaiser_beta(104.0)
    n = np.arange(-shape.half, shape.half + 1)
    ideal = 2 * shape.cutoff * np.sinc(2 * shape.cutoff * n) * signal.windows.kaiser(n.size, beta)
    ideal[[0, -1]] = 0.0  # a window that ends where the taps do belongs to neither side
    assert np.allclose(row / row.sum(), ideal[1:] / ideal.sum(), atol=1e-7)
    assert impulse_response(shape.taps, shape.cutoff, np.array([0.6 * shape.taps]))[0] == 0.0


@pytest.mark.parametrize(("frequency", "floor_db"), [(997.0, -114.0), (10007.0, -108.0)])
def test_a_sine_between_the_samples_is_the_sine(frequency: float, floor_db: float) -> None:
    table = make_table(design(48000, 48000), 512)
    omega = 2 * np.pi * frequency / 48000
    history = np.sin(omega * np.arange(CAPACITY))[None].astype(np.float32)
    positions = 100.0 + np.cumsum(np.random.default_rng(0).uniform(0.0, 2.0, 8000))
    y = read_at(table, history, positions)
    base = np.stack([np.sin(omega * positions), np.cos(omega * positions)])
    fit = np.linalg.lstsq(base.T, y, rcond=None)[0]
    assert np.hypot(*fit) == pytest.approx(1.0, abs=0.002)
    assert abs(fit[1]) < 1e-5  # no delay but the declared one
    assert 10 * np.log10(np.mean((y - fit @ base) ** 2) / np.mean(y**2)) < floor_db


def test_position_one_is_the_next_sample_and_the_ring_has_no_seam() -> None:
    table, x = make_table(design(48000, 48000), 512), noise(64, seed=3)
    for index in (-3, 0, 31, 63, 64 + 31):
        ends = between(table, x, 0, index, 1.0), between(table, x, 0, index + 1, 0.0)
        assert ends[0] == pytest.approx(ends[1], abs=1e-7)
        assert between(table, x, 0, index, 0.0) == at_phase(table, 0, x, 0, index)
        assert at_phase(table, 7, x, 0, index) == at_phase(table, 7, x, 0, index + 64)


@pytest.mark.parametrize("rates", [(0, 48000), (48000, -1), (48000, 500_000)])
def test_rates_nobody_has_are_refused_with_a_sentence(rates: tuple[int, int]) -> None:
    with pytest.raises(ConfigError, match=r"within 8000..384000 Hz, got"):
        design(*rates)

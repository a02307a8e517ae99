"""The worker lane when the worker is late, played step by step without threads or clocks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from realtime.stream.record import StreamMemory
from realtime.stream.voice import FADE, Voice

from ..graphs import fir_model, identity_spectrum
from ..signals import Array, noise, sine
from ..sounds import model, offline, path_of, sound
from .test_callback import Direct

TAPS = np.array([0.9, -0.3, 0.1], dtype=np.float32)
MODELS: dict[str, Callable[[], bytes]] = {
    "fir": lambda: fir_model(TAPS),
    "fir-16": lambda: fir_model(TAPS, hop=16),
    "identity": lambda: identity_spectrum(512, 128, 64),
}


class Stage:
    """A worker lane whose worker works when the test says so."""

    def __init__(
        self, make: Callable[[], bytes], block: int, *, channels: int = 1, gain: float = 1.0
    ) -> None:
        decibels = max(-100.0, 20.0 * float(np.log10(gain or 1e-9)))
        self.engine = path_of(sound(model(make()), output_gain_db=decibels), channels)
        hop = self.hop = self.engine.hop
        self.prefill = 2 * max(block, hop) + hop
        self.declared = self.prefill + self.engine.latency
        self.voice = Voice(self.engine, self.prefill)
        assert self.voice.latency == self.declared
        self.memory = StreamMemory(self.voice, channels, channels)
        self.call = Direct(self.memory)
        self.block = block

    def work(self) -> None:
        """Answer every whole hop that waits."""
        assert self.voice.ring_in is not None
        assert self.voice.ring_out is not None
        hop = np.zeros((self.engine.channels, self.hop), dtype=np.float32)
        while self.voice.ring_in.read_available >= self.hop:
            self.voice.ring_in.readinto(hop)
            assert self.voice.ring_out.write(self.engine.process_hops(hop)) == self.hop

    def play(self, x: Array, late: Callable[[int], bool]) -> Array:
        """Play `x`; the worker sleeps through the callbacks for which `late` says so."""
        parts = []
        for k in range(x.shape[1] // self.block):
            parts.append(self.call(x[:, k * self.block : (k + 1) * self.block]))
            if not late(k):
                self.work()
        return np.concatenate(parts, axis=1)

    def __getitem__(self, counter: str) -> int:
        return self.memory.counters()[counter]


def expectation(make: Callable[[], bytes], x: Array, declared_prefill: int) -> Array:
    """What plays when the worker is never late."""
    y = np.zeros_like(x)
    wet = offline(sound(model(make())), x)
    n = x.shape[1] - declared_prefill
    y[:, declared_prefill:] = wet[:, :n]
    return y


@pytest.mark.parametrize("block", [16, 33, 64, 128, 480])
@pytest.mark.parametrize("name", MODELS)
def test_a_worker_in_time_plays_the_offline_bits(name: str, block: int) -> None:
    stage = Stage(MODELS[name], block)
    x = noise(9600 // block * block)
    y = stage.play(x, lambda k: False)
    assert np.array_equal(y, expectation(MODELS[name], x, stage.prefill))
    assert stage["concealed_samples"] == stage["ring_underflows"] == 0


@pytest.mark.parametrize("frequency", [110.0, 3000.0, 11000.0])
@pytest.mark.parametrize("lost", [1, 2, 5, 23])
@pytest.mark.parametrize("block", [16, 33, 64, 128, 480])
@pytest.mark.parametrize("name", MODELS)
def test_a_late_worker_is_concealed_without_a_click_and_latency_stays(
    name: str, block: int, lost: int, frequency: float
) -> None:
    stage = Stage(MODELS[name], block)
    blocks = 200
    x = sine(blocks * block, frequency, 0.4)
    pause = stage.prefill // block + lost  # so many callbacks without work run the ring dry
    y = stage.play(x, lambda k: 50 <= k < 50 + pause)
    expected = expectation(MODELS[name], x, stage.prefill)

    assert np.isfinite(y).all()
    assert np.abs(y).max() <= 1.0
    assert stage["ring_underflows"] >= 1
    assert stage["concealed_samples"] > 0
    assert stage["concealed_samples"] == stage["dropped_samples"]
    assert stage["ring_overflows"] == 0

    # before the gap and after the recovery: the very bits, at the very place
    first = int(np.flatnonzero((y != expected)[0])[0])
    last = int(np.flatnonzero((y != expected)[0])[-1])
    assert first >= 50 * block
    assert last < (50 + pause + 4) * block + 4 * FADE + stage.prefill
    assert last < y.shape[1] - block

    # no sample-to-sample step beyond the signals' own and the fade's slope
    dry = np.zeros_like(x)
    dry[:, stage.declared :] = x[:, : x.shape[1] - stage.declared]
    own = max(np.abs(np.diff(s)).max() for s in (dry, expected))
    slope = (np.abs(dry).max() + np.abs(expected).max()) / FADE
    assert np.abs(np.diff(y)).max() <= own + slope + 1e-6


@pytest.mark.parametrize("block", [16, 64, 480])
def test_while_the_worker_sleeps_the_dry_sound_plays_at_the_declared_latency(block: int) -> None:
    stage = Stage(MODELS["fir"], block)
    x = noise(100 * block + 9600 // block * block)
    y = stage.play(x, lambda k: True)
    start = stage.prefill + FADE
    expected = x[:, start - stage.declared :][:, : x.shape[1] - start]
    assert np.array_equal(y[:, start:], expected)
    assert stage["ring_underflows"] == 1


@pytest.mark.parametrize("gain", [0.01, 1e-5])
def test_concealment_is_no_louder_than_the_streams_gains(gain: float) -> None:
    stage = Stage(MODELS["fir"], 64, gain=gain)
    y = stage.play(noise(6400, level=0.9), lambda k: True)
    assert np.abs(y).max() <= 0.9 * gain * 1.001


def test_concealment_never_exceeds_full_scale_and_hides_nan() -> None:
    stage = Stage(MODELS["fir"], 64, gain=8.0)
    x = noise(6400, level=0.9)
    x[0, 1000:1010] = [np.nan, np.inf, -np.inf, 1e30, -1e30, np.nan, 3e38, -3e38, np.nan, 2.0]
    y = stage.play(x, lambda k: k > 3)
    assert np.isfinite(y).all()
    assert np.abs(y).max() <= 1.0


def test_both_channels_are_concealed_alike() -> None:
    stage = Stage(MODELS["fir"], 64, channels=2)
    x = np.repeat(noise(12_800), 2, axis=0)
    y = stage.play(x, lambda k: k % 40 > 30)
    assert stage["concealed_samples"] > 0
    assert np.array_equal(y[0], y[1])


@pytest.mark.parametrize("seed", range(6))
def test_a_worker_that_is_late_at_random_stays_aligned_and_bounded(seed: int) -> None:
    rng = np.random.default_rng(seed)
    block = int(rng.choice([16, 48, 64, 100, 256]))
    stage = Stage(MODELS["fir"], block)
    asleep = np.repeat(rng.random(60) < 0.4, rng.integers(1, 12))
    x = sine(block * (len(asleep) + 200), 440.0, 0.5)
    y = stage.play(x, lambda k: k < len(asleep) and bool(asleep[k]))
    expected = expectation(MODELS["fir"], x, stage.prefill)
    assert np.array_equal(y[:, -50 * block :], expected[:, -50 * block :])
    assert stage["concealed_samples"] == stage["dropped_samples"]
    own = np.abs(np.diff(expected)).max() + 2 * np.abs(x).max() / FADE
    assert np.abs(np.diff(y)).max() <= 1.5 * own


def test_lost_input_is_counted_and_the_latency_comes_back_exactly() -> None:
    block = 4096
    stage = Stage(MODELS["fir"], block)
    assert stage.voice.ring_in is not None
    capacity = stage.voice.ring_in.capacity
    pause = 2 * capacity // block
    x = sine(block * (pause + 60), 440.0, 0.5)
    y = stage.play(x, lambda k: 5 <= k < 5 + pause)
    assert stage["ring_overflows"] > 0
    assert np.isfinite(y).all()
    assert np.abs(y).max() <= 1.0
    lost = stage["concealed_samples"] - stage["dropped_samples"]
    assert 0 < lost < pause * block
    expected = expectation(MODELS["fir"], x, stage.prefill)
    assert np.array_equal(y[:, -30 * block :], expected[:, -30 * block :])


@pytest.mark.parametrize("start", [2**31 - 5000, 2**53, 2**62])
def test_rings_at_any_sample_count_conceal_and_recover_alike(start: int) -> None:
    results = []
    for position in (0, start):
        stage = Stage(MODELS["identity"], 100)
        for ring in (stage.voice.ring_in, stage.voice.ring_out):
            assert ring is not None
            size = ring.capacity
            ring._words[[16, 32]] += position // size * size
        results.append(stage.play(noise(20_000), lambda k: 60 <= k < 75))
    assert np.array_equal(*results)

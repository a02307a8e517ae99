from __future__ import annotations

from math import gcd

import numpy as np
import pytest
import soxr
from scipy import signal

from realtime.dsp.resample import Resampler, process, pull, push
from realtime.dsp.round_trip import RoundTrip
from realtime.errors import ConfigError

from ..signals import Array, cut, delayed, noise, random_sizes, sine

PAIRS = [(44100, 48000), (48000, 44100), (96000, 48000), (48000, 96000), (16000, 48000)]
PAIRS += [(48000, 16000), (48000, 22050), (48000, 48000)]


def phase_delay(y: Array, frequency: float, rate: int) -> tuple[float, float]:
    """Delay of a sine [samples, modulo its period] and residual [dB] by a least-squares fit."""
    omega = 2 * np.pi * frequency / rate * np.arange(y.size)
    base = np.stack([np.sin(omega), np.cos(omega), np.ones(y.size)])
    fit = np.linalg.lstsq(base.T, y.astype(np.float64), rcond=None)[0]
    residual = np.mean((y - fit @ base) ** 2) / np.mean(y.astype(np.float64) ** 2)
    late = -np.arctan2(fit[1], fit[0]) / (2 * np.pi * frequency / rate)
    return float(late), float(10 * np.log10(residual))


@pytest.mark.parametrize(("in_rate", "out_rate"), PAIRS)
def test_any_cut_gives_the_same_bits_and_the_promised_count(in_rate: int, out_rate: int) -> None:
    x = noise(20000, channels=2)
    whole = Resampler(in_rate, out_rate, 2).process(x)
    assert whole.shape[1] == -(-20000 * out_rate // in_rate)
    for seed in (1, 2):
        resampler = Resampler(in_rate, out_rate, 2, room=[4096, 100][seed - 1])
        parts = [resampler.process(block) for block in cut(x, random_sizes(seed, 900))]
        assert np.array_equal(np.concatenate(parts, axis=1), whole)


@pytest.mark.parametrize(("in_rate", "out_rate"), PAIRS)
def test_the_declared_latency_is_the_measured_one_to_a_millionth(
    in_rate: int, out_rate: int
) -> None:
    frequency = 1000.0
    resampler = Resampler(in_rate, out_rate, 1)
    y = resampler.process(sine(in_rate, frequency, rate=in_rate))[0, out_rate // 4 :]
    start = out_rate // 4
    late, residual = phase_delay(y, frequency, out_rate)
    period = out_rate / frequency
    error = (late + start - resampler.latency + period / 2) % period - period / 2
    assert resampler.latency == int(resampler.latency)
    assert abs(error) < 1e-5
    assert residual < -109.0


@pytest.mark.parametrize(("in_rate", "out_rate"), PAIRS[:6])
def test_a_click_comes_out_where_the_latency_says(in_rate: int, out_rate: int) -> None:
    resampler = Resampler(in_rate, out_rate, 1)
    x = np.zeros((1, 4000), dtype=np.float32)
    common = gcd(in_rate, out_rate)
    at = in_rate // common  # an input sample that falls on an output sample
    at *= -(-500 // at)
    x[0, at] = 1.0
    y = resampler.process(x)[0]
    assert int(np.argmax(np.abs(y))) == at * out_rate // in_rate + resampler.latency


@pytest.mark.parametrize(("in_rate", "out_rate"), PAIRS[:6])
def test_it_agrees_with_soxr_and_scipy_in_the_passband(in_rate: int, out_rate: int) -> None:
    low = min(in_rate, out_rate)
    taps = signal.firwin(401, 0.25 * low, fs=in_rate)
    x = signal.lfilter(taps, 1.0, noise(in_rate // 2)[0]).astype(np.float32)[None]
    resampler = Resampler(in_rate, out_rate, 1)
    y = resampler.process(x)[0, int(resampler.latency) :]
    common = gcd(in_rate, out_rate)
    for reference in (
        soxr.resample(x[0], in_rate, out_rate, "VHQ"),
        signal.resample_poly(
            x[0].astype(np.float64), out_rate // common, in_rate // common, window=("kaiser", 12.0)
        ),
    ):
        middle = slice(2000, min(y.size, reference.size) - 2000)
        error = y[middle] - reference[middle]
        # scipy's default length has 1e-3 of ripple near its edge; this noise stays far below it
        assert 10 * np.log10(np.mean(error**2) / np.mean(reference[middle] ** 2)) < -60.0
    exact = soxr.resample(x[0].astype(np.float64), in_rate, out_rate, "VHQ")
    gain = np.dot(y[middle], exact[middle]) / np.dot(exact[middle], exact[middle])
    assert gain == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize(
    ("in_rate", "out_rate", "frequency"),
    [
        (48000, 44100, 23900.0),
        (48000, 44100, 24000.0 - 30),
        (96000, 48000, 28500.0),
        (96000, 48000, 40000.0),
        (48000, 16000, 8050.0),
        (48000, 16000, 12345.0),
    ],
)
def test_what_would_fold_back_into_the_heard_band_is_gone(
    in_rate: int, out_rate: int, frequency: float
) -> None:
    y = Resampler(in_rate, out_rate, 1).process(sine(in_rate, frequency, 1.0, in_rate))[0]
    spectrum = np.abs(np.fft.rfft(y[4000:12192] * np.blackman(8192))) / (8192 * 0.42 / 2)
    heard = np.fft.rfftfreq(8192, 1 / out_rate) < 20000.0
    assert 20 * np.log10(spectrum[heard].max()) < -100.0


@pytest.mark.parametrize(("in_rate", "out_rate"), [(44100, 48000), (48000, 44100), (96000, 48000)])
def test_it_is_flat_to_20_khz(in_rate: int, out_rate: int) -> None:
    for frequency in (20.0, 1000.0, 15000.0, 19000.0, 20000.0):
        y = Resampler(in_rate, out_rate, 1).process(sine(in_rate, frequency, 0.5, in_rate))[0]
        level = np.sqrt(2 * np.mean(y[out_rate // 2 :].astype(np.float64) ** 2))
        assert abs(20 * np.log10(level / 0.5)) < 0.051


def test_a_day_later_the_phase_is_still_exact() -> None:
    resampler = Resampler(44100, 48000, 1)
    r, days = resampler.record, 44100 * 86400
    r["taken"] += days
    r["index"] += days
    r["given"] += 48000 * 86400
    y = resampler.process(noise(5000))
    assert y.shape[1] == -(-5000 * 160 // 147)
    # 44100 * 86400 is a multiple of the ring's capacity no more than it is of anything else
    assert np.array_equal(y, Resampler(44100, 48000, 1).process(noise(5000)))


def test_snapshot_restore_and_reset() -> None:
    resampler, x = Resampler(48000, 44100, 2), noise(3000, channels=2)
    first = resampler.process(x)
    state = resampler.snapshot()
    second = resampler.process(x)
    assert not np.array_equal(second[:, :100], first[:, :100])
    resampler.restore(state)
    assert np.array_equal(resampler.process(x), second)
    resampler.reset()
    assert np.array_equal(resampler.process(x), first)


ROUND = [(48000, 44100), (44100, 48000), (48000, 16000), (48000, 24000), (48000, 96000)]
ROUND += [(96000, 22050), (48000, 48000)]


def there_and_back(trip: RoundTrip, x: Array, sizes: list[int], inner: int) -> Array:
    """Blocks through both converters and a delay of `inner` model samples; what came out."""
    inward, outward = trip.inward.record, trip.outward.record
    line, parts = np.zeros((x.shape[0], inner), dtype=np.float32), []
    for block in cut(x, sizes):
        middle = np.empty((x.shape[0], trip.max_model_block), dtype=np.float32)
        m = process(inward, block, block.shape[1], middle)
        line = np.concatenate([line, middle[:, :m]], axis=1)
        push(outward, np.ascontiguousarray(line[:, :m]), 0, m)
        line = line[:, m:]
        y = np.full_like(block, np.nan)
        assert pull(outward, y, 0, block.shape[1]) == block.shape[1]
        parts.append(y)
    return np.concatenate(parts, axis=1)


@pytest.mark.parametrize(("device_rate", "model_rate"), ROUND)
@pytest.mark.parametrize("inner", [0, 1, 513])
def test_the_round_trip_takes_exactly_its_declared_whole_latency(
    device_rate: int, model_rate: int, inner: int
) -> None:
    trip = RoundTrip(device_rate, model_rate, 1, inner, max_block=1500)
    low = signal.firwin(601, 0.2 * min(device_rate, model_rate), fs=device_rate)
    x = signal.lfilter(low, 1.0, noise(30000)[0]).astype(np.float32)[None]
    y = there_and_back(trip, x, random_sizes(5), inner)
    assert isinstance(trip.latency, int)
    error = (y - delayed(x, trip.latency))[:, 3000:]
    assert 10 * np.log10(np.mean(error**2) / np.mean(x**2)) < -60.0
    whole = there_and_back(RoundTrip(device_rate, model_rate, 1, inner, 1500), x, [1500], inner)
    assert np.array_equal(whole, y)


def test_the_round_trip_has_no_more_latency_than_its_filters() -> None:
    assert RoundTrip(48000, 44100, 1).latency <= 34 + 35
    assert RoundTrip(48000, 48000, 1).latency <= 2 * 18


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((48000, 44101, 1), "table of 44101 phases"),
        ((48000, 44100, 0), "at least 1 channel"),
        ((48000, 44100, 1, 3), "delay of at least"),
        ((48000, 44100, 1, None, 0), "room for 0"),
    ],
)
def test_what_cannot_be_served_is_refused_with_a_sentence(
    arguments: tuple[int, ...], sentence: str
) -> None:
    with pytest.raises(ConfigError, match=sentence):
        Resampler(*arguments)


def test_a_round_trip_of_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="inner latency"):
        RoundTrip(48000, 44100, 1, -1)

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.rig.two_clocks import Crossing, simulate
from benchmarks.rig.virtual_clock import Device
from realtime.dsp import drift
from realtime.dsp.drift_record import Drift
from realtime.errors import ConfigError

from ..signals import Array, sine

LOCKED = 300  # stretches of 0.1 s
MINUTES = 2.5
FASTEST = 0.5 * 2 * np.pi * 997 / 48000  # largest step between samples of the sine that is sent


def cross(
    writer: Device, reader: Device, seconds: float = 60.0 * MINUTES, margin: int = 32, kept: int = 9
) -> tuple[Drift, Crossing]:
    crossing = Drift(writer.rate, reader.rate, 1, writer.block, reader.block, margin)
    return crossing, simulate(crossing, writer, reader, seconds, kept=kept)


def distortion_db(y: Array, frequency: float, rate: int) -> float:
    """Everything but the sine (and its slow drift), relative to it."""
    t = np.arange(y.size) / rate
    s, c = np.sin(2 * np.pi * frequency * t), np.cos(2 * np.pi * frequency * t)
    base = np.stack([s, c, t * s, t * c, np.ones_like(t)])
    fit = np.linalg.lstsq(base.T, y.astype(np.float64), rcond=None)[0] @ base
    return float(10 * np.log10(np.mean((y - fit) ** 2) / np.mean(fit**2)))


@pytest.mark.parametrize("ppm", [0, 300, -300, 1000, -1000])
@pytest.mark.parametrize("blocks", [(64, 64), (480, 64), (64, 1024)])
def test_sound_crosses_without_a_break_in_tune_and_with_constant_latency(
    ppm: int, blocks: tuple[int, int]
) -> None:
    d, got = cross(Device(48000, blocks[0], ppm), Device(48000, blocks[1]))
    assert d.locked and not any(d.counters().values())
    late = got.latency[LOCKED:] - d.target
    assert np.abs(late).max() < 0.01
    assert np.abs(got.cents[LOCKED:]).max() < 1e-4  # 0.06 ppm
    assert got.step[10:].max() < FASTEST * (1.0 + abs(ppm) * 1e-6) * 1.001
    assert got.level[10:].min() > 0.4999
    assert d.record["ratio_ppm"] == pytest.approx(ppm, abs=0.01)
    for y in got.kept[3:]:
        assert distortion_db(y, 997 * (1 + ppm * 1e-6), 48000) < -110.0
    # before the lock, the latency strays by less than the margin takes
    assert np.abs(got.latency[5:] - d.target).max() < 8.0


@pytest.mark.parametrize("late_us", [30.0, 250.0])
@pytest.mark.parametrize("blocks", [(64, 64), (480, 64), (64, 1024), (128, 128)])
def test_callbacks_that_come_late_move_neither_pitch_nor_latency(
    blocks: tuple[int, int], late_us: float
) -> None:
    d, got = cross(
        Device(48000, blocks[0], 700, late_us), Device(48000, blocks[1], -200, late_us), margin=80
    )
    assert d.locked and not any(d.counters().values())
    assert np.abs(got.cents[LOCKED:]).max() < 0.05
    assert np.ptp(got.latency[LOCKED:]) < 8.0
    assert np.abs(got.latency[LOCKED:] - d.target).max() < 12.0  # the mean lateness is in it
    assert got.step[10:].max() < FASTEST * 1.004


@pytest.mark.parametrize(("writer_us", "reader_us", "shift"), [(100, 0, 4.8), (0, 100, -4.8)])
def test_mean_lateness_of_one_side_moves_the_latency_by_as_much(
    writer_us: float, reader_us: float, shift: float
) -> None:
    d, got = cross(Device(48000, 64, 300, writer_us), Device(48000, 64, 0, reader_us), 120, 48)
    assert not any(d.counters().values())
    # lateness is cut off at four times its mean, which takes 2 % from it
    assert (got.latency[LOCKED:] - d.target).mean() == pytest.approx(0.98 * shift, abs=0.2)


def test_a_short_loss_is_drawn_back_without_a_break() -> None:
    d, got = cross(Device(48000, 64, 300), Device(48000, 64, -300, stop_s=(100.0, 100.001)), 200)
    assert not any(d.counters().values())
    assert got.latency[1002:1010].max() > d.target + 5
    assert np.abs(got.latency[-LOCKED:] - d.target).max() < 0.5
    assert np.abs(got.cents[1003:]).max() < 1.0  # all but the stretch where the device skipped


def test_a_clock_that_warms_is_followed() -> None:
    d, got = cross(Device(48000, 128, 50, wander_ppm=5.0, wander_s=300.0), Device(48000, 128), 600)
    assert not any(d.counters().values())
    assert np.abs(got.latency[LOCKED:] - d.target).max() < 1.0
    assert np.abs(got.cents[LOCKED:]).max() < 0.01


@pytest.mark.parametrize("rates", [(44100, 48000), (48000, 44100), (16000, 48000)])
def test_the_nominal_rates_may_differ(rates: tuple[int, int]) -> None:
    d, got = cross(Device(rates[0], 256, 400), Device(rates[1], 128, -300), 120)
    assert not any(d.counters().values())
    assert np.abs(got.latency[LOCKED:] - d.target).max() < 0.02
    assert np.abs(got.cents[LOCKED:]).max() < 1e-3
    ratio = (1 + 400e-6) / (1 - 300e-6)
    assert distortion_db(got.kept[5], 997 * ratio, rates[1]) < -108.0


@pytest.mark.parametrize(
    ("side", "seconds", "counted"),
    [
        ("writer", 0.003, "underflows"),
        ("writer", 0.05, "underflows"),
        ("writer", 3.0, "underflows"),
        ("reader", 0.003, "relocks"),
        ("reader", 0.05, "relocks"),
        ("reader", 3.0, "overflows"),
    ],
)
def test_after_a_device_stalled_sound_fades_and_comes_back_at_the_target(
    side: str, seconds: float, counted: str
) -> None:
    stop = (100.0, 100.0 + seconds)
    none = (0.0, 0.0)
    d, got = cross(
        Device(48000, 480, 300, stop_s=stop if side == "writer" else none),
        Device(48000, 64, -300, stop_s=stop if side == "reader" else none),
        160.0,
    )
    counters = d.counters()
    assert counters[counted] >= 1
    assert counters["underflows"] + counters["relocks"] == 1  # one break, not a stutter
    assert d.locked
    quiet = got.level[LOCKED:] < 0.499
    assert quiet.sum() <= 10 * seconds + 4
    assert got.step[10:].max() < FASTEST * 1.001  # no click on the way out or in
    assert np.abs(got.latency[-LOCKED:] - d.target).max() < 0.01
    assert np.abs(got.cents[LOCKED:][~quiet[1:] & ~quiet[:-1]]).max() < 1e-3  # the ratio stayed


def test_a_writer_that_never_comes_is_silence_and_nothing_is_counted() -> None:
    d = Drift(48000, 48000, 2, 64, 64)
    y = np.full((2, 64), np.nan, dtype=np.float32)
    for k in range(1000):
        drift.read(d.record, y, 0, 64, k * 1_333_333)
        assert not y.any()
    assert not any(d.counters().values())


def test_channels_stay_apart_and_offsets_are_kept() -> None:
    d, period = Drift(48000, 48000, 2, 64, 64), 64 / 48000 * 1e9
    x = np.concatenate([sine(48000, 997), sine(48000, 3000)])
    y, parts = np.zeros((2, 80), dtype=np.float32), []
    for k in range(750):
        drift.write(d.record, x, 64 * k, 64, int((k + 1) * period))
        drift.read(d.record, y, 16, 64, int((k + 1) * period))
        parts.append(y[:, 16:].copy())
        assert not y[:, :16].any()
    out = np.concatenate(parts, axis=1)
    for channel in range(2):
        sent = x[channel, 20064 - d.target : 40064 - d.target]  # at sample 0, 64 were written
        assert np.abs(out[channel, 20000:40000] - sent).max() < 1e-3


@pytest.mark.parametrize("sizes", [(0, 64, 64, 32), (1, 0, 64, 32), (1, 64, 0, 32), (1, 64, 64, 2)])
def test_impossible_crossings_are_refused_with_a_sentence(sizes: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match="a crossing between two clocks needs"):
        Drift(48000, 48000, *sizes)

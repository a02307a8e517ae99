"""Ears are spared: against scipy's resampler, closed forms, and what comes in unchanged."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit
from scipy import signal

from realtime.stream import protection
from realtime.stream.protection import (
    DUCK_SECONDS,
    FADE_SECONDS,
    Protection,
    protect,
    soften,
    view_protection,
)

from ..signals import Array, noise, sine

RATE = 48_000
CEILING = 10 ** (-1 / 20)


@njit
def _protect(address, x, y, n):  # type: ignore[no-untyped-def]
    protect(view_protection(address), x, y, n)


@njit
def _soften(address):  # type: ignore[no-untyped-def]
    soften(view_protection(address))


def played(y: Array, spared: Protection, block: int = 64, x: Array | None = None) -> Array:
    """What becomes of ``y [channels, n]``, block by block."""
    out = y.copy()
    heard = np.zeros_like(y) if x is None else x
    for at in range(0, y.shape[1], block):
        part = np.ascontiguousarray(out[:, at : at + block])
        _protect(
            spared.address, np.ascontiguousarray(heard[:, at : at + block]), part, part.shape[1]
        )
        out[:, at : at + block] = part
    return out


def begun(channels: int = 1, ceiling_db: float = -1.0) -> Protection:
    """After the fade-in."""
    made = Protection(channels, RATE, ceiling_db)
    made.record["level"] = 1.0
    return made


def true_peak(y: Array) -> float:
    """By scipy, eight-fold; the ends, where the signal breaks off, are left out."""
    return float(np.abs(signal.resample_poly(y.astype(np.float64), 8, 1)[800:-800]).max())


def test_what_needs_nothing_passes_bit_for_bit() -> None:
    y = noise(3 * RATE, channels=2, level=0.2)
    y -= y.mean(axis=1, keepdims=True)
    np.testing.assert_array_equal(played(y, begun(2)), y)


def test_the_same_bits_at_every_block_size() -> None:
    y = 2.0 * noise(RATE, channels=2, level=0.9) + np.float32(0.2)
    first = played(y, Protection(2, RATE, -1.0), 64)
    for block in (1, 37, 480):
        np.testing.assert_array_equal(played(y, Protection(2, RATE, -1.0), block), first)


@pytest.mark.parametrize("frequency", [55.0, 997.0, 5_000.0, 12_000.0, 15_001.0])
@pytest.mark.parametrize("level", [1.0, 4.0])
def test_the_true_peak_of_a_tone_stays_below_the_ceiling(frequency: float, level: float) -> None:
    n = np.arange(RATE)
    y = (level * np.sin(2 * np.pi * frequency * n / RATE + np.pi / 4)).astype(np.float32)[None]
    out = played(y, begun())
    assert np.abs(out).max() <= np.float32(CEILING)
    settled = out[0, RATE // 50 : -100]
    assert 20 * np.log10(true_peak(settled) / CEILING) < 0.1


def test_of_noise_far_too_loud_no_sample_is_above_the_ceiling() -> None:
    y = 10.0 * noise(RATE, level=1.0)
    for band, over in ((6000.0, 0.5), (20_000.0, 4.0)):  # dB between samples
        taps = signal.firwin(255, band, fs=RATE)
        loud = np.convolve(y[0], taps, "same").astype(np.float32)[None]
        out = played(loud, begun(1, -3.0))
        assert np.abs(out).max() <= np.float32(10 ** (-3 / 20))
        assert 20 * np.log10(true_peak(out[0]) / 10 ** (-3 / 20)) < over
        assert np.abs(out).max() > 0.5


def test_dc_goes_and_comes_by_no_step() -> None:
    for offset in (0.5, 0.005):
        y = np.full((1, 9 * RATE), offset, dtype=np.float32)
        out = played(y, begun())
        assert abs(out[0, 7 * RATE :].mean()) < 1e-3  # -60 dBFS
        assert np.abs(np.diff(out[0])).max() < 1e-3


def test_an_offset_under_music_goes_and_low_notes_stay() -> None:
    tone = sine(6 * RATE, 30.0, 0.4)
    np.testing.assert_array_equal(played(tone, begun()), tone)  # no offset: not touched
    out = played(tone + np.float32(0.1), begun())[0, 4 * RATE :]
    assert abs(out.mean()) < 1e-3
    # two poles at 0.3 Hz leave 30 Hz as it is, within 0.01 dB
    assert np.abs(out).max() == pytest.approx(0.4, rel=2e-3)


def test_it_fades_in_and_out_by_a_raised_cosine() -> None:
    y = sine(RATE // 10, 6000.0, 0.5)
    made = Protection(1, RATE, -1.0)
    begin = played(y, made)
    length = int(FADE_SECONDS * RATE)
    ramp = 0.5 - 0.5 * np.cos(np.pi * np.arange(1, length + 1) / length)
    np.testing.assert_allclose(begin[0, :length], y[0, :length] * ramp, atol=1e-6)
    np.testing.assert_array_equal(begin[0, length + 1 :], y[0, length + 1 :])
    made.fade_out()
    made.record["level_goal"] = 0.0  # as the callback takes it up
    end = played(y, made)
    np.testing.assert_allclose(end[0, : length - 1], y[0, : length - 1] * ramp[-2::-1], atol=1e-6)
    assert not end[0, length:].any() and made.is_silent


def test_a_sound_much_louder_than_the_one_before_comes_in_softly() -> None:
    made = begun()
    played(sine(2 * RATE, 440.0, 0.02), made)  # -34 dBFS
    _soften(made.address)
    out = np.abs(played(sine(3 * RATE, 440.0, 0.8), made)[0])
    assert out[: RATE // 50].max() < 10 ** (-21 / 20)  # 12 dB above, rising by 24 dB a second
    assert out[RATE // 2 : RATE // 2 + 480].max() == pytest.approx(10 ** (-10 / 20), rel=0.04)
    assert out[2 * RATE :].max() == pytest.approx(0.8, rel=1e-3)
    made = begun()
    played(sine(2 * RATE, 440.0, 0.3), made)
    _soften(made.address)
    loud = sine(RATE, 440.0, 0.6)
    np.testing.assert_array_equal(played(loud, made), loud)  # 6 dB more is no burst


def test_subnormals_are_silence() -> None:
    y = np.full((1, 4800), 1e-41, dtype=np.float32)
    assert not played(y, begun()).any()


def test_the_interpolation_lies_between_the_samples() -> None:
    taps = protection.interpolation()
    n = np.arange(400)
    for frequency in (1000.0, 9000.0, 16_000.0):
        y = np.cos(2 * np.pi * frequency * n / RATE)
        for phase, row in enumerate(taps, 1):
            got = np.array([row @ y[i - 11 : i + 1] for i in range(11, 400)])
            where = n[11:] - 5 - phase / 4
            wanted = np.cos(2 * np.pi * frequency * where / RATE)
            assert np.abs(got - wanted).max() < 0.02


def test_what_the_watch_hears_and_what_it_lowers() -> None:
    made, x = begun(), noise(9000, level=0.2)
    y = sine(9000, 440.0, 0.3)
    np.testing.assert_array_equal(played(y, made, x=x), y)
    np.testing.assert_array_equal(made.heard(4096), np.concatenate([x, y])[:, -4096:])
    made.record["duck_goal"] = 0.25
    out = played(y, made)[0]
    assert np.abs(out[int(DUCK_SECONDS * RATE) :]).max() == pytest.approx(0.075, rel=0.01)

"""On-the-fly augmentation: equal for both signals where it must be, repeatable, measured."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.signal import welch

from realtime.errors import ConfigError
from train.data.sound.augment import Augment, add_noise
from train.data.sound.noise import COLOURS, coloured_noise, fill_high_band

RATE = 48000
ALL = Augment(
    gain_db=(-9, 9), flip=0.5, speed=(0.8, 1.25), shift=400, noise=0.7, fill=0.5, fill_hz=7500
)


def pair(rows: int = 3, n: int = 12000) -> tuple[np.ndarray, np.ndarray]:
    dry = np.random.default_rng(1).standard_normal((rows, n)).astype(np.float32) * 0.1
    return dry, 0.5 * dry


def peak_hz(x: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(x * np.hanning(len(x)), 1 << 18))
    return float(np.argmax(spectrum) * RATE / (1 << 18))


def test_the_same_generator_gives_the_same_batch_for_arrays_and_tensors() -> None:
    dry, wet = pair()
    first = ALL(dry, wet, np.random.default_rng(7))
    again = ALL(torch.from_numpy(dry), torch.from_numpy(wet), np.random.default_rng(7))
    for a, b in zip(first, again, strict=True):
        assert isinstance(b, torch.Tensor) and a.dtype == np.float32
        np.testing.assert_array_equal(a, b.numpy())
    other = ALL(dry, wet, np.random.default_rng(8))
    assert not np.array_equal(first[0], other[0])


def test_a_generator_restored_from_its_state_goes_on_as_if_never_stopped() -> None:
    dry, wet = pair()
    rng = np.random.default_rng(3)
    ALL(dry, wet, rng)
    state = rng.bit_generator.state
    expected = ALL(dry, wet, rng)[0]
    later = np.random.default_rng()
    later.bit_generator.state = state
    np.testing.assert_array_equal(ALL(dry, wet, later)[0], expected)


def test_nothing_is_changed_by_default_and_inputs_are_left_alone() -> None:
    dry, wet = pair()
    kept = dry.copy()
    same = Augment()(dry, wet, np.random.default_rng(0))
    np.testing.assert_array_equal(same[0], dry)
    np.testing.assert_array_equal(same[1], wet)
    ALL(dry, wet, np.random.default_rng(0))
    np.testing.assert_array_equal(dry, kept)


def test_gain_polarity_speed_and_shift_are_those_of_both_signals() -> None:
    dry, wet = pair(6)
    shared = Augment(gain_db=(-12, 12), flip=0.5, speed=(0.7, 1.4), shift=1000)
    new_dry, new_wet = shared(dry, wet, np.random.default_rng(2))
    np.testing.assert_allclose(new_wet, 0.5 * new_dry, atol=1e-6)  # the style was "half"


def test_gains_lie_in_their_range_and_polarity_turns_about_half() -> None:
    dry = np.ones((400, 8), dtype=np.float32)
    out, _ = Augment(gain_db=(-6, 3), flip=0.5)(dry, dry, np.random.default_rng(5))
    gains = 20 * np.log10(np.abs(out[:, 0]))
    assert -6.001 <= gains.min() < -5.7 and 2.7 < gains.max() <= 3.001
    assert 0.4 < (out[:, 0] < 0).mean() < 0.6
    np.testing.assert_array_equal(out, out[:, :1] * dry)


@pytest.mark.parametrize("speed", [0.8, 1.25])
def test_speed_moves_a_tone_by_its_factor_and_silence_comes_first(speed: float) -> None:
    n = 24000
    tone = np.sin(2 * np.pi * 1000 * np.arange(n) / RATE).astype(np.float32)[None]
    out, _ = Augment(speed=(speed, speed))(tone, tone, np.random.default_rng(0))
    assert out.shape == tone.shape
    assert peak_hz(out[0, 6000:-500]) == pytest.approx(1000 * speed, abs=1.0)
    silent = round(n - n / speed) if speed > 1 else 0
    assert not np.any(out[0, : max(0, silent - 1)])
    assert np.abs(out[0, silent : silent + 200]).max() > 0.9


def test_shift_puts_silence_before_both() -> None:
    dry, wet = pair(40, 500)
    out, _ = Augment(shift=100)(dry, wet, np.random.default_rng(0))
    for row, was in zip(out, dry, strict=True):
        shift = int(np.flatnonzero(row)[0])
        assert 0 <= shift <= 100
        np.testing.assert_array_equal(row[shift:], was[: 500 - shift])


def test_noise_reaches_dry_alone_at_the_ratio_asked_for() -> None:
    dry, wet = pair(20)
    out, same = Augment(noise=1.0, noise_db=(12, 12))(dry, wet, np.random.default_rng(0))
    np.testing.assert_array_equal(same, wet)
    ratio = 10 * np.log10(np.square(dry).sum(axis=1) / np.square(out - dry).sum(axis=1))
    np.testing.assert_allclose(ratio, 12.0, atol=0.01)
    silence = np.zeros(100, dtype=np.float32)
    np.testing.assert_array_equal(add_noise(silence, dry[0, :100], 10), silence)


@pytest.mark.parametrize(
    ("colour", "slope_db"), [("white", 0.0), ("pink", -3.01), ("brown", -6.02)]
)
def test_noise_falls_per_octave_as_its_colour_says(colour: str, slope_db: float) -> None:
    x = coloured_noise(1 << 18, colour, np.random.default_rng(0))
    hz, power = welch(x, RATE, nperseg=8192)
    use = (hz > 100) & (hz < 10000)
    slope = np.polyfit(np.log2(hz[use]), 10 * np.log10(power[use]), 1)[0]
    assert slope == pytest.approx(slope_db, abs=0.2)
    assert np.sqrt(np.mean(x.astype(np.float64) ** 2)) == pytest.approx(1.0, abs=1e-4)


def test_hum_is_mains_and_unknown_noise_is_one_sentence() -> None:
    hum = coloured_noise(RATE, "hum", np.random.default_rng(0))
    assert min(abs(peak_hz(hum) - hz) for hz in (50, 60)) < 1
    with pytest.raises(ConfigError, match="did you mean 'pink'"):
        coloured_noise(10, "pinc", np.random.default_rng(0))
    assert all(len(coloured_noise(0, c, np.random.default_rng(0))) == 0 for c in COLOURS)


def test_the_filled_band_has_its_level_and_leaves_the_recorded_one() -> None:
    rng = np.random.default_rng(0)
    wide = rng.standard_normal(4 * RATE)
    spectrum, hz = np.fft.rfft(wide), np.fft.rfftfreq(len(wide), 1 / RATE)
    narrow = np.fft.irfft(spectrum * (hz < 7500)).astype(np.float32) * 0.1
    filled = fill_high_band(narrow, RATE, rng, 7500.0, -10.0)
    axis, before = welch(narrow, RATE, nperseg=4096)
    _, after = welch(filled, RATE, nperseg=4096)
    low, octave, high = axis < 6000, (axis > 3750) & (axis < 7125), axis > 7500
    np.testing.assert_allclose(after[low], before[low], rtol=0.05)
    level = 10 * np.log10(after[high].sum() / before[octave].sum())
    assert level == pytest.approx(-10.0, abs=1.0)


def test_the_filled_band_follows_the_sound_and_silence_stays() -> None:
    rng = np.random.default_rng(0)
    x = (0.1 * rng.standard_normal(RATE)).astype(np.float32)
    x[RATE // 2 :] = 0
    added = fill_high_band(x, RATE, rng) - x
    assert np.abs(added[: RATE // 2]).max() > 0.005
    assert np.abs(added[RATE // 2 + 2400 :]).max() < 1e-4
    silence = np.zeros(RATE, dtype=np.float32)
    np.testing.assert_array_equal(fill_high_band(silence, RATE, rng), silence)


@pytest.mark.parametrize(
    "wrong",
    [{"gain_db": (3, -3)}, {"noise": 1.5}, {"speed": (0.0, 1.0)}, {"shift": -1}, {"flip": -0.1}],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        Augment(**wrong)  # type: ignore[arg-type]


def test_batches_of_other_shapes_are_refused() -> None:
    dry, _ = pair()
    with pytest.raises(ConfigError, match="got"):
        Augment()(dry, dry[:, :-1], np.random.default_rng(0))

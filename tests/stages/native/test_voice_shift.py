"""VoiceShift on vowels of known pitch and formants, judged by harmonic combs and by Praat."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

from realtime.engine.path import Path
from realtime.engine.placed import Slot

from ...signals import Array, noise
from .playing import RATE, prepared, stepped

FORMANTS = ((700.0, 80.0), (1220.0, 90.0), (2600.0, 120.0), (3500.0, 150.0))
LATENCY = round(0.024 * RATE)


def vowel(f0: float | Array, seconds: float = 1.5) -> Array:
    """An open vowel ``[1, n]``: pulses of `f0` through four resonances."""
    n = int(seconds * RATE)
    f = np.full(n, f0, dtype=np.float64) if np.isscalar(f0) else np.asarray(f0, dtype=np.float64)
    phase = np.cumsum(f / RATE)
    at = np.flatnonzero(np.diff(np.floor(phase)) > 0)
    part = (phase[at + 1] - np.floor(phase[at + 1])) / (f[at + 1] / RATE)
    y = np.zeros(n)
    y[at + 1] += 1.0 - part
    y[at] += part
    y = lfilter([1.0], [1.0, -0.97], y)
    for centre, width in FORMANTS:
        r = np.exp(-np.pi * width / RATE)
        y = lfilter([1.0 - r], [1.0, -2.0 * r * np.cos(2.0 * np.pi * centre / RATE), r * r], y)
    return (0.3 * y / np.abs(y).max()).astype(np.float32)[None]


def shifted(x: Array, block: int = 128, **given: float) -> Array:
    return stepped(prepared("VoiceShift", channels=len(x), **given), x, [block])


def cents(y: Array, wanted: float) -> float:
    """How far the pitch is from `wanted`: the comb of twelve harmonics that holds most."""
    part = y[0, RATE // 2 : RATE // 2 + RATE // 2].astype(np.float64)
    size = 1 << 17
    spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part)), size))
    tried = np.linspace(-150.0, 150.0, 1201)
    place = wanted * 2.0 ** (tried / 1200.0) * size / RATE
    held = [np.interp(k * place, np.arange(len(spectrum)), spectrum) for k in range(1, 13)]
    return float(tried[np.argmax(np.sum(held, axis=0))])


@pytest.mark.parametrize("channels", [1, 2])
def test_with_nothing_shifted_it_is_a_delay_of_its_latency(channels: int) -> None:
    x = noise(RATE, channels)
    assert np.array_equal(shifted(x, 100)[:, LATENCY:], x[:, :-LATENCY])


def test_the_slot_keeps_the_dry_sound_aligned() -> None:
    x = noise(RATE // 2)
    slot = Slot(prepared("VoiceShift", pitch_semitones=7.0), 1, 1, RATE, mix=0.0)
    path = Path([slot], channels=1, sample_rate=RATE, hop=64, block_size=64)
    assert path.latency == LATENCY
    y = path.process_hops(x)
    assert np.array_equal(y[:, LATENCY:], x[:, :-LATENCY])


@pytest.mark.parametrize("block", [1, 33, 441, 1024])
def test_the_bits_are_those_of_any_block(block: int) -> None:
    x = vowel(130.0)[:, : RATE // 2]
    given = {"pitch_semitones": 4.0, "formant_semitones": -2.0, "breath": 0.3}
    n = x.shape[1] // block * block
    assert np.array_equal(shifted(x, block, **given)[:, :n], shifted(x, 64, **given)[:, :n])


@pytest.mark.parametrize("semitones", [-12.0, -4.0, 4.0, 8.0, 12.0])
@pytest.mark.parametrize("f0", [85.0, 110.0, 160.0, 220.0, 300.0])
def test_pitch_is_right_to_ten_cents_and_the_level_to_two_decibels(
    f0: float, semitones: float
) -> None:
    x = vowel(f0)
    y = shifted(x, pitch_semitones=semitones)
    assert abs(cents(y, f0 * 2.0 ** (semitones / 12.0))) <= 10.0
    half = RATE // 2
    power = float(np.mean(y[:, half:] ** 2) / np.mean(x[:, half:] ** 2))
    assert abs(10.0 * np.log10(power)) <= 2.0


@pytest.mark.parametrize("pitch", [-4.0, 0.0, 4.0])
@pytest.mark.parametrize("semitones", [-4.0, -2.0, 2.0, 4.0])
def test_formants_move_alone(semitones: float, pitch: float) -> None:
    parselmouth = pytest.importorskip("parselmouth")
    ratio = 2.0 ** (semitones / 12.0)

    def formants(y: Array, highest: float) -> Array:
        sound = parselmouth.Sound(y[0].astype(np.float64), sampling_frequency=RATE)
        found = sound.to_formant_burg(maximum_formant=highest)
        times = np.arange(0.4, 1.9, 0.01)
        return np.array(
            [np.nanmedian([found.get_value_at_time(k, t) for t in times]) for k in (1, 2, 3)]
        )

    n = 2 * RATE  # the pitch glides, so that no harmonic is taken for a formant
    x = vowel(np.linspace(95.0, 150.0, n), 2.0)
    y = shifted(x, formant_semitones=semitones, pitch_semitones=pitch)
    moved = formants(y, 4500.0 * ratio) / formants(x, 4500.0)
    assert abs(float(np.mean(moved)) / ratio - 1.0) <= 0.05
    assert np.abs(moved / ratio - 1.0).max() <= 0.1  # one is drawn towards a harmonic


def test_a_robot_speaks_on_one_pitch() -> None:
    f0 = 150.0 + 40.0 * np.sin(2.0 * np.pi * 2.0 * np.arange(int(1.5 * RATE)) / RATE)
    y = shifted(vowel(f0), robot=1.0)
    assert abs(cents(y, 110.0)) <= 10.0


def test_breath_takes_the_harmonics_away_by_and_by() -> None:
    x = vowel(150.0)
    shares = []
    for breath in (0.0, 0.15, 0.3, 0.6, 1.0):
        y = shifted(x, pitch_semitones=0.01, breath=breath)[0, RATE // 2 : RATE]
        spectrum = np.abs(np.fft.rfft(y * np.hanning(len(y)))) ** 2
        at = np.round(np.arange(1, 20) * 150.0 * len(y) / RATE).astype(int)
        near = np.unique((at[:, None] + np.arange(-4, 5)).ravel())
        shares.append(spectrum[near].sum() / spectrum.sum())
    assert shares[0] > 0.95
    assert all(a > b for a, b in zip(shares[:4], shares[1:4], strict=False)), shares
    assert shares[4] < 0.25  # no more than lies there by chance


def test_silence_stays_silence_and_an_end_rings_no_longer_than_its_latency() -> None:
    x = np.concatenate([vowel(110.0)[:, :RATE], np.zeros((1, RATE), dtype=np.float32)], axis=1)
    y = shifted(x, pitch_semitones=-5.0, breath=0.5)
    assert np.abs(y[:, RATE + 3 * LATENCY :]).max() <= 1e-6
    assert not shifted(np.zeros((1, RATE), dtype=np.float32), robot=1.0, breath=1.0).any()

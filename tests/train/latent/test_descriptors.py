"""Descriptors of sounds whose answer is known, and against librosa's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from train.latent.descriptors import NAMES, UNITS, describe

RATE = 48000
T = np.arange(RATE) / RATE


def sine(hz: float, level: float = 0.5) -> np.ndarray:
    return (level * np.sin(2 * np.pi * hz * T)).astype(np.float32)


def noise(seed: int = 0) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal(RATE)).astype(np.float32)


def test_a_sine_has_its_level_and_its_octave() -> None:
    found = describe(sine(1000.0))
    assert tuple(found) == NAMES and set(UNITS) == set(NAMES)
    assert found["loudness"] == pytest.approx(20 * np.log10(0.5) - 3.01, abs=0.02)
    assert found["brightness"] == pytest.approx(np.log2(1001), abs=0.01)
    assert describe(sine(4000.0))["brightness"] - found["brightness"] == pytest.approx(2, abs=0.01)


def test_all_but_the_loudness_ignore_the_level() -> None:
    x = noise() + sine(300.0)
    loud, quiet = describe(x), describe(0.1 * x)
    assert loud["loudness"] - quiet["loudness"] == pytest.approx(20.0, abs=1e-3)
    for name in NAMES[1:]:
        assert quiet[name] == pytest.approx(loud[name], abs=0.01)


def test_each_rises_with_its_word() -> None:
    dull = sosfilt(butter(4, 1000, fs=RATE, output="sos"), noise()).astype(np.float32)
    assert describe(noise())["noisiness"] > describe(sine(500.0) + 0.01 * noise())["noisiness"] + 10
    assert describe(dull)["warmth"] > describe(noise())["warmth"] + 3
    assert describe(noise())["air"] > describe(dull)["air"] + 20
    assert describe(noise())["presence"] > describe(dull)["presence"] + 3
    assert describe(noise())["width"] > describe(dull)["width"] + 1
    struck = noise() * np.exp(-20 * (T % 0.25)).astype(np.float32)
    assert describe(struck)["attack"] > describe(noise())["attack"] + 0.5


def test_white_noise_is_as_flat_as_theory_says() -> None:
    # mean log of an exponential variable: minus Euler's constant
    assert describe(noise())["noisiness"] == pytest.approx(-10 * np.log10(np.e) * 0.5772, abs=0.1)


def test_silence_is_described_too() -> None:
    assert all(np.isfinite(v) for v in describe(np.zeros(4096, dtype=np.float32)).values())

import numpy as np
import pytest
from scipy.signal import butter, lfilter

from train.like.statistics import GROUPS, Likeness, describe, pieces

from ..personal.sounds import tune


def test_level_is_no_part_of_the_sound() -> None:
    x = tune(1, 8.0)
    loud, soft = describe(x), describe(0.05 * x)
    for group in GROUPS:
        assert np.allclose(loud[group], soft[group], atol=0.05), group


def test_the_same_sound_is_at_no_distance_and_effects_are_farther_than_other_notes() -> None:
    x, other = tune(1, 16.0), tune(2, 16.0)
    likeness = Likeness([x])
    assert likeness([x]) == 0.0
    driven = np.tanh(20 * other).astype(np.float32)
    dull = lfilter(*butter(3, 400, fs=48000), other).astype(np.float32)
    same = likeness([other])
    assert same < 0.25
    for changed in (driven, dull):
        assert likeness([changed]) > 3 * same + 0.2


def test_drive_shows_in_dynamics_and_a_filter_in_tone() -> None:
    x = tune(1, 16.0)
    likeness = Likeness([x])
    driven = likeness.groups([np.tanh(20 * x).astype(np.float32)])
    dull = likeness.groups([lfilter(*butter(2, 1500, fs=48000), x).astype(np.float32)])
    assert driven["dynamics"] > 1 and driven["grit"] > 1
    assert dull["dynamics"] == dull["movement"] == 0  # within what is free
    assert dull["tone"] > 0.4 > 10 * dull["grit"]


def test_crest_of_a_sine_is_three_decibels() -> None:
    x = (0.5 * np.sin(2 * np.pi * 440 * np.arange(96000) / 48000)).astype(np.float32)
    assert describe(x)["dynamics"][-1] == pytest.approx(3.01, abs=0.1)


def test_pauses_are_left_out_and_short_sounds_are_one_piece() -> None:
    x = tune(1, 8.0)
    gap = np.zeros(48000 * 8, dtype=np.float32)
    assert len(pieces(np.concatenate([x[:384000], gap, x[:384000]]))) == 4
    assert len(pieces(x[:60000])) == 1

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.rig.strings import STRINGS, String, pluck
from realtime.dsp.pitch import find_pitch, make_hearing, sound_needed

from ..signals import Array, noise, sine


def heard(sound: Array, rate: int, end: int | None = None) -> float:
    """The pitch of the sound before sample `end` [Hz], with faint noise before it."""
    hearing = make_hearing(rate)
    need = sound_needed(hearing)
    size = 1 << need.bit_length()
    before = noise(need, level=1e-4)[0]
    whole = np.concatenate([before, sound[: len(sound) if end is None else end]])
    ring = np.zeros(size, np.float32)
    places = np.arange(whole.size - need, whole.size) & (size - 1)
    ring[places] = whole[-need:]
    find_pitch(ring, whole.size, hearing.address)
    return float(hearing["hertz"])


def cents(found: float, expected: float) -> float:
    return float(1200.0 * np.log2(max(found, 1e-9) / expected))


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
@pytest.mark.parametrize("hertz", [30.868, 41.203, 82.407, 110.0, 440.0, 659.255, 1318.51])
def test_a_sine_is_heard_within_a_tenth_of_a_cent(hertz: float, rate: int) -> None:
    assert abs(cents(heard(sine(rate, hertz, 0.3, rate)[0], rate), hertz)) < 0.1


@pytest.mark.parametrize("off", [-45.0, -3.3, 0.0, 17.0])
@pytest.mark.parametrize("string", STRINGS, ids=lambda s: s.name)
def test_a_string_is_heard_within_a_cent_120_ms_after_its_pluck(string: String, off: float) -> None:
    for seed in range(3):
        sound = pluck(string, off, seed=seed)
        expected = string.hertz * 2 ** (off / 1200)
        assert abs(cents(heard(sound, 48000, end=5760), expected)) < 1.0
        assert abs(cents(heard(sound, 48000, end=24000), expected)) < 0.1


def test_a_new_note_over_an_old_one() -> None:
    old, new = pluck(STRINGS[3]), pluck(STRINGS[5])
    sound = old.copy()
    sound[24000:] = 0.05 * old[24000:] + new[:24000]  # the old string is damped
    assert abs(cents(heard(sound, 48000, end=24000 + 7200), STRINGS[5].hertz)) < 1.0


def test_a_string_without_its_fundamental() -> None:
    t = np.arange(48000) / 48000
    sound = sum(np.sin(2 * np.pi * 41.203 * n * t) / n for n in (2, 3, 4, 5, 6))
    assert abs(cents(heard(0.2 * np.asarray(sound, np.float32), 48000), 41.203)) < 0.5


@pytest.mark.parametrize("kind", ["silence", "noise", "hiss"])
def test_what_has_no_pitch_is_given_none(kind: str) -> None:
    levels = {"silence": 0.0, "noise": 0.3, "hiss": 3e-4}
    assert heard(noise(48000, level=levels[kind])[0], 48000) == 0.0

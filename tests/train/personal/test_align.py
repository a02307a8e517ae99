import numpy as np
import pytest
import soxr
from scipy.signal import butter, lfilter

from realtime.errors import ConfigError
from train.own.align import LEFT, RELATED, aligned, follows, lag

from .sounds import bent, tune


@pytest.fixture(scope="module")
def dry() -> np.ndarray:
    x = tune(3, 12.0)
    return x + 1e-3 * np.random.default_rng(0).standard_normal(len(x)).astype(np.float32)


@pytest.mark.parametrize("late", [-300, 0, 96, 4800])
def test_the_delay_is_found_through_a_bent_curve_and_a_filter(dry: np.ndarray, late: int) -> None:
    wet = lfilter(*butter(2, [200, 5000], "band", fs=48000), bent(dry)).astype(np.float32)
    wet = np.concatenate([np.zeros(late, np.float32), wet]) if late >= 0 else wet[-late:]
    assert abs(lag(dry, wet) - late) <= 8
    x, y, shift = aligned("riff", dry, wet)
    assert len(x) == len(y)
    assert abs(late - shift) <= LEFT


def test_turned_over_sound_is_aligned_as_well(dry: np.ndarray) -> None:
    assert lag(dry, -np.roll(bent(dry), 50)) == pytest.approx(50, abs=2)


def test_another_recording_is_refused(dry: np.ndarray) -> None:
    with pytest.raises(ConfigError, match="'riff': the wet recording does not follow"):
        aligned("riff", dry, tune(99, 12.0))


def test_two_clocks_are_refused(dry: np.ndarray) -> None:
    wet = soxr.resample(bent(dry), 48000, 48000 * 1.0001, quality="VHQ")
    with pytest.raises(ConfigError, match="share a clock"):
        aligned("riff", dry, np.asarray(wet, dtype=np.float32))


def test_what_a_filter_explains_is_the_coherence() -> None:
    rng = np.random.default_rng(4)
    x, noise = rng.standard_normal((2, 96000)).astype(np.float32)
    assert follows(x, np.roll(0.3 * x, 7), 7) == pytest.approx(1.0, abs=0.02)
    assert follows(x, x + noise, 0) == pytest.approx(0.5, abs=0.05)  # half of the power is x
    assert follows(x, noise, 0) < 0.3 * RELATED

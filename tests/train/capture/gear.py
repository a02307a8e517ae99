"""Hidden gear: analytic circuits and effects of pedalboard, and what cables do to their sound."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import numpy.typing as npt
import pedalboard as pb
import pytest
import soxr

pytest.importorskip("torch")  # the package's trainer
from scipy.signal import butter, lfilter

from train.capture.signal import RATE, Signal, make_signal

Array = npt.NDArray[np.float64]


@cache
def short() -> Signal:
    """The signal, a tenth as long."""
    return make_signal(0.1)


def board(*effects: pb.Plugin) -> Callable[[Array], Array]:
    return lambda x: pb.Pedalboard(list(effects))(x.astype(np.float32)[None], RATE)[0].astype(float)


def tube(x: Array, drive: float = 8.0) -> Array:
    """A biased tanh between a coupling capacitor and a cabinet."""
    y = lfilter(*butter(1, 120, "high", fs=RATE), x)
    y = np.tanh(drive * y + 0.3) - np.tanh(0.3)
    y = lfilter(*butter(2, 5000, fs=RATE), y)
    return 0.5 * lfilter(*butter(2, 80, "high", fs=RATE), y)


def fuzz(x: Array) -> Array:
    return lfilter(*butter(1, 3000, fs=RATE), np.clip(200 * x, -0.3, 0.8))


GEAR: dict[str, Callable[[Array], Array]] = {
    "tube": tube,
    "fuzz": fuzz,
    "soft": lambda x: np.tanh(2 * x),
    "distortion": board(pb.Distortion(30), pb.LowpassFilter(4000)),
    "compressor": board(pb.Compressor(-30, 4)),
}


@cache
def through(name: str) -> Array:
    """The short signal through one of :data:`GEAR`."""
    return GEAR[name](short().samples.astype(float))


def late(y: Array, samples: int) -> Array:
    """What an interface makes of it: a delay, and some silence behind."""
    return np.concatenate([np.zeros(samples), y, np.zeros(3000)])


def noisy(y: Array, db: float = -80.0) -> Array:
    return y + 10 ** (db / 20) * np.random.default_rng(7).standard_normal(y.shape)


def hum(n: int, hz: float = 50.0) -> Array:
    t = np.arange(n) / RATE
    return sum((np.sin(2 * np.pi * hz * k * t) / k for k in range(1, 8)), np.zeros(n))


def drifted(y: Array, ppm: float) -> Array:
    """Recorded by a clock that is faster by `ppm`."""
    return np.asarray(soxr.resample(y, RATE, RATE * (1 + ppm * 1e-6), quality="VHQ"))

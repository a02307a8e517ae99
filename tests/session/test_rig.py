"""A whole rig in one path against what others make of its parts, one after the other."""

from __future__ import annotations

import json

import numpy as np
import pedalboard
import pytest
import soundfile
from scipy.signal import fftconvolve, lfilter

from realtime.models.nam.convert import null_db

from ..signals import Array, noise
from ..sounds import RATE, effect, model, offline, on_disk, path_of, sound

LENGTH = RATE
GATE = {"threshold_db": -50.0}
ECHO = {"delay_seconds": 0.2, "feedback": 0.35, "mix": 0.3}
ROOM = {"wet_level": 0.15}


def played() -> Array:
    """Noise with pauses in which the gate closes ``[1, n]``."""
    x = noise(LENGTH, level=0.1)
    x[:, 12_000:24_000] *= 1e-4
    return x


def peak(x: Array, hz: float, gain_db: float, q: float) -> Array:
    """The peak filter of R. Bristow-Johnson's cookbook."""
    a, w = 10 ** (gain_db / 40), 2 * np.pi * hz / RATE
    alpha = np.sin(w) / (2 * q)
    over = [1 + alpha * a, -2 * np.cos(w), 1 - alpha * a]
    under = [1 + alpha / a, -2 * np.cos(w), 1 - alpha / a]
    return lfilter(np.array(over) / under[0], np.array(under) / under[0], x)


def test_gate_capture_cabinet_equalizer_delay_and_reverb_are_the_composition_of_their_parts() -> (
    None
):
    lib = pytest.importorskip("tests.nam.library", reason="the reference library is not here")
    amp = lib.a1((8, 4))
    cabinet = 0.02 * noise(RATE // 2, level=1.0, seed=5)[0] * np.exp(-np.arange(RATE // 2) / 4000)
    file = on_disk(b"cabinet", ".wav")
    soundfile.write(file, cabinet, RATE, subtype="FLOAT")
    cabinet = soundfile.read(file)[0]
    rig = sound(
        effect("NoiseGate", **GATE),
        model(on_disk(json.dumps(lib.exported(amp)).encode(), ".nam")),
        effect("Convolution", impulse_response_filename=file),
        effect("PeakFilter", cutoff_frequency_hz=800.0, gain_db=-4.0, q=0.7),
        effect("Delay", **ECHO),
        effect("Reverb", **ROOM),
    )
    assert path_of(rig).latency == 0
    x = played()
    found = offline(rig, x)[0, :LENGTH]

    y = pedalboard.NoiseGate(**GATE)(x, RATE)[0]
    y = fftconvolve(lib.forward(amp, y), cabinet)[:LENGTH]
    y = peak(y, 800.0, -4.0, 0.7).astype(np.float32)
    behind = pedalboard.Pedalboard([pedalboard.Delay(**ECHO), pedalboard.Reverb(**ROOM)])
    expected = behind(y[None], RATE)[0]
    assert 0.01 < np.abs(expected).max() < 0.8  # the limiter has nothing to do
    assert null_db(found, expected) <= -110.0

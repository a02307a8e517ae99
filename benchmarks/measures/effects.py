"""Native effects beside pedalboard's: what differs, and what each costs.

Each effect plays the same phrase (noise and tones that swell and pause) in stereo; the null is the
level of the difference relative to pedalboard's output.  Costs are the least of many rounds in one
run, for blocks of 64 samples: the native step from compiled code, pedalboard's from Python, as
either is called while sound runs.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import numpy.typing as npt
import pedalboard
from numba import njit

from realtime.native.intrinsics import call_hop, clock_address, monotonic_ns
from realtime.stages.build import make_effect

from ..rig.tables import Row

RATE, BLOCK, ROUNDS, CALLS = 48000, 64, 40, 100
Array = npt.NDArray[np.float32]
CASES: dict[str, dict[str, Any]] = {
    "Gain": {"gain_db": -3.0},
    "Invert": {},
    "NoiseGate": {"threshold_db": -30.0},
    "Compressor": {"threshold_db": -30.0, "ratio": 8.0},
    "Limiter": {"threshold_db": -20.0},
    "LowpassFilter": {"cutoff_frequency_hz": 3000.0},
    "HighpassFilter": {"cutoff_frequency_hz": 80.0},
    "PeakFilter": {"cutoff_frequency_hz": 2000.0, "gain_db": 9.0},
    "LowShelfFilter": {"cutoff_frequency_hz": 2000.0, "gain_db": 9.0},
    "HighShelfFilter": {"cutoff_frequency_hz": 3000.0, "gain_db": 9.0},
    "LadderFilter": {"cutoff_hz": 900.0, "resonance": 0.5, "drive": 3.0},
    "Distortion": {"drive_db": 25.0},
    "Clipping": {"threshold_db": -12.0},
    "Bitcrush": {"bit_depth": 6.0},
    "Delay": {"delay_seconds": 0.1, "feedback": 0.6, "mix": 0.4},
    "Chorus": {"feedback": 0.3},
    "Phaser": {"feedback": 0.3},
    "Reverb": {"room_size": 0.7},
}
LOW: dict[str, dict[str, Any]] = {
    "PeakFilter, 100 Hz": {"cutoff_frequency_hz": 100.0, "gain_db": -20.0, "q": 2.0},
    "LowShelfFilter, 100 Hz": {"cutoff_frequency_hz": 100.0, "gain_db": -20.0, "q": 2.0},
    "HighShelfFilter, 100 Hz": {"cutoff_frequency_hz": 100.0, "gain_db": -20.0, "q": 2.0},
}
"""Where the two differ on purpose."""
COLUMNS = {
    "effect": "effect",
    "null_db": "null dB",
    "native_ns": "native, ns a sample",
    "pedalboard_ns": "pedalboard, ns a sample",
    "times": "times cheaper",
}


@njit(nogil=True, error_model="numpy")
def _steps(step, argument, block, address, calls, clock):  # type: ignore[no-untyped-def]
    """Nanoseconds for so many steps over copies of a block ``[channels, n]``."""
    fresh = block.copy()
    total = 0
    for _ in range(calls):
        for c in range(block.shape[0]):
            for i in range(block.shape[1]):
                block[c, i] = fresh[c, i]
        begin = monotonic_ns(clock)
        call_hop(step, (argument, address, block.shape[1]))
        total += monotonic_ns(clock) - begin
    return total


@njit(nogil=True, error_model="numpy")
def _nothing(calls, clock):  # type: ignore[no-untyped-def]
    """What reading the clock costs so many times."""
    total = 0
    for _ in range(calls):
        begin = monotonic_ns(clock)
        total += monotonic_ns(clock) - begin
    return total


def phrase(seconds: float = 2.0, channels: int = 2) -> Array:
    """Noise and tones that swell and pause ``[channels, n]``."""
    rng = np.random.default_rng(0)
    t = np.arange(round(seconds * RATE)) / RATE
    swell = 0.002 + np.abs(np.sin(2 * np.pi * 1.7 * t)) ** 4
    tones = 0.3 * np.sin(2 * np.pi * 110.0 * t) + 0.2 * np.sin(2 * np.pi * 740.0 * t)
    return ((tones + rng.uniform(-0.2, 0.2, (channels, t.size))) * swell).astype(np.float32)


def played(stage: Any, x: Array) -> Array:
    """Step a prepared native effect over `x`; a new array."""
    parts = []
    for start in range(0, x.shape[1], BLOCK):
        block = np.array(x[:, start : start + BLOCK], order="C")
        _steps(stage.step_address, stage.argument, block, block.ctypes.data, 1, clock_address())
        parts.append(block)
    return np.concatenate(parts, axis=1)


def null_db(found: Array, expected: Array) -> float:
    """Level of the difference."""
    error = np.square(found.astype(np.float64) - expected).mean()
    power = np.square(expected.astype(np.float64)).mean()
    return round(float(10 * np.log10(max(error, 1e-30) / power)), 1) if error else float("-inf")


def native_ns(stage: Any, block: Array) -> float:
    """Least time of a step [ns]."""
    clock = clock_address()
    least, nothing = 1e18, 1e18
    for _ in range(ROUNDS):
        own = block.copy()
        address = own.ctypes.data
        spent = _steps(stage.step_address, stage.argument, own, address, CALLS, clock)
        least, nothing = min(least, spent), min(nothing, _nothing(CALLS, clock))
    return (least - nothing) / CALLS


def pedalboard_ns(plugin: Any, block: Array) -> float:
    """Least time of a call [ns]."""
    least = 1e18
    for _ in range(ROUNDS):
        begin = time.perf_counter_ns()
        for _ in range(CALLS):
            plugin.process(block, RATE, buffer_size=BLOCK, reset=False)
        least = min(least, time.perf_counter_ns() - begin)
    return least / CALLS


def rows() -> list[Row]:
    """One row for each effect."""
    x = phrase()
    block = np.ascontiguousarray(x[:, 5000 : 5000 + BLOCK])
    found: list[Row] = []
    for label, parameters in {**CASES, **LOW}.items():
        name = label.split(",")[0]
        stage: Any = make_effect(name, parameters)
        stage.prepare(RATE, x.shape[0], BLOCK)
        plugin = getattr(pedalboard, name)(**parameters)
        expected = plugin.process(x, RATE, buffer_size=8192, reset=True)
        row: Row = {"effect": label, "null_db": null_db(played(stage, x), expected)}
        if label in CASES:
            native = native_ns(stage, block) / block.size
            other = pedalboard_ns(plugin, block) / block.size
            row |= {
                "native_ns": round(native, 2),
                "pedalboard_ns": round(other, 1),
                "times": round(other / native, 1),
            }
        found.append(row)
    return found

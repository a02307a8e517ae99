"""Play native effects the way a path does, and compare what they make."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pedalboard

from realtime.engine.path import Path
from realtime.engine.placed import Placed, Slot
from realtime.engine.slot import run_at
from realtime.stages.build import make_effect
from realtime.stages.native.stage import NativeEffect

from ...signals import Array, cut

RATE = 48000
PLAIN: dict[str, dict[str, Any]] = {
    "Bitcrush": {"bit_depth": 6.0},
    "Chorus": {"feedback": 0.3, "depth": 0.6},
    "Clipping": {"threshold_db": -12.0},
    "Compressor": {"threshold_db": -30.0, "ratio": 8.0},
    "Delay": {"delay_seconds": 0.1, "feedback": 0.6, "mix": 0.4},
    "Distortion": {},
    "Gain": {"gain_db": -3.0},
    "HighShelfFilter": {"cutoff_frequency_hz": 3000.0, "gain_db": 9.0},
    "HighpassFilter": {"cutoff_frequency_hz": 300.0},
    "Invert": {},
    "LadderFilter": {"mode": "BPF24", "cutoff_hz": 900.0, "resonance": 0.5, "drive": 3.0},
    "Limiter": {"threshold_db": -20.0},
    "LowShelfFilter": {"cutoff_frequency_hz": 2000.0, "gain_db": 9.0},
    "LowpassFilter": {"cutoff_frequency_hz": 3000.0},
    "NoiseGate": {"threshold_db": -30.0},
    "PeakFilter": {"cutoff_frequency_hz": 2000.0, "gain_db": 9.0},
    "Phaser": {"feedback": 0.3, "depth": 0.7},
    "Reverb": {"room_size": 0.7, "width": 0.5},
}
"""Every native effect but Convolution, doing something to be heard."""


class Player:
    """One effect in a slot of a path with hops of `hop` samples."""

    def __init__(
        self, name: str, channels: int = 1, hop: int = 64, rate: int = RATE, **parameters: Any
    ) -> None:
        self.stage = make_effect(name, parameters)
        assert isinstance(self.stage, NativeEffect)
        self.stage.prepare(rate, channels, hop)
        self.slot = Slot(self.stage, 1, channels, rate)
        self.path = Path([self.slot], channels=channels, sample_rate=rate, hop=hop)
        assert self.path.native

    def play(self, x: Array) -> Array:
        """Whole hops of `x`; the path's own limiter has nothing to do below full scale."""
        return self.path.process_hops(x)

    def turn(self, name: str, value: float) -> None:
        """Ask for a value, as an event does: it ramps from the next hop on."""
        number = self.slot.placed.number(name)
        self.slot.placed.record.arrays["targets"][number] = value


def stepped(stage: NativeEffect, x: Array, sizes: Sequence[int]) -> Array:
    """Step a prepared effect over blocks of these sizes."""
    placed = Placed(stage, x.shape[0], RATE)
    parts = []
    for block in cut(x, sizes):
        block = np.array(block, order="C")
        assert run_at(placed.address, block, block.ctypes.data) == 1
        parts.append(block)
    return np.concatenate(parts, axis=1)


def prepared(name: str, channels: int = 1, rate: int = RATE, **parameters: Any) -> NativeEffect:
    """An effect ready to be stepped."""
    stage = make_effect(name, parameters)
    assert isinstance(stage, NativeEffect)
    stage.prepare(rate, channels, 64)
    return stage


def peer(name: str, x: Array, rate: int = RATE, **parameters: Any) -> Array:
    """What pedalboard makes of the whole signal."""
    kind = getattr(pedalboard, name)
    given = {k: getattr(kind, v) if k == "mode" else v for k, v in parameters.items()}
    made: Array = kind(**given).process(x, rate, buffer_size=8192, reset=True)
    return made


def null_db(found: Array, expected: Array) -> float:
    """Level of the difference relative to what was expected."""
    error = np.square(found.astype(np.float64) - expected).mean()
    power = np.square(expected.astype(np.float64)).mean()
    return float(10.0 * np.log10(max(error, 1e-30) / max(power, 1e-30)))


def phrase(seconds: float = 1.5, channels: int = 1, seed: int = 0) -> Array:
    """Noise and tones that swell and pause, with steps: what a rig hears."""
    rng = np.random.default_rng(seed)
    n = round(seconds * RATE)
    t = np.arange(n) / RATE
    swell = 0.002 + np.abs(np.sin(2 * np.pi * 1.7 * t)) ** 4
    tones = 0.3 * np.sin(2 * np.pi * 110.0 * t) + 0.2 * np.sin(2 * np.pi * 740.0 * t)
    x = (tones + rng.uniform(-0.2, 0.2, (channels, n))) * swell
    x[:, n // 2 : n // 2 + 2000] = 0.25  # a step up and one down
    return x.astype(np.float32)

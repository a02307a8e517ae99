"""Changes to training batches on the fly, all chance from one generator.

What both signals must share (gain, polarity, speed, time shift) is done to dry and wet alike; what
a microphone or a line adds (noise, a band above what was recorded) to dry alone.  Everything is off
until a recipe turns it on: gain and polarity suit styles that treat them alike, and speed suits
instruments and voices, not a filter or an amplifier that would have to be learnt at another tuning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import soxr
import torch

from realtime.errors import ConfigError

from ..manifest import SAMPLE_RATE
from .noise import COLOURS, coloured_noise, fill_high_band

Array = npt.NDArray[np.float32]
Signal = TypeVar("Signal", Array, torch.Tensor)


@dataclass(frozen=True)
class Augment:
    """Augmentation of ``[batch, n]`` pairs at 48 kHz; each row draws its own values.

    Attributes
    ----------
    gain_db : (float, float)
        Gain for dry and wet, uniform in dB.
    flip : float
        Probability of turning the polarity of both.
    speed : (float, float)
        Playing speed of both, log-uniform; pitch goes along.  Where a row gets shorter, silence
        comes before it, so that the style has all of its past inside the row.
    shift : int [samples]
        Both come up to so much later, after silence.
    noise : float
        Probability of noise on dry.
    noise_db : (float, float)
        Ratio of dry to noise, in dB.
    fill : float
        Probability of a band above `fill_hz` for dry, where speech of a low sample rate has none.
    fill_hz : float
    fill_db : (float, float)
        Level of that band, relative to the octave below `fill_hz`.
    """

    gain_db: tuple[float, float] = (0.0, 0.0)
    flip: float = 0.0
    speed: tuple[float, float] = (1.0, 1.0)
    shift: int = 0
    noise: float = 0.0
    noise_db: tuple[float, float] = (20.0, 50.0)
    fill: float = 0.0
    fill_hz: float = 7500.0
    fill_db: tuple[float, float] = (-24.0, -6.0)

    def __post_init__(self) -> None:
        for name in ("gain_db", "speed", "noise_db", "fill_db"):
            low, high = getattr(self, name)
            if not low <= high:
                raise ConfigError(f"{name} must be (least, most), got ({low:g}, {high:g})")
        for name in ("flip", "noise", "fill"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"{name} is a probability from 0 to 1, got {getattr(self, name)}")
        if not 0.25 <= self.speed[0] or not self.speed[1] <= 4:
            raise ConfigError(f"speed must lie from 0.25 to 4, got {self.speed}")
        if self.shift < 0:
            raise ConfigError(f"shift must be 0 samples or more, got {self.shift}")

    def __call__(self, dry: Signal, wet: Signal, rng: np.random.Generator) -> tuple[Signal, Signal]:
        """Return changed copies of ``dry`` and ``wet [shape=(batch, n), float32]``.

        The same generator state gives the same samples, for arrays and tensors alike.
        """
        if isinstance(dry, torch.Tensor):
            made = self._run(dry.detach().cpu().numpy(), wet.detach().cpu().numpy(), rng)
            new_dry, new_wet = (torch.from_numpy(a).to(dry) for a in made)
            return new_dry, new_wet
        return self._run(dry, wet, rng)

    def _run(self, dry: Array, wet: Array, rng: np.random.Generator) -> tuple[Array, Array]:
        if dry.ndim != 2 or dry.shape != wet.shape:
            raise ConfigError(
                f"expected dry and wet [batch, n] alike, got {dry.shape} and {wet.shape}"
            )
        dry, wet = dry.astype(np.float32), wet.astype(np.float32)
        for row in range(len(dry)):
            draws = np.random.default_rng(int(rng.integers(2**63)))  # rows stay independent
            dry[row], wet[row] = self._row(dry[row], wet[row], draws)
        return dry, wet

    def _row(self, dry: Array, wet: Array, rng: np.random.Generator) -> tuple[Array, Array]:
        speed = float(np.exp(rng.uniform(*np.log(self.speed))))
        shift = int(rng.integers(self.shift + 1))
        gain = 10 ** (rng.uniform(*self.gain_db) / 20) * (-1 if rng.random() < self.flip else 1)
        noisy, ratio_db = rng.random() < self.noise, rng.uniform(*self.noise_db)
        colour = COLOURS[int(rng.integers(len(COLOURS)))]
        filled, level_db = rng.random() < self.fill, rng.uniform(*self.fill_db)
        if speed != 1:
            dry, wet = _faster(dry, speed), _faster(wet, speed)
        if shift:
            dry, wet = (np.pad(x, (shift, 0))[: len(x)] for x in (dry, wet))
        dry, wet = np.float32(gain) * dry, np.float32(gain) * wet
        if filled:
            dry = fill_high_band(dry, SAMPLE_RATE, rng, self.fill_hz, level_db)
        if noisy:
            dry = add_noise(dry, coloured_noise(len(dry), colour, rng, SAMPLE_RATE), ratio_db)
        return dry, wet


def add_noise(x: Array, noise: Array, ratio_db: float) -> Array:
    """Add noise so that the power of `x` is `ratio_db` above the noise's; silence stays silent."""
    signal, disturbance = (float(np.square(a, dtype=np.float64).mean()) for a in (x, noise))
    if signal == 0 or disturbance == 0:
        return x
    gain = np.sqrt(signal / disturbance) * 10 ** (-ratio_db / 20)
    return np.asarray(x + np.float32(gain) * noise, dtype=np.float32)


def _faster(x: Array, speed: float) -> Array:
    """Play at `speed`, length kept: the beginning is cut off, or silence put before it."""
    n = len(x)
    y = np.asarray(soxr.resample(x, speed, 1.0, quality="HQ"), dtype=np.float32)
    return y[:n] if len(y) >= n else np.pad(y, (n - len(y), 0))

"""One native effect by itself, as a path plays it."""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from realtime.engine.path import Path
from realtime.engine.placed import Slot
from realtime.stages.build import make_effect

Array = npt.NDArray[np.float32]
RATE, HOP = 48000, 64


def alone(name: str, given: Mapping[str, float], channels: int = 1) -> Path:
    """A path with nothing but the effect, at :data:`RATE` in hops of :data:`HOP`."""
    stage = make_effect(name, given)
    stage.prepare(RATE, channels, HOP)
    slot = Slot(stage, channels, channels, RATE)
    return Path([slot], channels=channels, sample_rate=RATE, hop=HOP)


def made_of(x: Array, name: str, given: Mapping[str, float]) -> tuple[Array, float]:
    """What the effect makes of ``[n]``, its latency taken off, and seconds it took."""
    path = alone(name, given)
    rest = path.latency + HOP - (len(x) + path.latency) % HOP
    padded = np.pad(x, (0, rest)).astype(np.float32)[None]
    begin = time.perf_counter()
    y = path.process_hops(padded)[0]
    return y[path.latency : path.latency + len(x)], time.perf_counter() - begin

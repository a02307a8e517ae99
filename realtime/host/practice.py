"""Play a moment of silence through both lanes, so that nothing is compiled once sound runs."""

from __future__ import annotations

import numpy as np

from ..devices.simulated import SimulatedDevice
from ..engine.group import Group
from ..engine.path import Path
from ..engine.placed import Slot
from ..session.stream import Stream
from ..stages.build import make_effect

RATE, BLOCK = 48_000, 64


def practise() -> None:
    """Run every lane once in virtual time."""
    silence = np.zeros((1, 512), dtype=np.float32)
    for lane in ("inline", "worker", "python"):
        group = Group([((), 0.0)])
        group.prepare(RATE, 1, BLOCK)
        stages = [Slot(group, 1, 1, RATE)]
        if lane == "python":
            effect = make_effect("Gain", {})
            effect.prepare(RATE, 1, BLOCK)
            stages.append(Slot(effect, 2, 1, RATE))
        path = Path(stages, sample_rate=RATE, hop=BLOCK, block_size=BLOCK, mix=0.5)
        device = SimulatedDevice(silence, RATE, BLOCK)
        stream = Stream(path, device, lane="worker" if lane == "python" else lane)
        stream.start()
        try:
            stream.wait()
        finally:
            stream.stop()
            path.close()

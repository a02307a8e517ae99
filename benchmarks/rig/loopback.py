"""Round trip through real PortAudio: declared latency plus the device's periods, to the sample.

Runs in a process of its own under a dummy JACK server (:mod:`benchmarks.rig.jack`), PortAudio's own
output connected to its own input.  The device alone is measured first, with a bare copy; then
every row must be exactly that much later than restyle declares.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from realtime.devices.list import find_device
from realtime.devices.one_card import PortAudioDevice
from realtime.session.session import Session
from realtime.session.sound import Device, Setup

from . import jack
from .alignment import LANES, MISMATCH, OK, declared, make_signal, offline, shift_of
from .child import answer
from .probe import ProbedDevice
from .sounds import one_model

Array = npt.NDArray[np.float32]
DEVICE = f"system {jack.API}"


def device_index() -> int:
    """PortAudio's index of the dummy server's device."""
    return find_device(DEVICE, "input").index


def open_device(sample_rate: int, block: int) -> PortAudioDevice:
    """The dummy server's device; without asking for a block size PortAudio adds no buffer."""
    return PortAudioDevice(DEVICE, DEVICE, sample_rate=sample_rate, block_size=block, channels=1)


def measure(job: dict[str, Any]) -> dict[str, Any]:
    """Rows for ``job = {models, block, seconds, sample_rate}`` and the bare device's latency."""
    rate, block = job["sample_rate"], job["block"]
    x = make_signal(int(job["seconds"] * rate), rate)
    device = open_device(rate, block)

    def probed() -> ProbedDevice:
        return ProbedDevice(device, x[0], jack.connect_loop)

    alone = shift_of(probed().play_bare(), x[0])
    rows = []
    for name, path in job["models"]:
        model = Path(path) if path else None
        wanted = {m: offline(model, x, rate, m)[0] for m in ((0.0, 1.0) if model else (1.0,))}
        for lane in LANES:
            found: dict[str, int | None] = {"dry": None}
            for mix, reference in wanted.items():
                loop = probed()
                setup = Setup(one_model(model, mix=mix), Device(lane=lane))
                with Session(setup, loop) as session:
                    session.wait(job["seconds"] + 2.0)
                found["wet" if mix else "dry"] = shift_of(loop.tape, reference)
            budget = session.stream.budget
            due = budget.declared + (alone or 0)
            same = alone is not None and {due} == {v for v in found.values() if v is not None}
            rows.append(
                {
                    "model": name,
                    "block": block,
                    "lane": lane,
                    **declared(budget),
                    "device": alone,
                    "round_trip": due,
                    **found,
                    "ms": round(1000 * due / rate, 3),
                    "verdict": OK if same else MISMATCH,
                }
            )
    return {"device": alone, "rows": rows}


if __name__ == "__main__":
    answer(measure)

"""The inline lane goes on while Python code keeps the GIL."""

from __future__ import annotations

import ctypes
import sys
import threading
import time

import numpy as np
import pytest
from realtime.engine.engine import Engine
from realtime.session.config import StreamConfig

from realtime.devices.simulated import SimulatedDevice
from realtime.models.streaming import load_model
from realtime.session.session import Session

from ..graphs import identity_spectrum
from ..networks import gru_model
from ..signals import noise

HOLD_NS = 200_000_000
HOLDS = 5


def hold_the_gil() -> None:
    """Sleep in C without giving the GIL away (a PyDLL call keeps it)."""
    ctypes.PyDLL(None).usleep(ctypes.c_uint(HOLD_NS // 1000))


@pytest.mark.skipif(sys.platform == "win32", reason="needs usleep of the C library")
@pytest.mark.parametrize("make", [gru_model, identity_spectrum])
@pytest.mark.parametrize("block", [64, 128])
def test_no_model_step_is_missed_while_the_gil_is_held(make, block: int) -> None:  # type: ignore[no-untyped-def]
    model = load_model(make())
    x = noise(int(1.6 * 48000) // 128 * 128)
    device = SimulatedDevice(x, 48000, block, paced=True)
    session = Session(StreamConfig(lane="inline"), device, model)
    session.engine.set_deadline(0.0)  # a busy machine's late hops are to be heard, not replaced

    pauses: list[int] = []  # of a Python thread, as the control
    played: list[int] = []  # samples, during each hold
    done = threading.Event()

    def tick() -> None:
        last = time.monotonic_ns()
        while not done.is_set():
            time.sleep(0.001)
            now = time.monotonic_ns()
            pauses.append(now - last)
            last = now

    ticker = threading.Thread(target=tick)
    with session:
        while device.position == 0:
            time.sleep(0.001)
        ticker.start()
        for _ in range(HOLDS):
            before = device.position
            hold_the_gil()
            played.append(device.position - before)
            time.sleep(0.02)
        held_until = device.position
        session.wait()
    done.set()
    ticker.join()

    assert sum(p >= 0.95 * HOLD_NS for p in pauses) >= HOLDS - 1  # Python did stand still
    assert held_until < device.position  # and sound went on after the last hold
    # some callbacks came in each hold, however many a busy machine let through
    assert sum(n > 0 for n in played) >= HOLDS - 1, played
    counters = session.memory.counters()
    assert counters["callbacks"] == device.position // block
    assert session.engine.counters()["hops"] == device.position // session.engine.hop_length
    declared = session.budget.declared
    n = x.shape[1] - session.engine.hop_length
    expected = Engine(model).process_hops(x)[:, : n - declared]
    start = declared - session.engine.latency
    assert np.array_equal(device.recording[:, start : start + n - declared], expected)

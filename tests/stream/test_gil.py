"""The inline lane goes on while Python code keeps the GIL."""

from __future__ import annotations

import ctypes
import sys
import threading
import time

import numpy as np
import pytest

from ..graphs import identity_spectrum
from ..networks import gru_model
from ..signals import noise
from ..sounds import Player, model, offline, sound

HOLD_NS = 200_000_000
HOLDS = 5


def hold_the_gil() -> None:
    """Sleep in C without giving the GIL away (a PyDLL call keeps it)."""
    ctypes.PyDLL(None).usleep(ctypes.c_uint(HOLD_NS // 1000))


@pytest.mark.skipif(sys.platform == "win32", reason="needs usleep of the C library")
@pytest.mark.parametrize("make", [gru_model, identity_spectrum])
@pytest.mark.parametrize("block", [64, 128])
def test_no_model_step_is_missed_while_the_gil_is_held(make, block: int) -> None:  # type: ignore[no-untyped-def]
    what = sound(model(make()))
    x = noise(int(1.6 * 48000) // 128 * 128)
    player = Player(what, x, block, "inline", paced=True)
    device, stream = player.device, player.session.stream
    stream.path.set_deadline(0.0)  # a busy machine's late hops are to be heard, not replaced

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
    with player:
        while device.position == 0:
            time.sleep(0.001)
        ticker.start()
        for _ in range(HOLDS):
            before = device.position
            hold_the_gil()
            played.append(device.position - before)
            time.sleep(0.02)
        held_until = device.position
        player.finish()
        counters, declared = player.counters, player.declared
    done.set()
    ticker.join()

    assert sum(p >= 0.95 * HOLD_NS for p in pauses) >= HOLDS - 1  # Python did stand still
    assert held_until < device.position  # and sound went on after the last hold
    # some callbacks came in each hold, however many a busy machine let through
    assert sum(n > 0 for n in played) >= HOLDS - 1, played
    assert counters["callbacks"] == device.position // block
    assert stream.path.counters()["hops"] == device.position // stream.path.hop
    n = x.shape[1] - stream.path.hop
    expected = offline(what, x)[:, : n - declared]
    start = declared - stream.path.latency
    assert np.array_equal(device.recording[:, start : start + n - declared], expected)

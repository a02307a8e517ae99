from __future__ import annotations

import time

import numpy as np
import pytest

from benchmarks.rig import loads, machine
from benchmarks.rig.contenders import Bare, snapshot
from benchmarks.rig.pace import PacedDevice, wake_lateness
from realtime.native.intrinsics import clock_address


def test_timer_lateness_is_counted() -> None:
    late = wake_lateness(500.0, 60)
    assert 0 < late.size <= 60
    assert (late >= 0).all()


def test_cycles_that_pass_are_missed_not_made_up() -> None:
    device = PacedDevice(48)  # 1 ms
    contender = Bare(device)
    snapshot(contender.counts, clock_address())
    begin = time.monotonic()
    contender.start()
    while snapshot(contender.counts, clock_address())[0] < 20 and time.monotonic() < begin + 120:
        time.sleep(0.01)
    contender.stop()
    ran_ms = 1000 * (time.monotonic() - begin)
    assert device.error is None and not device.active
    seen, _ = snapshot(contender.counts, clock_address())
    assert 20 <= seen <= ran_ms + 1  # one a millisecond at most: none is made up
    assert np.array_equal(device._out, device._in)
    assert contender.histograms()["interval"].sum() == seen - 1


def test_own_work_and_that_of_children_is_not_that_of_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ticks = iter([[0] * 10, [300, 0, 100, 500, 100, 0, 0, 0, 0, 0]])  # 1000, of which 400 busy
    monkeypatch.setattr(machine, "_ticks", lambda: next(ticks))
    spent = iter([(0.0, 0.0, 0.0, 0.0, 0.0), (0.5, 0.25, 1.0, 0.25, 9.0)])  # 2 s in all
    monkeypatch.setattr(machine.os, "times", lambda: next(spent))
    monkeypatch.setattr(machine.os, "sysconf", lambda name: 100)
    found = machine.Others().share()
    assert found == {"busy_percent": 20.0, "steal_percent": 0.0}


@pytest.mark.parametrize("name", ["none", "gil", "cpu"])
def test_loads_start_and_end(name: str) -> None:
    with loads.load(name):
        pass

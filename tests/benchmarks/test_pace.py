from __future__ import annotations

import time

import numpy as np
import pytest

from benchmarks import loads
from benchmarks.contenders import Bare, snapshot
from benchmarks.pace import PacedDevice, wake_lateness
from realtime.native import clock_address


def test_timer_lateness_is_counted() -> None:
    late = wake_lateness(500.0, 60)
    assert 0 < late.size <= 60
    assert (late >= 0).all()


def test_cycles_that_pass_are_missed_not_made_up() -> None:
    device = PacedDevice(48)  # 1 ms
    contender = Bare(device)
    snapshot(contender.counts, clock_address())
    contender.start()
    time.sleep(0.1)
    contender.stop()
    assert device.error is None and not device.active
    seen, _ = snapshot(contender.counts, clock_address())
    assert 0 < seen <= 1000 * 10
    assert np.array_equal(device._out, device._in)
    assert contender.histograms()["interval"].sum() == seen - 1


@pytest.mark.parametrize("name", ["none", "gil", "cpu"])
def test_loads_start_and_end(name: str) -> None:
    with loads.load(name):
        time.sleep(0.02)

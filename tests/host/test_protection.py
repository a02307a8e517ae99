"""Ears are spared on a card that plays: fades, ceiling, DC; and a replay gives the same bits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from realtime.devices.shared_simulated import Tape
from realtime.host.host import Host
from realtime.host.replay import replay
from realtime.host.session_log import Capture
from realtime.session.operations import Load
from realtime.session.sound import Device, Setup, Sound, Stage

from ..signals import sine

RATE = 48_000
CEILING = 10 ** (-1 / 20)
LOUD = Sound((Stage(effect="Gain", parameters={"gain_db": 12.0}, identity=2),), output_gain_db=24.0)


def test_what_a_card_plays_begins_ends_and_stays_soft(tmp_path: Path) -> None:
    x = sine(60 * RATE, 997.0, 0.02) + np.float32(0.001)
    tape = Tape.make(x, RATE, 64)
    quiet = Sound((Stage(effect="Gain", identity=1),))
    setup = Setup(quiet, Device(kind="tape", tape=tape.name, ceiling_db=-1.0))
    tape.hold(0)
    host = Host(setup, standby=False, journal=True)
    try:
        capture = Capture(host, tmp_path / "session", lambda text: None)
        host.start()
        capture.start()
        tape.hold(1 << 40)
        host.wait(1.0)
        at = tape.position
        host.do(Load(LOUD))
        host.wait(3.0)
        stats, log = host.stats(), host.changes()
        host.stop()
        capture.finish(log, stats)
        end = tape.position
        y = tape.output[:end, 0].copy()
    finally:
        host.close()
        tape.close()
    again = replay(tmp_path / "session")
    assert again.output.shape[1] > 3 * RATE
    if stats["xruns"]["concealed_samples"]:  # on a starved machine: not to be had again, and said
        assert "concealed" in " ".join(again.remarks)
    else:
        assert again.differing == 0
    assert np.abs(np.diff(y[:2000])).max() < 0.005 and abs(y[0]) < 1e-6  # a fade, not a step
    begin = np.abs(y[at : at + RATE // 10])
    assert begin.max() < 0.02 * 10 ** (18 / 20)  # at most 12 dB more, and a little rise
    assert np.abs(y).max() <= np.float32(CEILING)
    loud = y[at + 5 * RATE // 2 : -RATE // 10]
    assert np.abs(loud).max() == pytest.approx(CEILING, rel=0.01)
    heard = np.flatnonzero(y)
    assert np.abs(y[heard[-1] - 20 : heard[-1] + 1]).max() < 0.01  # it fades out to silence

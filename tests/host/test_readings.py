"""What stages measure, from the engine to whoever asks the host."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.rig.strings import STRINGS, pluck
from realtime.session.operations import Remove
from realtime.session.sound import Stage

from .cards import RATE, playing


def test_pitch_beat_and_loop_reach_the_host_and_go_with_their_stages() -> None:
    string = np.tile(pluck(STRINGS[3], 4.0), 60)[None]
    stages = (Stage(effect="Tuner"), Stage(effect="Metronome"))
    with playing(x=string, stages=stages) as played:
        host = played.host
        played.until(lambda: host.meters().get("tuner_hz"))
        played.until(lambda: host.meters().get("tuner_note") == 40.0)
        played.until(lambda: abs(host.meters()["tuner_cents"] - 4.0) < 1.0)
        played.until(lambda: host.meters()["beat"] == 3.0)
        assert "loop_state" not in host.meters()
        looper = played.insert(effect="Looper", parameters={"seconds": 5.0, "quantise": "off"})
        played.until(lambda: host.meters().get("loop_state") == 0.0)
        host.set("3.record", 1.0)
        played.until(lambda: host.meters()["loop_state"] == 2.0)
        played.play_on(0.5)
        host.set("3.record", 0.0)
        played.until(lambda: host.meters()["loop_state"] == 3.0)
        assert 0.4 < host.meters()["loop_seconds"] <= 5.0
        assert host.stats()["meters"]["input_peak_db"] > -60.0
        host.do(Remove(looper))
        played.until(lambda: "loop_state" not in host.meters())
        assert host.meters()["tuner_hz"] == pytest.approx(82.6, abs=0.2)
    assert RATE == 48000

"""The VST3 in pedalboard (JUCE), which renders offline: its sound, and its state."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pedalboard
import pytest

from benchmarks.measures import instances
from benchmarks.rig.juce_state import kept, restored
from benchmarks.rig.tables import Report
from realtime.audio_files import Clip
from realtime.commands.plugin import to_sound
from realtime.session.render import render

from ..signals import noise

RATE, LONGEST = 48000, 4096
SOUND = """format = 2
[[stage]]
model = "tube-amp"
[[stage]]
effect = "Reverb"
room_size = 0.3
"""


@pytest.fixture(scope="module")
def plugin(built: Path) -> Iterator[Any]:
    yield pedalboard.load_plugin(str(built / "restyle.vst3"))


def test_a_render_in_random_blocks_equals_restyle_render(plugin: Any) -> None:
    restored(plugin, SOUND)
    x = noise(60_000, channels=2)
    expected = render(to_sound(SOUND), Clip(x, RATE)).samples
    plugin.reset()
    parts, k = [plugin.process(x[:, :LONGEST], RATE, buffer_size=LONGEST, reset=False)], LONGEST
    for n in np.random.default_rng(3).integers(1, LONGEST + 1, 1000):
        parts.append(plugin.process(x[:, k : k + n], RATE, buffer_size=LONGEST, reset=False))
        if (k := k + n) >= x.shape[1]:
            break
    y, late = np.concatenate(parts, axis=1), plugin.reported_latency_samples
    assert late >= LONGEST and y.shape[1] == x.shape[1] - late  # pedalboard takes it off
    assert np.array_equal(y, expected[:, : y.shape[1]])


def test_its_state_is_the_sound_and_comes_back(plugin: Any) -> None:
    """What is saved is what plays, and the parameters stand where it has them."""
    found = kept(plugin)
    assert to_sound(found["sound"]) == to_sound(SOUND)
    assert plugin.reported_latency_samples == LONGEST + int(found["latency"])
    assert float(found["parameter_1"]) == 1.0  # mix
    gain = float(found["parameter_2"])  # -100 dB to 24 dB
    assert gain == pytest.approx(100 / 124, abs=1e-6)
    restored(plugin, found["sound"].replace("0.3", "0.9"))
    x = noise(9000, channels=2)
    y = plugin.process(x, RATE, buffer_size=LONGEST, reset=True)
    other = to_sound(SOUND.replace("0.3", "0.9"))
    assert np.array_equal(y, render(other, Clip(x, RATE)).samples)  # its latency taken off


def test_instances_side_by_side_keep_their_own_sounds_and_leave_no_process(built: Path) -> None:
    """Two in one host, an engine of them killed: by the measurement that does it with 64."""
    found = instances.row(Report("instances", "a test"), built / "restyle.vst3", 2, 1)
    assert found["verdict"] == "ok", found
    assert (found["equal"], found["back"], found["left"]) == (2, 2, 0)

"""Tuner, metronome and looper in a session: in files, through changes of the path, measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.rig.strings import STRINGS, pluck
from realtime.audio_files import Clip
from realtime.engine.path import UNHEARD
from realtime.presets.check import Library
from realtime.presets.files import save_preset
from realtime.presets.format import Preset
from realtime.presets.opening import open_preset
from realtime.session.operations import Lane, Remove, Set, Swap
from realtime.session.render import render

from ..graphs import fir_model
from ..signals import Array, noise, random_sizes
from ..sounds import RATE, Player, effect, heard, model, same_bits, sound

BEGIN, LENGTH, FADE = 9600, 9600, 240
BEAT = 24000  # samples at 120 bpm


def plain(hop: int) -> bytes:
    return fir_model(np.array([1.0, 0.0], dtype=np.float32), hop)


def loops() -> tuple[Array, Array]:
    """Noise, silence from the end of the recording on, and the loop that comes of it."""
    x = noise(8 * LENGTH, level=0.3)
    x[:, BEGIN + LENGTH :] = 0.0
    loop = x[:, BEGIN : BEGIN + LENGTH] * np.minimum(1.0, np.arange(1, LENGTH + 1) / FADE)
    return x, loop.astype(np.float32)


def test_a_loop_plays_on_while_the_path_is_made_anew() -> None:
    x, loop = loops()
    what = sound(effect("Looper", seconds=2.0), model(plain(64)))
    with Player(what, x) as player:
        player.at(BEGIN, Set(1, "record", 1.0))
        player.at(BEGIN + LENGTH, Set(1, "record", 0.0))
        player.at(BEGIN + 2 * LENGTH, Swap(2, model(plain(128), identity=3)))  # another hop
        player.at(BEGIN + 4 * LENGTH, Lane("worker"))
        y = player.finish()
        late = player.declared
    assert y.shape[1] >= 7 * LENGTH
    # the latency grows with each change, by which the loop is then later, as all that is heard
    rounds = y[:, BEGIN + 5 * LENGTH + late : BEGIN + 6 * LENGTH + late]
    assert np.abs(rounds - loop).max() < 1e-6
    before = y[:, BEGIN + LENGTH + FADE : BEGIN + 2 * LENGTH]
    assert np.abs(before - loop[:, FADE:]).max() < 1e-6
    fading = y[:, BEGIN + 2 * LENGTH : BEGIN + 4 * LENGTH]
    assert np.abs(fading).max() < 1.01 * np.abs(loop).max()  # never heard twice


def test_a_path_that_is_tried_out_leaves_loop_and_beat_alone() -> None:
    x, loop = loops()
    with Player(sound(effect("Looper", seconds=2.0), effect("Metronome", level_db=-60.0)), x) as p:
        p.at(BEGIN, Set(1, "quantise", 0.0))
        p.at(BEGIN, Set(1, "record", 1.0))
        p.at(BEGIN + LENGTH, Set(1, "record", 0.0))
        p.run_to(BEGIN + 2 * LENGTH)
        tried = p.session._builder.path(p.session.setup.sound)
        tried.record["start"] = UNHEARD
        tried.process_hops(noise(LENGTH, level=0.5))
        tried.close()
        y = p.finish()
    rounds = y[:, BEGIN + 3 * LENGTH : BEGIN + 4 * LENGTH]
    assert np.abs(rounds - loop).max() < 2e-3  # the click at -60 dB


def test_the_click_goes_on_in_another_path() -> None:
    x = np.zeros((1, 8 * BEAT), np.float32)
    with Player(sound(effect("Metronome"), model(plain(64))), x) as player:
        player.at(3 * BEAT + 5120, Swap(2, model(plain(128), identity=3)))
        y = player.finish()[0]
        late = player.declared
    sounds = np.flatnonzero(np.abs(y[900:]) > 1e-6) + 900
    begins = [i for i in sounds if not np.abs(y[i - 900 : i - 3]).any()]
    expected = [k * BEAT + (0 if k <= 3 else late) for k in range(1, 8)]
    found = [min(begins, key=lambda b: abs(b - e)) for e in expected]
    assert np.abs(np.array(found) - expected).max() <= 3


def test_without_a_metronome_nothing_is_quantised() -> None:
    x = noise(11 * LENGTH)
    with Player(sound(effect("Looper", seconds=2.0), effect("Metronome")), x) as player:
        player.at(3008, Remove(2))
        player.at(5 * LENGTH, lambda: None)
        player.at(8 * LENGTH, Set(1, "record", 1.0))
        player.at(9 * LENGTH, Set(1, "record", 0.0))
        player.run_to(10 * LENGTH)
        found = player.session.stream.path.readings()
        player.finish()
    assert found["loop_seconds"] == LENGTH / RATE and found["loop_state"] == 3.0
    assert "beat" not in found


@pytest.mark.parametrize("block", [16, 64, 441, 1024, random_sizes(3)], ids=str)
def test_live_and_offline_give_the_same_bits_at_every_block_size(block: int | list[int]) -> None:
    x = noise(2 * RATE, 2, 0.2)
    what = sound(effect("Tuner"), effect("Metronome", tempo_bpm=171.3), effect("Looper"))
    assert same_bits(heard(what, x, block), render(what, Clip(x, RATE)).samples)


def test_a_tuner_in_a_path_tells_the_pitch() -> None:
    x = np.concatenate([pluck(STRINGS[0], 5.0), np.zeros(RATE, np.float32)])[None]
    with Player(sound(effect("Tuner"), effect("Gain", gain_db=0.0)), x) as player:
        player.run_to(RATE // 2)
        found = player.session.stream.path.readings()
        y = player.finish()
    assert found["tuner_note"] == 28.0
    assert found["tuner_cents"] == pytest.approx(5.0, abs=0.5)
    assert np.array_equal(y[:, : x.shape[1]], x)


def test_files_name_them_as_any_effect(presets_folder: Path) -> None:
    stages = (
        effect("Tuner", mute=True, reference_hz=432.0),
        effect("Looper", quantise="beat", seconds=10.0),
        effect("Metronome", tempo_bpm=93.0, beats=3.0, play=False),
    )
    save_preset("tools", Preset(sound=sound(*stages)))
    read = open_preset("tools", Library()).sound
    assert [s.effect for s in read.stages] == ["Tuner", "Looper", "Metronome"]
    assert read.stages[0].parameters == {"mute": 1.0, "reference_hz": 432.0}
    assert read.stages[1].parameters == {"quantise": 1.0, "seconds": 10.0}
    assert read.stages[2].parameters == {"tempo_bpm": 93.0, "beats": 3.0, "play": 0.0}


def test_the_loopers_memory_is_what_is_asked_for() -> None:
    x = noise(3 * RATE, level=0.1)
    with Player(sound(effect("Looper", seconds=1.0)), x) as player:
        memory = player.session.stream.path.slot(1).stage.record
        player.at(100 * 64, Set(1, "record", 1.0))
        player.run_to(40_000 - 40_000 % 64)
        player.session.do(
            Set(1, "seconds", 2.0), wait=False
        )  # another stage, made beside the sound
        player.finish()
        assert player.session.stream.path.slot(1).stage.record is not memory

"""The looper and the metronome, against what they should be by arithmetic on the input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from realtime.engine.placed import Placed
from realtime.engine.slot import run_at
from realtime.stages.build import make_effect
from realtime.stages.native.common import Common
from realtime.stages.native.looper import FADE_SECONDS
from realtime.stages.native.stage import NativeEffect

from ...signals import Array, noise
from .playing import RATE

FADE = int(FADE_SECONDS * RATE)
Turns = Mapping[int, tuple[int, str, float]]


class Rig:
    """Effects one after the other that share a beat; switches are turned at given samples."""

    def __init__(self, *effects: tuple[str, dict[str, float | str]], channels: int = 1) -> None:
        common = Common()
        self.stages = [
            make_effect(name, values, common=common, identity=i)
            for i, (name, values) in enumerate(effects, 1)
        ]
        for stage in self.stages:
            assert isinstance(stage, NativeEffect)
            stage.prepare(RATE, channels, 64)
        self.placed = [Placed(stage, channels, RATE) for stage in self.stages]

    def play(self, x: Array, turns: Sequence[tuple[int, int, str, float]], size: int) -> Array:
        """Play `x` in blocks of at most `size`; `turns` are (sample, stage, name, value)."""
        y = x.copy()
        edges = sorted({0, x.shape[1], *(t[0] for t in turns), *range(0, x.shape[1], size)})
        for begin, end in zip(edges, edges[1:], strict=False):
            for _, k, name, value in (t for t in turns if t[0] == begin):
                self.placed[k].set(name, value)
            block = np.array(y[:, begin:end], order="C")
            for one in self.placed:
                assert run_at(one.address, block, block.ctypes.data) == 1
            y[:, begin:end] = block
        return y

    def readings(self, k: int = 0) -> Mapping[str, float]:
        stage = self.stages[k]
        assert isinstance(stage, NativeEffect)
        return stage.readings()


LOOPER: tuple[str, dict[str, float | str]] = ("Looper", {"seconds": 3.0})
BEGIN, LENGTH = 5000, 12000
RECORDED = [(BEGIN, 0, "record", 1.0), (BEGIN + LENGTH, 0, "record", 0.0)]


def loop_of(x: Array, begin: int = BEGIN, length: int = LENGTH) -> Array:
    """What a recording repeats: its beginning fades in over what came after its end."""
    rise = np.minimum(1.0, np.arange(1, length + 1) / FADE)
    fall = np.maximum(0.0, 1.0 - np.arange(1, length + 1) / FADE)
    loop: Array = x[:, begin : begin + length] * rise
    loop += fall * x[:, begin + length : begin + 2 * length]
    return loop


@pytest.mark.parametrize("channels", [1, 2])
def test_a_recording_repeats_from_its_end_on(channels: int) -> None:
    x = noise(6 * LENGTH, channels, 0.2)
    y = Rig(LOOPER, channels=channels).play(x, RECORDED, 64)
    assert np.array_equal(y[:, : BEGIN + LENGTH], x[:, : BEGIN + LENGTH])
    heard = y - x
    first = BEGIN + LENGTH
    for k in range(1, 4):  # after the first round, which is heard as it fades in
        part = heard[:, first + k * LENGTH : first + (k + 1) * LENGTH]
        assert np.abs(part - loop_of(x)).max() < 1e-6


def test_every_block_size_gives_the_same_bits() -> None:
    x = noise(RATE * 3, 2, 0.2)
    turns = [
        *RECORDED,
        (30000, 0, "record", 1.0),
        (45000, 0, "record", 0.0),
        (60011, 0, "undo", 1.0),
        (60500, 0, "undo", 0.0),
        (70000, 0, "undo", 1.0),
        (80000, 0, "play", 0.0),
        (90000, 0, "play", 1.0),
        (95001, 0, "record", 1.0),
        (99001, 0, "record", 0.0),
        (100100, 0, "record", 1.0),
        (108000, 0, "record", 0.0),
        (130000, 0, "clear", 1.0),
    ]
    expected = Rig(LOOPER, channels=2).play(x, turns, 1 << 20)
    for size in (16, 37, 64, 333, 1024):
        assert np.array_equal(Rig(LOOPER, channels=2).play(x, turns, size), expected)
    assert np.abs(expected[:, 110000:120000] - x[:, 110000:120000]).max() > 0.1
    assert np.array_equal(expected[:, 131000:], x[:, 131000:])


def test_an_overdub_is_added_and_taken_back_and_brought_again() -> None:
    x = noise(14 * LENGTH, level=0.2)
    at = BEGIN + 3 * LENGTH + 1234
    turns = [
        *RECORDED,
        (at, 0, "record", 1.0),
        (at + 3000, 0, "record", 0.0),
        (BEGIN + 6 * LENGTH - 500, 0, "undo", 1.0),
        (BEGIN + 7 * LENGTH - 1000, 0, "undo", 0.0),
        (BEGIN + 8 * LENGTH - 500, 0, "undo", 1.0),
    ]
    heard = Rig(LOOPER).play(x, turns, 64) - x
    ground, place = loop_of(x), (at - BEGIN) % LENGTH
    more = x[0, at : at + 3000 + FADE].copy()
    more[:FADE] *= np.arange(1, FADE + 1) / FADE
    more[3000:] *= 1.0 - np.arange(1, FADE + 1) / FADE
    dubbed = ground.copy()
    dubbed[0, place : place + more.size] += more

    def round_of(k: int) -> Array:
        return heard[:, BEGIN + k * LENGTH : BEGIN + (k + 1) * LENGTH]

    assert np.abs(round_of(3) - ground).max() < 1e-6  # what is played is not heard twice
    assert np.abs(round_of(4) - dubbed).max() < 1e-6
    assert np.abs(round_of(6) - ground).max() < 1e-6
    assert np.abs(round_of(8) - dubbed).max() < 1e-6


def test_stop_fades_out_and_play_begins_at_the_beginning() -> None:
    x = noise(8 * LENGTH, level=0.2)
    turns = [
        *RECORDED,
        (BEGIN + 2 * LENGTH + 700, 0, "play", 0.0),
        (BEGIN + 3 * LENGTH, 0, "play", 1.0),
    ]
    heard = Rig(LOOPER).play(x, turns, 64) - x
    silent = slice(BEGIN + 2 * LENGTH + 700 + FADE, BEGIN + 3 * LENGTH)
    assert not heard[:, silent].any()
    again = heard[0, BEGIN + 3 * LENGTH + FADE : BEGIN + 4 * LENGTH]
    assert np.abs(again - loop_of(x)[0, FADE:]).max() < 1e-6


def test_taking_an_overdub_back_makes_no_step() -> None:
    # the loop is silent, the overdub a constant: what is heard is the fade itself
    x = np.zeros((1, 8 * LENGTH), np.float32)
    turns = [*RECORDED, (BEGIN + 2 * LENGTH, 0, "record", 1.0)]
    turns += [(BEGIN + 4 * LENGTH, 0, "record", 0.0), (BEGIN + 5 * LENGTH + 6000, 0, "undo", 1.0)]
    x[:, BEGIN + 2 * LENGTH : BEGIN + 3 * LENGTH] = 0.5
    heard = Rig(LOOPER).play(x, turns, 64) - x
    part = heard[0, BEGIN + 5 * LENGTH + 2000 : BEGIN + 5 * LENGTH + 6000 + 2 * FADE]
    assert np.abs(part).max() == pytest.approx(0.5)
    assert np.abs(np.diff(part)).max() < 1.01 * 0.5 / FADE
    assert not part[-FADE + 1 :].any()


def test_a_recording_ends_where_the_memory_does() -> None:
    x = noise(RATE * 3, level=0.2)
    rig = Rig(("Looper", {"seconds": 1.0}))
    heard = rig.play(x, [(1000, 0, "record", 1.0)], 64) - x
    assert rig.readings()["loop_seconds"] == 1.0
    again = heard[0, 1000 + RATE + FADE : 1000 + 2 * RATE]
    assert np.abs(again - loop_of(x, 1000, RATE)[0, FADE:]).max() < 1e-6


CLICK: tuple[str, dict[str, float | str]] = ("Metronome", {"tempo_bpm": 97.3, "beats": 3.0})
BEAT = round(60 * RATE / 97.3)


@pytest.mark.parametrize(("early", "bars"), [(700, 2), (-700, 2), (-3 * BEAT // 2 + 10, 2)])
def test_recordings_are_whole_bars_while_the_metronome_runs(early: int, bars: int) -> None:
    x = noise(RATE * 16, level=0.1)
    rig = Rig(CLICK, ("Looper", {"seconds": 10.0}))
    end = 3 * BEAT + bars * 3 * BEAT - early
    turns = [(1000, 1, "record", 1.0), (end, 1, "record", 0.0)]
    rig.play(x[:, : end + 5000], turns, 64)
    assert rig.readings(1)["loop_seconds"] * RATE == pytest.approx(bars * 3 * BEAT)


def test_a_loop_and_the_click_never_drift_apart() -> None:
    rig = Rig(("Looper", {"seconds": 10.0}), CLICK)
    silence = np.zeros((1, 3 * BEAT), np.float32)
    x = silence.copy()
    x[0, 500] = 0.5
    turns = [(3 * BEAT - 100, 0, "record", 1.0)]
    rig.play(silence, turns, 64)
    rig.play(x, [(BEAT, 0, "record", 0.0)], 64)
    first = rig.play(silence, [], 64)
    for _ in range(40):
        assert np.array_equal(rig.play(silence, [], 64), first)
    assert np.argmax(np.abs(first)) in (500, *range(200))


def test_clicks_come_on_the_beat_and_the_first_of_a_bar_is_higher() -> None:
    x = np.zeros((1, 10 * BEAT), np.float32)
    y = Rig(CLICK).play(x, [], 64)[0]
    for k in range(10):
        assert not y[k * BEAT - 200 : k * BEAT].any()
        click = y[k * BEAT : k * BEAT + 1024]
        spectrum = np.abs(np.fft.rfft(click * np.hanning(1024), 1 << 15))
        found = np.argmax(spectrum) * RATE / (1 << 15)
        assert found == pytest.approx(1760.0 if k % 3 == 0 else 1320.0, abs=15.0)


def test_a_new_tempo_holds_from_the_last_beat_on() -> None:
    x = np.zeros((1, RATE * 4), np.float32)
    rig = Rig(("Metronome", {"tempo_bpm": 120.0}))
    y = rig.play(x, [(30000, 0, "tempo_bpm", 60.0)], 64)[0]
    begins = [i for i in np.flatnonzero(y) if not y[max(0, i - 500) : i].any()]
    assert np.abs(np.array(begins) - [1, 24001, 72001, 120001, 168001]).max() <= 1


def test_a_loop_goes_on_in_another_path() -> None:
    common = Common()
    x = noise(8 * LENGTH, level=0.2)

    def made() -> Placed:
        stage = make_effect("Looper", {"seconds": 3.0}, common=common, identity=7)
        stage.prepare(RATE, 1, 64)
        return Placed(stage, 1, RATE)

    def play(placed: Placed, begin: int, end: int) -> Array:
        stage = placed.stage
        assert isinstance(stage, NativeEffect)
        stage.record["counted"] = begin
        block = np.array(x[:, begin:end], order="C")
        run_at(placed.address, block, block.ctypes.data)
        return block

    old = made()
    play(old, 0, BEGIN)
    old.set("record", 1.0)
    play(old, BEGIN, BEGIN + LENGTH)
    old.set("record", 0.0)
    play(old, BEGIN + LENGTH, BEGIN + 2 * LENGTH)
    new = made()
    both = slice(BEGIN + 2 * LENGTH, BEGIN + 2 * LENGTH + 960)
    one, other = play(old, both.start, both.stop), play(new, both.start, both.stop)
    assert np.array_equal(one, other)  # while one fades to the other
    rest = play(new, both.stop, BEGIN + 3 * LENGTH)
    assert np.abs(rest - x[:, both.stop : BEGIN + 3 * LENGTH] - loop_of(x)[:, 960:]).max() < 1e-6


LATE = 480  # samples from what is heard to what comes in of it: 10 ms
ROUND = ("Looper", {"seconds": 3.0, "late_ms": 10.0})


@pytest.mark.parametrize(("looper", "off"), [(ROUND, 0), (LOOPER, LATE)])
def test_a_layer_lands_where_it_was_played(
    looper: tuple[str, dict[str, float | str]], off: int
) -> None:
    """A cable from output to input is the player: it plays what is heard, and comes in late."""
    x = noise(10 * LENGTH, level=0.2)
    x[:, BEGIN + LENGTH :] = 0.0
    at, end = BEGIN + 3 * LENGTH + 700, BEGIN + 5 * LENGTH + 1200
    alone = Rig(looper).play(x, RECORDED, 64)
    x[:, at:end] = alone[:, at - LATE : end - LATE]
    heard = Rig(looper).play(x, [*RECORDED, (at, 0, "record", 1.0), (end, 0, "record", 0.0)], 64)
    first = alone[:, BEGIN + 7 * LENGTH :]
    layer = heard[:, BEGIN + 7 * LENGTH :] - first
    # two rounds of it everywhere; three where it went on over its own beginning, not compared
    places = (np.arange(LENGTH) - 700 + LATE - off) % LENGTH
    kept = places > 500 + 3 * FADE
    difference = np.abs(layer[:, :LENGTH] - 2 * np.roll(first[:, :LENGTH], off, axis=1))
    assert difference[:, kept].max() < 1e-5


def test_what_is_played_to_the_click_is_repeated_on_the_click() -> None:
    beat = RATE // 2  # 120 bpm
    x = np.zeros((1, 14 * beat), np.float32)
    x[0, np.arange(4, 9) * beat + LATE] = 0.5  # struck as the click is heard
    turns = [(3 * beat + 99, 0, "record", 1.0), (8 * beat + 50, 0, "record", 0.0)]
    looper: tuple[str, dict[str, float | str]] = ("Looper", {"seconds": 4.0, "late_ms": 10.0})
    click = ("Metronome", {"tempo_bpm": 120.0, "level_db": -60.0})
    y = Rig(looper, click).play(x, turns, 64)
    struck = np.flatnonzero(y[0, 9 * beat :] > 0.25) + 9 * beat
    assert np.array_equal(struck, np.arange(9, 14) * beat)

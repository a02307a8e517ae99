"""Undo and redo: every edit is taken back and made again, whoever made it."""

from __future__ import annotations

from pathlib import Path

import pytest

from realtime.panel.fields import Conflict
from realtime.session.operations import Insert, Move, Remove
from realtime.session.sound import Sound, Stage

from .fake import FakeConsole


class Bench:
    """A console and the edits that are seen of it, by a clock of its own."""

    def __init__(self, folder: Path) -> None:
        stages = (Stage(effect="Reverb"), Stage(model="amp-blend"))
        self.console = FakeConsole(Sound(stages), folder)
        self.now = 0.0
        self.console.edits._clock = lambda: self.now
        self.see()

    def see(self, seconds: float = 10.0) -> None:
        self.now += seconds
        self.console.state()

    def step(self, by: int) -> None:
        self.console.edits.step(by)
        self.see()

    @property
    def names(self) -> list[str]:
        return [s.name for s in self.console.setup().sound.stages]

    @property
    def flags(self) -> tuple[bool, bool]:
        state = self.console.state()
        return state["undo"], state["redo"]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_every_kind_of_edit_is_undone_and_redone(bench: Bench) -> None:
    console, surface = bench.console, bench.console.surface
    sounds, first = [], console.setup().sound.stages[0].identity
    edits = (
        lambda: surface.set("1.room_size", 0.25),
        lambda: surface.blend({"2.warm": 1.0, "2.fuzz": 1.0}),
        lambda: console.do(Insert(Stage(effect="Gain", identity=50))),
        lambda: surface.set("3.gain_db", -6.0),
        lambda: surface.set("mix", 0.5),
        lambda: console.do(Move(first, 2)),
        lambda: surface.set("1.bypass", 1.0),
        lambda: console.do(Remove(50)),
        lambda: surface.style("tape"),
    )

    def stands() -> dict[str, float]:
        return {p.name: p.value for p in surface.parameters()}

    assert bench.flags == (False, False)
    for edit in edits:
        sounds.append((bench.names, stands()))
        edit()
        bench.see()
    last = bench.names, stands()
    for wanted in reversed(sounds):
        bench.step(-1)
        assert (bench.names, stands()) == wanted
    assert bench.flags == (False, True)
    with pytest.raises(Conflict, match="nothing to undo"):
        console.edits.step(-1)
    for _ in edits:
        bench.step(1)
    assert (bench.names, stands()) == last and bench.flags == (True, False)


def test_a_turn_of_a_knob_is_one_edit_and_a_new_edit_ends_redo(bench: Bench) -> None:
    surface = bench.console.surface
    before = surface.get("1.room_size")
    for value in (0.1, 0.2, 0.3):
        surface.set("1.room_size", value)
        bench.see(0.2)
    surface.set("1.damping", 0.9)  # another knob: another edit, however soon
    bench.see(0.2)
    bench.step(-1)
    assert (surface.get("1.room_size"), surface.get("1.damping")) == (0.3, 0.5)
    bench.step(-1)
    assert surface.get("1.room_size") == before
    surface.set("mix", 0.2)
    bench.see()
    assert bench.flags == (True, False)


def test_bypass_and_mute_are_played_not_edited(bench: Bench) -> None:
    surface = bench.console.surface
    surface.bypass(True)
    surface.set("mute", 1.0)
    bench.see()
    assert bench.flags == (False, False)
    bench.console.do(Remove(bench.console.setup().sound.stages[0].identity))
    bench.see()
    bench.step(-1)
    assert surface.get("bypass") == surface.get("mute") == 1.0


def test_a_preset_is_marked_while_it_is_not_as_it_was_kept(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RESTYLE_PRESETS", str(tmp_path / "presets"))
    console = bench.console

    def modified() -> bool:
        bench.see()
        found: bool = console.state()["modified"]
        return found

    console.save_preset("mine", "", False)
    console.surface.load_preset("mine")
    assert not modified()
    console.surface.set("1.room_size", 0.9)
    assert modified()
    console.surface.load_preset("mine")
    assert not modified()
    console.surface.set("1.room_size", 0.9)
    assert modified()
    bench.step(-1)
    assert not modified()
    console.do(Remove(console.setup().sound.stages[0].identity))
    assert modified()
    console.edits.saved("mine")
    assert not modified()

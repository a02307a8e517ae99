"""Tuner and looper on the page: what they measure is shown, the buttons turn the switches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from realtime.session.sound import Sound, Stage

from ..panel.fake import FakeConsole
from .test_path import add, names, shown, until

axe = pytest.importorskip("axe_playwright_python.sync_playwright")


class Measuring(FakeConsole):
    """A console whose stages measure what the test says."""

    readings: Mapping[str, float] = {}
    heard_notes: Mapping[int, int] | None = None

    def notes(self) -> Mapping[int, int] | None:
        return self.heard_notes

    def levels(self) -> Mapping[str, float]:
        return {**super().levels(), **self.readings}


@pytest.fixture
def console(tmp_path: Path) -> Measuring:
    return Measuring(Sound((Stage(effect="Reverb"),)), tmp_path)


@pytest.fixture
def tools(context: Any, console: Measuring) -> Iterator[Any]:
    with shown(context, console, '.handle:text-is("Reverb")') as page:
        yield page


def test_the_tuner_comes_and_goes_by_its_button(tools: Any, console: Measuring) -> None:
    assert not tools.is_visible("#tuner")
    tools.click("#open-tuner")
    tools.wait_for_selector('.handle:text-is("Tuner")')
    assert names(console) == ["Tuner", "Reverb"]
    assert console.surface.get("1.mute") == 1.0
    console.readings = {"tuner_hz": 41.4, "tuner_note": 28.0, "tuner_cents": 8.3}
    tools.wait_for_selector('#tuner-note:text-is("E1")')
    assert tools.text_content("#tuner-cents") == "+8.3 cents"
    assert tools.text_content("#tuner-hz") == "41.40 Hz"
    assert "in-tune" not in (tools.get_attribute("#tuner", "class") or "")
    console.readings = {"tuner_hz": 110.0, "tuner_note": 45.0, "tuner_cents": -0.4}
    tools.wait_for_selector("#tuner.in-tune")
    assert tools.text_content("#tuner-cents") == "−0.4 cents"
    faults = axe.Axe().run(tools).response["violations"]
    assert [(f["id"], f["nodes"][0]["html"][:200]) for f in faults] == []
    console.readings = {"tuner_hz": 0.0, "tuner_note": 0.0, "tuner_cents": 0.0}
    tools.wait_for_selector('#tuner-cents:text-is("play a string")')
    tools.click("#open-tuner")
    tools.wait_for_selector('.handle:text-is("Tuner")', state="detached")
    assert names(console) == ["Reverb"]


def test_the_loopers_buttons_turn_its_switches(tools: Any, console: Measuring) -> None:
    add(tools, "Looper", "Looper")
    console.readings = {"loop_state": 0.0, "loop_seconds": 0.0, "loop_position": 0.0}
    tools.wait_for_selector('#loop-state:text-is("empty")')
    tools.click("#loop-record")
    until(tools, console, "2.record", 1.0)
    tools.wait_for_selector('#loop-record[aria-pressed="true"]')
    tools.click("#loop-record")
    until(tools, console, "2.record", 0.0)
    tools.wait_for_selector('#loop-record[aria-pressed="false"]')
    tools.click("#loop-record")
    tools.wait_for_selector('#loop-record[aria-pressed="true"]')
    tools.click("#loop-play")  # closes the loop, which plays
    until(tools, console, "2.record", 0.0)
    assert console.surface.get("2.play") == 1.0
    tools.wait_for_selector('#loop-record[aria-pressed="false"]')
    console.readings = {"loop_state": 3.0, "loop_seconds": 4.0, "loop_position": 0.25}
    tools.wait_for_selector('#loop-state:text-is("plays, 4 s")')
    tools.click("#loop-play")
    until(tools, console, "2.play", 0.0)
    turned: list[float] = []
    plain = console.surface.set
    console.surface.set = lambda name, value: (  # type: ignore[method-assign]
        turned.append(value) if name == "2.undo" else None,
        plain(name, value),
    )[1]
    tools.click("#loop-undo")
    for _ in range(200):
        if turned == [1.0, 0.0]:
            break
        tools.wait_for_timeout(50)
    assert turned == [1.0, 0.0]  # for a moment, so that each press counts


def test_the_keys_that_a_player_hears_are_lit(tools: Any, console: Measuring) -> None:
    def lit() -> list[int]:
        found: list[int] = tools.eval_on_selector_all(
            "#keyboard .on", "keys => keys.map(k => Number(k.dataset.pitch))"
        )
        return sorted(found)

    assert not tools.is_visible("#keyboard")
    add(tools, "String player", "string-player")
    tools.wait_for_selector("#keyboard svg")
    assert lit() == []
    console.heard_notes = {45: 80, 61: 100}
    tools.wait_for_selector('#keyboard-notes:text-is("A2 C♯4")')
    assert lit() == [45, 61]
    faults = axe.Axe().run(tools).response["violations"]
    assert [(f["id"], f["nodes"][0]["html"][:200]) for f in faults] == []
    console.heard_notes = {61: 100, 20: 1}  # one that has no key here is named
    tools.wait_for_selector('#keyboard-notes:text-is("G♯0 C♯4")')
    assert lit() == [61]
    console.heard_notes = None
    tools.wait_for_selector('#keyboard-notes:text-is("")', state="attached")
    assert tools.is_visible("#keyboard") and lit() == []

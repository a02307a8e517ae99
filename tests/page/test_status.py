"""The strip in its states, undo, search and the stage: over a console without sound."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from realtime.errors import StreamError
from realtime.session.sound import Sound, Stage

from ..panel.fake import FakeConsole
from .test_path import names, shown, until

axe = pytest.importorskip("axe_playwright_python.sync_playwright")


class Stalling(FakeConsole):
    """A console that can hold its server up, as a stopped process would."""

    stalls = False

    def figures(self) -> dict[str, Any]:
        while self.stalls:
            time.sleep(0.02)
        return {**super().figures(), "counters": dict(self.counted)}

    def levels(self) -> Mapping[str, float]:
        if self.host == "replacing":  # there is no engine to ask
            raise StreamError("an engine is being replaced")
        return super().levels()

    counted: Mapping[str, int] = {}


@pytest.fixture
def console(tmp_path: Path) -> Stalling:
    return Stalling(Sound((Stage(effect="Reverb"), Stage(model="tape"))), tmp_path)


@pytest.fixture
def page(context: Any, console: Stalling) -> Iterator[Any]:
    with shown(context, console, "body[data-air=live] .card.on") as page:
        yield page
        console.stalls = False


def word(page: Any, text: str) -> None:
    page.wait_for_selector(f'#air-word:text-is("{text}")')


def test_the_strip_says_what_is_heard(page: Any, console: Stalling) -> None:
    word(page, "LIVE")
    page.keyboard.press("b")
    word(page, "BYPASSED")
    page.keyboard.press("s")
    word(page, "MUTED")
    page.keyboard.press("s")
    page.keyboard.press("b")
    word(page, "LIVE")
    console.since, console.host = time.monotonic() - 75, "replacing"
    word(page, "NO SOUND")
    page.wait_for_selector('#air-time:text-matches("1 min 1[5-9] s")')
    assert page.inner_text("#air-hint") == "The sound engine is being restarted"
    assert "brightness" in page.evaluate("getComputedStyle(document.querySelector('main')).filter")
    faults = axe.Axe().run(page).response["violations"]
    assert [(f["id"], f["nodes"][0]["html"][:200]) for f in faults] == []
    console.host = "playing"
    word(page, "LIVE")


def test_a_slow_change_is_told_and_called_off(page: Any, console: Stalling) -> None:
    called: list[int] = []
    console.cancel = called.append  # type: ignore[method-assign]
    change = {
        "id": 7,
        "what": "change to clean",
        "since": time.monotonic() - 5,
        "progress": "opening",
    }
    console.pending = (change,)
    page.wait_for_selector('.change:has-text("change to clean: opening")')
    assert page.text_content(".change .time").endswith(" s")
    page.click('[aria-label="Cancel: change to clean"]')
    page.wait_for_timeout(100)
    assert called == [7]
    console.pending = ()
    page.wait_for_selector(".change", state="detached")
    word(page, "LIVE")


def test_a_server_that_stops_is_told_and_a_press_changes_nothing(
    page: Any, console: Stalling
) -> None:
    page.click('[data-keep="add-path"]')  # what is open stays open
    page.wait_for_selector("#dialog .choice")
    page.click("#dialog-close")
    console.stalls = True
    word(page, "NOT CONNECTED")
    assert page.inner_text("#air-latency") == "–"
    assert page.locator("#mute").is_disabled()
    before = page.inner_html(".rack"), page.inner_html(".now")
    page.locator("#bypass").dispatch_event("click")
    page.locator(".power").first.dispatch_event("click")
    page.locator('[data-model="clean"]').dispatch_event("click")
    page.keyboard.press("b")
    page.locator('[data-parameter="mix"]').press("Home")
    assert (page.inner_html(".rack"), page.inner_html(".now")) == before
    assert page.locator(".coming").count() == 0
    console.stalls = False
    word(page, "LIVE")
    assert console.surface.get("mix") == 1.0 and not console.surface.get("bypass")
    assert names(console) == ["Reverb", "tape"]


def test_every_edit_is_undone_by_key_and_button(page: Any, console: Stalling) -> None:
    assert page.locator("#undo").is_disabled()
    page.locator('[data-parameter="1.room_size"]').press("End")
    until(page, console, "1.room_size", 1.0)
    page.click(".stage .remove >> nth=1")
    page.wait_for_selector('.card.on [data-model=""]')
    page.wait_for_selector("#undo:enabled")
    page.click("#undo")
    page.wait_for_selector('.card.on [data-model="tape"]')
    page.keyboard.press("Control+z")
    until(page, console, "1.room_size", 0.5)
    page.wait_for_selector('[data-parameter="1.room_size"][aria-valuetext="0.5"]')
    page.wait_for_selector("#undo:disabled")
    page.keyboard.press("Control+Shift+z")
    until(page, console, "1.room_size", 1.0)
    page.click("#redo:enabled")
    page.wait_for_selector('.card.on [data-model=""]')


def test_search_says_that_nothing_matches_and_what_is_near(page: Any) -> None:
    page.fill("#model-search", "girl voice")
    assert page.inner_text(".nothing").startswith("No style matches “girl voice”.")
    assert page.locator("#models .card:visible").count() == 0
    page.click('.nothing .tool:text-is("Voice")')
    assert page.locator('[data-group="Voice"] .card:visible').count() >= 3
    page.fill("#model-search", "wisper")
    page.click('.nothing .tool:text-is("Whisper") >> nth=0')
    assert page.locator('#models [data-preset="whisper"]').is_visible()
    page.fill("#model-search", "qqqq")
    page.click('.nothing .tool:text-is("All styles")')
    assert page.locator("#models .card:visible").count() > 10


def test_a_favourite_is_kept_and_about_is_behind_the_i(page: Any) -> None:
    page.click('[aria-label="Tape is a favourite"]')
    first = page.locator('[data-group="Favourites"] .card')
    assert first.locator('[data-model="tape"]').is_visible()
    page.click('[aria-label="About Tape"]')
    said = page.inner_text("#dialog")
    assert "Licence" in said and "GPL-3.0-or-later" in said and "Latency" in said
    page.click("#dialog-close")
    page.reload()
    page.wait_for_selector('[data-group="Favourites"] [data-model="tape"]')
    page.click('[aria-label="Tape is a favourite"]')
    page.wait_for_selector('[data-group="Favourites"]', state="detached")


def test_a_typed_value_beyond_the_range_is_clamped_and_said(page: Any, console: Stalling) -> None:
    knob = page.locator('[data-parameter="output_gain_db"]')
    for typed, value, said in (
        ("99", 24.0, "24 dB is the highest"),
        ("-99", -40.0, "−40 dB is the lowest"),
        ("loud", -40.0, "“loud” is no number"),
    ):
        knob.press("Enter")
        page.keyboard.type(typed)
        page.keyboard.press("Enter")
        page.wait_for_selector(f'.clamped:text-is("{said}")')
        until(page, console, "output_gain_db", value)


def test_a_value_is_typed_as_it_is_written(page: Any, console: Stalling) -> None:
    mix, size = (page.locator(f'[data-parameter="{name}"]') for name in ("mix", "1.room_size"))
    for knob, typed, name, value in (
        (mix, "50", "mix", 0.5),
        (mix, "12,5 %", "mix", 0.125),
        (size, "0.75", "1.room_size", 0.75),
        (page.locator('[data-parameter="output_gain_db"]'), "−3 dB", "output_gain_db", -3.0),
    ):
        knob.press("Enter")
        page.keyboard.type(typed)
        page.keyboard.press("Enter")
        until(page, console, name, value)
    mix.press("Enter")
    assert page.locator(".typed").input_value() == "12.5"
    page.keyboard.type("3 dB")  # of another kind
    page.keyboard.press("Enter")
    page.wait_for_selector('.clamped:text-is("“3 dB” is no number")')
    assert console.surface.get("mix") == 0.125


def test_a_preset_is_replaced_after_a_second_press(page: Any, console: Stalling) -> None:
    page.click("#open-presets")
    keep = page.locator('#dialog button[type="submit"]')
    page.fill("#preset-to-save", "Lead")
    keep.click()
    page.wait_for_selector('#dialog .rows b:text-is("Lead")')
    page.fill("#preset-to-save", "Lead")
    keep.click()
    page.wait_for_selector('#dialog button:text-is("Replace “Lead”?")')
    page.fill("#preset-note", "anew")
    keep.click()
    page.wait_for_selector('#dialog .rows li:has-text("anew")')
    page.click("#dialog-close")


def test_health_counts_what_is_heard_and_forgets_on_reset(page: Any, console: Stalling) -> None:
    page.wait_for_selector('.health[data-state="good"]')
    console.counted = {"refused": 5, "throttled": 2}  # nothing that is heard
    page.wait_for_timeout(600)
    assert page.get_attribute("#health", "data-state") == "good"
    console.counted = {"refused": 5, "missed": 2, "restarts": 1, "concealed_samples": 512}
    page.wait_for_selector('.health[data-state="dropping"]')
    assert "3 drop-outs since" in page.inner_text("#health")
    page.click("#health-reset")
    page.wait_for_selector('.health[data-state="good"]')
    assert "No drop-outs since" in page.inner_text("#health")


def test_the_stage_has_big_tiles_and_the_bottom_bar_shows_one_thing(
    page: Any, console: Stalling
) -> None:
    page.click('.tools [data-to="stage"]')
    page.click('.song-tile:has(b:text-is("radio"))')
    page.wait_for_selector('.song-tile[aria-current="true"]')
    assert "NoiseGate" in names(console)
    page.set_viewport_size({"width": 390, "height": 844})
    for button in page.locator(".song-tile, #bypass").all()[:5]:
        box = button.bounding_box()
        assert box["width"] >= 24 and box["height"] >= 44
    for view, there in (
        ("styles", "#models"),
        ("path", "#chain"),
        ("levels", "#meters"),
        ("play", "#bypass"),
    ):
        page.click(f'.views [data-to="{view}"]')
        assert page.is_visible(there)
        assert page.locator("main > section:visible").count() == 1 + (view == "levels")
    small = page.evaluate(
        "[...document.querySelectorAll('button, .knob, input, select')].filter((e) => e.offsetWidth"
        " && Math.min(e.offsetWidth, e.offsetHeight) < 24).map((e) => e.outerHTML.slice(0, 90))"
    )
    assert small == []

"""The first line of the page: what others hear; and knobs of a preset's own."""

from __future__ import annotations

from typing import Any

from .conftest import Live


def word(page: Any, text: str) -> None:
    page.wait_for_selector(f'#air-word:text-is("{text}")')


def values(page: Any, live: Live) -> dict[str, float]:
    state = page.request.get(f"{live.url}api/state").json()
    return {p["name"]: p["value"] for p in state["parameters"]}


def until(page: Any, live: Live, name: str, value: float) -> None:
    while values(page, live)[name] != value:
        page.wait_for_timeout(50)


def test_the_word_is_what_others_hear(page: Any, live: Live) -> None:
    word(page, "LIVE")
    assert page.locator("#air-latency").text_content().endswith("ms in all")
    page.keyboard.press("s")
    word(page, "MUTED")
    until(page, live, "mute", 1.0)
    level = "document.querySelector('#air').dataset.kind"
    assert page.evaluate(level) == "muted"
    page.keyboard.down("y")
    word(page, "LIVE")
    until(page, live, "mute", 0.0)
    page.keyboard.up("y")
    until(page, live, "mute", 1.0)
    word(page, "MUTED")
    page.click("#mute")
    until(page, live, "mute", 0.0)
    page.click("#bypass")
    word(page, "BYPASSED")
    page.click("#bypass")
    word(page, "LIVE")


def test_a_presets_own_knob_is_turned_like_any_other(page: Any, live: Live) -> None:
    presets = f"{live.url}api/presets"
    kept = page.request.put(f"{presets}/before", data={"note": "", "replace": True})
    assert kept.ok, kept.text()
    try:
        answer = page.request.post(f"{presets}/radio/load", data={})
        assert answer.ok, answer.text()
        knob = page.locator("#controls [data-parameter='static']")
        knob.wait_for()
        knob.press("End")
        until(page, live, "9.bit_depth", 6.0)
        until(page, live, "static", 1.0)
    finally:
        page.request.post(f"{presets}/before/load", data={})

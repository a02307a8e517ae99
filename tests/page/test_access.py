"""The page by keyboard, by screen reader, at the sizes it is for, and when the connection goes."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Live

SIZES = {"laptop": (1280, 800), "phone": (844, 390), "narrow": (390, 844)}
axe = pytest.importorskip("axe_playwright_python.sync_playwright")


def focused(page: Any) -> str:
    """What a screen reader would call the focused element."""
    name: str = page.evaluate(
        "(document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent)"
        ".trim()"
    )
    return name


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_nothing_is_wider_than_the_screen_and_axe_finds_no_fault(
    page: Any, live: Live, size: str, theme: str
) -> None:
    page.set_viewport_size(dict(zip(("width", "height"), SIZES[size], strict=True)))
    page.click('[data-model="amp-blend"]')
    page.wait_for_selector(".pad .puck")
    if theme == "light":
        page.click("#theme")
    wider = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert wider == 0
    first = page.locator("#bypass").bounding_box()
    assert first["y"] + first["height"] <= SIZES[size][1]  # without scrolling
    page.evaluate("document.getAnimations().forEach((a) => a.finish())")
    faults = axe.Axe().run(page).response["violations"]
    assert [(f["id"], f["nodes"][0]["html"][:200]) for f in faults] == []


def test_tab_reaches_everything_and_everything_has_a_name(page: Any) -> None:
    page.click('[data-model="amp-blend"]')
    page.wait_for_selector(".pad .puck")
    page.reload()  # from the top
    page.wait_for_selector(".pad .puck")
    names: list[str] = []
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
        names.append(focused(page))
    assert all(names), names
    for wanted in (
        "Record",
        "mix",
        "gain in",
        "Add a stage to the signal path",
        "Find a style",
        "Help and keys",
    ):
        assert wanted in names
    assert any(n.startswith("Blend of styles") for n in names)
    assert any(n.startswith("Restyled") for n in names)


def test_a_knob_by_keys_says_where_it_stands(page: Any) -> None:
    mix = page.locator('[data-parameter="mix"]')
    mix.focus()
    for key, text in (
        ("Home", "0 %"),
        ("PageUp", "10 %"),
        ("ArrowRight", "11 %"),
        ("End", "100 %"),
    ):
        page.keyboard.press(key)
        assert mix.get_attribute("aria-valuetext") == text
    assert mix.get_attribute("role") == "slider"
    page.keyboard.press("Home")
    mix.dblclick()  # the default
    page.wait_for_selector('[data-parameter="mix"][aria-valuetext="100 %"]')


def test_keys_play_the_page(page: Any) -> None:
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press(" ")
    page.wait_for_selector("body.bypassed")
    page.keyboard.press(" ")
    page.wait_for_selector("body:not(.bypassed)")
    page.keyboard.press("?")
    page.wait_for_selector("#dialog[open] kbd")
    page.keyboard.press("Escape")
    page.wait_for_selector("#dialog:not([open])", state="attached")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "model-search"
    page.keyboard.type("whis")
    assert page.locator("#models .card:visible").count() == 1
    page.fill("#model-search", "")


def test_two_pages_show_the_same(page: Any, browser: Any, live: Live) -> None:
    other = browser.new_page()
    other.goto(live.link)
    other.wait_for_selector("#link.up")
    page.click('[data-model="tape"]')
    other.wait_for_selector('.card.on [data-model="tape"]')
    other.focus('[data-parameter="mix"]')
    other.keyboard.press("Home")
    page.wait_for_selector('[data-parameter="mix"][aria-valuetext="0 %"]')
    other.keyboard.press("End")
    page.wait_for_selector('[data-parameter="mix"][aria-valuetext="100 %"]')
    other.close()

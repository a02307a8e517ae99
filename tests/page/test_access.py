"""The page by keyboard, by screen reader, at the sizes it is for, and when the connection goes."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import CONNECTED, Live

SIZES = {
    "laptop": (1280, 800),
    "wide": (1920, 1080),
    "phone": (844, 390),
    "narrow": (390, 844),
    "zoomed to 200 %": (640, 400),
}
RULES = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    }
}
axe = pytest.importorskip("axe_playwright_python.sync_playwright")


def focused(page: Any) -> str:
    """What a screen reader would call the focused element."""
    name: str = page.evaluate(
        "(document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent)"
        ".trim()"
    )
    return name


@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_wider_than_the_screen_and_axe_finds_no_fault(
    page: Any, live: Live, size: str
) -> None:
    width, height = SIZES[size]
    page.request.put(f"{live.url}api/model", data={"name": "amp-blend"})
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_selector(".pad .puck", state="attached")
    small = page.is_visible(".views")
    assert small == (width < 1000)
    for view in ("styles", "path", "levels", "stage", "play") if small else ("stage", "stage"):
        page.click(f'[data-to="{view}"]:visible')
        assert wider(page) == 0
        for theme in ("dark", "light") if size == "laptop" else ("dark",):  # all views at once
            page.emulate_media(color_scheme=theme)
            page.evaluate("document.getAnimations().forEach((a) => a.finish())")
            faults = axe.Axe().run(page, options=RULES).response["violations"]
            assert [(f["id"], f["nodes"][0]["html"][:200]) for f in faults] == []
    first = page.locator("#bypass").bounding_box()
    assert first["y"] + first["height"] <= height  # without scrolling


def wider(page: Any) -> int:
    """Pixels by which the page is wider than the screen."""
    found: int = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return found


def test_the_theme_follows_the_system_until_one_is_chosen(page: Any) -> None:
    def ground() -> str:
        found: str = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return found

    dark = ground()
    page.emulate_media(color_scheme="light")
    light = ground()
    assert light != dark
    page.click("#theme")
    assert ground() == dark
    page.emulate_media(color_scheme="dark")
    page.click("#theme")
    assert ground() == light


def test_tab_reaches_everything_and_everything_has_a_name(page: Any) -> None:
    page.click('[data-model="amp-blend"]')
    page.wait_for_selector(".pad .puck")
    page.reload()  # from the top
    page.wait_for_selector(".pad .puck")
    names: list[str] = []
    for _ in range(300):
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
        page.wait_for_selector(f'[data-parameter="mix"][aria-valuetext="{text}"]')
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
    page.keyboard.type("tube")
    assert page.locator("#models .card:visible").count() == 1


def test_two_pages_show_the_same(page: Any, browser: Any, live: Live) -> None:
    other = browser.new_page()
    other.goto(live.link)
    other.wait_for_selector(CONNECTED)
    page.click('[data-model="tape"]')
    other.wait_for_selector('.card.on [data-model="tape"]')
    other.focus('[data-parameter="mix"]')
    other.keyboard.press("Home")
    page.wait_for_selector('[data-parameter="mix"][aria-valuetext="0 %"]')
    other.keyboard.press("End")
    page.wait_for_selector('[data-parameter="mix"][aria-valuetext="100 %"]')
    other.close()


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_who_wants_no_motion_sees_the_levels_a_few_times_a_second(
    browser: Any, live: Live, motion: str
) -> None:
    page = browser.new_page(reduced_motion=motion)
    heard: list[str] = []
    page.on("websocket", lambda ws: ws.on("framereceived", lambda f: heard.append(f)))
    page.goto(live.link)
    page.wait_for_selector(CONNECTED)
    page.evaluate(
        """() => {
            window.drawn = 0;
            const bar = document.querySelector("#meters .gauge.dry .level");
            new MutationObserver((all) => window.drawn += all.length)
                .observe(bar, { attributes: true, attributeFilter: ["style"] });
        }"""
    )
    came: list[str] = []
    while len(came) < 90:
        page.wait_for_timeout(100)
        came = [m for m in heard if isinstance(m, str) and '"meters"' in m]
    drawn = page.evaluate("window.drawn")
    page.close()
    assert drawn > 0
    if motion == "reduce":  # thirty come in a second, four are drawn
        assert drawn < len(came) / 3

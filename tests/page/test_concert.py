"""On stage, in the page: setlist, scenes and comparison are seen, and heard."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from .conftest import Live
from .test_play import assert_heard

LEVELS = {"soft": -20.0, "loud": -6.0}


@pytest.fixture
def concert(page: Any, live: Live) -> Iterator[Any]:
    """The page with a setlist of two presets, one of them with scenes; set back afterwards."""
    folder = live.folder / "presets"
    (folder / "setlists").mkdir(parents=True, exist_ok=True)
    for name, db in LEVELS.items():
        text = f'format = 2\n[[stage]]\neffect = "Gain"\ngain_db = {db}\n'
        if name == "loud":
            text += '[[scene]]\nname = "verse"\nvalues = { "1.gain_db" = -30.0 }\n'
            text += '[[scene]]\nname = "solo"\nvalues = { "1.gain_db" = -3.0 }\n'
        (folder / f"{name}.toml").write_text(text)
    (folder / "setlists" / "gig.toml").write_text(
        'format = 1\n[[preset]]\npreset = "soft"\ntitle = "First song"\n'
        '[[preset]]\npreset = "loud"\n'
    )
    page.click("#setlist")
    page.click('#dialog .tools .tool:text-is("gig")')
    page.wait_for_selector('#setlist:text-is("–/2 gig")')
    yield page
    headers = {"Content-Type": "application/json"}
    page.request.delete(f"{live.url}api/compare", headers=headers)
    page.request.put(f"{live.url}api/setlist", data={"name": None})
    for stage in page.request.get(f"{live.url}api/path").json():
        page.request.delete(f"{live.url}api/path/{stage['id']}", headers=headers)
    page.request.put(f"{live.url}api/model", data={"name": "tube-amp"})
    page.wait_for_selector('.card.on [data-model="tube-amp"]')


def heard(page: Any, live: Live, db: float) -> None:
    assert_heard(page, live, lambda dry: np.float32(10 ** (db / 20)) * dry, 1e-4)


def test_next_and_previous_are_heard(concert: Any, live: Live) -> None:
    page = concert
    page.click('[aria-label="Next preset"]')
    page.wait_for_selector('#setlist:text-is("1/2 First song")')
    heard(page, live, -20.0)
    page.keyboard.press("n")
    page.wait_for_selector('#setlist:text-is("2/2 loud")')
    assert page.inner_text("#preset-name") == "Preset: loud"
    heard(page, live, -6.0)
    page.keyboard.press("v")
    page.wait_for_selector('#setlist:text-is("1/2 First song")')
    page.click("#setlist")
    page.click('#dialog .choice:has(b:text-is("2 loud"))')
    page.wait_for_selector('#setlist:text-is("2/2 loud")')
    assert page.locator("#dialog").is_hidden()


def test_scenes_are_recalled_kept_and_taken_out(concert: Any, live: Live) -> None:
    page = concert
    page.keyboard.press("v")
    page.click('.scenes .tool:text-is("verse")')
    page.wait_for_selector('.scenes .tool:text-is("verse")[aria-pressed="true"]')
    heard(page, live, -30.0)
    page.keyboard.press("2")
    page.wait_for_selector('.scenes .tool:text-is("solo")[aria-pressed="true"]')
    heard(page, live, -3.0)
    page.click("#keep-scene")
    page.fill("#scene-name", "mine")
    page.click('#dialog button[type="submit"]')
    page.wait_for_selector('.scenes .tool:text-is("mine")[aria-pressed="true"]')
    page.focus('.scenes .tool:text-is("mine")')
    page.keyboard.press("Delete")
    page.wait_for_selector('.scenes .tool:text-is("mine")', state="detached")


def test_two_sounds_are_compared_equally_loud(concert: Any, live: Live) -> None:
    page = concert
    page.keyboard.press("n")
    page.wait_for_selector('#setlist:text-is("1/2 First song")')
    page.request.post(f"{live.url}api/compare", data={"preset": "loud"})
    page.wait_for_selector('#compare:has-text("A [B] −14.0 dB")')
    heard(page, live, -20.0)
    page.keyboard.press("a")
    page.wait_for_selector('#compare:text-is("[A] B")')
    heard(page, live, -20.0)
    page.click('[aria-label="Compare no more"]')
    page.wait_for_selector('#compare:text-is("A / B")')
    page.click("#tap")
    page.click("#panic")
    heard(page, live, -20.0)

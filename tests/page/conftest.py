"""Debian's Chromium on the page of a real `restyle live` with the simulated device."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from benchmarks.rig.browser import CONNECTED, live_page, write_clip
from benchmarks.rig.browser import chromium as find_chromium
from realtime.errors import ConfigError

from ..signals import Array

ROOT = Path(__file__).parents[2]
ARTEFACTS = ROOT / "out" / "page"
RATE = 48000
SIZE = {"width": 1280, "height": 800}
REPEATS, MOST_SECONDS = 120, 480.0  # of a clip of 8 seconds; half of them for one test
PATIENCE = 120.0  # seconds; the most that a busy machine may take

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")


def chromium() -> str:
    try:
        return find_chromium()
    except ConfigError as error:
        pytest.skip(str(error))


@dataclass
class Live:
    """A running `restyle live` and where its files go."""

    url: str
    link: str  # with the token
    folder: Path

    def recorded(self, name: str) -> Array:
        """A recording's samples ``[channels, n]``."""
        found = list(self.folder.rglob(name))
        assert len(found) == 1, f"{name} is in {found}"
        return np.ascontiguousarray(soundfile.read(found[0], dtype="float32", always_2d=True)[0].T)


@contextmanager
def running(folder: Path) -> Iterator[Live]:
    """A session that plays the bundled clip over and over, for :data:`REPEATS` times."""
    write_clip(folder / "in.wav", REPEATS)
    (folder / "session.toml").write_text(
        'format = 1\nname = "page"\nmodel = "tube-amp"\n[record]\nfolder = "recordings"\n'
        "wet = false\ndry = false\n"
    )
    environment = {
        "RESTYLE_PRESETS": str(folder / "presets"),
        "RESTYLE_RECORDINGS": str(folder / "recordings"),
        "XDG_DATA_HOME": str(folder / "data"),
        "RESTYLE_MIDI": "jack",
    }
    words = "--simulate in.wav --panel --panel-port 0 --block 256 --session session.toml"
    with live_page(folder, words.split(), environment) as link:
        yield Live(link.partition("?")[0], link, folder)


@pytest.fixture(scope="package")
def newest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Live]]:
    """The running session, a new one before its clip is through: a busy machine takes its time."""
    with ExitStack() as stack:
        held: list[tuple[float, Live]] = []

        def found() -> Live:
            if not held or time.monotonic() - held[-1][0] > MOST_SECONDS:
                stack.close()
                live = stack.enter_context(running(tmp_path_factory.mktemp("live")))
                held.append((time.monotonic(), live))
            return held[-1][1]

        yield found


@pytest.fixture
def live(newest: Callable[[], Live]) -> Live:
    """A running session, as the tests before have left it."""
    return newest()


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield made
        made.close()


@pytest.fixture(scope="package")
def context(browser: Any) -> Iterator[Any]:
    """What all pages share: a page in a context of its own costs twice as much to open."""
    made = browser.new_context(viewport=SIZE, color_scheme="dark", reduced_motion="reduce")
    made.set_default_timeout(1000 * PATIENCE)  # of its requests, too
    yield made
    made.close()


@contextmanager
def opened(context: Any, link: str) -> Iterator[tuple[Any, list[str]]]:
    """A page of the context, as if nothing were kept from the one before; its faults."""
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(link)
    yield page, faults
    page.evaluate("localStorage.clear()")
    page.close()


@pytest.fixture
def page(context: Any, live: Live, request: pytest.FixtureRequest) -> Iterator[Any]:
    """The page, connected; nothing may fail in it.  RESTYLE_PICTURES=1 keeps one of its end."""
    with opened(context, live.link) as (made, faults):
        made.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
        made.wait_for_selector(CONNECTED)
        made.wait_for_selector("#models .card.on")
        yield made
        picture(made, request.node.name)
    assert faults == []


def picture(page: Any, name: str) -> None:
    """Keep a picture, if any are wanted."""
    if os.environ.get("RESTYLE_PICTURES"):
        ARTEFACTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=ARTEFACTS / f"{name}.png")

"""The page's signal path over a console without sound: what is done arrives there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from realtime.panel.server import OPEN, PanelServer
from realtime.session.sound import Sound, Stage

from ..panel.fake import FakeConsole
from .conftest import opened

axe = pytest.importorskip("axe_playwright_python.sync_playwright")


@pytest.fixture
def console(tmp_path: Path) -> FakeConsole:
    gate = Stage(effect="NoiseGate", parameters={"threshold_db": -50.0})
    stages = (gate, Stage(model="amp-blend"), Stage(effect="Reverb"))
    return FakeConsole(Sound(stages), tmp_path)


@contextmanager
def shown(context: Any, console: FakeConsole, there: str) -> Iterator[Any]:
    """The page of a console, once the selector `there` is on it; nothing may fail in it."""
    with (
        PanelServer(console, port=0, token=OPEN) as server,
        opened(context, f"http://127.0.0.1:{server.address[1]}/") as (page, faults),
    ):
        page.wait_for_selector(there)
        yield page
    assert faults == []


@pytest.fixture
def path(context: Any, console: FakeConsole) -> Iterator[Any]:
    """The page of that console."""
    with shown(context, console, ".pad .puck") as page:
        yield page


def add(page: Any, choice: str, shown: str, where: str = "add-path") -> None:
    page.click(f'[data-keep="{where}"]')
    page.click(f'#dialog .choice:has(b:text-is("{choice}"))')
    page.wait_for_selector(f'.handle:text-is("{shown}")')


def names(console: FakeConsole) -> list[str]:
    return [s.name for s in console.setup().sound.stages]


def until(page: Any, console: FakeConsole, name: str, value: float) -> None:
    for _ in range(200):
        if console.surface.get(name) == value:
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"{name} is {console.surface.get(name)}, not {value}")


def test_models_effects_and_groups_stand_in_one_list(path: Any, console: FakeConsole) -> None:
    add(path, "Tape", "tape")
    add(path, "Two branches", "group")
    group = console.setup().sound.stages[4].identity
    add(path, "Chorus", "Chorus", f"add-{group}-2")
    add(path, "Clean", "clean", f"add-{group}-1")
    assert names(console) == ["NoiseGate", "amp-blend", "Reverb", "tape", "group"]
    branches = console.setup().sound.stages[4].group or ()
    assert [[s.name for s in b.stages] for b in branches] == [["clean"], ["Chorus"]]
    path.focus('[data-parameter="5.2.1.rate_hz"]')
    path.keyboard.press("End")
    until(path, console, "5.2.1.rate_hz", 20.0)
    path.focus('[data-parameter="5.2.gain_db"]')
    path.keyboard.press("End")
    until(path, console, "5.2.gain_db", 24.0)
    for size in ((1280, 800), (390, 844)):
        path.set_viewport_size({"width": size[0], "height": size[1]})
        if size[0] < 760:
            path.click('.views [data-to="path"]')
        path.evaluate("document.getAnimations().forEach((a) => a.finish())")
        faults = axe.Axe().run(path).response["violations"]
        assert [(f["id"], f["nodes"][0]["html"][:200]) for f in faults] == []


def test_a_model_is_moved_passed_over_and_taken_out_like_any_stage(
    path: Any, console: FakeConsole
) -> None:
    path.focus('.handle:text-is("amp-blend")')
    path.keyboard.press("Alt+ArrowLeft")
    path.wait_for_selector('[data-place=path] > li:first-child .handle:text-is("amp-blend")')
    assert path.evaluate("document.activeElement.textContent") == "amp-blend"
    path.locator(".pad").focus()
    path.keyboard.press("2")  # the blend pad turns the stage where it stands now
    until(path, console, "1.crunch", 1.0)
    path.click('.stage:has(> .stage-head .handle:text-is("amp-blend")) .power')
    until(path, console, "1.bypass", 1.0)
    path.wait_for_selector(".stage.off")
    path.click('.stage:has(> .stage-head .handle:text-is("amp-blend")) .remove')
    path.wait_for_selector(".pad", state="detached")
    assert names(console) == ["NoiseGate", "Reverb"]
    assert path.inner_text("#style-title") == "No style"


def test_the_style_chooser_swaps_the_first_model(path: Any, console: FakeConsole) -> None:
    add(path, "Amp blend", "amp-blend")
    path.click('[data-model="tape"]')
    path.wait_for_selector('.card.on [data-model="tape"]')
    assert names(console) == ["NoiseGate", "tape", "Reverb", "amp-blend"]
    path.click('.stage:has(.handle:text-is("amp-blend")) .unfold')
    path.focus('[data-parameter="4.fuzz"]')  # the second model has knobs of its own
    path.keyboard.press("End")
    until(path, console, "4.fuzz", 1.0)
    path.click('[data-model=""]')
    path.wait_for_selector('.card.on [data-model="amp-blend"]')  # now the first
    assert names(console) == ["NoiseGate", "Reverb", "amp-blend"]


def test_a_preset_without_a_model_is_named_by_the_page(context: Any, tmp_path: Path) -> None:
    """Not: no style, while its sound is heard."""
    console = FakeConsole(Sound((Stage(effect="Reverb"),)), tmp_path)
    console.surface._name = "radio"
    with shown(context, console, '[data-model="tape"]') as page:  # the styles are there
        assert page.inner_text("#style-title") == "radio"
        assert page.inner_text("#style-summary") == "A preset of effects, without a model."
        assert page.title() == "radio – restyle"

"""What waits for the user's yes, and what cannot be read, as the page shows it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from realtime.session.sound import Sound, Stage

from ..panel.fake import FakeConsole
from .conftest import picture
from .test_path import names, shown

axe = pytest.importorskip("axe_playwright_python.sync_playwright")


@pytest.fixture
def console(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_cache: Path) -> FakeConsole:
    """A console whose presets name a plug-in that is not known here; one model is broken."""
    for name in ("presets", "models", "data"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("RESTYLE_PRESETS", str(tmp_path / "presets"))
    monkeypatch.setenv("RESTYLE_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    inside = tmp_path / "presets" / "evil.vst3" / "Contents" / "x86_64-linux"
    inside.mkdir(parents=True)
    (inside / "evil.so").write_bytes(b"no library")
    (tmp_path / "presets" / "shared.toml").write_text(
        'format = 2\n[[stage]]\nplugin = "./evil.vst3"\n', encoding="utf-8"
    )
    (tmp_path / "models" / "torn.onnx").write_bytes(b"\x08\x0a not a model")
    return FakeConsole(Sound((Stage(effect="Reverb"),)), tmp_path)


@pytest.fixture
def page(context: Any, console: FakeConsole) -> Iterator[Any]:
    with shown(context, console, '.handle:text-is("Reverb")') as page:
        yield page


def test_a_preset_with_code_waits_for_a_yes(page: Any, console: FakeConsole) -> None:
    page.click("#open-presets")
    page.click('#dialog .choice:has(b:text-is("shared"))')
    page.wait_for_selector('#dialog button:text-is("I trust it: load")')
    said = page.text_content("#dialog")
    assert "“shared” would" in said and "run the plug-in" in said and "evil.vst3" in said
    assert page.evaluate("document.activeElement.textContent") == "No"
    picture(page, "consent")
    faults = axe.Axe().run(page).response["violations"]
    assert [(f["id"], f["nodes"][0]["html"][:200]) for f in faults] == []
    page.click('#dialog button:text-is("No")')
    page.wait_for_selector('#dialog .choice:has(b:text-is("shared"))')
    assert names(console) == ["Reverb"]
    page.click('#dialog .choice:has(b:text-is("shared"))')
    page.click('#dialog button:text-is("I trust it: load")')
    page.wait_for_selector("#dialog", state="hidden")
    assert names(console) == ["evil"]


def test_a_broken_model_is_listed_with_its_reason(page: Any) -> None:
    card = page.locator('#models .card:has([data-model="torn"])')
    assert "Does not play:" in card.text_content() and card.locator(".pick").is_disabled()
    assert page.locator('#models .card:has([data-model="tape"]) .pick').is_enabled()
    picture(page, "broken")

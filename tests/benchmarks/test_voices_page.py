"""The page of the bundled voices: two sides of one length, equally loud, that can be switched."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from benchmarks.measures import voice, voices_page
from benchmarks.measures.characters import RATE, played, sound_of
from realtime.errors import ConfigError

from ..signals import Array

VOICES = ("deeper", "radio")
ODD = '</script><b>"&'


def speech(hertz: float) -> Array:
    """Something with harmonics that swells and falls, 0.8 s."""
    t = np.arange(int(0.8 * RATE)) / RATE
    x = sum(np.sin(2 * np.pi * hertz * k * t) / k for k in range(1, 20))
    return (0.1 * x * np.sin(np.pi * t / 0.8)).astype(np.float32)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voices_page, "names", lambda: list(VOICES))


def inside(page: str) -> dict[str, Any]:
    found = re.search(r'id="data">(.*?)</script>', page, re.S)
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data


def heard(data: dict[str, Any], name: str) -> Array:
    return np.asarray(soundfile.read(io.BytesIO(base64.b64decode(data["sounds"][name])))[0])


def test_both_sides_are_of_one_length_and_equally_loud(few: None) -> None:
    speakers = {"low": speech(110.0), ODD: speech(220.0)}
    data = inside(voices_page.fill(speakers))
    assert [v["name"] for v in data["voices"]] == list(VOICES)
    assert all(v["note"] for v in data["voices"])
    for v in data["voices"]:
        assert [p["who"] for p in v["pairs"]] == list(speakers)
        for pair in v["pairs"]:
            x, made = speakers[pair["who"]], played(sound_of(v["name"]), speakers[pair["who"]])
            spoken, restyled = heard(data, pair["spoken"]), heard(data, pair["restyled"])
            assert spoken.shape == restyled.shape == x.shape
            for part, whole in ((spoken, x), (restyled, made)):  # the same sound, at another level
                gain = part @ whole / (whole @ whole)
                assert np.abs(part - gain * whole).max() < 1e-3
            rms = [float(np.sqrt(np.mean(s**2))) for s in (spoken, restyled)]
            assert abs(20 * np.log10(rms[0] / rms[1])) < 6.0  # equally loud, so of like power
            assert max(np.abs(spoken).max(), np.abs(restyled).max()) < 0.9


def test_ones_own_words_need_no_flite(
    few: None, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    mine, page = tmp_path / "mine.wav", tmp_path / "voices.html"
    soundfile.write(mine, np.stack([speech(150.0)[::3]] * 2, axis=1), RATE // 3)
    assert voice.main(["--page", str(page), "--speech", str(mine)]) == 0
    assert f"wrote {page}" in capsys.readouterr().out
    (pair,) = inside(page.read_text())["voices"][0]["pairs"]
    assert pair["who"] == "mine"
    for words, says in (
        (["--speech", str(mine)], "--speech belongs to --page"),
        (["--page", str(page)], "apt install flite"),
        (["--page", str(tmp_path / "no" / "v.html"), "--speech", str(mine)], "cannot write"),
    ):
        with pytest.raises(ConfigError, match=says):
            voice.main(words)
    soundfile.write(mine, np.zeros(RATE), RATE)
    with pytest.raises(ConfigError, match="half a second of sound"):
        voice.main(["--page", str(tmp_path / "new.html"), "--speech", str(mine)])
    assert not (tmp_path / "new.html").exists()


def test_a_browser_plays_and_switches(few: None, tmp_path: Path) -> None:
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    from ..page.conftest import chromium

    page = tmp_path / "voices.html"
    voices_page.write({"low": speech(110.0), ODD: speech(220.0)}, page)
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        shown, faults = browser.new_page(), []
        shown.set_default_timeout(120_000)
        shown.on("pageerror", lambda error: faults.append(str(error)))
        shown.goto(page.as_uri())
        shown.click(f"button[aria-label='radio, {ODD}']")
        shown.wait_for_selector("#play[aria-pressed=true]")
        assert shown.inner_text("#what") == f"radio, {ODD}: restyled"
        shown.keyboard.press("x")
        shown.wait_for_function("document.querySelector('#what').textContent.includes('spoken')")
        shown.wait_for_function("running.spoken.gain.gain.value > 0.9")
        shown.wait_for_function("running.restyled.gain.gain.value < 0.1")
        shown.click("#play")
        shown.wait_for_selector("#play[aria-pressed=false]")
        assert shown.inner_text("#fault") == "" and faults == []
        browser.close()

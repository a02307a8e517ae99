"""`restyle bench page`: medians beside the bar of the same round, a real bar, and refusals."""

from __future__ import annotations

import shutil

import pytest

from realtime.errors import ConfigError

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from benchmarks.measures import page

from ..page.conftest import chromium


def found(renderer: float) -> dict[str, float]:
    return {
        "frames_per_second": 30.0,
        "renderer_percent": renderer,
        "gpu_percent": 2.0,
        "browser_percent": renderer + 3.0,
    }


def test_each_round_is_compared_with_its_own_bar() -> None:
    rounds = []
    for bar, times in ((4.0, 2.0), (8.0, 3.0), (40.0, 2.5)):  # the last beside something heavy
        rounds.append({c.name: found(bar if c.bar else bar * times) for c in page.CASES})
    first, *others = page.rows(rounds)
    assert (first["renderer_percent"], first["over_the_bar"]) == (8.0, 1.0)
    for row in others:
        assert (row["renderer_percent"], row["over_the_bar"]) == (24.0, 2.5)
        assert row["browser_percent"] == 27.0 and row["frames_per_second"] == 30.0


def test_a_bar_that_moves_costs_its_renderer_something(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "SETTLE_MS", 300.0)
    row = page.measure(chromium(), "", page.CASES[0], 1.0)
    assert row["frames_per_second"] > 0
    assert 0 < row["renderer_percent"] < row["browser_percent"]


def test_what_cannot_be_measured_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"--seconds must be within 1\.\.600, got 0"):
        page.main(["--seconds", "0"])
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(ConfigError, match="apt install chromium"):
        page.main([])

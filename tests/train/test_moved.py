"""Shares of the way between two heaps, in an embedding where they are known by hand."""

from __future__ import annotations

import numpy as np
import pytest

from train.judging import moved


def sound(a: float, b: float) -> np.ndarray:
    return np.array([a, b], dtype=np.float32)


def test_shares_of_the_way_are_those_of_the_mean_embeddings() -> None:
    made = {
        "copy": [sound(-1, 0), sound(1, 0)],  # mean at the origin
        "half": [sound(6, 0), sound(4, 0)],
        "there": [sound(9, 0)],
        "away": [sound(-10, 0)],
        "beside": [sound(0, 10)],
    }
    found = moved.shares(lambda x: x, made, [sound(9, 0), sound(11, 0)], [sound(9, 0)])
    assert found.pop("beside") < -0.4
    assert found == pytest.approx({"half": 5 / 9, "there": 1.0, "away": -10 / 9}, abs=1e-3)


def test_only_installed_judges_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moved.importlib.util, "find_spec", lambda name: None)
    assert moved.listeners() == {} and moved.pitch_kept([], []) is None


def test_a_speaker_is_nearer_to_herself_and_pitch_stays_under_an_equaliser() -> None:
    for package in ("resemblyzer", "swift_f0"):
        pytest.importorskip(package)
    t = np.arange(2 * 48000) / 48000
    buzz = np.sign(np.sin(2 * np.pi * (150 * t + 3 * np.sin(2 * np.pi * t)))).astype(np.float32)
    dull = np.convolve(buzz, np.hanning(32) / 16, mode="same").astype(np.float32)
    assert moved.pitch_kept([0.3 * dull], [0.3 * buzz]) > 0.9  # type: ignore[operator]
    assert moved.pitch_kept([np.roll(0.3 * dull, 24000)], [0.3 * buzz]) < 0.7  # type: ignore[operator]
    listen = moved.listeners()["resemblyzer"]
    made = {"copy": [0.3 * buzz], "same": [0.2 * dull]}
    assert moved.shares(listen, made, [0.2 * dull], [0.2 * dull])["same"] == pytest.approx(1.0)

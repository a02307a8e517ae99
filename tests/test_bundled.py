"""Every bundled style: proof, bounds under abuse, size and latency, blends without clicks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from realtime.models.catalog import read_entry
from realtime.models.streaming import load_model
from realtime.parameters.parameter import Parameter
from realtime.proof.listener.check import declared, listen
from realtime.proof.listener.figures import broken
from realtime.proof.soak import soak
from realtime.proof.verify import verify
from realtime.stages.model import model_path

ROOT = Path(__file__).parent.parent
STYLES = [p for p in sorted((ROOT / "exported").glob("*.onnx")) if read_entry(p).converts]
BLENDS = [p for p in STYLES if any(c.kind == "blend" for c in load_model(p).card.controls)]


@pytest.mark.parametrize("path", STYLES, ids=lambda p: p.stem)
def test_a_style_proves_itself_and_keeps_to_the_limits(path: Path) -> None:
    checks = verify(path)
    assert [c.name for c in checks if not c.passed] == []
    card = read_entry(path).card
    assert card is not None and card.name == path.stem
    assert card.latency <= 256 and card.sample_rate == 48000
    assert path.stat().st_size <= (4e6 if card.domain == "waveform" else 8e6)
    assert card.licence == "GPL-3.0-or-later"
    assert all(d["licence"] for d in card.provenance["data"])


@pytest.mark.parametrize("path", STYLES, ids=lambda p: p.stem)
def test_a_style_declares_what_a_listener_would_object_to(path: Path) -> None:
    card = read_entry(path).card
    assert card is not None
    figures = declared(card)
    assert figures is not None
    assert broken(figures) == []


@pytest.mark.parametrize("path", [p for p in STYLES if p.stem == "clean"], ids=lambda p: p.stem)
def test_a_style_is_measured_again_as_it_declares(path: Path) -> None:
    card = read_entry(path).card
    assert card is not None
    check = listen(path, card)
    assert check.passed, check.found


@pytest.mark.parametrize("path", STYLES, ids=lambda p: p.stem)
def test_a_style_stays_bounded_under_noise_and_nan(path: Path) -> None:
    model = load_model(path)
    try:
        assert soak(model, 0.4).passed
    finally:
        model.close()


@pytest.mark.parametrize("path", STYLES, ids=lambda p: p.stem)
def test_a_style_ends_silent_after_its_input(path: Path) -> None:
    model = load_model(path)
    try:
        player = model_path(model)
        rng = np.random.default_rng(0)
        player.process_hops((0.3 * rng.standard_normal((1, 48000 // 256 * 256))).astype("f4"))
        tail = player.process_hops(np.zeros((1, 3 * 48000 // 256 * 256), dtype=np.float32))
        assert np.abs(tail[0, -24000:]).max() < 1e-3
    finally:
        model.close()


@pytest.mark.parametrize("path", STYLES, ids=lambda p: p.stem)
def test_a_style_passes_no_constant(path: Path) -> None:
    model = load_model(path)
    try:
        y = model_path(model).process_hops(np.full((1, 4 * 48000 // 256 * 256), 0.1, np.float32))
        assert abs(y.mean(dtype=np.float64)) <= 1e-3  # -60 dBFS, the beginning counted
    finally:
        model.close()


def played(
    path: Path, moves: list[dict[str, float]], seconds: float = 0.4, partials: int = 1
) -> np.ndarray:
    """A chord of two notes through a style, other controls in each part."""
    model = load_model(path)
    try:
        player = model_path(model)
        n = round(seconds * 48000) // 128 * 128
        t = np.arange(n * len(moves)) / 48000
        waves = [
            np.sin(2 * np.pi * k * hz * t) / k
            for hz in (110, 164.8)
            for k in range(1, partials + 1)
        ]
        x = 0.15 * np.sum(waves, axis=0)
        parts = []
        for k, move in enumerate(moves):
            for name, value in move.items():
                next(player.slots()).placed.aim(name, value)
            block = x[None, k * n : (k + 1) * n].astype(np.float32)
            parts.append(player.process_hops(np.ascontiguousarray(block))[0])
        return np.concatenate(parts)
    finally:
        model.close()


def blends(controls: Sequence[Parameter]) -> list[Parameter]:
    return [c for c in controls if c.kind == "blend"]


def corner(path: Path, index: int) -> dict[str, float]:
    card = read_entry(path).card
    assert card is not None
    return {c.name: float(i == index) for i, c in enumerate(blends(card.controls))}


@pytest.mark.parametrize("path", BLENDS, ids=lambda p: p.stem)
def test_a_blend_has_four_corners_that_differ(path: Path) -> None:
    card = read_entry(path).card
    assert card is not None and len(blends(card.controls)) >= 4
    corners = (corner(path, i) for i in range(len(corner(path, 0))))
    sounds = [played(path, [c], partials=20)[4800:] for c in corners]
    for i, a in enumerate(sounds):
        for b in sounds[i + 1 :]:
            assert np.mean((a - b) ** 2) > 0.03 * min(np.mean(a**2), np.mean(b**2))


@pytest.mark.parametrize("path", BLENDS, ids=lambda p: p.stem)
def test_moving_between_corners_does_not_click(path: Path) -> None:
    count = len(corner(path, 0))
    for start in range(count):
        for end in range(count):
            if start == end:
                continue
            here, there = corner(path, start), corner(path, end)
            y = played(path, [here, here, there, there])
            part = len(y) // 4
            bend = np.abs(np.diff(y.astype(np.float64), 2))
            settled = max(bend[part : 2 * part - 4].max(), bend[3 * part :].max())
            moving = bend[2 * part - 4 : 3 * part].max()
            assert moving <= 1.25 * settled + 1e-3


@pytest.mark.parametrize("path", BLENDS, ids=lambda p: p.stem)
def test_mixes_nobody_trained_stay_bounded_and_between(path: Path) -> None:
    rng, count = np.random.default_rng(3), len(corner(path, 0))
    names = list(corner(path, 0))
    loudest = max(np.abs(played(path, [corner(path, i)])).max() for i in range(count))
    for weights in (*rng.dirichlet(np.ones(count), 6), np.ones(count), np.zeros(count)):
        y = played(path, [dict(zip(names, map(float, weights), strict=True))])
        assert np.isfinite(y).all() and np.abs(y).max() <= 1.3 * loudest

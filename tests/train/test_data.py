"""Scores, rendering errors, pairs and the split."""

from __future__ import annotations

import io
from pathlib import Path

import mido
import numpy as np
import pytest

from realtime.errors import ConfigError
from train.data import pairs
from train.data.scores import render
from train.data.scores.scores import compose, to_midi


def tone(midi: bytes, seconds: float, font: str = "") -> np.ndarray:
    """Stand-in for FluidSynth: decaying sines at the file's notes, louder for higher programs."""
    n = round(seconds * render.SAMPLE_RATE)
    y, clock, level = np.zeros(n), 0.0, 1.0
    for message in mido.MidiFile(file=io.BytesIO(midi)):
        clock += message.time
        if message.type == "program_change":
            level = 1.0 + message.program / 10
        if message.type == "note_on":
            start = min(n, round(clock * render.SAMPLE_RATE))
            t = np.arange(min(n - start, 9600)) / render.SAMPLE_RATE
            hz = 440 * 2 ** ((message.note - 69) / 12)
            y[start : start + len(t)] += level * np.exp(-9 * t) * np.sin(2 * np.pi * hz * t)
    return (0.1 * y).astype(np.float32)


def test_a_seed_gives_the_same_score_and_another_seed_another() -> None:
    assert compose(5, 6.0) == compose(5, 6.0)
    assert compose(5, 6.0) != compose(6, 6.0)


@pytest.mark.parametrize("seed", range(6))
def test_scores_keep_to_their_range_and_length(seed: int) -> None:
    score = compose(seed, 10.0, 40, 76)
    assert all(40 <= n.pitch <= 76 + 7 and 1 <= n.velocity <= 127 for n in score.notes)
    assert all(n.length > 0 for n in score.notes)
    assert 5.0 < score.seconds < 40.0


def test_two_programs_differ_in_the_program_alone() -> None:
    score = compose(1, 5.0)
    a, b = ([m.dict() for m in mido.MidiFile(file=io.BytesIO(to_midi(score, p)))] for p in (0, 80))
    assert [x for x, y in zip(a, b, strict=True) if x != y][0]["type"] == "program_change"
    assert sum(x != y for x, y in zip(a, b, strict=True)) == 1


@pytest.mark.parametrize("count", [3, 10, 30, 100])
def test_no_score_is_in_two_splits(count: int) -> None:
    splits = [set(s) for s in pairs.split_seeds(count)]
    assert all(splits)
    assert set().union(*splits) == set(range(count))
    assert sum(map(len, splits)) == count


def test_pairs_are_aligned_level_matched_and_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "render", tone)
    voices = (pairs.Voice(0), pairs.Voice(24, "musescore"))
    data = pairs.program_pairs(4, 2.0, voices, pairs.Voice(80), seed=9)
    for pair in (*data.train, *data.validation, *data.test):
        assert pair.dry.shape == pair.wet.shape and pair.dry.dtype == pair.wet.dtype == np.float32
        powers = [float(np.mean(a.astype(np.float64) ** 2)) for a in (pair.dry, pair.wet)]
        np.testing.assert_allclose(powers, 0.01, rtol=1e-3)
    rows = data.manifest()
    assert len({r["name"] for r in rows}) == len(rows) == 4
    assert {r["split"] for r in rows} == {"train", "validation", "test"}


def test_teacher_pairs_go_through_the_teacher(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "render", tone)
    data = pairs.teacher_pairs(3, 2.0, (pairs.Voice(27),), lambda x: 0.5 * x, seed=3)
    np.testing.assert_array_equal(data.test[0].wet, 0.5 * data.test[0].dry)
    assert np.abs(data.test[0].dry).max() <= 1.0


def test_blends_are_weighted_sums_and_stay_in_one_split(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "render", tone)
    teachers = (lambda x: 0.5 * x, lambda x: -x, np.tanh)
    data = pairs.blend_pairs(4, 2.0, (pairs.Voice(27),), teachers, seed=3)
    recordings = [
        {p.name.split("-")[0] for p in split} for split in (data.train, data.validation, data.test)
    ]
    assert all(recordings) and sum(map(len, recordings)) == 4
    for pair in (*data.train, *data.validation, *data.test):
        assert sum(pair.controls) == pytest.approx(1.0) and min(pair.controls) >= 0.0
        expected = sum(w * t(pair.dry) for w, t in zip(pair.controls, teachers, strict=True))
        np.testing.assert_allclose(pair.wet, expected, atol=1e-6)


def test_a_missing_soundfont_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(render.SOUNDFONTS, "fluidr3", ("/nowhere/x.sf2", "some-package", "MIT"))
    with pytest.raises(ConfigError, match="apt install some-package"):
        render.render(to_midi(compose(0, 1.0), 0), 1.0)


def test_a_missing_fluidsynth_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    font = tmp_path / "some.sf2"
    font.write_bytes(b"RIFF")
    monkeypatch.setitem(render.SOUNDFONTS, "fluidr3", (str(font), "some-package", "MIT"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="FluidSynth is missing"):
        render.render(to_midi(compose(0, 1.0), 0), 1.0)

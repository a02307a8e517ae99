"""Tunes: read back as written, grouped by melody, played like a person."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from realtime.errors import ConfigError
from train.data.scores import tunes
from train.data.scores.humanise import excerpt, humanise, transpose
from train.data.scores.melodies import Tune, grouped, phrases, skeleton
from train.data.scores.scores import Note, Score, compose, to_midi
from train.data.scores.tunes import read_midi

has_music21 = pytest.mark.skipif(
    importlib.util.find_spec("music21") is None, reason="the package music21 is not installed"
)


def melody(seed: int, bass: bool = False, ornaments: bool = False, up: int = 0) -> Score:
    rng = np.random.default_rng(seed)
    line = [60 + up + int(x) for x in rng.integers(0, 13, 24)]
    notes = [Note(float(i), 1.0, pitch, 80) for i, pitch in enumerate(line)]
    if ornaments:
        notes = [
            part
            for n in notes
            for part in (Note(n.start, 0.5, n.pitch, 80), Note(n.start + 0.5, 0.5, n.pitch + 1, 80))
        ]
    if bass:
        notes += [Note(float(i), 1.0, 36 + int(rng.integers(12)), 80) for i in range(24)]
    return Score(tuple(sorted(notes, key=lambda n: (n.start, n.pitch))), 90.0)


def test_a_score_survives_its_midi_file() -> None:
    score = melody(3, bass=True)
    title, back = read_midi(tunes._file("old hundredth", score))
    assert title == "old hundredth" and back == score
    assert read_midi(to_midi(compose(1, 5.0), 0))[1].tempo == pytest.approx(
        compose(1, 5.0).tempo, abs=0.06
    )
    assert read_midi(tunes._file("", Score((), 80.0)))[1].notes == ()


def test_one_melody_is_one_tune_whatever_key_harmony_and_ornaments() -> None:
    plain = skeleton(melody(1))
    for other in (melody(1, up=5), melody(1, bass=True), melody(1, ornaments=True)):
        assert skeleton(other) == plain
    assert skeleton(melody(2)) != plain


def test_tunes_of_equal_title_or_melody_share_their_key() -> None:
    def tune(name: str, title: str, score: Score) -> Tune:
        return Tune(name, "x", title, score)

    found = grouped(
        [
            tune("a", "", melody(1)),
            tune("b", "", melody(1, bass=True, up=-3)),
            tune("c", "reel", melody(2)),
            tune("d", "reel", melody(3)),
            tune("e", "", melody(3, ornaments=True)),
            tune("f", "", melody(4)),
        ]
    )
    assert [t.key for t in found] == ["tune x/a"] * 2 + ["tune x/c"] * 3 + ["tune x/f"]


def test_a_tune_that_begins_elsewhere_is_found_by_its_phrases() -> None:
    score = melody(1)
    late = Score(
        tuple(Note(n.start + 2.5, n.length, n.pitch + 4, 80) for n in score.notes[3:]), 90.0
    )
    other = Score(tuple(Note(i / 2, 0.5, 60 + 3 * i, 80) for i in range(5)), 90.0)
    joined = Score((*other.notes, *late.notes), 90.0)
    assert skeleton(joined) != skeleton(score) and phrases(joined) > phrases(late)
    found = grouped([Tune(str(i), "x", "", s) for i, s in enumerate((score, joined, melody(2)))])
    assert [t.key for t in found] == ["tune x/0", "tune x/0", "tune x/2"]


def test_scales_and_repeated_notes_are_no_phrases() -> None:
    scale = Score(tuple(Note(float(i), 1.0, 48 + i, 80) for i in range(30)), 90.0)
    assert phrases(scale) == set()
    assert len({t.key for t in grouped([Tune(n, "x", "", scale) for n in "ab"])}) == 1  # skeleton


def test_short_tunes_are_not_taken_together_for_their_silence() -> None:
    found = grouped(
        [Tune(str(seed), "x", "", Score(melody(seed).notes[:6], 90.0)) for seed in (1, 2, 3)]
    )
    assert len({t.key for t in found}) == 3


def test_titles_are_compared_without_articles_and_dances() -> None:
    assert tunes._plain("THE MILLER'S DAUGHTER -- REEL") == tunes._plain("Miller's Daughter -- Jig")
    assert tunes._plain("bwv10.7.mxl") == ""


@pytest.mark.parametrize("text", ["All rights reserved", "(c) Ut Orpheus", "non-commercial use"])
def test_reserved_rights_are_recognised(text: str) -> None:
    assert tunes.RESERVED.search(text)


def test_without_music21_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "music21", None)
    with pytest.raises(ConfigError, match="pip install music21"):
        tunes.corpus_tunes()


@has_music21
@pytest.mark.filterwarnings("default")  # music21's own
def test_chorales_are_converted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tunes, "CACHE", tmp_path)
    first = tunes.corpus_tunes(("bach",), most=2)
    monkeypatch.setattr(tunes, "_converted", None)  # would fail if asked
    assert tunes.corpus_tunes(("bach",), most=2) == first
    assert len(first) == 2 and all(len(t.score.notes) > 60 for t in first)
    assert all(30 < n.pitch < 90 for t in first for n in t.score.notes)
    assert all(66 <= t.score.tempo <= 100 for t in first)


def test_no_collection_with_reserved_rights_is_listed() -> None:
    assert set(tunes.COLLECTIONS) == {"bach", "ryansMammoth", "mozart"}


def test_a_person_varies_loudness_and_time_a_little_and_the_same_each_time() -> None:
    score = melody(1, bass=True)
    played = humanise(score, np.random.default_rng(0))
    assert played == humanise(score, np.random.default_rng(0))
    assert played != humanise(score, np.random.default_rng(1))
    assert sorted(n.pitch for n in played.notes) == sorted(n.pitch for n in score.notes)
    velocities = [n.velocity for n in played.notes]
    assert np.std(velocities) > 4 and 20 <= min(velocities) and max(velocities) <= 127
    starts = sorted((n.pitch, n.start) for n in played.notes)
    plain = sorted((n.pitch, n.start) for n in score.notes)
    late_ms = [(a[1] - b[1]) * 60_000 / 90 for a, b in zip(starts, plain, strict=True)]
    assert 3 < np.std(late_ms) < 15 and np.abs(late_ms).max() < 60


def test_excerpts_and_transposition_keep_what_they_should() -> None:
    score = melody(1)
    part = excerpt(score, 8.0)
    assert part.seconds == pytest.approx(8.0) and part.notes == score.notes[: len(part.notes)]
    late = Score(tuple(Note(n.start + 4, n.length, n.pitch, 80) for n in score.notes), 90.0)
    assert excerpt(late, 8.0) == part
    up = transpose(score, 5)
    assert [n.pitch - 5 for n in up.notes] == [n.pitch for n in score.notes]
    assert transpose(score, 100).notes == ()

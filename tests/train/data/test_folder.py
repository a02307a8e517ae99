"""A user's folder: what is good becomes a set, what is bad is named, nothing is half-written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from realtime.errors import ConfigError
from train.data.licences import check_licence
from train.data.sets.folder import add
from train.data.sets.recordings import load_set
from train.data.sound.steps import parse_steps


def write(
    path: Path, hz: float, rate: int = 44100, seconds: float = 1.0, channels: int = 2
) -> None:
    time = np.arange(round(rate * seconds)) / rate
    tone = 0.4 * np.sin(2 * np.pi * hz * time)
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(str(path), np.stack([tone] * channels, axis=1), rate)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "takes"
    for number in range(4):
        write(place / f"day {number}" / "take.wav", 300 + 100 * number)
    write(place / "mono.flac", 250, rate=48000, channels=1)
    write(place / "song.ogg", 350, rate=22050)
    return place


def test_every_readable_file_is_in_the_set(folder: Path, tmp_path: Path) -> None:
    manifest = add(folder, "CC-BY-4.0", "mine", root=tmp_path / "sets", source="our cellar")
    assert len(manifest.items) == 6 and manifest.skipped == ()
    assert {i.split for i in manifest.items} == {"train", "validation", "test"}
    assert {(i.licence, i.source) for i in manifest.items} == {("CC-BY-4.0", "our cellar")}
    for recording in load_set("mine", root=tmp_path / "sets").train:
        assert len(recording.samples) == pytest.approx(48000, abs=3)
        spectrum = np.abs(np.fft.rfft(recording.samples[:48000]))
        hz = {"mono.flac": 250, "song.ogg": 350}.get(recording.tags["file"])
        day = recording.tags["file"].partition("/")[0][4:]
        assert np.argmax(spectrum) == pytest.approx(hz or 300 + 100 * int(day), abs=1)


def test_bad_files_are_named_with_their_reason(folder: Path, tmp_path: Path) -> None:
    (folder / "empty.wav").write_bytes(b"")
    (folder / "broken.flac").write_bytes(b"fLaC" + b"\0" * 60)
    (folder / "text.mp3").write_text("no sound at all")
    (folder / "text.m4a").write_text("no sound at all")
    (folder / "torn.opus").write_bytes(b"OggS\0\x02")
    (folder / "notes.txt").write_text("hello")
    write(folder / "torn.wav", 900)
    (folder / "torn.wav").write_bytes((folder / "torn.wav").read_bytes()[:40_000])
    (folder / "gone.wav").symlink_to(tmp_path / "nowhere.wav")
    soundfile.write(str(folder / "nan.wav"), np.full(9000, np.nan), 48000, "FLOAT")
    soundfile.write(str(folder / "silent.wav"), np.zeros(48000), 48000)
    soundfile.write(str(folder / "nothing.wav"), np.zeros(0), 48000)
    write(folder / "blip.wav", 500, seconds=0.05)
    (folder / "copy.wav").write_bytes((folder / "day 0" / "take.wav").read_bytes())
    manifest = add(folder, "own-recording", "mine", root=tmp_path / "sets")
    reasons = dict(manifest.skipped)
    assert len(manifest.items) == 6
    expected = {
        "empty.wav",
        "broken.flac",
        "text.mp3",
        "text.m4a",
        "torn.opus",
        "nan.wav",
        "silent.wav",
        "nothing.wav",
        "blip.wav",
        "torn.wav",
        "gone.wav",
    }
    assert expected <= set(reasons)
    assert "NaN" in reasons["nan.wav"] and "silent" in reasons["silent.wav"]
    assert "is empty" in reasons["empty.wav"] and "cut short" in reasons["torn.wav"]
    assert any("the same sound as" in r for r in reasons.values())


def test_one_recording_in_several_formats_stays_within_one_split(tmp_path: Path) -> None:
    folder = tmp_path / "takes"
    for number in range(12):
        write(folder / f"take{number}.wav", 300 + 20 * number, channels=1)
        data, rate = soundfile.read(str(folder / f"take{number}.wav"))
        soundfile.write(str(folder / f"take{number}.ogg"), data, rate)
        soundfile.write(str(folder / f"lossless{number}.flac"), data, rate)
    manifest = add(folder, "MIT", "mine", root=tmp_path / "sets")
    assert len(manifest.items) == 24  # WAV and FLAC are the same sound
    assert sum("the same sound as" in reason for _, reason in manifest.skipped) == 12
    lossless = {i.tags["file"][8:-5]: i.split for i in manifest.items if ".flac" in i.tags["file"]}
    assert len(lossless) == 12
    by_stem: dict[str, set[str]] = {}
    for item in manifest.items:
        stem = item.tags["file"].rpartition(".")[0].removeprefix("lossless").removeprefix("take")
        by_stem.setdefault(stem, set()).add(item.split)
    assert all(len(splits) == 1 for splits in by_stem.values())


def test_a_silent_stretch_does_not_cost_the_recording(tmp_path: Path) -> None:
    tone = 0.4 * np.sin(np.arange(48000) / 20)
    (tmp_path / "in").mkdir()
    sound = np.concatenate([tone, np.zeros(48000), tone])
    soundfile.write(str(tmp_path / "in" / "pause.wav"), sound, 48000)
    manifest = add(tmp_path / "in", "MIT", "mine", parse_steps(["segment=1"]), "", tmp_path)
    assert [i.file for i in manifest.items] == ["pause-000.flac", "pause-002.flac"]


def test_names_that_differ_in_capitals_alone_become_two_files(tmp_path: Path) -> None:
    write(tmp_path / "in" / "A.wav", 300)
    write(tmp_path / "in" / "a.flac", 400)
    manifest = add(tmp_path / "in", "MIT", "mine", root=tmp_path / "sets")
    assert len({i.file.lower() for i in manifest.items}) == 2


def test_a_damaged_tail_does_not_spoil_the_set(folder: Path, tmp_path: Path) -> None:
    whole = (folder / "song.ogg").read_bytes()
    (folder / "song.ogg").write_bytes(whole[: len(whole) // 2])
    manifest = add(folder, "MIT", "mine", root=tmp_path / "sets")
    assert len(manifest.items) in (5, 6)


def test_adding_again_adds_what_is_new(folder: Path, tmp_path: Path) -> None:
    first = add(folder, "MIT", "mine", root=tmp_path / "sets")
    write(folder / "late.wav", 777)
    second = add(folder, "MIT", "mine", root=tmp_path / "sets")
    assert {i.file for i in first.items} < {i.file for i in second.items}


def test_offline_steps_are_applied_and_noted(folder: Path, tmp_path: Path) -> None:
    steps = parse_steps(["crop", "loudness=-30", "segment=0.5"])
    manifest = add(folder, "MIT", "mine", steps, root=tmp_path / "sets")
    assert len(manifest.items) == 12 and "--step segment=0.5" in manifest.made_by
    by_key: dict[str, set[str]] = {}
    for item in manifest.items:
        by_key.setdefault(item.key, set()).add(item.split)
    assert all(len(splits) == 1 for splits in by_key.values())


@pytest.mark.parametrize("kind", ["missing", "file", "empty", "other"])
def test_wrong_folders_are_one_sentence_and_leave_nothing(kind: str, tmp_path: Path) -> None:
    folder = tmp_path / "x"
    if kind == "file":
        folder.write_text("x")
    elif kind != "missing":
        folder.mkdir()
    if kind == "other":
        (folder / "notes.txt").write_text("x")
        (folder / "only.wav").write_text("x")
    with pytest.raises(ConfigError) as caught:
        add(folder, "MIT", "mine", root=tmp_path / "sets")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "sets").exists()


def test_wrong_names_are_refused(folder: Path, tmp_path: Path) -> None:
    for name in ("", "../up", "Big", "a b", "speech", "x" * 65):
        with pytest.raises(ConfigError):
            add(folder, "MIT", name, root=tmp_path)


@pytest.mark.parametrize(
    ("text", "spelt"),
    [
        ("mit", "MIT"),
        (
            "CC-BY-SA-3.0 and (cc0-1.0 OR gpl-2.0-ONLY)",
            "CC-BY-SA-3.0 AND (CC0-1.0 OR GPL-2.0-only)",
        ),
        ("LicenseRef-Studio", "LicenseRef-Studio"),
        (" Own-Recording ", "own-recording"),
        ("GPL-2.0-or-later WITH Font-exception-2.0", "GPL-2.0-or-later WITH Font-exception-2.0"),
    ],
)
def test_licences_get_their_own_spelling(text: str, spelt: str) -> None:
    assert check_licence(text) == spelt


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "--licence"),
        ("", "--licence"),
        ("CC-BY-5.0", "did you mean 'CC-BY-"),
        ("CC_BY_4.0", "did you mean 'CC-BY-4.0'"),
        ("GPL", "say which version, e.g. GPL-3.0-only or GPL-3.0-or-later"),
        ("CC-BY", "CC-BY-4.0"),
        ("BSD", "BSD-3-Clause"),
        ("ccby4", "did you mean 'CC-BY-4.0'"),
        ("all mine", "own-recording"),
        ("MIT AND", "ends too early"),
        ("(MIT", "not closed"),
        ("MIT MIT", "expected AND"),
        ("MIT; rm", "unexpected"),
        ("MIT WITH luck", "exception"),
        ("LicenseRef-", "LicenseRef-NAME"),
    ],
)
def test_licences_that_are_none_are_refused_with_a_hint(text: str | None, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        check_licence(text)

"""``restyle train data`` as people type it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from realtime.errors import ConfigError
from train.data.sets import catalogue as sets
from train.data.sets.catalogue import SetKind
from train.data.sets.commands import app
from train.data.sets.source import Source

RATE = 48000


def tones(_: Path | None) -> list[Source]:
    def make(hz: float) -> np.ndarray:
        return (0.1 * np.sin(2 * np.pi * hz * np.arange(RATE) / RATE)).astype(np.float32)

    return [
        Source(f"tone{i}", f"tone {i}", f"tone {i}", lambda i=i: make(300 + i), "MIT", "tones")  # type: ignore[misc]
        for i in range(5)
    ]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sets.CATALOGUE, "tones", SetKind("five tones", ("MIT",), (), tones))
    return tmp_path


def say(*words: str) -> str:
    result = CliRunner().invoke(app, list(words), catch_exceptions=False, env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    return result.output


def test_fetch_show_check_and_list() -> None:
    assert "no" in say("list")
    assert "train 0.05, validation 0.02, test 0.02" in say("fetch", "tones")
    assert "5 files as they should be" in say("check")
    shown = say("show", "tones")
    assert "five tones" in shown and "made by: restyle train data fetch tones" in shown
    assert "0.1" in say("list")


def test_check_names_what_has_changed(place: Path) -> None:
    say("fetch", "tones")
    (place / ".data" / "sets" / "tones" / "tone3.flac").write_bytes(b"")
    with pytest.raises(ConfigError, match="1 files are missing or changed"):
        say("check", "tones")


def test_one_damaged_manifest_does_not_hide_the_others(place: Path) -> None:
    say("fetch", "tones")
    (place / ".data" / "sets" / "torn").mkdir()
    (place / ".data" / "sets" / "torn" / "manifest.json").write_text("{")
    listed = say("list")
    assert "damaged" in listed and "0.1" in listed
    with pytest.raises(ConfigError, match="is damaged"):
        say("check", "torn")


def test_add_makes_a_set_and_names_what_it_skipped(place: Path) -> None:
    (place / "my takes").mkdir()
    (place / "my takes" / "bad.wav").write_bytes(b"RIFF")
    soundfile.write(str(place / "my takes" / "a.wav"), 0.1 * np.ones(RATE), RATE)
    said = say("add", "--audio", "my takes", "--licence", "own-recording", "--name", "mine")
    assert "skipped bad.wav" in said and "three or more" in said
    assert "own-recording" in say("list")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("fetch", "speach"), "did you mean 'speech"),
        (("fetch", "tones", "--minutes", "0"), "minutes must be above 0"),
        (("fetch", "tones", "--step", "lodness"), "did you mean 'loudness'"),
        (("show", "tones"), "restyle train data fetch tones"),
        (("show", "../tones"), "is not here"),
        (("check", "nothing"), "is not here"),
        (("add", "--audio", "nowhere", "--licence", "MIT", "--name", "x"), "does not exist"),
        (("add", "--audio", ".", "--name", "x"), "--licence"),
    ],
)
def test_mistakes_are_one_sentence(words: tuple[str, ...], says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        say(*words)
    assert "\n" not in str(caught.value)


def test_the_steps_are_listed() -> None:
    assert "loudness" in say("steps")

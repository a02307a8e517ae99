"""A recording over the API holds the very samples that were played."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from realtime.errors import AudioFileError
from realtime.presets.files import preset_folder

from ..signals import Array
from .conftest import Desk


def sound(data: bytes) -> Array:
    return soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)[0]


def place_of(part: Array, whole: Array) -> int:
    """Where `part` begins in `whole`, by its first samples; -1 if nowhere."""
    hits = np.flatnonzero(whole == part[0])
    return next((int(h) for h in hits if np.array_equal(whole[h : h + 64], part[:64])), -1)


def take(desk: Desk, **body: object) -> list[dict[str, object]]:
    """Record a third of a second while the page's spectrogram is on, too."""
    desk.host.watch(True)
    begun = desk.ask("POST", "/api/recording", body)
    assert begun.status == 200, begun
    assert desk.ask("POST", "/api/recording", body).status == 409
    assert desk.ask("PUT", "/api/device", {}).status == 409
    desk.played.play_on(0.35)
    assert desk.get("/api/state")["recording"]["name"] == begun.data["name"]
    ended = desk.ask("DELETE", "/api/recording")
    assert ended.status == 200, ended
    desk.host.watch(False)
    return ended.data["files"]


def test_what_is_recorded_is_what_was_played(plain: Desk) -> None:
    for ending, allowed in (("wav", 0.0), ("flac", 2.0**-24)):
        files = take(plain, dry=False, format=ending)
        assert len(files) == 1 and files[0]["gaps"] == 0 and files[0]["seconds"] > 0.25
        answer = plain.ask("GET", f"/api/recordings/{files[0]['name']}")
        assert answer.headers["content-type"] == f"audio/{ending}"
        y = sound(answer.data)[:, 0]
        assert len(y) == round(files[0]["seconds"] * 48000)
        played = plain.played.tape.output[:, 0]
        if ending == "flac":
            played = np.round(played * 2.0**23) / np.float32(2.0**23)
            y = np.round(y * 2.0**23) / np.float32(2.0**23)
        at = place_of(y, played)
        assert at >= 0
        assert np.abs(y - played[at : at + len(y)]).max() <= allowed


def test_dry_and_wet_are_aligned(plain: Desk) -> None:
    plain.ask("PUT", "/api/model", {"name": None})
    plain.ask("POST", "/api/path", {"stage": {"effect": "Gain", "gain_db": 0}})
    files = {str(f["name"]): f for f in take(plain, dry=True, format="wav")}
    dry = next(n for n in files if n.endswith("-dry.wav"))
    wet = next(n for n in files if n != dry)
    x, y = (sound(plain.ask("GET", f"/api/recordings/{n}").data)[:, 0] for n in (dry, wet))
    n = min(len(x), len(y))
    assert n > 9600
    tape = plain.played.tape  # y equals x but where a busy machine was late and concealed a block
    at = place_of(y, tape.output[:, 0])
    np.testing.assert_array_equal(y[:n], tape.output[at : at + n, 0])
    at -= plain.get("/api/state")["latency"]["declared_samples"]
    np.testing.assert_array_equal(x[:n], tape.input[at : at + n, 0])
    assert np.mean(np.abs(y[:n] - x[:n]) <= 1e-6) > 0.9


def test_names_that_are_no_utf_8_hide_no_others(
    plain: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = str(take(plain, format="wav")[0]["name"])
    (tmp_path / "models").mkdir()
    monkeypatch.setenv("RESTYLE_MODELS", str(tmp_path / "models"))
    odd = os.fsdecode(b"odd\xff")
    (tmp_path / "models" / f"{odd}.onnx").write_bytes(b"junk")
    (plain.console.recordings_folder() / f"{odd}.wav").write_bytes(b"junk")
    preset_folder().mkdir(parents=True, exist_ok=True)
    (preset_folder() / f"{odd}.toml").write_bytes(b"junk")
    assert name in {r["name"] for r in plain.get("/api/recordings")}
    assert "tape" in {m["name"] for m in plain.get("/api/models")}
    assert "robot" in {p["name"] for p in plain.get("/api/presets")}


def test_a_preset_named_as_a_file_reaches_no_file(
    plain: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").write_text("mine")
    for method, path, body in (
        ("PUT", "/api/presets/mine.toml", {}),
        ("DELETE", "/api/presets/mine.toml", None),
        ("POST", "/api/presets/mine.toml/load", {}),
        ("POST", "/api/compare", {"preset": "mine.toml"}),
    ):
        answer = plain.ask(method, path, body)
        assert answer.status in (400, 404), (method, path, answer)
    assert (tmp_path / "mine.toml").read_text() == "mine"


def test_recordings_are_listed_and_only_those_are_served(plain: Desk) -> None:
    name = str(take(plain, format="wav")[0]["name"])
    listed = {r["name"]: r for r in plain.get("/api/recordings")}
    assert listed[name]["bytes"] > 40000 and listed[name]["seconds"] > 0.25
    (plain.console.recordings_folder().parent / "secret.wav").write_bytes(b"no")
    for path in ("../secret.wav", "..%2fsecret.wav", "%2e%2e/secret.wav", "nope.wav"):
        assert plain.ask("GET", f"/api/recordings/{path}").status == 404
    assert plain.ask("DELETE", "/api/recording").status == 409
    assert plain.ask("POST", "/api/recording", {"format": "exe"}).status == 400


def test_a_recording_that_cannot_begin_leaves_nothing_open(
    plain: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    takes = plain.console._takes
    blocked = plain.console.recordings_folder().parent / "a file"
    blocked.write_text("")
    monkeypatch.setattr(takes, "folder", blocked / "below")
    refused = plain.ask("POST", "/api/recording", {})
    assert refused.status == 400 and "cannot record to" in refused.data["error"]
    with pytest.raises(AudioFileError):
        plain.host.record({"wet": blocked / "x.wav"})
    assert plain.host.recorder is None
    assert plain.host.board.record[0]["taps"] == 0
    monkeypatch.undo()
    assert take(plain, format="wav")

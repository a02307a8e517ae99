"""``restyle personalise`` and ``restyle like``: bad input, and the way into a host that plays."""

from __future__ import annotations

import socket
from pathlib import Path

import numpy as np
import pytest
import soundfile

from realtime.commands.personal import swap
from realtime.controllers.osc import OscServer
from realtime.errors import ControlError
from realtime.presets.files import save_preset
from realtime.presets.format import Preset

from ..controllers.fake import sound as sound_of
from ..controllers.fake import surface
from .conftest import Run

pytest.importorskip("torch")
pytest.importorskip("cma")

OUT = ("--out", "my.onnx")


def sound(path: str, seconds: float, seed: int = 0) -> None:
    x = 0.1 * np.random.default_rng(seed).standard_normal(round(seconds * 48000))
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, x.astype(np.float32), 48000, "FLOAT")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "name recordings: --pairs DRY WET, or --audio FOLDER"),
        (("--mine", "in"), "--mine goes with --audio"),
        (("--audio", "gone"), "gone does not exist"),
        (("--audio", "empty"), "has no folders dry and wet"),
        (("--audio", "empty", "--mine", "empty"), "has no mix of styles"),
        (("--pairs", "empty", "empty"), "no audio file in empty"),
        (("--pairs", "dry", "wet"), "10.0 s of sound; 20 s are the least"),
        (("--pairs", "dry", "other"), "the wet recording does not follow the dry one"),
        (("--pairs", "dry", "wet", "--licence", "GLP-3.0-only"), "'GLP-3.0-only'"),
        (("--pairs", "dry", "wet", "--minutes", "0"), "--minutes must be within 0.05..600"),
        (("--pairs", "dry", "wet", "--base", "tub-amp"), "did you mean 'tube-amp'"),
        (("--pairs", "dry", "wet", "--out", "my.wav"), "end it in .onnx"),
        (("--pairs", "dry", "wet", "--out", "gone/my.onnx"), "make it first"),
    ],
)
def test_bad_recordings_and_options_are_one_sentence(
    run: Run, words: tuple[str, ...], says: str
) -> None:
    for folder, seed in (("dry", 0), ("wet", 0), ("other", 1)):
        sound(f"{folder}/riff.wav", 10.0, seed)
    Path("empty").mkdir()
    before = sorted(Path().rglob("*"))
    defaults = ("--base", "tube-amp", *OUT)
    code, _, error = run("personalise", *defaults, *words)
    assert code == 2
    assert says in error and error.count("\n") == 1
    assert sorted(Path().rglob("*")) == before


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("gone.wav", "--mine", "mine.wav"), "gone.wav does not exist"),
        (("short.wav", "--mine", "mine.wav"), "10 s are the least"),
        (("record.wav", "--mine", "short.wav"), "20 s are the least"),
        (("silence.wav", "--mine", "mine.wav"), "is silence"),
        (("broken.wav", "--mine", "mine.wav"), "broken.wav"),
        (("record.wav", "--mine", "mine.wav", "--osc", "9000"), "--osc is HOST:PORT"),
        (("record.wav", "--mine", "mine.wav", "--licence", "mine"), "'mine'"),
        (("record.wav", "--mine", "mine.wav", "--threads", "0"), "--threads"),
        (("record.wav", "--mine", "mine.wav", "--threads", "9999"), "--threads"),
    ],
)
def test_bad_references_are_one_sentence(run: Run, words: tuple[str, ...], says: str) -> None:
    pytest.importorskip("librosa")
    for name, seconds in (("mine", 21.0), ("record", 12.0), ("short", 5.0)):
        sound(f"{name}.wav", seconds)
    soundfile.write("silence.wav", np.zeros(48000 * 12), 48000)
    Path("broken.wav").write_bytes(b"RIFF and nothing")
    before = sorted(Path().rglob("*"))
    code, _, error = run("like", *words, *OUT)
    assert code == 2
    assert says in error and error.count("\n") == 1
    assert sorted(Path().rglob("*")) == before


def test_a_preset_is_swapped_into_what_plays(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("RESTYLE_PRESETS", str(tmp_path))
    save_preset("my-lead", Preset(sound=sound_of("plain", mix=0.25)))
    playing = surface("blend")
    server = OscServer(playing, port=0)
    try:
        assert "now playing" in swap(server.address, "my-lead")
        assert playing.status()["style"] == "plain"
        assert playing.get("mix") == 0.25
        with pytest.raises(ControlError, match="refused: .*there is no preset 'gone'"):
            swap(server.address, "gone")
        assert playing.status()["style"] == "plain"
    finally:
        server.close()


def test_nobody_there_is_said_and_the_preset_kept() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert "no answer" in swap(("127.0.0.1", port), "my-lead", patience=0.5)

"""``restyle train unpaired``: two folders in, a proven file out; bad folders are one sentence."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from realtime.errors import ConfigError
from realtime.models.load import open_model
from realtime.proof.verify import verify
from train import commands
from train.data.manifest import Manifest
from train.data.pairs import PairSet
from train.fit import checkpoint
from train.fit.loop import Options
from train.judging import unpaired as judging
from train.networks.layers import Streamable
from train.own import unpaired as folders

pytestmark = pytest.mark.usefixtures("without_listener", "without_curves")

RATE = 48000
QUICK = Options(board=False, check_every=1, save_every=2)


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


@cache
def tone(seed: int, bright: bool) -> np.ndarray:
    """Notes of noise through a decay; the bright ones with all of their treble."""
    rng, t = np.random.default_rng(seed), np.arange(RATE // 4) / RATE
    notes = [np.exp(-6 * t) * rng.standard_normal(len(t)) for _ in range(10)]
    x = np.concatenate(notes)
    if not bright:
        x = np.convolve(x, np.hanning(64) / 32, mode="same")
    return (0.1 * x / np.abs(x).max()).astype(np.float32)


def heap(name: str, bright: bool, count: int = 12, first: int = 0) -> Path:
    folder = Path(name)
    folder.mkdir(exist_ok=True)
    for i in range(first, first + count):
        soundfile.write(str(folder / f"take{i}.wav"), tone(i + 100 * bright, bright), RATE)
    return folder


def train(*arguments: object, **named: object) -> dict:
    said: list[str] = []
    found = folders.train_folders(*arguments, log=said.append, **named)  # type: ignore[arg-type]
    return found | {"said": said}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    small = replace(folders.FolderStyle.schedule, batch=2, segment=8192, average=0.0, steps=2)
    monkeypatch.setattr(folders.FolderStyle, "hidden", 8)
    monkeypatch.setattr(folders.FolderStyle, "dilations", (1, 2))
    monkeypatch.setattr(folders.FolderStyle, "quick", small, raising=False)


def test_two_folders_become_a_file_that_proves_itself(
    quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    dark, bright = heap("dark", False), heap("bright", True)
    out = Path("shiny.onnx")
    schedule = folders.FolderStyle.quick  # type: ignore[attr-defined]
    (bright / "torn.wav").write_bytes(b"RIFF")
    found = train(dark, bright, out, 1.0, "CC0-1.0", QUICK, schedule)
    assert any(line.startswith("left out torn.wav: ") for line in found["said"])
    assert found["gap"]["model"] > 0.5, "it begins as the matched equaliser"
    assert found["distance"]["model"] < found["distance"]["copy"]
    assert found["follows"] > 0.6
    assert all(check.passed for check in verify(out))
    card = open_model(out).card
    assert card.latency == 128 and card.licence == "CC0-1.0" and card.name == "shiny"
    assert {row["source"] for row in card.provenance["data"]} == {"dark", "bright"}
    assert Path(".data/sets/shiny-from/manifest.json").exists()
    assert isinstance(folders.load_set("shiny-to").manifest, Manifest)
    monkeypatch.setattr(folders, "write", lambda *rest: {})
    again = train(dark, bright, out, 1.0, "CC0-1.0", QUICK, schedule)
    assert any("trained already" in line for line in again["said"])


def darker(recipe: folders.FolderStyle, network: Streamable, data: PairSet) -> None:
    """A start in the wrong direction."""
    with torch.no_grad():
        network.decode.bias[: network.bands] = 1 - torch.linspace(0, 4, network.bands)
        network.decode.bias[network.bands :] = -9.0


def test_what_is_no_nearer_is_not_written(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    dark, bright = heap("dark", False), heap("bright", True)
    monkeypatch.setattr(folders.FolderStyle, "prepare", darker)
    monkeypatch.setattr(judging, "listeners", dict)
    schedule = replace(folders.FolderStyle.quick, steps=1)  # type: ignore[attr-defined]
    with pytest.raises(ConfigError, match="no nearer to the wanted .* nothing was written"):
        train(dark, bright, Path("shiny.onnx"), 1.0, "CC0-1.0", QUICK, schedule)
    assert not Path("shiny.onnx").exists()
    assert (checkpoint.RUNS / "shiny" / "best.pt").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"out": "shiny.wav"}, "--out must end in .onnx"),
        ({"out": "no/where/shiny.onnx"}, "no/where is not a folder"),
        ({"out": "Shiny Voice.onnx"}, "small letters"),
        ({"out": "tape.onnx"}, "'tape' is the name of a recipe of restyle's"),
        ({"to": "nowhere"}, "nowhere is not a folder of recordings"),
        ({"to": "dark"}, "the same folder"),
        ({"licence": ""}, "say under which licence"),
        ({"licence": "MITT"}, "not an SPDX name"),
        ({"minutes": "0"}, "minutes must be above 0"),
        ({"to": "empty"}, "no audio file in empty"),
        ({"to": "few"}, "give ten or more"),
        ({"to": "both"}, "12 recordings lie in both folders"),
        (
            {"to": "broken"},
            "none of the 3 .* in broken can be used; first: cannot read broken/take0.wav",
        ),
        ({"to": "short"}, "no usable recording for the set 'shiny-to'.*0.2 s is the least"),
    ],
)
def test_bad_questions_are_one_sentence(change: dict[str, str], said: str) -> None:
    heap("dark", False)
    heap("few", True, count=1)
    heap("both", False)
    heap("both", True, count=2, first=50)
    Path("empty").mkdir()
    for path in sorted(heap("broken", True, count=3).iterdir()):
        path.write_bytes(path.read_bytes()[:30])
    Path("short").mkdir()
    soundfile.write("short/take.wav", tone(1, True)[:4800], RATE)
    words = {"from": "dark", "to": "few", "out": "shiny.onnx", "licence": "CC0-1.0"} | change
    with pytest.raises(ConfigError, match=said):
        commands.main(["unpaired", *(w for k, v in words.items() for w in (f"--{k}", v))])
    assert not checkpoint.RUNS.exists() and not Path("shiny.onnx").exists()

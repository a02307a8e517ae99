"""``restyle import`` on files and folders."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from realtime.commands.app import app
from realtime.errors import RestyleError
from realtime.models.load import open_model
from realtime.models.nam.convert import null_db
from realtime.models.streaming import load_model
from realtime.proof.verify import verify
from realtime.stages.model import model_path

from ..graphs import fir_model
from ..sounds import model, offline, sound
from .test_file import tiny, write

OTHER = fir_model(np.ones(3))

METADATA = {
    "name": "Test amp", "modeled_by": "A. Player", "gear_make": "Maker", "gear_model": "One",
    "tone_type": "crunch", "loudness": -24.0, "input_level_dbu": 12.5,
}  # fmt: skip


def restyle(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments))
    if isinstance(result.exception, RestyleError):
        return 2, str(result.exception)
    return result.exit_code, result.output


def test_imported_model_is_proved_and_carries_what_the_file_says(tmp_path: Path) -> None:
    source = write(tmp_path, tiny(metadata=METADATA), "My amp #1.nam")
    code, _ = restyle("import", str(source), "--out", str(tmp_path / "models"))
    assert code == 0
    path = tmp_path / "models" / "My-amp-1.onnx"
    checks = verify(path)
    assert all(c.passed for c in checks) and "kernel = graph" in [c.name for c in checks]
    card = load_model(path).card
    assert card.latency == 0 and card.licence == "unknown" and card.title == "Test amp"
    assert card.summary == "crunch Maker One captured by A. Player"
    assert card.provenance["input_level_dbu"] == 12.5
    assert [c.name for c in card.controls] == ["input_db", "match"]


def test_kernel_and_graph_play_the_same_with_controls(tmp_path: Path) -> None:
    source = write(tmp_path, tiny(metadata=METADATA))
    restyle("import", str(source), "--out", str(tmp_path))
    x = np.random.default_rng(1).uniform(-0.5, 0.5, (2, 6400)).astype(np.float32)
    controls = {"input_db": 6.0, "match": 1.0}
    played = []
    for opened in (
        open_model(source, 2),
        open_model(tmp_path / "x.onnx", 2, block_size=100),
        load_model(tmp_path / "x.onnx", 2),
    ):
        path = model_path(opened)
        for name, value in controls.items():
            next(path.slots()).placed.set(name, value)
        played.append(path.process_hops(x))
        path.close()
    assert np.array_equal(played[0], played[1])
    assert null_db(played[2], played[0]) <= -110.0


def test_level_match_and_input_gain_are_decibels(tmp_path: Path) -> None:
    source = write(tmp_path, tiny(metadata=METADATA))
    x = np.full((1, 640), 1e-2, dtype=np.float32)

    def play(**controls: float) -> np.ndarray:
        what = sound(model(source, **controls))
        return offline(what, x) - offline(what, 0 * x)

    plain = play()[0, -1]
    assert play(match=1.0)[0, -1] / plain == pytest.approx(10 ** (6 / 20), rel=2e-3)
    assert play(input_db=6.0)[0, -1] / plain == pytest.approx(10 ** (6 / 20), rel=3e-2)


def test_one_bad_file_does_not_stop_the_rest(tmp_path: Path) -> None:
    write(tmp_path, tiny(), "good.nam")
    write(tmp_path, json.dumps(tiny())[:50], "broken.nam")
    (tmp_path / "deeper").mkdir()
    write(tmp_path / "deeper", tiny(), "second.nam")
    (tmp_path / "deeper" / "loop").symlink_to(tmp_path, target_is_directory=True)
    out = tmp_path / "models"
    code, text = restyle("import", str(tmp_path), "--out", str(out))
    assert code == 2 and "2 of 3 imported" in text and "broken.nam" in text
    assert sorted(p.name for p in out.iterdir()) == ["good.onnx", "second.onnx"]


def test_loops_pipes_and_faulty_files_stop_nothing(tmp_path: Path) -> None:
    folder, out = tmp_path / "captures", tmp_path / "models"
    folder.mkdir()
    (folder / "a.nam").symlink_to("b.nam")
    (folder / "b.nam").symlink_to("a.nam")
    (folder / "gone.nam").symlink_to("nowhere.nam")
    os.mkfifo(folder / "pipe.nam")
    with (folder / "huge.nam").open("wb") as file:
        file.truncate(2**30)
    faulty = tiny()
    faulty["config"]["layers"][0]["layer1x1"] = [1]
    write(folder, faulty, "faulty.nam")
    write(folder, tiny(architecture="[/red]"), "odd.nam")
    write(folder, tiny(), "zz [bold].nam")
    code, text = restyle("import", str(folder), "--out", str(out))
    assert code == 2 and "1 of 8 imported" in text
    assert "zz [bold].nam" in text and "[/red]" in text.replace("\n", "")
    assert [p.name for p in out.iterdir()] == ["zz-bold.onnx"]


def test_two_captures_never_share_a_model(tmp_path: Path) -> None:
    submodels = [{"max_value": v, "model": tiny(version="0.7.0")} for v in (0.5, 1.0)]
    container = {"version": "0.7.0", "architecture": "SlimmableContainer"}
    container |= {"config": {"submodels": submodels}, "weights": []}
    write(tmp_path, container, "amp.nam")
    write(tmp_path, tiny(), "AMP-lite.nam")
    code, text = restyle("import", str(tmp_path), "--out", str(tmp_path / "models"))
    assert code == 2 and "taken by AMP-lite.nam" in " ".join(text.split())
    assert [p.name for p in (tmp_path / "models").iterdir()] == ["AMP-lite.onnx"]


def test_importing_again_replaces_captures_and_no_other_model(tmp_path: Path) -> None:
    source = write(tmp_path, tiny())
    for _ in range(2):
        assert restyle("import", str(source), "--out", str(tmp_path))[0] == 0
    (tmp_path / "x.onnx").write_bytes(OTHER)
    code, text = restyle("import", str(source), "--out", str(tmp_path))
    assert code == 2 and "is another model" in " ".join(text.split())
    assert (tmp_path / "x.onnx").read_bytes() == OTHER


def test_what_the_file_says_of_itself_stays_plain_text_and_json(tmp_path: Path) -> None:
    nan = float("nan")
    odd = {"name": "[/b]\nTwo", "loudness": nan, "gain": nan, "training": {"esr": [nan]}}
    source = write(tmp_path, tiny(metadata=odd))
    assert restyle("import", str(source), "--out", str(tmp_path))[0] == 0
    card = load_model(tmp_path / "x.onnx").card
    assert card.title == "[/b] Two" and card.provenance["training"] == {"esr": [None]}
    assert "NaN" not in card.to_json() and [c.name for c in card.controls] == ["input_db"]


def test_hidden_characters_and_depth_in_the_metadata_reach_neither_card_nor_terminal(
    tmp_path: Path,
) -> None:
    deep: list = []
    for _ in range(900):
        deep = [deep]
    odd = {"name": "A\x1b[2J\ud800", "modeled_by": deep, "date": {"minute": deep}, "gain": True}
    odd |= {"loudness": True, "license": {"\x07": 1}, "training": {"a\x1b": ["\udfff"]}}
    source = write(tmp_path, tiny(metadata=odd))
    code, text = restyle("import", str(source), "--out", str(tmp_path))
    assert code == 0 and "\x1b[2J" not in text
    card = load_model(tmp_path / "x.onnx").card
    assert card.title == "A\ufffd[2J\ufffd" and [c.name for c in card.controls] == ["input_db"]
    assert "\\u001b" not in card.to_json() and "\\ud" not in card.to_json()


def test_nothing_to_import_is_said(tmp_path: Path) -> None:
    assert "holds no .nam, " in restyle("import", str(tmp_path))[1]
    assert "does not exist" in restyle("import", str(tmp_path / "no"))[1]


def test_a_failed_proof_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from realtime.commands import imports
    from realtime.proof.verify import Check

    source = write(tmp_path, tiny())
    out = tmp_path / "models"
    monkeypatch.setattr(imports, "verify", lambda path: [Check("latency", False, "off by 3")])
    code, text = restyle("import", str(source), "--out", str(out))
    assert code == 2 and "off by 3" in text.replace("\n", " ")
    assert list(out.iterdir()) == []

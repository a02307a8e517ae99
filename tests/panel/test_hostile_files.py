"""Hostile files in the folders of models and presets: 4xx sentences, and the sound goes on."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from benchmarks.rig import hostile
from realtime.models.card import CARD_KEY
from realtime.models.metadata import read_metadata, write_metadata
from realtime.trust import admission

from ..graphs import fir_model
from .conftest import Desk

FIR = fir_model(np.array([0.5, 0.0], dtype=np.float32))
NUMBER = "1" * 5000


def with_card(**changes: object) -> bytes:
    card = json.loads(read_metadata(FIR)[CARD_KEY])
    return write_metadata(FIR, {CARD_KEY: json.dumps({**card, **changes})})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(admission, "CPU_SECONDS", 4)
    monkeypatch.setenv("RESTYLE_MODELS", str(tmp_path / "models"))
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


def test_hostile_models_are_answered_with_a_sentence(plain: Desk, folder: Path) -> None:
    for kind, (make, _) in hostile.KINDS.items():
        if kind not in ("nested loops", "functions in functions"):  # these take their seconds
            (folder / f"{kind.replace(' ', '-')}.onnx").write_bytes(make())
    (folder / "half.onnx").write_bytes(with_card(name="half", summary="\ud800"))
    (folder / "rows.onnx").write_bytes(
        with_card(name="rows", metrics={"sets": {"a": {"rows": [1]}, "b": 2, "c": {"rows": {}}}})
    )
    (folder / "large.onnx").write_bytes(
        with_card(name="large", metrics={"x": float("inf"), "command": float("nan")})
    )
    hostile.sparse(folder / "sparse.onnx", 40 << 30)
    os.mkfifo(folder / "pipe.onnx")
    before = plain.get("/api/state")
    listed = {m["name"]: m["problem"] for m in plain.get("/api/models")}
    assert all(listed[n] is None for n in ("rows", "large", "tube-amp"))
    for name in ("half", "sparse", "pipe", "deep-card"):
        assert listed[name] and "\n" not in listed[name], name
    for name in ("evil", "half", "sparse", "pipe", "state-of-2^40", "big-constant", "../x", "\0"):
        for method, path, body in (
            ("PUT", "/api/model", {"name": name}),
            ("POST", "/api/path", {"stage": {"model": name}}),
        ):
            answer = plain.ask(method, path, body)
            assert 400 <= answer.status < 500, (name, answer)
            assert set(answer.data) == {"error"} and "\n" not in answer.data["error"]
    for text in ('{"name": "\\ud800"}', f'{{"name": {NUMBER}}}', "[" * 50_000):
        assert plain.ask("PUT", "/api/model", text).status == 400
    after = plain.get("/api/state")
    assert after["path"] == before["path"] and plain.host.incidents == []


def test_hostile_presets_are_answered_with_a_sentence(plain: Desk, presets_folder: Path) -> None:
    presets_folder.mkdir()
    deep = "stage = " + "[" * 3000 + "]" * 3000
    for name, text in {
        "deep": f"format = 2\n{deep}\n",
        "number": f"format = 2\nmix = {NUMBER}\n",
        "version": f"format = {NUMBER}\n",
        "escape": 'format = 2\n[[stage]]\nmodel = "\\u001B[2J"\n',
        "binary": "\0\1\2",
    }.items():
        (presets_folder / f"{name}.toml").write_text(text, encoding="utf-8")
    os.mkfifo(presets_folder / "pipe.toml")
    listed = {p["name"]: p for p in plain.get("/api/presets")}
    assert all(listed[n]["problem"] for n in ("deep", "number", "version", "binary", "pipe"))
    for name in (n for n, preset in listed.items() if not preset["bundled"]):
        answer = plain.ask("POST", f"/api/presets/{name}/load")
        assert 400 <= answer.status < 500 and "\n" not in answer.data["error"], answer
        assert plain.ask("PUT", f"/api/presets/{name}", {}).status == 409
    assert plain.ask("PUT", "/api/presets/%ED%A0%80", {}).status == 400
    assert plain.ask("PUT", "/api/presets/good", {"note": "x" * 4000}).status == 200
    assert plain.host.incidents == []


def test_a_preset_that_would_run_code_is_answered_with_what_it_asks_for(
    plain: Desk,
    presets_folder: Path,
    own_cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    presets_folder.mkdir()
    (presets_folder / "evil.vst3").mkdir()
    (presets_folder / "evil.vst3" / "code.so").write_bytes(b"no library")
    (presets_folder / "lead.toml").write_text(
        'format = 2\n[[stage]]\nplugin = "./evil.vst3"\n', encoding="utf-8"
    )
    for body in ({}, {"trust": "0123456789abcdef"}):
        answer = plain.ask("POST", "/api/presets/lead/load", body)
        assert answer.status == 409
        assert answer.data["asks"] == [f"run the plug-in {presets_folder / 'evil.vst3'}"]
    yes = plain.ask("POST", "/api/presets/lead/load", {"trust": answer.data["trust"]})
    assert yes.status == 400 and "evil.vst3 failed when it was last loaded" in yes.data["error"]
    assert plain.host.incidents == []

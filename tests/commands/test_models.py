"""``restyle models``: what it says stands in the files."""

from __future__ import annotations

import json
from pathlib import Path

import onnx
import pytest

from realtime.models.catalog import bundled_folder

from .conftest import Run


def cards() -> dict[str, dict[str, object]]:
    """The bundled models' cards, read by the onnx library."""
    found = {}
    for path in sorted((bundled_folder() or Path()).glob("*.onnx")):
        model = onnx.load(str(path), load_external_data=False)
        metadata = {p.key: p.value for p in model.metadata_props}
        card = json.loads(next(v for k, v in metadata.items() if "card" in k))
        found[card["name"]] = card
    return found


def test_every_model_has_its_facts_and_its_summary_within_80_columns(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    code, said, _ = run("models")
    facts, summaries = said.split("\n\n", 1)
    found = cards()
    rows = {line.split()[0]: line.split() for line in facts.splitlines()[1:]}
    assert code == 0 and set(rows) == set(found)
    for name, card in found.items():
        assert rows[name][1:4] == [card["kind"], str(card["sample_rate"]), str(card["hop_length"])]
        assert rows[name][4] == str(card["latency"])
        assert rows[name][-1] == card["licence"]
        assert str(card["summary"]) in " ".join(summaries.split())


def test_a_broken_file_is_listed_with_what_is_wrong(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "restyle_models"
    folder.mkdir()
    (folder / "bro[ken.onnx").write_text("[red]junk")
    code, said, _ = run("models")
    assert code == 0
    assert ["bro[ken.onnx", "broken"] in [line.split() for line in said.splitlines()]
    assert "not an ONNX model" in said
    code, said, _ = run("models", "--json")
    assert code == 0
    assert [m["name"] for m in json.loads(said) if m["problem"]] == ["bro[ken"]


def test_names_go_to_what_can_be_read_and_the_rest_says_what_it_needs(
    run: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "restyle_models"
    folder.mkdir()
    real = (bundled_folder() or Path()) / "tape.onnx"
    (folder / "tape.onnx").write_text("junk")  # takes no name from the bundled one
    for name in ("mine.onnx", "my second.onnx"):
        model = onnx.load(str(real))
        entry = next(p for p in model.metadata_props if "card" in p.key)
        entry.value = json.dumps({**json.loads(entry.value), "name": "own-tape"})
        onnx.save(model, str(folder / name))
    (folder / "amp.nam").write_text("{}")

    listed = {Path(m["path"]).name: m for m in json.loads(run("models", "--json")[1])}
    bundled = next(m for m in json.loads(run("models", "--json")[1]) if m["name"] == "tape")
    assert Path(bundled["path"]) == real  # the broken file of the folder comes after it
    assert listed["mine.onnx"]["name"] == "own-tape" and not listed["mine.onnx"]["problem"]
    assert "mine.onnx" in listed["my second.onnx"]["problem"]
    assert "restyle import" in listed["amp.nam"]["problem"]

    code, said, _ = run("models")
    assert code == 0 and "own-tape" in said
    facts = said.partition("\n\n")[0].splitlines()
    for file, kind in (
        ("tape.onnx", "broken"),
        ("my second.onnx", "see below"),
        ("amp.nam", "see below"),
    ):
        assert [line for line in facts if line.startswith(file) and kind in line]
    code, _, error = run("verify", "nothing")
    assert code == 2 and "own-tape" in error and ", amp," not in error
    code, said, _ = run("verify", "my second", "--quick")
    assert code == 0 and "my second.onnx: proved" in said


def test_doctor_calls_broken_what_cannot_be_read_and_shows_no_markup(
    run: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "restyle_models"
    folder.mkdir()
    (folder / "amp.nam").write_text("{}")
    _, said, _ = run("doctor")
    lines = [line.split()[:3] for line in said.splitlines()]
    assert ["note", "models:", "amp.nam:"] in lines and "[/" not in said
    (folder / "junk.onnx").write_text("[red]junk")
    code, said, _ = run("doctor")
    assert code == 2
    assert ["FAIL", "models:", "junk.onnx:"] in [line.split()[:3] for line in said.splitlines()]

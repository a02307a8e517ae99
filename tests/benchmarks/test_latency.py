from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.measures import fft, latency
from benchmarks.pages import latency_page, readme
from benchmarks.rig.tables import SCHEMA
from realtime.errors import RestyleError


@pytest.fixture(scope="module")
def result(models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A very short run of the command on simulated devices; glitch cells have their own tests."""
    path = tmp_path_factory.mktemp("results") / "latency.json"
    argv = [
        "--models",
        f"pass-through,{models['frames']}",
        "--blocks",
        "64",
        "--seconds",
        "0.1",
        "--quick",
        "--no-jack",
        "--no-glitch",
        "--json",
        str(path),
    ]
    assert latency.main(argv) == 0
    return path


def test_result_file_has_the_documented_shape(result: Path) -> None:
    data = json.loads(result.read_text())
    assert data["schema"] == SCHEMA and data["kind"] == "latency"
    assert str(result.parent) not in json.dumps(data), "a folder of this machine leaked"
    assert set(data["tables"]) == {"latency", "cpu", "timer"}
    assert all(r["verdict"] == "ok" for r in data["tables"]["latency"])
    assert [r["model"] for r in data["tables"]["cpu"]] == ["frames"]


def test_latency_page(result: Path) -> None:
    data = readme.load_result(result, "latency")
    text = latency_page.section(data)
    assert data["command"] in text
    assert "| frames | 64 | inline |" in text
    with pytest.raises(ValueError, match="no recovery result"):
        readme.load_result(result, "recovery")


def test_a_mismatch_is_an_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"model": "m", "block": 64, "lane": "inline", "verdict": "MISMATCH"}
    monkeypatch.setattr(latency.alignment, "simulated_rows", lambda *a: [row])
    argv = ["--models", "pass-through", "--no-glitch", "--no-jack", "--quick"]
    assert latency.main(argv) == 1


@pytest.mark.parametrize(
    "argv", [["--blocks", "0"], ["--blocks", "a"], ["--seconds", "-1"], ["--unknown"]]
)
def test_bad_options_are_exit_code_2(argv: list[str]) -> None:
    with pytest.raises(SystemExit) as error:
        latency.main(argv)
    assert error.value.code == 2


def test_bad_model_and_target_are_one_sentence() -> None:
    with pytest.raises(RestyleError, match="no-such"):
        latency.main(["--models", "no-such"])
    with pytest.raises(RestyleError, match="does not exist"):
        latency.main(["--models", "pass-through", "--json", "/nowhere/at/all.json"])


def test_fft_rows() -> None:
    rows = fft.rows_for(256)
    assert {"restyle", "numpy"} <= {r["library"] for r in rows}
    for row in rows:
        assert row["error"] < 1e-6 and row["round_trip_error"] < 1e-6

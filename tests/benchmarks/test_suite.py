"""`restyle bench --quick`: one tiny run from end to end, the command's errors, the peers."""

from __future__ import annotations

import importlib.util
import json
import mmap
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from typer.testing import CliRunner

from benchmarks.rig import peers
from benchmarks.rig.child import ChildError
from benchmarks.rig.peers import steps
from benchmarks.rig.worker import Worker
from benchmarks.suite import captures, command, cost, measure, memory, plan, schema, speed, start
from benchmarks.suite import peers as suite_peers
from realtime.commands.app import app
from realtime.errors import ConfigError, RestyleError
from realtime.models.catalog import find_model

TINY = replace(
    plan.QUICK, rounds=2, timer_wakes=60, hot_s=0.05, paced_s=0.05, glitch_s=0.1, loads=("none",),
    peer_s=0.05, captures=(), render_s=0.2, cold_starts=0, warm_starts=2, memory_s=1.0,
    most_models=1,
)  # fmt: skip


def test_a_tiny_run_writes_a_whole_report(
    models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spent = dict.fromkeys(start.PARTS, 0.5)
    monkeypatch.setattr(start, "_start", lambda path, folder: spent)
    monkeypatch.setattr(measure.jack, "unavailable", lambda: "switched off")
    monkeypatch.setitem(command.PLANS, "quick", TINY)
    monkeypatch.setattr(measure.contenders, "NAMES", ("bare", "inline"))
    monkeypatch.setattr(suite_peers, "ON_NETWORKS", ("onnxruntime InferenceSession", "torch eager"))
    names = ",".join(str(p) for p in models.values())
    assert command.measure("quick", tmp_path / "out", f"pass-through,{names}") == 0
    folder = tmp_path / "out"
    found = schema.read_report(folder / "report.json")
    assert {p.name for p in folder.iterdir()} == {*command.FILES, command.FIGURES}
    sections = found["sections"]
    assert [r["model"] for r in sections["cost"]["rows"]] == ["wave", "frames"]
    for row in sections["cost"]["rows"]:
        assert len(row["paced_us"]["rounds"]["p50"]) == TINY.rounds
        whole, parts = row["paced_us"]["p50"], sum(row["stages_us"].values())
        assert 0.3 * whole < parts < 2 * whole  # medians of the same hops; a slip is a thousandfold
    named = {(r["model"], r["stage"]) for r in sections["stages"]["rows"]}
    assert ("frames", "FFT") in named and ("wave", "FFT") not in named
    assert {r["verdict"] for r in sections["latency"]["rows"]} == {"ok"}
    assert sections["round_trip"]["notes"] == ["No round trip over real PortAudio: switched off."]
    assert sections["glitch"]["rows"][1]["contender"] == "restyle, inline lane"
    assert len(sections["memory"]["rows"][0]["engine_samples_mib"]) == memory.SAMPLES
    by_peer = {r["peer"] for r in sections["peers"]["rows"]}
    assert {"restyle", "onnxruntime InferenceSession"} <= by_peer
    remarks = {p["name"]: p["remark"] for p in found["peers"]}
    if remarks["torch eager"]:  # there is no recipe of that name
        assert remarks["torch eager"].startswith(("could not be measured", "not installed"))
    text = (folder / "report.html").read_text()
    assert "<svg" in text and str(tmp_path) not in (folder / "report.md").read_text()


def test_what_cannot_be_measured_is_said_and_the_report_is_written(
    models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise ChildError("it was switched off")

    places: dict[str, Any] = {
        "timer_section": cost,
        "cost_section": cost,
        "peers_section": measure,
        "latency_section": measure,
        "round_trip_section": measure,
        "glitch_section": measure,
        "captures_section": captures,
        "render_section": speed,
        "startup_section": start,
        "memory_section": memory,
    }
    for name, module in places.items():
        monkeypatch.setattr(module, name, broken)
    monkeypatch.setattr(measure.jack, "unavailable", lambda: "switched off")
    monkeypatch.setitem(command.PLANS, "quick", TINY)
    assert command.measure("quick", tmp_path / "out", ",".join(map(str, models.values()))) == 0
    found = schema.read_report(tmp_path / "out" / "report.json")
    sections = found["sections"]
    assert all(not s["rows"] for s in sections.values()) and len(sections) == len(places) + 1
    said = {name: s["notes"] for name, s in sections.items() if name != "stages"}
    assert said == dict.fromkeys(said, ["Not measured: it was switched off."])
    assert "Not measured: it was switched off." in (tmp_path / "out" / "report.md").read_text()


def test_memory_is_read_from_the_system() -> None:
    before = memory.resident_mib(os.getpid())
    held = mmap.mmap(-1, 64 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    np.frombuffer(held, np.uint8)[:] = 1
    after = memory.resident_mib(os.getpid())
    assert after - before == pytest.approx(64.0, abs=4.0)
    held.close()


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["--out", "x"], "name one of --quick"),
        (["--quick", "--full"], "name one of --quick"),
        (["--every", "--quick"], "--every belongs to --compare"),
        (["--quick", "--models", "no-such"], "no-such"),
        (["--quick", "latency"], "options come after the name"),
        (["--compare", "gone.json", "gone.json"], "cannot read gone.json"),
        (["--quick", "--out", "/proc/none"], "cannot write to the folder"),
    ],
)
def test_bad_wishes_are_one_sentence(argv: list[str], says: str) -> None:
    result = CliRunner().invoke(app, ["bench", *argv])
    assert isinstance(result.exception, RestyleError)
    assert says in str(result.exception) and "\n" not in str(result.exception)


def test_bench_alone_shows_help() -> None:
    result = CliRunner().invoke(app, ["bench"])
    assert "--quick" in result.output and "recovery" in result.output


def test_a_package_that_is_missing_is_said_before_anything_is_measured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(RestyleError, match=r"needs the package 'matplotlib'; run: pip install"):
        command.measure("quick", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_compare_prints_what_changed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = Path(__file__).parents[2] / "benchmarks" / "results" / "report.json"
    data: dict[str, Any] = json.loads(kept.read_text())
    data["sections"]["latency"]["rows"][0]["declared"] += 7
    other = tmp_path / "b.json"
    other.write_text(json.dumps(data))
    assert command.compare(kept, other) == 0
    said = capsys.readouterr().out
    assert "1 changed" in said and "CHANGED" in said
    with pytest.raises(ConfigError, match="restyle-bench/1"):
        command.compare(kept, kept.with_name("latency.json"))


def test_peers_that_are_not_there_are_listed_with_their_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda n, *a: None if n == "rtmixer" else real(n, *a)
    )
    (row,) = [r for r in peers.listing() if r["name"].startswith("rtmixer")]
    assert not row["installed"] and row["version"] is None
    assert row["remark"] == "not installed; pip install 'restyle[bench]'"


def test_a_peer_that_cannot_be_prepared_says_why(tmp_path: Path) -> None:
    job = {"peer": "onnxruntime InferenceSession", "models": {"x": str(tmp_path / "gone.onnx")}}
    with (
        Worker("benchmarks.rig.peers.steps", job) as worker,
        pytest.raises(ChildError, match=r"gone\.onnx"),
    ):
        worker.wait_ready()


def test_a_peer_answers_round_after_round(models: dict[str, Path]) -> None:
    job = {"peer": "onnxruntime InferenceSession", "models": {"w": str(models["wave"])}}
    with Worker("benchmarks.rig.peers.steps", job) as worker:
        worker.wait_ready()
        for paced in (False, True):
            found = worker.ask({"model": "w", "seconds": 0.1, "paced": paced})
            assert len(found) == 75 and min(found) > 1.0


@pytest.mark.parametrize("name", ["tube-amp", "clean"])
def test_torch_runs_the_very_network_of_the_file(name: str) -> None:
    pytest.importorskip("torch")
    from train.recipes import get_recipe

    network = get_recipe(name).network()
    graph = onnx.load(find_model(name)).graph
    kept = sum(int(np.prod(t.dims)) for t in graph.initializer if t.data_type == 1)
    names = {t.name for t in graph.initializer}
    weights = sum(p.numel() for p in network.parameters())
    weights += sum(b.numel() for n, b in network.named_buffers() if n in names)
    assert kept == pytest.approx(weights, rel=0.05)  # the exporter folds constants
    steps.torch_step(find_model(name), script=False)()

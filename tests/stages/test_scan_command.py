from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from realtime.commands.app import app
from realtime.errors import ConfigError
from realtime.stages.records import OK, PluginInfo, Record, Records

Bundle = Callable[[str], Path]


def restyle(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["scan", *arguments])


def test_good_and_bad_plugins_are_listed_and_the_exit_code_is_0(
    place: Callable[[str], Path], own_cache: Path, tmp_path: Path
) -> None:
    place("delay")
    bad = place("crashes on load")
    for again in (False, True):
        done = restyle(str(tmp_path), "--json")
        assert done.exit_code == 0
        found = json.loads(done.stdout)
        assert [(r["status"], r["loaded_now"]) for r in found] == [
            ("crashed", not again),
            ("ok", not again),
        ]
    assert found[1]["plugins"][0]["latency"] == 64
    done = restyle("--retry", str(bad))
    assert done.exit_code == 0
    assert "crashed" in done.stdout
    assert "SIGSEGV" in done.stdout
    assert "delay" not in done.stdout.lower()


def test_the_table_says_what_a_plugin_is(
    tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "It.vst3"
    file.mkdir()
    info = PluginInfo("It [v2]", "Its maker", "1.0", "Fx", True, (1, 2), 96, 3)
    synth = PluginInfo("Its synth", "Its maker", "1.0", "Instrument", False, (), 0, 0)
    Records().put(Record(str(file), OK, "", (info, synth)))
    monkeypatch.setattr("realtime.commands.scan.out.width", 200)
    lines = restyle(str(tmp_path)).stdout.splitlines()
    assert lines[0].split() == ["status", "name", "maker", "version", "in/out", "latency", "path"]
    for part in ("ok", "It [v2]", "Its maker", "1 or 2", "96", str(file)):
        assert part in lines[1]
    assert lines[2].startswith("instrument")


def test_a_time_limit_is_kept(bundle: Bundle, own_cache: Path) -> None:
    done = restyle(str(bundle("hangs on load")), "--timeout", "1.5", "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)[0]["reason"].endswith(" after 1.5 s")


def test_the_systems_folders_are_the_default(
    tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("realtime.commands.scan.default_folders", lambda: [tmp_path / "none"])
    done = restyle()
    assert done.exit_code == 0
    assert "no plug-in was found in" in done.stdout


@pytest.mark.parametrize(
    ("option", "value"), [("--timeout", "0"), ("--timeout", "x"), ("--of", "")]
)
def test_bad_options_end_with_2(tmp_path: Path, option: str, value: str) -> None:
    assert restyle(str(tmp_path), option, value).exit_code == 2


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    done = restyle(str(tmp_path / "gone"))
    assert isinstance(done.exception, ConfigError)
    assert "neither a folder nor a plug-in file" in str(done.exception)


def test_damaged_records_are_mentioned(tmp_path: Path, own_cache: Path) -> None:
    own_cache.parent.mkdir(parents=True)
    own_cache.write_text("{")
    done = restyle(str(tmp_path))
    assert done.exit_code == 0
    assert own_cache.with_suffix(".bad").exists()

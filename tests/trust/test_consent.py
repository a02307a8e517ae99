"""Code, the network and other folders are asked for; a yes holds for a content."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from realtime.commands.app import app
from realtime.commands.trusting import with_yes
from realtime.host.session_log import LoggedChange
from realtime.presets.asking import plugin_asks, session_asks
from realtime.presets.check import Library
from realtime.presets.files import read_session
from realtime.presets.opening import open_preset, open_session
from realtime.session.operations import Insert, brought
from realtime.session.sound import Stage
from realtime.stages import isolate, records
from realtime.trust.consent import Untrusted, allow, consents

PLUGIN = 'format = 2\nname = "Warm lead"\n[[stage]]\nplugin = "evil.vst3"\n'
NETWORK = """format = 2
[[stage]]
model = "tape"
[osc]
host = "0.0.0.0"
port = 19011
[record]
folder = "elsewhere"
dry = true
"""


@pytest.fixture(autouse=True)
def own(own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is known or trusted, and loading any plug-in fails the test."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("RESTYLE_RECORDINGS", str(tmp_path / "takes"))

    def loaded(*_: object) -> None:
        raise AssertionError("the plug-in was run")

    monkeypatch.setattr(isolate, "probe_apart", loaded)
    monkeypatch.setattr("realtime.stages.scan.probe_apart", loaded)


@pytest.fixture
def preset(tmp_path: Path) -> Path:
    """A preset beside a bundle with a shared library in it."""
    inside = tmp_path / "evil.vst3" / "Contents" / "x86_64-linux"
    inside.mkdir(parents=True)
    (inside / "evil.so").write_bytes(b"\x7fELF code")
    path = tmp_path / "shared.toml"
    path.write_text(PLUGIN)
    return path


def test_a_preset_that_would_run_code_says_so_and_waits(preset: Path, tmp_path: Path) -> None:
    with pytest.raises(Untrusted) as caught:
        open_preset(preset, Library())
    said = str(caught.value)
    assert f"run the plug-in {tmp_path / 'evil.vst3'}" in said and f"--trust {preset}" in said
    allow(caught.value.asks)
    assert open_preset(preset, Library()).name == "Warm lead"
    assert consents().stat().st_mode & 0o777 == 0o700
    # the same code elsewhere is the same code; other code is not
    (tmp_path / "b").mkdir()
    moved = shutil.copytree(tmp_path / "evil.vst3", tmp_path / "b" / "evil.vst3")
    assert list(plugin_asks((Stage(plugin=str(moved)),)))
    with_yes(lambda: open_preset(shutil.copy(preset, tmp_path / "b"), Library()), None)
    (moved / "Contents" / "x86_64-linux" / "evil.so").write_bytes(b"\x7fELF c0de")
    with pytest.raises(Untrusted):
        open_preset(tmp_path / "b" / "shared.toml", Library())


def test_a_folder_that_others_can_write_to_gives_no_yes(preset: Path) -> None:
    with pytest.raises(Untrusted) as caught:
        open_preset(preset, Library())
    allow(caught.value.asks)
    consents().chmod(0o777)
    with pytest.raises(Untrusted):
        open_preset(preset, Library())


def test_a_plug_in_that_a_scan_has_seen_is_not_asked_for(preset: Path, tmp_path: Path) -> None:
    found = records.Records()
    found.put(records.Record(str((tmp_path / "evil.vst3").resolve()), records.FAILED, "x"))
    assert open_preset(preset, Library()).name == "Warm lead"


def test_a_session_that_opens_the_network_or_records_elsewhere_waits(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text(NETWORK)
    with pytest.raises(Untrusted) as caught:
        open_session(path, Library())
    kinds = [a.what for a in caught.value.asks]
    assert kinds[0] == "let the network turn its knobs, by OSC on 0.0.0.0 port 19011"
    assert kinds[1].startswith("record what comes in and what is played into ")
    allow(caught.value.asks)
    assert open_session(path, Library()).osc is not None
    path.write_text(NETWORK.replace("19011", "19012"))  # another file
    with pytest.raises(Untrusted):
        open_session(path, Library())


@pytest.mark.parametrize(
    ("old", "new"),
    [("0.0.0.0", "127.0.0.1"), ("0.0.0.0", "::1"), ("0.0.0.0", "localhost")],
)
def test_what_stays_on_this_machine_asks_for_nothing(old: str, new: str, tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    folder = f'"{tmp_path / "takes" / "band"}"'
    path.write_text(NETWORK.replace(old, new).replace('"elsewhere"', folder))
    assert list(session_asks(read_session(path), path)) == []


def test_a_folder_is_not_left_by_dots_or_links(tmp_path: Path) -> None:
    (tmp_path / "takes").mkdir()
    (tmp_path / "takes" / "out").symlink_to(tmp_path)
    for folder in ("../data", "out", "out/x"):
        path = tmp_path / "s.toml"
        path.write_text(
            f'format = 2\n[record]\nfolder = "{tmp_path / "takes" / folder}"\nwet = true\n'
        )
        assert list(session_asks(read_session(path), path)), folder


def test_a_session_of_the_first_format_waits_too(tmp_path: Path) -> None:
    old = NETWORK.replace("format = 2\n[[stage]]\n", "format = 1\n")
    (tmp_path / "opens_network.toml").write_text(old)
    with pytest.raises(Untrusted, match="record"):
        open_session(tmp_path / "opens_network.toml", Library())


def test_commands_wait_and_take_a_yes(preset: Path, tmp_path: Path) -> None:
    run = CliRunner()
    audio = Path(__file__).parents[2] / "exported" / "tape.flac"
    target = tmp_path / "out.wav"
    for words in (["--preset", str(preset)], ["--chain", str(tmp_path / "chain.toml")]):
        (tmp_path / "chain.toml").write_text('[[stage]]\nplugin = "evil.vst3"\n')
        found = run.invoke(app, ["render", str(audio), str(target), *words])
        assert isinstance(found.exception, Untrusted) and not target.exists()
    found = run.invoke(app, ["preset", "load", str(preset)])
    assert found.exit_code == 0
    assert "run the plug-in" in found.stdout and "--trust" in found.stdout
    found = run.invoke(app, ["preset", "check", str(preset)])
    assert "asks first to run the plug-in" in " ".join(found.stdout.split())
    trusted = ["--trust", str(preset)]
    found = run.invoke(app, ["render", str(audio), str(target), "--preset", str(preset), *trusted])
    assert isinstance(found.exception, AssertionError)  # now it is run, as the fixture tells


def test_a_log_that_brings_a_plug_in_waits(tmp_path: Path) -> None:
    (tmp_path / "evil.vst3").mkdir()
    change = LoggedChange(0, None, "inline", Insert(Stage(plugin=str(tmp_path / "evil.vst3"))))
    read = msgspec.json.decode(msgspec.json.encode(change), type=LoggedChange)
    asks = [a.what for a in plugin_asks(brought(read.operation))]
    assert asks == [f"run the plug-in {tmp_path / 'evil.vst3'}"]

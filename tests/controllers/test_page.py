"""docs/control.md says what the program does."""

from __future__ import annotations

import re
from pathlib import Path

from realtime.controllers.osc import OscServer
from realtime.parameters.parameter import KINDS, find_parameter
from realtime.presets.check import Library
from realtime.presets.files import read_session, write_file
from realtime.presets.format import OSC_PORT, SessionFile
from realtime.session.names import knobs

from .fake import surface

PAGE = (Path(__file__).parents[2] / "docs" / "control.md").read_text()


def example(tmp_path: Path) -> SessionFile:
    found = re.search(r"```toml\n(.*?)```", PAGE, re.S)
    assert found is not None
    path = tmp_path / "live.toml"
    path.write_text(found[1], encoding="utf-8")
    return read_session(path)


def test_the_example_is_a_session_and_survives_writing(tmp_path: Path) -> None:
    session = example(tmp_path)
    assert session.preset.name == "Warm lead"
    assert session.device is not None
    assert session.device.in_map == (0, 1)
    assert session.device.input == "USB ALSA"
    assert [m.source for m in session.midi] == ["cc", "cc14", "note", "program", "nrpn"]
    assert session.osc is not None
    assert session.osc.port == OSC_PORT
    write_file(tmp_path / "again.toml", session)
    assert read_session(tmp_path / "again.toml") == session


def test_the_example_plays_and_its_mappings_name_what_is_there(tmp_path: Path) -> None:
    session = example(tmp_path)
    found = knobs(*Library().checked(session.preset.sound))
    for mapping in session.midi:
        if mapping.target == "parameter":
            mapping.ends(find_parameter(found, mapping.name))


def test_the_page_lists_every_address() -> None:
    with OscServer(surface(), port=0) as server:
        addresses = {f"/restyle/{name}" for name in server._space._handlers}
    listed = set(re.findall(r"^\| `(/restyle/[\w/]+)`", PAGE, re.M))
    assert {a for a in listed if "NAME" not in a and "/stage/" not in a} == addresses


def test_the_page_lists_every_command() -> None:
    from realtime.commands import midi, preset

    for group, module in (("preset", preset), ("midi", midi)):
        for word in module.COMMANDS:
            assert f"restyle {group} {word}" in PAGE


def test_kinds_of_parameters_are_those_there_are() -> None:
    assert {p.kind for p in surface("synth").parameters()} < set(KINDS)

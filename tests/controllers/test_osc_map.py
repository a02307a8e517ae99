"""Addresses of other programs, mute and push-to-talk over OSC, and `restyle send`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from realtime.controllers.osc import OscServer
from realtime.errors import PresetError
from realtime.parameters.mapping import OscMapping
from realtime.presets.files import read_session, write_file
from realtime.presets.format import OscSettings, SessionFile

from ..commands.conftest import Run, run  # noqa: F401 (the fixture)
from .fake import surface
from .test_osc import Peer, Rig, rig  # noqa: F401 (the fixture)

AVATAR = "/avatar/parameters/"
MAP = (
    OscMapping(address=AVATAR + "Talk", parameter="mute", low=1.0, high=0.0),
    OscMapping(address=AVATAR + "Room", parameter="room_size", first=-1.0, last=1.0),
    OscMapping(address=AVATAR + "Style", style="plain"),
    OscMapping(address=AVATAR + "Flip", parameter="bypass", mode="toggle"),
)


@pytest.fixture
def mapped() -> Iterator[Rig]:
    made = Rig.__new__(Rig)
    made.said, made.surface = [], surface()
    made.server = OscServer(made.surface, port=0, report=made.said.append, mappings=MAP)
    made.peer = Peer(made.server)
    yield made
    made.server.close()
    made.peer.socket.close()


def test_mute_talk_and_toggle(rig: Rig) -> None:  # noqa: F811
    for address, argument, muted in (
        ("mute", 1, 1.0), ("talk", True, 0.0), ("talk", False, 1.0), ("mute", 0, 0.0),
        ("toggle", "mute", 1.0), ("toggle", "mute", 0.0),
    ):  # fmt: skip
        assert rig.peer.ask(f"/restyle/{address}", argument) == []
        assert rig.surface.get("mute") == muted
    for address, argument, says in (
        ("mute", 2, "takes 0, 1, T or F"),
        ("toggle", "room_size", "is no switch"),
        ("toggle", "mut", "did you mean"),
    ):
        ((_, (sentence,)),) = rig.peer.ask(f"/restyle/{address}", argument)
        assert says in sentence


def test_addresses_of_other_programs_turn_what_they_are_mapped_to(mapped: Rig) -> None:
    found = mapped.surface
    assert mapped.peer.ask(AVATAR + "Talk", False) == [] and found.get("mute") == 1.0
    assert mapped.peer.ask(AVATAR + "Talk", True) == [] and found.get("mute") == 0.0
    mapped.peer.ask(AVATAR + "Room", 0.5)
    assert found.get("room_size") == 0.75
    mapped.peer.ask(AVATAR + "Room", 7.0)
    assert found.get("room_size") == 1.0
    for value, on in ((1, 1.0), (1, 1.0), (0, 1.0), (1, 0.0)):  # at each rise
        mapped.peer.ask(AVATAR + "Flip", value)
        assert found.get("bypass") == on
    mapped.peer.ask(AVATAR + "Style", 1.0)
    assert found.status()["style"] == "plain"


def test_what_is_not_mapped_is_passed_over_and_what_is_wrong_is_answered(mapped: Rig) -> None:
    assert mapped.peer.ask(AVATAR + "VelocityX", 0.3) == []
    ((address, (sentence,)),) = mapped.peer.ask(AVATAR + "Room", "wide")
    assert address == "/restyle/error" and "number" in sentence


def test_a_session_file_keeps_the_map(tmp_path: Path) -> None:
    path = tmp_path / "vrchat.toml"
    write_file(path, SessionFile(osc=OscSettings(port=9001, map=MAP)))
    assert read_session(path).osc == OscSettings(port=9001, map=MAP)
    assert path.read_text().count("[[osc.map]]") == 4


@pytest.mark.parametrize(
    "wrong", [{"first": 1.0}, {"address": "avatar"}, {"style": "plain"}, {"parameter": None}]
)
def test_a_map_that_cannot_be_is_refused(tmp_path: Path, wrong: dict[str, object]) -> None:
    table = {"address": "/a/b", "parameter": "mute", "first": 0.0, "last": 1.0} | wrong
    rows = [f"{k} = {v!r}".replace("'", '"') for k, v in table.items() if v is not None]
    (tmp_path / "one.toml").write_text("format = 2\n[osc]\n[[osc.map]]\n" + "\n".join(rows))
    with pytest.raises(PresetError):
        read_session(tmp_path / "one.toml")


def test_a_message_from_the_command_line(rig: Rig, run: Run) -> None:  # noqa: F811
    to = str(rig.server.address[1])
    assert run("send", "toggle", "mute", "--to", to)[0] == 0
    assert rig.surface.get("mute") == 1.0
    code, said, _ = run("send", "/restyle/param/mix", "--to", to)
    assert code == 0 and "mix 1.0" in said
    code, _, error = run("send", "param", "mixx", "0.5", "--to", to)
    assert code == 2 and "did you mean" in error
    code, _, error = run("send", "ping", "--to", "1")
    assert code == 2 and "restyle live --osc" in error

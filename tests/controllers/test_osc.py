"""The OSC server over real UDP on the loopback interface."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from realtime.controllers.osc import OscServer
from realtime.controllers.osc_meters import Subscriptions
from realtime.controllers.osc_packet import decode, encode, encode_bundles
from realtime.errors import ControlError
from realtime.presets.files import save_preset
from realtime.presets.format import Preset

from .fake import picture, sound, surface

PATIENCE = 120.0  # seconds; the most that a busy machine may take


class Peer:
    """A program that speaks OSC to a server."""

    def __init__(self, server: OscServer) -> None:
        self.server = server
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(PATIENCE)
        self.port: int = self.socket.getsockname()[1]

    def raw(self, datagram: bytes) -> None:
        self.socket.sendto(datagram, self.server.address)

    def hear(self) -> list[tuple[str, list[Any]]]:
        return decode(self.socket.recv(65535))

    def ask(self, address: str, *arguments: Any) -> list[tuple[str, list[Any]]]:
        """Send a message and a ping; return all that comes before the pong."""
        self.raw(encode(address, arguments))
        return self.settle()

    def settle(self) -> list[tuple[str, list[Any]]]:
        self.raw(encode("/restyle/ping"))
        heard: list[tuple[str, list[Any]]] = []
        while ("/restyle/pong", []) not in heard:
            heard += self.hear()
        return heard[:-1]


class Rig:
    def __init__(self, model: str | None = "blend") -> None:
        self.said: list[str] = []
        self.surface = surface(model)
        self.server = OscServer(self.surface, port=0, report=self.said.append)
        self.peer = Peer(self.server)


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    monkeypatch.setenv("RESTYLE_PRESETS", str(tmp_path / "presets"))
    made = Rig()
    yield made
    made.server.close()
    made.peer.socket.close()


def test_every_address_does_what_the_page_says(rig: Rig) -> None:
    save_preset("soft", Preset(sound=sound("plain", mix=0.25)))
    ask, one = rig.peer.ask, rig.surface
    assert ask("/restyle/mix", 0.5) == []
    assert one.get("mix") == 0.5
    assert ask("/restyle/mix", 1) == []  # whole numbers will do
    assert one.get("mix") == 1.0
    assert ask("/restyle/blend", "warm", 1.0, "fuzz", 3.0) == []
    assert one.get("fuzz") == 0.75
    assert ask("/restyle/blend/lo", 0.5) == []
    assert (one.get("lo"), one.get("fuzz")) == pytest.approx((0.5, 0.375))
    for on in (1, 0, True, False, 1.0):
        assert ask("/restyle/bypass", on) == []
        assert one.get("bypass") == float(on)
    assert ask("/restyle/param", "2.room_size", 0.75) == []
    assert one.get("2.room_size") == 0.75
    assert ask("/restyle/param/2.room_size", 0.5) == []
    assert ask("/restyle/param", "2.room_size") == [("/restyle/param", ["2.room_size", 0.5])]
    assert ask("/restyle/param/mix") == [("/restyle/param", ["mix", 1.0])]
    assert ask("/restyle/stage/2/room_size", 0.25) == []
    assert ask("/restyle/stage/2/room_size") == [("/restyle/param", ["2.room_size", 0.25])]
    assert ask("/restyle/param", "room_size", 0.5) == []  # one stage alone has it
    assert one.get("2.room_size") == 0.5
    assert ask("/restyle/style", "synth") == []
    assert ask("/restyle/styles") == [("/restyle/styles", ["plain", "blend", "synth"])]
    assert ask("/restyle/status") == [("/restyle/status", ["synth", "first", 1])]
    assert ask("/restyle/style", "") == []
    assert one.status()["style"] is None
    assert ask("/restyle/preset", "soft") == []
    assert one.get("mix") == 0.25


def test_the_tuner_is_told_by_its_note(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    ((address, (said,)),) = rig.peer.ask("/restyle/tuner")
    assert address == "/restyle/error" and 'effect = "Tuner"' in said
    heard = {"tuner_hz": 41.25, "tuner_note": 28.0, "tuner_cents": 2.0}
    monkeypatch.setattr(rig.surface, "meters", lambda: heard)
    assert rig.peer.ask("/restyle/tuner") == [("/restyle/tuner", ["E1", 2.0, 41.25])]
    heard |= dict.fromkeys(heard, 0.0)
    assert rig.peer.ask("/restyle/tuner") == [("/restyle/tuner", ["", 0.0, 0.0])]


def test_the_list_of_parameters_is_complete(rig: Rig) -> None:
    *rows, end = rig.peer.ask("/restyle/params")
    known = rig.surface.parameters()
    assert end == ("/restyle/params/end", [len(known)])
    assert {address for address, _ in rows} == {"/restyle/params"}
    assert [a[0] for _, a in rows] == [p.name for p in known]
    assert rows[1][1] == ["input_gain_db", "dB", -100.0, 24.0, 0.0, "continuous", 0.0]


@pytest.mark.parametrize(
    ("address", "arguments", "says"),
    [
        ("/restyle/mxi", [0.5], "unknown address /restyle/mxi; did you mean '/restyle/mix'?"),
        ("/other/mix", [0.5], "unknown address /other/mix"),
        ("/mix", [0.5], "unknown address /mix"),
        ("/restyle/mi*", [0.5], "unknown address"),
        ("/restyle/mix", [], "mix takes a number, got 0 arguments"),
        ("/restyle/mix", ["a"], "mix takes a number (f), got 'a'"),
        ("/restyle/mix", [0.5, 0.5], "got 2 arguments"),
        ("/restyle/mix", [1.5], "mix must be within 0..1, got 1.5"),
        ("/restyle/mix", [float("nan")], "takes a number"),
        ("/restyle/mix", [[0.5]], "takes a number"),
        ("/restyle/mix", [None], "takes a number"),
        ("/restyle/mix", [b"\0"], "arguments are of the kinds"),
        ("/restyle/style", ["blned"], "did you mean 'blend'"),
        ("/restyle/style", ["../blend.onnx"], "there is no style"),
        ("/restyle/style", [3], "takes a text (s), got 3"),
        ("/restyle/preset", ["gone"], "there is no preset 'gone'"),
        ("/restyle/preset", ["../../etc/x.toml"], "is no name for a preset"),
        ("/restyle/preset", ["/etc/passwd"], "is no name for a preset"),
        ("/restyle/preset", [], "takes a name"),
        ("/restyle/bypass", ["on"], "takes 0, 1, T or F, got 'on'"),
        ("/restyle/bypass", [2], "takes 0, 1, T or F"),
        ("/restyle/blend", [], "names and weights in turn"),
        ("/restyle/blend", ["warm"], "names and weights in turn"),
        ("/restyle/blend", ["warm", 1.0, "warm", 1.0], "twice"),
        ("/restyle/blend", ["warm", 1.0, "wram", 1.0], "did you mean 'warm'"),
        ("/restyle/blend", ["warm", -1.0], "0 or more"),
        ("/restyle/blend", ["warm", "x"], "takes a number"),
        ("/restyle/blend", ["warm", 0.0], "a weight above 0"),
        ("/restyle/blend/wram", [0.5], "did you mean 'warm'"),
        ("/restyle/blend/mix", [0.5], "unknown parameter 'mix'"),
        ("/restyle/blend/warm", [1.5], "within 0..1"),
        ("/restyle/param", [], "param takes a name"),
        ("/restyle/param", [1.0, "mix"], "takes a text"),
        ("/restyle/param", ["2.rom_size", 0.5], "did you mean '2.room_size'"),
        ("/restyle/param/cutoff", [0.5], "unknown parameter 'cutoff'"),
        ("/restyle/param/mix", ["x"], "takes a number"),
        ("/restyle/params", ["x"], "takes no arguments"),
        ("/restyle/ping", [1], "takes no arguments"),
        ("/restyle/meters/subscribe", ["127.0.0.1"], "a host and a port"),
        ("/restyle/meters/subscribe", ["example.com", 9001], "an address in numbers"),
        ("/restyle/meters/subscribe", ["224.0.0.1", 9001], "a single IPv4 address"),
        ("/restyle/meters/subscribe", ["::1", 9001], "a single IPv4 address"),
        ("/restyle/meters/subscribe", ["127.0.0.1", 0], "within 1..65535"),
        ("/restyle/meters/subscribe", ["192.0.2.7", 9001], "not to 192.0.2.7"),
        ("/restyle/meters/subscribe", ["127.0.0.1", 9001, 31.0], "within 0.1..30 Hz"),
        ("/restyle/meters/unsubscribe", ["127.0.0.1", 9001], "has not subscribed"),
    ],
)
def test_what_is_wrong_is_answered_with_a_sentence_and_changes_nothing(
    rig: Rig, address: str, arguments: list[Any], says: str
) -> None:
    before = picture(rig.surface)
    answers = rig.peer.ask(address, *arguments)
    assert [a for a, _ in answers] == ["/restyle/error"]
    sentence = answers[0][1][0]
    assert says in sentence
    assert "\n" not in sentence
    assert picture(rig.surface) == before
    assert len(rig.server._subscriptions) == 0


def test_a_bundle_is_done_in_order_at_once_whatever_its_time(rig: Rig) -> None:
    (datagram,) = encode_bundles([("/restyle/mix", [0.5]), ("/restyle/param", ["mix"])])
    later = datagram[:8] + b"\xff" * 8 + datagram[16:]
    rig.peer.raw(later)
    assert rig.peer.settle() == [("/restyle/param", ["mix", 0.5])]


def test_meters_come_until_they_are_no_longer_wanted(rig: Rig) -> None:
    rig.peer.ask("/restyle/meters/subscribe", "localhost", rig.peer.port, 30.0)
    for _ in range(3):
        heard = dict(rig.peer.hear())
        assert heard["/restyle/meters/input_rms_db"] == [-100.0]
        assert set(heard) == {f"/restyle/meters/{n}" for n in rig.surface.meters()}
    rig.peer.ask("/restyle/meters/unsubscribe", "127.0.0.1", rig.peer.port)
    rig.peer.settle()
    assert len(rig.server._subscriptions) == 0


def test_who_names_no_address_gets_the_meters_himself(rig: Rig) -> None:
    rig.peer.raw(encode("/restyle/meters/subscribe"))
    assert len(rig.peer.hear()) == 5


def test_meters_are_due_at_their_rate_and_never_in_a_burst() -> None:
    these = Subscriptions()
    these.add("127.0.0.1", 9001, 10.0)
    these.add("127.0.0.1", 9002, 30.0)
    counts = {("127.0.0.1", 9001): 0, ("127.0.0.1", 9002): 0}
    for tick in range(1000):  # ten seconds in steps of 10 ms
        for target in these.due(100.0 + tick / 100):
            counts[target] += 1
    assert counts == {("127.0.0.1", 9001): 100, ("127.0.0.1", 9002): 300}
    assert len(these.due(500.0)) == 2  # late by minutes: once
    assert these.due(500.001) == []
    assert these.wait(500.0, 1.0) == pytest.approx(1 / 30)


def test_only_so_many_get_the_meters() -> None:
    these = Subscriptions()
    for port in range(1, 17):
        these.add("127.0.0.1", port)
    these.add("127.0.0.1", 3, 1.0)
    with pytest.raises(ControlError, match="16 programs have the meters already"):
        these.add("127.0.0.1", 17)


def test_answers_are_never_answered(rig: Rig) -> None:
    """Two servers that hear each other must come to rest."""
    other = OscServer(rig.surface, port=0)
    try:
        for address in ("/restyle/params", "/restyle/status", "/restyle/styles", "/restyle/x"):
            forged = encode(address)
            other._socket.sendto(forged, rig.server.address)  # answers go to `other`
        end = time.monotonic() + PATIENCE
        before = -1
        while time.monotonic() < end:
            rig.peer.settle()
            counted = rig.server.counts["datagrams"] + other.counts["datagrams"]
            if counted == before + 1:  # nothing but our own ping
                break
            before = counted
        else:
            pytest.fail("the servers keep each other busy")
        assert rig.server.counts["errors"] > 0
    finally:
        other.close()


def test_no_datagram_ends_the_server(rig: Rig) -> None:
    rng = random.Random(0)
    before = picture(rig.surface)
    good = [encode("/restyle/param", ["mix", 0.5]), encode("/restyle/blend", ["warm", 1.0])]
    good += list(encode_bundles([("/restyle/ping", []), ("/restyle/mix", ["x", 1.0])]))
    for round_ in range(2000):
        if round_ % 2:
            datagram = rng.randbytes(rng.randrange(64))
        else:
            mutated = bytearray(rng.choice(good))
            for _ in range(rng.randrange(1, 6)):
                mutated[rng.randrange(8, len(mutated))] = rng.randrange(256)
            datagram = bytes(mutated[: rng.randrange(8, len(mutated) + 1)])
        rig.peer.raw(datagram)
        if round_ % 20 == 0:
            rig.peer.settle()
    rig.peer.settle()
    assert rig.server._thread.is_alive()
    assert rig.server.counts["errors"] > 1000
    assert rig.said == []
    assert [p.name for p in rig.surface.parameters()] == [p.name for p in before[0]]
    assert all(p.minimum <= p.value <= p.maximum for p in rig.surface.parameters())


def test_errors_are_answered_only_so_often(rig: Rig, monkeypatch) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 7.0)
    for _ in range(80):
        rig.peer.raw(b"rubbish")
    assert len(rig.peer.settle()) == 50
    assert rig.server.counts["errors"] == 80


def test_a_fault_of_the_surface_is_told_to_both_sides(rig: Rig, monkeypatch) -> None:
    monkeypatch.setattr(rig.surface, "set", lambda name, on: 1 // 0)
    ((address, (sentence,)),) = rig.peer.ask("/restyle/bypass", 1)
    assert address == "/restyle/error"
    assert "ZeroDivisionError" in sentence
    assert len(rig.said) == 1


def test_meters_that_fail_leave_the_server_going(rig: Rig, monkeypatch) -> None:
    monkeypatch.setattr(rig.surface, "meters", lambda: 1 // 0)
    rig.peer.ask("/restyle/meters/subscribe", "127.0.0.1", rig.peer.port)
    assert rig.peer.ask("/restyle/mix", 0.5) == []
    assert rig.surface.get("mix") == 0.5


def test_a_port_in_use_is_one_sentence(rig: Rig) -> None:
    port = rig.server.address[1]
    with pytest.raises(ControlError, match=f"OSC cannot listen on 127.0.0.1 port {port}"):
        OscServer(rig.surface, port=port)

"""The live socket: meters, spectrogram, changes from wherever they come."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from websockets.sync.client import ClientConnection

from realtime.dsp.meters import percentiles_us
from realtime.panel import usage
from realtime.panel.live import difference
from realtime.panel.usage import Figures

from .conftest import Desk


def hear(ws: ClientConnection, wanted: Callable[[Any], Any], seconds: float = 20.0) -> Any:
    """The next message that is wanted: JSON, or bytes."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = ws.recv(timeout=end - time.monotonic())
        message = json.loads(found) if isinstance(found, str) else found
        if wanted(message):
            return message
    raise AssertionError("waited in vain")


def is_a(kind: str) -> Callable[[Any], bool]:
    return lambda m: isinstance(m, dict) and m["type"] == kind


def test_it_begins_with_the_state_and_goes_on_with_meters(plain: Desk) -> None:
    begin, many = time.monotonic(), 15  # before the first is sent: a stall here holds none back
    with plain.open("/api/live") as ws:
        first = json.loads(ws.recv(timeout=20))
        assert first["type"] == "state" and first["state"]["style"] == "tube-amp"
        heard = [hear(ws, is_a("meters")) for _ in range(many)]
        assert many / (time.monotonic() - begin) < 45  # about 30 a second, and no more
        plain.played.until(lambda: plain.console.heard() is not None)
        meters = hear(ws, is_a("meters"))
    # noise, uniform within +-0.3: an RMS of 0.3 / sqrt(3), a peak of nearly 0.3 but where a machine
    # that was busy gave a meter few samples
    peak_db = max(m["input"]["peak_db"] for m in (*heard, meters))
    assert peak_db == pytest.approx(20 * np.log10(0.3), abs=0.2)
    assert meters["input"]["rms_db"] == pytest.approx(20 * np.log10(0.3 / 3**0.5), abs=0.3)
    assert not meters["input"]["clip"]
    assert meters["counters"]["restarts"] == 0 and meters["recording"] is None
    assert meters["hop_us"]["budget"] == pytest.approx(1e6 * 64 / 48000, abs=0.1)


def test_the_figures_are_those_of_the_engine(plain: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "WINDOW_SECONDS", 3600.0)  # a busy machine looks away for seconds
    monkeypatch.setattr(usage, "EVERY_SECONDS", 0.0)
    console, host = plain.console, plain.host
    figures = Figures(host)

    def looked() -> tuple[float, int, dict[str, Any], float, int]:
        """The figures, with the clock and the engine's own count on either side of them."""
        before = time.monotonic(), int(host.board.record[0]["busy_ns"])
        found = figures.read()
        return *before, found, time.monotonic(), int(host.board.record[0]["busy_ns"])

    assert host.stats()["lane"] == "inline"  # a worker's time would be counted, too
    a, busy_a, _, b, busy_b = looked()
    plain.played.play_on(0.5)
    c, busy_c, found, d, busy_d = looked()
    least, most = (busy_c - busy_b) / (d - a), (busy_d - busy_a) / (c - b)  # ns in a second
    assert 0 < 1e-7 * least - 0.01 < found["cpu_percent"] < 1e-7 * most + 0.01
    least, most = percentiles_us(host.board.hops, (1e-9, 1.0))
    assert 0 < least - 0.1 < found["hop_us"]["p50"] <= found["hop_us"]["p99"] < most + 0.1
    console.figures()
    plain.played.play_on(0.5)
    found, stats = console.figures(), host.stats()
    for name, count in stats["xruns"].items():
        assert found["counters"][name] >= 0 and count >= 0
    cost = console.costs()["tube-amp"]
    listed = {m["name"]: m["cpu_percent"] for m in plain.get("/api/models")}
    assert listed["tube-amp"] == cost > 0 and listed["clean"] is None


def test_the_first_figures_are_of_the_last_seconds_and_never_of_long_ago(
    plain: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usage, "EVERY_SECONDS", 0.0)
    monkeypatch.setattr(usage, "WINDOW_SECONDS", 3600.0)
    figures = Figures(plain.host)
    figures.look()  # as the panel does while no page is open
    plain.played.play_on(0.5)
    assert figures.read()["hop_us"]["p50"] > 0.0
    monkeypatch.setattr(usage, "WINDOW_SECONDS", 0.0)  # nobody has looked for longer
    found = figures.read()
    assert found["cpu_percent"] == 0.0 == found["hop_us"]["p50"]


def test_changes_come_from_wherever_they_are_made(plain: Desk) -> None:
    with plain.open("/api/live") as one, plain.open("/api/live") as other:
        hear(one, is_a("state")), hear(other, is_a("state"))
        one.send(json.dumps({"type": "set", "values": {"mix": 0.5}}))
        assert hear(other, is_a("values"))["values"] == {"mix": 0.5}
        plain.console.surface.set("input_gain_db", -3.0)  # as MIDI and OSC do
        assert hear(other, lambda m: is_a("values")(m) and "input_gain_db" in m["values"])
        plain.ask("POST", "/api/path", {"stage": {"effect": "Gain"}, "index": 0})
        hear(other, lambda m: is_a("state")(m) and m["state"]["path"][0]["name"] == "Gain")
        other.send(json.dumps({"type": "bypass", "on": True}))
        assert hear(one, lambda m: is_a("state")(m) and m["state"]["bypass"])
        plain.host.tell("something happened")
        told = hear(one, lambda m: is_a("state")(m) and m["state"]["incidents"])
        assert told["state"]["incidents"][-1]["text"] == "something happened"
        plain.ask("PUT", "/api/model", {"name": "amp-blend"})
        hear(one, lambda m: is_a("state")(m) and m["state"]["style"] == "amp-blend")
        one.send(json.dumps({"type": "blend", "weights": {"fuzz": 1}}))
        blended = hear(one, lambda m: is_a("values")(m) and "2.fuzz" in m["values"])
        assert blended["values"]["2.fuzz"] == 1.0
        plain.console.midi.stop_learning()
        assert "mappings" in hear(one, is_a("midi"))


def test_the_spectrogram_comes_when_asked(plain: Desk) -> None:
    with plain.open("/api/live") as ws:
        hear(ws, is_a("meters"))
        ws.send(json.dumps({"type": "spectrogram", "on": True}))
        for _ in range(5):
            columns = hear(ws, lambda m: isinstance(m, bytes))
            kind, many, bands = columns[:3]
            assert (kind, bands) == (1, 96) and len(columns) == 3 + many * 2 * bands
        dry = np.frombuffer(columns[3:99], dtype=np.uint8)
        # white noise: a bin of a Hann window holds -34 dBFS and less, its strongest some more
        assert np.median(dry[48:]) == pytest.approx(255 * 0.58, abs=20)
        ws.send(json.dumps({"type": "spectrogram", "on": False}))
        ws.send(json.dumps({"type": "set", "values": {"nope": 1}}))
        hear(ws, is_a("error"))
        for _ in range(4):
            hear(ws, is_a("meters"))
        assert is_a("meters")(json.loads(ws.recv(timeout=20)))


def test_sound_is_copied_only_while_somebody_looks(plain: Desk) -> None:
    record = plain.host.board.record[0]
    with plain.open("/api/live") as ws:
        hear(ws, is_a("meters"))
        plain.played.until(lambda: record["watch_dry"] != 0)
    plain.played.until(lambda: record["watch_dry"] == 0)


def test_differences_are_small_where_only_values_moved() -> None:
    def state(value: float, bypass: bool = False, seconds: float = 0.0) -> dict[str, Any]:
        return {
            "style": "a",
            "bypass": bypass,
            "parameters": [{"name": "mix", "value": value}],
            "path": [],
            "recording": {"name": "x", "seconds": seconds},
            "panel": {"refused": seconds},
        }

    assert difference(None, state(1.0)) == {"type": "state", "state": state(1.0)}
    assert difference(state(1.0), state(1.0, seconds=3.0)) is None
    assert difference(state(1.0), state(0.5)) == {"type": "values", "values": {"mix": 0.5}}
    turned = difference(state(1.0), state(0.5, True))
    assert turned is not None and turned["type"] == "state"

"""Every route of the API against a playing host."""

from __future__ import annotations

import io
import json
import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from realtime.devices.list import list_devices
from realtime.errors import DeviceError
from realtime.models.catalog import find_model
from realtime.native import packed
from realtime.panel.openapi import describe
from realtime.panel.routes import ROUTES
from realtime.presets.files import save_preset
from realtime.presets.format import Preset
from realtime.presets.setlist import save_setlist
from realtime.session.sound import Sound, Stage

from ..nam.test_file import tiny
from ..signals import noise
from .conftest import Answer, Desk, rendered
from .schemas import problems


def conforms(desk: Desk, method: str, path: str, data: Any) -> None:
    """The answer is what the description says of the route."""
    document = desk.get("/api/openapi.json")
    operation = document["paths"][path][method.lower()]
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert problems(data, schema, document) == []


def test_the_description_lists_the_very_routes() -> None:
    document = describe()
    listed = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert listed == {(r.method, r.path) for r in ROUTES}
    assert document["openapi"].startswith("3.1")
    for path, item in document["paths"].items():
        for operation in item.values():
            named = {p["name"] for p in operation.get("parameters", [])}
            assert named == set(re.findall(r"\{(\w+)\}", path))


def test_the_state_is_what_plays(plain: Desk) -> None:
    state = plain.get("/api/state")
    conforms(plain, "GET", "/api/state", state)
    lane = "inline" if packed.fits() else plain.host.stats()["lane"]  # too slow without AVX2
    assert (state["style"], state["lane"], state["sample_rate"]) == ("tube-amp", lane, 48000)
    assert state["device"]["simulated"]
    assert (state["block"], state["channels"]) == (64, [1, 1])
    plain.ask("POST", "/api/path", {"stage": {"effect": "BrickwallLimiter"}})
    latency = plain.get("/api/state")["latency"]
    inside = [p["samples"] for p in latency["parts"] if p["kind"] != "device"]
    assert sum(inside) == latency["declared_samples"] > 200  # 5 ms of lookahead, and a block
    assert sum(p["samples"] for p in latency["parts"]) == latency["total_samples"]
    assert plain.host.stats()["latency"]["declared_samples"] == latency["declared_samples"]


def test_models_are_listed_and_changed_and_heard(plain: Desk) -> None:
    models = {m["name"]: m for m in plain.get("/api/models")}
    conforms(plain, "GET", "/api/models", list(models.values()))
    assert models["amp-blend"]["controls"][0]["kind"] == "blend"
    assert models["clean"]["latency_samples"] == 128
    sample = plain.ask("GET", models["tape"]["sample"])
    assert (sample.status, sample.headers["content-type"]) == (200, "audio/flac")
    assert soundfile.info(io.BytesIO(sample.data)).frames > 48000
    answer = plain.ask("PUT", "/api/model", {"name": "amp-blend"})
    conforms(plain, "PUT", "/api/model", answer.data)
    assert answer.data["style"] == plain.host.view.style == "amp-blend"
    state = plain.ask("PUT", "/api/model", {"name": None}).data
    assert state["style"] is None and state["path"] == []
    plain.played.play_on()
    tape, late = plain.played.tape, state["latency"]["declared_samples"]
    end = tape.position
    heard = tape.input[end - 4800 - late : end - late]
    assert np.array_equal(tape.output[end - 4800 : end], heard)
    refused = plain.ask("PUT", "/api/model", {"name": "tube-app"})
    assert (refused.status, plain.host.view.style) == (400, None)
    assert "did you mean 'tube-amp'" in refused.data["error"]


def test_knobs_are_turned_all_or_none(plain: Desk) -> None:
    plain.ask("PUT", "/api/model", {"name": "amp-blend"})
    answer = plain.ask("PUT", "/api/parameters", {"values": {"mix": 0.5, "output_gain_db": -6}})
    assert (answer.status, answer.data) == (200, {"values": {"mix": 0.5, "output_gain_db": -6.0}})
    for values, says in (
        ({"mix": 0.25, "nope": 1}, "unknown parameter 'nope'"),
        ({"mix": 0.25, "input_gain_db": 99}, "within -100..24 dB"),
        ({"mix": 0.25, "bypass": 0.5}, "true or false"),
        ({"mix": 10**400}, "mix must be a number, got a number of more than 60 digits"),
    ):
        refused = plain.ask("PUT", "/api/parameters", {"values": values})
        assert refused.status == 400 and says in refused.data["error"]
        assert plain.host.get("mix") == 0.5
    one = plain.ask("PUT", "/api/parameters", {"values": {"fuzz": 0.4}}).data["values"]
    assert one["1.fuzz"] == pytest.approx(0.4) and sum(one.values()) == pytest.approx(1.0)
    weights = {"warm": 3, "radio": 1}
    all_of = plain.ask("PUT", "/api/blend", {"weights": weights}).data["values"]
    assert all_of == {"1.warm": 0.75, "1.crunch": 0.0, "1.fuzz": 0.0, "1.radio": 0.25}
    assert plain.ask("PUT", "/api/blend", {"weights": {"warm": -1}}).status == 400
    assert plain.ask("PUT", "/api/bypass", {"on": True}).data == {"bypass": True}
    assert plain.get("/api/state")["bypass"]


def test_devices_are_listed_and_one_that_is_not_there_changes_nothing(plain: Desk) -> None:
    try:
        there = len(list_devices())
    except DeviceError:
        there = -1
    answer = plain.ask("GET", "/api/devices")
    assert answer.status == (200 if there >= 0 else 400)
    if there >= 0:
        assert len(answer.data) == there
        conforms(plain, "GET", "/api/devices", answer.data)
    before = plain.host.setup, plain.host.link
    for body in ({"input": "no such card"}, {"input": 9999, "output": None}, {"block": 0}):
        refused = plain.ask("PUT", "/api/device", body)
        assert refused.status == 400 and refused.data["error"]
    plain.played.play_on()
    assert (plain.host.setup, plain.host.link) == before


def test_midi_says_what_there_is(plain: Desk) -> None:
    state = plain.get("/api/midi")
    conforms(plain, "GET", "/api/midi", state)
    assert state["available"] == (state["problem"] is None)
    assert plain.ask("POST", "/api/midi/learn", {"parameter": "nope"}).status == 400
    assert plain.ask("DELETE", "/api/midi/learn").data["learning"] is None
    assert plain.ask("DELETE", "/api/midi/mappings/mix").status == 400


def test_a_controller_is_learnt_shown_and_forgotten(
    plain: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Ports:
        ports = ("knobs",)

        def close(self) -> None:
            pass

    midi = plain.console.midi
    monkeypatch.setattr(midi, "_inputs", Ports())
    learning = plain.ask("POST", "/api/midi/learn", {"parameter": "mix"}).data
    assert (learning["available"], learning["learning"]) == (True, "mix")
    for value in (10, 64):
        midi.bindings.feed([0xB0, 7, value], "knobs")
    found = plain.get("/api/midi")
    assert found["learning"] is None
    assert found["mappings"] == [
        {
            "parameter": "mix",
            "target": "parameter",
            "port": "",
            "channel": 1,
            "number": 7,
            "bank": None,
            "kind": "cc",
            "mode": "set",
            "switch": None,
        }
    ]
    midi.bindings.feed([0xB0, 7, 127], "knobs")
    assert plain.host.get("mix") == 1.0
    assert plain.ask("DELETE", "/api/midi/mappings/mix").data["mappings"] == []
    assert plain.ask("POST", "/api/midi/learn", {"action": "next"}).data["learning"] == "next"
    midi.bindings.feed([0xC0, 5], "knobs")
    (mapping,) = plain.get("/api/midi")["mappings"]
    assert (mapping["parameter"], mapping["target"], mapping["number"]) == ("next", "action", 5)
    assert plain.ask("DELETE", "/api/midi/mappings/next").status == 200
    assert plain.ask("POST", "/api/midi/learn", {}).status == 400
    assert plain.ask("PUT", "/api/midi", {"channels": [2, 3]}).data["channels"] == [2, 3]
    assert plain.ask("PUT", "/api/midi", {"channels": [17]}).status == 400
    assert plain.ask("PUT", "/api/midi", {}).data["channels"] == []
    assert plain.ask("POST", "/api/midi/learn", {"parameter": "bypass"}).data["learning"]
    assert plain.ask("DELETE", "/api/midi/learn").data["learning"] is None


def test_scenes_are_kept_recalled_and_taken_out(plain: Desk) -> None:
    plain.ask("PUT", "/api/parameters", {"values": {"mix": 0.25}})
    state = plain.ask("PUT", "/api/scenes/Quarter", {}).data
    conforms(plain, "PUT", "/api/scenes/{name}", state)
    assert (state["scenes"], state["scene"]) == (["Quarter"], "Quarter")
    plain.ask("PUT", "/api/parameters", {"values": {"mix": 1.0}})
    assert plain.ask("POST", "/api/scenes/Quarter/recall", {}).status == 200
    assert plain.host.get("mix") == 0.25
    assert plain.ask("POST", "/api/actions/next_scene", {}).data["scene"] == "Quarter"
    missing = plain.ask("POST", "/api/scenes/Qarter/recall", {})
    assert missing.status == 404
    assert "did you mean 'Quarter'" in missing.data["error"]
    assert plain.ask("DELETE", "/api/scenes/Quarter").data["scenes"] == []


def test_a_setlist_is_chosen_and_walked_through(plain: Desk, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("RESTYLE_PRESETS", str(tmp_path / "presets"))
    assert plain.get("/api/setlists") == []
    assert plain.ask("POST", "/api/actions/next", {}).status == 400
    for name in ("one", "two"):
        save_preset(name, Preset(sound=Sound((Stage(effect="Gain"),))))
    save_setlist("gig", ["one", "two"])
    assert plain.get("/api/setlists") == ["gig"]
    assert plain.ask("PUT", "/api/setlist", {"name": "../gig"}).status == 404
    state = plain.ask("PUT", "/api/setlist", {"name": "gig"}).data
    conforms(plain, "PUT", "/api/setlist", state)
    assert [e["title"] for e in state["setlist"]["entries"]] == ["one", "two"]
    state = plain.ask("POST", "/api/actions/previous", {}).data
    assert (state["setlist"]["at"], state["preset"]) == (1, "two")
    assert plain.ask("POST", "/api/setlist/1", {}).data["preset"] == "one"
    assert plain.ask("POST", "/api/setlist/3", {}).status == 400
    assert plain.ask("POST", "/api/setlist/x", {}).status == 404
    assert plain.ask("POST", "/api/actions/nxt", {}).status == 404
    state = plain.ask("POST", "/api/compare", {"preset": "two"}).data
    conforms(plain, "POST", "/api/compare", state)
    assert state["compare"] == {"on": "B", "trim_db": 0.0}
    assert plain.ask("POST", "/api/compare", {"preset": "none"}).status == 404
    assert plain.ask("DELETE", "/api/compare").data["compare"] is None
    assert plain.ask("PUT", "/api/setlist", {"name": None}).data["setlist"] is None


def bring(desk: Desk, name: str, data: bytes, kind: str = "application/octet-stream") -> Answer:
    return desk.ask("POST", f"/api/import/{name}", data, {"Content-Type": kind})


def test_a_capture_that_is_sent_is_proved_listed_and_plays(plain: Desk, tmp_path: Path) -> None:
    desk = plain
    capture = json.dumps(tiny(metadata={"name": "Sent amp", "license": "CC0"})).encode()
    answer = bring(desk, "sent.nam", capture)
    assert answer.status == 200, answer.data
    conforms(desk, "POST", "/api/import/{name}", answer.data)
    (made,) = answer.data["models"]
    assert (made["model"], made["title"], made["licence"]) == ("sent", "Sent amp", "CC0")
    assert float(made["proof"].split()[1]) < -100.0  # dB, kernel against float64
    listed = {m["name"]: m for m in desk.get("/api/models")}
    assert not listed["sent"]["bundled"]
    source, x = tmp_path / "source.nam", noise(4800)
    source.write_bytes(capture)
    assert np.array_equal(rendered(x, "sent"), rendered(x, str(source)))
    again = bring(desk, "again.onnx", find_model("sent").read_bytes())  # of our own make already
    assert again.status == 200 and again.data["models"][0]["model"] == "sent"


@pytest.mark.parametrize(
    ("name", "data", "kind", "status", "said"),
    [
        ("x.nam", b"{", None, 400, "x.nam"),
        ("x.onnx", b"\x08\x07", None, 400, "x.onnx"),
        ("x.bin", b"GGUF" + bytes(99), None, 400, "a GGUF language model"),
        ("x.nam", b"{}", "application/json", 415, "application/octet-stream"),
        ("%00.nam", b"{}", None, 400, "printable"),
    ],
)
def test_what_is_no_model_is_refused_and_leaves_nothing(
    plain: Desk,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    data: bytes,
    kind: str | None,
    status: int,
    said: str,
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # others import meanwhile
    models = plain.get("/api/models")
    answer = bring(plain, name, data, kind or "application/octet-stream")
    assert answer.status == status and said in answer.data["error"], answer.data
    assert "\n" not in answer.data["error"] and "Traceback" not in answer.data["error"]
    assert list(tmp_path.glob("restyle-import-*")) == []
    assert [m["name"] for m in plain.get("/api/models")] == [m["name"] for m in models]

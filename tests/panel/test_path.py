"""The path of stages over HTTP, and everything else that needs no sound."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from realtime.panel.openapi import SCHEMAS, describe
from realtime.panel.routes import ROUTES
from realtime.panel.server import OPEN, PanelServer
from realtime.presets.files import read_preset
from realtime.session.sound import Branch, Sound, Stage

from .conftest import Desk
from .fake import fake
from .schemas import problems

GROUP = {
    "group": [
        {"stage": [{"model": "tape"}, {"effect": "Reverb", "room_size": 0.25}]},
        {"gain_db": -6.0, "stage": [{"effect": "Delay", "mix": 1.0}]},
        {},
    ],
    "stage_mix": 0.5,
}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A served panel over a gate, an amplifier and a reverb."""
    gate = Stage(effect="NoiseGate", parameters={"threshold_db": -50.0})
    stages = (gate, Stage(model="amp-blend"), Stage(effect="Reverb"))
    console = fake(Sound(stages), tmp_path / "takes")
    with PanelServer(console, port=0, token=OPEN) as server:
        yield Desk(None, console, server)


def conforms(desk: Desk, method: str, path: str, data: Any) -> None:
    document = describe()
    operation = document["paths"][path][method.lower()]
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert problems(data, schema, document) == []


def names(state: dict[str, Any]) -> list[str]:
    return [s["name"] for s in state["path"]]


def put(desk: Desk, **values: float) -> dict[str, float]:
    answer = desk.ask("PUT", "/api/parameters", {"values": values})
    assert answer.status == 200, answer
    found: dict[str, float] = answer.data["values"]
    return found


def test_every_route_is_described_and_no_name_is_used_twice() -> None:
    document = describe()
    bodies = {r.body.__name__ for r in ROUTES if r.body is not None}
    assert bodies.isdisjoint(SCHEMAS)
    assert bodies | set(SCHEMAS) == set(document["components"]["schemas"])
    operations = [o for item in document["paths"].values() for o in item.values()]
    assert len({o["operationId"] for o in operations}) == len(operations) == len(ROUTES)


def test_the_path_lists_stages_in_the_order_of_the_sound(desk: Desk) -> None:
    path = desk.get("/api/path")
    conforms(desk, "GET", "/api/path", path)
    assert [(s["name"], s["kind"], s["place"]) for s in path] == [
        ("NoiseGate", "effect", "1"),
        ("amp-blend", "model", "2"),
        ("Reverb", "effect", "3"),
    ]
    assert "1.threshold_db" in path[0]["parameters"]
    assert {"2.bypass", "2.stage_mix", "2.warm"} <= set(path[1]["parameters"])
    state = desk.get("/api/state")
    conforms(desk, "GET", "/api/state", state)
    assert (state["path"], state["style"]) == (path, "amp-blend")


def test_any_stage_is_put_in_moved_swapped_and_taken_out(desk: Desk) -> None:
    added = desk.ask("POST", "/api/path", {"stage": {"model": "tape"}, "index": 1})
    conforms(desk, "POST", "/api/path", added.data)
    assert names(added.data) == ["NoiseGate", "tape", "amp-blend", "Reverb"]
    tape = added.data["id"]
    assert added.data["path"][1]["id"] == tape
    moved = desk.ask("PUT", f"/api/path/{tape}", {"index": 3}).data
    assert names(moved) == ["NoiseGate", "amp-blend", "Reverb", "tape"]
    table = {"effect": "LadderFilter", "mode": "HPF12", "cutoff_hz": 900, "bypass": True}
    swapped = desk.ask("PUT", f"/api/path/{tape}/stage", {"stage": table})
    conforms(desk, "PUT", "/api/path/{id}/stage", swapped.data)
    assert names(swapped.data) == ["NoiseGate", "amp-blend", "Reverb", "LadderFilter"]
    values = {p["name"]: p["value"] for p in swapped.data["parameters"]}
    assert (values["4.mode"], values["4.cutoff_hz"], values["4.bypass"]) == (1.0, 900.0, 1.0)
    assert swapped.data["path"][3]["bypass"]
    ids = [s["id"] for s in swapped.data["path"]]
    gone = desk.ask("DELETE", f"/api/path/{ids[1]}").data
    assert names(gone) == ["NoiseGate", "Reverb", "LadderFilter"]
    assert gone["style"] is None


def test_groups_are_stages_whose_branches_take_stages(desk: Desk) -> None:
    added = desk.ask("POST", "/api/path", {"stage": GROUP, "index": 0}).data
    conforms(desk, "POST", "/api/path", added)
    group = added["path"][0]
    assert (group["kind"], group["mix"]) == ("group", 0.5)
    assert [[s["name"] for s in b["stages"]] for b in group["group"]] == [
        ["tape", "Reverb"],
        ["Delay"],
        [],
    ]
    assert group["group"][1]["gain"] == "1.2.gain_db"
    assert added["style"] == "tape"
    assert put(desk, **{"1.1.2.room_size": 0.75, "1.2.gain_db": -3.0}) == {
        "1.1.2.room_size": 0.75,
        "1.2.gain_db": -3.0,
    }
    where = {"group": group["id"], "branch": 3}
    inside = desk.ask("POST", "/api/path", {"stage": {"effect": "Gain"}, **where}).data
    assert inside["path"][0]["group"][2]["stages"][0]["id"] == inside["id"]
    second = group["group"][0]["stages"][1]["id"]
    desk.ask("PUT", f"/api/path/{second}", {"index": 0})
    desk.ask("DELETE", f"/api/path/{inside['id']}")
    branches = desk.get("/api/path")[0]["group"]
    assert [[s["name"] for s in b["stages"]] for b in branches] == [
        ["Reverb", "tape"],
        ["Delay"],
        [],
    ]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "says"),
    [
        ("POST", "", {"stage": {"effect": "Revrb"}}, 400, "did you mean 'Reverb'"),
        ("POST", "", {"stage": {"effect": "Reverb", "room_size": 3}}, 400, "within 0..1, got 3"),
        ("POST", "", {"stage": {"effect": "Reverb", "rom_size": 1}}, 400, "'room_size'"),
        ("POST", "", {"stage": {"effect": "Reverb", "room_size": [1]}}, 400, "a number, true"),
        ("POST", "", {"stage": {"effect": "Reverb", "room_size": 10**400}}, 400, "a number, true"),
        ("POST", "", {"stage": {"effect": "Reverb"}, "index": 4}, 400, "within 0..3, got 4"),
        ("POST", "", {"stage": {"effect": "Reverb"}, "index": -1}, 400, "within 0..3, got -1"),
        ("POST", "", {"stage": {"effect": "Reverb"}, "index": 0.5}, 400, "a whole number"),
        ("POST", "", {"stage": {"effect": "Reverb"}, "group": 1}, 400, "stage 1 is no group"),
        ("POST", "", {"stage": {"effect": "Reverb"}, "group": 99}, 404, "there is no stage 99"),
        ("POST", "", {"stage": {"effect": "Convolution"}}, 400, "unknown effect"),
        ("POST", "", {"stage": {"plugin": "/etc/passwd"}}, 400, "there is no plug-in"),
        ("POST", "", {"stage": {"model": "/etc/passwd"}}, 400, "there is no model"),
        ("POST", "", {"stage": {"model": "tagger"}}, 400, "there is no model 'tagger'"),
        ("POST", "", {"stage": {}}, 400, "exactly one of model"),
        ("POST", "", {"stage": {"effect": "Reverb", "stage_mix": 2}}, 400, "stage_mix must be"),
        ("POST", "", {"stage": {"group": [{"stage": [{"model": "x"}]}]}}, 400, "no model 'x'"),
        ("POST", "", {"stage": {"group": [{"gain": 1}]}}, 400, "did you mean 'gain_db'"),
        ("POST", "", {}, 400, "the body: it needs stage, an object"),
        ("POST", "", {"stage": {"effect": "Reverb"}, "idx": 1}, 400, "did you mean 'index'"),
        ("POST", "", [], 400, "the body: it must be an object, got []"),
        ("POST", "", "{", 400, "not valid JSON"),
        ("POST", "", "[" * 5000, 400, "not valid JSON"),
        ("POST", "", '{"stage": {"model": "\\ud800"}}', 400, "not valid JSON"),
        ("PUT", "/2", {"index": 3}, 400, "within 0..2, got 3"),
        ("PUT", "/99", {"index": 0}, 404, "there is no stage 99; there are 1, 2, 3"),
        ("PUT", "/99/stage", {"stage": {"effect": "Gain"}}, 404, "there is no stage 99"),
        ("PUT", "/2/stage", {"stage": {"effect": "Gian"}}, 400, "did you mean 'Gain'"),
        ("DELETE", "/x", None, 404, "a stage's id is a number"),
        ("DELETE", "/0", None, 404, "there is no stage 0"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_changes_nothing(
    desk: Desk, method: str, path: str, body: Any, status: int, says: str, own_cache: Path
) -> None:
    before = desk.console.setup()
    answer = desk.ask(method, f"/api/path{path}", body)
    assert answer.status == status, answer
    assert says in answer.data["error"]
    assert "\n" not in answer.data["error"]
    assert desk.console.setup() == before


def test_the_style_is_the_first_model(desk: Desk) -> None:
    state = desk.ask("PUT", "/api/model", {"name": "tape"}).data
    assert names(state) == ["NoiseGate", "tape", "Reverb"]
    assert names(desk.ask("PUT", "/api/model", {"name": None}).data) == ["NoiseGate", "Reverb"]
    back = desk.ask("PUT", "/api/model", {"name": "tape"}).data
    assert names(back) == ["tape", "NoiseGate", "Reverb"]
    refused = desk.ask("PUT", "/api/model", {"name": "taep"})
    assert (refused.status, names(desk.get("/api/state"))) == (400, names(back))
    assert "did you mean 'tape'" in refused.data["error"]
    assert desk.ask("PUT", "/api/model", {}).status == 400


def test_knobs_of_several_blends_keep_apart(desk: Desk) -> None:
    desk.ask("POST", "/api/path", {"stage": {"model": "amp-blend", "fuzz": 1.0}})
    one = put(desk, **{"2.warm": 0.25})
    assert one["2.warm"] == 0.25 and sum(one.values()) == pytest.approx(1.0)
    assert all(name.startswith("2.") for name in one)
    both = desk.ask("PUT", "/api/blend", {"weights": {"4.warm": 3, "4.radio": 1}}).data["values"]
    assert both == {"4.warm": 0.75, "4.crunch": 0.0, "4.fuzz": 0.0, "4.radio": 0.25}
    for weights in ({"2.warm": 1, "4.warm": 1}, {"warm": 1}, {"2.warm": -1}, {}):
        assert desk.ask("PUT", "/api/blend", {"weights": weights}).status == 400
    assert put(desk, threshold_db=-40.0) == {"1.threshold_db": -40.0}  # one stage alone has it
    refused = desk.ask("PUT", "/api/parameters", {"values": {"mix": 0.5, "nope": 1}})
    assert refused.status == 400 and desk.console.surface.get("mix") == 1.0


def test_presets_are_saved_listed_and_loaded(desk: Desk, presets_folder: Path) -> None:
    put(desk, **{"mix": 0.5, "1.threshold_db": -30.0})
    saved = desk.ask("PUT", "/api/presets/my%20lead", {"note": "verse"})
    row = {
        "name": "my lead",
        "note": "verse",
        "stages": ["NoiseGate", "amp-blend", "Reverb"],
        "problem": None,
        "bundled": False,
    }
    assert saved.data == row
    conforms(desk, "PUT", "/api/presets/{name}", saved.data)
    preset = read_preset(presets_folder / "my lead.toml")
    assert preset.sound.stages[0].parameters["threshold_db"] == -30.0
    assert desk.ask("PUT", "/api/presets/my%20lead", {}).status == 409
    assert [p for p in desk.get("/api/presets") if not p["bundled"]] == [row]
    put(desk, mix=1.0)
    assert desk.ask("POST", "/api/presets/my%20lead/load").status == 200
    assert desk.console.surface.get("mix") == 0.5
    assert desk.ask("POST", "/api/presets/my%20leed/load").status == 404


def test_what_can_be_put_in_is_listed(desk: Desk) -> None:
    listed = desk.get("/api/effects")
    conforms(desk, "GET", "/api/effects", listed)
    assert {"Reverb", "LadderFilter"} <= {e["name"] for e in listed["effects"]}
    assert "Convolution" not in {e["name"] for e in listed["effects"]}
    ladder = next(e for e in listed["effects"] if e["name"] == "LadderFilter")
    assert ladder["parameters"][0]["choices"][:2] == ["LPF12", "HPF12"]
    models = desk.get("/api/models")
    conforms(desk, "GET", "/api/models", models)
    assert "amp-blend" in {m["name"] for m in models}


def test_a_sound_with_a_group_is_no_different(tmp_path: Path) -> None:
    group = Stage(group=(Branch((Stage(effect="Gain"),)), Branch()))
    with PanelServer(fake(Sound((group,)), tmp_path), port=0, token=OPEN) as server:
        desk = Desk(None, None, server)
        assert desk.get("/api/path")[0]["group"][0]["stages"][0]["place"] == "1.1.1"

"""Requests for the stage: setlist, scenes, two sounds compared, actions such as panic."""

from __future__ import annotations

from typing import Any

from ..errors import nearest
from ..parameters.mapping import ACTIONS
from ..presets.setlist import list_setlists
from .api_library import preset_named
from .api_sound import Names
from .console_protocol import Console
from .fields import Body, Channels, Compared, ListOfPresets, NotFound


def act(console: Console, names: Names, body: Body) -> dict[str, Any]:
    """Answer POST /api/actions/{action}."""
    action = names["action"]
    if action not in ACTIONS:
        raise NotFound(f"there is no action '{action[:80]}'{nearest(action, ACTIONS)}")
    console.surface.act(action)
    return console.state()


def _scene(console: Console, names: Names) -> str:
    known = console.surface.status()["scenes"]
    if names["name"] not in known:
        near = nearest(names["name"], known)
        raise NotFound(f"there is no scene '{names['name'][:80]}'{near}")
    return names["name"]


def recall(console: Console, names: Names, body: Body) -> dict[str, Any]:
    """Answer POST /api/scenes/{name}/recall."""
    console.surface.recall(_scene(console, names))
    return console.state()


def keep(console: Console, names: Names, body: Body) -> dict[str, Any]:
    """Answer PUT /api/scenes/{name}."""
    console.surface.keep_scene(names["name"])
    return console.state()


def drop(console: Console, names: Names, body: Body) -> dict[str, Any]:
    """Answer DELETE /api/scenes/{name}."""
    console.surface.drop_scene(_scene(console, names))
    return console.state()


def setlists(console: Console, names: Names, body: Body) -> list[str]:
    """Answer GET /api/setlists."""
    return list_setlists()


def setlist(console: Console, names: Names, body: ListOfPresets) -> dict[str, Any]:
    """Answer PUT /api/setlist."""
    known = list_setlists()
    if body.name is not None and body.name not in known:
        raise NotFound(f"there is no setlist '{body.name[:80]}'{nearest(body.name, known)}")
    console.use_setlist(body.name)
    return console.state()


def go(console: Console, names: Names, body: Body) -> dict[str, Any]:
    """Answer POST /api/setlist/{number}."""
    text = names["number"]
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise NotFound(f"a place in the setlist is a number from 1, got '{text[:80]}'")
    console.surface.go(int(text))
    return console.state()


def compare(console: Console, names: Names, body: Compared) -> dict[str, Any]:
    """Answer POST /api/compare."""
    if body.preset is not None:
        preset_named(body.preset)
    console.compare(body.preset)
    return console.state()


def end_compare(console: Console, names: Names, body: Body) -> dict[str, Any]:
    """Answer DELETE /api/compare."""
    console.end_compare()
    return console.state()


def channels(console: Console, names: Names, body: Channels) -> dict[str, Any]:
    """Answer PUT /api/midi."""
    console.midi.listen_to(body.channels)
    return console.midi.state()

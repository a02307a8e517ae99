"""Requests about what is kept and connected: presets, models, recordings, devices, MIDI."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import msgspec

from ..audio_files import seconds_of
from ..errors import AudioFileError, ControlError, nearest
from ..presets.files import PresetEntry, delete_preset, list_presets, preset_path
from ..session.sound import Sound
from ..trust.consent import Untrusted, allow
from .api_sound import File, Names
from .console_protocol import Console
from .fields import Body, Cards, Conflict, Keep, Learn, NotFound, Record, Upload, Yes

ENDINGS = {".flac": "audio/flac", ".wav": "audio/wav"}
IMPORT_SECONDS = 600.0  # for one file, on a slow machine
NICE = 10  # whoever plays goes before
_ROOT = Path(__file__).resolve().parents[2]  # of the packages: the child runs this very code
_importing = threading.Lock()


def preset_named(name: str) -> PresetEntry:
    """A preset by its name alone, never by a path.

    Raises
    ------
    NotFound, PresetError
    """
    listed = {e.name: e for e in list_presets(bundled=True)}
    if name not in listed:
        raise NotFound(f"there is no preset '{name[:80]}'{nearest(name, listed)}")
    preset_path(name)  # what is in the folder under another kind of name goes by no name
    return listed[name]


def _described(entry: PresetEntry) -> dict[str, Any]:
    sound = Sound() if entry.preset is None else entry.preset.sound
    return {
        "name": entry.name,
        "note": entry.preset.note if entry.preset else "",
        "stages": [s.name for s in sound.stages],
        "problem": entry.problem,
        "bundled": entry.bundled,
    }


def presets(console: Console, names: Names, body: Body) -> list[dict[str, Any]]:
    """Answer GET /api/presets."""
    return [_described(e) for e in list_presets(bundled=True)]


def save(console: Console, names: Names, body: Keep) -> dict[str, Any]:
    """Answer PUT /api/presets/{name}."""
    console.save_preset(names["name"], body.note, body.replace)
    return _described(preset_named(names["name"]))


def load(console: Console, names: Names, body: Yes) -> dict[str, Any]:
    """Answer POST /api/presets/{name}/load; what it asks for waits for the word that 409 gave."""
    name = preset_named(names["name"]).name
    try:
        console.surface.load_preset(name)
    except Untrusted as error:
        if body.trust != error.token:
            raise
        allow(error.asks)
        console.surface.load_preset(name)
    return console.state()


def delete(console: Console, names: Names, body: Body) -> dict[str, Any]:
    """Answer DELETE /api/presets/{name}."""
    delete_preset(preset_named(names["name"]).name)
    return {}


def import_file(console: Console, names: Names, body: Upload) -> dict[str, Any]:
    """Answer POST /api/import/{name}: by ``restyle import``, in a process of its own."""
    if not _importing.acquire(blocking=False):
        raise Conflict("another file is being imported; wait for it")
    try:
        command = [sys.executable, "-m", "realtime.cli", "import", "--json", str(body.path)]
        with subprocess.Popen(
            command,
            cwd=_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as child:
            if hasattr(os, "setpriority"):
                os.setpriority(os.PRIO_PROCESS, child.pid, NICE)
            try:
                said, wrong = child.communicate(timeout=IMPORT_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                raise ControlError(
                    f"{body.path.name} was not imported within {IMPORT_SECONDS:g} s"
                ) from None
    finally:
        _importing.release()
    try:
        rows = json.loads(said)
    except ValueError:
        last = (wrong.strip().splitlines() or ["it ended without a word"])[-1]
        raise ControlError(last.removeprefix("restyle: ")[:500]) from None
    problems = [row["problem"] for row in rows if "problem" in row]
    if problems:
        raise ControlError(problems[0])
    return {"models": rows}


def devices(console: Console, names: Names, body: Body) -> list[dict[str, Any]]:
    """Answer GET /api/devices."""
    return console.devices()


def device(console: Console, names: Names, body: Cards) -> dict[str, Any]:
    """Answer PUT /api/device."""
    input, output = (None if d is None else str(d) for d in (body.input, body.output))
    maps = (None if c is None else tuple(n - 1 for n in c) for c in (body.inputs, body.outputs))
    console.change_device(input, output, body.block, *maps)
    return console.state()


def record(console: Console, names: Names, body: Record) -> dict[str, Any]:
    """Answer POST /api/recording."""
    return {"name": console.record(body.dry, body.format)}


def stop(console: Console, names: Names, body: Body) -> dict[str, Any]:
    """Answer DELETE /api/recording."""
    return {"files": console.stop_recording()}


def _files(console: Console) -> dict[str, Path]:
    folder = console.recordings_folder()
    if not folder.is_dir():
        return {}
    found = (p for p in sorted(folder.iterdir()) if p.suffix.lower() in ENDINGS)
    return {p.name: p for p in found if p.is_file() and not p.name.startswith(".")}


def recordings(console: Console, names: Names, body: Body) -> list[dict[str, Any]]:
    """Answer GET /api/recordings."""
    listed, now = [], console.figures()["recording"] or {}
    for name, path in _files(console).items():
        try:
            seconds = seconds_of(path) if name != now.get("name") else now["seconds"]
        except AudioFileError:
            continue  # no sound
        listed.append({"name": name, "seconds": seconds, "bytes": path.stat().st_size})
    return listed


def recording(console: Console, names: Names, body: Body) -> File:
    """Answer GET /api/recordings/{name}."""
    listed = _files(console)
    if names["name"] not in listed:
        raise NotFound(f"there is no recording '{names['name'][:80]}'")
    path = listed[names["name"]]
    return File(path, ENDINGS[path.suffix.lower()])


def midi(console: Console, names: Names, body: Body) -> dict[str, Any]:
    """Answer GET /api/midi."""
    return console.midi.state()


def learn(console: Console, names: Names, body: Learn) -> dict[str, Any]:
    """Answer POST /api/midi/learn."""
    given = {k: v for k, v in msgspec.structs.asdict(body).items() if v is not None}
    console.midi.learn(**given)
    return console.midi.state()


def stop_learning(console: Console, names: Names, body: Body) -> dict[str, Any]:
    """Answer DELETE /api/midi/learn."""
    console.midi.stop_learning()
    return console.midi.state()


def forget(console: Console, names: Names, body: Body) -> dict[str, Any]:
    """Answer DELETE /api/midi/mappings/{parameter}."""
    console.midi.forget(names["parameter"])
    return console.midi.state()

"""``python -m benchmarks.measures.siege``: hostile files offered to a session that plays.

Models, impulse responses and presets, each made anew, are offered through the API, the page's own
requests, OSC and MIDI while restyle plays on JACK's dummy server.  What plays is a model that gives
0.25 whatever it hears, and all of it is recorded: a sample that is not 0.25 would be heard.  An
offer that is taken (damage may leave a good file) is put back, and what played in between is left
out, by the engine's own log of changes.  For each stretch of other samples it is told which offers
were under way and what the engine counted.  A bare copy (no model, no offers) plays on the same
server: what it misses, the machine lost.
"""

from __future__ import annotations

import argparse
import functools
import http.client
import json
import os
import random
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from onnx import helper

from realtime.commands.common import check_writable
from realtime.controllers.osc_packet import encode
from realtime.errors import ConfigError, RestyleError
from realtime.host.host import Host
from realtime.models.card import TEST_KEY
from realtime.models.metadata import pack_array, write_metadata
from realtime.panel.controls import ControlsSettings, start_controls
from realtime.panel.guard import COOKIE
from realtime.panel.server import PanelSettings
from realtime.parameters.mapping import MidiMapping
from realtime.presets.format import OscSettings
from realtime.session.operations import Load
from realtime.session.sound import Device, Setup, Sound, Stage

from ..rig import hostile
from ..rig.child import call_apart
from ..rig.jack import dummy_server, unavailable
from ..rig.tables import Report, Row
from ..rig.wrong import STRETCHES, Offer, Watch, elsewhere, explained, longest_run
from .trouble import counted

PERIOD, RATE, LEVEL = 256, 48_000, 0.25
TOKEN = "0123456789abcdef" * 2
OSC_WAIT_S, MIDI_WAIT_S, BEGIN = 6.0, 0.6, RATE  # the first second is left out
JACK = Device(input="system JACK", output="system JACK", clocks="one", preferred_rate=RATE)
WAYS = ("api", "page", "osc", "midi")
Found = dict[str, list[Row]]
OFFERS = {
    "what": "way", "offers": "offers", "refused": "refused", "taken": "taken and put back",
    "unanswered": "no answer", "failed": "500 or traceback",
}  # fmt: skip
SOUND = {
    "what": "what plays", "seconds": "seconds", "left_out": "left out s", "wrong": "wrong samples",
    "late": "of them late", "silent": "longest silence", "restarts": "restarts",
    "missed": "blocks missed", "gap_ms": "longest gap ms",
}  # fmt: skip
TEXT = 'format = 2\nname = "Lead"\nmix = 0.5\n[[stage]]\neffect = "Reverb"\nroom_size = 0.4\n'
REPEATED = ("a.", "[", "{a=", "[[stage]]\neffect='Gain'\n", "x=1,", "'''", "[[stage.group]]\n", "1")


def offset() -> bytes:
    """A model that gives 0.25 for silence."""
    graph = hostile.graph_of([helper.make_node("Add", ["x", "w"], ["y"])], {"w": np.float32(LEVEL)})
    silence = np.zeros((2, *hostile.CARD.step_shape(1)), dtype=np.float32)
    data = hostile.sealed(graph)
    vector = {"steps": 2, "x": pack_array(silence),
              "y": pack_array(silence + np.float32(LEVEL))}  # fmt: skip
    return write_metadata(data, {TEST_KEY: json.dumps(vector)})


def damaged(data: bytes, rng: random.Random) -> bytes:
    """Some bytes changed, cut off, doubled or put in."""
    found = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(min(len(found), rng.choice((64, 4096, 1 << 20))) + 1)
        match rng.randrange(4):
            case 0:
                found[at : at + 4] = rng.choice((b"\xff" * 4, bytes(4), rng.randbytes(4)))
            case 1:
                del found[at : at + rng.choice((1, 8, len(found)))]
            case 2:
                found[at:at] = found[at : at + rng.randint(1, 999)]
            case _:
                found[at:at] = rng.randbytes(rng.randint(1, 9))
    return bytes(found)


class Offers:
    """Makes hostile files in the folders where restyle looks."""

    def __init__(self, folder: Path, rng: random.Random) -> None:
        self.models, self.presets, self._rng = folder / "models", folder / "presets", rng
        self.models.mkdir(), self.presets.mkdir()
        self._kinds = [make() for make, _ in hostile.KINDS.values()]
        self._sounds = []
        for kind in ("WAV", "FLAC", "OGG"):
            path = folder / f"good.{kind.lower()}"
            noise = np.random.default_rng(0).uniform(-0.3, 0.3, 3000)
            soundfile.write(path, noise, RATE, format=kind)
            self._sounds.append((kind.lower(), path.read_bytes()))

    def _model(self) -> bytes:
        rng = self._rng
        return rng.choice(self._kinds) if rng.random() < 0.1 else damaged(hostile.harmless(), rng)

    def make(self, kind: str, name: str) -> str:
        """Write one; a preset that brings it is called `name`, a model, too."""
        rng, stage = self._rng, ""
        preset = self.presets / f"{name}.toml"
        if kind == "model":
            (self.models / f"{name}.onnx").write_bytes(self._model())
            stage = f"[[stage]]\nmodel = '{self.models / name}.onnx'\n"
        elif kind == "response":
            ending, data = rng.choice(self._sounds)
            response = self.presets / f"{name}.{ending}"
            response.write_bytes(damaged(data, rng))
            stage = f"[[stage]]\neffect = 'Convolution'\nimpulse_response_filename = '{response}'\n"
        if stage:
            preset.write_text("format = 2\n" + stage)
        elif rng.random() < 0.5:
            preset.write_bytes(damaged(TEXT.encode(), rng))
        else:
            many = rng.choice((1, 300, 20_000, 300_000))
            preset.write_text("format = 2\n" + rng.choice(REPEATED) * many)
        return name


class Doors:
    """The four ways in."""

    def __init__(self, port: int, osc: int) -> None:
        import jack

        self._port, self._osc = port, ("127.0.0.1", osc)
        self._sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sender.bind(("127.0.0.1", 0))
        self._programs: list[bytes] = []
        self._client: Any = jack.Client("siege", no_start_server=True)
        out = self._client.midi_outports.register("out")

        def process(frames: int) -> None:
            out.clear_buffer()
            if self._programs:
                out.write_midi_event(0, self._programs.pop(0))

        self._client.set_process_callback(process)
        self._client.activate()
        self._out = out

    def hears_midi(self) -> bool:
        """Whether restyle has opened this program's MIDI port, as it does by itself."""
        return bool(self._client.get_all_connections(self._out))

    def ask(self, method: str, path: str, body: Any = None, page: bool = False) -> tuple[int, Any]:
        """One request, as a program or as the page makes it."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=900)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}
        if page:
            del headers["Authorization"]  # what a browser sends
            headers["Origin"] = f"http://127.0.0.1:{self._port}"
            headers["Cookie"] = f"{COOKIE}{self._port}={TOKEN}"
        connection.request(method, path, json.dumps(body or {}), headers)
        answer = connection.getresponse()
        said = answer.read()
        connection.close()
        return answer.status, json.loads(said)

    def offer(self, way: str, kind: str, name: str, number: int) -> str:
        """Offer what was made; what was answered, as a key of :data:`OFFERS`."""
        if way in ("api", "page"):
            if kind == "model" and number % 2:
                method = ("PUT", "/api/model", {"name": name}) if way == "api" else (
                    "POST", "/api/path", {"stage": {"model": name}})  # fmt: skip
                status, said = self.ask(*method, page=way == "page")
            else:
                status, said = self.ask("POST", f"/api/presets/{name}/load", page=way == "page")
            if status < 400:
                return "accepted"
            return "failed" if status == 500 or "\n" in said["error"] else "refused"
        if way == "osc":
            address = "style" if kind == "model" and number % 2 else "preset"
            self._sender.setblocking(False)
            with suppress(BlockingIOError):  # what came too late
                while self._sender.recv(4096):
                    pass
            self._sender.settimeout(OSC_WAIT_S)
            self._sender.sendto(encode(f"/restyle/{address}", [name]), self._osc)
            try:
                return "refused" if b"error" in self._sender.recv(4096) else "accepted"
            except TimeoutError:
                return "unanswered"
        self._programs.append(bytes([0xC0, number % 128]))
        time.sleep(MIDI_WAIT_S)
        return "unanswered"  # MIDI has no answers


def besiege(offers: int, seed: int, folder_name: str) -> Found:
    """Make the offers in a process that finds the JACK server.

    Returns
    -------
    dict
        ``ways``: rows of :data:`OFFERS`; ``played``: of :data:`SOUND`; ``stretches``: of
        :data:`benchmarks.rig.wrong.STRETCHES`.
    """
    rng, folder = random.Random(seed), Path(folder_name)
    made = Offers(folder, rng)
    os.environ.update(
        RESTYLE_MODELS=str(made.models), RESTYLE_PRESETS=str(made.presets), RESTYLE_MIDI="jack",
    )  # fmt: skip
    base = folder / "base.onnx"
    base.write_bytes(offset())
    ports = []
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            probe.bind(("127.0.0.1", 0))
            ports.append(int(probe.getsockname()[1]))
    settings = ControlsSettings(
        midi=tuple(MidiMapping(program=k, preset=f"midi-{k}") for k in range(128)),
        osc=OscSettings("127.0.0.1", ports[1]),
        panel=PanelSettings("127.0.0.1", ports[0], TOKEN),
    )
    sound = Sound((Stage(model=str(base), identity=1),))
    ways: dict[str, Counter[str]] = {way: Counter() for way in WAYS}
    told: list[Offer] = []
    doors = Doors(*ports)  # before the controls, which open the MIDI ports there are
    with (
        Host(Setup(device=JACK), standby=False) as bare,
        Host(Setup(sound, JACK), taps=("wet",)) as host,  # from the first sample on
    ):
        opened = host.setup
        host.record({"wet": folder / "wet.wav"})
        watch = Watch(host)
        host.start_controls(functools.partial(start_controls, settings))
        host.wait(5.0)
        if not doors.hears_midi():
            raise RestyleError("siege: restyle did not open the MIDI port")
        before = [counted(h)["missed"] for h in (host, bare)]
        for k in range(offers):
            way, kind = WAYS[k % len(WAYS)], rng.choice(("model", "response", "preset"))
            start, counts = int(host.board.record[0]["samples"]), ways[way]
            name = made.make(kind, f"midi-{k % 128}" if way == "midi" else f"evil-{k}")
            answer = doors.offer(way, kind, name, k)
            taken = host.setup.sound != sound
            answer = "taken" if taken else "refused" if answer == "accepted" else answer
            counts[answer] += 1
            counts["offers"] += 1
            if taken:
                host.do(Load(sound))
                host.wait(0.4)
            end = int(host.board.record[0]["samples"])
            told.append(Offer(start, end, f"{k}: {kind} by {way}, {answer}"))
            if k % 100 == 99:
                print(
                    f"{k + 1} offers, restarts {len(host.incidents)}", file=sys.stderr, flush=True
                )
        host.wait(2.0)
        after = [counted(h) for h in (host, bare)]
        other = elsewhere(opened, host.changes())
        host.stop_recording()
        watch.stop()
    y = soundfile.read(folder / "wet.wav", dtype="float32", always_2d=True)[0][:, 0]
    wrong, silent = np.abs(y - LEVEL) > 1e-6, np.abs(y) < 1e-4
    left_out = 0
    for start, end in ((0, BEGIN), *other):
        left_out += min(end, len(y)) - min(start, len(y))
        wrong[start:end] = silent[start:end] = False
    for found, first in zip(after, before, strict=True):
        found["missed"] -= first
    rows = explained(wrong, silent, told, watch, RATE)
    good = not wrong.any() and not after[0]["restarts"]
    played: list[Row] = [
        {
            "what": "the session",
            "seconds": round(len(y) / RATE, 1),
            "left_out": round(left_out / RATE, 1),
            "wrong": int(wrong.sum()),
            "late": sum(r["samples"] for r in rows if r["why"] == "late"),
            "silent": longest_run(silent),
            **after[0],
            "verdict": "ok" if good else "not as it should be",
        },
        {"what": "a bare copy", **after[1]},
    ]
    counts_of = [
        {"what": way, **{k: c[k] for k in OFFERS if k != "what"}, "verdict": _verdict(c)}
        for way, c in ways.items()
    ]
    return {"ways": counts_of, "played": played, "stretches": rows}


def _verdict(counts: Counter[str]) -> str:
    return "not as it should be" if counts["failed"] else "ok"


def apart(offers: int, seed: int) -> Found:
    """Run :func:`besiege` in a process of its own beside a JACK server.

    Raises
    ------
    ChildError
        It failed.
    """
    with dummy_server(PERIOD) as environment, tempfile.TemporaryDirectory() as folder:
        job = "benchmarks.measures.siege:besiege"
        found: Found = call_apart(job, offers, seed, folder, environment=environment)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it and print it; 1 where the sound noticed."""
    parser = argparse.ArgumentParser(prog="benchmarks.measures.siege", description=__doc__)
    parser.add_argument("--offers", type=int, default=1000, help="(default 1000)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there")
    options = parser.parse_args(arguments)
    if (missing := unavailable()) is not None:
        raise ConfigError(missing)
    check_writable(options.json)
    command = f"python -m benchmarks.measures.siege --offers {options.offers}"
    report = Report("siege", f"{command} --seed {options.seed}")
    found = apart(options.offers, options.seed)
    report.table("offers", "What was offered", found["ways"], OFFERS)
    report.table("sound", "What was played meanwhile", found["played"], SOUND)
    if found["stretches"]:
        report.table("stretches", "Where the sound was another", found["stretches"], STRETCHES)
    report.note(f"JACK's dummy server, blocks of {PERIOD} samples at 48 kHz; MIDI has no answers.")
    if options.json is not None:
        report.write(options.json)
    return (
        0 if all(r.get("verdict", "ok") == "ok" for r in (*found["ways"], *found["played"])) else 1
    )


if __name__ == "__main__":
    raise SystemExit(main())

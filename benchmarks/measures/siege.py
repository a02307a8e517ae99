"""``python -m tests.trust.siege --offers 1000``: hostile files offered to a session that plays.

Models, impulse responses and presets, each made anew, are offered through the API, the page's own
requests, OSC and MIDI while restyle plays on JACK's dummy server.  What plays is a model that gives
0.25 whatever it hears, and all of it is recorded: a sample that is not 0.25 would be heard.  An
offer that is taken (damage may leave a good file) is put back, and that stretch is left out.
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
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from onnx import helper

from benchmarks.rig.jack import dummy_server, unavailable
from realtime.controllers.osc_packet import encode
from realtime.host.host import Host
from realtime.panel.controls import ControlsSettings, start_controls
from realtime.panel.server import PanelSettings
from realtime.parameters.mapping import MidiMapping
from realtime.presets.format import OscSettings
from realtime.session.operations import Load
from realtime.session.sound import Device, Setup, Sound, Stage

from ..signals import noise
from . import hostile

PERIOD, RATE, LEVEL = 256, 48_000, 0.25
TOKEN = "0123456789abcdef" * 2
WAIT_S, MIDI_WAIT_S, EDGE = 60.0, 0.6, RATE // 2
WAYS = ("api", "page", "osc", "midi")
TEXT = 'format = 2\nname = "Lead"\nmix = 0.5\n[[stage]]\neffect = "Reverb"\nroom_size = 0.4\n'
REPEATED = ("a.", "[", "{a=", "[[stage]]\neffect='Gain'\n", "x=1,", "'''", "[[stage.group]]\n", "1")


def offset() -> bytes:
    """A model that gives 0.25 for silence."""
    graph = hostile._graph([helper.make_node("Add", ["x", "w"], ["y"])], {"w": np.float32(LEVEL)})
    silence = np.zeros((2, *hostile.CARD.step_shape(1)), dtype=np.float32)
    data = hostile.sealed(graph)
    vector = {"steps": 2, "x": hostile.pack_array(silence),
              "y": hostile.pack_array(silence + np.float32(LEVEL))}  # fmt: skip
    return hostile.write_metadata(data, {hostile.TEST_KEY: json.dumps(vector)})


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
            soundfile.write(path, noise(3000, level=0.3)[0], RATE, format=kind)
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
            headers["Origin"] = f"http://127.0.0.1:{self._port}"
        connection.request(method, path, json.dumps(body or {}), headers)
        answer = connection.getresponse()
        said = answer.read()
        connection.close()
        return answer.status, json.loads(said)

    def offer(self, way: str, kind: str, name: str, number: int) -> str:
        """Offer what was made; what was answered, in a word."""
        if way in ("api", "page"):
            if kind == "model" and number % 2:
                method = ("PUT", "/api/model", {"name": name}) if way == "api" else (
                    "POST", "/api/path", {"stage": {"model": name}})  # fmt: skip
                status, said = self.ask(*method, page=way == "page")
            else:
                status, said = self.ask("POST", f"/api/presets/{name}/load", page=way == "page")
            if status >= 400 and "\n" in said["error"]:
                return "traceback"
            return "taken" if status < 400 else "refused" if status < 500 else "500"
        if way == "osc":
            address = "style" if kind == "model" and number % 2 else "preset"
            self._sender.settimeout(WAIT_S / 10)
            self._sender.sendto(encode(f"/restyle/{address}", [name]), self._osc)
            try:
                return "refused" if b"error" in self._sender.recv(4096) else "taken"
            except TimeoutError:
                return "no answer"
        self._programs.append(bytes([0xC0, number % 128]))
        time.sleep(MIDI_WAIT_S)
        return "sent"


def besiege(offers: int, seed: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """Make the offers and report what was heard; in a process that finds the JACK server."""
    rng, folder = random.Random(seed), Path(tempfile.mkdtemp())
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
    card = Device(input="system JACK", output="system JACK", clocks="one", preferred_rate=RATE)
    sound = Sound((Stage(model=str(base), identity=1),))
    counts: Counter[str] = Counter()
    out: list[tuple[int, int]] = []
    doors = Doors(*ports)  # before the controls, which open the MIDI ports there are
    with Host(Setup(sound, card)) as host:
        host.start_controls(functools.partial(start_controls, settings))
        host.wait(5.0)
        midi = doors.hears_midi()
        before = host.stats()
        recorder = host.record({"wet": folder / "wet.wav"})
        for k in range(offers):
            way, kind = rng.choice(WAYS), rng.choice(("model", "response", "preset"))
            start = recorder.written["wet"]
            name = made.make(kind, f"midi-{k % 128}" if way == "midi" else f"evil-{k}")
            answer = doors.offer(way, kind, name, k)
            counts[f"{way} {answer}"] += 1
            if host.setup.sound != sound:
                counts["taken and put back"] += 1
                host.do(Load(sound))
                host.wait(0.4)
                out.append((start - EDGE, recorder.written["wet"] + EDGE))
            if k % 100 == 99:
                tell(f"{k + 1}: {dict(counts)}, restarts {len(host.incidents)}")
        host.wait(2.0)
        after = host.stats()
        host.stop_recording()
        kept = host.setup.sound == sound
    y = soundfile.read(folder / "wet.wav", dtype="float32")[0]
    y = y if y.ndim == 1 else y[:, 0]
    wrong = np.abs(y - LEVEL) > 1e-6
    for start, end in out:
        wrong[max(0, start) : end] = False
    return {
        "offers": offers, "answers": dict(sorted(counts.items())), "midi port opened": midi,
        "seconds recorded": round(len(y) / RATE, 1),
        "seconds left out": round(float(sum(e - s for s, e in out)) / RATE, 1),
        "samples that were not 0.25": int(wrong.sum()),
        "blocks missed": after["callbacks_missed"] - before["callbacks_missed"],
        "restarts": after["restarts"], "errors": after["path"]["errors"], "sound kept": kept,
    }  # fmt: skip


def main() -> int:
    """Run it; 1 where the sound noticed."""
    parser = argparse.ArgumentParser(prog="tests.trust.siege", description=__doc__)
    parser.add_argument("--offers", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if (missing := unavailable()) is not None:
        raise SystemExit(missing)
    with dummy_server(PERIOD) as environment:
        os.environ.update(environment)
        found = besiege(
            options.offers, options.seed, lambda t: print(t, file=sys.stderr, flush=True)
        )
    for name, value in found.items():
        print(f"{name}: {value}")
    broken = ("samples that were not 0.25", "blocks missed", "restarts")
    return int(any(found[name] for name in broken))


if __name__ == "__main__":
    raise SystemExit(main())

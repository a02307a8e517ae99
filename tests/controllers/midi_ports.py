"""Real MIDI ports on a JACK server, in a process of their own; prints what was found as JSON."""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import rtmidi

from realtime.controllers.bindings import Bindings
from realtime.controllers.midi_ports import MidiInputs, input_names, output_names
from realtime.controllers.notes_out import NotesOut, find_output
from realtime.errors import ControlError
from realtime.parameters.heard import PITCHES, SHAPE
from realtime.parameters.mapping import MidiMapping
from realtime.presets.dry_surface import MemorySurface

PATIENCE = 120.0  # seconds; the most that a busy machine may take


def until(condition: Callable[[], Any]) -> bool:
    """Wait for something that another thread does."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return False


def _ended(pid: int) -> bool:
    """Whether a process is gone, or a zombie that its parent has not asked for yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def controller(name: str) -> Any:
    """A virtual output, as a controller's driver makes one."""
    port = rtmidi.MidiOut(rtmidi.API_UNIX_JACK, name=name)
    port.open_virtual_port("knobs")
    return port


def unplug(port: Any) -> None:
    port.close_port()
    port.delete()


def devices() -> dict[str, Any]:
    """A controller works, goes, comes back and works; another one comes meanwhile."""
    found: dict[str, Any] = {}
    said: list[str] = []
    surface = MemorySurface()
    bindings = Bindings(surface, [MidiMapping(cc=1, parameter="mix")], said.append)
    box = controller("box")
    found["names"] = input_names()
    with MidiInputs(bindings.feed_all, (), said.append, poll_seconds=0.1) as inputs:
        found["open"] = inputs.ports

        def turned(port: Any, value: int) -> bool:
            def there() -> bool:
                port.send_message([0xB0, 1, value])
                return abs(surface.get("mix") - value / 127) < 1e-9

            return until(there)

        found["turned"] = turned(box, 64)
        unplug(box)
        found["closed"] = until(lambda: not inputs.ports)
        box = controller("box")
        found["opened again"] = until(lambda: inputs.ports == found["open"])
        found["turned again"] = turned(box, 32)
        other = controller("pads")
        found["both open"] = until(lambda: len(inputs.ports) == 2)
        found["turned by the other"] = turned(other, 16)
        learner = bindings.learn("input_gain_db")
        for value in (1, 2):
            other.send_message([0xB2, 7, value])
        mapping = learner.wait(PATIENCE)
        found["learnt"] = msgspec.to_builtins(mapping) if mapping else None
        found["thread alive"] = turned(box, 127)
        other.send_message([0xE0, 1, 2])
        found["flood"] = flood(surface, bindings, said, other)
        found["bank"] = programs(surface, bindings, box)
        found["nrpn"] = nrpn(surface, bindings, box)
        del said[3:]
    with MidiInputs(bindings.feed_all, ["PAD"], poll_seconds=0.1) as inputs:
        found["only"] = inputs.ports
    found["said"] = said
    unplug(box)
    unplug(other)
    return found


def flood(surface: Any, bindings: Bindings, said: list[str], port: Any) -> dict[str, Any]:
    """Two controllers as fast as 20,000 messages a second; what they end at."""
    bindings.add(MidiMapping(cc=20, parameter="mix"))
    bindings.add(MidiMapping(cc=21, parameter="output_gain_db"))
    before, sent = len(said), 0
    with captured_stderr() as text:
        begin = time.monotonic()
        for i in range(30_000):
            last = i == 29_999
            port.send_message([0xB0, 20, 127 if last else i % 127])
            port.send_message([0xB0, 21, 0 if last else 127 - i % 127])
            sent += 2
            ahead = sent / 20_000 - (time.monotonic() - begin)
            if ahead > 0.002:
                time.sleep(ahead)
        until(lambda: surface.get("mix") == 1.0 and surface.get("output_gain_db") == -100.0)
        printed = text()
    ended = {name: surface.get(name) for name in ("mix", "output_gain_db")}
    return {"sent": sent, "ended": ended, "said": said[before:], "stderr": printed}


@contextmanager
def captured_stderr() -> Iterator[Callable[[], str]]:
    """What libraries written in C++ say meanwhile, too."""
    with tempfile.TemporaryFile() as file:
        own = os.dup(2)
        os.dup2(file.fileno(), 2)

        def text() -> str:
            file.seek(0)
            return file.read().decode()

        try:
            yield text
        finally:
            os.dup2(own, 2)
            os.close(own)


def programs(surface: Any, bindings: Bindings, port: Any) -> list[str]:
    """The same program of two banks, chosen by CC 0 and 32."""
    bindings.add(MidiMapping(program=5, bank=0, action="previous"))
    bindings.add(MidiMapping(program=5, bank=130, action="next"))
    for message in ([0xB0, 0, 1], [0xB0, 32, 2], [0xC0, 5]):
        port.send_message(message)
    until(lambda: surface.actions == ["next"])
    for message in ([0xB0, 0, 0], [0xB0, 32, 0], [0xC0, 5]):
        port.send_message(message)
    until(lambda: len(surface.actions) == 2)
    return list(surface.actions)


def nrpn(surface: Any, bindings: Bindings, port: Any) -> dict[str, float]:
    """An NRPN's data entry turns the NRPN's parameter and not that of controller 6."""
    bindings.add(MidiMapping(cc=6, parameter="mix"))
    bindings.add(MidiMapping(nrpn=1 * 128 + 8, parameter="input_gain_db"))
    surface.set("mix", 1.0)
    for message in ([0xB0, 99, 1], [0xB0, 98, 8], [0xB0, 6, 127], [0xB0, 38, 127]):
        port.send_message(message)
    until(lambda: surface.get("input_gain_db") == 24.0)
    return {name: surface.get(name) for name in ("mix", "input_gain_db")}


def notes_go_out() -> dict[str, Any]:
    """A synthesiser is sent a player's notes, is unplugged while one sounds, and comes back."""

    def synth() -> Any:
        port = rtmidi.MidiIn(rtmidi.API_UNIX_JACK, name="synth")
        port.open_virtual_port("notes")
        return port

    def heard(port: Any, count: int) -> list[list[int]]:
        got: list[list[int]] = []

        def enough() -> bool:
            while (event := port.get_message()) is not None:
                got.append(event[0])
            return len(got) >= count

        until(enough)
        return got

    memory, said = np.zeros(SHAPE, dtype=np.int64), list[str]()
    row, found = memory[0], dict[str, Any]()
    playing = threading.Event()

    def play() -> None:
        while not playing.wait(0.005):
            row[0] += 1

    box = synth()
    found["names"] = output_names()
    try:
        find_output("sinth")
    except ControlError as error:
        found["sentence"] = str(error)
    player = threading.Thread(target=play)
    with NotesOut(lambda: memory, "syn", said.append, poll_seconds=0.1):
        player.start()
        row[1 + 60] = PITCHES + 90
        found["begins"] = heard(box, 2)
        row[1 + 60] = 2 * PITCHES + 80
        found["again"] = heard(box, 2)
        unplug(box)
        found["gone"] = until(lambda: len(said) == 1)
        box = synth()
        found["back"] = heard(box, 2)
        playing.set()
        player.join()
        found["still"] = heard(box, 1)
    unplug(box)
    with NotesOut(lambda: memory, "virtual"):
        probe = rtmidi.MidiIn(rtmidi.API_UNIX_JACK)
        found["virtual"] = probe.get_ports()
        probe.delete()
    found["told"] = said
    return found


def server_ends(pid: int) -> dict[str, Any]:
    """The server ends under open ports; they can be closed all the same."""
    box = controller("box")
    inputs = MidiInputs(lambda data, port: None, poll_seconds=0.1)
    opened = inputs.ports
    os.kill(pid, signal.SIGTERM)
    assert until(lambda: _ended(pid)), "the server goes on"
    inputs.close()
    unplug(box)
    return {"open": opened, "closed": inputs.ports}


if __name__ == "__main__":
    scenario = json.loads(sys.argv[1])
    if "kill" in scenario:
        result = server_ends(scenario["kill"])
    else:
        result = {**devices(), "notes out": notes_go_out()}
    print(json.dumps(result))

"""Real MIDI ports on a JACK server, in a process of their own; prints what was found as JSON."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import rtmidi

from realtime.controllers.bindings import Bindings
from realtime.controllers.midi_ports import MidiInputs, input_names
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
    with MidiInputs(bindings.feed, (), said.append, poll_seconds=0.1) as inputs:
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
    with MidiInputs(bindings.feed, ["PAD"], poll_seconds=0.1) as inputs:
        found["only"] = inputs.ports
    found["said"] = said
    unplug(box)
    unplug(other)
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
    result = server_ends(scenario["kill"]) if "kill" in scenario else devices()
    print(json.dumps(result))

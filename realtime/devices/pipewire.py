"""A microphone made by PipeWire, and played into as a JACK client: float samples, one clock.

The node is a null sink that calls itself a source.  ``pw-cli`` makes it and holds it: it goes when
that process goes, and the kernel ends that process with ours.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import DeviceError
from .list import LIBJACK
from .microphone import APPEAR_SECONDS, ask, each_line

_FOLDERS = ("/usr/lib/*/pipewire-0.3/jack", "/usr/lib*/pipewire-0.3/jack")


def jack_library() -> str | None:
    """PipeWire's own libjack; None where it is not installed."""
    for pattern in _FOLDERS:
        for found in sorted(Path("/").glob(f"{pattern[1:]}/libjack.so.0")):
            return str(found)
    return None


class PipeWireMicrophone:
    """See :class:`realtime.devices.microphone.Microphone`.

    Parameters
    ----------
    name : str
    library : str
        PipeWire's libjack; this process and those it starts reach JACK devices by it from now on.
    block : int [samples at 48 kHz]
        The quantum that is asked for; the least that any program asks for is taken.

    Raises
    ------
    DeviceError
    """

    server, clocks = "PipeWire", "one"
    sample_rate: int | None = None

    def __init__(self, name: str, library: str, block: int) -> None:
        if shutil.which("setpriv") is None:
            raise DeviceError("setpriv is missing; install it: apt install util-linux")
        objects = _objects(ask(["pw-dump"]))
        nodes = _nodes(objects)
        if name in nodes:
            raise DeviceError(
                f"there is a node '{name}' already; end the other restyle, or give another name"
                " with --mic-name"
            )
        self.name = self.output = name
        source = nodes.get(_default_source(objects) or "")
        self.input = None if source is None else _jack_name(source)
        self.restore()
        os.environ[LIBJACK] = library
        os.environ.setdefault("PIPEWIRE_LATENCY", f"{block}/48000")

    def restore(self) -> None:
        """Make the node, and wait until it is there.

        Raises
        ------
        DeviceError
        """
        values = (
            "factory.name=support.null-audio-sink media.class=Audio/Source/Virtual"
            " audio.position=[MONO] object.linger=false priority.session=0 priority.driver=0"
            f' node.name="{self.name}" node.description="{self.name}"'
        )
        self._holder = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL"]
            + ["pw-cli", "-m", "create-node", "adapter", f"{{ {values} }}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for restyle alone
        )
        end = time.monotonic() + APPEAR_SECONDS
        while self.name not in _nodes(_objects(ask(["pw-dump"]))):
            if self.lost or time.monotonic() > end:
                self.close()
                raise DeviceError(f"PipeWire did not make the microphone '{self.name}'")
            time.sleep(0.05)

    @property
    def lost(self) -> bool:
        """Whether its holder has ended."""
        return self._holder.poll() is not None

    def close(self) -> None:
        """Remove it."""
        self._holder.kill()
        self._holder.wait()

    def follow(self, tell: Callable[[int], None]) -> Callable[[], None]:
        """Tell how many links lead away from it."""
        links: set[str] = set()

        def hear(line: str) -> None:
            mark, _, link = line.strip().partition(" ")
            if link.startswith(f"{self.name}:") and " -> " in link:
                change = links.discard if mark == "-" else links.add
                change(link)
                tell(len(links))

        tell(0)
        return each_line(["pw-link", "-m", "-l"], hear)


def _objects(dump: str) -> list[Any]:
    """What `pw-dump` printed: a list, and a further one for what changed while it looked."""
    found: dict[Any, Any] = {}
    decoder, text = json.JSONDecoder(), dump.strip()
    while text:
        objects, end = decoder.raw_decode(text)
        for one in objects:  # of metadata, only what changed comes again
            known = found.get(one.get("id"), {}).get("metadata", [])
            told = {"metadata": [*one["metadata"], *known]} if "metadata" in one else {}
            found[one.get("id")] = one | told
        text = text[end:].lstrip()
    return list(found.values())


def _nodes(objects: Any) -> dict[str, dict[str, Any]]:
    """Properties of all nodes of a dump, by their name."""
    found = [o["info"]["props"] for o in objects if o.get("info") and o["type"].endswith(":Node")]
    return {p["node.name"]: p for p in found if "node.name" in p}


def _default_source(objects: Any) -> str | None:
    """Name of the node that programs hear which name none."""
    for one in objects:
        for entry in one.get("metadata") or ():
            if entry.get("key") == "default.audio.source":
                name = entry.get("value", {}).get("name")
                return None if name is None else str(name)
    return None


def _jack_name(properties: dict[str, Any]) -> str:
    """What PipeWire's libjack calls a node."""
    keys = ("node.description", "node.nick", "node.name")
    return next(str(properties[k]) for k in keys if properties.get(k))

"""A microphone made by PulseAudio's modules, and played into by ALSA's plug-in for it.

Modules outlive whoever loads them, so a shell waits beside us for our end, which it notices by its
pipe, and unloads them; what even so was left is unloaded at the next start.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from contextlib import suppress

from ..errors import DeviceError
from .list import list_devices
from .microphone import ask, each_line

DEVICE, RATE = "pulse", 48_000  # what ALSA calls its plug-in; of the microphone [Hz]
LATENCY_MS = 80  # of the server's buffers; with less, sound breaks off on a busy machine
_MARK = "restyle.pid"
_UNLOAD_SECONDS = 5.0
_WATCH = "trap '' INT TERM HUP; read -r line; for m in {}; do pactl unload-module $m; done"


def plugin_is_there() -> bool:
    """Whether ALSA plays to PulseAudio."""
    return any(d.name == DEVICE and d.max_output_channels for d in list_devices())


class PulseMicrophone:
    """See :class:`realtime.devices.microphone.Microphone`.

    Raises
    ------
    DeviceError
    """

    server, clocks, output = "PulseAudio", "two", DEVICE
    sample_rate: int | None = RATE

    def __init__(self, name: str) -> None:
        _remove_strays()
        self.name, key = name, name.replace(" ", "_")
        if key in (row[1] for row in _rows("sources")):
            raise DeviceError(
                f"there is a source '{name}' already; end the other restyle, or give another name"
                " with --mic-name"
            )
        source = ask(["pactl", "get-default-source"]).strip()
        self.input = None if source in ("", "@DEFAULT_SOURCE@") else DEVICE
        self._key, self._modules = key, list[str]()
        sink, mark = f"{key}.input", f"{_MARK}={os.getpid()}"
        format_ = ["format=float32le", f"rate={RATE}", "channels=1", "channel_map=mono"]
        described = f"'device.description=\"{name}\" {mark}'"
        try:
            self._load("null-sink", f"sink_name={sink}", *format_, f"sink_properties={described}")
            self._load(
                "remap-source",
                f"source_name={key}",
                f"master={sink}.monitor",
                *format_,
                f"source_properties={described}",
            )
        except DeviceError:
            self._unload()
            raise
        backwards = " ".join(reversed(self._modules))
        self._watcher = subprocess.Popen(
            ["sh", "-c", _WATCH.format(backwards)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.environ["PULSE_SINK"] = sink
        os.environ.setdefault("PULSE_LATENCY_MSEC", str(LATENCY_MS))
        if self.input is not None:
            os.environ["PULSE_SOURCE"] = source

    def _load(self, module: str, *arguments: str) -> None:
        self._modules.append(ask(["pactl", "load-module", f"module-{module}", *arguments]).strip())

    def _unload(self) -> None:
        for module in reversed(self._modules):
            with suppress(DeviceError):
                ask(["pactl", "unload-module", module])

    lost = False  # the server keeps it, whoever ends

    def restore(self) -> None:
        """It is never lost."""

    def close(self) -> None:
        """Remove it."""
        assert self._watcher.stdin is not None
        with suppress(OSError):
            self._watcher.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._watcher.wait(_UNLOAD_SECONDS)
        with suppress(DeviceError):
            if self._key in (row[1] for row in _rows("sources")):  # the watcher was ended
                self._unload()

    def follow(self, tell: Callable[[int], None]) -> Callable[[], None]:
        """Tell how many programs record from it."""

        def look() -> None:
            with suppress(DeviceError):
                own = [row[0] for row in _rows("sources") if row[1] == self._key]
                tell(sum(row[1] in own for row in _rows("source-outputs")))

        def hear(line: str) -> None:
            if "source-output" in line and "'change'" not in line:
                look()

        look()
        return each_line(["pactl", "subscribe"], hear)


def _rows(kind: str) -> list[list[str]]:
    """What ``pactl list short`` prints of a kind."""
    lines = ask(["pactl", "list", "short", kind]).splitlines()
    return [row for line in lines if len(row := line.split("\t")) > 1]


def _remove_strays() -> None:
    """Unload what a run left whose watcher was killed with it."""
    for row in reversed(_rows("modules")):
        found = re.search(rf"{_MARK}=(\d+)", "\t".join(row[2:]))
        if found is not None and not _lives(int(found[1])):
            with suppress(DeviceError):
                ask(["pactl", "unload-module", row[0]])


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

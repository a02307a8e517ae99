"""MIDI ports: opened, watched, opened again when a device comes back.

python-rtmidi is imported when ports are first asked for, since it is an extra where it has no
wheels.  On Linux the ports are ALSA's; ``RESTYLE_MIDI=jack`` takes JACK's instead.

Messages are fetched from the library's own queue, not handed over by a callback: the driver's
thread would need Python's lock for that, and whoever closes a port with the lock held waits for the
driver's thread for ever.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from ..errors import ControlError, nearest

ENVIRONMENT = "RESTYLE_MIDI"
ALSA = "/dev/snd/seq"
POLL_SECONDS = 1.0
READ_SECONDS = 0.002
_WAITING = 1 << 16  # messages of a port between two reads: three seconds of the worst flood
FLOOD = 2000  # messages a second, from which on it is told that a port floods
_APIS = {
    "alsa": "API_LINUX_ALSA",
    "jack": "API_UNIX_JACK",
    "coremidi": "API_MACOSX_CORE",
    "winmm": "API_WINDOWS_MM",
}
_DEFAULT = {"darwin": "coremidi", "win32": "winmm"}


def _new_input() -> Any:
    """An input that is not open yet; see :func:`_new_port`."""
    return _new_port("MidiIn", queue_size_limit=_WAITING)


def new_output() -> Any:
    """An output that is not open yet; see :func:`_new_port`."""
    return _new_port("MidiOut")


def _new_port(kind: str, **more: Any) -> Any:
    """A port of python-rtmidi's that is not open yet.

    Raises
    ------
    ControlError
        There is no python-rtmidi, or no MIDI on this machine.
    """
    try:
        import rtmidi
    except ImportError:
        raise ControlError(
            "MIDI needs python-rtmidi; install it with: pip install 'restyle[midi]'"
        ) from None
    name = os.environ.get(ENVIRONMENT) or _DEFAULT.get(sys.platform, "alsa")
    if name not in _APIS:
        raise ControlError(
            f"{ENVIRONMENT} must be one of {', '.join(_APIS)}, got '{name}'{nearest(name, _APIS)}"
        )
    reason = "python-rtmidi was built without it"
    api = getattr(rtmidi, _APIS[name])
    try:
        if name == "alsa" and not os.path.exists(ALSA):  # ALSA itself would write to the terminal
            reason = f"{ALSA} is not there: modprobe snd-seq"
        elif api in rtmidi.get_compiled_api():  # else it would take another
            return getattr(rtmidi, kind)(api, name="restyle", **more)
    except Exception as error:
        reason = str(error).rstrip(".")
    raise ControlError(
        f"there is no MIDI by {name} on this machine ({reason}); is its driver loaded, or its"
        " server running?"
    )


def input_names() -> list[str]:
    """Names of the MIDI inputs there are now.

    Raises
    ------
    ControlError
        MIDI cannot be had here.
    """
    return _names(_new_input())


def go_first() -> None:
    """Have the calling thread run before programs that only compute, where that is allowed."""
    with suppress(AttributeError, OSError):
        policy = os.SCHED_FIFO | os.SCHED_RESET_ON_FORK
        os.sched_setscheduler(0, policy, os.sched_param(1))


def output_names() -> list[str]:
    """Names of the MIDI outputs there are now; raises as :func:`input_names`."""
    return _names(new_output())


def _names(probe: Any) -> list[str]:
    try:
        return list(probe.get_ports())
    finally:
        probe.delete()


class MidiInputs:
    """All MIDI inputs, or those of some names, read in a thread of its own.

    Parameters
    ----------
    receive : callable
        Takes the bytes of the messages that have come by a port since the last look, and the name
        of the port, in this object's thread.
    wanted : sequence of str
        Parts of names; all ports if empty.
    report : callable
        Takes a sentence when ports come or go.

    Raises
    ------
    ControlError
        MIDI cannot be had here.
    """

    def __init__(
        self,
        receive: Callable[[Sequence[Sequence[int]], str], None],
        wanted: Sequence[str] = (),
        report: Callable[[str], None] = lambda sentence: None,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._receive, self._report = receive, report
        self._wanted = tuple(w.lower() for w in wanted)
        self._poll_seconds = poll_seconds
        self._probe = _new_input()
        self._open: dict[str, Any] = {}
        self._ending = threading.Event()
        self._refused: set[str] = set()
        self._heard: Counter[str] = Counter()  # messages since the last poll
        self._flooding: set[str] = set()
        self._poll()
        self._thread = threading.Thread(target=self._run, name="restyle-midi", daemon=True)
        self._thread.start()

    @property
    def ports(self) -> list[str]:
        """Names of the open ports."""
        return list(self._open)

    def close(self) -> None:
        """Close all ports and end the thread."""
        self._ending.set()
        self._thread.join()
        for name in list(self._open):
            self._drop(name)
        self._probe.delete()

    def __enter__(self) -> MidiInputs:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self) -> None:
        go_first()
        due = time.monotonic() + self._poll_seconds
        while not self._ending.wait(READ_SECONDS if self._open else self._poll_seconds):
            for name, port in self._open.items():
                self._read(name, port)
            if time.monotonic() >= due:
                due = time.monotonic() + self._poll_seconds
                try:
                    self._tell_of_floods()
                    self._poll()
                except Exception as error:  # of the driver: tried again at the next poll
                    self._report(f"MIDI failed and goes on: {error!r}")

    def _read(self, name: str, port: Any) -> None:
        """Hand on what came by a port; messages that come meanwhile wait for the next time."""
        messages: list[Sequence[int]] = []
        try:
            while len(messages) < _WAITING and (event := port.get_message()) is not None:
                messages.append(event[0])
            if messages:
                self._heard[name] += len(messages)
                self._receive(messages, name)
        except Exception as error:  # the thread outlives what its messages lead to
            self._report(f"MIDI failed and goes on: {error!r}")

    def _tell_of_floods(self) -> None:
        heard, self._heard = self._heard, Counter()
        for name, count in heard.items():
            rate = count / self._poll_seconds
            if rate >= FLOOD and name not in self._flooding:
                self._flooding.add(name)
                self._report(
                    f"MIDI input {name} sends {rate:.0f} messages a second; what it turns is"
                    " followed to the last value"
                )

    def _poll(self) -> None:
        """Open what has come, close what has gone."""
        names = self._probe.get_ports()
        chosen = [n for n in names if not self._wanted or any(w in n.lower() for w in self._wanted)]
        for name in [n for n in self._open if n not in chosen]:
            self._drop(name)
            self._report(f"MIDI input {name} is gone; it will be taken up when it comes back")
        for name in chosen:
            if name not in self._open:
                self._take(name)

    def _take(self, name: str) -> None:
        # a new object each time: one whose device has gone hears nothing when opened again
        port = _new_input()
        try:
            port.ignore_types(sysex=True, timing=True, active_sense=True)
            port.open_port(port.get_ports().index(name), name="in")
        except Exception as error:  # gone since, or in use: tried again at the next poll
            port.delete()
            if name not in self._refused:
                self._refused.add(name)
                self._report(f"MIDI input {name} cannot be opened: {error}")
            return
        self._refused.discard(name)
        self._open[name] = port
        self._report(f"MIDI input {name} is open")

    def _drop(self, name: str) -> None:
        port = self._open.pop(name)
        port.close_port()
        port.delete()

"""The OSC server: one UDP socket and one thread."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from ..errors import ControlError, RestyleError
from ..parameters.mapping import OscMapping
from ..parameters.surface import Surface
from .address import ip_version
from .osc_arguments import Sender
from .osc_meters import Subscriptions
from .osc_packet import Message, decode, encode, encode_bundles
from .osc_space import ROOT, AddressSpace

_LONGEST_WAIT = 1.0  # seconds
_ERRORS_PER_SECOND = 50  # answered; the rest are only counted


class OscServer:
    """Listens for OSC until closed.

    Parameters
    ----------
    surface : Surface
        Called in this object's thread alone.
    host : str
        An address of this machine in numbers; the default hears this machine only.  There is no
        password in OSC: whoever reaches another address turns every knob.
    port : int
        0 for any free one.
    report : callable
        Takes a sentence when something is wrong with this side.
    mappings : sequence of OscMapping
        What addresses of other programs do.

    Attributes
    ----------
    address : tuple of str and int
        Where it listens.
    counts : Counter
        ``datagrams``, ``messages``, ``errors`` and ``meters`` sent.

    Raises
    ------
    ControlError
        The port is taken, or the address is none of this machine's.
    """

    def __init__(
        self,
        surface: Surface,
        host: str = "127.0.0.1",
        port: int = 9000,
        report: Callable[[str], None] = lambda sentence: None,
        mappings: Sequence[OscMapping] = (),
    ) -> None:
        self._surface, self._report = surface, report
        self._socket, version = _bind(host, port)
        self._subscriptions = Subscriptions(version)
        self._space = AddressSpace(surface, self._subscriptions, mappings)
        self._wake, self._waker = socket.socketpair()
        self._ending = threading.Event()
        self._error_second, self._errors_answered = 0, 0
        self._said: set[str] = set()
        self.counts: Counter[str] = Counter()
        self.address: Sender = self._socket.getsockname()[:2]
        self._thread = threading.Thread(target=self._run, name="restyle-osc", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread and give the port back."""
        self._ending.set()
        self._waker.send(b"x")
        self._thread.join()
        for one in (self._socket, self._wake, self._waker):
            one.close()

    def __enter__(self) -> OscServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            for one in (self._socket, self._wake):
                selector.register(one, selectors.EVENT_READ)
            while not self._ending.is_set():
                try:
                    wait = self._subscriptions.wait(time.monotonic(), _LONGEST_WAIT)
                    ready = [key.fileobj for key, _ in selector.select(wait)]
                    if self._socket in ready:
                        self._receive()
                    self._send_meters()
                except Exception as error:  # whatever comes, the thread goes on
                    self.counts["errors"] += 1
                    self._say(f"OSC failed and goes on: {error!r}")
                    self._ending.wait(0.05)

    def _receive(self) -> None:
        try:
            datagram, origin = self._socket.recvfrom(65535)
        except OSError:  # an earlier answer found nobody there (Windows), or cut too long
            return
        self.counts["datagrams"] += 1
        sender: Sender = origin[:2]
        try:
            messages = decode(datagram)
        except ControlError as error:
            self._answer_error(str(error), sender)
            return
        for address, arguments in messages:
            self.counts["messages"] += 1
            try:
                self._send(self._space.do(address, arguments, sender), sender)
            except RestyleError as error:
                self._answer_error(f"{address}: {error}", sender)
            except Exception as error:  # a fault of the surface's, told to both sides
                self._say(f"{address} failed: {error!r}")
                self._answer_error(f"{address} failed: {error!r}", sender)

    def _answer_error(self, sentence: str, sender: Sender) -> None:
        self.counts["errors"] += 1
        second = int(time.monotonic())
        if second != self._error_second:
            self._error_second, self._errors_answered = second, 0
        self._errors_answered += 1
        if self._errors_answered <= _ERRORS_PER_SECOND:
            text = sentence.encode("utf-8", "replace").replace(b"\0", b"?")[:1000]
            self._send([(ROOT + "error", [text.decode("utf-8", "ignore")])], sender)

    def _send_meters(self) -> None:
        due = self._subscriptions.due(time.monotonic())
        if not due:
            return
        messages: list[Message] = [
            (f"{ROOT}meters/{name}", [float(value)])
            for name, value in self._surface.meters().items()
        ]
        for target in due:
            self.counts["meters"] += 1
            self._send(messages, target)

    def _send(self, messages: list[Message], target: Sender) -> None:
        """Send one message by itself, several as bundles; who is not there misses them."""
        alone = len(messages) == 1
        for datagram in [encode(*messages[0])] if alone else encode_bundles(messages):
            try:
                self._socket.sendto(datagram, target)
            except OSError as error:
                self._say(f"OSC cannot send to {target[0]} port {target[1]}: {error.strerror}")
                return

    def _say(self, sentence: str) -> None:
        if sentence not in self._said and len(self._said) < 100:
            self._said.add(sentence)
            self._report(sentence)


def _bind(host: str, port: int) -> tuple[Any, int]:
    """An open socket and the version of its protocol, 4 or 6."""
    version = ip_version(host, port, "OSC", "the OSC port")
    kind = socket.AF_INET if version == 4 else socket.AF_INET6
    opened = socket.socket(kind, socket.SOCK_DGRAM)
    try:
        opened.bind((host, port))
    except OSError as error:
        opened.close()
        raise ControlError(
            f"OSC cannot listen on {host} port {port} ({error.strerror}); is it another program's?"
            " Choose another port or address"
        ) from None
    return opened, version

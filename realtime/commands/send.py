"""``restyle send``: one OSC message to a restyle that plays, for the desktop's own shortcuts."""

from __future__ import annotations

import socket
import time
from typing import Annotated, Any

import typer

from ..controllers.osc_packet import decode, encode
from ..controllers.osc_space import ROOT
from ..errors import ControlError
from .live.run import osc_address

ANSWER_SECONDS = 1.0


def send(
    address: Annotated[
        str, typer.Argument(metavar="ADDRESS", help="mute, toggle, next, /restyle/param/2.drive …")
    ],
    values: Annotated[
        list[str] | None,
        typer.Argument(metavar="[VALUE]...", help="Numbers, true, false, or words."),
    ] = None,
    to: Annotated[
        str, typer.Option("--to", metavar="[HOST:]PORT", help="Where it listens: live --osc.")
    ] = "9000",
) -> None:
    """Send a message to a restyle that plays with --osc; bind it to a key of your desktop."""
    where = osc_address(to)
    assert where is not None
    address = address if address.startswith("/") else ROOT + address
    kind = socket.AF_INET6 if ":" in where.host else socket.AF_INET
    with socket.socket(kind, socket.SOCK_DGRAM) as line:
        target = where.host, where.port
        try:
            line.connect(target)
            line.send(encode(address, [_value(v) for v in values or ()]))
            line.send(encode(f"{ROOT}ping"))
            _await(line)
        except OSError as error:
            reason = error.strerror or "no answer"
            raise ControlError(
                f"no restyle listens on {where.host} port {where.port} ({reason}); start it with:"
                f" restyle live --osc {to}"
            ) from None


def _await(line: socket.socket) -> None:
    """Wait for what comes after the message has been carried out; print what it answers.

    Raises
    ------
    ControlError
        It was refused.
    OSError
        Nobody answers.
    """
    end = time.monotonic() + ANSWER_SECONDS
    while True:
        line.settimeout(max(0.001, end - time.monotonic()))
        for address, arguments in decode(line.recv(65535)):
            if address == f"{ROOT}error":
                raise ControlError(str(arguments[0]))
            if address == f"{ROOT}pong":
                return
            print(address, *arguments)


def _value(text: str) -> Any:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text

"""Arguments of OSC messages: of the right number and kind, or a sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..errors import ControlError

Arguments = Sequence[Any]
Sender = tuple[str, int]


def none(what: str, arguments: Arguments) -> None:
    """Questions take nothing, so that an answer can never pass for one."""
    if arguments:
        raise ControlError(f"{what} takes no arguments, got {len(arguments)}")


def one(what: str, expected: str, arguments: Arguments) -> Any:
    """The only argument."""
    if len(arguments) != 1:
        raise ControlError(f"{what} takes {expected}, got {len(arguments)} arguments")
    return arguments[0]


def text(what: str, value: Any) -> str:
    """A text."""
    if not isinstance(value, str):
        raise ControlError(f"{what} takes a text (s), got {value!r}")
    return value


def number(what: str, value: Any) -> float:
    """A finite number."""
    try:
        found = float(value) if isinstance(value, int | float) else math.nan
    except OverflowError:  # a whole number beyond all floats
        found = math.nan
    if not math.isfinite(found):
        raise ControlError(f"{what} takes a number (f), got {value!r}")
    return found


def target(arguments: Arguments, sender: Sender) -> Sender:
    """Host and port named, or those of the sender."""
    if not arguments:
        return sender
    if len(arguments) > 1 and isinstance(arguments[0], str) and type(arguments[1]) is int:
        return arguments[0], arguments[1]
    raise ControlError("meters go to a host and a port: s i, and a rate in Hz: f")


def rate(arguments: Arguments) -> list[float]:
    """The third argument, a rate in Hz, if there is one."""
    return [number("the rate", arguments[2])] if len(arguments) > 2 else []

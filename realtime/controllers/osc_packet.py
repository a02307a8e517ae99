"""OSC datagrams in and out.

python-osc reads and builds the messages.  Bundles are taken apart here: python-osc 1.10 never
returns from a bundle with an element of negative size, and lets some errors of its own out.
"""

from __future__ import annotations

import logging
import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import build_msg

from ..errors import ControlError

logging.getLogger("pythonosc").addHandler(logging.NullHandler())
_BUNDLE = b"#bundle\0"
_HEADER = len(_BUNDLE) + 8  # the time tag follows
_DEEPEST = 8
_KNOWN = frozenset("ifshdTFN[]")  # type tags; the rest has no use here
LARGEST = 1400  # bytes of a datagram that no network cuts in pieces

Message = tuple[str, list[Any]]


def decode(datagram: bytes) -> list[Message]:
    """Return address and arguments of each message; time tags are passed over: all is for now.

    Raises
    ------
    ControlError
        The datagram is no OSC.
    """
    return list(_decode(datagram, 0))


def _decode(data: bytes, depth: int) -> Iterator[Message]:
    if not data.startswith(_BUNDLE):
        yield _message(data)
        return
    if depth >= _DEEPEST or len(data) < _HEADER:
        raise ControlError("this is no OSC read here: a bundle is cut short or too deep")
    place = _HEADER
    while place < len(data):
        if place + 4 > len(data):
            raise ControlError("this is no OSC read here: a bundle is cut short")
        (size,) = struct.unpack_from(">i", data, place)
        place += 4
        if size <= 0 or size % 4 or place + size > len(data):
            raise ControlError(f"this is no OSC read here: a bundle's element has the size {size}")
        yield from _decode(data[place : place + size], depth + 1)
        place += size


def _message(data: bytes) -> Message:
    try:
        if not data.startswith(b"/"):
            raise ValueError("neither a message nor a bundle")
        if not _tags(data) <= _KNOWN:
            raise ValueError(f"arguments are of the kinds {' '.join(sorted(_KNOWN))}")
        message = OscMessage(data)
        return message.address, list(message.params)
    except Exception as error:  # python-osc lets errors of every kind out
        raise ControlError(f"this is no OSC read here: {_first_line(error)}") from None


def _tags(data: bytes) -> set[str]:
    """The type tags of a message; python-osc would log the unknown ones and misread the rest."""
    start = (data.index(b"\0") // 4 + 1) * 4
    if data[start : start + 1] != b",":
        return set()
    return set(data[start + 1 : data.index(b"\0", start)].decode("ascii"))


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:120]


def encode(address: str, arguments: Sequence[Any] = ()) -> bytes:
    """One message; floats go as ``f``, texts as ``s``, whole numbers as ``i``."""
    return bytes(build_msg(address, list(arguments)).dgram)


def encode_bundles(messages: Iterable[Message]) -> Iterator[bytes]:
    """The messages in as few bundles as fit datagrams of :data:`LARGEST` bytes."""
    builder, size = OscBundleBuilder(IMMEDIATELY), _HEADER
    for address, arguments in messages:
        message = build_msg(address, arguments)
        if size > _HEADER and size + 4 + message.size > LARGEST:
            yield bytes(builder.build().dgram)
            builder, size = OscBundleBuilder(IMMEDIATELY), _HEADER
        builder.add_content(message)
        size += 4 + message.size
    if size > _HEADER:
        yield bytes(builder.build().dgram)

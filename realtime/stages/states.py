"""A plug-in's settings as bytes, as text for chain files, and as ``.vstpreset`` files."""

from __future__ import annotations

import base64
import binascii
import contextlib
from pathlib import Path
from typing import Any

from ..errors import ChainError

PRESET = b"VST3"  # how .vstpreset data begins


def read_state(plugin: Any) -> bytes:
    """All settings of a plug-in: the bytes of a ``.vstpreset`` file, or an Audio Unit's own.

    The first are preferred to ``raw_state``, which takes anything without a word.
    """
    with contextlib.suppress(AttributeError, RuntimeError):
        return bytes(plugin.preset_data)
    return bytes(plugin.raw_state)


def write_state(plugin: Any, state: bytes) -> None:
    """Give a plug-in what :func:`read_state` returned; RuntimeError where it refuses."""
    if state.startswith(PRESET):
        if not hasattr(type(plugin), "preset_data"):
            raise RuntimeError("an Audio Unit takes no .vstpreset")
        plugin.preset_data = state
    else:
        plugin.raw_state = state


def to_text(state: bytes) -> str:
    """Return base64 text."""
    return base64.b64encode(state).decode("ascii")


def from_text(text: str) -> bytes:
    """Turn base64 text into bytes; ChainError where it is none."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError, AttributeError):
        raise ChainError("state is not base64 text, as save_state returns it") from None


def read_preset(path: Path) -> bytes:
    """Read a ``.vstpreset`` file; ChainError where it is none."""
    try:
        state = path.read_bytes()
    except OSError as error:
        raise ChainError(f"cannot read preset {path}: {error.strerror}") from None
    if not state.startswith(PRESET):
        raise ChainError(f"{path} is not a .vstpreset file")
    return state

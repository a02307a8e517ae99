"""A sound in the state that pedalboard (JUCE) keeps of the VST3, as a project restores one."""

from __future__ import annotations

import re
from typing import Any

_LETTERS = ".ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+"


def packed(data: bytes) -> str:
    """Bytes as JUCE writes them into a state: the length, then six bits a letter, lowest first."""
    whole = int.from_bytes(data, "little")
    letters = (_LETTERS[whole >> 6 * i & 63] for i in range(-(-len(data) * 8 // 6)))
    return f"{len(data)}.{''.join(letters)}"


def unpacked(text: str) -> bytes:
    """The same undone."""
    length, _, letters = text.partition(".")
    whole = sum(_LETTERS.index(letter) << 6 * i for i, letter in enumerate(letters))
    return whole.to_bytes(int(length) + 1, "little")[: int(length)]


def component(plugin: Any) -> str:
    """The plug-in's own part of its state."""
    found = re.search(r"<IComponent>([^<]*)<", plugin.raw_state.decode("latin-1"))
    if found is None:
        raise ValueError("expected an <IComponent> in the plug-in's state; got none")
    return found[1]


def kept(plugin: Any) -> dict[str, str]:
    """What is in it: keys and values, a zero byte after each."""
    words = unpacked(component(plugin)).decode("utf-8", "replace").split("\0")
    words = [w for w in words if not w.startswith("__dpf")]
    return dict(zip(words[::2], words[1::2], strict=False))


def restored(plugin: Any, sound: str) -> None:
    """Put a sound, the text of a preset, into its state."""
    words = ["__dpf_state_begin__", "latency", "0", "sound", sound, "__dpf_state_end__"]
    data = ("\0".join(words) + "\0\xfe").encode("latin-1") + b"\0"
    raw = plugin.raw_state.decode("latin-1").replace(component(plugin), packed(data))
    head, body = raw.encode("latin-1")[:4], raw.encode("latin-1")[8:]
    plugin.raw_state = head + (len(body) - 1).to_bytes(4, "little") + body

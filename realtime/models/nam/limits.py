"""What a configuration may ask for.

Files come from strangers, and the kernel takes its addresses from what they say: every number is
checked before memory is laid out by it.
"""

from __future__ import annotations

from typing import Any

from ...errors import ModelError

MAX_CHANNELS = 4096
MAX_LAYERS = 512
MAX_REACH = 2**20  # samples one layer may look back: 22 s at 48 kHz
MAX_HISTORY = 2**27  # channels times samples of history; shared captures need some 2**23
MAX_FACTORS = 2**24  # weights once groups are written out; shared captures have some 2**14
MAX_FLOAT = 3.4e38  # largest magnitude that a float32 holds


def plain_text(value: Any) -> str:
    """Text of a value from a file that any terminal shows as it is: one line, nothing hidden."""
    line = " ".join(str(value).split())
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)


def shown(value: Any) -> str:
    """Text of a value from a file, short enough for a sentence."""
    text = plain_text(value)
    return text if len(text) <= 40 else f"{text[:40]}..."


def whole(value: Any, name: str, low: int = 1, high: int = MAX_CHANNELS) -> int:
    """A whole number within ``low..high``.

    Raises
    ------
    ModelError
        Anything else.
    """
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not low <= value <= high or value != int(value):
        raise ModelError(
            f"'{name}' must be a whole number within {low}..{high}, got {shown(value)}"
        )
    return int(value)


def flag(value: Any, name: str, default: bool) -> bool:
    """True or false; `default` where it is missing or null.

    Raises
    ------
    ModelError
        Something else stands there: text such as ``"false"`` would otherwise count as true.
    """
    if value is None:
        return default
    if not isinstance(value, bool):
        raise ModelError(f"'{name}' must be true or false, got {shown(value)}")
    return value


def section(value: Any, name: str) -> dict[str, Any]:
    """An object of the configuration; empty where it is missing or null.

    Raises
    ------
    ModelError
        Something else stands there.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ModelError(f"'{name}' must be an object, got {shown(value)}")
    return value


def listed(config: dict[str, Any], name: str) -> list[Any]:
    """A list of the configuration.

    Raises
    ------
    ModelError
        Something else stands there.
    """
    if not isinstance(config[name], list | tuple):
        raise ModelError(f"'{name}' must be a list, got {shown(config[name])}")
    return list(config[name])

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
MAX_FLOAT = 3.4e38  # largest magnitude that a float32 holds


def shown(value: Any) -> str:
    """Text of a value from a file, short enough for a sentence."""
    text = str(value)
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
        raise ModelError(f"'{name}' must be an object")
    return value

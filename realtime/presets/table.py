"""Strict reading of TOML tables: every key known, every value of its type and within its range.

Every mistake is one sentence with the file, the key, what was expected, what came and how to mend
it::

    live.toml: mix must be a number within 0..1, got 'loud'; write for example mix = 0.7
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import sys
from collections.abc import Sequence
from typing import Any

from ..errors import PresetError, nearest


class Table:
    """One table being read; each method takes a key, checks it and returns its value.

    Parameters
    ----------
    data : mapping
    where : str
        Begins every message: the file, then the table, such as ``live.toml: [[post]] 2``.
    """

    def __init__(self, data: Any, where: str) -> None:
        if not isinstance(data, dict):
            raise PresetError(f"{where} must be a table, got {shown(data)}")
        self._left, self.where = dict(data), where
        self._known: list[str] = []

    def error(self, sentence: str) -> PresetError:
        """Return the error to raise, with the place in front."""
        return PresetError(f"{self.where}: {sentence}")

    def _take(self, key: str) -> Any:
        self._known.append(key)
        return self._left.pop(key, None)

    def _refuse(self, key: str, expected: str, came: Any, example: str) -> PresetError:
        return self.error(
            f"{key} must be {expected}, got {shown(came)}; write for example {key} = {example}"
        )

    def text(
        self, key: str, default: Any = None, *, choices: Sequence[str] = (), example: str = '"…"'
    ) -> Any:
        """Text, one of `choices` where there are any."""
        value = self._take(key)
        if value is None:
            return default
        if choices:
            if value not in choices:
                raise self.error(
                    f"{key} must be one of {', '.join(choices)}, got {shown(value)}"
                    f"{nearest(str(value), choices)}"
                )
        elif not isinstance(value, str) or not value:
            raise self._refuse(key, "text", value, example)
        return value

    def flag(self, key: str, default: bool = False) -> bool:
        """True or false."""
        value = self._take(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self._refuse(key, "true or false", value, "true")
        return value

    def number(self, key: str, default: Any, low: float, high: float, unit: str = "") -> Any:
        """A finite number within ``low..high``, as a float."""
        value = self._take(key)
        if value is None:
            return default
        example = min(max(0.7, low), high)
        return self.checked_number(key, value, low, high, unit, f"{example:g}")

    def checked_number(
        self, key: str, value: Any, low: float, high: float, unit: str = "", example: str = "0.7"
    ) -> float:
        """The float of a `value` already taken, if it is a finite number within ``low..high``."""
        if not is_finite(value) or not low <= value <= high:
            within = f" within {low:g}..{high:g}" if math.isfinite(high - low) else ""
            unit = f" {unit}" if unit else ""
            raise self._refuse(key, f"a number{within}{unit}", value, example)
        return float(value)

    def whole(self, key: str, default: Any, low: int, high: int, unit: str = "") -> Any:
        """A whole number within ``low..high``."""
        value = self._take(key)
        if value is None:
            return default
        if not _is_whole(value) or not low <= value <= high:
            unit = f" {unit}" if unit else ""
            expected = f"a whole number within {low}..{high}{unit}"
            raise self._refuse(key, expected, value, str(min(max(64, low), high)))
        return value

    def wholes(self, key: str, low: int, high: int) -> tuple[int, ...] | None:
        """A list of whole numbers, or None."""
        value = self._take(key)
        if value is None:
            return None
        good = isinstance(value, list) and value and all(_is_whole(v) for v in value)
        if not good or not all(low <= v <= high for v in value):
            raise self._refuse(
                key, f"a list of whole numbers within {low}..{high}", value, "[1, 2]"
            )
        return tuple(value)

    def blob(self, key: str) -> str | None:
        """Bytes written as base64, or None; returned as text."""
        value = self.text(key, example='"VlNUMw…"')
        try:
            if value is not None:
                base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise self._refuse(key, "bytes in base64", value, '"VlNUMw=="') from None
        return value  # type: ignore[no-any-return]

    def numbers(self, key: str) -> dict[str, float]:
        """A table of numbers by name."""
        data = self._take(key)
        inside = Table({} if data is None else data, f"{self.where}: [{key}]")
        return {
            n: inside.checked_number(n, v, -math.inf, math.inf) for n, v in inside.rest().items()
        }

    def table(self, key: str) -> Table | None:
        """A table inside, or None."""
        data = self._take(key)
        return None if data is None else Table(data, f"{self.where}: [{key}]")

    def tables(self, key: str) -> list[Table]:
        """The tables of an array, each with its number from 1 in messages."""
        data = self._take(key)
        if data is None:
            return []
        if not isinstance(data, list) or not all(isinstance(d, dict) for d in data):
            raise self.error(f"{key} must be tables in double brackets; write [[{key}]]")
        return [Table(d, f"{self.where}: [[{key}]] {i}") for i, d in enumerate(data, 1)]

    def rest(self) -> dict[str, Any]:
        """All keys not taken yet."""
        left, self._left = self._left, {}
        return left

    def done(self) -> None:
        """Refuse what is left.

        Raises
        ------
        PresetError
            An unknown key; the nearest valid one is suggested.
        """
        for key in self._left:
            raise self.error(
                f"unknown key '{key}'{nearest(key, self._known)}; there are"
                f" {', '.join(self._known)}"
            )


def shown(value: Any) -> str:
    """A value as a message shows it: as TOML writes it, cut short."""
    if isinstance(value, bool | str):
        text = json.dumps(value, ensure_ascii=False)
    else:
        text = str(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_finite(value: Any) -> bool:
    """Whether a value is a number that a float can hold (TOML's whole numbers have no end)."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and abs(value) <= sys.float_info.max

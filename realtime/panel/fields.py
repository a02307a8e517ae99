"""Bodies of requests: which keys, of which kind; checked and described from one table."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import ControlError, nearest

LONGEST_TEXT = 4096
MOST_VALUES = 1024


class NotFound(ControlError):
    """What a path names is not there: 404."""


class Conflict(ControlError):
    """It cannot be done as things stand: 409."""


@dataclass(frozen=True)
class Field:
    """One key of a JSON body.

    Attributes
    ----------
    name : str
    kind : str
        A key of :data:`KINDS`.
    default : object
        What is taken where the key is missing; :data:`NEEDED` where it may not be.
    nullable : bool
    about : str
        For the API's description.
    """

    name: str
    kind: str
    default: Any = ...
    nullable: bool = False
    about: str = ""


def _text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_TEXT


def _number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def _numbers(value: Any) -> bool:
    if not isinstance(value, dict) or not len(value) <= MOST_VALUES:
        return False
    return all(_number(v) for v in value.values())


# kind: check, JSON schema, words
KINDS: Mapping[str, tuple[Callable[[Any], bool], dict[str, Any], str]] = {
    "text": (_text, {"type": "string", "maxLength": LONGEST_TEXT}, "text"),
    "flag": (lambda v: isinstance(v, bool), {"type": "boolean"}, "true or false"),
    "whole": (
        lambda v: isinstance(v, int) and not isinstance(v, bool) and abs(v) < 1 << 31,
        {"type": "integer"},
        "a whole number",
    ),
    "text or whole": (
        lambda v: _text(v) or KINDS["whole"][0](v),
        {"type": ["string", "integer"]},
        "text or a whole number",
    ),
    "numbers": (
        _numbers,
        {"type": "object", "additionalProperties": {"type": "number"}},
        "an object of names and numbers",
    ),
    "table": (lambda v: isinstance(v, dict), {"type": "object"}, "an object"),
}


def parse(text: str | bytes) -> Any:
    """Read JSON that came from outside.

    Raises
    ------
    ControlError
        It is none; NaN and infinities are none either.
    """

    def refuse(name: str) -> Any:
        raise ValueError(f"{name} is no JSON")

    try:
        return json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise ControlError(f"this is not valid JSON: {reason[:200]}") from None


def take(fields: Sequence[Field], data: Any, what: str = "the body") -> dict[str, Any]:
    """Check an object against `fields`; return all their values.

    Raises
    ------
    ControlError
        Not an object, an unknown or missing key, a value of another kind.
    """
    if not isinstance(data, dict):
        raise ControlError(f"{what} must be a JSON object, got {_shown(data)}")
    known = [f.name for f in fields]
    for key in data:
        if key not in known:
            listed = ", ".join(known) or "no keys"
            raise ControlError(f"{what} takes {listed}, got '{key[:80]}'{nearest(key, known)}")
    found = {}
    for f in fields:
        value = data.get(f.name, f.default)
        check, _, words = KINDS[f.kind]
        if value is ...:
            raise ControlError(f"{what} needs '{f.name}', {words}")
        given = f.name in data
        if given and not (value is None and f.nullable) and not check(value):
            raise ControlError(f"'{f.name}' must be {words}, got {_shown(value)}")
        found[f.name] = value
    return found


def schema(fields: Sequence[Field]) -> dict[str, Any]:
    """The JSON schema of an object with `fields`."""
    properties = {}
    for f in fields:
        one = dict(KINDS[f.kind][1])
        if f.nullable:
            kinds = one["type"] if isinstance(one["type"], list) else [one["type"]]
            one["type"] = [*kinds, "null"]
        if f.default is not ...:
            one["default"] = f.default
        if f.about:
            one["description"] = f.about
        properties[f.name] = one
    return {
        "type": "object",
        "properties": properties,
        "required": [f.name for f in fields if f.default is ...],
        "additionalProperties": False,
    }


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."

"""Data from outside, checked against types: msgspec finds the mistake, this words it.

Every mistake is one sentence with the place, the key, what was expected, what came and how to mend
it::

    live.toml: [[stage]] 2: stage_mix must be a number within 0..1, got 2.0; write for example …

Types are msgspec's: structs, with ranges as ``Annotated[float, Meta(ge=0, le=1)]`` and units as
``Meta(extra={"unit": "dB"})``; ``words`` and ``example`` there take the place of the usual ones.  A range is stated there and nowhere else: files, requests and
values made by code (:func:`check`) are all held against it.
"""

from __future__ import annotations

import functools
import json
import math
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from .errors import ConfigError, RestyleError, nearest

T = TypeVar("T")
Path = tuple[str | int, ...]

DEEPEST = 64  # tables within tables that are read at all
_LISTED = 40  # names in a message
_UNKNOWN = re.compile(r"unknown field `(.*)`$", re.S)
_MISSING = re.compile(r"missing required field `(.*?)`")
_AT = re.compile(r" - at `(?:key in )?\$(.*)`$", re.S)
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")
_ANY = "a number, true, false or text"


def read(
    data: Any,
    kind: type[T],
    where: str = "",
    *,
    error: type[RestyleError] = ConfigError,
    words: Mapping[str, str] | None = None,
    table: str = "a table",
) -> T:
    """Return `data` as a value of type `kind`.

    Parameters
    ----------
    data : object
        Of plain dicts, lists, texts, numbers and the like.
    where : str
        Begins every message, such as a file's name.
    error : type
        What is raised.
    words : mapping
        What fields are called in files, where that differs; a table that files do not have, since
        its keys stand one level higher, is called "".
    table : str
        What a mapping is called: ``a table`` in TOML, ``an object`` in JSON; examples are in TOML.

    Raises
    ------
    RestyleError
        The first mistake found.
    """
    info = _info(kind)
    wording = _Wording(info, data, words or {}, table)
    try:
        wrong = _unfit(data)
        if wrong is not None and len(wrong) > DEEPEST:
            raise error(_begin(where, f"nested too deeply, more than {DEEPEST} {table[2:]}s"))
        if wrong is not None:
            raise error(_begin(where, wording.refusal(wrong)))
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as found:
        raise error(_begin(where, wording.sentence(found))) from None


def read_json(
    data: bytes | str, error: type[RestyleError] = ConfigError, what: str = "this"
) -> Any:
    """Return the plain data of a JSON text.

    Raises
    ------
    RestyleError
        It is none: no UTF-8, too deep, or a number that no float holds (NaN and infinity are none).
    """
    try:
        return msgspec.json.decode(data)
    except RecursionError:
        reason = "it is nested too deeply"
    except (msgspec.MsgspecError, UnicodeError) as found:
        reason = str(found)
    raise error(f"{what} is not valid JSON: {reason[:200]}")


def check(value: msgspec.Struct) -> None:
    """Hold the numbers and choices of a struct made by code against their types.

    Raises
    ------
    ConfigError
        The first that is outside, or no number.
    """
    for name, called, info in _ranges(type(value)):
        given = getattr(value, name)
        if given is not None and not _fits(given, info):
            hint = nearest(str(given), getattr(_inner(info), "values", ()))
            raise ConfigError(f"{called} must be {described(info)}, got {shown(given)}{hint}")


def shown(value: Any) -> str:
    """A value as a message shows it: as TOML and JSON write it, cut short."""
    if isinstance(value, bool | str):
        text = json.dumps(value, ensure_ascii=False)
    elif isinstance(value, int) and abs(value) > 10**60:
        text = "a number of more than 60 digits"  # Python refuses to print thousands
    else:
        text = str(value)
    return text if len(text) <= 60 else text[:57] + "…"


def described(info: inspect.Type, table: str = "a table") -> str:
    """A type in words, such as ``a number within -100..24 dB``."""
    unit = ""
    if isinstance(info, inspect.Metadata):
        extra = info.extra or {}
        if "words" in extra:
            return str(extra["words"])
        unit = f" {extra['unit']}" if "unit" in extra else ""
        info = info.type
    match info:
        case inspect.UnionType(types=types):
            kinds = [t for t in types if not isinstance(t, inspect.NoneType)]
            if len(kinds) == 3:
                return _ANY
            return " or ".join(described(t, table) for t in kinds)
        case inspect.LiteralType(values=values):
            return f"one of {', '.join(map(str, values))}"
        case inspect.IntType() | inspect.FloatType():
            low, high = _ends(info)
            within = f" within {low:g}..{high:g}" if math.isfinite(high - low) else ""
            whole = "whole " if isinstance(info, inspect.IntType) else ""
            return f"a {whole}number{within}{unit}"
        case inspect.BoolType():
            return "true or false"
        case inspect.StrType():
            return "text"
        case inspect.AnyType():
            return _ANY
        case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item):
            many = described(item, table).removeprefix("a ").replace("number", "numbers", 1)
            return f"a list of {many}"
        case inspect.DictType(value_type=inspect.FloatType()):
            return f"{table} of names and numbers"
    return table


# -- the wording of one mistake ---------------------------------------------------------------------


class _Wording:
    """What is said of one document."""

    def __init__(self, info: inspect.Type, data: Any, words: Mapping[str, str], table: str) -> None:
        self._info, self._data, self._words, self._table = info, data, words, table

    def sentence(self, found: msgspec.ValidationError) -> str:
        """The mistake that msgspec found."""
        text = str(found)
        at = _AT.search(text)
        text = text[: at.start()] if at else text
        path: Path = ()
        for name, index in _STEP.findall(at[1] if at else ""):
            path += (name or (int(index) if index.isdigit() else self._unfit_key(path)),)
        if isinstance(found.__cause__, RestyleError):  # of a struct's own check
            return _begin(self._place(path), str(found.__cause__))
        unknown, missing = _UNKNOWN.search(text), _MISSING.search(text)
        if unknown or missing:
            known = self._fields(path)
            if missing:
                key = missing[1]
                needs = f"it needs {key}, {described(known[key], self._table)}"
                return _begin(self._place(path), needs)
            key = unknown[1] if unknown else ""
            return _begin(self._place(path), self._unknown(key, [self._word(k) for k in known]))
        return self.refusal(path)

    def refusal(self, path: Path) -> str:
        """The value at `path` is none of its type."""
        while path and isinstance(path[-1], int):
            path = path[:-1]  # the list as a whole
        info, value = self._type(path), _value(self._data, path)
        base = info.type if isinstance(info, inspect.Metadata) else info
        if _holds_tables(base) and path:
            name = ".".join(self._word(p) for p in path if isinstance(p, str))
            sentence = f"{self._word(path[-1])} must be tables in double brackets; write [[{name}]]"
            return _begin(self._place(path[:-1]), sentence)
        expected = described(info, self._table) if info is not None else _ANY
        choices = getattr(_inner(base), "values", ())
        hint = nearest(str(value)[:80], choices) if isinstance(value, str) else ""
        if self._table == "a table" and not choices and not _is_table(base):
            hint = f"; write for example {self._word(path[-1])} = {_example(info)}" if path else ""
        if not path:
            return f"it must be {expected}, got {shown(value)}"
        place, key = self._place(path[:-1]), self._word(path[-1])
        if _is_table(base) and self._table == "a table":
            key = f"[{key}]"
        return _begin(place, f"{key} must be {expected}, got {shown(value)}{hint}")

    def _unknown(self, key: str, known: Sequence[str]) -> str:
        listed = ", ".join(known) or "none"
        return f"unknown key '{key[:80]}'{nearest(key, known)}; there are {listed}"

    def _word(self, name: str | int) -> str:
        return self._words.get(str(name)) or str(name)

    def _place(self, path: Path) -> str:
        """``[[stage]] 2: [[stage.group]] 1``, or ``stage`` in JSON."""
        parts: list[str] = []
        names: list[str] = []
        for i, step in enumerate(path):
            if isinstance(step, int) or self._words.get(step) == "":
                continue
            names.append(self._word(step))
            number = path[i + 1] if i + 1 < len(path) else None
            if self._table != "a table":
                parts.append(names[-1] if number is None else f"{names[-1]} {number}")
            elif isinstance(number, int):
                parts.append(f"[[{'.'.join(names)}]] {number + 1}")
            else:
                parts.append(f"[{'.'.join(names)}]")
        return ": ".join(parts)

    def _type(self, path: Path) -> inspect.Type | None:
        """The type at `path`; None where there is no such place."""
        info: inspect.Type | None = self._info
        for step in path:
            info = _inner(info.type if isinstance(info, inspect.Metadata) else info)
            match info:
                case inspect.StructType(fields=fields) | inspect.DataclassType(fields=fields):
                    info = next((f.type for f in fields if f.encode_name == step), None)
                case inspect.DictType(value_type=inside):
                    info = inside
                case inspect.ListType(item_type=inside) | inspect.VarTupleType(item_type=inside):
                    info = inside
                case _:
                    return None
        return info

    def _fields(self, path: Path) -> dict[str, inspect.Type]:
        info = _inner(self._type(path))
        return {f.encode_name: f.type for f in getattr(info, "fields", ())}

    def _unfit_key(self, path: Path) -> str:
        """The key of a mapping whose value is none of its type; msgspec does not tell."""
        inside = getattr(_inner(self._type(path)), "value_type", None)
        data = _value(self._data, path)
        return next((k for k, v in data.items() if not _fits(v, inside)), "…")


def _begin(place: str, sentence: str) -> str:
    return f"{place}: {sentence}" if place else sentence


@functools.cache
def _info(kind: Any) -> inspect.Type:
    return inspect.type_info(kind)


def _inner(info: Any) -> Any:
    """The type itself, without ``None`` beside it."""
    info = info.type if isinstance(info, inspect.Metadata) else info
    if isinstance(info, inspect.UnionType):
        kinds = [t for t in info.types if not isinstance(t, inspect.NoneType)]
        return _inner(kinds[0]) if len(kinds) == 1 else info
    return info


def _is_table(info: Any) -> bool:
    kinds = (inspect.StructType, inspect.DataclassType, inspect.DictType)
    return isinstance(_inner(info), kinds)


def _holds_tables(info: Any) -> bool:
    return _is_table(getattr(_inner(info), "item_type", None))


def _ends(info: Any) -> tuple[float, float]:
    low = -math.inf if info.ge is None else info.ge
    return low, math.inf if info.le is None else info.le


@functools.cache
def _ranges(kind: type) -> list[tuple[str, str, inspect.Type]]:
    kinds = (inspect.IntType, inspect.FloatType, inspect.LiteralType)
    fields = [f for f in _info(kind).fields if isinstance(_inner(f.type), kinds)]  # type: ignore[attr-defined]
    return [(f.name, f.encode_name, f.type) for f in fields]


def _example(info: Any) -> str:
    if isinstance(info, inspect.UnionType):
        info = next(t for t in info.types if not isinstance(t, inspect.NoneType))
    if isinstance(info, inspect.Metadata) and "example" in (info.extra or {}):
        return str((info.extra or {})["example"])
    inner = _inner(info)
    match inner:
        case inspect.IntType() | inspect.FloatType():
            low, high = _ends(inner)
            return f"{min(max(64 if isinstance(inner, inspect.IntType) else 0.7, low), high):g}"
        case inspect.BoolType():
            return "true"
        case inspect.VarTupleType() | inspect.ListType():
            return "[1, 2]"
        case inspect.StrType():
            return '"…"'
    return "0.5"


def _fits(value: Any, info: Any) -> bool:
    info = _inner(info)
    match info:
        case inspect.UnionType(types=types):
            return any(_fits(value, t) for t in types)
        case inspect.LiteralType(values=values):
            return value in values
        case inspect.BoolType():
            return isinstance(value, bool)
        case inspect.StrType():
            return isinstance(value, str)
        case inspect.IntType() | inspect.FloatType():
            low, high = _ends(info)
            kinds = int if isinstance(info, inspect.IntType) else int | float
            number = isinstance(value, kinds) and not isinstance(value, bool)
            return number and low <= value <= high
    return True


def _unfit(data: Any, path: Path = ()) -> Path | None:
    """Where a number stands that no float holds, or what neither TOML nor JSON share."""
    if isinstance(data, Mapping | list):
        if len(path) > DEEPEST:
            return path
        items = data.items() if isinstance(data, Mapping) else enumerate(data)
        found = (_unfit(value, (*path, key)) for key, value in items)
        return next((f for f in found if f is not None), None)
    if isinstance(data, int | float):
        return None if abs(data) <= sys.float_info.max else path
    return None if data is None or isinstance(data, str) else path


def _value(data: Any, path: Path) -> Any:
    for step in path:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return None
    return data

"""Data from outside, checked against types: msgspec finds the mistake, this words it.

Every mistake is one sentence with the place, the key, what was expected, what came and how to mend
it::

    live.toml: [[stage]] 2: stage_mix must be a number within 0..1, got 2.0; write for example …

Types are msgspec's: structs, with ranges as ``Annotated[float, Meta(ge=0, le=1)]`` and units as
``Meta(extra={"unit": "dB"})``; ``words`` and ``example`` there take the place of the usual ones.
A range is stated there and nowhere else: files, requests and values made by code (:func:`check`)
are all held against it.
"""

from __future__ import annotations

import functools
import json
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

import msgspec
from msgspec import inspect

from .errors import ConfigError, RestyleError, nearest

T = TypeVar("T")
Path = tuple[str | int, ...]

DEEPEST = 64  # tables within tables that are read at all
_AT = re.compile(r" - at `\$(.*)`$")  # msgspec's, where a struct's own check fails
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
_ANY = "a number, true, false or text"


def read(
    data: Any,
    kind: type[T],
    where: str = "",
    *,
    error: type[RestyleError] = ConfigError,
    words: Mapping[str, str] | None = None,
    table: str = "a table",
    known: bool = False,
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
    known : bool
        Whether unknown keys of the outermost table are mistakes, where its type lets them pass.

    Raises
    ------
    RestyleError
        The first mistake found.
    """
    voice = _Voice(words or {}, table, known)
    for path, sentence in voice.mistakes(data, _info(kind), ()):  # type: ignore[arg-type]
        raise error(_begin(where, _begin(voice.place(path), sentence)))
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as found:
        at = _AT.search(str(found))
        steps = _STEP.findall(at[1] if at else "")
        path = tuple(name or int(index) for name, index in steps)
        sentence = str(found.__cause__ or found)
        raise error(_begin(where, _begin(voice.place(path), sentence))) from None


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
            sentence = f"{called} must be {described(info)}, got {shown(given)}"
            raise ConfigError(sentence + _near(given, info))


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
            within = f" within {low:g}..{high:g}" if info.le is not None else ""
            whole = "whole " if isinstance(info, inspect.IntType) else ""
            return f"a {whole}number{within}{unit}"
        case inspect.BoolType():
            return "true or false"
        case inspect.StrType():
            return "text"
        case inspect.AnyType():
            return _ANY
        case inspect.VarTupleType(item_type=item):
            many = described(item, table).removeprefix("a ").replace("number", "numbers", 1)
            return f"a list of {many}"
        case inspect.DictType(value_type=inspect.FloatType()):
            return f"{table} of names and numbers"
    return table


# -- the wording of mistakes -----------------------------------------------------------------


class _Voice(NamedTuple):
    """What fields and tables are called in one kind of document; see :func:`read`."""

    words: Mapping[str, str]
    table: str
    known: bool = False

    def mistakes(self, data: Any, info: inspect.Type, path: Path) -> Iterator[tuple[Path, str]]:
        """What does not fit its type, each with the place it is in."""
        if len(path) > DEEPEST:
            yield (), f"nested too deeply, more than {DEEPEST} {self.table[2:]}s"
        inner = _inner(info)
        match inner:
            case inspect.StructType(fields=fields) | inspect.DataclassType(fields=fields) if (
                isinstance(data, Mapping)
            ):
                known = {f.encode_name: f for f in fields}
                forbidden = getattr(inner, "forbid_unknown_fields", False)
                for key in data if forbidden or (self.known and not path) else ():
                    if key not in known:
                        names = [self.word(k) for k in known]
                        listed = ", ".join(names) or "none"
                        near = nearest(key, names)
                        yield path, f"unknown key '{key[:80]}'{near}; there are {listed}"
                for key, field in known.items():
                    if key in data:
                        yield from self.mistakes(data[key], field.type, (*path, key))
                    elif field.required:
                        yield path, f"it needs {key}, {described(field.type, self.table)}"
            case inspect.DictType(value_type=item) if isinstance(data, Mapping):
                for key, value in data.items():
                    yield from self.mistakes(value, item, (*path, key))
            case inspect.AnyType() if isinstance(data, Mapping | list):
                for key, value in data.items() if isinstance(data, Mapping) else enumerate(data):
                    yield from self.mistakes(value, inner, (*path, key))
            case inspect.VarTupleType(item_type=item) if (
                _is_table(item) and isinstance(data, list) and all(map(_is_mapping, data))
            ):
                for i, value in enumerate(data):
                    yield from self.mistakes(value, item, (*path, i))
            case _ if not _fits(data, info):
                yield path[:-1], self.refusal(data, info, path)

    def refusal(self, value: Any, info: inspect.Type, path: Path) -> str:
        """That a value is none of its type."""
        if not path:
            return f"it must be {described(info, self.table)}, got {shown(value)}"
        key, toml = self.word(path[-1]), self.table == "a table"
        if _is_table(getattr(_inner(info), "item_type", None)) and toml:
            name = ".".join(self.word(p) for p in path if isinstance(p, str))
            return f"{key} must be tables in double brackets; write [[{name}]]"
        hint = _near(value, info)
        if toml and not hint and not _is_table(info):
            hint = f"; write for example {key} = {_example(info)}"
        key = f"[{key}]" if toml and _is_table(info) else key
        return f"{key} must be {described(info, self.table)}, got {shown(value)}{hint}"

    def word(self, name: str | int) -> str:
        """What a field is called."""
        return self.words.get(str(name)) or str(name)

    def place(self, path: Path) -> str:
        """``[[stage]] 2: [[stage.group]] 1``, or ``stages 2: group 1`` in JSON."""
        parts: list[str] = []
        names: list[str] = []
        for step, number in zip(path, (*path, None)[1:], strict=True):
            if isinstance(step, int) or self.words.get(step) == "":
                continue
            names.append(self.word(step))
            counted = f" {number + 1}" if isinstance(number, int) else ""
            if self.table != "a table":
                parts.append(names[-1] + counted)
            else:
                title = ".".join(names)
                parts.append(f"[[{title}]]{counted}" if counted else f"[{title}]")
        return ": ".join(parts)


def _begin(place: str, sentence: str) -> str:
    return f"{place}: {sentence}" if place else sentence


def _near(value: Any, info: Any) -> str:
    """The nearest of the words that a type takes, if it takes words only."""
    choices = getattr(_inner(info), "values", ())
    return nearest(value, choices) if isinstance(value, str) else ""


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


def _is_mapping(value: Any) -> bool:
    return isinstance(value, Mapping)


def _ends(info: Any) -> tuple[float, float]:
    """Of a number's range; the largest float where there is none: TOML's numbers have no end."""
    low = -sys.float_info.max if info.ge is None else info.ge
    return low, sys.float_info.max if info.le is None else info.le


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
        case inspect.VarTupleType():
            return "[1, 2]"
        case inspect.StrType():
            return '"…"'
        case inspect.LiteralType(values=values):
            return f'"{values[0]}"' if isinstance(values[0], str) else str(values[0])
    return "0.5"


def _fits(value: Any, info: Any) -> bool:
    info = info.type if isinstance(info, inspect.Metadata) else info
    match info:
        case inspect.UnionType(types=types):
            return any(_fits(value, t) for t in types)
        case inspect.NoneType():
            return value is None
        case inspect.LiteralType(values=values):
            return value in values
        case inspect.BoolType():
            return isinstance(value, bool)
        case inspect.StrType(min_length=least, max_length=most, pattern=pattern):
            fits = isinstance(value, str) and (least or 0) <= len(value) <= (most or sys.maxsize)
            return fits and (pattern is None or re.search(pattern, value) is not None)
        case inspect.IntType() | inspect.FloatType():
            low, high = _ends(info)
            kinds = int if isinstance(info, inspect.IntType) else int | float
            number = isinstance(value, kinds) and not isinstance(value, bool)
            return number and low <= value <= high
        case inspect.VarTupleType(item_type=item, min_length=least):
            whole = isinstance(value, list) and len(value) >= (least or 0)
            return whole and not _is_table(item) and all(_fits(v, item) for v in value)
        case inspect.AnyType():
            plain = value is None or isinstance(value, str | bool)
            return plain or _fits(value, inspect.FloatType())
    return False

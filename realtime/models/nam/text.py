"""The JSON of a ``.nam`` file, read as leniently as the C++ core reads it.

A byte-order mark in front and anything after the document are skipped, as the core's parser does.
Objects and lists nested deeper than :data:`MAX_DEPTH` are read as null: nothing a capture needs
lies so deep, and what walks through the data afterwards cannot run out of stack.
"""

from __future__ import annotations

import json
import re
from typing import Any

from ...errors import ModelError

MAX_DEPTH = 48
MAX_DIGITS = 4000  # Python reads no whole number with many more
MAX_BRACKETS = 10**6  # of a file nested too deep for the JSON module; others are not counted
_BLANK = " \t\n\r"


def parse_bytes(data: bytes) -> Any:
    """Parse the bytes of a file; see :func:`parse_text`."""
    try:
        return parse_text(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        if error.start == 0 or not data[: error.start].strip():
            raise ModelError("not a .nam capture: it is not text") from None
        try:  # what is not text may follow the document
            return parse_text(data[: error.start].decode("utf-8-sig"))
        except ModelError:
            raise ModelError(
                f"not a .nam capture: byte {error.start} is not UTF-8 text; get it again"
            ) from None


def parse_text(text: str) -> Any:
    """Parse one JSON document; what follows it is ignored.

    Raises
    ------
    ModelError
        The JSON is broken.
    """
    text = text.lstrip(_BLANK)
    decoder = json.JSONDecoder(parse_int=_number)
    try:
        try:
            value, _ = decoder.raw_decode(text)
        except RecursionError:
            value, _ = decoder.raw_decode(_flattened(text))
    except ValueError as error:
        raise ModelError(
            f"not a .nam capture: the JSON is broken ({error}); get it again"
        ) from None
    return pruned(value)


def _number(digits: str) -> int | float:
    """A whole number; one of thousands of digits is infinite, as in every float."""
    return int(digits) if len(digits) < MAX_DIGITS else float(digits)


def pruned(value: Any, depth: int = 0) -> Any:
    """`value` with null in place of all that lies deeper than :data:`MAX_DEPTH`."""
    if not isinstance(value, dict | list):
        return value
    if depth == MAX_DEPTH:
        return None
    if isinstance(value, dict):
        return {k: pruned(v, depth + 1) for k, v in value.items()}
    if not any(isinstance(v, dict | list) for v in value):  # a list of weights, as a rule
        return value
    return [pruned(v, depth + 1) for v in value]


def _flattened(text: str) -> str:
    """The document in `text` with null in place of what is nested too deep, without recursion."""
    pieces, depth, begin, in_string = [], 0, 0, False
    for count, token in enumerate(re.finditer(r'\\.|["\[\]{}]', text, re.DOTALL)):
        if count > MAX_BRACKETS:
            raise ModelError("not a .nam capture: the JSON is nested too deep")
        kind = token.group()
        if kind == '"':
            in_string = not in_string
        elif in_string or kind[0] == "\\":
            continue
        elif kind in "[{":
            depth += 1
            if depth == MAX_DEPTH + 1:
                pieces.append(text[begin : token.start()] + "null")
        else:
            if depth == MAX_DEPTH + 1:
                begin = token.end()
            depth -= 1
            if depth == 0:
                break
    return "".join(pieces) + (text[begin:] if depth <= MAX_DEPTH else "")

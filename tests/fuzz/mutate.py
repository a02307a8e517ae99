"""Structured mutators: whole documents with a few things in them changed, and bytes likewise."""

from __future__ import annotations

import copy
import struct
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

TEXTS = (
    "", "x", "tape", "../x", "/dev/zero", "~nosuchuser/x", "\x1b[2J", "[b]x[/b]", "\u202e", "\0",
    "a" * 5000, "nan", "1e999", "9" * 400, "1.*", "{}", "Reverb", "evil.vst3", "0.0.0.0",
)  # fmt: skip
NUMBERS = (
    0, 1, -1, 2, 0.5, -0.0, 1e-320, 1e308, -1e308, 127, 128, 2**15, 2**31 - 1, 2**31, 2**40,
    -(2**63), 2**64, 10**400, float("nan"), float("inf"),
)  # fmt: skip
PLAIN: SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(NUMBERS),
    st.integers(),
    st.floats(),
    st.sampled_from(TEXTS),
    st.text(max_size=12),
)


def _grown(inner: SearchStrategy[Any]) -> SearchStrategy[Any]:
    tables = st.dictionaries(st.text(max_size=6), inner, max_size=3)
    return st.lists(inner, max_size=3) | tables


TREES = st.recursive(PLAIN, _grown, max_leaves=6)


def _places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield (*at, key)
            yield from _places(value[key], (*at, key))


@st.composite
def trees(draw: DrawFn, *documents: Any) -> Any:
    """One of the documents with one to three things set, taken out, doubled or nested."""
    found = copy.deepcopy(draw(st.sampled_from(documents)))
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(found))
        if not places:
            return draw(TREES)
        *way, key = draw(st.sampled_from(places))
        inner = found
        for step in way:
            inner = inner[step]
        match draw(st.sampled_from(("set", "out", "double", "nest", "new"))):
            case "set":
                inner[key] = draw(TREES)
            case "out":
                del inner[key]
            case "double" if isinstance(inner, list):
                inner.extend([copy.deepcopy(inner[key])] * draw(st.sampled_from((1, 2, 40))))
            case "nest":
                for _ in range(draw(st.sampled_from((1, 3, 200)))):
                    inner[key] = [inner[key]]
            case "new" if isinstance(inner, dict):
                inner[draw(st.text(max_size=8))] = draw(TREES)
    return found


def grown(*parts: tuple[str, str, str]) -> SearchStrategy[bytes]:
    """One of the patterns (beginning, what is repeated, end), up to 200,000 times."""
    times = st.sampled_from((1, 2, 40, 200, 3000, 20_000, 200_000)) | st.integers(0, 9999)
    return st.tuples(st.sampled_from(parts), times).map(
        lambda found: (found[0][0] + found[0][1] * found[1] + found[0][2]).encode()
    )


@st.composite
def blobs(draw: DrawFn, *files: bytes) -> bytes:
    """One of the files with bytes changed, cut off, doubled, taken out or put in."""
    data = bytearray(draw(st.sampled_from(files)))
    for _ in range(draw(st.integers(1, 4))):
        # heads are where sizes and kinds are: half of the places lie in the first bytes
        at = draw(st.integers(0, min(len(data), 96)) | st.integers(0, len(data)))
        match draw(st.sampled_from(("byte", "number", "cut", "out", "double", "in"))):
            case "byte":
                data[at : at + 1] = bytes([draw(st.integers(0, 255))])
            case "number":
                form = draw(st.sampled_from(("<I", ">I", "<Q", ">Q", "<H")))
                most = 256 ** struct.calcsize(form) - 1
                value = draw(st.sampled_from((0, 1, most, most // 2, most // 2 + 1, 4096)))
                data[at : at + struct.calcsize(form)] = struct.pack(form, value)
            case "cut":
                del data[at:]
            case "out":
                del data[at : at + draw(st.integers(1, 64))]
            case "double":
                data[at:at] = data[at : at + draw(st.integers(1, 4096))]
            case "in":
                data[at:at] = draw(st.binary(max_size=16))
    return bytes(data)

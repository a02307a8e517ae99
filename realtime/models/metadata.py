"""Read and write ``metadata_props`` of an ``.onnx`` file without a protobuf library.

An ONNX file is one protobuf message (ModelProto, https://onnx.ai/onnx/repo-docs/IR.html) whose
field 14 repeats key/value pairs, and whose field 7 is the graph.  Protobuf messages concatenate, so
appending fields is a valid way of adding entries; listing models needs neither onnx nor an
inference session.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..errors import ModelError

_METADATA_FIELD = 14
_GRAPH_FIELD = 7
_MOST_FIELDS = 100_000  # of a file, at its top


#: the way on, for files that are no models of restyle's
OTHER = "; models of other makes are brought in by: restyle import FILE"


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 70:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
        shift += 7
    raise ModelError("the file ends in the middle of a number: it is truncated or not ONNX")


def _fields(data: memoryview) -> Iterator[tuple[int, int, memoryview]]:
    """Yield (field number, wire type, payload) of one message."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        wire = tag & 7
        start = at
        if wire == 0:
            _, at = _varint(data, at)
        elif wire == 2:
            size, start = _varint(data, at)
            at = start + size
        elif wire in (1, 5):
            at += 8 if wire == 1 else 4
        else:
            raise ModelError(f"the file is not an ONNX model (unknown wire type){OTHER}")
        if at > len(data):
            raise ModelError(f"the file ends early: it is truncated or not ONNX{OTHER}")
        yield tag >> 3, wire, data[start:at]


def read_metadata(model: bytes) -> dict[str, str]:
    """Return all metadata entries of a serialised ONNX model.

    Raises
    ------
    ModelError
        When the bytes are truncated or no ONNX model.
    """
    found: dict[str, str] = {}
    graph_seen = False
    for number, wire, payload in _fields(memoryview(model)):
        graph_seen |= number == _GRAPH_FIELD
        if number == _METADATA_FIELD and wire == 2:
            entry = {n: bytes(p) for n, w, p in _fields(payload) if w == 2}
            try:
                found[entry.get(1, b"").decode()] = entry.get(2, b"").decode()
            except UnicodeDecodeError:
                raise ModelError("a metadata entry is not text: the file is damaged") from None
    if not graph_seen:
        raise ModelError("the file holds no graph: it is empty, truncated or not ONNX")
    return found


class Node(NamedTuple):
    """One operation of a graph."""

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, tuple[float, ...]]  # numbers alone
    texts: dict[str, str]
    tensors: dict[str, npt.NDArray[Any]]
    graphs: dict[str, Graph]

    @property
    def output(self) -> str:
        """The first output."""
        return self.outputs[0]

    def input(self, place: int) -> str:
        """The name of an input; none where it is left out."""
        return (*self.inputs, *[""] * (place + 1))[place]

    def numbers(self, name: str) -> tuple[int, ...]:
        """An attribute's whole numbers; none where it is not there."""
        return tuple(int(n) for n in self.attributes.get(name, ()))

    def number(self, name: str, usual: int = 0) -> int:
        """An attribute of one whole number."""
        return (*self.numbers(name), usual)[0]

    def real(self, name: str, usual: float) -> float:
        """An attribute of one number."""
        return (*self.attributes.get(name, ()), usual)[0]


class Tensor(NamedTuple):
    """Name and shape of a graph input or output; -1 stands for a dynamic axis."""

    name: str
    shape: tuple[int, ...]
    kind: int = 1  # of TensorProto; 1: float32


class Graph(NamedTuple):
    """What a graph computes: its operations in their order, its constants by name, its ends."""

    nodes: list[Node]
    weights: dict[str, npt.NDArray[Any]]
    inputs: list[Tensor]
    outputs: list[Tensor]
    opset: int


def read_graph(model: bytes) -> Graph:
    """Read a graph's operations and its constants.

    Raises
    ------
    ModelError, ValueError, RecursionError
        The file is damaged, or holds constants of another kind.
    """
    graph = Graph([], {}, [], [], _opset(model))
    for payload in _parts(memoryview(model), _GRAPH_FIELD):
        _read_into(graph, payload)
    return graph


def _read_into(graph: Graph, payload: memoryview) -> None:
    for part, kind, data in _fields(payload):
        if kind != 2:
            continue
        if part == 1:
            graph.nodes.append(_node(data, graph.opset))
        elif part == 5:
            name, array = _tensor(data)
            graph.weights[name] = array
        elif part in (11, 12):
            (graph.inputs if part == 11 else graph.outputs).append(_end(data))


def _opset(model: bytes) -> int:
    """The version of ONNX's own operations."""
    found = 0
    for entry in _parts(memoryview(model), 8):
        fields = list(_fields(entry))
        domain = b"".join(bytes(p) for n, w, p in fields if n == 1 and w == 2)
        if domain in (b"", b"ai.onnx"):
            found = next((_whole(p)[0] for n, w, p in fields if n == 2 and w == 0), 0)
    return found


def _parts(data: memoryview, *wanted: int) -> list[memoryview]:
    """Messages in a message, of the first of these fields, in each of the next, and so on."""
    found = [data]
    for want in wanted:
        found = [p for d in found for n, w, p in _fields(d) if n == want and w == 2]
    return found


def _end(data: memoryview) -> Tensor:
    name = b"".join(bytes(p) for p in _parts(data, 1)).decode()
    shape, kind = [], 0
    for tensor in _parts(data, 2, 1):
        kind = next((_whole(p)[0] for n, w, p in _fields(tensor) if n == 1 and w == 0), 0)
        for size in _parts(tensor, 2, 1):
            known = [_whole(p)[0] for n, w, p in _fields(size) if n == 1 and w == 0]
            shape.append(known[0] if known else -1)
    return Tensor(name, tuple(shape), kind)


def _node(data: memoryview, opset: int) -> Node:
    texts: dict[int, list[str]] = {}
    node = Node("", (), (), {}, {}, {}, {})
    for number, wire, payload in _fields(data):
        if wire == 2 and number in (1, 2, 4, 7):
            texts.setdefault(number, []).append(bytes(payload).decode())
        elif wire == 2 and number == 5:
            _attribute(node, payload, opset)
    if "".join(texts.get(7, [])) not in ("", "ai.onnx"):
        raise ValueError("an operation of another domain")
    inputs, outputs = (tuple(texts.get(n, [])) for n in (1, 2))
    return node._replace(kind=texts[4][0], inputs=inputs, outputs=outputs)


def _attribute(node: Node, data: memoryview, opset: int) -> None:
    """Put an attribute where it belongs."""
    name, found = b"".join(bytes(p) for p in _parts(data, 1)).decode(), list[float]()
    for part, wire, value in _fields(data):
        if part in (3, 8):  # i, ints
            found += _whole(value)
        elif part in (2, 7):  # f, floats
            found += np.frombuffer(value, dtype="<f4").tolist()
        elif part == 4 and wire == 2:  # s
            node.texts[name] = bytes(value).decode(errors="replace")
        elif part == 9 and wire == 2:  # strings, joined by commas
            more = bytes(value).decode(errors="replace")
            node.texts[name] = f"{node.texts[name]},{more}" if name in node.texts else more
        elif part == 5 and wire == 2:  # t
            node.tensors[name] = _tensor(value)[1]
        elif part == 6 and wire == 2:  # g
            node.graphs[name] = Graph([], {}, [], [], opset)
            _read_into(node.graphs[name], value)
    node.attributes[name] = tuple(found)


def _whole(data: memoryview) -> list[int]:
    """Signed numbers of 64 bits, one after the other."""
    found, at = [], 0
    while at < len(data):
        value, at = _varint(data, at)
        found.append(value - (1 << 64) if value >= 1 << 63 else value)
    return found


# of TensorProto, those that networks need
_TYPES = {1: "<f4", 2: "u1", 3: "i1", 5: "<i2", 6: "<i4", 7: "<i8", 9: "?", 10: "<f2"}


def _tensor(data: memoryview) -> tuple[str, npt.NDArray[Any]]:
    shape, kind, name, raw = list[int](), 0, "", None
    single: list[Any] = []
    for number, wire, payload in _fields(data):
        if number == 1:
            shape += _whole(payload)
        elif number == 2:
            kind = _whole(payload)[0]
        elif number == 4:  # float_data
            single += np.frombuffer(payload, dtype="<f4").tolist()
        elif number in (5, 7):  # int32_data, int64_data
            single += _whole(payload)
        elif number == 8:
            name = bytes(payload).decode()
        elif number == 9 and wire == 2:
            raw = bytes(payload)
        elif number in (13, 14):
            raise ValueError(f"the constant {name} lies in another file")
    if kind not in _TYPES:
        raise ValueError(f"the constant {name} is of another kind")
    if raw is None and kind == 10:  # bits
        return name, np.array(single, dtype="<u2").view("<f2").reshape(shape)
    if raw is None:
        return name, np.array(single, dtype=_TYPES[kind]).reshape(shape)
    return name, np.frombuffer(raw, dtype=_TYPES[kind]).reshape(shape)


def read_entry_of(path: Path, key: str, largest: int) -> str | None:
    """One metadata entry of a file, read without the graph; None where there is none.

    Parameters
    ----------
    largest : int [bytes]
        Of the entry.

    Raises
    ------
    ModelError
        The file is truncated or no ONNX model, or the entry is too large.
    OSError
    """
    size, found, graph_seen = path.stat().st_size, None, False
    with path.open("rb") as file:
        at = 0
        for _ in range(_MOST_FIELDS):
            if at >= size:
                break
            file.seek(at)
            head = memoryview(file.read(24))
            tag, start = _varint(head, 0)
            number, wire = tag >> 3, tag & 7
            length = {1: 8, 5: 4}.get(wire, 0)
            if wire == 0:
                _, start = _varint(head, start)
            elif wire == 2:
                length, start = _varint(head, start)
            elif wire not in (1, 5):
                raise ModelError(f"the file is not an ONNX model (unknown wire type){OTHER}")
            if at + start + length > size:
                raise ModelError(f"the file ends early: it is truncated or not ONNX{OTHER}")
            graph_seen |= number == _GRAPH_FIELD and wire == 2
            if number == _METADATA_FIELD and wire == 2:
                file.seek(at + start)
                payload = memoryview(file.read(min(length, largest + len(key) + 32)))
                if bytes(payload[:256]).find(key.encode()) >= 0:
                    if length > largest + len(key) + 20:
                        raise ModelError(f"its {key} has more than {largest >> 10} KiB")
                    entry = {n: bytes(p) for n, w, p in _fields(payload) if w == 2}
                    if entry.get(1) == key.encode():
                        found = entry.get(2, b"")
            at += start + length
        else:
            raise ModelError(f"the file has more than {_MOST_FIELDS} parts: it is no ONNX model")
    if not graph_seen:
        raise ModelError("the file holds no graph: it is empty, truncated or not ONNX")
    try:
        return None if found is None else found.decode()
    except UnicodeDecodeError:
        raise ModelError("a metadata entry is not text: the file is damaged") from None


def _field_bytes(number: int, payload: bytes) -> bytes:
    def varint(value: int) -> bytes:
        out = bytearray()
        while value >= 0x80:
            out.append(value & 0x7F | 0x80)
            value >>= 7
        out.append(value)
        return bytes(out)

    return varint(number << 3 | 2) + varint(len(payload)) + payload


def write_metadata(model: bytes, entries: Mapping[str, str]) -> bytes:
    """Return `model` with `entries` added; an existing key is replaced, other keys stay."""
    kept = bytearray()
    for number, wire, payload in _fields(memoryview(model)):
        if number == _METADATA_FIELD:
            key = next((bytes(p).decode() for n, w, p in _fields(payload) if n == 1), "")
            if key in entries:
                continue
        if wire == 2:
            kept += _field_bytes(number, bytes(payload))
        else:
            tag = _field_bytes(number, b"")[:-1]  # same tag bytes but for the wire type
            kept += bytes([tag[0] & ~7 | wire]) + tag[1:] + bytes(payload)
    for key, value in entries.items():
        body = _field_bytes(1, key.encode()) + _field_bytes(2, value.encode())
        kept += _field_bytes(_METADATA_FIELD, body)
    return bytes(kept)


def pack_array(array: npt.NDArray[np.float32]) -> str:
    """Encode a float32 array as text: base64 of zlib of its little-endian bytes."""
    raw = np.ascontiguousarray(array, dtype="<f4").tobytes()
    return base64.b64encode(zlib.compress(raw, 9)).decode("ascii")


def unpack_array(text: str, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """Decode :func:`pack_array` into an array of `shape`.

    Raises
    ------
    ModelError
        When the text is damaged or holds another number of values.
    """
    size = int(np.prod(shape, dtype=np.int64))
    try:
        inflater = zlib.decompressobj()
        raw = inflater.decompress(base64.b64decode(text, validate=True), 4 * size + 1)
    except (binascii.Error, zlib.error) as error:
        raise ModelError(f"an array inside the model file is damaged: {error}") from None
    if len(raw) != 4 * size:
        raise ModelError(f"an array inside the model file has the wrong size, expected {shape}")
    return np.frombuffer(raw, dtype="<f4").astype(np.float32).reshape(shape)

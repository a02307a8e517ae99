"""What a file is, told by its content; of what cannot be imported, the way on."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path
from typing import NamedTuple

from ...errors import ModelError, RestyleError
from ..card import CARD_KEY
from ..metadata import read_metadata
from ..nam.file import MAX_BYTES
from ..nam.limits import plain_text
from ..nam.text import parse_bytes
from .files import is_network

CAPTURE, NETWORK, GRAPH, MODEL, SCRIPT = "capture", "network", "graph", "model", "script"
LARGEST_GRAPH = 1 << 30  # bytes
GUIDE = "see docs/import.md"


class DamagedJson(ModelError):
    """It begins as JSON does, and is none."""


class _Sign(NamedTuple):
    """How a kind that cannot be imported begins, what it is called, and the way on."""

    at: int
    begin: bytes
    called: str
    way: str


_PACK = f"load it in Python and pack it: {GUIDE}, 'Your own network'"
_SIGNS = (
    _Sign(0, b"\x80\x02", "a torch checkpoint: weights without their network", _PACK),
    _Sign(0, b"GGUF", "a GGUF language model", "it makes no sound in real time"),
    _Sign(0, b"\x89HDF\r\n", "a Keras or HDF5 file",
          "convert it with RTNeural's python/model_utils.py to JSON, or with tf2onnx to ONNX"),
    _Sign(4, b"TFL3", "a TensorFlow Lite model",
          f"convert it with tf2onnx to ONNX and give it a card: {GUIDE}"),
    _Sign(8, b'{"', "a safetensors file: weights without their network", _PACK),
    _Sign(0, b"RIFF", "a sound",
          "an impulse response is played by the effect Convolution: docs/effects.md"),
    _Sign(0, b"fLaC", "a sound",
          "an impulse response is played by the effect Convolution: docs/effects.md"),
    _Sign(0, b"ID3", "an MP3", "an impulse response is a WAV or FLAC file: docs/effects.md"),
    _Sign(0, b"\xff\xfb", "an MP3", "an impulse response is a WAV or FLAC file: docs/effects.md"),
    _Sign(0, b"7z\xbc\xaf", "a 7z archive", "unpack it and import the folder"),
    _Sign(0, b"Rar!", "a RAR archive", "unpack it and import the folder"),
    _Sign(0, b"\x1f\x8b", "a gzip archive", "unpack it and import what is in it"),
)  # fmt: skip


def recognise(path: Path) -> str:
    """Tell a file's kind: one of the constants of this module.

    Raises
    ------
    ModelError
        It can be none of them; says what it is and what to do.
    """
    name = plain_text(path.name)
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise ModelError(f"{name} is a folder that holds nothing to import")
        if not stat.S_ISREG(found.st_mode):
            raise ModelError(f"{name} is not a file")
        with path.open("rb") as file:
            head = file.read(512)
            small = found.st_size <= MAX_BYTES
            looks_json = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")
            data = head + file.read() if small and looks_json else head
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}") from None
    if not head:
        raise ModelError(f"{name} is empty; get it again")
    if looks_json and small:
        return _json(name, data)
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        what = _archive(path)
        if what == SCRIPT:
            return SCRIPT
        raise ModelError(f"{name} is {what}")
    for sign in _SIGNS:
        if head[sign.at : sign.at + len(sign.begin)] == sign.begin:
            raise ModelError(f"{name} is {sign.called}; {sign.way}")
    return _graph(path, name, found.st_size)


def _json(name: str, data: bytes) -> str:
    try:
        parsed = parse_bytes(data)
    except ModelError as error:
        raise DamagedJson(f"{name}: {error}") from None
    if is_network(parsed):
        return NETWORK
    if isinstance(parsed, dict) and ("architecture" in parsed or "config" in parsed):
        return CAPTURE
    if not parsed:
        raise ModelError(f"{name} is JSON that holds nothing; get it again")
    keys = "a list at its top, no object"
    if isinstance(parsed, dict):
        keys = ", ".join(sorted(plain_text(k)[:20] for k in parsed)[:6])
    raise ModelError(
        f"{name} is JSON with {keys}: neither a Neural Amp Modeler capture ('architecture',"
        " 'config') nor a network of RTNeural or AIDA-X ('in_shape', 'layers') or GuitarML"
        " ('state_dict')"
    )


def _archive(path: Path) -> str:
    """:data:`SCRIPT`, or what a zip archive is, and the way on."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()[:4096]
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile):
        return "a damaged zip archive; get it again"
    tails = {n.rpartition("/")[2] for n in names}
    if "data.pkl" in tails:
        if any("/code/" in f"/{n}" for n in names):
            return SCRIPT
        return f"a torch checkpoint: weights without their network; {_PACK}"
    if "config.json" in tails and any(t.endswith(".h5") for t in tails):
        return "a Keras model; convert it with RTNeural's python/model_utils.py to JSON"
    return "a zip archive; unpack it and import the folder"


def _graph(path: Path, name: str, size: int) -> str:
    if size > LARGEST_GRAPH:
        raise ModelError(f"{name} has {size >> 20} MiB; a model has at most {LARGEST_GRAPH >> 20}")
    try:
        metadata = read_metadata(path.read_bytes())
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}") from None
    except RestyleError:
        if path.name == "saved_model.pb":
            raise ModelError(
                f"{name} is a TensorFlow SavedModel; convert it with tf2onnx to ONNX and give it"
                f" a card: {GUIDE}"
            ) from None
        raise ModelError(
            f"{name} is of no kind known here; what can be imported: .nam, .aidax, JSON of RTNeural"
            " and GuitarML, TorchScript, ONNX with a card"
        ) from None
    return MODEL if CARD_KEY in metadata else GRAPH

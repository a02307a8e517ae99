"""Open any model file the fastest way it can run.

Captures (``.nam`` files, and ``.onnx`` files imported from them) run in a kernel of their own; all
other models through ONNX Runtime.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from ..errors import CardError, ModelError, RestyleError, named
from ..trust.admission import CAPTURE, MODEL, admit, read_file
from .card import CARD_KEY, from_json
from .generator import Generator
from .metadata import read_metadata
from .nam.build import Variant, variants
from .nam.convert import CAPTURE_KEY, HOP, make_card, make_player, unpack_capture
from .nam.file import read_capture
from .steppable import Steppable
from .streaming import StreamingModel

SMALLEST_HOP, LARGEST_HOP = 8, 2048


class ModelShape(NamedTuple):
    """What a path has to know of a model before it is opened.

    Attributes
    ----------
    name : str
    sample_rate : int [Hz]
    hop : int or None [samples]
        What one step advances by; None for a capture, which steps by any length.
    """

    name: str
    sample_rate: int
    hop: int | None


def capture_hop() -> int:
    """What a capture steps by where nothing else decides [samples]."""
    return HOP


def read_shape(path: Path) -> ModelShape:
    """Read a model's name, rate and hop; remembered as long as the file stays as it is.

    Raises
    ------
    ModelError, CardError
    """
    try:
        stamp = os.stat(path)
    except OSError as error:
        raise ModelError(f"cannot read model {path}: {error.strerror}") from None
    return _read_shape(path, stamp.st_mtime_ns, stamp.st_size)


@lru_cache(maxsize=64)
def _read_shape(path: Path, changed: int, size: int) -> ModelShape:
    if path.suffix.lower() == ".nam":
        admit_model(path)
        card = make_card(variants(read_capture(path))[0].capture, path.stem)
        return ModelShape(path.stem, card.sample_rate, None)
    try:
        data = read_file(path)
        admit(MODEL, path, ModelError, data)
        metadata = read_metadata(data)
        if CARD_KEY not in metadata:
            raise CardError("the file carries no restyle card; see docs/model-format.md")
        card = from_json(metadata[CARD_KEY])
    except RestyleError as error:
        raise named(error, path) from None
    hop = None if CAPTURE_KEY in metadata else card.hop_length
    return ModelShape(card.name, card.sample_rate, hop)


def admit_model(path: Path) -> None:
    """Return if a model file may be opened in this process; see :mod:`realtime.trust.admission`.

    Raises
    ------
    ModelError, CardError
    """
    admit(CAPTURE if path.suffix.lower() == ".nam" else MODEL, path, ModelError)


def open_model(source: str | Path, channels: int = 1, block_size: int | None = None) -> Steppable:
    """Open a model file; one that is not known yet is opened in a helper process first.

    Parameters
    ----------
    source : path
        ``.onnx`` or ``.nam``.
    channels : int
    block_size : int or None [samples]
        What the device brings.  A capture steps by exactly that, so that no sample waits for a
        full hop; its stream is the same bits whatever it steps by.

    Raises
    ------
    ModelError, CardError
        With the file's name and one sentence.
    """
    path = Path(source)
    fits = block_size is not None and SMALLEST_HOP <= block_size <= LARGEST_HOP
    hop = block_size if fits else None
    if path.suffix.lower() == ".nam":
        admit_model(path)
        try:
            return make_player(variants(read_capture(path))[0], path.stem, channels, hop)
        except RestyleError as error:
            raise ModelError(str(named(error, path))) from None
    data = read_file(path)
    try:
        admit(MODEL, path, ModelError, data)
        metadata = read_metadata(data)
        if CAPTURE_KEY in metadata and CARD_KEY in metadata:
            card = from_json(metadata[CARD_KEY])
            capture = unpack_capture(metadata[CAPTURE_KEY])
            return make_player(Variant("", capture), card.name, channels, hop)
    except RestyleError as error:
        raise named(error, path) from None
    model = StreamingModel(data, channels, path.name, ("converter", "generator"))
    return Generator(model) if model.card.kind == "generator" else model

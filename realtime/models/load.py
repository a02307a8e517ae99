"""Open any model file the fastest way it can run.

Captures (``.nam`` files, and ``.onnx`` files imported from them) and small causal networks run in a
kernel of their own; all other models through ONNX Runtime.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import CardError, ModelError, RestyleError, named
from ..trust.admission import CAPTURE, MODEL, admit, read_file
from .card import CARD_KEY, PLAYING, TEST_KEY, Card, from_json
from .catalog import read_entry
from .generator import Generator
from .metadata import read_metadata
from .nam.build import Variant, variants
from .nam.convert import (
    CAPTURE_KEY,
    HOP,
    as_played,
    make_card,
    open_capture,
    unpack_capture,
)
from .nam.file import read_capture
from .steppable import Steppable
from .streaming import StreamingModel

SMALLEST_HOP, LARGEST_HOP = 8, 2048
LOWEST_DBU, HIGHEST_DBU = -40.0, 40.0  # of what full scale stands for


class ModelShape(NamedTuple):
    """What a path has to know of a model before it is opened.

    Attributes
    ----------
    name : str
    sample_rate : int [Hz]
    hop : int or None [samples]
        What one step advances by; None for a capture, which steps by any length.
    input_dbu, output_dbu : float or None [dBu]
        What full scale stood for when it was captured, where its file says.
    """

    name: str
    sample_rate: int
    hop: int | None
    input_dbu: float | None = None
    output_dbu: float | None = None


def is_level(value: Any) -> bool:
    """Whether it is a level in dBu that an interface or a capture can have."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and LOWEST_DBU <= value <= HIGHEST_DBU


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
        return ModelShape(path.stem, card.sample_rate, None, *_levels(card))
    try:
        data = read_file(path)
        admit(MODEL, path, ModelError, data)
        metadata = read_metadata(data)
        if CARD_KEY not in metadata:
            raise CardError("the file carries no restyle card; give it one: restyle import FILE")
        card = from_json(metadata[CARD_KEY])
    except RestyleError as error:
        raise named(error, path) from None
    if CAPTURE_KEY in metadata:
        return ModelShape(card.name, card.sample_rate, None, *_levels(card))
    return ModelShape(card.name, card.sample_rate, card.hop_length)


def _levels(card: Card) -> tuple[float | None, float | None]:
    """What full scale stood for at a capture's input and output [dBu], where it says."""
    stated = (card.provenance.get(f"{side}_level_dbu") for side in ("input", "output"))
    first, second = (v if is_level(v) else None for v in stated)
    return first, second


def admit_model(path: Path) -> None:
    """Return if a model file may be opened in this process; see :mod:`realtime.trust.admission`.

    Raises
    ------
    ModelError
    """
    admit(CAPTURE if path.suffix.lower() == ".nam" else MODEL, path, ModelError)


def read_card(path: Path) -> Card:
    """A model's card with all that the player adds to it; nothing is opened.

    Raises
    ------
    ModelError, CardError
    """
    if path.suffix.lower() == ".nam":
        return as_played(make_card(variants(read_capture(path))[0].capture, path.stem))
    entry = read_entry(path)
    if entry.card is None:
        raise ModelError(f"{path.name} {entry.problem}")
    card = entry.card.as_played()
    return as_played(card) if read_shape(path).hop is None else card


def open_model(
    source: str | Path,
    channels: int = 1,
    block_size: int | None = None,
    oversampling: float = 1.0,
    input_gain_db: float = 0.0,
) -> Steppable:
    """Open a model file; one that is not known yet is opened in a helper process first.

    Parameters
    ----------
    source : path
        ``.onnx`` or ``.nam``.
    channels : int
    block_size : int or None [samples]
        What the device brings.  A capture steps by exactly that, so that no sample waits for a
        full hop; its stream is the same bits whatever it steps by.
    oversampling, input_gain_db
        Of a capture, see :func:`realtime.models.nam.convert.open_capture`.

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
            variant = variants(read_capture(path))[0]
            return open_capture(variant, path.stem, channels, hop, oversampling, input_gain_db)
        except RestyleError as error:
            raise ModelError(str(named(error, path))) from None
    data = read_file(path)
    try:
        admit(MODEL, path, ModelError, data)
        metadata = read_metadata(data)
        if CAPTURE_KEY in metadata and CARD_KEY in metadata:
            card = from_json(metadata[CARD_KEY])
            capture = unpack_capture(metadata[CAPTURE_KEY])
            variant = Variant("", capture)
            return open_capture(variant, card.name, channels, hop, oversampling, input_gain_db)
        if (stack := _in_kernel(data, metadata, channels)) is not None:
            return stack
    except RestyleError as error:
        raise named(error, path) from None
    model = StreamingModel(data, channels, path.name, PLAYING)
    return Generator(model) if model.card.kind == "generator" else model


def _in_kernel(data: bytes, metadata: Mapping[str, str], channels: int) -> Steppable | None:
    """A network that the kernel of captures plays as its graph does; None: ONNX Runtime's."""
    if CARD_KEY not in metadata or TEST_KEY not in metadata:
        return None
    from .stack import open_stack  # its kernels ask Numba for the processor

    return open_stack(data, from_json(metadata[CARD_KEY]), metadata, channels)


def plays_in_kernel(path: Path) -> bool:
    """Whether a model file that opens is played by the kernel of captures, not by its graph."""
    model = open_model(path)
    model.close()
    return not isinstance(model, StreamingModel | Generator)

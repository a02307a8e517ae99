"""Open any model file the fastest way it can run.

Captures (``.nam`` files, and ``.onnx`` files imported from them) run in a kernel of their own; all
other models through ONNX Runtime.
"""

from __future__ import annotations

from pathlib import Path

from ..errors import ModelError, RestyleError
from .card import CARD_KEY, from_json
from .generator import Generator
from .metadata import read_metadata
from .nam.build import Variant, variants
from .nam.convert import CAPTURE_KEY, make_player, unpack_capture
from .nam.file import read_capture
from .steppable import Steppable
from .streaming import StreamingModel

SMALLEST_HOP, LARGEST_HOP = 8, 2048


def open_model(source: str | Path, channels: int = 1, block_size: int | None = None) -> Steppable:
    """Open a model file.

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
        try:
            return make_player(variants(read_capture(path))[0], path.stem, channels, hop)
        except RestyleError as error:
            text = str(error)
            raise ModelError(text if path.name in text else f"{path.name}: {text}") from None
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"cannot read model {path}: {error.strerror}") from None
    try:
        metadata = read_metadata(data)
        if CAPTURE_KEY in metadata and CARD_KEY in metadata:
            card = from_json(metadata[CARD_KEY])
            capture = unpack_capture(metadata[CAPTURE_KEY])
            return make_player(Variant("", capture), card.name, channels, hop)
    except RestyleError as error:
        raise type(error)(f"{path.name}: {error}") from None
    model = StreamingModel(data, channels, path.name, ("converter", "generator"))
    return Generator(model) if model.card.kind == "generator" else model

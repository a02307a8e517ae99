"""Give a streaming graph its card, the state it begins in, and its test vector."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from ...errors import ModelError
from ..card import CARD_KEY, KINDS, STATE_KEY, TEST_KEY, Card
from ..metadata import pack_array, write_metadata
from ..streaming import StreamingModel

Array = npt.NDArray[np.float32]
STEPS = 16  # of a test vector
LEVEL = 0.3  # of its noise, at most


def bursts(card: Card, steps: int = STEPS, seed: int = 0) -> Array:
    """Noise whose level changes from step to step ``[steps, *card.step_shape(1)]``."""
    rng = np.random.default_rng(seed)
    shape = card.step_shape(1)
    if card.kind == "generator":
        return rng.uniform(-1, 1, (steps, *shape)).astype(np.float32)
    level = rng.uniform(0.02, LEVEL if card.spectrum is None else 8.0, steps)
    noise = rng.standard_normal((steps, *shape)) * level.reshape(-1, *[1] * len(shape))
    return np.asarray(noise, dtype=np.float32)


def draft(graph: bytes, card: Card, initial: Mapping[str, Array] | None = None) -> bytes:
    """A graph with its card, without test vector: what may be looked at, but not played yet."""
    entries = {CARD_KEY: card.to_json()}
    entries |= {STATE_KEY + name: pack_array(value) for name, value in (initial or {}).items()}
    return write_metadata(graph, entries)


def settle(model: StreamingModel, seconds: float) -> dict[str, Array]:
    """State of one channel after so much silence, by the card's names."""
    silence = np.zeros(model.card.step_shape(1), dtype=np.float32)
    model.reset()
    for _ in range(int(seconds * model.card.sample_rate / model.card.hop_length)):
        model.step(silence)
    return {name.removeprefix("state_"): value[0].copy() for name, value in model.states().items()}


def seal(
    graph: bytes,
    card: Card,
    initial: Mapping[str, Array] | None = None,
    settling: float = 0.0,
) -> bytes:
    """Finish a model file.

    Parameters
    ----------
    graph : bytes
        As docs/model-format.md has it, without metadata; looked at by the helper, if it is of
        somebody else.
    initial : mapping of a state's name to ndarray [shape=state.shape]
        Zeros where none is given.
    settling : float [s]
        Silence that it hears before it begins, so that no sound starts with a thump.

    Raises
    ------
    ModelError, CardError
        The graph does not fit the card, does not run, or gives what is no number.
    """
    file = draft(graph, card, initial)
    if settling:
        model = StreamingModel(file, 1, card.name, KINDS, proved=False)
        try:
            file = draft(graph, card, settle(model, settling))
        finally:
            model.close()
    model = StreamingModel(file, 1, card.name, KINDS, proved=False)
    try:
        x = bursts(card)
        y = np.stack([model.step(step) for step in x])
    finally:
        model.close()
    if not np.isfinite(y).all():
        raise ModelError("it gives values that are not finite")
    vector = {"steps": STEPS, "x": pack_array(x), "y": pack_array(y)}
    return write_metadata(file, {TEST_KEY: json.dumps(vector)})

"""What the helper's child makes of a TorchScript file, read as what a stranger wrote."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from ...errors import ModelError
from ...schema import read
from ..card import HIGHEST_RATE, LOWEST_RATE, MOST_HELD
from ..nam.convert import model_name
from ..nam.limits import plain_text
from ..streaming import StreamingModel, relative_error
from .description import Description, Graph, Knob

Array = npt.NDArray[np.float32]
FACTS, ARRAYS, GRAPH = "facts.json", "arrays.npz", "graph.onnx"
SETTLING = 0.5  # [s] of silence before what is called its beginning
STEPS = 48  # hops of the proof
TOLERANCE = 1e-4  # relative to the peak, between torch's sums and ONNX Runtime's
LARGEST = 1 << 30  # bytes of each file


class Facts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a script says of itself, and what was measured on it.

    Attributes
    ----------
    make : str
        RAVE, nn~, Neutone or TorchScript.
    sample_rate : int [Hz]
        0 where it does not say.
    hop_length : int [samples]
    input, output : str
        Of the graph.
    states : tuple of str
        Inputs; each has an output with ``_out`` behind.
    knobs : tuple of Knob
    latency : int [samples]
        Of the script, by an impulse.
    words : dict of str to str
        ``name``, ``author``, ``summary`` where it says so.
    stated_delay : int or None [samples]
        What it says its delay is.
    draws : bool
        Whether it draws random numbers.
    """

    make: str
    sample_rate: int
    hop_length: int
    input: str
    output: str
    states: tuple[str, ...]
    knobs: tuple[Knob, ...]
    latency: int
    words: dict[str, str]
    stated_delay: int | None
    draws: bool


class Unfolded(NamedTuple):
    """A script taken apart.

    Attributes
    ----------
    begin : dict of state to ndarray
    x : ndarray [shape=(steps, hop)]
    knobs : ndarray [shape=(2, n_knobs)]
        At rest, and anywhere.
    y : ndarray [shape=(2, steps, hop)]
        What the script itself makes of `x` with either.
    """

    graph: bytes
    facts: Facts
    begin: dict[str, Array]
    x: Array
    knobs: Array
    y: Array


def read_unfolded(folder: Path) -> Unfolded:
    """Read what the child wrote.

    Raises
    ------
    ModelError
        It is not what the child writes.
    """
    try:
        for name in (FACTS, ARRAYS, GRAPH):
            if (folder / name).stat().st_size > LARGEST:
                raise ModelError("what is in it is too large")
        data = msgspec.json.decode((folder / FACTS).read_bytes())
        facts = read(data, Facts, "script", error=ModelError)
        with np.load(folder / ARRAYS, allow_pickle=False) as arrays:
            begin = {name: _array(arrays[f"begin_{name}"]) for name in facts.states}
            x, knobs, y = (_array(arrays[name]) for name in ("x", "knobs", "y"))
        graph = (folder / GRAPH).read_bytes()
    except (OSError, KeyError, ValueError, msgspec.MsgspecError) as error:
        raise ModelError(f"it cannot be taken apart ({type(error).__name__})") from None
    shape = (STEPS, facts.hop_length)
    if x.shape != shape or y.shape != (2, *shape) or knobs.shape != (2, len(facts.knobs)):
        raise ModelError("what was made of it does not fit together")
    return Unfolded(graph, facts, begin, x, knobs, y)


def _array(value: npt.NDArray[np.generic]) -> Array:
    if value.dtype != np.float32 or value.size > MOST_HELD:
        raise ValueError("not float32")
    return np.asarray(value, dtype=np.float32)


def describe(facts: Facts, stem: str, sample_rate: int | None = None) -> Description:
    """The card file that its graph would have.

    Parameters
    ----------
    stem : str
        The file's name without ending.
    sample_rate : int or None [Hz]
        Instead of what it says.

    Raises
    ------
    ModelError
        No sample rate is known, or it answers before it is asked.
    """
    rate = sample_rate or facts.sample_rate
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise ModelError("it does not say its sample rate; add --rate HZ, often 44100 or 48000")
    if facts.latency < 0:
        raise ModelError(
            "an impulse changes nothing in it that comes after the impulse; is it a generator?"
        )
    summary = facts.words.get("summary", "")
    author = facts.words.get("author", "")
    words = [summary or f"a model of {facts.make}", f"by {author}" if author else ""]
    return Description(
        model_name(stem),
        plain_text(facts.words.get("name") or stem),
        plain_text(" ".join(w for w in words if w)),
        "unknown",
        rate,
        facts.hop_length,
        (
            Graph(
                facts.input,
                facts.output,
                states={name: f"{name}_out" for name in facts.states},
            ),
        ),
        facts.latency,
        control=facts.knobs,
    )


def prove_script(found: Unfolded, model: bytes, name: str) -> float:
    """Largest difference of a model from the script itself, relative to the peak.

    Raises
    ------
    ModelError
        It is more than :data:`TOLERANCE`.
    """
    made = StreamingModel(model, 1, name)
    worst = 0.0
    try:
        for knobs, expected in zip(found.knobs, found.y, strict=True):
            made.reset()
            if len(knobs):
                made.controls[0] = knobs
            got = np.stack([made.step(block.reshape(1, 1, -1)).ravel() for block in found.x])
            error = relative_error(got, expected)
            worst = error if not error <= worst else worst  # NaN counts
    finally:
        made.close()
    if not worst <= TOLERANCE:
        raise ModelError(
            f"as a graph it differs from the script by {worst:.1g} of the peak (allowed"
            f" {TOLERANCE:g}): it remembers something that could not be lifted out"
        )
    return worst

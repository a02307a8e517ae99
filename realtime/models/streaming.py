"""A model ready to stream: checked against its card, bound to memory, stepped by address.

The engine knows a model only as three numbers and two arrays: the address of a C function
``step(argument) -> 0``, that of ``reset(argument) -> 0``, their argument, and the arrays ``x`` and
``y`` one step reads and writes.  What is behind them is the model's business: a tape
(:mod:`.tape`) where it knows all of the graph's operations, ONNX Runtime otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..dsp.windows import check_geometry
from ..errors import CardError, ConfigError, ModelError, RestyleError, named
from ..native.intrinsics import call_step, flush_denormals, restore_denormals
from ..native.late_numba import njit
from ..schema import shown
from ..trust.admission import MODEL, admit, read_file
from .card import CARD_KEY, CONVERTING, STATE_KEY, TEST_KEY, Card, from_json
from .lag import Lag
from .metadata import Tensor, read_metadata, unpack_array
from .ort import OrtGraph
from .steppable import NOTE_FIELDS, NoteSlots, Steppable
from .tape.graph import TapeGraph
from .tape.memory import Unsupported

Array = npt.NDArray[np.float32]
HINTS = {"tagger": "; see: restyle tag", "ear": "; see: restyle notes"}  # what else it is for
MOST_STEPS = 1024  # of a test vector
TEST_TOLERANCE = 1e-3  # relative; other CPUs sum in another order, a wrong state is far outside


@njit(nogil=True, cache=True)
def _step(function, argument):  # type: ignore[no-untyped-def]
    old = flush_denormals()
    status = call_step(function, (argument,))
    restore_denormals(old)
    return status


def read_test_vector(metadata: Mapping[str, str], card: Card) -> tuple[Array, Array]:
    """Input and output of a test vector ``[steps, 1, ...]``, from the initial state.

    Raises
    ------
    ModelError
        It is malformed.
    """
    try:
        vector = json.loads(metadata[TEST_KEY])
        steps = int(vector["steps"])
        if not 1 <= steps <= MOST_STEPS:
            raise ValueError(f"{shown(steps)} steps; it has 1..{MOST_STEPS}")
        x = unpack_array(vector["x"], (steps, *card.step_shape(1)))
        expected = unpack_array(vector["y"], (steps, *card.output_shape(1)))
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise ModelError(f"the test vector is malformed ({error!r})") from None
    return x, expected


def answers(model: Steppable, x: Array) -> Array:
    """What the first channel gives for steps ``[steps, 1, ...]`` that all channels hear."""
    return np.stack([model.step(np.repeat(frame, model.channels, axis=0))[:1] for frame in x])


def relative_error(got: npt.NDArray[Any], expected: npt.NDArray[Any]) -> float:
    """Largest difference over the largest value that is expected."""
    peak = max(float(np.abs(expected).max()), 1e-6)
    return float(np.abs(got - expected).max()) / peak


def paired_output(state: str, outputs: list[str]) -> str | None:
    """Name of the output that carries `state` on, after the habits of public streaming models.

    ``state_a -> state_a_out``, ``cache -> cache_out``, ``state -> stateN``, ``h -> hn``.
    """
    names = (f"{state}_out", f"{state}N", f"{state}n", f"new_{state}", f"out_{state}")
    return next((n for n in names if n in outputs), None)


class StreamingModel:
    """One model with its state, for a fixed number of channels.

    Parameters
    ----------
    model : bytes
        A ``.onnx`` file's content.
    channels : int
        Audio channels; each has a state of its own (the graph's batch axis).
    name : str
        What to call the file in messages.
    kinds : tuple of str
        Kinds of model that will do, see :data:`realtime.models.card.KINDS`; by default those that
        make sound of sound.
    proved : bool
        Whether the file must reproduce its test vector; it has none while it is being made.
    tape : bool
        Whether a tape may play the graph; else ONNX Runtime does.

    Attributes
    ----------
    card : Card
    x, y : ndarray [shape=card.step_shape(channels), float32]
        Input and output of one step; the model owns them, the engine fills and reads them.  A
        tagger's `y` has the shape ``card.output_shape(channels)``.
    controls : ndarray [shape=(1, n_controls), float32]
        Current control values, written by the engine before each step.
    step_address, reset_address, argument : int
        What native code calls.
    settling : int
        0: a graph does not say how far it remembers.
    lag : Lag
        None: its card declares all of its latency.
    off_tape : str
        Why no tape plays the graph, where none does.

    Raises
    ------
    CardError
        No card, or a card that contradicts the graph.
    ModelError
        The graph cannot be read or run, or the test vector in it is not reproduced.
    """

    settling = 0
    lag = Lag()
    off_tape = "not asked for"

    def __init__(
        self,
        model: bytes,
        channels: int = 1,
        name: str = "model",
        kinds: tuple[str, ...] = CONVERTING,
        proved: bool = True,
        tape: bool = True,
    ) -> None:
        try:
            metadata = read_metadata(model)
            if CARD_KEY not in metadata:
                raise CardError(
                    "the file carries no restyle card (metadata entry 'restyle.card'); export it"
                    " with restyle's trainer, or give it a card: restyle import FILE --card CARD"
                )
            self.card: Card = from_json(metadata[CARD_KEY])
            if self.card.kind not in kinds:
                hint = HINTS.get(self.card.kind, "")
                raise CardError(
                    f"a model of kind '{self.card.kind}' is no {' or '.join(kinds)}{hint}"
                )
            self.channels = channels
            self.metadata = metadata
            if not (tape and self._on_tape(model, proved)):
                self._open(OrtGraph(model), proved)
        except (CardError, ModelError) as error:
            self.close()
            raise type(error)(f"{name}: {error}") from None

    def _open(self, graph: TapeGraph | OrtGraph, proved: bool) -> None:
        self._graph = graph
        self._bind()
        if proved:
            self._check_test_vector()

    def _on_tape(self, model: bytes, proved: bool) -> bool:
        """Whether a tape plays the graph, and what its test vector says."""
        try:
            self._open(TapeGraph(model), proved)
        except (Unsupported, ModelError) as error:  # ONNX Runtime has the last word
            self.off_tape = str(error)
            return False
        return True

    @property
    def on_tape(self) -> bool:
        """Whether a tape plays it, not ONNX Runtime."""
        return isinstance(self._graph, TapeGraph)

    def _bind(self) -> None:
        card, graph = self.card, self._graph
        if card.spectrum is not None:
            s = card.spectrum
            try:
                check_geometry(s.n_fft, s.synthesis_length, card.hop_length)
            except ConfigError as error:
                raise CardError(str(error)) from None
        inputs = {t.name: t for t in graph.inputs}
        outputs = {t.name: t for t in graph.outputs}
        shapes = {"x": card.step_shape(self.channels), "y": card.output_shape(self.channels)}
        for name, table in (("x", inputs), ("y", outputs)):
            if name not in table:
                raise CardError(f"the graph has no {name}; it has {', '.join(sorted(table))}")
            _fit(table[name], shapes[name])
        self.x: Array = np.zeros(shapes["x"], dtype=np.float32)
        self.y: Array = np.zeros(shapes["y"], dtype=np.float32)
        self.controls: Array = np.array([[c.default for c in card.controls]], dtype=np.float32)
        bound = {"x": self.x}
        if card.controls:
            if "controls" not in inputs:
                raise CardError("the card lists controls but the graph has no input 'controls'")
            _fit(inputs["controls"], self.controls.shape)
            bound["controls"] = self.controls
        states: dict[str, tuple[str, Array]] = {}
        for state in card.states:
            key = f"state_{state.name}" if f"state_{state.name}" in inputs else state.name
            out = paired_output(key, list(outputs))
            if key not in inputs or out is None:
                raise CardError(f"the card's state '{state.name}' has no pair of input and output")
            full = (self.channels, *state.shape)
            _fit(inputs[key], full)
            _fit(outputs[out], full)
            initial = np.zeros(state.shape, dtype=np.float32)
            if STATE_KEY + state.name in self.metadata:
                initial = unpack_array(self.metadata[STATE_KEY + state.name], state.shape)
            states[key] = (out, np.ascontiguousarray(np.broadcast_to(initial, full)))
        left = sorted(set(inputs) - set(bound) - set(states))
        if left:
            raise CardError(f"graph inputs the card does not know: {', '.join(left)}")
        graph.bind(bound, {"y": self.y}, states)
        self.step_address = graph.step_address
        self.reset_address = graph.reset_address
        self.argument = int(graph.record.ctypes.data)
        self.reset()

    def _check_test_vector(self) -> None:
        if TEST_KEY not in self.metadata:
            raise ModelError("the file carries no test vector; export the model again")
        expected, got = self.run_test_vector()
        error = relative_error(got, expected)
        self.test_error = error
        if not error <= TEST_TOLERANCE:
            raise ModelError(
                f"the model does not reproduce its own test vector (relative error {error:.2g},"
                f" allowed {TEST_TOLERANCE:g}); the file is damaged or was changed: get it again"
            )

    def run_test_vector(self) -> tuple[Array, Array]:
        """Run the test vector from the initial state on channel 0; return (expected, got)."""
        x, expected = read_test_vector(self.metadata, self.card)
        self.reset()
        got = answers(self, x)
        self._graph.part()
        self.step(self.x)  # all channels: whatever the first run asks for is had before it plays
        self.reset()
        return expected, got

    def step(self, x: Array) -> Array:
        """Advance one hop and return a copy of the output (for tests and tools, not for audio)."""
        self.x[...] = x
        if _step(self.step_address, self.argument):
            raise ModelError(f"the model failed to run: {self.error}")
        return self.y.copy()

    @property
    def error(self) -> str | None:
        """Why the last failed step failed."""
        return self._graph.error

    def reset(self) -> None:
        """Return to the initial state."""
        _step(self.reset_address, self.argument)

    def initial_states(self) -> dict[str, Array]:
        """Initial state by graph input name ``[channels, ...]`` (copies)."""
        return {k: v.copy() for k, v in self._graph.initial.items()}

    def states(self) -> dict[str, Array]:
        """Present state by graph input name ``[channels, ...]`` (copies)."""
        now = self._graph.states[int(self._graph.record[self._graph.phase])]
        return {k: v.copy() for k, v in now.items()}

    def note_slots(self) -> NoteSlots | None:
        """See :class:`realtime.models.steppable.PlaysNotes`."""
        told = next((s for s in self.card.states if s.name == "slots"), None)
        if self.card.kind != "player" or told is None or len(told.shape) != 2:
            return None
        key = next((k for k in ("state_slots", "slots") if k in self._graph.initial), None)
        if key is None or told.shape[0] != NOTE_FIELDS:
            return None
        first, second = (int(s[key].ctypes.data) for s in self._graph.states)
        phase = self.argument + self._graph.phase * self._graph.record.itemsize
        return NoteSlots(told.shape[1], (first, second), phase)

    def snapshot(self) -> Any:
        """Copy the state, for :meth:`restore`."""
        states = [{k: v.copy() for k, v in s.items()} for s in self._graph.states]
        return states, self._graph.record.copy(), self.controls.copy()

    def restore(self, snapshot: Any) -> None:
        """Put a :meth:`snapshot` back."""
        states, record, controls = snapshot
        for mine, saved in zip(self._graph.states, states, strict=True):
            for key, value in saved.items():
                mine[key][...] = value
        self._graph.record[...] = record
        self.controls[...] = controls

    def close(self) -> None:
        """Free the graph; no step may run any more."""
        if hasattr(self, "_graph"):
            self._graph.close()


def _fit(tensor: Tensor, shape: tuple[int, ...]) -> None:
    same = len(tensor.shape) == len(shape)
    if not same or any(g not in (-1, s) for g, s in zip(tensor.shape, shape, strict=True)):
        raise CardError(
            f"graph tensor '{tensor.name}' has shape {list(tensor.shape)}, the card needs"
            f" {list(shape)}"
        )


def load_model(
    source: str | Path | bytes,
    channels: int = 1,
    kinds: tuple[str, ...] = CONVERTING,
    tape: bool = True,
) -> StreamingModel:
    """Read a model of one of these `kinds` from a file or from bytes; see :class:`StreamingModel`.

    Raises
    ------
    ModelError, CardError
        With the file's name and one sentence.
    """
    if isinstance(source, bytes):
        return StreamingModel(source, channels, kinds=kinds, tape=tape)
    path = Path(source)
    data = read_file(path)
    try:
        admit(MODEL, path, ModelError, data)
    except RestyleError as error:
        raise named(error, path) from None
    return StreamingModel(data, channels, path.name, kinds, tape=tape)

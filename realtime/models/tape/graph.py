"""A streaming graph on a tape, bound to fixed memory: what :class:`..ort.OrtGraph` is, but faster.

ONNX Runtime spends more time between the nodes of a small network than in them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import ModelError
from ..metadata import read_graph
from . import kernel as k
from .elements import CHUNK
from .layout import CONTROLS, N_BASES, OUT, STATE_IN, STATE_OUT, X
from .lower import Lowering
from .memory import ALIGNMENT, Unsupported, rounded

Array = npt.NDArray[np.float32]
SCRATCH = 16 * CHUNK
CANNOT = (
    LookupError, ValueError, TypeError, AttributeError, ArithmeticError, MemoryError,
    RecursionError,
)  # fmt: skip


class TapeGraph:
    """See :class:`realtime.models.ort.OrtGraph`.

    Parameters
    ----------
    model : bytes
        The serialised model.

    Raises
    ------
    Unsupported
        When ONNX Runtime has to play it.
    """

    phase = k.PHASE

    def __init__(self, model: bytes) -> None:
        try:
            self._graph = read_graph(model)
        except (ModelError, *CANNOT) as error:
            raise Unsupported(str(error)) from None
        weights = self._graph.weights
        self.inputs = tuple(t for t in self._graph.inputs if t.name not in weights)
        self.outputs = tuple(self._graph.outputs)
        if any(t.kind != 1 for t in (*self.inputs, *self.outputs)):
            raise Unsupported("other numbers than float32")
        self.record: npt.NDArray[np.int64] = np.zeros(k.RECORD_SIZE, dtype=np.int64)
        self._keep: list[Any] = []

    @property
    def step_address(self) -> int:
        """C function ``step(record) -> 0 or 1``."""
        return int(k.step_function().address)

    @property
    def reset_address(self) -> int:
        """C function ``reset(record) -> 0``."""
        return int(k.reset_function().address)

    @property
    def error(self) -> str | None:
        """Why the last failed step failed: there is one reason."""
        failed = self.record[k.FAILED] != 0
        return "an index that the graph computed is out of data bounds" if failed else None

    def bind(
        self,
        inputs: dict[str, Array],
        outputs: dict[str, Array],
        states: dict[str, tuple[str, Array]],
    ) -> None:
        """Fix the memory of one step; as that of :class:`realtime.models.ort.OrtGraph`."""
        x, y = inputs["x"], outputs["y"]
        channels = len(x)
        places: dict[str, int] = {}
        room = 0
        for key, (_, value) in states.items():
            places[key] = room
            room += rounded(value[0].size)
        room = max(room, ALIGNMENT)
        ends = {"x": (X, 0, (1, *x.shape[1:]))}
        if "controls" in inputs:
            ends["controls"] = (CONTROLS, 0, inputs["controls"].shape)
        wanted = {"y": (OUT, 0, (1, *y.shape[1:]))}
        for key, (out, value) in states.items():
            ends[key] = (STATE_IN, places[key], (1, *value.shape[1:]))
            wanted[out] = (STATE_OUT, places[key], (1, *value.shape[1:]))
        if set(ends) != {t.name for t in self.inputs} or not set(wanted) <= {
            t.name for t in self.outputs
        }:
            raise Unsupported("other inputs and outputs")
        try:
            low = Lowering(self._graph, ends, wanted)
            ops, table, memory = low.rows()
        except CANNOT as error:
            raise Unsupported(str(error)) from None
        self.work, self.length = low.work, len(ops)
        blocks = [np.zeros((channels, room), dtype=np.float32) for _ in range(3)]

        def named(block: Array) -> dict[str, Array]:
            return {
                key: block[:, places[key] : places[key] + value[0].size].reshape(value.shape)
                for key, (_, value) in states.items()
            }

        for key, (_, value) in states.items():
            blocks[2][:, places[key] : places[key] + value[0].size] = value.reshape(channels, -1)
        self.states, self.initial = [named(b) for b in blocks[:2]], named(blocks[2])
        scratch = np.zeros(SCRATCH + low.scratch(), dtype=np.float32)
        bases = np.zeros(N_BASES, dtype=np.int64)
        bases[0] = memory.ctypes.data
        if "controls" in inputs:
            bases[CONTROLS] = inputs["controls"].ctypes.data
        self._keep += [ops, table, memory, blocks, scratch, bases, inputs, outputs]
        r = self.record
        r[k.N_OPS], r[k.OPS], r[k.TABLE] = len(ops), ops.ctypes.data, table.ctypes.data
        r[k.BASES], r[k.SCRATCH] = bases.ctypes.data, scratch.ctypes.data
        r[k.STATE_ROOM] = room
        r[k.STATES], r[k.STATES + 1], r[k.INITIAL] = (b.ctypes.data for b in blocks)
        r[k.CHANNELS], r[k.MAY_BE_TWINS] = channels, channels > 1
        r[k.X], r[k.X_FLOATS] = x.ctypes.data, x[0].size
        r[k.Y], r[k.Y_FLOATS] = y.ctypes.data, y[0].size

    def part(self) -> None:
        """Run every channel from the next step on, as where one hears something else."""
        self.record[k.TWINS] = 0

    def close(self) -> None:
        """Nothing to free."""

"""A streaming ONNX graph bound to fixed memory, stepped from native code without the GIL.

One step is one call of ``OrtApi.Run`` whose inputs, outputs and states are bound once; outputs are
written in place and the states ping-pong between two sets of buffers.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from ..dsp.mix import follow, same_channels
from ..errors import ModelError
from ..native.intrinsics import call_run, call_step, view_f32, view_i64
from ..native.late_numba import cfunc, njit, types
from .metadata import Tensor
from .ort_api import FLOAT, Reference, api

# slots of the int64 record one step works on
RUN, SESSION, PHASE, STATUS, N_INPUTS, N_OUTPUTS, IN_NAMES, OUT_NAMES = range(8)
INPUTS, OUTPUTS = 8, 10  # two each: one for either phase
N_STATES, STATE_TABLE, RELEASE = 12, 13, 14
# whether all channels have heard the same since the reset, and what runs for the first alone then
CHANNELS, TWINS, FIRST_INPUTS, FIRST_OUTPUTS = 15, 16, 17, 19
X, X_FLOATS, Y, Y_FLOATS, MAY_BE_TWINS, RECORD_SIZE = 21, 22, 23, 24, 25, 26
# a row of the state table: addresses of the initial state and of either set, words of 8 bytes,
# floats of one channel
INITIAL, SETS, WORDS, FLOATS, STATE_SIZE = 0, 1, 3, 4, 5


@njit(nogil=True, error_model="numpy", cache=True)
def _follow(r):  # type: ignore[no-untyped-def]
    """Give the channels that were spared the state of the first, which ran for them."""
    table = view_i64(r[STATE_TABLE], (r[N_STATES], STATE_SIZE))
    for s in range(r[N_STATES]):
        follow(view_f32(table[s, SETS + r[PHASE]], (r[CHANNELS], table[s, FLOATS])), 1)


@cache
def step_function() -> Any:
    """C function ``step(record) -> 0 or 1``: one ``OrtApi.Run`` on the bound memory.

    Channels that have heard the same since the reset (one guitar in a stereo rig) are run once.
    """

    @cfunc(types.int64(types.int64), nopython=True, error_model="numpy", cache=True)
    def ort_step(record):  # type: ignore[no-untyped-def]
        r = view_i64(record, RECORD_SIZE)
        phase, inputs, outputs = r[PHASE], INPUTS, OUTPUTS
        if r[TWINS] != 0:
            if same_channels(view_f32(r[X], (r[CHANNELS], r[X_FLOATS])), 1):
                inputs, outputs = FIRST_INPUTS, FIRST_OUTPUTS
            else:
                _follow(r)
                r[TWINS] = 0
        status = call_run(
            r[RUN],
            (
                r[SESSION],
                0,
                r[IN_NAMES],
                r[inputs + phase],
                r[N_INPUTS],
                r[OUT_NAMES],
                r[N_OUTPUTS],
                r[outputs + phase],
            ),
        )
        if status != 0:
            if r[STATUS] != 0:  # the first reason is kept, later ones would pile up
                call_step(r[RELEASE], (status,))
            else:
                r[STATUS] = status
            return 1
        r[PHASE] = 1 - phase
        if r[TWINS] != 0:
            follow(view_f32(r[Y], (r[CHANNELS], r[Y_FLOATS])), 1)
        return 0

    return ort_step


@cache
def reset_function() -> Any:
    """C function ``reset(record) -> 0``: put the initial state back, without the GIL."""

    @cfunc(types.int64(types.int64), nopython=True, error_model="numpy", cache=True)
    def ort_reset(record):  # type: ignore[no-untyped-def]
        r = view_i64(record, RECORD_SIZE)
        table = view_i64(r[STATE_TABLE], (r[N_STATES], STATE_SIZE))
        for s in range(r[N_STATES]):
            source = view_i64(table[s, INITIAL], table[s, WORDS])
            target = view_i64(table[s, SETS], table[s, WORDS])
            for i in range(table[s, WORDS]):
                target[i] = source[i]
        r[PHASE] = 0
        r[TWINS] = r[MAY_BE_TWINS]
        return 0

    return ort_reset


def _padded(shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """Zeros of `shape` backed by an even number of floats, so that it copies as 64-bit words."""
    size = int(np.prod(shape, dtype=np.int64))
    return np.zeros(size + size % 2, dtype=np.float32)[:size].reshape(shape)


class OrtGraph:
    """An ONNX graph; after :meth:`bind`, one step at fixed addresses.

    Parameters
    ----------
    model : bytes
        The serialised model.

    Raises
    ------
    ModelError
        When ONNX Runtime refuses the graph; its own words are passed on.
    """

    phase = PHASE  # where in the record it stands which of the two sets of states is in force

    def __init__(self, model: bytes) -> None:
        self._api = api()
        self._session = 0
        options = self._api.make("CreateSessionOptions")
        try:
            self._api.call("SetIntraOpNumThreads", options, ctypes.c_int(1))
            self._api.call("SetInterOpNumThreads", options, ctypes.c_int(1))
            self._api.call("SetSessionGraphOptimizationLevel", options, ctypes.c_int(99))
            # not session.set_denormal_as_zero: it changes the calling thread for good, and the
            # kernels around each step switch denormals off and on themselves
            self._api.call(
                "AddSessionConfigEntry", options, b"session.intra_op.allow_spinning", b"0"
            )
            self._session = self._api.make(
                "CreateSessionFromArray", self._api.env, model, ctypes.c_size_t(len(model)), options
            )
        finally:
            self._api.call("ReleaseSessionOptions", options)
        self.inputs = self._describe("Input")
        self.outputs = self._describe("Output")
        self._values: list[int] = []
        self._keep: list[Any] = []
        self.record: npt.NDArray[np.int64] = np.zeros(RECORD_SIZE, dtype=np.int64)

    @property
    def step_address(self) -> int:
        """C function ``step(record) -> 0 or 1``."""
        return int(step_function().address)

    @property
    def reset_address(self) -> int:
        """C function ``reset(record) -> 0``."""
        return int(reset_function().address)

    def _describe(self, side: str) -> tuple[Tensor, ...]:
        a = self._api
        found = []
        for i in range(a.number(f"SessionGet{side}Count", self._session)):
            index = ctypes.c_size_t(i)
            text = a.make(f"SessionGet{side}Name", self._session, index, a.allocator)
            name = (ctypes.cast(text, ctypes.c_char_p).value or b"").decode()
            a.call("AllocatorFree", a.allocator, text)
            info = a.make(f"SessionGet{side}TypeInfo", self._session, index)
            tensor = a.make("CastTypeInfoToTensorInfo", info)
            if not tensor or a.number("GetTensorElementType", tensor) != FLOAT:
                raise ModelError(f"graph {side.lower()} '{name}' is not a float32 tensor")
            rank = a.number("GetDimensionsCount", tensor)
            shape = (ctypes.c_int64 * max(rank, 1))()
            reference = Reference(ctypes.addressof(shape))
            a.call("GetDimensions", tensor, reference, ctypes.c_size_t(rank))
            a.call("ReleaseTypeInfo", info)
            found.append(Tensor(name, tuple(shape[:rank])))
        return tuple(found)

    def bind(
        self,
        inputs: dict[str, npt.NDArray[np.float32]],
        outputs: dict[str, npt.NDArray[np.float32]],
        states: dict[str, tuple[str, npt.NDArray[np.float32]]],
    ) -> None:
        """Fix the memory of one step; the arrays are borrowed and kept alive here.

        Parameters
        ----------
        inputs, outputs : dict of name to array
            Everything that is no state; ``x`` and ``y`` and the states begin with an axis of
            channels, the others with one of 1.
        states : dict of input name to (output name, initial value)
        """
        sets = [{k: _padded(v[1].shape) for k, v in states.items()} for _ in range(2)]
        self.states = sets
        self.initial = {k: _padded(v[1].shape) for k, v in states.items()}
        for key, (_, value) in states.items():
            self.initial[key][...] = value
        in_names = [*inputs, *states]
        out_names = [*outputs, *(v[0] for v in states.values())]
        r = self.record
        r[RUN], r[SESSION] = self._api.address("Run"), self._session
        r[RELEASE] = self._api.address("ReleaseStatus")
        r[N_INPUTS], r[N_OUTPUTS], r[N_STATES] = len(in_names), len(out_names), len(states)
        r[IN_NAMES], r[OUT_NAMES] = self._strings(in_names), self._strings(out_names)
        fixed_in = [self._value(a) for a in inputs.values()]
        fixed_out = [self._value(a) for a in outputs.values()]
        held = [[self._value(s[k]) for k in states] for s in sets]
        for phase in range(2):
            r[INPUTS + phase] = self._table(fixed_in + held[phase])
            r[OUTPUTS + phase] = self._table(fixed_out + held[1 - phase])
        x, y = inputs["x"], outputs["y"]
        r[CHANNELS], r[X], r[X_FLOATS] = len(x), x.ctypes.data, x[0].size
        r[Y], r[Y_FLOATS] = y.ctypes.data, y[0].size
        free = all(t.shape[:1] == (-1,) for t in self.inputs if t.name == "x")
        r[MAY_BE_TWINS] = len(x) > 1 and free
        first_in = [self._value(a[:1]) for a in inputs.values()]
        first_out = [self._value(a[:1]) for a in outputs.values()]
        first = [[self._value(s[k][:1]) for k in states] for s in sets]
        for phase in range(2):
            r[FIRST_INPUTS + phase] = self._table(first_in + first[phase])
            r[FIRST_OUTPUTS + phase] = self._table(first_out + first[1 - phase])
        rows = [
            (
                self.initial[k].ctypes.data,
                *(one[k].ctypes.data for one in sets),
                (sets[0][k].size + 1) // 2,
                sets[0][k][0].size,
            )
            for k in states
        ]
        table = np.array(rows, dtype=np.int64).reshape(len(rows), STATE_SIZE)
        self._keep += [table, inputs, outputs]
        r[STATE_TABLE] = table.ctypes.data

    def part(self) -> None:
        """Run every channel from the next step on, as where one hears something else."""
        self.record[TWINS] = 0

    def _value(self, array: npt.NDArray[np.float32]) -> int:
        if array.dtype != np.float32 or not array.flags.c_contiguous:
            raise ModelError("bound arrays must be float32 and C-contiguous")
        shape = (ctypes.c_int64 * max(array.ndim, 1))(*array.shape)
        value = self._api.make(
            "CreateTensorWithDataAsOrtValue",
            self._api.memory,
            array.ctypes.data,
            ctypes.c_size_t(array.nbytes),
            Reference(ctypes.addressof(shape)),
            ctypes.c_size_t(array.ndim),
            ctypes.c_int(FLOAT),
        )
        self._values.append(value)
        return value

    def _strings(self, names: list[str]) -> int:
        array = (ctypes.c_char_p * len(names))(*[n.encode() for n in names])
        self._keep.append(array)
        return ctypes.addressof(array)

    def _table(self, values: list[int]) -> int:
        array = (ctypes.c_void_p * max(len(values), 1))(*values)
        self._keep.append(array)
        return ctypes.addressof(array)

    @property
    def error(self) -> str | None:
        """Why the last failed step failed, in ONNX Runtime's words."""
        status = int(self.record[STATUS])
        if not status:
            return None
        text = ctypes.cast(self._api.call("GetErrorMessage", status), ctypes.c_char_p).value
        return (text or b"").decode(errors="replace")

    def close(self) -> None:
        """Free the session; no step may run any more."""
        if self._session:
            if self.record[STATUS]:
                self._api.call("ReleaseStatus", int(self.record[STATUS]))
                self.record[STATUS] = 0
            for value in self._values:
                self._api.call("ReleaseValue", value)
            self._values.clear()
            self._api.call("ReleaseSession", self._session)
            self._session = 0

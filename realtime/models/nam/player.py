"""A capture ready to stream: the program laid out in memory for the kernel.

Same interface towards the engine as :class:`realtime.models.streaming.StreamingModel`: ``card``,
``x``, ``y``, ``controls``, three addresses, ``reset``, ``snapshot``, ``restore``, ``close``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..card import Card
from ..lag import HOP as LAG_HOP
from ..lag import Lag, measure
from ..steppable import call
from . import kernel as k
from .activations import NUMBERS
from .cell import IN_STATE, LINE, lay_out
from .plan import Layer, Stack, plan
from .program import Activate, Combine, Conv, Part, Program, Recur, Scale
from .reference import silence
from .tile import LANES, LEAKY, TANH, blocks_of

Array = npt.NDArray[np.float32]
ROOM = 1024  # samples a row slides over before it is moved back; all of it stays in the cache
APART = 7, 48  # rows of one step do not slide back at once: each has other room, by whole lines
_COMBINE = {"add": k.ADD, "multiply": k.MULTIPLY, "blend": k.BLEND}


class CapturePlayer:
    """One capture with its state, for a fixed number of channels and samples a step.

    Parameters
    ----------
    program : Program
    card : Card
        Its hop length is the samples of one step.
    channels : int
    together : int
        Channels that belong to one sound, such as the phases of an oversampled one.  Where all
        sounds have been the same since the reset, the capture runs for the first alone.

    Attributes
    ----------
    silent_output : float
        What it gives after endless silence.
    """

    error: str | None = None  # the kernel has no way to fail
    _lag: Lag | None = None

    def __init__(self, program: Program, card: Card, channels: int = 1, together: int = 1) -> None:
        self.card, self.channels = card, channels
        self._program, hop = program, card.hop_length
        self.x: Array = np.zeros(card.step_shape(channels), dtype=np.float32)
        self.y: Array = np.zeros_like(self.x)
        self.controls: Array = np.array([[c.default for c in card.controls]], dtype=np.float32)
        self._keep: list[Any] = []
        self._layout = layout = _Layout(program, hop)  # its weights serve all channels
        ops = np.stack([layout.operations] * channels)
        self._running: list[Any] = [
            np.stack([layout.values] * channels),
            _aligned(np.zeros(channels * layout.floats)),
            _aligned(np.tile(layout.recurrent, channels)),
        ]
        for c in range(channels):
            self._rebase(ops[c], self._running, layout, c)
        finite = not any(isinstance(op, Recur) for op in program.operations)
        self.settling = program.receptive_field if finite else 0
        self._record = np.zeros(k.RECORD_SIZE, dtype=np.int64)
        r = self._record
        r[k.N_OPS], r[k.OPS] = ops.shape[1], ops.ctypes.data
        r[k.N_VALUES], r[k.VALUES] = self._running[0].shape[1], self._running[0].ctypes.data
        r[k.MOST_LEADERS] = together
        r[k.COUNT], r[k.CHANNELS], r[k.RECORD] = hop, channels, program.output
        r[k.X], r[k.Y] = self.x.ctypes.data, self.y.ctypes.data
        r[k.CONTROLS], r[k.N_CONTROLS] = self.controls.ctypes.data, self.controls.size
        self._keep.append(ops)
        self.step_address = int(k.step_function().address)
        self.reset_address = int(k.reset_function().address)
        self.argument = int(r.ctypes.data)
        silent = silence(program)
        rest = [
            silent[v] if v in silent else np.zeros((n, 1)) for v, n in enumerate(program.channels)
        ]
        self._rest = np.concatenate(rest).astype(np.float32)
        self.silent_output = float(rest[program.output][0, 0])
        self._settled = self._running[2].copy()
        r[k.REST], r[k.SETTLED] = self._rest.ctypes.data, self._settled.ctypes.data
        r[k.RECURRENT], r[k.N_RECURRENT] = self._running[2].ctypes.data, self._settled.size
        self.reset()

    def _rebase(self, ops: Any, running: list[Any], layout: _Layout, channel: int) -> None:
        """Turn offsets inside one channel's layout into addresses inside the shared arrays."""
        values, signals, recurrent = running
        values[channel, :, k.BASE] *= 4
        values[channel, :, k.BASE] += signals.ctypes.data + 4 * channel * layout.floats
        for op in ops:
            if op[k.CODE] == k.RECUR:
                op[k.EXTRA] *= 4
                op[k.EXTRA] += recurrent.ctypes.data + 4 * channel * layout.recurrent.size
                tiles = layout.tiles[op[k.WEIGHT]].copy()
                tiles[:, :, IN_STATE] = op[k.EXTRA] + 4 * tiles[:, :, IN_STATE]
                op[k.WEIGHT] = tiles.ctypes.data
                self._keep.append(tiles)

    def step(self, x: Array) -> Array:
        """Advance one hop and return a copy of the output (for tests and tools)."""
        self.x[...] = x
        call(self.step_address, self.argument)
        return self.y.copy()

    @property
    def lag(self) -> Lag:
        """How late the capture is by itself; measured when it is first asked for."""
        if self._lag is None:
            card = replace(self.card, hop_length=LAG_HOP)
            self._lag = measure(CapturePlayer(self._program, card).step)
        return self._lag

    def reset(self) -> None:
        """Return to the settled state."""
        call(self.reset_address, self.argument)

    def snapshot(self) -> Any:
        """Copy the state."""
        return [a.copy() for a in self._running], self.controls.copy(), self._record.copy()

    def restore(self, snapshot: Any) -> None:
        """Put a :meth:`snapshot` back."""
        arrays, controls, record = snapshot
        self._record[k.LEADERS] = record[k.LEADERS]
        for mine, saved in zip(self._running, arrays, strict=True):
            mine[...] = saved
        self.controls[...] = controls

    def close(self) -> None:
        """Nothing to free beyond memory."""


def _aligned(array: npt.NDArray[Any]) -> Array:
    """Copy floats to where a cache line begins: vectors across two lines cost twice."""
    room = np.empty(array.size + LINE, dtype=np.float32)
    room.fill(0.0)  # touches the pages
    begin = -(room.ctypes.data // 4) % LINE
    room[begin : begin + array.size] = array
    return room[begin : begin + array.size]


class _Layout:
    """One channel's tables, with offsets in floats where addresses will stand."""

    def __init__(self, program: Program, hop: int) -> None:
        self._keep: list[Any] = []
        self._place_values(program, hop)
        self._state: list[Array] = []
        self.tiles: list[npt.NDArray[np.int64]] = []  # of each stack of LSTM layers
        steps = plan(program)
        self.operations = np.zeros((len(steps), k.OP_SIZE), dtype=np.int64)
        for row, step in zip(self.operations, steps, strict=True):
            self._encode(row, step, program)
        joined = np.concatenate([*self._state, np.zeros(LINE)])
        self.recurrent: Array = joined[: joined.size // LINE * LINE].astype(np.float32)

    def _place_values(self, program: Program, hop: int) -> None:
        past = [0] * len(program.channels)
        for op in program.operations:
            if isinstance(op, Conv):
                past[op.src] = max(past[op.src], op.past)
        self.values = np.zeros((len(past), k.VALUE_SIZE), dtype=np.int64)
        at = 0
        whole = -(-hop // LANES) * LANES + LANES
        following = -1
        for v in range(len(past) - 1, -1, -1):
            self.values[v, k.MOVES_NEXT] = following
            following = v if past[v] else following
        step, lines = APART
        for v, (row, rows) in enumerate(zip(self.values, program.channels, strict=True)):
            reach = past[v] + -past[v] % LINE
            room = max(ROOM, hop) + v * step % lines * LINE
            stride = reach + whole + (room if reach else 0)
            stride += -stride % LINE
            row[: k.MOVES_NEXT] = (at, stride, reach, rows, reach)
            at += rows * stride
        self.floats = at

    def _floats(self, array: npt.NDArray[Any]) -> int:
        fixed = _aligned(np.asarray(array, dtype=np.float32).ravel())
        self._keep.append(fixed)
        return int(fixed.ctypes.data)

    def _encode(self, row: Any, op: Any, program: Program) -> None:
        row[k.DST], row[k.N_OUT] = op.dst, program.channels[op.dst]
        if isinstance(op, Layer):
            self._encode_layer(row, op)
        elif isinstance(op, Activate):
            row[k.CODE], row[k.SRC], row[k.KIND] = k.ACTIVATE, op.src, NUMBERS[op.kind]
            parameters = np.zeros((row[k.N_OUT], 4))
            parameters[:, : len(op.parameters)] = op.parameters
            if op.slopes is not None:
                parameters[:, 0] = op.slopes
            row[k.WEIGHT] = self._floats(parameters)
        elif isinstance(op, Combine):
            row[k.CODE], row[k.SRC], row[k.THIRD] = _COMBINE[op.kind], op.a, op.b
            row[k.EXTRA] = op.c if op.c >= 0 else op.a
        elif isinstance(op, Part):
            row[k.CODE], row[k.SRC], row[k.EXTRA] = k.PART, op.src, op.low
        elif isinstance(op, Scale):
            row[k.CODE], row[k.SRC], row[k.KIND] = k.SCALE, op.src, op.control
            row[k.WEIGHT] = self._floats(np.tile([op.factor, op.db, 0, 0], (row[k.N_OUT], 1)))
        elif isinstance(op, Stack):
            row[k.CODE], row[k.SRC], row[k.N_IN] = k.RECUR, op.src, program.channels[op.src]
            tiles, state, row[k.TAPS] = lay_out(op.layers, self._floats)
            row[k.KIND] = tiles.shape[1]
            row[k.WEIGHT], row[k.EXTRA] = len(self.tiles), sum(s.size for s in self._state)
            self.tiles.append(tiles)
            self._state.append(state)

    def _encode_layer(self, row: Any, layer: Layer) -> None:
        conv, mixer, shape = layer.conv, layer.mixer, layer.activation
        outputs = conv.weight.shape[0]
        row[k.CODE], row[k.SRC] = k.LAYER, conv.src
        row[k.N_IN], row[k.TAPS], row[k.DILATION] = *conv.weight.shape[1:], conv.dilation
        row[k.MIX] = row[k.INIT] = row[k.HEAD] = row[k.SKIP] = -1
        row[k.WRITTEN] = layer.written
        factors = [conv.weight.reshape(outputs, -1)]
        if mixer is not None:
            row[k.MIX], row[k.MIXED] = mixer.src, mixer.weight.shape[1]
            factors.append(mixer.weight[:, :, 0])
        if conv.init is not None:
            row[k.INIT] = conv.init
        if layer.head is not None:
            row[k.HEAD], row[k.TOTAL] = layer.head, layer.total
        if layer.second is not None:
            second = layer.second
            row[k.NEXT], row[k.OUTPUTS] = second.dst, second.weight.shape[0]
            row[k.SKIP] = -1 if second.init is None else second.init
            bias = np.zeros(row[k.OUTPUTS]) if second.bias is None else second.bias
            row[k.SECOND], row[k.SECOND_BIAS] = self._floats(second.weight), self._floats(bias)
        slopes = np.zeros(outputs)
        if shape is not None:
            row[k.KIND] = TANH if shape.kind == "Tanh" else LEAKY
            if shape.slopes is not None:
                slopes[:] = shape.slopes
            elif shape.parameters:
                slopes[:] = shape.parameters[0]
        bias = np.zeros(outputs) if conv.bias is None else conv.bias
        row[k.WEIGHT] = self._floats(_in_tiles(np.concatenate(factors, axis=1)))
        row[k.BIAS], row[k.SLOPE] = self._floats(bias), self._floats(slopes)


def _in_tiles(weight: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Order a weight ``[outputs, terms]`` by the tiles of rows the kernel takes."""
    edges = np.cumsum([0, *blocks_of(weight.shape[0])])
    return np.concatenate(
        [weight[a:b].T.ravel() for a, b in zip(edges[:-1], edges[1:], strict=True)]
    )

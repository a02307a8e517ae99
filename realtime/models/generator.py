"""A generator as any other model: its graph hears noise of a seed, whatever comes in.

The engine steps it like a converter, so mix, chain, presets, captures and hot swap work as ever;
what comes in is its dry side and nothing more.  Two controls are added to those of its card:
``seed``, which noise, and ``loop``, after how many seconds it begins again (0: never).
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ModelError
from ..native.intrinsics import call_step, view_f32, view_i64
from ..native.late_numba import cfunc, types
from .lag import Lag
from .noise import fill
from .streaming import StreamingModel, _step

Array = npt.NDArray[np.float32]
FADE_SECONDS = 0.01  # of a loop's end, which would be cut otherwise

STEP, RESET, ARGUMENT, X, SIZE, CHANNELS, Y, HOP, OUTER, INNER, N_INNER, PLACE, RATE = range(13)
RECORD_SIZE = 16


@cache
def step_function() -> Any:
    """C function ``step(record)``: noise in, one step of the graph, the end of a loop faded."""

    @cfunc(types.int64(types.int64), nopython=True, error_model="numpy", cache=True)
    def generator_step(record):  # type: ignore[no-untyped-def]
        r = view_i64(record, RECORD_SIZE)
        n, hop = r[N_INNER], r[HOP]
        outer, inner = view_f32(r[OUTER], n + 2), view_f32(r[INNER], n)
        loop = 0
        if outer[n + 1] > 0.0:
            loop = max(1, int(np.rint(outer[n + 1] * r[RATE] / hop)))
            if r[PLACE] >= loop:
                r[PLACE] = 0
                call_step(r[RESET], (r[ARGUMENT],))
        for i in range(n):
            inner[i] = outer[i]
        x = view_f32(r[X], (r[CHANNELS], r[SIZE]))
        fill(x[0], int(np.rint(outer[n])), r[PLACE] * r[SIZE])
        for c in range(1, r[CHANNELS]):
            for i in range(r[SIZE]):
                x[c, i] = x[0, i]
        status = call_step(r[STEP], (r[ARGUMENT],))
        if loop > 0:
            fade = int(np.ceil(FADE_SECONDS * r[RATE]))
            left = (loop - r[PLACE]) * hop  # samples from here to the loop's end
            if left - hop < fade:
                y = view_f32(r[Y], (r[CHANNELS], hop))
                for i in range(hop):
                    gain = np.float32(min(1.0, (left - 1 - i) / fade))
                    for c in range(r[CHANNELS]):
                        y[c, i] *= gain
        r[PLACE] += 1
        return status

    return generator_step


@cache
def reset_function() -> Any:
    """C function ``reset(record) -> 0``: back to the beginning of the music."""

    @cfunc(types.int64(types.int64), nopython=True, error_model="numpy", cache=True)
    def generator_reset(record):  # type: ignore[no-untyped-def]
        r = view_i64(record, RECORD_SIZE)
        r[PLACE] = 0
        return call_step(r[RESET], (r[ARGUMENT],))

    return generator_reset


class Generator:
    """See :class:`realtime.models.steppable.Steppable`.

    Parameters
    ----------
    model : StreamingModel
        Of kind ``generator`` in the waveform domain; owned and closed by this one.

    Attributes
    ----------
    card : Card
        As played: with the two further controls.
    x : ndarray
        Written by the engine, and not heard.
    """

    settling = 0
    lag = Lag()

    def __init__(self, model: StreamingModel) -> None:
        if model.card.spectrum is not None:
            model.close()
            raise ModelError("a generator makes samples, not frames; export a waveform model")
        self._model = model
        self.card = model.card.as_played()
        self.channels = model.channels
        self.x, self.y = np.zeros_like(model.x), model.y
        self.controls: Array = np.array([[c.default for c in self.card.controls]], np.float32)
        self._record = r = np.zeros(RECORD_SIZE, dtype=np.int64)
        r[STEP], r[RESET], r[ARGUMENT] = model.step_address, model.reset_address, model.argument
        r[X], r[SIZE], r[CHANNELS] = model.x.ctypes.data, model.x[0].size, model.channels
        r[Y], r[HOP], r[RATE] = model.y.ctypes.data, model.card.hop_length, model.card.sample_rate
        r[OUTER], r[INNER] = self.controls.ctypes.data, model.controls.ctypes.data
        r[N_INNER] = len(model.card.controls)
        self.step_address = int(step_function().address)
        self.reset_address = int(reset_function().address)
        self.argument = int(r.ctypes.data)

    def step(self, x: Array) -> Array:
        """Advance one hop and return a copy of the output (for tests and tools, not for audio)."""
        if _step(self.step_address, self.argument):
            raise ModelError(f"the model failed to run: {self.error}")
        return self.y.copy()

    @property
    def error(self) -> str | None:
        """Why the last failed step failed."""
        return self._model.error

    def reset(self) -> None:
        """Return to the beginning."""
        _step(self.reset_address, self.argument)

    def snapshot(self) -> Any:
        """Copy the state, for :meth:`restore`."""
        return self._model.snapshot(), self._record.copy(), self.controls.copy()

    def restore(self, snapshot: Any) -> None:
        """Put a :meth:`snapshot` back."""
        inner, record, controls = snapshot
        self._model.restore(inner)
        self._record[...] = record
        self.controls[...] = controls

    def close(self) -> None:
        """Free the graph; no step may run any more."""
        self._model.close()

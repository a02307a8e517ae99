"""Oversampling of a capture: copies side by side, each on every Nth sample at N times the rate.

Every layer of a capture looks back in steps of its own sample rate, so a copy that hears every Nth
sample of the finer signal is the very capture, in time and tone; together the copies make what the
capture would make of a finer signal, and the overtones that would have folded back into the sound
lie above it and are cut.  The filters (:mod:`realtime.dsp.halfband`) are laid out so that the delay
at low frequencies is a whole number of samples, which the card then declares.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ...dsp.halfband import MOST, Coefficients, delay, design, double, halve
from ...errors import ConfigError
from ...native.intrinsics import call_step, view_f32
from ...native.late_numba import cfunc, types
from ...native.records import F64, FLOAT, I64, INT, Array, Table
from ...parameters.parameter import Parameter
from ..lag import Lag
from ..steppable import call

if TYPE_CHECKING:
    from .player import CapturePlayer

FACTORS = (1, 2, 4, 8)
OVERSAMPLING = Parameter("oversampling", 1.0, 8.0, 1.0, "x", step=1.0, live=False, value=1.0)
LATENCY = {1: 0, 2: 2, 4: 3, 8: 3}  # samples
# coefficients of the filter between the rate and its double; the finer ones have room enough
_FIRST = {2: 4, 4: 5, 8: 4}
_FINER = ((3, 0.125), (2, 0.0625))
_FADING = 64  # samples in which the filters forget

OVERSAMPLER = Table(
    "oversampler",
    channels=INT, factor=INT, stages=INT, hop=INT, x=INT, y=INT,
    inner_x=INT, inner_y=INT, step=INT, reset=INT, argument=INT, rest=FLOAT,
    counts=Array(I64, "stages"), coefficients=Array(F64, f"stages, {MOST}"),
    up=Array(F64, f"channels, stages, 2, {MOST}"), down=Array(F64, f"channels, stages, 2, {MOST}"),
    work=Array(F64, "2, factor * hop"),
)  # fmt: skip
view_oversampler = OVERSAMPLER.view
_counts, _coefficients, _up, _down, _work = (
    OVERSAMPLER.array(n) for n in ("counts", "coefficients", "up", "down", "work")
)


def checked_factor(value: Any) -> int:
    """A factor of oversampling.

    Raises
    ------
    ConfigError
        It is none of :data:`FACTORS`.
    """
    if value not in FACTORS:
        known = ", ".join(map(str, FACTORS[:-1]))
        raise ConfigError(f"oversampling must be {known} or {FACTORS[-1]}, got {value:g}")
    return int(value)


@cache
def filters(factor: int) -> tuple[Coefficients, ...]:
    """The filters from the capture's rate up, whose delay is :data:`LATENCY`."""
    finer = [design(*numbers) for numbers in _FINER][: FACTORS.index(factor) - 1]
    rest = LATENCY[factor] - sum(delay(f) / 2 ** (i + 1) for i, f in enumerate(finer))
    low, high = 0.12, 0.24
    for _ in range(60):  # the delay falls as the edge rises
        middle = 0.5 * (low + high)
        above = delay(design(_FIRST[factor], middle)) > rest
        low, high = (middle, high) if above else (low, middle)
    return (design(_FIRST[factor], low), *finer)


@cache
def step_function() -> Any:
    """C function ``step(record) -> status``: one hop of all channels."""

    @cfunc(types.int64(types.int64), nopython=True, error_model="numpy", cache=True)
    def oversampled_step(record):  # type: ignore[no-untyped-def]
        r = view_oversampler(record)
        n, factor, hop = r.stages, r.factor, r.hop
        counts, coefficients, up, down, work = (
            _counts(r), _coefficients(r), _up(r), _down(r), _work(r),
        )  # fmt: skip
        x, y = view_f32(r.x, (r.channels, hop)), view_f32(r.y, (r.channels, hop))
        shape = (r.channels, factor, hop)
        inner_x, inner_y = view_f32(r.inner_x, shape), view_f32(r.inner_y, shape)
        for c in range(r.channels):
            for i in range(hop):
                work[0, i] = x[c, i]
            for s in range(n):
                a, b = s & 1, 1 - (s & 1)
                double(coefficients[s], counts[s], up[c, s], work[a], work[b], hop << s)
            last = n & 1
            for k in range(factor):
                for i in range(hop):
                    inner_x[c, k, i] = work[last, i * factor + k]
        status = call_step(r.step, (r.argument,))
        for c in range(r.channels):
            last = n & 1
            for k in range(factor):
                for i in range(hop):
                    work[last, i * factor + k] = inner_y[c, k, i]
            for s in range(n - 1, -1, -1):
                a, b = s & 1, 1 - (s & 1)
                halve(coefficients[s], counts[s], down[c, s], work[b], work[a], hop << s)
            for i in range(hop):
                y[c, i] = work[0, i]
        return status

    return oversampled_step


@cache
def reset_function() -> Any:
    """C function ``reset(record) -> status``: what endless silence leaves behind."""

    @cfunc(types.int64(types.int64), nopython=True, error_model="numpy", cache=True)
    def oversampled_reset(record):  # type: ignore[no-untyped-def]
        r = view_oversampler(record)
        up, down = _up(r), _down(r)
        for c in range(r.channels):
            for s in range(r.stages):
                for j in range(2):
                    for k in range(MOST):
                        up[c, s, j, k] = 0.0
                        down[c, s, j, k] = r.rest
        return call_step(r.reset, (r.argument,))

    return oversampled_reset


class Oversampled:
    """A capture at `factor` times its rate; see :class:`realtime.models.steppable.Steppable`.

    Parameters
    ----------
    make : callable ``(channels, together) -> CapturePlayer``
    channels, factor : int
    """

    error: str | None = None

    def __init__(
        self, make: Callable[[int, int], CapturePlayer], channels: int, factor: int
    ) -> None:
        self._inner = inner = make(channels * factor, factor)
        self.card = replace(inner.card, latency=LATENCY[factor])
        self.channels, self.controls = channels, inner.controls
        self.settling = inner.settling and inner.settling + LATENCY[factor] + _FADING
        self.x: npt.NDArray[np.float32] = np.zeros(self.card.step_shape(channels), np.float32)
        self.y: npt.NDArray[np.float32] = np.zeros_like(self.x)
        chosen = filters(factor)
        self._record = r = OVERSAMPLER.make(
            channels=channels, factor=factor, stages=len(chosen), hop=self.card.hop_length,
            x=self.x.ctypes.data, y=self.y.ctypes.data,
            inner_x=inner.x.ctypes.data, inner_y=inner.y.ctypes.data, step=inner.step_address,
            reset=inner.reset_address, argument=inner.argument, rest=inner.silent_output,
        )  # fmt: skip
        for row, found in enumerate(chosen):
            r.arrays["counts"][row] = len(found)
            r.arrays["coefficients"][row, : len(found)] = found
        self.step_address = int(step_function().address)
        self.reset_address = int(reset_function().address)
        self.argument = r.address
        self.reset()

    @property
    def lag(self) -> Lag:
        """How late the capture is by itself."""
        return self._inner.lag

    def step(self, x: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Advance one hop and return a copy of the output (for tests and tools)."""
        self.x[...] = x
        call(self.step_address, self.argument)
        return self.y.copy()

    def reset(self) -> None:
        """Return to the settled state."""
        call(self.reset_address, self.argument)

    def snapshot(self) -> Any:
        """Copy the state."""
        return self._inner.snapshot(), self._record.snapshot()

    def restore(self, snapshot: Any) -> None:
        """Put a :meth:`snapshot` back."""
        inner, record = snapshot
        self._inner.restore(inner)
        self._record.restore(record)

    def close(self) -> None:
        """Nothing to free beyond memory."""

"""A stand-in model that returns every step as it came: what remains is the host's own latency."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import cfunc, types

from realtime.models.card import Card
from realtime.native.intrinsics import view_f32, view_i64


@cache
def _copy() -> Any:
    @cfunc(types.int64(types.int64), nopython=True, error_model="numpy", cache=True)
    def copy(argument):  # type: ignore[no-untyped-def]
        slots = view_i64(argument, 3)
        x, y = view_f32(slots[0], slots[2]), view_f32(slots[1], slots[2])
        for i in range(slots[2]):
            y[i] = x[i]
        return 0

    return copy


@cache
def _nothing() -> Any:
    @cfunc(types.int64(types.int64), nopython=True, cache=True)
    def nothing(argument):  # type: ignore[no-untyped-def]
        return 0

    return nothing


class IdentityModel:
    """Has what the engine needs of :class:`realtime.models.streaming.StreamingModel`.

    Parameters
    ----------
    card : Card
        Whose domain and geometry to take over.
    """

    error, settling = None, 0

    def __init__(self, card: Card, channels: int = 1) -> None:
        self.card, self.channels = card, channels
        shape = card.step_shape(channels)
        self.x = np.zeros(shape, dtype=np.float32)
        self.y = np.zeros(shape, dtype=np.float32)
        self.controls = np.array([[c.default for c in card.controls]], dtype=np.float32)
        addresses = [self.x.ctypes.data, self.y.ctypes.data, self.x.size]
        self._slots = np.array(addresses, dtype=np.int64)
        self.argument = int(self._slots.ctypes.data)
        self.step_address = int(_copy().address)
        self.reset_address = int(_nothing().address)

    def reset(self) -> None:
        """Nothing to reset."""

    def snapshot(self) -> None:
        """Nothing to keep."""

    def restore(self, snapshot: None) -> None:
        """Nothing to put back."""

    def close(self) -> None:
        """Nothing to free."""

"""What the engine needs of a model, whatever is behind it."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from ..native.intrinsics import call_step, flush_denormals, restore_denormals
from ..native.late_numba import njit
from .card import Card
from .lag import Lag

Array = npt.NDArray[np.float32]


class Steppable(Protocol):
    """A model with its state at fixed addresses.

    Attributes
    ----------
    x, y : ndarray [shape=card.step_shape(channels), float32]
        Read and written by one step; owned by the model.
    controls : ndarray [shape=(1, n_controls), float32]
        Written by the engine before each step.
    step_address, reset_address : int
        C functions ``(argument) -> 0 on success``, callable without the GIL.
    settling : int [samples]
        After how many it has forgotten what was before; 0 where that is not known.
    error : str or None
        Why the last failed step failed.
    """

    card: Card
    channels: int
    x: Array
    y: Array
    controls: Array
    step_address: int
    reset_address: int
    argument: int
    settling: int

    @property
    def lag(self) -> Lag:
        """How late its sound is beyond what its card declares, and which way up."""

    @property
    def error(self) -> str | None:
        """Why the last failed step failed."""

    def step(self, x: Array) -> Array:
        """Advance one hop and return a copy of the output."""

    def reset(self) -> None:
        """Return to the initial state."""

    def snapshot(self) -> Any:
        """Copy the state."""

    def restore(self, snapshot: Any) -> None:
        """Put a :meth:`snapshot` back."""

    def close(self) -> None:
        """Free what is held; no step may run any more."""


NOTE_FIELDS = 7  # rows of a player's state "slots", see docs/model-format.md


class NoteSlots(NamedTuple):
    """Where a player keeps its notes.

    Attributes
    ----------
    slots : int
    sets : (int, int)
        Addresses of ``[NOTE_FIELDS, slots]`` float32, in turn the state in force.
    phase : int
        Address of an int64 that says which of the two is.
    """

    slots: int
    sets: tuple[int, int]
    phase: int


@runtime_checkable
class PlaysNotes(Protocol):
    """A model that may tell which notes it plays."""

    def note_slots(self) -> NoteSlots | None:
        """Where they stand, of the first channel; None where it does not tell."""


@njit(nogil=True, cache=True)
def call(function, argument):  # type: ignore[no-untyped-def]
    """Call a step or a reset as the engine does, denormals off."""
    old = flush_denormals()
    status = call_step(function, (argument,))
    restore_denormals(old)
    return status

"""A group: branches in parallel, aligned to the longest of them, each with a gain, and added.

What captures in a branch are late by themselves counts in the alignment, and a branch that they
turn upside down is turned back, so that two captures of one note add up.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from ..dsp.delay import DELAY_STATE, moving_delay
from ..dsp.mix import copy
from ..errors import ChainError
from ..native.intrinsics import view_f32
from ..native.late_numba import cfunc, njit, types
from ..native.records import F32, F64, I64, INT, Array, Table, as_bits
from ..parameters.parameter import HIGHEST_DB, LOWEST_DB, Parameter
from .edits import Line
from .placed import Slot
from .slot import SCRATCH, any_fades, lay_down, run_slots
from .stage import ANY_HOP, LONGEST_LATENCY, Block

MOST_BRANCHES = 8

GROUP = Table(
    "group",
    channels=INT, branches=INT, longest=INT, line_length=INT,
    slots=Array(I64, "branches"), counts=Array(I64, "branches"),
    delays=Array(I64, "branches"), delay_states=Array(I64, f"branches, {DELAY_STATE}"),
    delay_lines=Array(F32, "branches, channels, line_length"),
    signs=Array(F64, "branches"), decibels=Array(F32, "branches"), gains=Array(F64, "branches"),
    begun=INT,
    branch=Array(F32, "channels, longest"), aligned=Array(F32, "channels, longest"),
    total=Array(F32, "channels, longest"), scratch=Array(F32, f"{SCRATCH} * channels * longest"),
)  # fmt: skip
view_group = GROUP.view
_slots, _counts, _delays = (GROUP.array(n) for n in ("slots", "counts", "delays"))
_states, _lines = GROUP.array("delay_states"), GROUP.array("delay_lines")
_signs, _decibels, _gains = (GROUP.array(n) for n in ("signs", "decibels", "gains"))


@njit(nogil=True, error_model="numpy", cache=True)
def gather(g, k, sound, total):  # type: ignore[no-untyped-def]
    """Align what branch `k` made and add it to `total`, its gain moving to where it is wanted."""
    aligned = view_f32(g.aligned, sound.shape)
    moving_delay(sound, _lines(g)[k], _states(g)[k], _delays(g)[k], aligned)
    goal = _signs(g)[k] * 10.0 ** (float(_decibels(g)[k]) / 20.0)
    gains = _gains(g)
    start = gains[k] if g.begun != 0 else goal
    gains[k] = goal
    step = (goal - start) / sound.shape[1]
    for c in range(sound.shape[0]):
        for i in range(sound.shape[1]):
            total[c, i] += np.float32(start + step * (i + 1)) * aligned[c, i]


@njit(nogil=True, error_model="numpy", cache=True)
def gather_at(address, k, sound, total, last):  # type: ignore[no-untyped-def]
    """:func:`gather` by address, for Python callers."""
    g = view_group(address)
    gather(g, k, sound, total)
    if last:
        g.begun = 1


@cache
def step_function() -> Any:
    """C function ``step(group, block, n) -> 0`` for branches of native slots."""

    @cfunc(
        types.int64(types.int64, types.int64, types.int64),
        nopython=True,
        error_model="numpy",
        cache=True,
    )
    def group_step(address, block_address, n):  # type: ignore[no-untyped-def]
        g = view_group(address)
        shape = (g.channels, n)
        block, branch = view_f32(block_address, shape), view_f32(g.branch, shape)
        total = view_f32(g.total, shape)
        total[...] = 0.0
        for k in range(g.branches):
            copy(block, branch)
            run_slots(_slots(g)[k], _counts(g)[k], branch, g.scratch)
            gather(g, k, branch, total)
        g.begun = 1
        copy(total, block)
        return 0

    return group_step


@njit(nogil=True, error_model="numpy", cache=True)
def restart_at(address):  # type: ignore[no-untyped-def]
    """Have the stages inside start afresh when they run next."""
    g = view_group(address)
    for k in range(g.branches):
        lay_down(_slots(g)[k], _counts(g)[k])


@cache
def reset_function() -> Any:
    """C function ``reset(group) -> 0``: the stages inside start afresh when they run next."""

    @cfunc(types.int64(types.int64), nopython=True, error_model="numpy", cache=True)
    def group_reset(address):  # type: ignore[no-untyped-def]
        restart_at(address)
        return 0

    return group_reset


@cache
def fading_function() -> Any:
    """C function ``fading(group) -> 1`` while something in a branch fades."""

    @cfunc(types.int64(types.int64), nopython=True, error_model="numpy", cache=True)
    def group_fading(address):  # type: ignore[no-untyped-def]
        g = view_group(address)
        for k in range(g.branches):
            if any_fades(_slots(g)[k], _counts(g)[k]):
                return 1
        return 0

    return group_fading


class Group:
    """Branches in parallel; see :class:`realtime.engine.stage.Stage`.

    Parameters
    ----------
    branches : sequence of (sequence of Slot, gain [dB])
        At least one; a branch without slots is the sound as it came.

    Attributes
    ----------
    lines : list of Line
        One a branch.
    values : ndarray [shape=(branches,), float32]
        Gains in dB.

    Raises
    ------
    ChainError
        No branch, or too many.
    """

    name, hop, governed = "group", ANY_HOP, False

    def __init__(self, branches: Sequence[tuple[Sequence[Slot], float]]) -> None:
        if not 1 <= len(branches) <= MOST_BRANCHES:
            raise ChainError(f"a group has 1 to {MOST_BRANCHES} branches, got {len(branches)}")
        self._slots = [tuple(slots) for slots, _ in branches]
        self._decibels = [gain for _, gain in branches]
        self.native = all(s.native for slots in self._slots for s in slots)
        self.step_address = int(step_function().address)
        self.reset_address = int(reset_function().address)
        self.fading_address = int(fading_function().address)
        self.error = None
        self.lines: list[Line] = []

    error: str | None

    def prepare(self, sample_rate: int, channels: int, length: int) -> None:
        """Allocate for blocks ``[channels, length]``."""
        many, self._length = len(self._slots), length
        self.record = g = GROUP.make(
            channels=channels, branches=many, longest=length, line_length=LONGEST_LATENCY
        )
        self.argument = g.address
        self.values: npt.NDArray[np.float32] = g.arrays["decibels"]
        self.values[:] = self._decibels
        self._scratch = g.arrays["scratch"].reshape(SCRATCH, channels, length)
        addresses = (int(g.arrays[name].ctypes.data) for name in ("slots", "counts"))
        slots, counts = addresses
        self.lines = [Line(self._slots[k], slots + 8 * k, counts + 8 * k) for k in range(many)]
        for k, line in enumerate(self.lines):
            (_, pointer), (_, count) = line.stores()
            g.arrays["slots"][k], g.arrays["counts"][k] = pointer, count
        g.arrays["delays"][:] = self._delays()
        g.arrays["signs"][:] = self._turns()
        self.reset()

    @property
    def latency(self) -> int:
        """That of the longest branch [samples]."""
        return max(line.latency for line in self.lines)

    @property
    def settling(self) -> int:
        """Until the branches have started afresh and filled what aligns them [samples]."""
        most = max(line.settling for line in self.lines)
        return most + self.latency + self.lag + self._length

    @property
    def lag(self) -> int:
        """How late the latest branch is beyond :attr:`latency` [samples]."""
        return max(line.latency + line.lag for line in self.lines) - self.latency

    inverted = False

    def _delays(self) -> list[int]:
        latest = self.latency + self.lag
        return [latest - line.latency - line.lag for line in self.lines]

    def _turns(self) -> list[float]:
        return [-1.0 if line.inverted else 1.0 for line in self.lines]

    def delay_stores(self) -> list[tuple[int, int]]:
        """What aligns the branches to the latest of them, and turns them the right way up."""
        delays, signs = (int(self.record.arrays[n].ctypes.data) for n in ("delays", "signs"))
        return [
            *((delays + 8 * k, late) for k, late in enumerate(self._delays())),
            *((signs + 8 * k, as_bits(sign)) for k, sign in enumerate(self._turns())),
        ]

    def parameters(self) -> list[Parameter]:
        """The gain of each branch."""
        gains = self.values if self.lines else self._decibels
        return [
            Parameter(f"{k}.gain_db", LOWEST_DB, HIGHEST_DB, 0.0, "dB", value=float(gain))
            for k, gain in enumerate(gains, 1)
        ]

    def process(self, block: Block) -> Block:
        """Process one block with Python stages among the branches (worker thread)."""
        total = np.zeros_like(block)
        for k, line in enumerate(self.lines):
            branch = block.copy()
            line.process(branch, self._scratch)
            gather_at(self.argument, k, branch, total, k == len(self.lines) - 1)
        return total

    def restart(self) -> None:
        """Have the stages inside start afresh when they run next."""
        restart_at(self.argument)

    def turn(self, number: int, value: float) -> bool:
        """Take a gain; it ramps over the next block."""
        self.values[number] = value
        return True

    def take(self, number: int, value: float) -> None:
        """The same."""
        self.values[number] = value

    def reset(self) -> None:
        """Return branches and their slots to the initial state (not live)."""
        g = self.record
        g.arrays["delay_lines"][...] = 0.0
        for k, line in enumerate(self.lines):
            for slot in line.slots:
                slot.reset()
            delay = int(g.arrays["delays"][k])
            g.arrays["delay_states"][k] = (0, delay, delay, 0)
        g["begun"] = 0

    def close(self) -> None:
        """Free the stages inside."""
        for slot in (s for slots in self._slots for s in slots) if not self.lines else ():
            slot.close()
        for line in self.lines:
            for slot in line.slots:
                slot.close()

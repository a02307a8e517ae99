"""Edits: changes of the slots that whoever runs a path makes between two hops.

Everything is prepared in the caller's thread: new slots, the list of addresses that the path then
has, the latencies that follow.  What remains for the audio thread is to store a few numbers.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from ..native.records import Store
from .hop import EDIT
from .placed import Slot
from .stage import Lags


class Edit:
    """A change, ready to be made.

    Parameters
    ----------
    stores : sequence of (address, int64)
        In order.
    at : int [samples]
        Position of the path from which it may be made; 0 for the next hop.
    condition : int
        Address of a number that must be zero before it is made; 0 for none.
    gone : Slot or None
        What is out of the sound once it has been made.
    """

    def __init__(
        self, stores: Sequence[Store], at: int = 0, condition: int = 0, gone: Slot | None = None
    ) -> None:
        self._record = EDIT.make(at=at, condition=condition, taken=-1, count=len(stores))
        self._record.arrays["stores"][...] = np.array(stores, dtype=np.int64).reshape(-1, 2)
        self.address, self._gone = self._record.address, gone

    @property
    def taken(self) -> int | None:
        """Position of the path at which it was made [samples], or None."""
        taken = int(self._record["taken"])
        return None if taken < 0 else taken

    def free(self) -> None:
        """Close what is out of the sound now."""
        if self._gone is not None:
            self._gone.close()


class Line:
    """Slots in series, as Python and as compiled code know them.

    Parameters
    ----------
    slots : sequence of Slot
    where_slots, where_count : int
        Addresses of the two fields that compiled code reads.

    Attributes
    ----------
    slots : tuple of Slot
        Those on their way out included, as they are once all edits are made.
    """

    def __init__(self, slots: Sequence[Slot], where_slots: int, where_count: int) -> None:
        self.slots = tuple(slots)
        self._where = where_slots, where_count
        self._known: dict[int, tuple[npt.NDArray[np.int64], tuple[Slot, ...]]] = {}

    @property
    def present(self) -> list[Slot]:
        """The slots without those on their way out."""
        return [s for s in self.slots if s.present]

    @property
    def latency(self) -> int:
        """Sum of the slots' latencies [samples]."""
        return sum(s.latency for s in self.slots)

    @property
    def lag(self) -> int:
        """Sum of what the stages are late by themselves [samples]."""
        return sum(s.stage.lag for s in self.present if isinstance(s.stage, Lags))

    @property
    def inverted(self) -> bool:
        """Whether the stages together turn the sound upside down."""
        turns = sum(s.stage.inverted for s in self.present if isinstance(s.stage, Lags))
        return turns % 2 == 1

    @property
    def settling(self) -> int:
        """How long slots that all start afresh take until each is heard [samples]."""
        return sum(s.settling for s in self.present)

    @property
    def native(self) -> bool:
        """Whether compiled code alone can run them."""
        return all(s.native for s in self.slots)

    def walk(self) -> Iterator[Slot]:
        """All slots, those inside groups, too."""
        for slot in self.slots:
            yield slot
            for stage in slot.stages():
                for line in getattr(stage, "lines", ()):
                    yield from line.walk()

    def stores(self) -> list[Store]:
        """What has compiled code run these slots."""
        addresses = np.array([s.address for s in self.slots], dtype=np.int64)
        pointer = int(addresses.ctypes.data)
        self._known[pointer] = addresses, self.slots
        slots, count = self._where
        return [(slots, pointer), (count, len(self.slots))]

    def collect(self) -> None:
        """Forget the lists that were in force before (control thread, no edit waits)."""
        pointer = self._pointer()
        self._known = {pointer: self._known[pointer]}

    def _pointer(self) -> int:
        """Where the addresses lie that are in force."""
        return int(ctypes.c_int64.from_address(self._where[0]).value)

    def process(self, block: npt.NDArray[np.float32], scratch: npt.NDArray[np.float32]) -> None:
        """Run the slots in force over a block in place (worker thread)."""
        for slot in self._known[self._pointer()][1]:
            slot.process(block, scratch)

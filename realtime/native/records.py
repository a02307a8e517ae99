"""Records: numbers and addresses that compiled code works on, each laid out by one table.

The audio callback gets one address and nothing else; behind it lies a record.  Its table names
every field once; scalar type, allocation and the compiled views of its arrays follow from it::

    STAGE = Table("stage", channels=INT, latency=INT, level=FLOAT, last=Array(F32, "channels"))
    view_stage = STAGE.view                     # address -> record
    stage_last = STAGE.array("last")            # record -> ndarray [channels]

    memory = STAGE.make(channels=2)             # allocates `last`, writes its address
    memory.address, memory["level"], memory.arrays["last"]

A shape is written in terms of the record's own integers.  Fields of arrays that another part of the
program owns are plain ``INT`` addresses, or get their array by :meth:`Record.place`.
"""

from __future__ import annotations

import re
import struct
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .intrinsics import pointer_to, view_f32, view_f64, view_i64
from .late_numba import carray, njit

INT, FLOAT = np.int64, np.float64
F32, F64, I64 = np.float32, np.float64, np.int64

Store = tuple[int, int]  # an address, and the int64 that goes there

_VIEWS = {F32: "view_f32", F64: "view_f64", I64: "view_i64"}


class Array(NamedTuple):
    """An array that a record points to.

    Attributes
    ----------
    dtype : type
        ``F32``, ``F64`` or ``I64``.
    shape : str
        Sizes with commas between, each an expression of the record's integers.
    """

    dtype: Any
    shape: str


class Table:
    """The layout of one kind of record.

    Parameters
    ----------
    name : str
        For messages.
    **fields
        ``INT``, ``FLOAT`` or an :class:`Array`, in any order; zero until set.

    Attributes
    ----------
    dtype : numpy.dtype
    view : compiled function ``address -> record`` (borrowed)
    """

    def __init__(self, name: str, **fields: Any) -> None:
        self.name, self.fields = name, fields
        self.arrays = {n: f for n, f in fields.items() if isinstance(f, Array)}
        kinds = [(n, INT if n in self.arrays else f) for n, f in fields.items()]
        self.dtype = np.dtype(kinds)
        pointer = pointer_to(self.dtype)

        @njit(inline="always")
        def view(address):  # type: ignore[no-untyped-def]
            return carray(pointer(address), 1)[0]

        self.view = view
        self._names = re.compile(r"\b[a-z_]\w*\b")

    def array(self, field: str) -> Any:
        """The compiled view of an array: ``record -> ndarray`` (borrowed)."""
        kind, shape = self.arrays[field]
        sizes = self._names.sub(lambda name: f"r.{name[0]}", shape)
        space: dict[str, Any] = {"view_f32": view_f32, "view_f64": view_f64, "view_i64": view_i64}
        exec(f"def {field}(r):\n    return {_VIEWS[kind]}(r.{field}, ({sizes},))", space)
        return njit(inline="always")(space[field])

    def make(self, *unallocated: str, **values: float) -> Record:
        """A new record with `values`, and its arrays but for those named."""
        record = Record(self, np.zeros(1, dtype=self.dtype))
        for name, value in values.items():
            record[name] = value
        for name in self.arrays:
            if name not in unallocated:
                record.allocate(name)
        return record

    def shape(self, record: Any, field: str) -> tuple[int, ...]:
        """Sizes of an array by the numbers of a record."""
        sizes = self.arrays[field].shape
        known = {n: int(record[n]) for n in self._names.findall(sizes)}
        return tuple(int(eval(part, {"__builtins__": {}}, known)) for part in sizes.split(","))

    def offset(self, field: str) -> int:
        """Bytes from a record's address to one of its fields."""
        fields = self.dtype.fields
        assert fields is not None
        return fields[field][1]


class Record:
    """Owner of one record and of the arrays it points to.

    Attributes
    ----------
    address : int
        What compiled code is given.
    arrays : dict of str to ndarray
        Those allocated or placed here, kept as long as the record is used.
    """

    def __init__(self, table: Table, memory: npt.NDArray[np.void]) -> None:
        self.table, self.memory = table, memory
        self.fields: Any = memory[0]
        self.address = int(memory.ctypes.data)
        self.arrays: dict[str, npt.NDArray[Any]] = {}

    def __getitem__(self, field: str) -> Any:
        return self.fields[field]

    def __setitem__(self, field: str, value: Any) -> None:
        self.fields[field] = value

    def where(self, field: str) -> int:
        """Address of a field."""
        return self.address + self.table.offset(field)

    def allocate(self, field: str) -> npt.NDArray[Any]:
        """Give an array field zeroed memory, every page touched."""
        kind, _ = self.table.arrays[field]
        array: npt.NDArray[Any] = np.empty(self.table.shape(self.fields, field), dtype=kind)
        array.fill(0)
        return self.place(field, array)

    def place(self, field: str, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Point a field at an array that is kept here from now on."""
        self.arrays[field] = array
        self[field] = array.ctypes.data
        return array

    def snapshot(self) -> Any:
        """Copy the record and its arrays (not while it is used), for :meth:`restore`."""
        return self.memory.copy(), {n: a.copy() for n, a in self.arrays.items()}

    def restore(self, snapshot: Any) -> None:
        """Put a :meth:`snapshot` back (not while it is used)."""
        memory, arrays = snapshot
        self.memory[...] = memory
        for name, array in arrays.items():
            self.arrays[name][...] = array


def as_bits(value: float) -> int:
    """A float's bits, for a :data:`Store`."""
    return int(struct.unpack("<q", struct.pack("<d", value))[0])

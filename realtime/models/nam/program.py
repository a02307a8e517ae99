"""A capture as a straight-line program over signals, the form all further parts work on.

Every value is a signal ``[channels, time]``; value 0 is the input.  Operations are causal and
listed in the order they run.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ...errors import ModelError
from .limits import MAX_FACTORS, MAX_HISTORY, MAX_REACH

Float = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Conv:
    """``dst = init + bias + conv(src)``; weight ``[outputs, inputs, kernel]``, newest tap last."""

    src: int
    dst: int
    weight: Float
    bias: Float | None
    dilation: int = 1
    init: int | None = None

    @property
    def past(self) -> int:
        """Samples of `src` needed before the current one."""
        return (self.weight.shape[2] - 1) * self.dilation


@dataclass(frozen=True)
class Activate:
    """``dst = f(src)`` element by element; see :mod:`.activations`."""

    src: int
    dst: int
    kind: str
    parameters: tuple[float, ...] = ()
    slopes: Float | None = None


@dataclass(frozen=True)
class Combine:
    """``add``: a + b; ``multiply``: a b; ``blend``: a + c (b - a)."""

    kind: str
    a: int
    b: int
    dst: int
    c: int = -1


@dataclass(frozen=True)
class Part:
    """``dst`` is the channels ``low .. high - 1`` of ``src``."""

    src: int
    dst: int
    low: int
    high: int


@dataclass(frozen=True)
class Scale:
    """``dst = src * factor * 10 ** (control * db / 20)``; control -1 is none."""

    src: int
    dst: int
    factor: float
    control: int = -1
    db: float = 0.0


@dataclass(frozen=True)
class Recur:
    """LSTM layer, gates in the order input, forget, cell, output.

    ``weight [4 hidden, inputs + hidden]``, ``bias [4 hidden]``; initial ``hidden`` and ``cell``.
    """

    src: int
    dst: int
    weight: Float
    bias: Float
    hidden: Float
    cell: Float


Operation = Conv | Activate | Combine | Part | Scale | Recur


@dataclass
class Program:
    """Operations under construction; `channels` lists the width of every value."""

    channels: list[int] = field(default_factory=lambda: [1])
    operations: list[Operation] = field(default_factory=list)
    output: int = 0
    defaults: tuple[float, ...] = (0.0, 0.0)  # of the controls: as the file has it
    condition: int | None = None  # what a WaveNet's layers hear besides their input
    _factors: int = 0

    def value(self, channels: int) -> int:
        """Number of a new value."""
        self.channels.append(channels)
        return len(self.channels) - 1

    def conv(
        self,
        src: int,
        weight: Float,
        bias: Float | None = None,
        dilation: int = 1,
        init: int | None = None,
    ) -> int:
        """Append a convolution."""
        if dilation < 1 or (weight.shape[2] - 1) * dilation > MAX_REACH or not weight.size:
            raise ModelError(
                f"a layer of {weight.shape[2]} taps with dilation {dilation} is not possible;"
                f" dilations are at least 1 and layers look back at most {MAX_REACH} samples"
            )
        if weight.shape[1] != self.channels[src]:
            raise ModelError(
                f"a layer takes {weight.shape[1]} channels but gets {self.channels[src]}"
            )
        if init is not None and self.channels[init] != weight.shape[0]:
            raise ModelError(
                f"a layer of {weight.shape[0]} channels is added to {self.channels[init]}"
            )
        dst = self.value(weight.shape[0])
        self.operations.append(Conv(src, dst, weight, bias, dilation, init))
        self._factors += weight.size
        if self._factors > MAX_FACTORS:
            raise ModelError(f"the capture has more than {MAX_FACTORS} weights")
        return dst

    def combine(self, kind: str, a: int, b: int, c: int = -1) -> int:
        """Append a combination of equally wide values."""
        if self.channels[a] != self.channels[b]:
            raise ModelError(f"{self.channels[a]} and {self.channels[b]} channels are combined")
        dst = self.value(self.channels[a])
        self.operations.append(Combine(kind, a, b, dst, c))
        return dst

    def part(self, src: int, low: int, high: int) -> int:
        """Append a choice of channels."""
        dst = self.value(high - low)
        self.operations.append(Part(src, dst, low, high))
        return dst

    def scale(self, src: int, factor: float, control: int = -1, db: float = 0.0) -> int:
        """Append a scaling."""
        dst = self.value(self.channels[src])
        self.operations.append(Scale(src, dst, factor, control, db))
        return dst

    def drop_unused(self) -> None:
        """Leave out operations whose result nothing reads, such as the last layer's residual."""
        needed = {self.output}
        kept: list[Operation] = []
        for op in reversed(self.operations):
            if op.dst in needed:
                kept.append(op)
                needed.update(sources(op))
        self.operations = kept[::-1]

    def check_size(self) -> None:
        """Refuse what would take gigabytes to settle."""
        needs = sum(self.channels) * self.receptive_field
        if needs > MAX_HISTORY:
            raise ModelError(
                f"the capture needs {needs} samples of history, at most {MAX_HISTORY} are possible"
            )

    @property
    def receptive_field(self) -> int:
        """Samples after which silence has reached its steady state (recurrent layers aside)."""
        reach = [0] * len(self.channels)
        for op in self.operations:
            reach[op.dst] = max(reach[s] for s in sources(op))
            if isinstance(op, Conv):
                reach[op.dst] = max(reach[op.dst], reach[op.src] + op.past)
        return reach[self.output] + 1


def sources(op: Operation) -> tuple[int, ...]:
    """The values that `op` reads."""
    if isinstance(op, Combine):
        return (op.a, op.b) if op.c < 0 else (op.a, op.b, op.c)
    if isinstance(op, Conv) and op.init is not None:
        return (op.src, op.init)
    return (op.src,)


def dense(weight: Float, groups: int) -> Float:
    """Write a grouped weight ``[outputs, inputs / groups, kernel]`` as an ordinary one."""
    if groups == 1:
        return weight
    outputs, inputs, kernel = weight.shape
    if weight.size * groups > MAX_FACTORS:
        raise ModelError(f"a layer of {groups} groups has more than {MAX_FACTORS} weights")
    full = np.zeros((outputs, inputs * groups, kernel))
    step = outputs // groups
    for g in range(groups):
        rows = slice(g * step, (g + 1) * step)
        full[rows, g * inputs : (g + 1) * inputs] = weight[rows]
    return full

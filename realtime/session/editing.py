"""Edits inside the path: slots are built, and a list of stores makes the path follow them.

An :class:`~realtime.engine.edits.Edit` is wholly prepared here, by whoever makes the changes, and
taken between two hops by whoever runs the path.  What leaves fades first; its memory is given back
when nothing of it is heard any more.
"""

from __future__ import annotations

from ..engine.edits import Edit, Line
from ..engine.group import Group
from ..engine.path import check_latency
from ..engine.placed import Slot
from ..errors import ConfigError
from ..native.records import Store
from .builder import Builder, Shape
from .operations import OWN, Insert, Lane, Load, Move, Operation, Period, Remove, Swap
from .sound import Stage
from .stream import Stream


class Editing:
    """What changes one stage of the path that plays, and lets the others play on.

    Parameters
    ----------
    builder : Builder
        Of stages that come in.
    stream : Stream
        Whose path is edited.
    """

    def __init__(self, builder: Builder, stream: Stream) -> None:
        self._builder, self._stream = builder, stream

    def slot(self, identity: int) -> Slot:
        """The slot of a stage that is present.

        Raises
        ------
        ConfigError
            There is none.
        """
        slot = self._stream.path.slot(identity)
        if slot is None or not slot.present:
            raise ConfigError(f"there is no stage {identity}")
        return slot

    def stays(self, operation: Operation, shape: Shape) -> bool:
        """Whether the path can stay: nothing but its list of stages changes, at the same hop."""
        if isinstance(operation, Load | Lane | Period) or self._stream.fixed_latency is not None:
            return False
        path = self._stream.path
        return shape == (path.sample_rate, path.hop, path.native)

    def make(self, operation: Operation, shape: Shape, at: int) -> Edit:
        """Prepare an edit and hand it to whoever runs the path; the first of it is returned."""
        path = self._stream.path
        if isinstance(operation, Insert):
            slot = self._built(operation.stage, shape)
            slot.enter()
            line = self._line(operation.group, operation.branch)
            index = _index(line, operation.index)
            line.slots = (*line.slots[:index], slot, *line.slots[index:])
            edits = [Edit([*line.stores(), *self._follow()], at)]
        elif isinstance(operation, Swap):
            slot = self.slot(operation.identity)
            stores = slot.replace(self._built(operation.stage, shape))
            edits = [Edit([*stores, *self._follow()], at, slot.incoming)]
        elif isinstance(operation, Remove):
            slot, line = self._found(operation.identity)
            edits = [*self._leave(slot, line, at)]
        else:
            assert isinstance(operation, Move)
            slot, line = self._found(operation.identity)
            edits = [*self._move(slot, line, operation.index, at)]
        for edit in edits:
            path.make(edit)
        return edits[0]

    def _built(self, stage: Stage, shape: Shape) -> Slot:
        """A slot that is to come into the path."""
        slot = self._builder.slot(stage, shape)
        try:
            check_latency(self._stream.path.latency + slot.latency)
        except ConfigError:
            slot.close()
            raise
        return slot

    def _follow(self) -> list[Store]:
        """What follows from a change of the slots, wherever latencies are read."""
        return [*self._stream.path.shape_stores(), *self._stream.voice.latency_stores()]

    def _leave(self, slot: Slot, line: Line, at: int) -> list[Edit]:
        slot.present = False
        first = Edit([*slot.leave_stores(), *self._follow()], at)
        line.slots = tuple(s for s in line.slots if s is not slot)
        last = [*line.stores(), *self._stream.path.shape_stores()]
        return [first, Edit(last, condition=slot.record.where("presence"), gone=slot)]

    def _move(self, slot: Slot, line: Line, index: int, at: int) -> list[Edit]:
        slot.present = False
        first = Edit([*slot.leave_stores(), *self._follow()], at)
        starve = Edit(slot.starve_stores(), condition=slot.record.where("presence"))
        rest = tuple(s for s in line.slots if s is not slot)
        line.slots = rest
        place = _index(line, index)
        line.slots = (*rest[:place], slot, *rest[place:])
        slot.present = True
        back = [*slot.enter_stores(), *line.stores(), *self._follow()]
        return [first, starve, Edit(back, condition=slot.placed.record.where("fed"))]

    def _found(self, identity: int) -> tuple[Slot, Line]:
        """A slot, and the line it stands in."""
        slot = self.slot(identity)
        return slot, next(line for line in self._stream.path.lines() if slot in line.slots)

    def _line(self, group: int, branch: int) -> Line:
        """The path's own line, or that of a group's branch."""
        if group == OWN:
            return self._stream.path.line
        stage = self.slot(group).stage
        assert isinstance(stage, Group)
        return stage.lines[branch]


def _index(line: Line, index: int) -> int:
    """Where place `index` among the present slots lies among all of a line."""
    present = [i for i, s in enumerate(line.slots) if s.present]
    return present[index] if 0 <= index < len(present) else len(line.slots)

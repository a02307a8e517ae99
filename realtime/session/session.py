"""A session: a stream that plays a :class:`~realtime.session.sound.Setup`, changed by operations.

::

    sound = Sound(stages=(Stage(model="tube-amp", identity=1),))
    with Session(Setup(sound), device) as session:
        session.do(Insert(Stage(effect="Reverb", identity=2)))
        session.do(Set(2, "room_size", 0.8))
        session.wait(10.0)

An operation changes the setup (:mod:`realtime.session.operations`), and the path is made to follow:
by an edit between two hops where the path can stay, else by another path that is crossfaded to.
The same operation does the same live, from the control process, and in a replay; every change is
logged with the position at which the sound took it up.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, NamedTuple

import msgspec
import numpy.typing as npt

from ..dsp.dynamics import db_to_gain, gain_to_db
from ..engine.edits import Edit, Line
from ..engine.group import Group
from ..engine.hop import OUTPUT_GAIN, PATH_MIX
from ..engine.path import EDITS, GAINS, check_latency
from ..engine.placed import Mark, Slot
from ..errors import ConfigError
from ..native.events import EventQueue
from ..native.records import Store
from ..parameters.parameter import Parameter
from ..stream.maps import engine_channels
from ..stream.transport import Follower, Transport
from .builder import Builder, Shape
from .events import from_event, to_event
from .names import STAGE_PARAMETERS
from .operations import (
    OWN,
    DropScene,
    Insert,
    KeepScene,
    Lane,
    Load,
    Move,
    Operation,
    Panic,
    Period,
    Prepare,
    Recall,
    Remove,
    Set,
    Swap,
    UseDevice,
)
from .shelf import Interrupted, Shelf
from .sound import Setup, Stage
from .stream import Stream

STEADY_BLOCKS = 16  # of one size, before the path is fitted to it
MOST_WAITING = EDITS // 2  # edits with positions of their own that are made ready beforehand


class Change(NamedTuple):
    """A change the sound took up.

    Attributes
    ----------
    position : int [samples]
        Of the stream, from which it is heard.
    at : int or None [samples]
        Of the path, where it was an edit of one; None where the callback crossfaded to another.
    lane : str
        In which it plays from then on.
    operation : Operation
    """

    position: int
    at: int | None
    lane: str
    operation: Operation


class Session:
    """A stream with a setup.

    Parameters
    ----------
    setup : Setup
        Every stage with an identity of its own.
    device : Transport
    mark : ndarray [int64], optional
        Where the running stage's identity is written, see :class:`realtime.engine.placed.Slot`.
    record, events : optional
        Shared memory for the stream, see :class:`realtime.session.stream.Stream`.
    progress : callable
        See :class:`realtime.session.builder.Builder`.

    Attributes
    ----------
    setup : Setup
        As it is after the operations made; :meth:`now` adds what events have set since.
    log : list of Change
        Changes heard out so far.
    interrupted : callable
        Whether something waits that goes before :meth:`load_next`.
    """

    def __init__(
        self,
        setup: Setup,
        device: Transport,
        *,
        mark: Mark | None = None,
        record: npt.NDArray[Any] | None = None,
        events: EventQueue | None = None,
        progress: Callable[[str], None] = lambda text: None,
    ) -> None:
        _check_identities(setup)
        self.device, self.setup = device, setup
        wanted = engine_channels(setup.device.channels, setup.device.in_map)
        self.channels = wanted or max(1, device.in_channels)
        self._builder = Builder(
            self.channels,
            device.sample_rate,
            device.block_size,
            mark,
            progress,
            setup.device.input_level_dbu,
        )
        self.log: list[Change] = []
        self._pending: list[tuple[Operation, Edit | None]] = []
        self.stream = Stream(
            self._builder.path(setup.sound),
            device,
            lane=setup.device.lane,
            worker_blocks=setup.device.worker_blocks,
            in_map=setup.device.in_map,
            out_map=setup.device.out_map,
            bypass=setup.sound.bypass,
            fixed_latency=setup.device.fixed_latency,
            record=record,
            events=events,
        )
        self.interrupted: Callable[[], bool] = lambda: False
        self._beside = Builder(
            self.channels,
            device.sample_rate,
            device.block_size,
            mark,
            self._go_on,
            setup.device.input_level_dbu,
        )
        self._shelf = Shelf(
            self._beside.path,
            lambda path, before: self.stream.prepare(path, before, self.setup.device.lane),
        )
        self._shelf.want(setup.shelf)
        self.stream.kept = self._shelf.give_back

    def _go_on(self, text: str) -> None:
        if self.interrupted():
            raise Interrupted

    @property
    def all_loaded(self) -> bool:
        """Whether :meth:`load_next` has nothing to do."""
        return self._shelf.complete

    @property
    def only_resets(self) -> bool:
        """Whether :meth:`load_next` has a sound to reset, which is soon done, and none to build."""
        return self._shelf.used

    def is_loaded(self, operation: Operation) -> bool:
        """Whether an operation changes to a sound that is loaded, and so takes no time."""
        return isinstance(operation, Load) and self._shelf.has(operation.sound)

    def load_next(self) -> bool:
        """Load one of the sounds that are kept beside the one that plays, or none.

        Called off, to be tried again, when :attr:`interrupted` says so between two stages.

        Returns
        -------
        bool
            Whether there was one to load.
        """
        try:
            return self._shelf.load_next()
        except Interrupted:
            return True

    # -- operations -----------------------------------------------------------------------------

    def do(
        self,
        operation: Operation,
        at: int | None = None,
        wait: bool = True,
        lane: str | None = None,
    ) -> Setup:
        """Make a change; it is wholly prepared before any of it is heard.

        Parameters
        ----------
        at : int [samples], optional
            Position of the path for an edit, of the stream for a parameter; by default the next
            block.
        wait : bool
            Return when the change has been heard out, so that what is returned holds.
        lane : str, optional
            Where another path is needed, its lane; by default the setup's.

        Returns
        -------
        Setup
            What plays.

        Raises
        ------
        RestyleError
            The operation cannot be made; the sound goes on as it was.
        """
        before = self.now()
        setup = operation.apply(before)
        _check_identities(setup)
        by: Operation = operation
        if isinstance(operation, Set):
            if self._is_live(operation):
                self._set(operation, at)
                self.setup = setup
                return setup
            changed = setup.sound.find(operation.identity)
            assert changed is not None
            by = Swap(operation.identity, changed)
        if isinstance(operation, Period):
            self.device.block_size = operation.samples
            self._builder.set_block(operation.samples)
            self._beside.set_block(operation.samples)
        if isinstance(operation, KeepScene | DropScene | Prepare):
            self._shelf.want(setup.shelf)
            self.setup = setup
            return setup
        if isinstance(operation, Recall):
            for turn in operation.turns(before.sound):
                with suppress(ConfigError):  # of a stage that has no such parameter any more
                    self._set(turn, at)
            self.setup = setup
            return setup
        if isinstance(operation, UseDevice):
            raise ConfigError("a stream cannot change its device; open another one beside it")
        if at is None or self.stream.path.edits_waiting > MOST_WAITING:
            self.settle()  # with a position, the changes before it have theirs, too
        edit = None
        own = {"bypass": float(setup.sound.bypass)}
        ready = self._shelf.take(setup.sound) if isinstance(operation, Load) else None
        if isinstance(operation, Load) and ready is not None:
            self.stream.change_to(ready, own, operation.tail)
        elif isinstance(operation, Load):
            path = self._builder.path(setup.sound)
            self.stream.replace(path, lane or setup.device.lane, own, operation.tail)
        elif isinstance(operation, Panic):
            self._panic(setup, own)
        elif self._stays(shape := self._builder.shape(setup.sound.stages), operation):
            self._shelf.spoil(self.stream.path)
            edit = self._edit(by, shape, at or 0)
        else:
            path = self._builder.path(setup.sound)
            self._shelf.spoil(self.stream.path)
            self.stream.replace(path, lane or setup.device.lane)
            if isinstance(operation, Period):  # what is loaded does not fit any more
                self._shelf.want(())
                self._shelf.want(setup.shelf)
        self.setup = setup
        self._pending.append((operation, edit))
        if wait:
            self.settle()
        return self.setup

    def follow(self) -> bool:
        """Fit the path to a device that has come to bring blocks of another size.

        To be called now and then by whoever makes the changes; :meth:`wait` does.

        Returns
        -------
        bool
            Whether something has changed.

        Raises
        ------
        RestyleError
            No path fits the new size; what plays goes on.
        """
        device, counted = self.device, self.stream.memory.record
        block = int(counted["last_block"])
        if block == device.block_size or counted["same_blocks"] < STEADY_BLOCKS:
            return False
        if not isinstance(device, Follower) or not device.follow(block):
            return False
        self.do(Period(block))
        return True

    def _panic(self, setup: Setup, own: dict[str, float]) -> None:
        """Silence at once what plays, and change to the same sound, built anew."""
        old = self.stream.path.record.arrays["targets"]
        gain, old[OUTPUT_GAIN] = float(old[OUTPUT_GAIN]), 0.0  # of this path, not of the next
        try:
            path = self._builder.path(setup.sound)
            self.stream.replace(path, setup.device.lane, own)
        except BaseException:
            old[OUTPUT_GAIN] = gain
            raise

    def settle(self) -> None:
        """Wait until the changes made have been heard out, and log where each began."""
        try:
            self.stream.settle()
        finally:
            self._log()

    def _log(self) -> None:
        """Log what the sound has taken up."""
        pending, self._pending = self._pending, []
        for operation, edit in pending:
            if edit is None:
                position, at = int(self.stream.memory.record["swap_position"]), None
            elif edit.taken is None:
                continue
            else:
                at = edit.taken
                ratio = float(self.stream.voice.record["ratio"])
                position = int(self.stream.path.record["start"]) + int(at / ratio)
            self.log.append(Change(position, at, self.stream.lane, operation))

    def _is_live(self, operation: Set) -> bool:
        """Whether an event can set it; else the stage is made anew, as its latency changes."""
        if operation.identity == OWN or any(operation.name == p.name for p in STAGE_PARAMETERS):
            return True
        placed = self._slot(operation.identity).placed
        parameter = placed.parameters[placed.number(operation.name)]
        parameter.number(operation.value, placed.stage.name)
        return parameter.live

    def _set(self, operation: Set, at: int | None) -> None:
        """Send a parameter's new value, checked, as an event."""
        event = to_event(operation.identity, operation.name, operation.value, self.parameters())
        self.stream.send(*event, at)

    def _slot(self, identity: int) -> Slot:
        slot = self.stream.path.slot(identity)
        if slot is None or not slot.present:
            raise ConfigError(f"there is no stage {identity}")
        return slot

    # -- edits inside the path --------------------------------------------------------------------

    def _stays(self, shape: Shape, operation: Operation) -> bool:
        """Whether the path can stay: nothing but its list of stages changes, at the same hop."""
        if isinstance(operation, Load | Lane | Period) or self.stream.fixed_latency is not None:
            return False
        path = self.stream.path
        return shape == (path.sample_rate, path.hop, path.native)

    def _edit(self, operation: Operation, shape: Shape, at: int) -> Edit:
        """Prepare an edit and hand it to whoever runs the path; the first of it is returned."""
        path = self.stream.path
        if isinstance(operation, Insert):
            slot = self._built(operation.stage, shape)
            slot.enter()
            line = self._line(operation.group, operation.branch)
            index = _index(line, operation.index)
            line.slots = (*line.slots[:index], slot, *line.slots[index:])
            edits = [Edit([*line.stores(), *self._follow()], at)]
        elif isinstance(operation, Swap):
            slot = self._slot(operation.identity)
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
            check_latency(self.stream.path.latency + slot.latency)
        except ConfigError:
            slot.close()
            raise
        return slot

    def _follow(self) -> list[Store]:
        """What follows from a change of the slots, wherever latencies are read."""
        return [*self.stream.path.shape_stores(), *self.stream.voice.latency_stores()]

    def _leave(self, slot: Slot, line: Line, at: int) -> list[Edit]:
        slot.present = False
        first = Edit([*slot.leave_stores(), *self._follow()], at)
        line.slots = tuple(s for s in line.slots if s is not slot)
        last = [*line.stores(), *self.stream.path.shape_stores()]
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
        slot = self._slot(identity)
        return slot, next(line for line in self.stream.path.lines() if slot in line.slots)

    def _line(self, group: int, branch: int) -> Line:
        """The path's own line, or that of a group's branch."""
        if group == OWN:
            return self.stream.path.line
        stage = self._slot(group).stage
        assert isinstance(stage, Group)
        return stage.lines[branch]

    # -- what there is --------------------------------------------------------------------------

    def now(self) -> Setup:
        """The setup that plays, parameters as last asked for by whoever sent an event."""
        path = self.stream.path
        slots = {s.identity: s for s in path.slots()}
        sound = self.setup.sound

        def standing(stage: Stage) -> Stage:
            slot = slots.get(stage.identity)
            if slot is None:
                return stage
            group = stage.group
            if group is not None:
                gains = slot.placed.record.arrays["targets"]
                group = tuple(
                    msgspec.structs.replace(
                        branch, stages=tuple(map(standing, branch.stages)), gain_db=float(gain)
                    )
                    for branch, gain in zip(group, gains, strict=True)
                )
            return msgspec.structs.replace(
                stage,
                group=group,
                bypass=bool(slot.record["bypass"] >= 0.5),
                mix=float(slot.record["mix"]),
                parameters=stage.parameters if group is not None else _standing(stage, slot),
            )

        targets = path.record.arrays["targets"]
        own: dict[str, Any] = {"mix": float(targets[PATH_MIX])}
        for name, number in GAINS.items():
            kept, value = getattr(sound, name), float(targets[number])
            own[name] = kept if db_to_gain(kept) == value else round(gain_to_db(value), 6)
        own["bypass"] = bool(self.stream.memory.record["bypass"] >= 0.5)
        sound = msgspec.structs.replace(sound, stages=tuple(map(standing, sound.stages)), **own)
        return self._with_events(self.setup.with_sound(sound))

    def _with_events(self, setup: Setup) -> Setup:
        """The setup with the events that wait to be taken."""
        known = self.parameters()
        waiting = (*self.stream.path.events.waiting(), *self.stream.memory.events.waiting())
        for _, identity, number, value in waiting:
            found = from_event((identity, number, value), known)
            if found is not None:
                setup = Set(*found).apply(setup)
        return setup

    def parameters(self) -> dict[int, list[Parameter]]:
        """The parameters of every stage, by its identity, standing where they do."""
        return {
            slot.identity: [
                p.at(float(value))
                for p, value in zip(
                    slot.placed.parameters, slot.placed.record.arrays["targets"], strict=True
                )
            ]
            for slot in self.stream.path.slots()
            if slot.present
        }

    def describe(self) -> dict[str, Any]:
        """Lane, latency, stages and their parameters."""
        stream = self.stream
        return {
            "shelf": self._shelf.state,
            "lane": stream.lane,
            "lane_reason": stream.lane_reason,
            "hop_length": stream.path.hop,
            "path_rate": stream.path.sample_rate,
            "latency": stream.budget.to_dict(),
            "stages": {
                slot.identity: {"name": slot.name, "latency": slot.latency}
                for slot in stream.path.slots()
                if slot.present
            },
            "parameters": self.parameters(),
        }

    # -- running --------------------------------------------------------------------------------

    def start(self) -> None:
        """Open the device and let sound through."""
        self.stream.start()

    def stop(self) -> None:
        """Stop device and workers; the counters stay readable."""
        self.stream.stop()
        self._shelf.close()

    def wait(self, seconds: float | None = None) -> None:
        """Return after `seconds`, or when the device ends by itself; raise what went wrong."""
        self.stream.wait(seconds, self.follow)
        if not self.stream.changing:
            self._log()

    def __enter__(self) -> Session:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def _check_identities(setup: Setup) -> None:
    if any(stage.identity == OWN for stage in setup.sound.walk()):
        raise ConfigError("every stage of a session needs an identity of its own, from 1")


def _index(line: Line, index: int) -> int:
    """Where place `index` among the present slots lies among all of a line."""
    present = [i for i, s in enumerate(line.slots) if s.present]
    return present[index] if 0 <= index < len(present) else len(line.slots)


def _standing(stage: Stage, slot: Slot) -> dict[str, Any]:
    """A stage's parameters as they stand: those it names, and those that left their default."""
    found = dict(stage.parameters)
    for parameter, value in zip(
        slot.placed.parameters, slot.placed.record.arrays["targets"], strict=True
    ):
        name, value = parameter.name, float(value)
        if name in found:
            try:
                same = parameter.number(found[name]) == value
            except ConfigError:  # a file's own value outside the knob's range
                same = found[name] == value
            found[name] = found[name] if same else value
        elif value != parameter.default:
            found[name] = value
    return found

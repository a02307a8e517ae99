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

import numpy.typing as npt

from ..engine.edits import Edit
from ..engine.hop import OUTPUT_GAIN
from ..engine.path import EDITS
from ..engine.placed import Mark
from ..errors import ConfigError
from ..native.events import EventQueue
from ..parameters.heard import Rows, Words
from ..parameters.parameter import Parameter
from ..stream.maps import engine_channels
from ..stream.transport import Follower, Transport
from .builder import Builder
from .editing import Editing
from .events import to_event
from .names import STAGE_PARAMETERS
from .operations import (
    OWN,
    DropScene,
    KeepScene,
    Load,
    Operation,
    Panic,
    Period,
    Prepare,
    Recall,
    Set,
    Swap,
    UseDevice,
)
from .shelf import Interrupted, Shelf
from .sound import Setup, Sound
from .standing import parameters, standing
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
    sound : Sound or None
        What the operation made, with the parameters that stages were built at; None where that
        follows from the operation.
    """

    position: int
    at: int | None
    lane: str
    operation: Operation
    sound: Sound | None = None


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
    heard : ndarray [int64], optional
        Where players tell their notes, see :mod:`realtime.parameters.heard`; borrowed.

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
        heard: Words | None = None,
    ) -> None:
        _check_identities(setup)
        self.device, self.setup = device, setup
        wanted = engine_channels(setup.device.channels, setup.device.in_map)
        self.channels = wanted or max(1, device.in_channels)
        rows = Rows(heard) if heard is not None else None
        self._builder = Builder(
            self.channels,
            device.sample_rate,
            device.block_size,
            mark,
            progress,
            setup.device.input_level_dbu,
            rows,
        )
        self.log: list[Change] = []
        self._pending: list[tuple[Operation, Edit | None, Sound | None]] = []
        self.stream = Stream(
            self._builder.path(setup.sound),
            device,
            lane=setup.device.lane,
            worker_blocks=setup.device.worker_blocks,
            in_map=setup.device.in_map,
            out_map=setup.device.out_map,
            bypass=setup.sound.bypass,
            mute=setup.sound.mute,
            fixed_latency=setup.device.fixed_latency,
            ceiling_db=setup.device.ceiling_db,
            record=record,
            events=events,
        )
        self._editing = Editing(self._builder, self.stream)
        self.interrupted: Callable[[], bool] = lambda: False
        self._beside = Builder(
            self.channels,
            device.sample_rate,
            device.block_size,
            mark,
            self._go_on,
            setup.device.input_level_dbu,
            rows,
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
        sound: Sound | None = None,
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
        sound : Sound, optional
            In a replay, what the operation made then.

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
        if sound is not None:
            setup = setup.with_sound(sound)
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
        edit, built = None, None
        own = {"bypass": float(setup.sound.bypass)}
        ready = self._shelf.take(setup.sound) if isinstance(operation, Load) else None
        if isinstance(operation, Load) and ready is not None:
            self.stream.change_to(ready, own, operation.tail)
        elif isinstance(operation, Load):
            path = self._builder.path(setup.sound)
            self.stream.replace(path, lane or setup.device.lane, own, operation.tail)
        elif isinstance(operation, Panic):
            self._panic(setup, own)
        elif self._editing.stays(operation, shape := self._builder.shape(setup.sound.stages)):
            self._shelf.spoil(self.stream.path)
            edit = self._editing.make(by, shape, at or 0)
            built = None if by is operation else setup.sound
        else:
            built = setup.sound
            path = self._builder.path(built)
            self._shelf.spoil(self.stream.path)
            anew = operation.identity if isinstance(operation, Swap) else None
            self.stream.replace(path, lane or setup.device.lane, anew=anew)
            if isinstance(operation, Period):  # what is loaded does not fit any more
                self._shelf.want(())
                self._shelf.want(setup.shelf)
        self.setup = setup
        self._pending.append((operation, edit, built))
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
        for operation, edit, sound in pending:
            if edit is None:
                position, at = int(self.stream.memory.record["swap_position"]), None
            elif edit.taken is None:
                continue
            else:
                at = edit.taken
                ratio = float(self.stream.voice.record["ratio"])
                position = int(self.stream.path.record["start"]) + int(at / ratio)
            self.log.append(Change(position, at, self.stream.lane, operation, sound))

    def _is_live(self, operation: Set) -> bool:
        """Whether an event can set it; else the stage is made anew, as its latency changes."""
        if operation.identity == OWN or any(operation.name == p.name for p in STAGE_PARAMETERS):
            return True
        placed = self._editing.slot(operation.identity).placed
        parameter = placed.parameters[placed.number(operation.name)]
        parameter.number(operation.value, placed.stage.name)
        return parameter.live

    def _set(self, operation: Set, at: int | None) -> None:
        """Send a parameter's new value, checked, as an event."""
        event = to_event(operation.identity, operation.name, operation.value, self.parameters())
        self.stream.send(*event, at)

    # -- what there is --------------------------------------------------------------------------

    def now(self) -> Setup:
        """The setup that plays, parameters as last asked for by whoever sent an event."""
        return standing(self.setup, self.stream)

    def parameters(self) -> dict[int, list[Parameter]]:
        """The parameters of every stage, by its identity, standing where they do."""
        return parameters(self.stream.path)

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

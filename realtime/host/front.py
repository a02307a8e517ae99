"""A playing session as whoever works it sees it, in whatever process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from ..errors import ConfigError
from ..parameters.readings import READINGS, given
from ..presets.check import admit_stage
from ..session.events import from_event, to_event
from ..session.names import Knob, find_knob, walk_knobs
from ..session.operations import OWN, Operation, Recall, Set, brought, macro_turns
from ..session.sound import Device, Setup, Value
from .shared_memory import METERS, Board
from .tally import added, counts, with_past
from .view import Line, Pending, View
from .watch import Incident


class Front:
    """Changes, knobs and what plays; any thread may call.

    Parameters
    ----------
    line : Line
        To the supervisor.
    """

    def __init__(self, line: Line) -> None:
        self._line = line

    # -- what plays ----------

    @property
    def view(self) -> View:
        """All that is shown, at one moment."""
        return self._line.view

    @property
    def setup(self) -> Setup:
        """The sound and the device as they were last asked for."""
        return self._line.view.setup

    @property
    def now(self) -> Mapping[str, Any]:
        """What plays, see :meth:`realtime.session.session.Session.describe`."""
        return self._line.view.now

    @property
    def board(self) -> Board:
        """The shared memory of the engine that plays."""
        return self._line.board

    @property
    def shown(self) -> tuple[View, Board]:
        """:attr:`view` and :attr:`board` that belong together."""
        return self._line.shown

    @property
    def incidents(self) -> Sequence[Incident]:
        """Ends of engine processes so far."""
        return list(self._line.view.incidents)

    @property
    def pending(self) -> Sequence[Pending]:
        """Changes that have been asked for and are not made yet."""
        return self._line.view.pending

    @property
    def standby_ready(self) -> bool:
        """Whether another engine waits to take over."""
        return self._line.view.standby_ready

    def meters(self) -> dict[str, float]:
        """Levels in dBFS, and what stages measure, from shared memory."""
        board = self.board
        levels = dict(zip(METERS, map(float, board.meters), strict=True))
        return levels | given(dict(zip(READINGS, map(float, board.readings), strict=True)))

    def stats(self) -> dict[str, Any]:
        """Everything measured, by all engines so far.

        Raises
        ------
        EngineLost
            None plays just now.
        """
        stats = self._line.request("stats")
        view, board = self._line.shown
        found = with_past(stats, view.past)
        found["callbacks_missed"] = added(view.past, counts(board, view.now))["missed"]
        found["callbacks_expected"] = found["callbacks_seen"] + found["callbacks_missed"]
        incidents = self.incidents
        silent = round(sum(i.seconds for i in incidents), 3)
        return {**found, "restarts": len(incidents), "restart_seconds": silent}

    def states(self) -> dict[int, str]:
        """States of the plug-ins that play, by the identity of their stage."""
        found: dict[int, str] = self._line.request("states")
        return found

    # -- changes ----------

    def do(self, operation: Operation) -> Setup:
        """Make a change, however long it takes; when it fails the session is as it was.

        Meanwhile :attr:`pending` shows it, and :meth:`cancel` calls it off.

        Returns
        -------
        Setup
            What plays then.

        Raises
        ------
        RestyleError
            Refused or cancelled; or the engine was lost meanwhile, in which case the last good
            session plays on.
        """
        if isinstance(operation, Set) and self._is_live(operation):
            self._set(operation.identity, operation.name, operation.value)
            return self.setup
        if isinstance(operation, Recall):
            self.recall(operation.scene)
            return self.setup
        operation.apply(self.setup)  # what cannot be is refused before anybody waits
        shelf = {s.identity for sound in self.setup.shelf for s in sound.walk()}
        for stage in (s for s in brought(operation) if s.identity not in shelf):
            admit_stage(stage)  # what crashes or hangs does so apart from the sound
        self._line.request("edit", operation=operation)
        return self.setup

    def cancel(self, number: int) -> bool:
        """Call a change off; whether it was still pending.

        One that the engine is making ends between two steps; what is heard by then stays.
        """
        return bool(self._line.request("cancel", number=number))

    def new_identity(self) -> int:
        """An identity no stage of this session has had."""
        return int(self._line.request("identity"))

    def change_device(self, device: Device, *, may_pause: bool = False) -> None:
        """Play the session on another device, opened beside the old one.

        Parameters
        ----------
        device : Device
        may_pause : bool
            Where the new device cannot be opened beside the old, as when both are one card that
            only one program may have: stop the old one first, and open it again if that fails.

        Raises
        ------
        RestyleError
            The new device cannot be had; the old one plays.
        """
        self._line.request("move", device=device, may_pause=may_pause)

    # -- knobs ----------

    def knob(self, name: str) -> Knob:
        """A parameter by its name, see :mod:`realtime.session.names`.

        Raises
        ------
        ConfigError
            There is none.
        """
        view = self._line.view
        return find_knob(view.setup.sound, view.known, name)

    def set(self, name: str, value: float, at: int | None = None) -> None:
        """Turn a knob.

        Parameters
        ----------
        at : int [samples], optional
            Position of the stream from which it holds.

        Raises
        ------
        ConfigError
            Unknown name or a value outside the range.
        """
        knob = self.knob(name)
        if not knob.parameter.live:
            self.do(knob.set(value))
            return
        self._set(knob.identity, knob.own, knob.parameter.number(value), at)

    def _is_live(self, operation: Set) -> bool:
        """Whether it can be set while the sound runs; else the stage is made anew."""
        listed = self._line.view.known.get(operation.identity, ())
        return all(p.live for p in listed if p.name == operation.name)

    def recall(self, scene: str | int) -> None:
        """Turn all knobs of a scene that stand elsewhere, at once; none is loaded for it.

        What a stage does not have any more is left out.

        Raises
        ------
        ConfigError
            There is no such scene.
        """
        view = self._line.view
        standing = {
            (k.identity, k.own): k.parameter.value for k in walk_knobs(view.setup.sound, view.known)
        }
        turns = []
        for one in Recall(scene).turns(view.setup.sound):
            with suppress(ConfigError):
                event = to_event(one.identity, one.name, one.value, view.known)
                found = from_event(event, view.known)
                if found is not None and standing.get(found[:2]) != found[2]:
                    turns.append(found)
        if turns:
            self._line.turn(tuple(turns))

    def _set(self, identity: int, name: str, value: Value, at: int | None = None) -> None:
        view, turns = self._line.view, [Set(identity, name, value)]
        macro = view.setup.sound.macro(name) if identity == OWN else None
        if macro is not None:
            turns = macro_turns(view.setup.sound, macro, float(value))
        events = (to_event(t.identity, t.name, t.value, view.known) for t in turns)
        found = (from_event(event, view.known) for event in events)
        self._line.turn(tuple(turn for turn in found if turn is not None), at)

    def get(self, name: str) -> float:
        """Value last asked for.

        Raises
        ------
        ConfigError
            Unknown name.
        """
        return self.knob(name).parameter.value

    # -- recordings and displays ----------

    @property
    def journaled(self) -> bool:
        """Whether a session log keeps all of the sound."""
        return bool(self._line.view.kept.get("journaled", False))

    @property
    def recording(self) -> Mapping[str, Any] | None:
        """The recording under way: ``seconds``, ``gaps``, ``files``."""
        return self._line.view.recording

    def record_to(self, files: Mapping[str, Path]) -> None:
        """Record ``dry``, ``wet`` or both, aligned, from now on.

        Raises
        ------
        AudioFileError
            A file cannot be written.
        """
        self._line.request("record", files=dict(files))

    def end_recording(self) -> Mapping[str, Any] | None:
        """End the recording there is, and tell of it as :attr:`recording` does."""
        found: Mapping[str, Any] | None = self._line.request("end_recording")
        return found

    def watch(self, on: bool) -> None:
        """Have what is heard and played copied to the rings of a display, or no more."""
        self._line.request("want", watch=on)

    def listen(self, on: bool) -> int:
        """Have what is played copied to the ring of a tagger, or no more.

        Returns
        -------
        int
            The stream's position, or a little before it.
        """
        return int(self._line.request("want", listen=on) or 0)

    def count_listeners(self, count: int) -> None:
        """Say how many programs hear what is played; the sound rests while there are none."""
        self._line.request("listeners", count=count)

    def turn_monitor(self, gain_db: float) -> None:
        """Ask for another gain of the monitor."""
        self._line.request("monitor", gain_db=gain_db)

    def keep(self, key: str, value: Any) -> None:
        """Have something kept in the supervisor, so that it outlives this process."""
        self._line.request("keep", key=key, value=value)

    def tell(self, text: str) -> None:
        """Tell the person a sentence."""
        self._line.request("tell", text=text)


def with_device(
    setup: Setup,
    input: str | None,
    output: str | None,
    block: int | None,
    in_map: tuple[int, ...] | None = None,
    out_map: tuple[int, ...] | None = None,
) -> Device:
    """The setup's device with other cards; the channel maps there were go with the old ones."""
    return msgspec.structs.replace(
        setup.device,
        kind="portaudio",
        tape=None,
        input=input,
        output=output,
        block_size=block,
        in_map=in_map,
        out_map=out_map,
        channels=setup.device.channels if in_map is None else len(in_map),
    )

"""What the supervisor shows everybody, and how it is asked for something."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..parameters.parameter import Parameter
from ..session.operations import Turn
from ..session.sound import Setup
from .shared_memory import Board
from .watch import Incident


@dataclass(frozen=True)
class Pending:
    """A change that has been asked for and is not made yet.

    Attributes
    ----------
    number : int
        What :meth:`realtime.host.host.Host.cancel` takes.
    what : str
        What it does.
    since : float [seconds of the machine's monotonic clock]
    progress : str
        What it does just now.
    """

    number: int
    what: str
    since: float
    progress: str


@dataclass(frozen=True)
class View:
    """What plays and what is going on, at one moment.

    Attributes
    ----------
    state : str
        One of :class:`realtime.host.machine.State`.
    setup : Setup
        The sound and the device as they were last asked for.
    now : mapping
        What plays, see :meth:`realtime.session.session.Session.describe`; empty before the start.
    board : str
        Name of the board of the engine that plays.
    incidents : tuple of Incident
        Ends of engine processes so far.
    pending : tuple of Pending
    past : mapping
        Counters of engines that have ended, see :mod:`realtime.host.tally`.
    notes : tuple of dict
        See :class:`realtime.host.notes.Notes`.
    recording : mapping or None
        ``name``, ``seconds`` and ``gaps`` of the recording under way.
    standby_ready : bool
        Whether another engine waits to take over.
    kept : mapping
        What the controls keep here, so that it outlives them.
    turns : int
        Number of the last message of the controls with knobs that is in `setup`.
    """

    state: str
    setup: Setup
    now: Mapping[str, Any] = field(default_factory=dict)
    board: str = ""
    incidents: tuple[Incident, ...] = ()
    pending: tuple[Pending, ...] = ()
    past: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[Mapping[str, object], ...] = ()
    recording: Mapping[str, Any] | None = None
    standby_ready: bool = False
    kept: Mapping[str, Any] = field(default_factory=dict)
    turns: int = 0

    @property
    def known(self) -> Mapping[int, Sequence[Parameter]]:
        """Parameters of the stages that play, by their identity."""
        found: Mapping[int, Sequence[Parameter]] = self.now.get("parameters", {})
        return found

    @property
    def style(self) -> str | None:
        """Name of the first model that plays."""
        names = self.now.get("stages", {})
        first = next((s for s in self.setup.sound.walk() if s.model is not None), None)
        return None if first is None else str(names.get(first.identity, {}).get("name", first.name))


class Line(Protocol):
    """A way to the supervisor: its own queue, or a pipe from another process."""

    @property
    def view(self) -> View:
        """What is shown now; another object after each change."""

    @property
    def board(self) -> Board:
        """The board of the engine that plays."""

    @property
    def shown(self) -> tuple[View, Board]:
        """View and board that belong together."""

    def request(self, kind: str, **body: Any) -> Any:
        """Ask for something and wait for the answer, without a limit of time.

        Raises
        ------
        RestyleError
        """

    def turn(self, turns: tuple[Turn, ...], at: int | None = None) -> None:
        """Turn knobs; the next `view` shows it."""

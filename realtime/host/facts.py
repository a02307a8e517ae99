"""What the supervisor knows, and the conditions of its table, read from that alone."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Any

from ..errors import DeviceError, RestyleError
from ..session.sound import Setup
from .controls_link import ControlsLink
from .crew import Crew
from .engine_link import EngineLost
from .machine import State
from .notes import Notes
from .outage import Outage
from .requests import Ledger, Request
from .setup_copy import SetupCopy
from .watch import Incident

REST_SECONDS = 5.0  # how long nobody has listened when the engine ends
SUSPECT_SECONDS = 20.0  # how long a stage under suspicion may take to come back


class Facts:
    """The supervisor's memory; its loop alone uses it.

    Each condition of :data:`realtime.host.machine.RULES` is a method without arguments here.

    Parameters
    ----------
    setup : Setup
    notes : Notes
    crew : Crew
    clock : callable
        Seconds that never run backwards.
    journal : bool
        Whether the engine journals blocks and events from the start.
    taps : iterable of str
        ``dry``, ``wet``: what is kept for a recording from the first sample on.
    waits : bool
        Whether a device that is not there at the start is waited for.

    Attributes
    ----------
    now : dict
        What plays, as the engine told it.
    start, move, stop : Request or None
        What was asked for and is not answered yet.
    wanted : dict
        What every engine copies to rings.
    end_due : float [seconds]
        When what has not ended is killed; `killed` says that it was.
    listeners : int or None
        Programs that hear the microphone, `listened` the last moment there was one [seconds]; None
        where nobody counts them.
    said : set of str
        Sentences that were told since sound was back.
    """

    def __init__(
        self,
        setup: Setup,
        notes: Notes,
        crew: Crew,
        clock: Callable[[], float],
        journal: bool = False,
        taps: Iterable[str] = (),
        waits: bool = False,
    ) -> None:
        self.copy, self.notes, self.crew, self.clock = SetupCopy(setup), notes, crew, clock
        self.state, self.ledger = State.IDLE, Ledger()
        self.controls: ControlsLink | None = None
        self.now: dict[str, Any] = {}
        self.kept: dict[str, Any] = {}
        self.past: dict[str, int] = {}
        self.incidents: tuple[Incident, ...] = ()
        self.outage: Outage | None = None
        self.start: Request | None = None
        self.move: Request | None = None
        self.stop: Request | None = None
        self.end_due, self.killed = 0.0, False
        self.journal, self.numbers, self._waits = journal, itertools.count(1), waits
        taps = frozenset(("dry", "wet") if journal else taps)
        self.wanted: dict[str, Any] = {"watch": False, "listen": False, "tap": taps}
        self.listeners: int | None = None
        self.listened = 0.0
        self.said: set[str] = set()

    def tell_once(self, text: str) -> None:
        """Tell a sentence, once until sound is back."""
        if text not in self.said:
            self.said.add(text)
            self.notes(text)

    @property
    def taps(self) -> dict[str, bool]:
        """Which taps are open."""
        return {n: self.journal or n in self.wanted["tap"] for n in ("dry", "wet")}

    def answer_start(self, error: RestyleError | None) -> None:
        """Whoever asked for the start learns how it went."""
        request, self.start = self.start, None
        if error is not None:
            self.ledger.fail(request, error)
        else:
            self.ledger.answer(request, self.now)

    def answer_move(self, error: RestyleError | None) -> None:
        """Whoever asked for another device learns how it went."""
        request, self.move = self.move, None
        if error is not None:
            self.ledger.fail(request, error)
        else:
            self.ledger.answer(request)

    # -- conditions ----------

    def start_is_asked(self) -> bool:
        """Whether it is to play."""
        return self.start is not None

    def stop_is_asked(self) -> bool:
        """Whether all is to end."""
        return self.stop is not None

    def move_is_asked(self) -> bool:
        """Whether it is to play on another device."""
        return self.move is not None

    def edit_waits(self) -> bool:
        """Whether a change waits and none is being made."""
        return bool(self.ledger.edits) and self.ledger.flight is None

    def nobody_listens(self) -> bool:
        """Whether no program has heard the microphone for a while, and nothing else needs sound."""
        late = self.clock() - self.listened >= REST_SECONDS
        standby = self.crew.standby
        ready = standby is not None and standby.ready  # else sound would be long in coming back
        return late and ready and not self.sound_is_wanted() and self.ledger.flight is None

    def sound_is_wanted(self) -> bool:
        """Whether somebody listens, looks or records, or a change waits for an engine."""
        heard = self.listeners != 0 or self.copy.setup.device.monitor is not None
        needed = any(self.wanted.values()) or self.journal
        return bool(heard or needed or self.ledger.edits or self.move)

    def device_has_ended(self) -> bool:
        """Whether the device has come to its end."""
        return self.crew.engine is not None and self.crew.engine.ended

    def sound_is_lost(self) -> bool:
        """Whether no sound comes any more from the engine that plays."""
        link = self.crew.engine
        if link is None or link.ended:
            return link is None
        if link.lost is None and self.now.get("device", {}).get("paced", True):
            link.lost = link.watch.silent or self._suspect_hangs()
        return link.lost is not None

    def _suspect_hangs(self) -> str | None:
        """Whether a stage that hung or crashed before hangs while it is brought back.

        Nobody has asked for that change, and the engine would make no other any more.
        """
        flight = self.ledger.flight
        if flight is None or "suspect" not in flight.body:
            return None
        late = self.clock() - flight.sent > SUSPECT_SECONDS
        return "a stage hangs while it is brought back" if late else None

    def fresh_is_lost(self) -> bool:
        """Whether the engine that was to play is gone or gets nowhere."""
        link = self.crew.fresh
        if link is None:
            return self.state is not State.REPLACING
        if link.watch.stuck and not link.opened:
            link.lost = link.lost or f"it got nowhere for a minute ({link.progress})"
        # an engine whose device has ended already has played all there was
        return link.gone or (link.lost is not None and not link.ended)

    def fresh_is_ready(self) -> bool:
        """Whether it can be asked to play, the device being free."""
        link = self.crew.fresh
        if link is None or not link.ready or link.asked:
            return False
        return self.state is not State.REPLACING or self.crew.leavers_are_gone

    def fresh_refuses(self) -> bool:
        """Whether it cannot play this."""
        return self.crew.fresh is not None and self.crew.fresh.refused is not None

    def fresh_needs_a_pause(self) -> bool:
        """Whether it may be the old device, still open, that stands in its way."""
        asked = self.move is not None and self.move.body["may_pause"]
        return bool(asked and self.crew.fresh and isinstance(self.crew.fresh.refused, DeviceError))

    def fresh_may_wait(self) -> bool:
        """Whether the device is not there yet, and is waited for."""
        refused = self.crew.fresh.refused if self.crew.fresh is not None else None
        return self._waits and isinstance(refused, DeviceError)

    def fresh_plays(self) -> bool:
        """Whether it does."""
        return self.crew.fresh is not None and self.crew.fresh.opened is not None

    def fresh_is_due(self) -> bool:
        """Whether another attempt may be made."""
        due = self.outage.due if self.outage is not None else 0.0
        return self.crew.fresh is None and self.clock() >= due

    def all_are_gone(self) -> bool:
        """Whether every process has ended, or would not even when killed."""
        gone = all(link.gone for link in self.crew.links)
        controls = self.controls is None or self.controls.gone
        return (gone and controls) or (self.killed and self.clock() >= self.end_due)

    def they_take_too_long(self) -> bool:
        """Whether it is time to kill what has not ended."""
        return not self.killed and self.clock() >= self.end_due

    def need_a_future(self) -> None:
        """Refuse what nothing will come of.

        Raises
        ------
        EngineLost
        """
        if self.state in (State.ENDED, State.CLOSING, State.CLOSED):
            raise EngineLost("the sound has ended")

"""The supervisor: keeps a session playing, in one loop over one queue.

Messages of engines, requests of callers and the passing of time are events.  Each is taken down
first (:mod:`realtime.host.inbox`); then the table of :mod:`realtime.host.machine` says what
follows: conditions are read from :mod:`realtime.host.facts`, and :mod:`realtime.host.actions`
does it.
Whatever raises on the way is told and leads to a state that the table names, so the loop goes on
until it is closed.

A second engine process stands by, everything imported and compiled, so that sound is back soon.  An
engine that plays is replaced when its sound stops, never because a change takes long.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import TimeoutError as NotYet
from typing import Any

from ..errors import RestyleError
from ..session.operations import Turn
from ..session.sound import Setup
from .actions import Actions
from .child import Message
from .crew import Crew, plainly
from .engine_link import EngineLost, Starter, start_engine
from .facts import Facts
from .inbox import Inbox
from .knobs import Knobs
from .machine import RULES, Rule, State
from .notes import Notes
from .permissions import raise_this_thread
from .requests import Request
from .shared_memory import Board
from .view import View

TICK_SECONDS, RESTING_SECONDS = 0.05, 0.5
MOST_MOVES = 16  # rules that one event may set off


class Supervisor:
    """One session, kept playing.

    Parameters
    ----------
    setup : Setup
    notes : Notes
        Takes sentences about what happened.
    standby : bool
        Whether a second process waits to take over.
    journal : bool
        Whether the engine journals blocks and events from the start, for a session log.
    taps : iterable of str
        ``dry``, ``wet``: what is kept for a recording from the first sample on.
    wait : bool
        Whether a device that is not there at the start is waited for.
    start_child : callable
        Starts an engine process.
    clock : callable
        Seconds that never run backwards.

    Attributes
    ----------
    crew : Crew
        The engine processes.
    recording : callable
        What is shown of the recording under way.
    """

    def __init__(
        self,
        setup: Setup,
        notes: Notes,
        *,
        standby: bool = True,
        journal: bool = False,
        taps: Iterable[str] = (),
        wait: bool = False,
        start_child: Starter = start_engine,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.notes, self._standby_wanted, self._clock = notes, standby, clock
        self._queue: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self.crew = Crew(start_child, lambda *heard: self.post("engine", *heard), clock)
        self.facts = Facts(setup, notes, self.crew, clock, journal, taps, wait)
        self._knobs = Knobs(self.facts)
        self.actions = Actions(self.facts, self._knobs)
        self.inbox = Inbox(self.facts, self._knobs, self.post, self.actions.leave_out)
        self.recording: Callable[[], Mapping[str, Any] | None] = lambda: None
        self._looked = clock()
        self._shown: tuple[View, Board | None] = (View(State.IDLE, setup), None)
        try:
            self.crew.prepare()
        except (RestyleError, OSError, RuntimeError) as error:
            self.actions.begin_error = plainly(error)
        self._thread = threading.Thread(target=self._run, name="restyle-supervisor", daemon=True)

    # -- for other threads ----------

    def launch(self) -> None:
        """Start the loop."""
        self.show()
        self._thread.start()

    @property
    def view(self) -> View:
        """What is shown now."""
        return self._shown[0]

    @property
    def board(self) -> Board:
        """The board of the engine that plays, or is about to.

        Raises
        ------
        EngineLost
            There is none.
        """
        return self.shown[1]

    @property
    def shown(self) -> tuple[View, Board]:
        """View and board that belong together."""
        view, board = self._shown
        if board is None:
            raise EngineLost("there is no engine")
        return view, board

    def post(self, *event: Any) -> None:
        """Put an event into the queue."""
        self._queue.put(event)

    def request(self, kind: str, **body: Any) -> Any:
        """Ask for something and wait for the answer, however long it takes."""
        request = Request(next(self.facts.numbers), kind, body)
        self.post("request", request)
        while True:
            try:
                return request.future.result(timeout=0.5)
            except NotYet:
                if not request.future.done() and not self._thread.is_alive():
                    raise EngineLost("restyle has ended") from None

    def turn(self, turns: tuple[Turn, ...], at: int | None = None) -> None:
        """Turn knobs."""
        self.request("turn", turns=turns, at=at)

    # -- the loop ----------

    def _run(self) -> None:
        raise_this_thread()
        while self.facts.state is not State.CLOSED:
            try:
                try:
                    resting = self.facts.state is State.RESTING
                    event = self._queue.get(timeout=RESTING_SECONDS if resting else TICK_SECONDS)
                except queue.Empty:
                    event = ("tick",)
                self.step(event)
            except BaseException as error:  # not even this ends the loop
                self.facts.tell_once(f"the supervisor failed and goes on: {error!r}")
        while True:  # whoever still asks
            try:
                event = self._queue.get_nowait()
            except queue.Empty:
                return
            if event[0] == "request":
                event[1].future.set_exception(EngineLost("restyle has ended"))

    def step(self, event: Message) -> None:
        """Take one event and do what follows from it."""
        facts = self.facts
        try:
            self.inbox.take(event)
        except Exception as error:
            self._fault(f"on {event[0]}", error)
        self._look()
        for _ in range(MOST_MOVES):
            rule = next((r for r in RULES if r.state is facts.state and self._holds(r)), None)
            if rule is None:
                break
            try:
                getattr(self.actions, rule.do)()
                facts.state = rule.leads
            except Exception as error:
                self._fault(f"{rule.do} in {rule.state}", error)
                self.actions.failed(rule, error)
                facts.state = rule.fails
                break
        if facts.state is State.CLOSED:  # however it came to that
            facts.ledger.all_off(EngineLost("restyle has ended"))
            facts.ledger.answer(facts.stop)
        for chore in (self._stand_by, self._bring_back, self._knobs.push_late, self.crew.let_go):
            try:
                chore()
            except Exception as error:
                self._fault(chore.__name__, error)
        self.show()
        facts.ledger.hand_out()

    def _holds(self, rule: Rule) -> bool:
        try:
            return bool(getattr(self.facts, rule.when)())
        except Exception as error:
            self._fault(f"{rule.when} in {rule.state}", error)
            return False

    def _fault(self, where_: str, error: Exception) -> None:
        if isinstance(error, RestyleError | OSError | RuntimeError):
            return  # told where it is dealt with
        self.facts.tell_once(f"the supervisor failed ({where_}) and goes on: {error!r}")

    def _look(self) -> None:
        """Look at the boards, at most every :data:`TICK_SECONDS`."""
        time_ = self._clock()
        if time_ - self._looked >= TICK_SECONDS:
            self._looked = time_
            self.crew.look()

    def _stand_by(self) -> None:
        wanted = self._standby_wanted and self.facts.state is State.PLAYING
        trouble = self.crew.keep_standby(wanted)
        if trouble is not None:
            self.facts.tell_once(trouble)

    def _bring_back(self) -> None:
        request = self.actions.suspect_back()
        if request is None:
            return
        stage = request.body["operation"].stage

        def done(future: Any) -> None:
            error = future.exception()
            if isinstance(error, RestyleError) and not isinstance(error, EngineLost):
                self.post("back", stage.identity, f"'{stage.name}' does not come back: {error}")

        request.future.add_done_callback(done)

    def show(self) -> None:
        """Make a new view where something has changed, and send it on."""
        old, facts, crew = self.view, self.facts, self.crew
        link = crew.engine or crew.fresh
        fresh = View(
            facts.state,
            facts.copy.setup,
            facts.now,
            "" if link is None else link.board.name,
            facts.incidents,
            facts.ledger.pending,
            facts.past,
            self.notes.kept,
            self.recording(),
            crew.standby is not None and crew.standby.ready,
            facts.kept,
        )
        pairs = zip(vars(old).values(), vars(fresh).values(), strict=True)
        if any(a is not b and a != b for a, b in pairs):
            self._shown = fresh, None if link is None else link.board
        if facts.controls is not None:
            facts.controls.tick(self._clock(), self.view)

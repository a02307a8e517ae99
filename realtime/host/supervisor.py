"""The supervisor: keeps a session playing, in one loop over one queue.

Messages of engines, requests of callers and the passing of time are events.  Each is taken down
first; then the table of :mod:`realtime.host.machine` says what follows.  Whatever raises on the way
is told and leads to a state that the table names, so the loop goes on until it is closed.

A second engine process stands by, everything imported and compiled, so that sound is back soon.  An
engine that plays is replaced when its sound stops, never because a change takes long.
"""

from __future__ import annotations

import itertools
import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass
from typing import Any

import msgspec

from ..errors import ConfigError, DeviceError, RestyleError, StreamError
from ..session.events import to_event
from ..session.operations import Remove, Turn, back_to, described
from ..session.sound import Setup
from .child import Message
from .controls_link import ControlsLink
from .engine_link import EngineLost, Link, Starter, start_engine, to_error
from .machine import RULES, Rule, State
from .notes import Notes
from .permissions import raise_this_thread
from .progress import Cancelled
from .requests import Ledger, Request
from .setup_copy import SetupCopy
from .shared_memory import Board
from .suspects import Suspects
from .tally import added, counts
from .view import View
from .watch import Incident

TICK_SECONDS = 0.05
END_SECONDS = 3.0  # what engines get to end by themselves
KILLED_SECONDS = 5.0  # and to be gone once killed
PATIENCE_SECONDS = 30.0  # how long a stage under suspicion waits for a standby
SUSPECT_SECONDS = 20.0  # and how long it may take to come back
PATIENT_TRIES = 2  # before the default devices are tried, where that is allowed
RETRY_SECONDS = (0.05, 5.0)  # first and longest pause between attempts
SHORT_SECONDS = 5.0  # of sound: what stops it again is the same trouble
QUIET_TRIES = 3  # such restarts in a row, after which each is only counted
MOST_MOVES = 16  # rules that one event may set off


@dataclass
class Outage:
    """A time without sound.

    Attributes
    ----------
    without : int
        Identity of a stage that is left out of the next attempt; 0 for none.
    planned : bool
        Whether it is part of a change of the device.
    again : int
        How many times in a row sound stopped soon after it was back.
    """

    reason: str
    stage: int
    struck: str | None
    began: float
    without: int
    due: float
    planned: bool = False
    failures: int = 0
    again: int = 0
    pause: float = RETRY_SECONDS[0]


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
    start_child : callable
        Starts an engine process.
    clock : callable
        Seconds that never run backwards.
    """

    def __init__(
        self,
        setup: Setup,
        notes: Notes,
        *,
        standby: bool = True,
        journal: bool = False,
        taps: Iterable[str] = (),
        start_child: Starter = start_engine,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._copy, self.notes, self._journal = SetupCopy(setup), notes, journal
        self._standby_wanted, self._start_child, self._clock = standby, start_child, clock
        self._queue: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._numbers = itertools.count(1)
        self._identities = max((s.identity for s in setup.sound.walk()), default=0)
        self._wanted: dict[str, Any] = {"watch": False, "listen": False, "tap": frozenset(taps)}
        if journal:
            self._wanted["tap"] = frozenset(("dry", "wet"))
        self.helpers: dict[str, Callable[..., Any]] = {}
        self.on_switch: Callable[[Board, Board], None] = lambda old, new: None
        self.recording: Callable[[], Mapping[str, Any] | None] = lambda: None
        self.controls: ControlsLink | None = None

        self.state = State.IDLE
        self.engine: Link | None = None  # plays
        self.fresh: Link | None = None  # is to play next
        self.standby: Link | None = None
        self._leaving: list[tuple[Link, float]] = []  # told to end; killed when it is time
        self._ledger = Ledger()
        self._now: dict[str, Any] = {}
        self._incidents: tuple[Incident, ...] = ()
        self._past: dict[str, int] = {}
        self._kept: dict[str, Any] = {}
        self._outage: Outage | None = None
        self._before: tuple[Outage | None, float] = (None, 0.0)  # the last one, and its end
        self._suspects, self._back_due = Suspects(), 0.0
        self._to_start: Request | None = None
        self._to_move: Request | None = None
        self._to_stop: Request | None = None
        self._end_due, self._killed = 0.0, False
        self._standby_due, self._standby_pause = 0.0, RETRY_SECONDS[0]
        self._opening: dict[tuple[int, str], float] = {}  # knobs turned since "open" was sent
        self._unheard: dict[tuple[int, str], float] = {}  # knobs that found no room in the queue
        self._looked, self._said = clock(), set[str]()
        self._shown: tuple[View, Board | None] = (View(State.IDLE, setup), None)
        try:
            self.fresh = self._new_link()
        except (RestyleError, OSError, RuntimeError) as error:
            self._begin_error: Exception | None = _plainly(error)
        else:
            self._begin_error = None
        self._thread = threading.Thread(target=self._run, name="restyle-supervisor", daemon=True)

    # -- for other threads ----------

    def launch(self) -> None:
        """Start the loop."""
        self._show()
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
        request = Request(next(self._numbers), kind, body)
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
        while self.state is not State.CLOSED:
            try:
                try:
                    event = self._queue.get(timeout=TICK_SECONDS)
                except queue.Empty:
                    event = ("tick",)
                self.step(event)
            except BaseException as error:  # not even this ends the loop
                self._tell_once(f"the supervisor failed and goes on: {error!r}")
        while True:  # whoever still asks
            try:
                event = self._queue.get_nowait()
            except queue.Empty:
                return
            if event[0] == "request":
                event[1].future.set_exception(EngineLost("restyle has ended"))

    def step(self, event: Message) -> None:
        """Take one event and do what follows from it."""
        try:
            self._take(event)
        except Exception as error:
            self._fault(f"on {event[0]}", error)
        self._look()
        for _ in range(MOST_MOVES):
            rule = next((r for r in RULES if r.state is self.state and self._holds(r)), None)
            if rule is None:
                break
            try:
                getattr(self, f"_{rule.do}")()
                self.state = rule.leads
            except Exception as error:
                self._fault(f"{rule.do} in {rule.state}", error)
                self._failed(rule, error)
                break
        if self.state is State.CLOSED:  # however it came to that
            self._ledger.all_off(EngineLost("restyle has ended"))
            self._ledger.answer(self._to_stop)
        for chore in (self._keep_standby, self._bring_back, self._push_late, self._let_go):
            try:
                chore()
            except Exception as error:
                self._fault(chore.__name__, error)
        self._show()
        self._ledger.hand_out()

    def _holds(self, rule: Rule) -> bool:
        return bool(getattr(self, f"_{rule.when}")())

    def _failed(self, rule: Rule, error: Exception) -> None:
        """A rule's action raised: its request learns why, its engine is not used."""
        plain = _plainly(error)
        if rule.state in (State.IDLE, State.STARTING) and rule.fails is State.ENDED:
            self._answer_start(plain)
        elif rule.fails is State.PLAYING and rule.do in ("move", "open", "stay"):
            self._answer_move(plain)
            self._drop_fresh()
        elif rule.state is State.REPLACING:
            self._set_back(plain)
        elif rule.do == "edit":
            lost, self._ledger.flight = self._ledger.flight, None
            self._ledger.fail(lost, plain)
        if rule.fails is State.REPLACING and self._outage is None:
            self._outage = Outage(str(plain), 0, None, self._clock(), 0, self._clock())
        self.state = rule.fails

    def _fault(self, where_: str, error: Exception) -> None:
        if isinstance(error, RestyleError | OSError | RuntimeError):
            return  # told where it is dealt with
        self._tell_once(f"the supervisor failed ({where_}) and goes on: {error!r}")

    def _tell_once(self, text: str) -> None:
        """Tell a sentence, once until sound is back."""
        if text not in self._said:
            self._said.add(text)
            self.notes(text)

    def _look(self) -> None:
        """Look at the boards, at most every :data:`TICK_SECONDS`."""
        time_ = self._clock()
        if time_ - self._looked < TICK_SECONDS:
            return
        self._looked = time_
        for link in (self.engine, self.fresh, self.standby):
            if link is not None and not link.gone:
                link.watch.look(time_)

    def _show(self) -> None:
        """Make a new view where something has changed, and send it on."""
        old = self.view
        link = self.engine or self.fresh
        fresh = View(
            self.state,
            self._copy.setup,
            self._now,
            "" if link is None else link.board.name,
            self._incidents,
            self._pending(),
            self._past,
            self.notes.kept,
            self.recording(),
            self.standby is not None and self.standby.ready,
            self._kept,
        )
        pairs = zip(vars(old).values(), vars(fresh).values(), strict=True)
        if any(a is not b and a != b for a, b in pairs):
            self._shown = fresh, None if link is None else link.board
        if self.controls is not None:
            self.controls.tick(self._clock(), self.view)

    def _pending(self) -> tuple[Any, ...]:
        found = self._ledger.pending
        return self.view.pending if found == self.view.pending else found

    # -- events: taken down ----------

    def _take(self, event: Message) -> None:
        if event[0] == "engine":
            self._hear(event[1], event[2])
        elif event[0] == "request":
            request = event[1]
            try:
                self._take_request(request)
            except Exception as problem:
                self._ledger.fail(request, _plainly(problem))
                if not isinstance(problem, RestyleError):
                    raise
        elif event[0] == "helped":
            request, result, error = event[1:]
            if error is not None:
                self._ledger.fail(request, error)
            else:
                self._ledger.answer(request, result)
        elif event[0] == "back":  # a stage that was left out for a while
            self._leave_out(event[1])
            self.notes(event[2])
        elif event[0] == "controls" and self.controls is not None:
            asked = self.controls.take(event[1], event[2], self._clock())
            if asked is not None:
                self._take(("request", asked))
            if self.controls.lost:
                self._want({"watch": False, "listen": False})

    def _hear(self, link: Link, message: Message) -> None:
        link.take(message)
        kind = message[0]
        if kind in ("done", "error", "fault"):
            self._hear_answer(link, message)
        elif kind == "progress" and link is self.engine:
            flight = self._ledger.flight
            if flight is not None and flight.number == message[1]:
                flight.progress = message[2]
        elif kind == "changed" and link is self.engine:
            self._now = message[2]
            self._copy.told(message[1])
        elif kind == "notice" and link is self.engine:
            self.notes(noticed(message[1]))

    def _hear_answer(self, link: Link, message: Message) -> None:
        number, good = message[1], message[0] == "done"
        flight = self._ledger.flight
        if link.asked and link.opened is None and number == 0:
            if good:
                link.opened = message[2]
            else:
                link.refused = to_error(message)
        elif flight is not None and flight.number == number and link is self.engine:
            self._ledger.flight = None
            if good:
                setup, self._now = message[2]
                self._copy.told(setup)
                self._push(self._copy.ahead)  # set meanwhile, so after the change
                self._ledger.answer(flight, self._now)
            else:
                self._ledger.fail(flight, to_error(message))
        else:
            asked = self._ledger.asked(number)
            if good:
                self._ledger.answer(asked, message[2])
            else:
                self._ledger.fail(asked, to_error(message))

    def _take_request(self, request: Request) -> None:
        kind, body = request.kind, request.body
        if kind in self.helpers:  # what may wait for a disk
            threading.Thread(
                target=self._help, args=(request,), name="restyle-helper", daemon=True
            ).start()
        elif kind == "start":
            self._to_start = request
        elif kind == "stop":
            if self._to_stop is not None:
                self._ledger.answer(request)
            self._to_stop = self._to_stop or request
        elif kind == "edit":
            self._can_wait()
            self._ledger.edits.append(request)
        elif kind == "move":
            self._can_wait()
            if self._to_move is not None:
                raise StreamError("the device is being changed already")
            self._to_move = request
        elif kind == "cancel":
            self._ledger.answer(request, self._cancel(int(body["number"])))
        elif kind == "turn":
            self._turn(tuple(body["turns"]), body.get("at"))
            self._ledger.answer(request)
        elif kind == "identity":
            self._identities += 1
            self._ledger.answer(request, self._identities)
        elif kind == "keep":
            self._kept = {**self._kept, body["key"]: body["value"]}
            self._ledger.answer(request)
        elif kind == "tell":
            self.notes(body["text"])
            self._ledger.answer(request)
        elif kind == "controls":
            self.controls = ControlsLink(
                body["start"], self.post, self._numbers, self._tell_once, request
            )
        elif kind == "want":
            self._want({k: v for k, v in body.items() if k in self._wanted}, request)
        elif kind in ("stats", "states", "log"):
            self._ask(request, kind)
        else:
            raise RestyleError(f"the supervisor does not know '{kind}'")

    def _help(self, request: Request) -> None:
        try:
            result = self.helpers[request.kind](**request.body)
        except Exception as error:
            self.post("helped", request, None, _plainly(error))
        else:
            self.post("helped", request, result, None)

    def _can_wait(self) -> None:
        if self.state in (State.ENDED, State.CLOSING, State.CLOSED):
            raise EngineLost("the sound has ended")

    def _ask(self, request: Request, kind: str, **body: Any) -> None:
        """Ask the engine that plays.

        Raises
        ------
        EngineLost
            None plays just now.
        """
        if self.engine is None or self.engine.lost is not None:
            raise EngineLost("no engine plays just now")
        self._ledger.ask(request)
        self.engine.send(request.number, kind, **body)

    def _want(self, wanted: Mapping[str, Any], request: Request | None = None) -> None:
        """Have sound copied to rings, now and by every engine that follows."""
        self._wanted |= wanted
        for name in wanted:
            asked = request or Request(next(self._numbers), name, {})
            request = None
            if self.engine is None or self.engine.lost is not None:
                self._ledger.answer(asked, 0)
            elif name == "tap":
                self._ask(asked, name, **self._taps())
            else:
                self._ask(asked, name, on=bool(self._wanted[name]))
        self._ledger.answer(request)

    def _taps(self) -> dict[str, bool]:
        return {n: self._journal or n in self._wanted["tap"] for n in ("dry", "wet")}

    def _cancel(self, number: int) -> bool:
        """Call a change off; whether there was one."""
        flight = self._ledger.flight
        if flight is not None and flight.number == number:
            flight.progress = "being cancelled"
            if self.engine is not None:
                self.engine.send(0, "cancel", which=number)
            # the caller need not wait until the engine comes to where it can stop
            self._ledger.fail(flight, Cancelled("cancelled"))
            return True
        for request in list(self._ledger.edits):
            if request.number == number:
                self._ledger.edits.remove(request)
                self._ledger.fail(request, Cancelled("cancelled"))
                return True
        return False

    # -- knobs ----------

    def _turn(self, turns: tuple[Turn, ...], at: int | None) -> None:
        self._copy.turn(turns)
        self._opening |= {(i, p): v for i, p, v in turns}
        self._push(turns, -1 if at is None else at)

    def _push(self, turns: Iterable[Turn], at: int = -1) -> None:
        """Send knobs to the callback; what finds no room comes later."""
        if self.engine is None:
            return
        known = self._now.get("parameters", {})
        for identity, parameter, value in turns:
            try:
                event = to_event(identity, parameter, value, known)
            except ConfigError:
                continue  # of a stage that is not there yet, or no more
            key = identity, parameter
            if self.engine.board.events.push(at, *event):
                self._unheard.pop(key, None)
            else:
                self._unheard[key] = value

    def _push_late(self) -> None:
        if self._unheard:
            late, self._unheard = self._unheard, {}
            self._push((*key, value) for key, value in late.items())

    # -- conditions ----------

    def _start_is_asked(self) -> bool:
        return self._to_start is not None

    def _stop_is_asked(self) -> bool:
        return self._to_stop is not None

    def _move_is_asked(self) -> bool:
        return self._to_move is not None

    def _edit_waits(self) -> bool:
        return bool(self._ledger.edits) and self._ledger.flight is None

    def _device_has_ended(self) -> bool:
        return self.engine is not None and self.engine.ended

    def _sound_is_lost(self) -> bool:
        link = self.engine
        if link is None or link.ended:
            return link is None
        if link.lost is None and self._now.get("device", {}).get("paced", True):
            link.lost = link.watch.silent or self._suspect_hangs()
        return link.lost is not None

    def _suspect_hangs(self) -> str | None:
        """Whether a stage that hung or crashed before hangs while it is brought back.

        Nobody has asked for that change, and the engine would make no other any more.
        """
        flight = self._ledger.flight
        if flight is None or "suspect" not in flight.body:
            return None
        late = self._clock() - flight.sent > SUSPECT_SECONDS
        return "a stage hangs while it is brought back" if late else None

    def _fresh_is_lost(self) -> bool:
        link = self.fresh
        if link is None:
            return self.state is not State.REPLACING
        if link.watch.stuck and not link.opened:
            link.lost = link.lost or f"it got nowhere for a minute ({link.progress})"
        # an engine whose device has ended already has played all there was
        return link.gone or (link.lost is not None and not link.ended)

    def _fresh_is_ready(self) -> bool:
        link = self.fresh
        if link is None or not link.ready or link.asked:
            return False
        free = [o.gone or self._clock() > due + KILLED_SECONDS for o, due in self._leaving]
        return self.state is not State.REPLACING or all(free)

    def _fresh_refuses(self) -> bool:
        return self.fresh is not None and self.fresh.refused is not None

    def _fresh_needs_a_pause(self) -> bool:
        asked = self._to_move is not None and self._to_move.body["may_pause"]
        return bool(asked and self.fresh and isinstance(self.fresh.refused, DeviceError))

    def _fresh_plays(self) -> bool:
        return self.fresh is not None and self.fresh.opened is not None

    def _fresh_is_due(self) -> bool:
        due = self._outage.due if self._outage is not None else 0.0
        return self.fresh is None and self._clock() >= due

    def _all_are_gone(self) -> bool:
        gone = all(link.gone for link in self._links())
        controls = self.controls is None or self.controls.gone
        return (gone and controls) or (self._killed and self._clock() >= self._end_due)

    def _they_take_too_long(self) -> bool:
        return not self._killed and self._clock() >= self._end_due

    def _links(self) -> list[Link]:
        found = [self.engine, self.fresh, self.standby, *(link for link, _ in self._leaving)]
        return [link for link in found if link is not None]

    # -- what is done ----------

    def _new_link(self) -> Link:
        def heard(link: Link, message: Message) -> None:
            self.post("engine", link, message)

        return Link(self._start_child, heard, self._clock())

    def _next_link(self) -> Link:
        link, self.standby = self.standby, None
        return link or self._new_link()

    def _begin(self) -> None:
        if self._begin_error is not None:
            raise self._begin_error

    def _open(self) -> None:
        """Ask the fresh engine to play the session."""
        assert self.fresh is not None
        link, setup = self.fresh, self._copy.setup
        if not self._now:
            for warning in link.warnings:
                self.notes(warning)
        outage = self._outage
        if outage is not None and outage.without:
            setup = Remove(outage.without).apply(setup)
        device = self._to_move.body["device"] if self._to_move is not None else setup.device
        if self._to_move is None and device.fall_back:
            if outage is not None and outage.failures >= PATIENT_TRIES:
                device = msgspec.structs.replace(device, input=None, output=None, sample_rate=None)
        link.asked, link.refused = True, None
        link.watch.told()
        self._opening = {}
        link.send(
            0,
            "open",
            setup=setup.with_device(device),
            urgent=self.state is State.REPLACING,  # nothing sounds meanwhile
            journal=self._journal,
            tap=self._taps(),
            watch=self._wanted["watch"],
            listen=self._wanted["listen"],
        )

    def _play(self) -> None:
        """The fresh engine plays."""
        assert self.fresh is not None and self.fresh.opened is not None
        old, before, opened = self.engine, self._now, self.fresh.opened
        self.engine, self.fresh, self._now = self.fresh, None, opened[1]
        turned = tuple((*key, value) for key, value in self._opening.items())
        self.engine.watch.begin(self._clock())
        self._copy.lost()
        if self._to_move is not None:
            self._copy.setup = self._copy.setup.with_device(self._to_move.body["device"])
        self._turn(turned, None)
        if self._outage is None or not self._outage.again:
            self._said.clear()
        if old is not None:
            self._past = added(self._past, counts(old.board, before))
            self._leave(old)
            self.on_switch(old.board, self.engine.board)
        self._account_for_outage()
        if note := opened[1]["device"].get("note"):
            self._tell_once(note)
        self._answer_move(None)
        self._answer_start(None)

    def _account_for_outage(self) -> None:
        outage, self._outage = self._outage, None
        if outage is None:
            return
        self._before = outage, self._clock()
        if not outage.planned or outage.failures:
            seconds = self._clock() - outage.began
            incident = Incident(outage.reason, outage.stage, outage.struck, seconds)
            self._incidents = (*self._incidents, incident)
            if outage.again < QUIET_TRIES or outage.struck is not None:
                self.notes(incident.sentence())
            else:
                self._tell_once(f"the sound stops again and again: {outage.reason}")
        if outage.without:
            self._copy.missing = back_to(self._copy.setup.sound, outage.without)
            self._back_due = self._clock() + PATIENCE_SECONDS

    def _give_up(self) -> None:
        """The first engine cannot be had."""
        link = self.fresh
        error: Exception = EngineLost("the engine process did not start")
        if link is not None and link.refused is not None:
            error = link.refused
        elif link is not None:
            error = EngineLost(f"the engine process did not start: {link.lost}, {link.progress}")
        self._drop_fresh()
        self._answer_start(error)

    def _replace(self) -> None:
        """The engine that plays is lost: end it, and find out what is to play instead."""
        old, time_ = self.engine, self._clock()
        reason = old.lost if old is not None and old.lost else "it is gone"
        flight = self._ledger.flight
        stage = old.stage if old is not None else 0
        if flight is not None:  # a stage that was being brought back
            stage = flight.body.get("suspect", stage)
        if old is not None:
            old.kill()
        on = f" on '{described(flight.body['operation'])}'" if flight is not None else ""
        self._ledger.engine_lost(EngineLost(f"the engine was lost{on}: {reason}"))
        self._copy.lost()
        known, struck = self._suspects.strike(self._copy.setup.sound, stage)
        if struck is not None:
            self._leave_out(stage)
        without = stage if known and struck is None else 0
        self._outage = Outage(reason, stage, struck, time_, without, time_)
        before, since = self._before
        if before is not None and time_ - since < SHORT_SECONDS:
            self._outage.again = before.again + 1
            if before.again:
                self._outage.due = time_ + before.pause
                self._outage.pause = min(2.0 * before.pause, RETRY_SECONDS[1])
        if old is not None:
            self._leaving.append((old, time_))
        if self._to_move is None:
            self._drop_fresh()

    def _leave_out(self, stage: int) -> None:
        self._copy.setup = Remove(stage).apply(self._copy.setup)
        self._copy.missing = None

    def _prepare(self) -> None:
        self.fresh = self._next_link()

    def _retry(self) -> None:
        """The fresh engine cannot be had: another one, after a pause."""
        link = self.fresh
        assert link is not None
        error = link.refused or EngineLost(link.lost or "it did not start")
        known, struck = self._suspects.strike(self._copy.setup.sound, link.stage)
        if self._outage is not None and known:
            self._outage.without = 0 if struck is not None else link.stage
        if struck is not None:
            self._leave_out(link.stage)
        self._drop_fresh()
        self._set_back(error)

    def _set_back(self, error: Exception) -> None:
        """Count a failed attempt to play again."""
        outage, time_ = self._outage, self._clock()
        if outage is None:
            self._outage = outage = Outage(str(error), 0, None, time_, 0, time_)
        if self._to_move is not None:  # back to the old device, at once
            self._answer_move(error)
            outage.due = time_
            return
        outage.failures += 1
        if outage.failures == 1:
            self._tell_once(f"the sound stopped: {error}; trying again until it is back")
            outage.reason = f"{outage.reason}; then {error}"
        outage.due = time_ + outage.pause
        outage.pause = min(2.0 * outage.pause, RETRY_SECONDS[1])

    def _move(self) -> None:
        self.fresh = self._next_link()

    def _stay(self) -> None:
        """The new device cannot be had; the old one plays on."""
        link = self.fresh
        error = link.refused if link is not None else None
        lost = link.lost if link is not None else None
        self._drop_fresh()
        self._answer_move(error or EngineLost(lost or "no engine for the new device"))

    def _pause(self) -> None:
        """Both devices are one that only one program may have: stop the old first."""
        assert self.engine is not None and self.fresh is not None
        time_ = self._clock()
        old = self.engine
        old.lost = "the device is changed"
        old.quit()
        self._leaving.append((old, time_ + END_SECONDS))
        self._ledger.engine_lost(EngineLost("the device is being changed"))
        self.fresh.asked, self.fresh.refused = False, None
        self._outage = Outage("the device was changed", 0, None, time_, 0, time_, planned=True)

    def _edit(self) -> None:
        """Have the next change made."""
        assert self.engine is not None
        request = self._ledger.edits.popleft()
        self._ledger.flight = request
        request.progress, request.sent = "with the engine", self._clock()
        self._copy.send()
        self.engine.send(request.number, "edit", operation=request.body["operation"])

    def _end(self) -> None:
        error = EngineLost("the sound has ended")
        while self._ledger.edits:
            self._ledger.fail(self._ledger.edits.popleft(), error)
        self._answer_move(error)

    def _finish(self) -> None:
        """Have everything ended."""
        error = EngineLost("restyle is ending")
        self._answer_start(error)
        self._answer_move(error)
        self._ledger.all_off(error)
        self._end_due = self._clock() + END_SECONDS
        for link in self._links():
            link.quit()
        if self.controls is not None:
            self.controls.quit()

    def _kill(self) -> None:
        self._killed, self._end_due = True, self._clock() + KILLED_SECONDS
        for link in self._links():
            link.kill()
        if self.controls is not None:
            self.controls.kill()

    def _close(self) -> None:
        for link in self._links():
            link.kill()
            if link is not self.engine:  # its counters may still be read
                link.board.close()

    # -- little helps ----------

    def _answer_start(self, error: Exception | None) -> None:
        request, self._to_start = self._to_start, None
        if error is not None:
            self._ledger.fail(request, error)
        else:
            self._ledger.answer(request, self._now)

    def _answer_move(self, error: Exception | None) -> None:
        request, self._to_move = self._to_move, None
        if error is not None:
            self._ledger.fail(request, error)
        else:
            self._ledger.answer(request)

    def _drop_fresh(self) -> None:
        link, self.fresh = self.fresh, None
        if link is not None:
            link.kill()
            self._leaving.append((link, self._clock()))

    def _leave(self, link: Link) -> None:
        """Let an engine that is not needed any more end by itself."""
        if all(link is not other for other, _ in self._leaving):
            link.quit()
            self._leaving.append((link, self._clock() + END_SECONDS))

    def _let_go(self) -> None:
        """Kill what does not end; forget what has ended."""
        time_ = self._clock()
        for link, due in self._leaving:
            if not link.gone and time_ >= due:
                link.kill()
            if link.gone and link is not self.engine:
                link.board.close()
        self._leaving = [(link, due) for link, due in self._leaving if not link.gone]

    def _keep_standby(self) -> None:
        """Have a second engine stand by while the first plays."""
        link, time_ = self.standby, self._clock()
        if link is not None and (link.lost is not None or link.watch.stuck):
            self.standby = None
            link.kill()
            self._leaving.append((link, time_))
            self._standby_later()
        elif link is not None and link.ready:
            self._standby_pause = RETRY_SECONDS[0]
        wanted = self._standby_wanted and self.state is State.PLAYING
        if wanted and self.standby is None and time_ >= self._standby_due:
            try:
                self.standby = self._new_link()
            except (RestyleError, OSError, RuntimeError) as error:
                self._tell_once(f"no second engine can stand by: {_plainly(error)}; trying again")
                self._standby_later()

    def _standby_later(self) -> None:
        self._standby_due = self._clock() + self._standby_pause
        self._standby_pause = min(2.0 * self._standby_pause, RETRY_SECONDS[1])

    def _bring_back(self) -> None:
        """Fade a stage in again that ran when the engine died, once another engine stands by."""
        missing = self._copy.missing
        if missing is None or self.state is not State.PLAYING:
            return
        ready = self.standby is not None and self.standby.ready
        if not ready and self._clock() < self._back_due:
            return
        self._copy.missing = None
        operation = back_to(self._copy.setup.sound, missing.stage.identity)
        if operation is None:
            return  # taken out meanwhile
        stage = operation.stage
        body = {"operation": operation, "suspect": missing.stage.identity}
        request = Request(next(self._numbers), "edit", body)

        def done(future: Any) -> None:
            error = future.exception()
            if isinstance(error, RestyleError) and not isinstance(error, EngineLost):
                self.post("back", stage.identity, f"'{stage.name}' does not come back: {error}")

        request.future.add_done_callback(done)
        self._ledger.edits.appendleft(request)


def noticed(notice: Mapping[str, Any]) -> str:
    """An engine's notice as a sentence."""
    if "note" in notice:
        return str(notice["note"])
    if "stage" in notice:
        return f"'{notice['stage']}' failed and is passed over: {notice['failed']}"
    if "late" in notice:
        done = notice.get("instead") and f"'{notice['instead']}' plays instead"
        done = done or (notice.get("lane") and f"it moved to the {notice['lane']} lane")
        return f"the model '{notice['late']}' is too slow here; {done or 'it rests'}"
    return f"the model fails to run: {notice.get('failed')}; the dry sound plays"


def _plainly(error: Exception) -> RestyleError:
    """An error as a caller is to see it."""
    if isinstance(error, RestyleError):
        return error
    if isinstance(error, OSError):
        return StreamError(f"no process can be started: {error.strerror or error}")
    return StreamError(f"this failed: {error!r}")

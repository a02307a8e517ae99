"""Events taken down: what engines and controls tell, and what callers ask for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from ..errors import RestyleError, StreamError
from .child import Message
from .controls_link import ControlsLink
from .crew import plainly
from .engine_link import EngineLost, Link, to_error
from .facts import Facts
from .knobs import Knobs
from .progress import Cancelled
from .requests import Request


class Inbox:
    """Takes one event after the other; the supervisor's loop alone uses it.

    Parameters
    ----------
    facts : Facts
    knobs : Knobs
    post : callable
        Puts an event into the queue, from any thread.
    leave_out : callable
        Takes the identity of a stage to go on without.

    Attributes
    ----------
    helpers : dict
        What may wait for a disk, by kind of request: called in a thread of its own.
    """

    def __init__(
        self,
        facts: Facts,
        knobs: Knobs,
        post: Callable[..., None],
        leave_out: Callable[[int], None],
    ) -> None:
        self._facts, self._crew, self._ledger, self._knobs = facts, facts.crew, facts.ledger, knobs
        self._post, self._leave_out = post, leave_out
        setup = facts.copy.setup
        there = (s.identity for sound in (setup.sound, *setup.shelf) for s in sound.walk())
        self._identities = max(there, default=0)
        self.helpers: dict[str, Callable[..., Any]] = {}

    def take(self, event: Message) -> None:
        """Take one event down."""
        facts = self._facts
        if event[0] == "engine":
            self._hear(event[1], event[2])
        elif event[0] == "request":
            self._take_request(event[1])
        elif event[0] == "helped":
            request, result, error = event[1:]
            if error is not None:
                self._ledger.fail(request, error)
            else:
                self._ledger.answer(request, result)
        elif event[0] == "back":  # a stage that was left out for a while
            self._leave_out(event[1])
            facts.notes(event[2])
        elif event[0] == "controls" and facts.controls is not None:
            asked = facts.controls.take(event[1], event[2], facts.clock())
            if asked is not None:
                self._take_request(asked)
            if facts.controls.lost:
                self._want({"watch": False, "listen": False})

    # -- engines ----------

    def _hear(self, link: Link, message: Message) -> None:
        link.take(message)
        kind, plays = message[0], link is self._crew.engine
        if kind in ("done", "error", "fault"):
            self._hear_answer(link, message)
        elif kind == "progress" and plays:
            flight = self._ledger.flight
            if flight is not None and flight.number == message[1]:
                flight.progress = message[2]
        elif kind == "changed" and plays:
            self._facts.now = message[2]
            self._facts.copy.told(message[1])
        elif kind == "notice" and plays:
            self._facts.notes(noticed(message[1]))

    def _hear_answer(self, link: Link, message: Message) -> None:
        number, good = message[1], message[0] == "done"
        facts, flight = self._facts, self._ledger.flight
        if link.asked and link.opened is None and number == 0:
            if good:
                link.opened = message[2]
            else:
                link.refused = to_error(message)
        elif flight is not None and flight.number == number and link is self._crew.engine:
            self._ledger.flight = None
            if good:
                setup, facts.now = message[2]
                facts.copy.told(setup)
                self._knobs.push(facts.copy.ahead)  # set meanwhile, so after the change
                self._ledger.answer(flight, facts.now)
            else:
                self._ledger.fail(flight, to_error(message))
        else:
            asked = self._ledger.asked(number)
            if good:
                self._ledger.answer(asked, message[2])
            else:
                self._ledger.fail(asked, to_error(message))

    # -- requests ----------

    def _take_request(self, request: Request) -> None:
        try:
            self._answer(request)
        except Exception as problem:
            self._ledger.fail(request, plainly(problem))
            if not isinstance(problem, RestyleError):
                raise

    def _answer(self, request: Request) -> None:
        facts, kind, body = self._facts, request.kind, request.body
        if kind in self.helpers:
            threading.Thread(
                target=self._help, args=(request,), name="restyle-helper", daemon=True
            ).start()
        elif kind == "start":
            facts.start = request
        elif kind == "stop":
            if facts.stop is not None:
                self._ledger.answer(request)
            facts.stop = facts.stop or request
        elif kind == "edit":
            facts.need_a_future()
            self._ledger.edits.append(request)
        elif kind == "move":
            facts.need_a_future()
            if facts.move is not None:
                raise StreamError("the device is being changed already")
            facts.move = request
        elif kind == "cancel":
            self._ledger.answer(request, self._cancel(int(body["number"])))
        elif kind == "turn":
            self._knobs.turn(body["turns"], body.get("at"))
            self._ledger.answer(request)
        elif kind == "identity":
            self._identities += 1
            self._ledger.answer(request, self._identities)
        elif kind == "keep":
            facts.kept = {**facts.kept, body["key"]: body["value"]}
            self._ledger.answer(request)
        elif kind == "tell":
            facts.notes(body["text"])
            self._ledger.answer(request)
        elif kind == "controls":
            facts.controls = ControlsLink(
                body["start"], self._post, facts.numbers, facts.tell_once, request
            )
        elif kind == "want":
            self._want({k: v for k, v in body.items() if k in facts.wanted}, request)
        elif kind == "listeners":
            facts.listeners, facts.listened = body["count"], facts.clock()
            self._ledger.answer(request)
        elif kind == "monitor":
            self._turn_monitor(request, body["gain_db"])
        elif kind in ("stats", "states", "log"):
            self._ask(request, kind)
        else:
            raise RestyleError(f"the supervisor does not know '{kind}'")

    def _help(self, request: Request) -> None:
        try:
            result = self.helpers[request.kind](**request.body)
        except Exception as error:
            self._post("helped", request, None, plainly(error))
        else:
            self._post("helped", request, result, None)

    def _ask(self, request: Request, kind: str, **body: Any) -> None:
        """Ask the engine that plays.

        Raises
        ------
        EngineLost
            None plays just now.
        """
        engine = self._crew.engine
        if engine is None or engine.lost is not None:
            raise EngineLost("no engine plays just now")
        self._ledger.ask(request)
        engine.send(request.number, kind, **body)

    def _want(self, wanted: Mapping[str, Any], request: Request | None = None) -> None:
        """Have sound copied to rings, now and by every engine that follows."""
        facts, engine = self._facts, self._crew.engine
        facts.wanted |= wanted
        for name in wanted:
            asked = request or Request(next(facts.numbers), name, {})
            request = None
            if engine is None or engine.lost is not None:
                self._ledger.answer(asked, 0)
            elif name == "tap":
                self._ask(asked, name, **facts.taps)
            else:
                self._ask(asked, name, on=bool(facts.wanted[name]))
        self._ledger.answer(request)

    def _turn_monitor(self, request: Request, gain_db: float) -> None:
        """Have the monitor at another gain, now and in every engine that follows."""
        facts, engine = self._facts, self._crew.engine
        setup = facts.copy.setup
        device = msgspec.structs.replace(setup.device, monitor_gain_db=gain_db)
        facts.copy.setup = setup.with_device(device)
        if engine is None or engine.lost is not None:
            self._ledger.answer(request)
        else:
            self._ask(request, "monitor", gain_db=gain_db)

    def _cancel(self, number: int) -> bool:
        """Call a change off; whether there was one."""
        flight = self._ledger.flight
        if flight is not None and flight.number == number:
            flight.progress = "being cancelled"
            if self._crew.engine is not None:
                self._crew.engine.send(0, "cancel", which=number)
            # the caller need not wait until the engine comes to where it can stop
            self._ledger.fail(flight, Cancelled("cancelled"))
            return True
        for request in list(self._ledger.edits):
            if request.number == number:
                self._ledger.edits.remove(request)
                self._ledger.fail(request, Cancelled("cancelled"))
                return True
        return False


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

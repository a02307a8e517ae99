"""What the supervisor's table says is to be done, rule by rule."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from ..errors import RestyleError
from ..session.operations import Remove, back_to, described
from .crew import END_SECONDS, KILLED_SECONDS, plainly
from .engine_link import EngineLost
from .facts import Facts
from .knobs import Knobs
from .machine import Rule, State
from .outage import Outage
from .requests import Request
from .shared_memory import Board
from .suspects import Suspects
from .tally import added, counts

PATIENCE_SECONDS = 30.0  # how long a stage under suspicion waits for a standby
PATIENT_TRIES = 2  # before the default devices are tried, where that is allowed


class Actions:
    """Does what a rule says; the supervisor's loop alone uses it.

    Each action of :data:`realtime.host.machine.RULES` is a method without arguments.

    Parameters
    ----------
    facts : Facts
    knobs : Knobs

    Attributes
    ----------
    on_switch : callable
        Told the boards of the engine that played and of the one that plays.
    begin_error : Exception or None
        Why no first engine could be started.
    """

    def __init__(self, facts: Facts, knobs: Knobs) -> None:
        self._facts, self._crew, self._ledger = facts, facts.crew, facts.ledger
        self._knobs, self._suspects, self._back_due = knobs, Suspects(), 0.0
        self._last: tuple[Outage, float] | None = None  # the outage before, and its end
        self.on_switch: Callable[[Board, Board], None] = lambda old, new: None
        self.begin_error: Exception | None = None

    def failed(self, rule: Rule, error: Exception) -> None:
        """A rule's action raised: its request learns why, its engine is not used."""
        facts, plain = self._facts, plainly(error)
        if rule.state in (State.IDLE, State.STARTING) and rule.fails is State.ENDED:
            facts.answer_start(plain)
        elif rule.fails is State.PLAYING and rule.do in ("move", "open", "stay"):
            facts.answer_move(plain)
            self._crew.drop_fresh()
        elif rule.state is State.REPLACING:
            self._set_back(plain)
        elif rule.do == "edit":
            lost, self._ledger.flight = self._ledger.flight, None
            self._ledger.fail(lost, plain)
        if rule.fails is State.REPLACING and facts.outage is None:
            time = facts.clock()
            facts.outage = Outage(str(plain), 0, None, time, 0, time)

    # -- up to sound ----------

    def begin(self) -> None:
        """The first engine is coming up, or cannot be had."""
        if self.begin_error is not None:
            raise self.begin_error

    def open(self) -> None:
        """Ask the fresh engine to play the session."""
        facts, link = self._facts, self._crew.fresh
        assert link is not None
        if not facts.now:
            for warning in link.warnings:
                facts.notes(warning)
        setup, outage = facts.copy.setup, facts.outage
        if outage is not None and outage.without:
            setup = Remove(outage.without).apply(setup)
        device = facts.move.body["device"] if facts.move is not None else setup.device
        if facts.move is None and device.fall_back:
            if outage is not None and outage.failures >= PATIENT_TRIES:
                device = msgspec.structs.replace(device, input=None, output=None, sample_rate=None)
        link.asked, link.refused = True, None
        link.watch.told()
        self._knobs.open()
        link.send(
            0,
            "open",
            setup=setup.with_device(device),
            urgent=facts.state is State.REPLACING,  # nothing sounds meanwhile
            journal=facts.journal,
            tap=facts.taps,
            watch=facts.wanted["watch"],
            listen=facts.wanted["listen"],
            first=not facts.now,
        )

    def play(self) -> None:
        """The fresh engine plays."""
        facts, old, before = self._facts, self._crew.engine, self._facts.now
        engine = self._crew.promote()
        assert engine.opened is not None
        facts.now = engine.opened[1]
        engine.watch.begin(facts.clock())
        facts.copy.lost()
        if facts.move is not None:
            facts.copy.setup = facts.copy.setup.with_device(facts.move.body["device"])
        self._knobs.catch_up()
        if facts.outage is None or not facts.outage.again:
            facts.said.clear()
        if old is not None:
            facts.past = added(facts.past, counts(old.board, before))
            self._crew.leave(old)
            self.on_switch(old.board, engine.board)
        self._account_for_outage()
        if note := facts.now.get("device", {}).get("note"):
            facts.tell_once(note)
        facts.answer_move(None)
        facts.answer_start(None)

    def _account_for_outage(self) -> None:
        facts, outage = self._facts, self._facts.outage
        facts.outage = None
        if outage is None:
            return
        if outage.awaited:
            facts.notes("the device is there, and it plays")
            return
        time = facts.clock()
        self._last = outage, time
        incident = outage.incident(time)
        if incident is not None:
            facts.incidents = (*facts.incidents, incident)
            if outage.told:
                facts.notes(incident.sentence())
            else:
                facts.tell_once(f"the sound stops again and again: {outage.reason}")
        if outage.without:
            facts.copy.missing = back_to(facts.copy.setup.sound, outage.without)
            self._back_due = time + PATIENCE_SECONDS

    def await_device(self) -> None:
        """Try the first device again, less and less often, as one that has gone."""
        facts, link, time = self._facts, self._crew.fresh, self._facts.clock()
        assert link is not None
        facts.tell_once(f"waiting for the device: {link.refused}")
        facts.outage = Outage(str(link.refused), 0, None, time, 0, time, awaited=True)
        facts.outage.failed(time)
        self._crew.drop_fresh()

    def give_up(self) -> None:
        """The first engine cannot be had."""
        link = self._crew.fresh
        error: RestyleError = EngineLost("the engine process did not start")
        if link is not None and link.refused is not None:
            error = plainly(link.refused)
        elif link is not None:
            error = EngineLost(f"the engine process did not start: {link.lost}, {link.progress}")
        self._crew.drop_fresh()
        self._facts.answer_start(error)

    # -- sound is lost ----------

    def replace(self) -> None:
        """The engine that plays is lost: end it, and find out what is to play instead."""
        facts, old, time = self._facts, self._crew.engine, self._facts.clock()
        reason = old.lost if old is not None and old.lost else "it is gone"
        flight = self._ledger.flight
        stage = old.stage if old is not None else 0
        if flight is not None:  # a stage that was being brought back
            stage = flight.body.get("suspect", stage)
        if old is not None:
            old.kill()
        on = f" on '{described(flight.body['operation'])}'" if flight is not None else ""
        self._ledger.engine_lost(EngineLost(f"the engine was lost{on}: {reason}"))
        facts.copy.lost()
        if facts.copy.leave_off(stage):
            facts.notes(
                "a preset that was being loaded beforehand broke the engine; it is left out"
            )
        known, struck = self._strike(stage)
        without = stage if known and struck is None else 0
        facts.outage = Outage(reason, stage, struck, time, without, time)
        if self._last is not None:
            facts.outage.follows(*self._last)
        if old is not None:
            self._crew.end(old)
        if facts.move is None:
            self._crew.drop_fresh()

    def _strike(self, stage: int) -> tuple[bool, str | None]:
        """Count an engine's end against a stage; the second time it is left out."""
        known, struck = self._suspects.strike(self._facts.copy.setup.sound, stage)
        if struck is not None:
            self.leave_out(stage)
        return known, struck

    def leave_out(self, stage: int) -> None:
        """Go on without a stage."""
        self._facts.copy.setup = Remove(stage).apply(self._facts.copy.setup)
        self._facts.copy.missing = None

    def prepare(self) -> None:
        """Have the next engine come up."""
        self._crew.prepare()

    def retry(self) -> None:
        """The fresh engine cannot be had: another one, after a pause."""
        link, outage = self._crew.fresh, self._facts.outage
        assert link is not None
        error = link.refused or EngineLost(link.lost or "it did not start")
        known, struck = self._strike(link.stage)
        if outage is not None and known:
            outage.without = 0 if struck is not None else link.stage
        self._crew.drop_fresh()
        self._set_back(plainly(error))

    def _set_back(self, error: RestyleError) -> None:
        """Count a failed attempt to play again."""
        facts, outage, time = self._facts, self._facts.outage, self._facts.clock()
        if outage is None:
            facts.outage = outage = Outage(str(error), 0, None, time, 0, time)
        if facts.move is not None:  # back to the old device, at once
            facts.answer_move(error)
            outage.due = time
            return
        outage.failed(time)
        if outage.failures == 1:
            facts.tell_once(f"the sound stopped: {error}; trying again until it is back")
            outage.reason = f"{outage.reason}; then {error}"

    # -- changes ----------

    def move(self) -> None:
        """Have an engine come up for another device."""
        self._crew.prepare()

    def stay(self) -> None:
        """The new device cannot be had; the old one plays on."""
        link = self._crew.fresh
        error: RestyleError = EngineLost("no engine for the new device")
        if link is not None and (link.refused is not None or link.lost is not None):
            error = plainly(link.refused or EngineLost(str(link.lost)))
        self._crew.drop_fresh()
        self._facts.answer_move(error)

    def pause(self) -> None:
        """Both devices are one that only one program may have: stop the old first."""
        facts, old, fresh = self._facts, self._crew.engine, self._crew.fresh
        assert old is not None and fresh is not None
        old.lost = "the device is changed"
        self._crew.leave(old)
        self._ledger.engine_lost(EngineLost("the device is being changed"))
        fresh.asked, fresh.refused = False, None
        time = facts.clock()
        facts.outage = Outage("the device was changed", 0, None, time, 0, time, planned=True)

    def rest(self) -> None:
        """Nobody listens: let the engine go; the one that stands by plays once somebody does."""
        old = self._crew.engine
        assert old is not None
        old.lost = "nobody listens"
        self._crew.leave(old)
        self._facts.copy.lost()

    def wake(self) -> None:
        """Somebody listens again."""
        time = self._facts.clock()
        self._facts.outage = Outage("nobody listened", 0, None, time, 0, time, planned=True)
        self._crew.prepare()

    def edit(self) -> None:
        """Have the next change made."""
        engine = self._crew.engine
        assert engine is not None
        request = self._ledger.edits.popleft()
        self._ledger.flight = request
        request.progress, request.sent = "with the engine", self._facts.clock()
        self._facts.copy.send()
        engine.send(request.number, "edit", operation=request.body["operation"])

    def suspect_back(self) -> Request | None:
        """A change that fades a stage in again that ran when the engine died, once it is time."""
        facts, standby = self._facts, self._crew.standby
        missing = facts.copy.missing
        if missing is None or facts.state is not State.PLAYING:
            return None
        ready = standby is not None and standby.ready
        if not ready and facts.clock() < self._back_due:
            return None
        facts.copy.missing = None
        operation = back_to(facts.copy.setup.sound, missing.stage.identity)
        if operation is None:
            return None  # taken out meanwhile
        body = {"operation": operation, "suspect": missing.stage.identity}
        request = Request(next(facts.numbers), "edit", body)
        self._ledger.edits.appendleft(request)
        return request

    # -- the end ----------

    def end(self) -> None:
        """The device has ended; nothing that waits will be made."""
        error = EngineLost("the sound has ended")
        while self._ledger.edits:
            self._ledger.fail(self._ledger.edits.popleft(), error)
        self._facts.answer_move(error)

    def finish(self) -> None:
        """Have everything ended."""
        facts, error = self._facts, EngineLost("restyle is ending")
        facts.answer_start(error)
        facts.answer_move(error)
        self._ledger.all_off(error)
        facts.end_due = facts.clock() + END_SECONDS
        for link in self._crew.links:
            link.quit()
        if facts.controls is not None:
            facts.controls.quit()

    def kill(self) -> None:
        """What has not ended is killed."""
        facts = self._facts
        facts.killed, facts.end_due = True, facts.clock() + KILLED_SECONDS
        for link in self._crew.links:
            link.kill()
        if facts.controls is not None:
            facts.controls.kill()

    def close(self) -> None:
        """All is over."""
        self._crew.close()

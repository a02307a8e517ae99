"""The supervisor's states: the table, its diagram, and everything that may go wrong on the way."""

from __future__ import annotations

import itertools
import random
import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from realtime.errors import ConfigError, DeviceError, RestyleError
from realtime.host import engine_link
from realtime.host.actions import PATIENCE_SECONDS, Actions
from realtime.host.child import processor_ns
from realtime.host.crew import Crew
from realtime.host.facts import REST_SECONDS, Facts
from realtime.host.inbox import Inbox
from realtime.host.knobs import Knobs
from realtime.host.machine import RULES, State, diagram
from realtime.host.progress import Cancelled
from realtime.host.shared_memory import MISSED, MODE, Board
from realtime.host.tally import count_missed
from realtime.session.operations import Remove, Swap
from realtime.session.sound import Device, Setup, Sound
from realtime.session.sound import Stage as Played
from realtime.stream.voice import INLINE, WORKER

from .fake_engine import NOW, Stage

DOCS = Path(__file__).parents[2] / "docs" / "host.md"
OTHER = Device(kind="tape", tape="other")
HERE = Device(kind="tape", tape="x")


def plays(model: str, device: Device = HERE) -> Setup:
    return Setup(Sound((Played(model=model, identity=1),)), device)


def swap(model: str) -> Swap:
    return Swap(1, Played(model=model, identity=2))


def first_model(setup: Setup) -> str | None:
    return setup.sound.stages[0].model


def test_the_diagram_in_the_docs_is_the_table() -> None:
    drawn = re.search(r"```mermaid\nstateDiagram-v2\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert drawn is not None
    assert [line.strip() for line in drawn[1].splitlines()] == diagram()


def test_every_rule_names_what_there_is_and_every_state_can_be_left() -> None:
    for rule in RULES:
        assert callable(getattr(Facts, rule.when))
        assert callable(getattr(Actions, rule.do))
    assert {r.state for r in RULES} == set(State) - {State.CLOSED}
    for state in set(State) - {State.CLOSED, State.CLOSING}:
        first = next(r for r in RULES if r.state is state)
        assert first.when == "stop_is_asked"  # whatever happens, it can be ended


# -- sound is what keeps an engine ---------------------------------------------------------------


def test_an_edit_has_no_limit_of_time_while_the_sound_goes_on() -> None:
    stage = Stage()
    engine = stage.play()
    slow = stage.ask("edit", operation=swap("heavy.onnx"))
    later = stage.ask("edit", operation=Remove(3))
    engine.heard(("progress", slow.number, "opening the model heavy.onnx"))
    stage.wait(3600.0)
    shown = stage.supervisor.view.pending
    assert [(p.what, p.progress) for p in shown] == [
        ("change to heavy", "opening the model heavy.onnx"),
        ("take a stage out", "waiting"),
    ]
    assert stage.ask("turn", turns=((0, "mix", 0.25),)).future.result(0) is None
    assert (stage.state, len(stage.made)) == (State.PLAYING, 1)
    engine.done(plays("heavy.onnx"))
    stage.run()
    assert slow.future.done() and not later.future.done()
    assert first_model(stage.supervisor.view.setup) == "heavy.onnx"
    assert stage.supervisor.view.setup.sound.mix == 0.25  # turned meanwhile, so after the change


@pytest.mark.parametrize(
    ("sound", "beats", "seconds", "reason"),
    [(False, True, 1.0, "the device stopped calling"), (False, False, 4.0, "it hangs")],
)
def test_an_engine_whose_sound_stops_is_replaced(
    sound: bool, beats: bool, seconds: float, reason: str
) -> None:
    stage = Stage()
    first = stage.play()
    asked = stage.ask("edit", operation=swap("x.onnx"))
    stage.wait(seconds, sound=sound, beats=beats)
    assert first.dead and stage.state is State.REPLACING
    with pytest.raises(RestyleError, match=reason):
        asked.future.result(0)
    stage.come_up()
    assert stage.state is State.PLAYING
    assert [i.reason for i in stage.supervisor.view.incidents] == [reason]


@pytest.mark.parametrize(("sound", "soon"), [(2.0, True), (0.3, False)])
def test_sound_is_back_at_once_unless_it_hardly_plays(sound: float, soon: bool) -> None:
    stage = Stage()
    stage.play()
    waited = []
    for _ in range(12):
        stage.wait(sound)
        stage.engine.kill()
        begin = stage.time
        while not (stage.supervisor.crew.fresh and stage.fresh.asked("open")):
            stage.wait(0.05)
            if stage.supervisor.crew.fresh and not stage.supervisor.crew.fresh.ready:
                stage.fresh.heard(("ready", []))
                stage.run()
        waited.append(stage.time - begin)
        stage.fresh.open()
        stage.run()
        assert stage.state is State.PLAYING
    assert max(waited) < 0.3 if soon else 4.9 < max(waited) < 5.3
    assert len(stage.supervisor.view.incidents) == 12


def test_a_starved_machine_is_late_not_broken() -> None:
    stage = Stage()
    stage.play()
    for _ in range(20):  # a callback and a beat a second: neither gets processor time
        stage.wait(0.9, sound=False, beats=False)
        stage.wait(0.1)
    stage.time += 600.0  # the supervisor itself was stopped for a while
    stage.supervisor.step(("tick",))
    stage.wait(0.1)
    assert (stage.state, len(stage.made)) == (State.PLAYING, 1)


def test_a_worker_that_begins_is_not_held_to_what_the_last_one_did() -> None:
    stage = Stage()
    engine = stage.play()
    status, record = engine.board.status, engine.board.record[0]
    status[MODE], record["worker_blocks"] = WORKER, 10
    stage.wait(0.2)
    status[MODE] = INLINE
    stage.wait(5.0)  # inline: no worker, no blocks
    status[MODE] = WORKER
    stage.wait(0.2)  # its first block is not full yet
    assert stage.state is State.PLAYING
    stage.wait(1.0)
    assert engine.dead and stage.state is State.REPLACING


# -- nothing is told only once -------------------------------------------------------------------


def test_the_end_before_the_answer_to_open_is_not_lost() -> None:
    stage = Stage()
    stage.ask("start")
    stage.fresh.heard(("ready", []))
    stage.run()
    child = stage.fresh
    child.heard(("lost", "end", "the device has ended"))
    stage.run()
    child.open()
    stage.run()
    assert stage.state is State.ENDED
    with pytest.raises(RestyleError, match="has ended"):
        stage.ask("edit", operation=Remove(1)).future.result(0)


@pytest.mark.parametrize("message", [("lost", "device", "unplugged"), ("gone",)])
@pytest.mark.parametrize("opened", [True, False])
def test_a_loss_around_the_answer_to_open_leads_to_another_engine(
    message: Any, opened: bool
) -> None:
    stage = Stage()
    stage.play().kill()
    stage.wait(0.1)
    stage.fresh.heard(("ready", []))
    stage.run()
    child = stage.fresh
    number, body = child.asked("open")[-1]
    if opened:  # both are in the queue before either is looked at
        child.heard(("done", number, (body["setup"], dict(NOW))))
    child.heard(message)
    stage.run()
    stage.wait(0.3)
    assert stage.fresh is not child and stage.state is State.REPLACING
    stage.come_up()
    assert stage.state is State.PLAYING


def test_what_the_engine_changes_by_itself_reaches_the_copy() -> None:
    stage = Stage(plays("heavy.onnx"))
    engine = stage.play()
    stage.ask("turn", turns=((0, "mix", 0.5),))
    engine.heard(("changed", plays("heavy-lite.onnx", Device()), {**NOW, "lane": "worker"}))
    stage.run()
    view = stage.supervisor.view
    assert (first_model(view.setup), view.setup.sound.mix) == ("heavy-lite.onnx", 0.5)
    assert view.setup.device.tape == "x" and view.now["lane"] == "worker"
    engine.kill()
    stage.wait(0.1)
    stage.fresh.heard(("ready", []))
    stage.run()
    assert first_model(stage.fresh.asked("open")[-1][1]["setup"]) == "heavy-lite.onnx"


# -- every exception is an event -----------------------------------------------------------------

WAYS = [
    *((Actions, do) for do in sorted({r.do for r in RULES})),
    *((Facts, when) for when in sorted({r.when for r in RULES})),
    (Inbox, "_hear"),
    (Inbox, "_answer"),
    (Knobs, "push"),
    (Crew, "keep_standby"),
    (Crew, "let_go"),
]


@pytest.mark.parametrize(("part", "where"), WAYS)
def test_whatever_raises_the_loop_goes_on_to_a_state_of_the_table(
    part: type, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each step fails once; then sound is there again, or the end has come as it was asked."""
    stage = Stage(standby=True)
    original, failed = getattr(part, where), []

    def fails(self: Any, *arguments: Any) -> Any:
        if not failed:
            failed.append(1)
            raise ZeroDivisionError("injected")
        return original(self, *arguments)

    monkeypatch.setattr(part, where, fails)
    asked = [stage.ask("start")]
    for _ in range(8):
        stage.wait(1.0)
        for link in (stage.supervisor.crew.fresh, stage.supervisor.crew.standby):
            if link is not None and not stage.child(link).dead:
                child = stage.child(link)
                if not link.ready:
                    child.heard(("ready", []))
                    stage.run()
                if link.asked and link.opened is None:
                    child.open()
                stage.run()
        if stage.state is State.PLAYING:
            if len(asked) == 1:
                asked.append(stage.ask("turn", turns=((0, "mix", 0.5),)))
                asked.append(stage.ask("edit", operation=Remove(1)))
                if stage.engine.asked("edit"):
                    stage.engine.done()
                stage.run()
            elif len(asked) == 3:
                asked.append(stage.ask("move", device=OTHER, may_pause=True))
                stage.wait(0.1)
            elif len(asked) == 4:
                stage.engine.kill()
                stage.run()
                asked.append(stage.ask("stats"))
    if stage.state not in (State.ENDED, State.IDLE):
        assert stage.state is State.PLAYING, stage.sentences()
    asked.append(stage.ask("stop"))
    stage.wait(12.0)
    assert stage.state is State.CLOSED
    # nobody waits for ever, and each trouble is one line
    assert all(r.future.done() for r in asked)
    assert len(stage.sentences()) == len(set(stage.sentences()))


def test_descriptors_that_run_out_are_waited_for() -> None:
    stage = Stage(standby=True)
    stage.play()
    standby = stage.supervisor.crew.standby
    assert standby is not None
    stage.fails = OSError(24, "Too many open files")
    stage.child(standby).kill()
    stage.engine.kill()
    stage.wait(60.0)
    assert stage.state is State.REPLACING
    assert [t for t in stage.sentences() if "Too many open files" in t] == [
        "the sound stopped: no process can be started: Too many open files; trying again until"
        " it is back"
    ]
    stage.fails = None
    stage.wait(6.0)
    stage.come_up()
    assert stage.state is State.PLAYING
    assert sum("restarted" in t for t in stage.sentences()) == 1


def test_a_standby_that_dies_while_it_is_needed_is_replaced() -> None:
    stage = Stage(standby=True)
    stage.play()
    stage.wait(0.1)
    standby = stage.supervisor.crew.standby
    assert standby is not None
    stage.child(standby).heard(("ready", []))
    stage.run()
    stage.engine.kill()
    stage.run()
    assert stage.fresh is stage.child(standby)
    stage.fresh.kill()
    stage.wait(0.2)
    assert stage.fresh is not stage.child(standby)
    stage.come_up()
    assert stage.state is State.PLAYING and len(stage.supervisor.view.incidents) == 1


def resting(stage: Stage) -> None:
    """Play, with an engine that stands by, until nobody has listened for long."""
    stage.play()
    standby = stage.supervisor.crew.standby
    assert standby is not None
    stage.child(standby).heard(("ready", []))
    stage.run()
    stage.wait(2 * REST_SECONDS)
    assert stage.state is State.PLAYING  # nobody has counted
    stage.ask("listeners", count=0)
    stage.wait(REST_SECONDS + 0.2)


def test_the_engine_rests_while_nobody_listens_and_another_plays_once_somebody_does() -> None:
    stage = Stage(standby=True)
    resting(stage)
    first = stage.made[0]
    assert stage.state is State.RESTING and first.dead
    stage.ask("turn", turns=((0, "mix", 0.5),))
    stage.wait(1.0)
    assert stage.state is State.RESTING
    stage.ask("listeners", count=1)
    assert stage.state is State.REPLACING
    number, body = stage.fresh.asked("open")[-1]
    assert number == 0 and body["setup"].sound.mix == 0.5
    stage.fresh.open()
    stage.run()
    assert stage.state is State.PLAYING and not stage.supervisor.view.incidents
    assert stage.sentences() == []


@pytest.mark.parametrize("why", ["listen", "watch", "edit", "stop"])
def test_what_needs_the_sound_ends_its_rest(why: str) -> None:
    stage = Stage(plays("a"), standby=True)
    resting(stage)
    assert stage.state is State.RESTING
    if why == "stop":
        stage.ask("stop")
        stage.wait(0.2)
        assert stage.state is State.CLOSED
        return
    if why == "edit":
        stage.ask("edit", operation=swap("b"))
    else:
        stage.ask("want", **{why: True})
    assert stage.state is State.REPLACING
    stage.fresh.open()
    stage.run()
    assert stage.state is State.PLAYING
    assert bool(stage.engine.asked("edit")) == (why == "edit")


def test_a_monitor_is_heard_by_its_owner_so_nothing_rests() -> None:
    device = msgspec.structs.replace(HERE, monitor="phones")
    stage = Stage(Setup(device=device), standby=True)
    resting(stage)
    assert stage.state is State.PLAYING
    stage.ask("monitor", gain_db=-12.0)
    assert stage.engine.asked("monitor")[-1][1] == {"gain_db": -12.0}
    assert stage.supervisor.view.setup.device.monitor_gain_db == -12.0


def test_fifty_kills_at_random_moments() -> None:
    """Whichever process dies whenever, sound is back once an engine can be had."""
    stage, rng, kills = Stage(standby=True), random.Random(13), 0
    asked = [stage.ask("start")]
    crew = stage.supervisor.crew
    while kills < 50:
        links = [
            link
            for link in (crew.engine, crew.fresh, crew.standby)
            if link is not None and not stage.child(link).dead
        ]
        link = rng.choice(links) if links else None
        kind = rng.choice(["kill", "ready", "open", "open", "wait", "wait", "edit", "lost"])
        if kind == "kill" and link is not None and stage.supervisor.view.now:
            kills += 1
            stage.child(link).kill()
        elif kind == "lost" and link is not None and stage.supervisor.view.now:
            kills += 1
            stage.child(link).heard(("lost", "device", "unplugged"))
        elif kind == "ready" and link is not None and not link.ready:
            stage.child(link).heard(("ready", []))
        elif kind == "open" and crew.fresh is not None and crew.fresh.asked:
            stage.fresh.open()
        elif kind == "edit":
            asked.append(stage.ask("edit", operation=Remove(1)))
        elif kind == "wait":
            stage.wait(rng.random())
        stage.run()
    for _ in range(20):
        stage.wait(3.0)
        if crew.fresh is not None and not stage.fresh.dead:
            if not crew.fresh.ready:
                stage.fresh.heard(("ready", []))
                stage.run()
            if crew.fresh is not None and crew.fresh.asked:
                stage.fresh.open()
                stage.run()
        while stage.state is State.PLAYING and stage.supervisor.facts.ledger.flight is not None:
            stage.engine.done()
            stage.run()
    assert stage.state is State.PLAYING
    assert all(r.future.done() for r in asked)
    assert not any("failed (" in t for t in stage.sentences()), stage.sentences()


# -- the start, and changes of the device --------------------------------------------------------


def test_a_start_takes_its_time_while_it_gets_on() -> None:
    stage = Stage()
    started = stage.ask("start")
    stage.fresh.heard(("progress", None, "compiling kernel 12 of at most 96: play"))
    stage.wait(1800.0)  # half an hour of processor time
    assert stage.state is State.STARTING
    assert stage.supervisor.crew.fresh is not None
    assert "12 of at most 96" in stage.supervisor.crew.fresh.progress
    stage.come_up()
    assert started.future.result(0)


def test_a_start_that_gets_nowhere_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage()
    started = stage.ask("start")
    for _ in range(1300):  # no processor time, not a word
        stage.time += 0.05
        stage.supervisor.step(("tick",))
    stage.run()
    with pytest.raises(RestyleError, match="nowhere for a minute"):
        started.future.result(0)
    assert stage.state is State.ENDED


def test_a_process_that_has_not_come_so_far_as_to_speak_is_given_time_while_it_computes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    used = itertools.count(1, 10**6)
    monkeypatch.setattr(engine_link, "processor_ns", lambda pid: next(used))
    stage = Stage()
    stage.ask("start")
    for _ in range(6000):  # five minutes of a machine that has hardly any time
        stage.time += 0.05
        stage.supervisor.step(("tick",))
    assert stage.state is State.STARTING
    stage.come_up()
    assert stage.state is State.PLAYING


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell")
def test_the_processor_time_of_another_process() -> None:
    program = """
import time
while time.process_time() < 0.3: pass
print(time.process_time_ns(), flush=True)
input()
"""
    words = [sys.executable, "-S", "-c", program]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True) as child:
        assert child.stdout is not None
        said = int(child.stdout.readline())
        assert said <= processor_ns(child.pid) < said + 10**10
        child.communicate("\n")
    assert processor_ns(0) == processor_ns(child.pid) == 0


def test_a_session_that_is_refused_says_so() -> None:
    stage = Stage()
    started = stage.ask("start")
    stage.fresh.heard(("ready", []))
    stage.run()
    stage.fresh.heard(("error", 0, "ConfigError", "no such lane"))
    stage.run()
    with pytest.raises(ConfigError, match="no such lane"):
        started.future.result(0)
    assert stage.state is State.ENDED


def test_another_device_is_opened_beside_the_old_one() -> None:
    stage = Stage()
    old = stage.play()
    moved = stage.ask("move", device=OTHER, may_pause=False)
    stage.wait(0.1)
    assert stage.state is State.MOVING and not old.dead
    stage.ask("turn", turns=((0, "mix", 0.5),))
    stage.come_up()
    assert moved.future.result(0) is None and stage.engine is not old
    view = stage.supervisor.view
    assert (view.setup.device, view.setup.sound.mix, view.incidents) == (OTHER, 0.5, ())
    stage.wait(0.1)
    assert old.dead


@pytest.mark.parametrize("may_pause", [True, False])
def test_a_device_that_is_refused_leaves_the_old_one(may_pause: bool) -> None:
    stage = Stage()
    stage.play()
    before = stage.supervisor.view.setup
    moved = stage.ask("move", device=OTHER, may_pause=may_pause)
    stage.fresh.heard(("ready", []))
    stage.run()
    for _ in range(1 + may_pause):  # beside the old one; with the old one stopped
        stage.fresh.heard(("error", 0, "DeviceError", "in use"))
        stage.run()
    with pytest.raises(DeviceError, match="in use"):
        moved.future.result(0)
    stage.wait(0.2)
    if may_pause:
        stage.come_up()
    assert stage.state is State.PLAYING
    assert (stage.supervisor.view.setup, stage.supervisor.view.incidents) == (before, ())


def test_a_change_can_be_called_off_at_any_time() -> None:
    stage = Stage()
    engine = stage.play()
    first = stage.ask("edit", operation=swap("a.onnx"))
    second = stage.ask("edit", operation=swap("b.onnx"))
    assert stage.ask("cancel", number=second.number).future.result(0) is True
    assert stage.ask("cancel", number=first.number).future.result(0) is True
    assert stage.ask("cancel", number=999).future.result(0) is False
    for request in (first, second):
        with pytest.raises(Cancelled):
            request.future.result(0)
    assert engine.asked("cancel") == [(0, {"which": first.number})]
    engine.heard(("error", first.number, "Cancelled", "cancelled"))
    stage.run()
    assert stage.supervisor.view.pending == ()
    third = stage.ask("edit", operation=swap("c.onnx"))
    engine.done(plays("c.onnx"))
    stage.run()
    assert third.future.done() and first_model(stage.supervisor.view.setup) == "c.onnx"


# -- stages under suspicion ----------------------------------------------------------------------


def test_a_stage_that_ran_at_the_end_comes_back_once_and_is_left_out_the_second_time() -> None:
    gain = Played(effect="Gain", identity=7)
    stage = Stage(Setup(Sound((gain,)), HERE))
    for ends in (1, 2):
        engine = stage.play() if ends == 1 else stage.engine
        engine.board.status[0] = 7
        engine.kill()
        stage.wait(0.1)
        stage.fresh.heard(("ready", []))
        stage.run()
        assert stage.fresh.asked("open")[-1][1]["setup"].sound.stages == ()
        stage.fresh.open()
        stage.run()
        assert (gain in stage.supervisor.view.setup.sound.stages) == (ends == 1)
        stage.wait(PATIENCE_SECONDS + 1.0)
        assert bool(stage.engine.asked("edit")) == (ends == 1)
        if ends == 1:
            stage.engine.done(Setup(Sound((gain,))))
            stage.run()
    assert "'Gain' is left out" in stage.sentences()[-1]
    assert [i.left_out for i in stage.supervisor.view.incidents] == [None, "Gain"]


def test_counts_of_engines_that_have_ended_stay() -> None:
    stage = Stage()
    stage.play().board.record[0]["ring_underflows"] = 5
    stage.engine.kill()
    stage.wait(0.1)
    before = dict(stage.supervisor.view.past)
    stage.come_up()
    past = stage.supervisor.view.past
    assert (before, past["ring_underflows"]) == ({}, 5)
    assert past["callbacks"] > 0


def test_missed_callbacks_never_become_fewer_when_blocks_change_their_size() -> None:
    with closing(Board()) as board:
        record = board.record[0]
        record["sample_rate"], record["first_ns"] = 48000, 1
        counted = []
        for block, played, lost in (
            (64, 7500, 100),
            (1024, 470, 0),
            (37, 13_000, 0),
            (256, 1900, 9),
        ):
            record["callbacks"] += played
            record["samples"] += block * played
            before = max(int(record["last_ns"]), 1)
            record["last_ns"] = before + round(1e9 * block * (played + lost) / 48000)
            count_missed(board)
            counted.append(int(board.status[MISSED]))
        assert abs(counted[0] - 100) <= 1 and counted == sorted(counted)


def test_a_suspect_that_hangs_while_it_is_brought_back_stays_out() -> None:
    suspect = Played(effect="Gain", identity=7)
    stage = Stage(Setup(Sound((suspect,)), HERE))
    stage.play().board.status[0] = 7
    stage.engine.kill()
    stage.wait(0.1)
    stage.come_up()
    stage.wait(PATIENCE_SECONDS + 1.0)
    assert stage.engine.asked("edit")
    stage.wait(30.0)  # the sound goes on, the stage does not return
    assert stage.state is State.REPLACING
    stage.come_up()
    assert (stage.state, stage.supervisor.view.setup.sound.stages) == (State.PLAYING, ())
    assert stage.supervisor.view.incidents[-1].left_out == "Gain"


# -- a device that is not there yet ----------------------------------------------------------------


def test_a_start_may_wait_for_its_device() -> None:
    stage = Stage(wait=True)
    asked = stage.ask("start")
    for _ in range(4):
        stage.fresh.heard(("ready", []))
        stage.run()
        number, _body = stage.fresh.asked("open")[-1]
        stage.fresh.heard(("error", number, "DeviceError", "no JACK server"))
        stage.run()
        assert stage.state is State.REPLACING and not asked.future.done()
        stage.wait(6.0)
    stage.come_up()
    assert stage.state is State.PLAYING and asked.future.result(0) is not None
    assert stage.sentences() == [
        "waiting for the device: no JACK server",
        "the device is there, and it plays",
    ]
    assert stage.supervisor.view.incidents == ()


def test_what_is_wrong_with_the_sound_is_not_waited_for() -> None:
    stage = Stage(wait=True)
    asked = stage.ask("start")
    stage.fresh.heard(("ready", []))
    stage.run()
    number, _body = stage.fresh.asked("open")[-1]
    stage.fresh.heard(("error", number, "ModelError", "there is no model"))
    stage.run()
    assert stage.state is State.ENDED
    with pytest.raises(RestyleError, match="there is no model"):
        asked.future.result(0)


def test_a_sound_that_breaks_the_engine_while_it_is_loaded_beforehand_is_left_out() -> None:
    shelf = (
        Sound((Played(model="good.onnx", identity=7),)),
        Sound((Played(plugin="bad.vst3", identity=8),)),
    )
    stage = Stage(Setup(plays("x.onnx").sound, HERE, shelf))
    engine = stage.play()
    engine.board.status[0] = 8  # the crash mark
    engine.kill()
    stage.wait(0.1)
    stage.come_up()
    assert stage.supervisor.view.setup.shelf == shelf[:1]
    assert any("left out" in s for s in stage.sentences())

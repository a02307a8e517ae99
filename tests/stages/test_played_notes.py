"""The notes that a player tells beside its sound: those of the ear alone, and none left hanging."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Iterator

import numpy as np
import pytest

from realtime.controllers import notes_out
from realtime.controllers.notes_out import NONE, NotesOut, find_output
from realtime.errors import ControlError
from realtime.models.card import EAR_LOWEST
from realtime.models.catalog import find_model
from realtime.models.ear import ACTIVE, ONSET, Ear
from realtime.models.load import open_model
from realtime.models.steppable import NoteSlots
from realtime.parameters.heard import (
    PITCHES,
    ROWS,
    SHAPE,
    STILL_SECONDS,
    HeardNotes,
    Rows,
    Words,
    changes,
    held,
)
from realtime.stages.model import ModelStage
from realtime.stages.played_notes import SPAN_DB, make_played, tell
from train.networks import player

from ..commands.conftest import Run, run  # noqa: F401
from ..host.cards import RATE, playing
from ..models.test_ear import line

HOP, SLOTS = 256, 3
STEP = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 3)


def told(stage: ModelStage, x: np.ndarray, row: Words) -> Words:
    """Words of the row after every hop ``[hops, PITCHES]``."""
    found = []
    for hop in x[: len(x) // HOP * HOP].reshape(-1, 1, 1, HOP):
        block = np.ascontiguousarray(hop[0])
        assert STEP(stage.step_address)(stage.argument, block.ctypes.data, HOP) == 0
        found.append(row[1:].copy())
    return np.stack(found)


def test_a_player_tells_the_notes_that_the_ear_alone_hears() -> None:
    x = np.concatenate([line(), np.zeros(RATE // 2, dtype=np.float32)])
    frames = Ear(find_model("ear"), RATE).feed(x)
    row = Rows(np.zeros(SHAPE, dtype=np.int64)).take()
    stage = ModelStage(open_model(find_model("string-player")), row)
    try:
        stage.prepare(RATE, 1, HOP)
        words = told(stage, x, row)
    finally:
        stage.close()
    assert row[0] == len(words)
    heard = {(int(t), int(p) + EAR_LOWEST) for t, p in np.argwhere(frames[:, ONSET] > 0)}
    before = np.vstack([np.zeros_like(words[:1]), words[:-1]])
    begun = {(int(t), int(p)) for t, p in np.argwhere((words != before) & (words > 0))}
    assert len(heard) >= 5 and begun >= heard and len(begun) <= len(heard) + 1
    for t, pitch in heard:
        velocity = 127 * float(frames[t, ONSET, pitch - EAR_LOWEST])
        assert abs(words[t, pitch] % PITCHES - velocity) <= 1.0
    for t, pitch in heard:  # it ends with the ear's note, of which it forgives the first 50 ms
        silent = np.flatnonzero(frames[t + 10 :, ACTIVE, pitch - EAR_LOWEST] < 0.5)
        ended = np.flatnonzero(words[t + 10 :, pitch] == 0)
        assert len(ended) and ended[0] <= silent[0] + 1
    assert not words[-1].any()
    assert SPAN_DB == player.SPAN_DB


class Slots:
    """A player's slots, in both sets of its states."""

    def __init__(self) -> None:
        self.sets = np.zeros((2, 7, SLOTS), dtype=np.float32)
        self.sets[:, 0], self.sets[:, 3] = -1.0, 100.0
        self.phase = np.zeros(1, dtype=np.int64)
        self.row = np.zeros(1 + PITCHES, dtype=np.int64)
        places = tuple(int(s.ctypes.data) for s in self.sets)
        source = NoteSlots(SLOTS, (places[0], places[1]), int(self.phase.ctypes.data))
        self.record = make_played(source, self.row)

    def hop(self, *slots: tuple[float, float, float, float]) -> dict[int, int]:
        """A hop after which the slots hold pitch, age, velocity, time since they were let go."""
        self.phase[0] ^= 1
        for k, slot in enumerate(slots):
            self.sets[self.phase[0], :4, k] = slot
        tell(self.record.address)
        return {int(p): int(self.row[1 + p]) for p in np.flatnonzero(self.row[1:])}


def test_slots_become_notes_that_begin_end_and_are_struck_again() -> None:
    slots, full, half = Slots(), 1.0, 10.0 ** (-SPAN_DB / 80.0)
    off = (-1.0, 50.0, 0.0, 100.0)
    assert slots.hop(off, off, off) == {}
    assert slots.hop((12.0, 0.005, full, 0.0), off, off) == {40: 1 * PITCHES + 127}
    both = slots.hop((12.0, 0.010, full, 0.0), (24.0, 0.005, half, 0.0), off)
    assert both == {40: 1 * PITCHES + 127, 52: 1 * PITCHES + 64}
    again = slots.hop((12.0, 0.015, full, 0.005), (24.0, 0.01, half, 0.0), (12.0, 0.005, half, 0.0))
    assert again == {40: 2 * PITCHES + 64, 52: 1 * PITCHES + 64}
    assert slots.hop((12.0, 0.02, full, 0.01), (24.0, 0.015, half, 0.005), off) == {}
    odd = slots.hop((np.nan, 0.1, full, 0.0), (1e9, 0.1, full, 0.0), (99.0, 0.1, np.nan, 0.0))
    assert set(odd) <= {127}
    assert slots.row[0] == 6


def test_a_row_without_hops_is_silent_and_another_memory_is_another_player() -> None:
    memory, now = [np.zeros(SHAPE, dtype=np.int64)], [0.0]
    notes = HeardNotes(lambda: memory[0], lambda: now[0])
    memory[0][3, [0, 61]] = 7, PITCHES + 90
    assert notes.look() is None  # whether anybody still writes is not known yet
    memory[0][3, 0] += 1
    now[0] += 0.01
    assert held(notes.look()) == {60: 90}
    now[0] += STILL_SECONDS - 0.01
    assert notes.look() is None or held(notes.look()) == {60: 90}
    now[0] += 0.02
    assert notes.look() is None
    memory[0][3, 0] += 1
    assert held(notes.look()) == {60: 90}
    memory[0] = memory[0].copy()
    assert notes.look() is None


def test_changes_end_before_they_begin_and_two_players_share_a_pitch() -> None:
    a, b, c = (NONE.copy() for _ in range(3))
    a[0, 60] = PITCHES + 90
    b[0, 60], b[1, 64] = 2 * PITCHES + 80, PITCHES + 70
    c[1, 60] = PITCHES + 50
    assert changes(NONE, a) == [(60, 90)]
    assert changes(a, a.copy()) == []
    assert changes(a, b) == [(60, 0), (60, 80), (64, 70)]
    both = b | c
    assert changes(b, both) == [(60, 0), (60, 50)]
    assert changes(both, c) == [(64, 0)]
    assert changes(c, NONE) == [(60, 0)]
    assert held(both) == {60: 80, 64: 70}


def test_rows_are_handed_out_in_turn_and_cleared() -> None:
    memory = np.ones(SHAPE, dtype=np.int64)
    rows = Rows(memory)
    taken = [rows.take() for _ in range(ROWS + 1)]
    assert np.shares_memory(taken[0], taken[-1]) and not memory[:, 1:].any()


class Port:
    """An output of a driver that keeps what is sent."""

    names: list[str] = ["box:in", "box:in 2", "synth"]

    def __init__(self) -> None:
        self.sent: list[tuple[int, ...]] = []

    def get_ports(self) -> list[str]:
        return list(self.names)

    def send_message(self, message: tuple[int, ...]) -> None:
        self.sent.append(message)

    def __getattr__(self, _: str) -> object:
        return lambda *_, **__: None


@pytest.fixture
def ports(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Port]]:
    made: list[Port] = []

    def new() -> Port:
        made.append(Port())
        return made[-1]

    monkeypatch.setattr(notes_out, "new_output", new)
    monkeypatch.setattr(notes_out, "output_names", lambda: list(Port.names))
    yield made


def test_an_output_is_found_by_a_part_of_its_name_or_named_in_the_sentence(
    ports: list[Port],
) -> None:
    assert find_output("SYN") == "synth"
    assert find_output("box:in") == "box:in"
    assert find_output("virtual") is None
    with pytest.raises(ControlError, match="no MIDI output 'piano'.*box:in, box:in 2, synth.*virt"):
        find_output("piano")
    with pytest.raises(ControlError, match="several MIDI outputs are called 'box'.*name one whole"):
        find_output("box")


def test_live_refuses_an_output_that_is_not_there(run: Run, ports: list[Port]) -> None:  # noqa: F811
    code, said, told = run("live", "string-player", "--simulate", "x.wav", "--notes-out", "piano")
    assert code == 2 and said == "" and "there is no MIDI output 'piano'" in told


def test_what_an_engine_plays_reaches_the_output_and_nothing_hangs_after_it(
    ports: list[Port],
) -> None:
    """Bypass, a killed engine and the end, each while notes sound."""
    x = np.tile(line(), 60)[None]
    with playing(find_model("string-player"), x) as played:
        host = played.host
        notes = HeardNotes(lambda: host.board.heard)

        def sounding() -> dict[int, int]:
            words = notes.look()
            return {} if words is None else held(words)

        with NotesOut(lambda: host.board.heard, "synth"):
            port = ports[-1]
            assert port.sent[0] == (0xB0, 123, 0)
            played.until(lambda: {57, 61} <= {m[1] for m in port.sent if m[0] == 0x90})
            played.until(sounding)
            host.set("bypass", 1.0)
            played.until(lambda: not sounding() and balanced(port))
            host.set("bypass", 0.0)
            played.until(sounding)
            os.kill(host.link.process.pid or 0, signal.SIGKILL)
            played.until(lambda: host.incidents and balanced(port))
            played.until(sounding)
        assert balanced(port), "closed while notes sounded"
        assert all(0 < m[2] < 128 for m in port.sent if m[0] == 0x90)


def balanced(port: Port) -> bool:
    """Whether every note that began has ended."""
    on: set[int] = set()
    for status, pitch, _ in list(port.sent):
        if status == 0x90:
            assert pitch not in on
            on.add(pitch)
        elif status == 0x80:
            on.discard(pitch)
    return not on


def test_an_end_that_the_driver_loses_is_sent_once_more(ports: list[Port]) -> None:
    memory = np.zeros(SHAPE, dtype=np.int64)
    row = memory[0]

    def sent(message: tuple[int, ...], times: int) -> bool:
        for _ in range(60_000):
            row[0] += 1  # it plays on
            if ports[-1].sent.count(message) >= times:
                return True
            time.sleep(0.002)
        return False

    with NotesOut(lambda: memory, "synth", poll_seconds=0.01):
        for count in (1, 2):
            row[1 + 60] = count * PITCHES + 90
            assert sent((0x90, 60, 90), count)
            row[1 + 60] = 0
            assert sent((0x80, 60, 0), 2 * count)
        before = len(ports[-1].sent)
        time.sleep(0.1)  # ten more looks
        assert len(ports[-1].sent) == before

"""MIDI ports: real ones on JACK's dummy driver, and what is said where there are none."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from realtime.controllers import midi_ports as midi
from realtime.errors import ControlError

ROOT = Path(__file__).parents[2]


def has_jack() -> bool:
    if shutil.which("jackd") is None:
        return False
    rtmidi = pytest.importorskip("rtmidi")
    return rtmidi.API_UNIX_JACK in rtmidi.get_compiled_api()


needs_jack = pytest.mark.skipif(
    not has_jack(), reason="needs jackd and a python-rtmidi that knows JACK"
)


@contextmanager
def jack_server() -> Iterator[tuple[dict[str, str], int]]:
    """Run a server; yield the environment that finds it, and its process id."""
    name = "restyle-test-midi"  # recurring: JACK remembers eight names, dead ones too
    server = subprocess.Popen(
        # -S: else what is sent in a cycle that comes too late is lost, one in 25 on a busy machine
        ["jackd", "-r", "-S", "-n", name, "-d", "dummy", "-r", "48000", "-p", "256"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    environment = {
        **os.environ,
        "JACK_DEFAULT_SERVER": name,
        "JACK_NO_START_SERVER": "1",
        "RESTYLE_MIDI": "jack",
        "PYTHONPATH": str(ROOT),
    }
    try:
        yield environment, server.pid
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def run_module(arguments: dict[str, Any], environment: dict[str, str]) -> Any:
    for _ in range(50):  # until the server answers
        done = subprocess.run(
            [sys.executable, "-m", "tests.controllers.midi_ports", json.dumps(arguments)],
            env=environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        if "JACK server not running" not in done.stderr:
            break
        time.sleep(0.2)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@cache
def found() -> dict[str, Any]:
    with jack_server() as (environment, _):
        result: dict[str, Any] = run_module({}, environment)
    return result


@needs_jack
def test_a_controller_is_listed_opened_and_turns_its_parameter() -> None:
    assert found()["names"] == found()["open"] == ["box:knobs"]
    assert found()["turned"]


@needs_jack
def test_a_controller_that_goes_is_taken_up_when_it_comes_back() -> None:
    assert found()["closed"]
    assert found()["opened again"]
    assert found()["turned again"]
    assert found()["said"][:3] == [
        "MIDI input box:knobs is open",
        "MIDI input box:knobs is gone; it will be taken up when it comes back",
        "MIDI input box:knobs is open",
    ]


@needs_jack
def test_a_controller_that_comes_later_works_too() -> None:
    assert found()["both open"]
    assert found()["turned by the other"]


@needs_jack
def test_a_real_controller_is_learnt() -> None:
    assert found()["learnt"] == {"cc": 7, "channel": 3, "parameter": "input_gain_db"}
    assert found()["thread alive"]


@needs_jack
def test_a_flood_ends_at_the_last_value_sent_and_is_told_in_one_line() -> None:
    """20,000 messages a second for three seconds, of two controllers, through a real port."""
    flood = found()["flood"]
    assert flood["sent"] == 60_000
    assert flood["ended"] == {"mix": 1.0, "output_gain_db": -100.0}
    assert len([line for line in flood["said"] if "messages a second" in line]) <= 1
    assert len(flood["said"]) <= 2
    assert flood["stderr"] == ""


@needs_jack
def test_real_ports_choose_programs_of_banks_and_keep_nrpns_apart() -> None:
    assert found()["bank"] == ["next", "previous"]
    assert found()["nrpn"] == {"mix": 1.0, "input_gain_db": 24.0}


@needs_jack
def test_ports_are_chosen_by_part_of_their_name() -> None:
    assert found()["only"] == ["pads:knobs"]


@needs_jack
def test_a_players_notes_reach_a_synthesiser_and_none_hangs() -> None:
    told = found()["notes out"]
    assert told["names"] == ["synth:notes"]
    assert told["sentence"].startswith("there is no MIDI output 'sinth'; there are: synth:notes;")
    assert told["begins"] == [[0xB0, 123, 0], [0x90, 60, 90]]
    assert told["again"] == [[0x80, 60, 0], [0x90, 60, 80]]
    assert told["gone"] and told["back"] == [[0xB0, 123, 0], [0x90, 60, 80]]
    assert told["still"] == [[0x80, 60, 0]]
    assert told["told"] == [
        "MIDI output synth:notes is gone; it will be taken up when it comes back",
        "MIDI output synth:notes is open",
    ]
    assert told["virtual"] == ["restyle:notes"]


@needs_jack
def test_ports_can_be_closed_after_their_server_has_ended() -> None:
    with jack_server() as (environment, pid):
        result = run_module({"kill": pid}, environment)
    assert result == {"open": ["box:knobs"], "closed": []}


def test_without_the_library_the_sentence_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "rtmidi", None)
    with pytest.raises(ControlError, match=r"pip install 'restyle\[midi\]'"):
        midi.input_names()


def test_an_unknown_driver_is_named(monkeypatch) -> None:
    pytest.importorskip("rtmidi")
    monkeypatch.setenv("RESTYLE_MIDI", "jck")
    with pytest.raises(ControlError, match="RESTYLE_MIDI must be one of .*did you mean 'jack'"):
        midi.MidiInputs(lambda data, port: None)


def test_a_driver_that_is_not_here_is_one_sentence(monkeypatch) -> None:
    pytest.importorskip("rtmidi")
    monkeypatch.setenv("RESTYLE_MIDI", "jack" if sys.platform == "win32" else "winmm")
    with pytest.raises(ControlError, match="there is no MIDI by .* on this machine"):
        midi.input_names()


def test_without_alsas_sequencer_alsa_itself_says_nothing(monkeypatch, tmp_path, capfd) -> None:
    pytest.importorskip("rtmidi")
    monkeypatch.setenv("RESTYLE_MIDI", "alsa")
    monkeypatch.setattr(midi, "ALSA", str(tmp_path / "seq"))
    with pytest.raises(ControlError, match="seq is not there.*modprobe snd-seq"):
        midi.input_names()
    assert capfd.readouterr().err == ""


class Faulty:
    """An input of a driver that fails in every way."""

    ports = ("box",)

    def get_ports(self) -> list[str]:
        return list(self.ports)

    def open_port(self, *_: Any, **__: Any) -> None:
        raise OSError("device is busy")

    def __getattr__(self, _: str) -> Any:
        return lambda *_, **__: None


def test_a_port_that_cannot_be_opened_is_told_once_and_tried_again(monkeypatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(midi, "_new_input", Faulty)
    inputs = midi.MidiInputs(lambda data, port: None, report=said.append, poll_seconds=0.001)
    for _ in range(3):
        inputs._poll()
    inputs.close()
    assert said == ["MIDI input box cannot be opened: device is busy"]


class Numbers(Faulty):
    """An open port that two messages came by, one after the other."""

    def __init__(self) -> None:
        self.messages = [([1], 0.0), None, ([2], 0.0)]

    def open_port(self, *_: Any, **__: Any) -> None:
        pass

    def get_message(self) -> Any:
        return self.messages.pop(0) if self.messages else None


def test_the_thread_outlives_what_a_message_leads_to(monkeypatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(midi, "_new_input", Numbers)
    heard: list[int] = []
    both = threading.Event()

    def receive(data: Any, port: str) -> None:
        heard.append(data[0][0])
        if len(heard) == 2:
            both.set()
        if data[0][0] == 1:
            raise ZeroDivisionError

    with midi.MidiInputs(receive, report=said.append):
        assert both.wait(120), "the thread has ended"
    assert heard == [1, 2]
    assert said == ["MIDI input box is open", "MIDI failed and goes on: ZeroDivisionError()"]

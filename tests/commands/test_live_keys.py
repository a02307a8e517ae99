"""Keys of the terminal, on a real pseudo-terminal."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from realtime.commands.live.keys import HELP, Keys
from realtime.presets.files import save_preset
from realtime.presets.format import Preset
from realtime.presets.setlist import save_setlist
from realtime.session.sound import Scene, Sound, Stage

from ..host.cards import playing

pty = pytest.importorskip("pty", reason="there are no pseudo-terminals here")
termios = pytest.importorskip("termios")


def test_keys_work_the_setlist_scenes_and_bypass_and_leave_the_terminal_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESTYLE_PRESETS", str(tmp_path))
    stages = (Stage(effect="Gain"),)
    save_preset("plain", Preset(sound=Sound(stages)))
    scenes = (Scene("half", {"mix": 0.5}), Scene("none", {"mix": 0.0}))
    save_preset("scenes", Preset(sound=Sound(stages, scenes=scenes)))
    save_setlist("gig", ["plain", "scenes"])
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    said: list[str] = []
    with os.fdopen(slave) as terminal, playing() as played:
        monkeypatch.setattr(sys, "stdin", terminal)
        with Keys(played.host, said.append) as keys:
            host = played.host
            assert said == [HELP]
            os.write(master, b"b")
            played.until(lambda: host.get("bypass") == 1.0)
            os.write(master, b"B")
            played.until(lambda: host.get("bypass") == 0.0)
            os.write(master, b"n")
            played.until(lambda: len(said) == 2)
            assert "there is no setlist" in said[1]
            keys._surface.concert.use_setlist("gig")
            os.write(master, b"v")
            played.until(lambda: host.view.kept.get("preset") == "scenes")
            os.write(master, b"1")
            played.until(lambda: host.get("mix") == 0.5)
            os.write(master, b"2\x1b[A")  # an arrow is no scene
            played.until(lambda: host.get("mix") == 0.0)
            os.write(master, b"n")
            played.until(lambda: host.view.kept.get("preset") == "plain")
        assert termios.tcgetattr(slave) == before
    os.close(master)


def test_without_a_terminal_there_are_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    with open(os.devnull) as nothing, playing() as played:
        monkeypatch.setattr(sys, "stdin", nothing)
        with Keys(played.host, said.append):
            pass
    assert said == []

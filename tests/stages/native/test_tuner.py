from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from benchmarks.rig.strings import STRINGS, String, pluck
from realtime.stages.native.stage import NativeEffect
from realtime.stages.native.tuner import note_of

from ...signals import Array, noise, sine
from .playing import RATE, Player, prepared, stepped


def read(stage: NativeEffect, monkeypatch: pytest.MonkeyPatch, now: float) -> Mapping[str, float]:
    """The readings at a time of the clock [s]."""
    monkeypatch.setattr("realtime.stages.native.tuner.time.monotonic", lambda: now)
    return stage.readings()


@pytest.mark.parametrize("channels", [1, 2])
def test_the_sound_passes_bit_by_bit(channels: int) -> None:
    x = noise(RATE, channels)
    assert np.array_equal(stepped(prepared("Tuner", channels), x, [64, 33, 480]), x)


def test_it_mutes_and_opens_without_a_step() -> None:
    x = np.full((1, RATE), 0.5, np.float32)
    player = Player("Tuner")
    player.play(x[:, :6400])
    player.turn("mute", 1.0)
    y = player.play(x[:, :6400])[0]
    assert np.abs(np.diff(y)).max() < 1.1 * 0.5 / 480 and not y[480:].any()
    player.turn("mute", 0.0)
    assert np.array_equal(player.play(x[:, :6400])[0, 480:], x[0, 480:6400])


def test_one_that_is_muted_from_the_start_lets_nothing_through() -> None:
    assert not stepped(prepared("Tuner", mute=1.0), noise(6400), [64]).any()


@pytest.mark.parametrize("reference", [415.0, 440.0, 466.0])
def test_it_tells_note_and_cents(reference: float, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = prepared("Tuner", reference_hz=reference)
    hertz = reference / 8.0 * 2 ** (7.0 / 1200.0)  # A1, 7 cents sharp
    stepped(stage, sine(RATE, hertz), [64])
    found = read(stage, monkeypatch, 1.0)
    assert found["tuner_note"] == 33.0
    assert found["tuner_cents"] == pytest.approx(7.0, abs=0.05)
    assert found["tuner_hz"] == pytest.approx(hertz, rel=1e-4)


@pytest.mark.parametrize("mute", [0.0, 1.0])
@pytest.mark.parametrize("string", [STRINGS[0], STRINGS[-1]], ids=lambda s: s.name)
def test_a_plucked_string_is_shown_within_150_ms(
    string: String, mute: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    # looks come every 10 ms, as the engine's pulse has them
    stage = prepared("Tuner", mute=mute)
    sound: Array = np.concatenate([noise(RATE, level=1e-4)[0], pluck(string)])[None]
    stepped(stage, sound[:, :RATE], [64])
    for k in range(20):
        stepped(stage, sound[:, RATE + 480 * k : RATE + 480 * (k + 1)], [64])
        found = read(stage, monkeypatch, 1.0 + 0.01 * k)
        if found["tuner_hz"]:
            break
    assert k < 15
    assert abs(1200 * np.log2(found["tuner_hz"] / string.hertz)) < 1.0


def test_a_pitch_is_shown_on_for_a_moment_and_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = prepared("Tuner")
    stepped(stage, sine(RATE, 110.0), [64])
    assert read(stage, monkeypatch, 1.0)["tuner_hz"]
    stepped(stage, np.zeros((1, RATE), np.float32), [64])
    assert read(stage, monkeypatch, 1.2)["tuner_hz"]
    stepped(stage, np.zeros((1, 64), np.float32), [64])
    assert read(stage, monkeypatch, 1.5) == {"tuner_hz": 0.0, "tuner_note": 0.0, "tuner_cents": 0.0}


def test_notes_are_counted_as_midi_does() -> None:
    assert note_of(440.0, 440.0) == {"tuner_hz": 440.0, "tuner_note": 69.0, "tuner_cents": 0.0}
    assert note_of(41.203, 440.0)["tuner_note"] == 28.0

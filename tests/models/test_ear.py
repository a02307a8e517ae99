"""The bundled ear: it proves itself, and hears strings that no soundfont made."""

from __future__ import annotations

import json

import mido
import numpy as np
import pytest
import soundfile
from scipy.signal import lfilter

import realtime.models.ear as ear_module
from realtime.errors import ConfigError
from realtime.models.catalog import find_model
from realtime.models.ear import Ear
from realtime.proof.verify import verify

from ..commands.conftest import Run, run  # noqa: F401
from ..signals import noise

RATE = 48000
LINE, STEP = (57, 61, 64, 69, 66, 62), 0.4  # MIDI pitches, seconds between two


def string(pitch: int, seconds: float) -> np.ndarray:
    """A plucked string (Karplus and Strong, 1983) with the pluck's comb, in tune by an allpass."""
    period = RATE / (440 * 2 ** ((pitch - 69) / 12)) - 0.5
    n = int(period)
    rest = period - n
    burst = lfilter([0.3], [1, -0.7], np.random.default_rng(pitch).uniform(-1, 1, n))
    x = np.zeros(round(seconds * RATE))
    x[:n] = burst
    # x + z^-n * average * fractional delay, damped
    loop = 0.996 * np.convolve([0.5, 0.5], [1 - rest, rest])
    y = lfilter([1], np.r_[1, np.zeros(n - 1), -loop], x)
    return 0.3 * y / np.abs(y).max()


def line() -> np.ndarray:
    """The line, each note until the next, after 0.3 s of silence."""
    parts = [np.zeros(round(0.3 * RATE)), *(string(p, STEP) for p in LINE)]
    fade = np.minimum(1, np.arange(round(STEP * RATE))[::-1] / 480)
    return np.concatenate([parts[0], *(p * fade for p in parts[1:])]).astype(np.float32)


@pytest.fixture(scope="module")
def ear() -> Ear:
    return Ear(find_model("ear"), RATE)


def test_the_bundled_ear_proves_itself() -> None:
    assert [c.name for c in verify(find_model("ear")) if not c.passed] == []


def test_plucked_strings_are_heard_soon_and_few_others(ear: Ear) -> None:
    found = ear.notes(line())
    hit = 0
    for k, pitch in enumerate(LINE):
        begin = 0.3 + k * STEP
        own = [n for n in found if n.pitch == pitch and 0 <= n.begin - begin < 0.08]
        hit += bool(own)
    assert hit >= len(LINE) - 1 and len(found) <= len(LINE) + 2
    assert all(0 <= n.velocity <= 1 and abs(n.bend) < 0.3 for n in found)


def test_a_louder_line_has_higher_velocities(ear: Ear) -> None:
    soft, loud = (
        float(np.median([n.velocity for n in ear.notes(np.float32(g) * line())]))
        for g in (0.2, 1.0)
    )
    assert 0.1 < loud - soft < 0.6  # 14 dB of 45


@pytest.mark.parametrize("level", [1e-4, 1e-3, 1e-2])
def test_noise_and_silence_are_no_notes(ear: Ear, level: float) -> None:
    assert ear.notes(np.float32(level) * noise(2 * RATE)[0]) == []
    assert ear.notes(np.zeros(RATE, dtype=np.float32)) == []


def test_a_file_becomes_midi(run: Run) -> None:  # noqa: F811
    soundfile.write("line.wav", line(), RATE)
    code, said, _ = run("notes", "line.wav", "-o", "line.mid")
    assert code == 0 and "line.mid" in said
    on = [m.note for m in mido.MidiFile("line.mid").tracks[0] if m.type == "note_on"]
    assert len(set(on) & set(LINE)) >= len(LINE) - 1
    code, said, _ = run("notes", "line.wav")
    assert code == 0 and "A3" in said


def slide() -> np.ndarray:
    """A bowed saw that slides from C4 to E4 in 120 ms and stays there."""
    time = np.arange(round(1.5 * RATE)) / RATE
    part = np.clip((time - 0.6) / 0.12, 0, 1)
    hertz = 440 * 2 ** ((60 + 4 * part * part * (3 - 2 * part) - 69) / 12)
    phase = 2 * np.pi * np.cumsum(hertz) / RATE
    x = sum(np.sin(k * phase) / k for k in range(1, 16)) * np.clip((time - 0.2) / 0.03, 0, 1)
    return (0.1 * x).astype(np.float32)


def test_a_slide_is_two_notes_with_the_control(run: Run) -> None:  # noqa: F811
    soundfile.write("slide.wav", slide(), RATE)
    code, said, _ = run("notes", "slide.wav", "--gliding", "1", "--json")
    found = json.loads(said)["notes"]
    assert code == 0 and [n["pitch"] for n in found] == [60, 64]
    assert found[1]["begin"] == pytest.approx(0.72, abs=0.06)
    _, said, _ = run("notes", "slide.wav", "--json")
    assert [n["pitch"] for n in json.loads(said)["notes"]] != [60, 64]
    code, _, said = run("notes", "slide.wav", "--gliding", "2")
    assert code == 2 and "less than or equal to 1" in said


def test_an_ear_without_the_control_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ear_module, "GLIDING", "another")
    with pytest.raises(ConfigError, match="the ear 'ear' has no control 'another'"):
        Ear(find_model("ear"), RATE, gliding=1.0)
    assert Ear(find_model("ear"), RATE).notes(np.zeros(RATE, dtype=np.float32)) == []

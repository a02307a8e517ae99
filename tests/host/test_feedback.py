"""The feedback watch in loops of known gain and delay, and on notes that are no feedback."""

from __future__ import annotations

import numpy as np
import pytest

from realtime.host.feedback import HOP, WINDOW, FeedbackWatch, strongest

from ..signals import Array, noise, sine

RATE = 48_000


def tone_of(level: float) -> Array:
    return np.repeat(sine(WINDOW, 937.5, level), 2, axis=0)


def test_the_strongest_tone_and_its_level() -> None:
    found = strongest(tone_of(0.5) + noise(WINDOW, channels=2, level=0.001))
    assert found.bin == 80  # 937.5 Hz
    assert found.level_in == pytest.approx(20 * np.log10(0.5), abs=0.1)
    assert found.share_in > 0.99 and found.share_out > 0.99
    assert strongest(noise(WINDOW, channels=2)).share_in < 0.2


class Loop:
    """Microphone, gain, ceiling, loudspeaker, and the way back through the room.

    The room passes a band around `frequency`, `delay` samples later.
    """

    def __init__(self, gain: float, frequency: float, delay: int = 512) -> None:
        self.gain, self.delay, self.lowered = gain, delay, 1.0
        w, radius = 2 * np.pi * frequency / RATE, 0.98
        self.a1, self.a2 = 2 * radius * np.cos(w), -(radius**2)
        self.scale = (1 - radius) * np.sqrt(1 - 2 * radius * np.cos(2 * w) + radius**2)
        self.room, self.memory = np.zeros(delay), [0.0, 0.0]
        self.x, self.y = np.zeros(0), np.zeros(0)

    def play(self, sound: Array) -> bool:
        """Play on; whether the ceiling held the output."""
        held = False
        for at in range(0, len(sound), self.delay):
            part = sound[at : at + self.delay]
            x = part + self.room[: len(part)]
            y = self.gain * x
            held = held or bool(np.abs(y).max() > 0.891)
            y = self.lowered * np.clip(y, -0.891, 0.891)
            back = np.empty(len(y))
            p, q = self.memory
            for i, v in enumerate(y):
                p, q = self.scale * v + self.a1 * p + self.a2 * q, p
                back[i] = p
            self.memory = [p, q]
            self.room = back
            self.x, self.y = np.append(self.x, x), np.append(self.y, y)
        return held


def watched(loop: Loop, sound: Array) -> tuple[list[str], list[float]]:
    """Play `sound` in the loop under the watch: what it said, and what it lowered."""
    watch, said, lowered = FeedbackWatch(RATE), [], []
    for at in range(0, len(sound) - HOP, HOP):
        held = loop.play(sound[at : at + HOP])
        if len(loop.x) >= WINDOW:
            heard = np.array([loop.x[-WINDOW:], loop.y[-WINDOW:]], dtype=np.float32)
            said += [t for t in [watch.look(heard, held)] if t]
        loop.lowered = 10 ** (watch.gain_db / 20)
        lowered.append(watch.gain_db)
    return said, lowered


@pytest.mark.parametrize(("gain", "frequency"), [(1.4, 700.0), (2.0, 2500.0), (6.0, 700.0)])
def test_a_loop_above_one_is_lowered_and_told(gain: float, frequency: float) -> None:
    sound = noise(4 * RATE, level=0.01)[0]
    alone = Loop(gain, frequency)
    assert alone.play(sound)  # it howls at the ceiling
    said, lowered = watched(loop := Loop(gain, frequency), sound)
    assert len(said) == 1 and "feedback at " in said[0]
    assert abs(float(said[0].split()[2]) - frequency) < 60.0
    assert min(lowered) <= -9.0
    end = np.abs(loop.y[-RATE // 2 :])
    assert end.max() < 0.25


def test_a_loop_below_one_is_left_alone() -> None:
    said, lowered = watched(Loop(0.5, 700.0), noise(2 * RATE, level=0.05)[0])
    assert said == [] and min(lowered) == 0.0


def test_a_note_that_swells_is_tried_for_a_moment_and_goes_on() -> None:
    swell = (sine(3 * RATE, 880.0, 0.4)[0] * np.linspace(0.01, 1.0, 3 * RATE) ** 3).astype("f4")
    watch, lowered = FeedbackWatch(RATE), []
    for at in range(0, len(swell) - WINDOW, HOP):
        heard = np.repeat(swell[None, at : at + WINDOW], 2, axis=0)
        assert (
            watch.look(heard * np.array([[1.0], [10 ** (watch.gain_db / 20)]], "f4"), False) is None
        )
        lowered.append(watch.gain_db)
    assert sum(g < 0.0 for g in lowered) <= 4 and lowered[-1] == 0.0


def test_music_is_not_tried() -> None:
    rng, watch = np.random.default_rng(3), FeedbackWatch(RATE)
    n = np.arange(RATE // 2)
    for _ in range(12):  # plucked notes of ten partials, through a path that clips
        f = 110.0 * 2 ** (rng.integers(0, 25) / 12)
        note = sum(np.sin(2 * np.pi * f * k * n / RATE) / k for k in range(1, 11))
        x = (0.3 * note * np.exp(-n / 9000.0)).astype("f4")
        y = np.clip(4.0 * x, -0.89, 0.89)
        for at in range(0, len(x) - WINDOW, HOP):
            assert watch.look(np.array([x[at : at + WINDOW], y[at : at + WINDOW]]), True) is None
            assert watch.gain_db == 0.0

"""What hands play in two seconds: lines, chords, repeats and all of it at once, at random."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 3, 5, 7, 10), tuple(range(12)))
EARLY = 1.0  # seconds before the example in which notes may have begun
LOW, HIGH = 28, 96


class Event(NamedTuple):
    """A note: begin and end in seconds, MIDI pitch, level in dB against the loudest."""

    begin: float
    end: float
    pitch: int
    level: float


def played(rng: np.random.Generator, seconds: float) -> list[Event]:
    """Notes of one example, sorted by their beginning; at times none.

    The same pitch never sounds twice at once: a note ends where its next one begins.
    """
    if rng.random() < 0.05:
        return []
    low = int(rng.integers(LOW, 70))
    high = int(min(HIGH, low + rng.integers(12, 45)))
    root, scale = int(rng.integers(12)), SCALES[int(rng.integers(len(SCALES)))]
    pitches = [p for p in range(low, high + 1) if (p - root) % 12 in scale]
    kinds = [_line, _line, _chords, _chords, _repeats, _arpeggio, _anything, _both]
    kind = kinds[int(rng.integers(len(kinds)))]
    return _alone(kind(rng, pitches, seconds))


def _level(rng: np.random.Generator, spread: float) -> float:
    return float(-spread * rng.random() ** 1.5)


def _line(rng: np.random.Generator, pitches: list[int], seconds: float) -> list[Event]:
    found, at, leap = [], int(rng.integers(len(pitches))), int(rng.integers(2, 8))
    pace, legato, spread = rng.uniform(0.08, 0.55), rng.uniform(0.4, 1.15), rng.uniform(0, 15)
    now = -EARLY * rng.random()
    while now < seconds:
        step = pace * float(rng.choice((0.5, 1.0, 1.0, 1.0, 2.0))) * rng.uniform(0.93, 1.07)
        found.append(Event(now, now + step * legato, pitches[at], _level(rng, spread)))
        at = int(np.clip(at + rng.integers(-leap, leap + 1), 0, len(pitches) - 1))
        now += step
        if rng.random() < 0.06:
            now += rng.uniform(0.2, 0.8)
    return found


def _chords(rng: np.random.Generator, pitches: list[int], seconds: float) -> list[Event]:
    found, now = [], -EARLY * rng.random()
    pace, legato, spread = rng.uniform(0.2, 1.2), rng.uniform(0.5, 1.05), rng.uniform(2, 15)
    strum, size = rng.uniform(0, 0.04) * (rng.random() < 0.6), int(rng.integers(2, 7))
    while now < seconds:
        step = pace * float(rng.choice((0.5, 1.0, 1.0, 2.0)))
        base, gap = int(rng.integers(len(pitches))), int(rng.integers(1, 4))
        degrees = np.cumsum(np.r_[0, rng.integers(1, gap + 2, size - 1)])
        chosen = {pitches[min(base + int(d), len(pitches) - 1)] for d in degrees}
        order = sorted(chosen, reverse=bool(rng.random() < 0.3))
        for k, p in enumerate(order):
            begin = now + k * strum + abs(rng.normal(0, 0.004))
            found.append(Event(begin, now + step * legato, p, _level(rng, spread)))
        now += step * rng.uniform(0.95, 1.05)
    return found


def _repeats(rng: np.random.Generator, pitches: list[int], seconds: float) -> list[Event]:
    found, now = [], -EARLY * rng.random()
    pace, spread = rng.uniform(0.07, 0.25), rng.uniform(0, 12)
    count = int(rng.integers(1, 4))
    chosen = [int(p) for p in rng.choice(pitches, count)]
    together = rng.random() < 0.4
    while now < seconds:
        for p in chosen if together else [chosen[int(rng.integers(count))]]:
            held = pace * rng.uniform(0.5, 1.0)
            found.append(Event(now, now + held, p, _level(rng, spread)))
        now += pace * rng.uniform(0.95, 1.05)
        if rng.random() < 0.1:
            chosen = [int(p) for p in rng.choice(pitches, count)]
    return found


def _arpeggio(rng: np.random.Generator, pitches: list[int], seconds: float) -> list[Event]:
    found, now = [], -EARLY * rng.random()
    pace, ring, spread = rng.uniform(0.09, 0.35), rng.uniform(0.4, 2.0), rng.uniform(0, 12)
    base = int(rng.integers(max(1, len(pitches) - 8)))
    pattern = [int(i) for i in rng.integers(0, 9, int(rng.integers(3, 7)))]
    k = 0
    while now < seconds:
        p = pitches[min(base + pattern[k % len(pattern)], len(pitches) - 1)]
        found.append(Event(now, now + ring, p, _level(rng, spread)))
        now, k = now + pace * rng.uniform(0.97, 1.03), k + 1
    return found


def _anything(rng: np.random.Generator, pitches: list[int], seconds: float) -> list[Event]:
    count = int(rng.integers(1, 22))
    found = []
    for _ in range(count):
        begin = float(rng.uniform(-EARLY, seconds))
        held = float(np.exp(rng.uniform(np.log(0.06), np.log(1.5))))
        pitch = int(rng.choice(pitches))
        found.append(Event(begin, begin + held, pitch, _level(rng, 20)))
    return found


def _both(rng: np.random.Generator, pitches: list[int], seconds: float) -> list[Event]:
    parts: list[Callable[..., list[Event]]] = [_line, _chords, _arpeggio]
    hands = rng.choice(3, 2)
    half = len(pitches) // 2
    lower, upper = pitches[: max(1, half)], pitches[half:]
    return [
        *parts[int(hands[0])](rng, lower, seconds),
        *parts[int(hands[1])](rng, upper, seconds),
    ]


def _alone(events: list[Event]) -> list[Event]:
    """End each note 10 ms before the next of its pitch; of two at once keep the first."""
    found: list[Event] = []
    last: dict[int, int] = {}
    for e in sorted(events, key=lambda e: e.begin):
        before = last.get(e.pitch)
        if before is not None:
            if e.begin - found[before].begin < 0.05:
                continue
            cut = min(found[before].end, e.begin - 0.01)
            found[before] = found[before]._replace(end=cut)
        last[e.pitch] = len(found)
        found.append(e)
    return found

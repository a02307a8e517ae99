"""``restyle bench tools``: the tuner on plucked strings, and an hour of a loop.

The tuner is fed through its stage in blocks of 64 samples and asked every 10 ms, as the engine's
pulse asks it; ``first`` is the time from the pluck to the first pitch that is shown.  Synthesised
strings (`benchmarks/rig/strings.py`) have a known pitch.  Recorded ones are a soundfont's; their
pitch is the mean of their partials over the same sound, by one long transform; how far these
disagree (two polarisations, a room, other strings) is told beside it.

The loop is played for an hour of virtual time beside a metronome; every round and every click is
compared with the first, bit by bit.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from realtime.audio_files import resample
from realtime.engine.path import Path as SoundPath
from realtime.engine.placed import Placed
from realtime.engine.slot import run_at
from realtime.parameters.readings import note_name
from realtime.session.builder import Builder
from realtime.session.sound import Sound, Stage, identified
from realtime.stages.build import make_effect
from realtime.stages.native import tuner as tuner_stage

from ..rig.soundfont import INSTALLED, recorded
from ..rig.strings import STRINGS, String, pluck
from ..rig.tables import Report, Row

RATE, BLOCK, PULSE_SECONDS = 48000, 64, 0.01
OFF = (-30.0, -3.0, 0.0, 1.0, 17.0)  # cents that strings are out of tune
NAMES = (
    "Finger Bass EO", "Finger Bass A1", "Finger Bass D1", "Picked Bass E0", "Picked Bass A1",
    "Slap Bass E0", "Steel E3", "Steel A3", "Steel D4", "Steel G4", "Steel B4", "Steel E5",
    "Steel E6", "Nylon E3", "Nylon A3", "Nylon D4", "Nylon G4", "Nylon B4", "Nylon E5", "Nylon E6",
    "Jazz Guitar E3", "Jazz Guitar D4", "Jazz Guitar G4",
)  # fmt: skip
Array = npt.NDArray[np.float32]
COLUMNS = {
    "string": "string",
    "hertz": "Hz",
    "first_ms": "first shown, ms",
    "first_cents": "first off by, cents",
    "worst_cents": "worst until 1 s",
    "steady_cents": "worst from 0.3 s on",
}
RECORDED = {
    "string": "recording",
    "note": "note",
    "hertz": "Hz",
    "first_ms": "first shown, ms",
    "steady_cents": "off from 0.35 s on, cents",
    "apart_cents": "its partials disagree by, cents",
}
LOOPS = {
    "tempo": "tempo, bpm",
    "rate": "rate, Hz",
    "rounds": "rounds",
    "differing": "samples that differ",
    "drift": "drift, samples",
    "clicks_off": "clicks off the beat",
    "ns": "looper and click, ns a sample",
}


class _Clock:
    """The time that a tuner sees: the sound's own."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


def shown(sound: Array, quiet: float = 0.4) -> Iterator[tuple[float, float]]:
    """Seconds since the pluck at which ``sound [n]`` begins, and the pitch then shown [Hz]."""
    clock = _Clock()
    rng = np.random.default_rng(1)
    begin = round(quiet * RATE)
    hiss = 10.0 ** (-75.0 / 20.0) * rng.standard_normal(begin).astype(np.float32)
    whole = np.concatenate([hiss, sound])[None]
    stage: Any = make_effect("Tuner", {})
    stage.prepare(RATE, 1, BLOCK)
    placed, asked = Placed(stage, 1, RATE), 0.0
    kept = tuner_stage.time
    tuner_stage.time = clock  # type: ignore[assignment]
    try:
        for at in range(0, whole.shape[1] - BLOCK, BLOCK):
            block = np.array(whole[:, at : at + BLOCK], order="C")
            run_at(placed.address, block, block.ctypes.data)
            clock.now = (at + BLOCK) / RATE
            if clock.now >= asked:
                asked = clock.now + PULSE_SECONDS
                yield clock.now - quiet, float(stage.readings()["tuner_hz"])
    finally:
        tuner_stage.time = kept


def cents(found: float, expected: float) -> float:
    """How far above."""
    return 1200.0 * math.log2(found / expected)


def string_row(string: String) -> Row:
    """The worst over strings that are out of tune by :data:`OFF`."""
    first, off_first, worst, steady = 0.0, 0.0, 0.0, 0.0
    for seed, off in enumerate(OFF):
        expected, begun = string.hertz * 2.0 ** (off / 1200.0), False
        for seconds, hertz in shown(pluck(string, off, 1.0, RATE, seed)):
            if seconds < 0.0 or not hertz:
                continue
            error = abs(cents(hertz, expected))
            if not begun:
                begun, first = True, max(first, seconds)
                off_first = max(off_first, error)
            worst = max(worst, error)
            steady = max(steady, error) if seconds >= 0.3 else steady
        if not begun:
            first = math.inf
    return {
        "string": string.name,
        "hertz": string.hertz,
        "first_ms": round(1000.0 * first),
        "first_cents": round(off_first, 2),
        "worst_cents": round(worst, 2),
        "steady_cents": round(steady, 3),
    }


def partials(x: Array, near: float) -> tuple[float, float]:
    """Pitch of ``x [n]`` about `near` [Hz] by one transform, and how far its partials disagree.

    The mean of the first partials' frequencies, each over its number, by their power, and the
    standard deviation about it [cents].
    """
    size = 1 << 20
    spectrum = np.abs(np.fft.rfft(x * np.blackman(x.size), size))
    found, powers = [], []
    for n in range(1, 7):
        low, high = (round(n * near * 2.0 ** (c / 12.0) * size / RATE) for c in (-0.7, 0.7))
        k = low + int(np.argmax(spectrum[low:high]))
        found.append(1200.0 * math.log2(k * RATE / size / n / near))
        powers.append(float(spectrum[k] ** 2))
    mean = float(np.average(found, weights=powers))
    apart = float(np.sqrt(np.average(np.square(np.array(found) - mean), weights=powers)))
    return near * 2.0 ** (mean / 1200.0), apart


def recorded_rows(soundfont: Path) -> list[Row]:
    """One for each recording."""
    rows: list[Row] = []
    for name, clip in recorded(soundfont, NAMES).items():
        sound = resample(clip.samples, clip.sample_rate, RATE)[0]
        loud = np.abs(sound) > 0.1 * np.abs(sound).max()
        sound = sound[max(0, int(np.argmax(loud)) - 100) :][: round(1.2 * RATE)]
        found = [(t, hz) for t, hz in shown(sound) if t >= 0.0 and hz]
        late = [(t, hz) for t, hz in found if 0.35 <= t <= sound.size / RATE]
        errors, spreads = [], []
        for t, hertz in late[:: max(1, len(late) // 8)]:
            end = round(t * RATE)  # the same sound that the tuner has heard
            exact, apart = partials(sound[max(0, end - round(0.25 * RATE)) : end], hertz)
            errors.append(abs(cents(hertz, exact)))
            spreads.append(apart)
        middle = late[len(late) // 2][1] if late else 0.0
        rows.append({
            "string": name,
            "note": note_name(69 + 12 * math.log2(middle / 440.0)) if middle else "–",
            "hertz": round(middle, 2),
            "first_ms": round(1000 * found[0][0]) if found else None,
            "steady_cents": round(max(errors), 2) if errors else None,
            "apart_cents": round(max(spreads), 2) if spreads else None,
        })  # fmt: skip
    return rows


def _turn(path: SoundPath, identity: int, name: str, value: float) -> None:
    slot = path.slot(identity)
    assert slot is not None
    slot.placed.set(name, value)


def loop_row(tempo: float, rate: int, seconds: float) -> Row:
    """A bar is recorded and played on for so long; its rounds beside the first."""
    stages = identified(
        (
            Stage(effect="Looper", parameters={"seconds": 30.0}),
            Stage(effect="Metronome", parameters={"tempo_bpm": tempo, "level_db": -20.0}),
        ),
        1,
    )
    path = Builder(1, rate, BLOCK).path(Sound(stages))
    bar = 4 * round(60 * rate / tempo)
    rng = np.random.default_rng(0)

    def hops(samples: int) -> Array:
        return np.zeros((1, -(-samples // path.hop) * path.hop), np.float32)

    path.process_hops(hops(bar // 2))
    _turn(path, 1, "record", 1.0)
    x = hops(bar)
    x[...] = 0.1 * rng.standard_normal(x.shape)
    path.process_hops(x)
    _turn(path, 1, "record", 0.0)
    path.process_hops(hops(bar))
    begin, ends = path.position, path.position + int(seconds * rate)
    reference: Array | None = None
    held: Array = np.zeros(0, np.float32)
    differing, rounds, spent = 0, 0, 0.0
    while path.position < ends:
        silence = hops(20 * bar)
        began = time.perf_counter()
        path.run(silence)
        spent += time.perf_counter() - began
        held = np.concatenate([held, silence[0]])
        whole = held.size // bar
        parts = held[: whole * bar].reshape(whole, bar)
        if reference is None:
            reference = parts[0].copy()
        differing += int(np.count_nonzero(parts != reference))
        rounds, held = rounds + whole, held[whole * bar :]
    assert reference is not None
    slot = path.slot(1)
    assert slot is not None
    stage: Any = slot.stage
    loop = stage.readings()["loop_seconds"] * rate
    # where a round's clicks lie, by what the metronome alone plays
    alone = Builder(1, rate, BLOCK).path(Sound((identified(stages, 1)[1],)))
    clicks = alone.process_hops(hops(2 * bar))[0, :bar]
    path.close()
    alone.close()
    expected_at = [int(k) for k in range(0, bar, bar // 4)]
    found_at = [int(i) for i in np.flatnonzero(clicks) if not clicks[max(0, i - 500) : i].any()]
    off = max(abs(a + 1 - b) for a, b in zip(expected_at, found_at, strict=True))
    return {
        "tempo": tempo,
        "rate": rate,
        "rounds": rounds,
        "differing": differing,
        "drift": round(loop - bar),
        "clicks_off": off,
        "ns": round(1e9 * spent / (path.position - begin), 2),
    }


def main(argv: Sequence[str]) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="restyle bench tools", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0, help="of a loop, in virtual time")
    parser.add_argument(
        "--soundfont", type=Path, default=INSTALLED, help="with recorded strings, as FluidR3 has"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there")
    options = parser.parse_args(list(argv))
    report = Report("tools", "restyle bench tools " + " ".join(argv))
    strings = [string_row(string) for string in STRINGS]
    report.table("strings", "The tuner on synthesised strings", strings, COLUMNS)
    if options.soundfont.is_file():
        rows = recorded_rows(options.soundfont)
        report.table("recorded", "The tuner on recorded strings", rows, RECORDED)
    else:
        report.note(f"there is no {options.soundfont}; recorded strings are left out")
    seconds = 60.0 * options.minutes
    at = ((120.0, 48000), (97.3, 44100), (143.7, 96000))
    loops = [loop_row(tempo, rate, seconds) for tempo, rate in at]
    report.table("loops", f"A loop for {options.minutes:g} minutes", loops, LOOPS)
    if options.json is not None:
        report.write(options.json)
    return 0


if __name__ == "__main__":
    import sys

    sys.exit(main(sys.argv[1:]))

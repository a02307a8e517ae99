"""``restyle bench edits``: a random edit every 100 ms of virtual time, and no click allowed.

A click is a step from one sample to the next beyond what the two signals, the one in the 100 ms
before the edit and the one once it has settled, have themselves, plus the slope of the fade between
them.  The sound is a low sine, whose own steps are small, so that little can hide in them.
"""

from __future__ import annotations

import argparse
import random
import resource
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from realtime.devices.simulated import SimulatedDevice
from realtime.errors import ConfigError, RestyleError
from realtime.models.catalog import find_model
from realtime.native.events import CHAIN, PER_SLOT
from realtime.session.editor import Desk
from realtime.session.spec import Spec, StageSpec

from ..rig.tables import Report, Row

RATE, BLOCK, EVERY = 48_000, 64, 4800
FREQUENCY, LEVEL = 120.0, 0.25  # whole cycles in the echo: it adds, so nothing rings up in between
STYLES = ("tube-amp", "tape", "radio-voice", "amp-blend")  # whose answer to a sine is steady
# none that sways or overshoots by itself: what is settled has to be what it was a moment ago
EFFECTS: tuple[dict[str, Any], ...] = (
    {"effect": "Gain", "gain_db": -3.0},
    {"effect": "Reverb", "room_size": 0.4},
    {"effect": "HighpassFilter", "cutoff_frequency_hz": 60.0},
    {"effect": "Delay", "delay_seconds": 0.05},
    {"effect": "LowpassFilter", "cutoff_frequency_hz": 2000.0},
    {"effect": "PeakFilter", "gain_db": 4.0},
)
TURNS = {
    "gain_db": (-12.0, 3.0),
    "room_size": (0.0, 1.0),
    "cutoff_frequency_hz": (300.0, 6000.0),
    "depth": (0.0, 1.0),
}
FADE = 960  # samples, the shortest fade between two whole signals
QUIET = 1440  # samples at the end of each stretch that count as settled
Array = npt.NDArray[np.float32]


@dataclass
class Outcome:
    """What a run of edits gave.

    Attributes
    ----------
    clicks : list of (position, edit, step, bound)
    edits : Counter
        By kind.
    wrong_latency : int
        Edits after which the declared latency was not the sum of its parts.
    rss_kib : list of int
        Largest resident size so far, after each tenth of the run.
    """

    clicks: list[tuple[int, str, float, float]] = field(default_factory=list)
    edits: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    wrong_latency: int = 0
    rss_kib: list[int] = field(default_factory=list)
    peak: float = 0.0
    seconds: float = 0.0
    spent: float = 0.0


def tone(samples: int) -> Array:
    """The sine that is played ``[1, samples]``."""
    phase = 2.0 * np.pi * FREQUENCY * np.arange(samples) / RATE
    return (LEVEL * np.sin(phase)).astype(np.float32)[None]


class Editor:
    """Makes random edits on a desk.

    Parameters
    ----------
    desk : Desk
    models : sequence of str
        Paths to swap between.
    seed : int
    """

    def __init__(self, desk: Desk, models: Sequence[str], seed: int) -> None:
        self._desk, self._models, self._random = desk, list(models), random.Random(seed)
        self._identities = 0

    def edit(self) -> str:
        """Make one edit and name it."""
        kinds = [
            "swap",
            "bypass",
            "gain",
            "mix",
            "insert",
            "remove",
            "move",
            "stage",
            "chain mix",
            "preset",
            "lane",
        ]
        if self._desk.session.changing:
            kinds = ["bypass", "gain", "mix"]
        kind = self._random.choice(kinds)
        return getattr(self, "_" + kind.replace(" ", "_"))() or kind

    def _do(self, **operation: Any) -> None:
        self._desk.do(operation, wait=False)

    def _new_stage(self) -> StageSpec:
        self._identities += 1
        return StageSpec(self._identities, dict(self._random.choice(EFFECTS)))

    def _swap(self) -> None:
        self._do(op="swap", model=self._random.choice(self._models))

    def _bypass(self) -> None:
        self._desk.session.set("bypass", self._random.choice([0.0, 1.0]))

    def _gain(self) -> None:
        name = self._random.choice(["input_gain", "output_gain"])
        self._desk.session.set(name, self._random.uniform(0.1, 1.0))

    def _mix(self) -> None:
        self._desk.session.set("mix", self._random.random())

    def _place(self) -> str:
        return self._random.choice(["pre", "post"])

    def _insert(self) -> str | None:
        if len(self._desk.spec.stages) >= 5:
            return self._remove()
        stage = self._new_stage()
        self._do(op="insert", place=self._place(), index=self._random.randrange(3), stage=stage)
        return f"insert {stage.name}"

    def _remove(self) -> str | None:
        if not self._desk.spec.stages:
            return self._insert()
        stage = self._random.choice(self._desk.spec.stages)
        self._do(op="remove", identity=stage.identity)
        return f"remove {stage.name}"

    def _move(self) -> str | None:
        if not self._desk.spec.stages:
            return self._insert()
        stage = self._random.choice(self._desk.spec.stages)
        self._do(op="move", identity=stage.identity, index=self._random.randrange(3))
        return f"move {stage.name}"

    def _stage(self) -> str | None:
        slots = [s for c in self._desk.session.path.chains for s in c.slots if s.present]
        if not slots:
            return self._insert()
        slot = self._random.choice(slots)
        named = [p.name for p in getattr(slot.stage, "parameters", list)() if p.name in TURNS]
        name = self._random.choice(["bypass", "stage_mix", *named])
        value = self._random.uniform(*TURNS.get(name, (0.0, 1.0)))
        names = ["bypass", "stage_mix", *(p.name for p in slot.stage.parameters())]  # type: ignore[attr-defined]
        number = CHAIN + PER_SLOT * slot.identity + names.index(name)
        self._desk.session.send(number, round(value) if name == "bypass" else value)
        return f"{slot.name} {name}"

    def _chain_mix(self) -> None:
        self._do(op="mix", place=self._place(), value=self._random.random())

    def _preset(self) -> None:
        many = self._random.randrange(3)
        spec = Spec(
            model=self._random.choice(self._models),
            mix=self._random.random(),
            output_gain_db=self._random.uniform(-12.0, 0.0),
            lane="auto",
            post=tuple(self._new_stage() for _ in range(many)),
        )
        self._do(op="preset", spec=spec)

    def _lane(self) -> str | None:
        if not self._desk.session.path.native:
            return self._stage()
        self._do(op="lane", lane=self._random.choice(["inline", "worker"]))
        return None


def run(minutes: float, models: Sequence[str], seed: int = 0) -> Outcome:
    """Play `minutes` of virtual time with an edit every 100 ms."""
    found, begin = Outcome(), time.monotonic()
    stretches = int(60 * minutes * RATE) // EVERY
    device = SimulatedDevice(tone((stretches + 1) * EVERY), RATE, BLOCK)
    desk = Desk(Spec(model=models[0]), device)
    editor = Editor(desk, models, seed)
    device.hold(0)
    with desk.session as session:
        device.touch()
        made = earlier = "start"
        for k in range(1, stretches):
            device.run_to(k * EVERY)
            if k >= 3:
                _listen(device, (k - 2) * EVERY, earlier, found)
            earlier = made
            parts = session.budget.parts
            total = sum(p.samples for p in parts if p.kind != "device")
            found.wrong_latency += total != session.voice.latency
            try:
                made = editor.edit()
                found.edits[made.split(" ")[0]] += 1
            except RestyleError:
                found.refused += 1
                made = "refused"
            if k % max(1, stretches // 10) == 0:
                found.rss_kib.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
        found.peak = float(np.abs(device.recording).max())
    found.seconds, found.spent = stretches * EVERY / RATE, time.monotonic() - begin
    return found


def _listen(device: SimulatedDevice, at: int, made: str, found: Outcome) -> None:
    """Look for a click in the stretch that began with the edit at `at`."""
    before = device.played(at - EVERY, at)
    stretch = device.played(at - 1, at + EVERY)
    settled = [before, stretch[:, -QUIET:], device.played(at + EVERY, at + 2 * EVERY)]
    if made.startswith("move"):  # it passes through the sound without the stage
        settled.append(device.played(at + FADE, at + 2 * FADE))
    own = max(_steps(y) for y in settled)
    slope = 2 * max(np.abs(y).max() for y in settled) * np.pi / 2 / FADE
    bound = float(1.1 * own + 1.5 * slope + 1e-4)
    step = _steps(stretch)
    if step > bound:
        where = at + int(np.argmax(np.abs(np.diff(stretch)).max(axis=0)))
        found.clicks.append((where, made, step, bound))


def _steps(y: Array) -> float:
    return float(np.abs(np.diff(y)).max())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print it."""
    parser = argparse.ArgumentParser(prog="restyle bench edits", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="of virtual time (default 5)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", metavar="FILE", help="write the result there")
    options = parser.parse_args(arguments)
    if not 0.1 <= options.minutes <= 600:
        raise ConfigError(f"--minutes must be within 0.1..600, got {options.minutes:g}")
    found = run(options.minutes, [str(find_model(n)) for n in STYLES], options.seed)
    rows: list[Row] = [
        {"what": "virtual minutes", "value": round(found.seconds / 60, 2)},
        {"what": "edits", "value": sum(found.edits.values())},
        {"what": "refused", "value": found.refused},
        {"what": "clicks", "value": len(found.clicks)},
        {"what": "declared latency not the voice's", "value": found.wrong_latency},
        {"what": "largest output sample", "value": round(found.peak, 4)},
        {"what": "memory after a tenth, MiB", "value": round(found.rss_kib[0] / 1024, 1)},
        {"what": "memory after half, MiB", "value": round(found.rss_kib[4] / 1024, 1)},
        {"what": "memory at the end, MiB", "value": round(found.rss_kib[-1] / 1024, 1)},
        {"what": "times real time", "value": round(found.seconds / found.spent, 1)},
    ]
    report = Report("edits", " ".join(["restyle bench edits", *(arguments or [])]))
    columns = {"what": "what", "value": "value"}
    report.table("edits", "A random edit every 100 ms of virtual time", rows, columns)
    report.note("Edits: " + ", ".join(f"{k} {n}" for k, n in sorted(found.edits.items())))
    for where, made, step, bound in found.clicks[:20]:
        report.note(f"click at {where} after {made}: step {step:.4f}, allowed {bound:.4f}")
    if options.json is not None:
        report.write(Path(options.json))
    return 1 if found.clicks or found.wrong_latency else 0


if __name__ == "__main__":
    raise SystemExit(main())

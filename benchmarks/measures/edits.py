"""``restyle bench edits``: a random edit every 100 ms of virtual time, and no click allowed.

Models, effects and groups are put in, moved, swapped and taken out, of the path and of branches
inside groups; everything that can be turned is turned; sounds are loaded, lanes changed.

A click is a jump: a step from one sample to the next that differs from the mean of the two steps
beside it by more than any in the 100 ms before the edit and once it has settled, plus the slope of
the fade between them.  So a sound that is louder for a moment, as a model's may be that has just
come in, is no click.  The sound is a low sine, whose own steps change little, so that little can
hide in them.
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

import msgspec
import numpy as np
import numpy.typing as npt

from realtime.devices.simulated import SimulatedDevice
from realtime.errors import ConfigError, RestyleError
from realtime.models.catalog import find_model
from realtime.session.operations import (
    OWN,
    Insert,
    Lane,
    Load,
    Move,
    Operation,
    Remove,
    Set,
    Swap,
)
from realtime.session.session import Session
from realtime.session.sound import Branch, Setup, Sound, Stage, walk

from ..rig.tables import Report, Row

RATE, BLOCK, EVERY = 48_000, 64, 4800
FREQUENCY, LEVEL = 120.0, 0.25  # whole cycles in the echo: it adds, so nothing rings up in between
STYLES = ("tube-amp", "tape", "radio-voice", "amp-blend")  # whose answer to a sine is steady
# none that sways or overshoots by itself: what is settled has to be what it was a moment ago
EFFECTS = (
    Stage(effect="Gain", parameters={"gain_db": -3.0}),
    Stage(effect="Reverb", parameters={"room_size": 0.4}),
    Stage(effect="HighpassFilter", parameters={"cutoff_frequency_hz": 60.0}),
    Stage(effect="Delay", parameters={"delay_seconds": 0.05}),
    Stage(effect="LowpassFilter", parameters={"cutoff_frequency_hz": 2000.0}),
    Stage(effect="PeakFilter", parameters={"gain_db": 4.0}),
)
MOST_STAGES, MOST_MODELS = 5, 3
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
    clicks : list of (position, edit, jump, bound)
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
    """Makes random edits of a session.

    Parameters
    ----------
    session : Session
    models : sequence of str
        Paths.
    seed : int
    """

    def __init__(self, session: Session, models: Sequence[str], seed: int) -> None:
        self._session, self._models, self._random = session, list(models), random.Random(seed)
        self._identities = max((s.identity for s in session.setup.sound.walk()), default=0)

    def edit(self) -> str:
        """Make one edit and name it."""
        kinds = (self._whole, self._turn)
        if not self._session.stream.changing:
            kinds += (
                self._insert, self._insert, self._remove, self._move, self._move, self._swap,
                self._swap, self._load, self._lane,
            )  # fmt: skip
        operation, name = self._random.choice(kinds)()
        self._session.do(operation, wait=False)
        return name

    def turn(self) -> None:
        """Turn one parameter."""
        self._session.do(self._turn()[0], wait=False)

    def plain(self, lane: str) -> None:
        """Load a sound without a model, two effects, in a lane."""
        stages = tuple(self._identified(e) for e in self._random.sample(EFFECTS, 2))
        if self._session.setup.device.lane != lane:
            self._session.do(Lane(lane), wait=False)
        self._session.do(Load(Sound(stages)), wait=False)

    # -- what there is --------------------------------------------------------------------------

    def _stages(self) -> list[Stage]:
        return list(self._session.setup.sound.walk())

    def _one(self) -> Stage | None:
        stages = self._stages()
        return self._random.choice(stages) if stages else None

    def _identified(self, stage: Stage) -> Stage:
        self._identities += 1
        return msgspec.structs.replace(stage, identity=self._identities)

    def _new(self, gone: Sequence[Stage] = (), groups: bool = True) -> Stage:
        """A stage where those that are `gone` were: an effect, a model, or a group of two ways."""
        left = [s for s in self._stages() if s not in gone]
        models = sum(s.model is not None for s in left)
        kinds = ["effect"]
        if models < MOST_MODELS:
            kinds += ["model", "model"]
        if groups and not any(s.group for s in left) and len(left) < MOST_STAGES - 1:
            kinds.append("group")
        kind = self._random.choice(kinds)
        if kind == "model":
            return self._identified(Stage(model=self._random.choice(self._models)))
        if kind == "effect":
            return self._identified(self._random.choice(EFFECTS))
        inside = self._new(gone, groups=False)
        ways = (Branch((inside,), -3.0), Branch((), self._random.uniform(-12.0, -3.0)))
        return self._identified(Stage(group=ways))

    # -- edits ----------------------------------------------------------------------------------

    def _whole(self) -> tuple[Operation, str]:
        name = self._random.choice(["bypass", "mix", "input_gain_db", "output_gain_db"])
        value = self._random.random()
        if name == "bypass":
            value = float(round(value))
        elif name != "mix":
            value = 20.0 * value - 20.0
        return Set(OWN, name, value), name

    def _turn(self) -> tuple[Operation, str]:
        stage = self._one()
        if stage is None:
            return self._whole()
        known = self._session.parameters()[stage.identity]
        own = [p.name for p in known if p.name.rpartition(".")[2] in TURNS]
        name = self._random.choice(["bypass", "stage_mix", *own])
        value = self._random.uniform(*TURNS.get(name.rpartition(".")[2], (0.0, 1.0)))
        if name == "bypass":
            value = float(round(value))
        return Set(stage.identity, name, value), f"{stage.name} {name}"

    def _insert(self) -> tuple[Operation, str]:
        stages = self._stages()
        if len(stages) >= MOST_STAGES:
            return self._remove()
        groups = [s for s in stages if s.group is not None]
        index = self._random.randrange(MOST_STAGES)
        if groups and self._random.random() < 0.5:
            group, branch = groups[0], self._random.randrange(2)
            stage = self._new(groups=False)
            return Insert(stage, index, group.identity, branch), f"insert {stage.name} in a group"
        stage = self._new()
        return Insert(stage, index), f"insert {stage.name}"

    def _remove(self) -> tuple[Operation, str]:
        stage = self._one()
        return self._insert() if stage is None else (Remove(stage.identity), f"remove {stage.name}")

    def _move(self) -> tuple[Operation, str]:
        stage = self._one()
        if stage is None:
            return self._insert()
        return Move(stage.identity, self._random.randrange(3)), f"move {stage.name}"

    def _swap(self) -> tuple[Operation, str]:
        stage = self._one()
        if stage is None:
            return self._insert()
        inside = any(
            s is stage for g in self._stages() for s in walk((g,)) if g.group and s is not g
        )
        new = self._new(tuple(walk((stage,))), groups=not inside)
        return Swap(stage.identity, new), f"swap {stage.name} for {new.name}"

    def _load(self) -> tuple[Operation, str]:
        many = self._random.randrange(3)
        effects = [self._identified(self._random.choice(EFFECTS)) for _ in range(many)]
        model = self._identified(Stage(model=self._random.choice(self._models)))
        level, mix = self._random.uniform(-12.0, 0.0), self._random.random()
        return Load(Sound((model, *effects), output_gain_db=level, mix=mix)), "load"

    def _lane(self) -> tuple[Operation, str]:
        if not self._session.stream.path.native:
            return self._turn()
        return Lane(self._random.choice(["inline", "worker"])), "lane"


def run(minutes: float, models: Sequence[str], seed: int = 0) -> Outcome:
    """Play `minutes` of virtual time with an edit every 100 ms."""
    found, begin = Outcome(), time.monotonic()
    stretches = int(60 * minutes * RATE) // EVERY
    device = SimulatedDevice(tone((stretches + 1) * EVERY), RATE, BLOCK)
    session = Session(Setup(Sound((Stage(model=models[0], identity=1),))), device)
    editor = Editor(session, models, seed)
    device.hold(0)
    with session:
        device.touch()
        made = earlier = "start"
        for k in range(1, stretches):
            device.run_to(k * EVERY)
            if k >= 3:
                _listen(device, (k - 2) * EVERY, earlier, found)
            earlier = made
            stream = session.stream
            found.wrong_latency += stream.budget.declared != stream.voice.latency
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
    stretch = device.played(at - 2, at + EVERY)
    settled = [before, stretch[:, -QUIET:], device.played(at + EVERY, at + 2 * EVERY)]
    own = max(float(jumps(y).max()) for y in settled)
    slope = 2 * max(np.abs(y).max() for y in settled) * np.pi / 2 / FADE
    bound = float(1.1 * own + 1.5 * slope + 1e-4)
    heard = jumps(stretch)
    if heard.max() > bound:
        where = int(np.argmax(heard))
        found.clicks.append((at + where, made, float(heard[where]), bound))


def jumps(y: Array) -> Array:
    """How far each step is from the mean of its two neighbours ``[n - 3]``, the worst channel's.

    Entry `i` belongs to the step to sample ``i + 2`` of `y`.
    """
    steps = np.diff(y)
    odd = steps[:, 1:-1] - 0.5 * (steps[:, :-2] + steps[:, 2:])
    return np.asarray(np.abs(odd).max(axis=0))


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
        report.note(f"click at {where} after {made}: jump {step:.4f}, allowed {bound:.4f}")
    if options.json is not None:
        report.write(Path(options.json))
    return 1 if found.clicks or found.wrong_latency else 0


if __name__ == "__main__":
    raise SystemExit(main())

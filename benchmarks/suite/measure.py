"""One run: every section, what it took, and what could not be measured."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.measures import glitch, latency
from benchmarks.rig import alignment, contenders, jack, machine, peers
from benchmarks.rig.child import ChildError
from benchmarks.rig.options import PASS_THROUGH, Models, choose_models
from realtime.models.catalog import read_entry

from . import captures, cost, memory, speed, start
from .peers import look_for_devices, peers_section
from .plan import Plan
from .schema import SCHEMA

Section = cost.Section
SECONDS = 0.15  # of sound for each measurement of latency
GLITCH_BLOCK = 128
# what reads no clock runs beside what does not either; everything else runs alone
TOGETHER = (
    ("timer",), ("cost",), ("peers",), ("round_trip", "memory", "latency"), ("glitch",),
    ("nam",), ("render",), ("startup",),
)  # fmt: skip
RTMIXER = "rtmixer, ring and Python worker"


class Teller:
    """What the shared measurements call to say something; keeps their remarks.

    Parameters
    ----------
    tell : callable
        Takes one line of progress.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell, self.notes = tell, list[str]()

    def progress(self, text: str) -> None:
        """Pass a line of progress on."""
        self._tell(text)

    def note(self, sentence: str) -> None:
        """Keep a remark."""
        self.notes.append(sentence)


def first_of_each_kind(models: list[tuple[str, Path]]) -> list[tuple[str, Path]]:
    """One waveform and one spectrum model: the lightest file of each domain, tube-amp if there."""
    found: dict[str, tuple[str, Path]] = {}
    for name, path in sorted(models, key=lambda m: (m[0] not in ("tube-amp", "clean"), m)):
        card = read_entry(path).card
        if card is not None:
            found.setdefault(card.domain, (name, path))
    return [found[k] for k in ("waveform", "spectrum") if k in found]


def latency_section(models: Models, plan: Plan, tell: Callable[[str], None]) -> Section:
    """Declared and measured, by the simulated device's tape."""
    tell("latency on the simulated device")
    return {"rows": alignment.simulated_rows(models, list(plan.blocks), SECONDS), "notes": []}


def round_trip_section(
    models: Models, missing: str | None, plan: Plan, tell: Callable[[str], None]
) -> Section:
    """The same through PortAudio, JACK's dummy driver and a wire."""
    if missing:
        return {"rows": [], "notes": [f"No round trip over real PortAudio: {missing}."]}
    teller = Teller(tell)
    rows = latency.round_trips(teller, models, list(plan.round_trip_blocks), 2 * SECONDS)
    return {"rows": rows, "notes": teller.notes}


def glitch_section(
    model: tuple[str, Path | None],
    missing: str | None,
    listing: list[dict[str, Any]],
    plan: Plan,
    tell: Callable[[str], None],
) -> Section:
    """Missed callbacks, with rtmixer among the contenders where it can be."""
    teller, names = Teller(tell), contenders.NAMES
    rtmixer = next(row for row in listing if row["name"] == RTMIXER)
    if rtmixer["installed"] and not missing:
        names = (*names, "rtmixer")
    elif rtmixer["installed"]:
        rtmixer["remark"] = f"needs a device to open; {missing}"
    rows = glitch.table(
        teller,
        model,
        GLITCH_BLOCK,
        plan.glitch_s,
        not missing,
        plan.loads,
        plan.glitch_rounds,
        names,
    )
    kept = [{k: v for k, v in row.items() if k != "against_bare"} for row in rows]
    device = "simulated real-time device" if missing else "PortAudio on JACK's dummy driver"
    return {
        "model": model[0],
        "block": GLITCH_BLOCK,
        "device": device,
        "rows": kept,
        "notes": [*teller.notes, *glitch.summary(rows)],
    }


def run(plan: Plan, command: str, tell: Callable[[str], None], only: str | None) -> dict[str, Any]:
    """Measure everything; `only` names models, commas between.

    Returns
    -------
    dict
        As ``report.schema.json`` says.
    """
    begin, others = time.monotonic(), machine.Others()
    everything = choose_models(only)
    files = [(name, path) for name, path in everything if path is not None]
    pair = first_of_each_kind(files)
    files = pair + [m for m in files if m not in pair]
    some = files[: plan.most_models]
    through: Models = [m for m in everything if m[1] is None]
    at_rate = [m for m in some if latency.runs_at(m[1], glitch.SAMPLE_RATE)]
    facts, listing = machine.facts(), peers.listing()
    tell("is there a JACK dummy server to be had?")
    missing = jack.unavailable()
    steps: dict[str, Callable[[], Section]] = {
        "timer": lambda: cost.timer_section(plan),
        "cost": lambda: cost.cost_section(files, plan, tell),
        "peers": lambda: peers_section(pair, listing, plan, tell),
        "latency": lambda: latency_section(everything, plan, tell),
        "round_trip": lambda: round_trip_section([*through, *at_rate], missing, plan, tell),
        "glitch": lambda: glitch_section(
            (pair or [(PASS_THROUGH, None)])[-1], missing, listing, plan, tell
        ),
        "nam": lambda: captures.captures_section(plan, tell),
        "render": lambda: speed.render_section(files, plan, tell),
        "startup": lambda: start.startup_section(
            some, plan, tell, plan.limit_s - (time.monotonic() - begin)
        ),
        "memory": lambda: memory.memory_section([*through, *some], plan, tell),
    }
    if not pair:
        del steps["peers"]
    if not some:
        del steps["startup"]
    sections: dict[str, Section] = {}

    def take(name: str) -> None:
        since = time.monotonic()
        try:
            section = steps[name]()
        except (ChildError, RuntimeError) as error:
            section = {"rows": [], "notes": [f"Not measured: {error}."]}
        spent = round(time.monotonic() - since, 1)
        if name == "cost":
            sections["stages"] = {"seconds": spent, "rows": section.pop("stages", []), "notes": []}
        sections[name] = {"seconds": spent, **section}

    with ThreadPoolExecutor() as pool:
        for names in TOGETHER:
            list(pool.map(take, (n for n in names if n in steps)))
    sections = {name: sections[name] for name in (*steps, "stages")}
    look_for_devices(listing)
    facts["others_during"] = others.share()
    return {
        "schema": SCHEMA,
        "plan": plan.name,
        "command": command,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - begin, 1),
        "machine": facts,
        "peers": listing,
        "sections": sections,
    }

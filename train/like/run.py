"""``restyle like``: from a reference recording and one's own dry playing to a chain and a model."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from realtime.errors import RestyleError
from realtime.models.catalog import find_model, list_models

from ..fit.processes import Stop
from ..own.keep import Origin, check_out
from ..own.progress import Progress
from ..own.run import check_effort
from .blend import fit_blend
from .equaliser import equaliser, toned
from .judge import Panel, at_level, judge, judges_needed
from .material import read
from .offer import BLEND, Result, candidates, choose, write, write_text
from .report import report
from .search import search
from .space import levelled, text
from .statistics import Likeness
from .teach import teach

Array = npt.NDArray[np.float32]
SEARCHED = 3  # pieces of the dry recording that every chain tried plays
SHARES = {"blend": 0.06, "search": 0.25, "teach": 0.5}  # of the time; the rest judges and writes


class NotCloser(RestyleError):
    """No model is nearer to the reference than simpler things are; those were kept."""


def like(
    reference: Path,
    mine: Path,
    out: Path,
    *,
    origin: Origin | None = None,
    minutes: float = 5.0,
    threads: int = 1,
    seed: int = 1,
    clock: Callable[[], float] = time.monotonic,
    truth: Callable[[Array], Array] | None = None,
    progress: Progress | None = None,
) -> Result:
    """Make what is played sound like `reference`, and say how near it came.

    Parameters
    ----------
    reference : Path
        A recording of the wanted sound, at least ten seconds; a folder of them.
    mine : Path
        One's own dry playing, at least twenty seconds; a folder of it.
    out : Path
        The model; chain and report are written beside it under the same name.
    origin : Origin, optional
        Whose the playing is.
    minutes : float
        In all, within a little.
    clock : callable
        What the minutes are counted by.
    truth : callable, optional
        The effects behind the reference, where a benchmark knows them.

    Raises
    ------
    RestyleError
        Bad recordings or options.
    """
    origin = origin or Origin()
    check_out(out)
    check_effort(minutes, threads)
    judges_needed()
    torch.set_num_threads(threads)
    wall, cpu = time.monotonic(), time.process_time()
    total = 60 * minutes
    with progress or Progress() as show, Stop() as stop:
        material = read(reference, mine)
        dry = material.tried(SEARCHED)
        likeness = Likeness(material.reference, material.fit)
        timing: dict[str, Any] = {"clock": clock, "stopped": lambda: stop.asked, "progress": show}
        blend: dict[str, float] = {}
        if any(e.name == BLEND for e in list_models()):
            show.begin("nearest blend")
            blend, distance = fit_blend(
                find_model(BLEND), dry[:1], likeness, SHARES["blend"] * total, **timing
            )
            weights = ", ".join(f"{k} {v:g}" for k, v in blend.items())
            show.say(f"nearest blend of {BLEND}: {weights} (distance {distance:.3f})")
        show.begin("searching a chain")
        found = search(dry, likeness, SHARES["search"] * total, seed=seed, **timing)
        chain = toned(found.chain, material.fit, likeness)
        chain = levelled(chain, np.concatenate(material.fit))
        show.say(
            f"{found.tried} chains tried; distance {found.nothing:.3f} dry,"
            f" {found.distance:.3f} found:\n{text(chain)}"
        )
        taught = None
        if any(s.place == "model" and s.effect != "Gain" for s in chain) and not stop.asked:
            show.begin("teaching a network")
            taught = teach(chain, material.fit, SHARES["teach"] * total, **timing)
            show.say(taught.said())
        show.begin("judging")
        eq = equaliser(material.fit, material.reference)
        result = Result(found, chain, eq, taught, blend)
        with tempfile.TemporaryDirectory() as place:
            made = candidates(material, result, Path(place))
        known = [truth(x) for x in material.held] if truth is not None else None
        if known is not None:
            made["truth"] = [at_level(y, x) for y, x in zip(known, material.held, strict=True)]
        made = {"reference": material.reference, **made}
        result.rows = judge(Panel(material.reference_held), made, known)
        result.offer = choose(result.rows)
        show.begin("writing")
        write(result, material, out, origin)
        result.seconds, result.cpu_seconds = time.monotonic() - wall, time.process_time() - cpu
        page = report(result, material, made, out)
        write_text(out.with_suffix(".report.html"), page, result, "report")
    return result

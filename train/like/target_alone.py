"""Recordings of the target alone: the style's few numbers are what can be fitted honestly.

Matching statistics with all weights of a network was tried and made it worse than doing nothing;
the mix of a blend has too few numbers to go wrong.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import torch

from realtime.errors import ConfigError
from realtime.models.catalog import find_model

from ..fit.processes import Stop
from ..own.keep import Origin, check_out, keep, renamed
from ..own.material import read_sounds
from ..own.progress import Progress
from ..own.rebuild import rebuild
from ..own.run import RUN, Worse, check_effort
from ..player import play
from .blend import fit_blend
from .statistics import Likeness, pieces

SHARE = 0.6  # of the time is for the fit


def fit_unpaired(
    audio: Path,
    mine: Path,
    base: str,
    out: Path,
    *,
    origin: Origin | None = None,
    minutes: float = 6.0,
    threads: int = 1,
    clock: Callable[[], float] = time.monotonic,
    progress: Progress | None = None,
) -> Path:
    """Write a blend whose defaults bring `mine` nearest to the recordings in `audio`.

    Raises
    ------
    RestyleError
        Bad material, a base without a blend, or no nearer on what was held out (:class:`Worse`).
    """
    origin = origin or Origin()
    check_out(out)
    check_effort(minutes, threads)
    torch.set_num_threads(threads)
    path = find_model(base)
    recipe, network = rebuild(path)
    if not recipe.base.controls:
        raise ConfigError(
            f"{recipe.name} has no mix of styles to fit to recordings without pairs; take"
            " amp-blend, give --pairs, or see: restyle like --help"
        )
    with progress or Progress() as show, Stop() as stop:
        wanted = [s.samples for s in read_sounds(audio)]
        dry = [p for s in read_sounds(mine) for p in pieces(s.samples)]
        if len(dry) < 4:
            raise ConfigError(f"{mine} is too short to hold a part out; record half a minute")
        held, fit = dry[::4], [p for k, p in enumerate(dry) if k % 4]
        likeness = Likeness(wanted, fit)
        show.begin("fitting the mix")
        weights, _ = fit_blend(
            path,
            fit[:2],
            likeness,
            60 * minutes * SHARE,
            clock=clock,
            stopped=lambda: stop.asked,
            progress=show,
        )
        default = np.array([c.default for c in recipe.base.controls])
        chosen = np.array([weights[c.name] for c in recipe.base.controls])
        before, after = (
            likeness([play(path, x, list(w / w.sum())) for x in held]) for w in (default, chosen)
        )
        said = ", ".join(f"{k} {v:g}" for k, v in weights.items())
        show.say(f"{said}; held-out distance {before:.3f} before, {after:.3f} after")
        if not after < before:
            raise Worse(
                f"the mix fitted is no nearer on the playing held out ({before:.3f} before,"
                f" {after:.3f} after); nothing was written"
            )
        recipe = renamed(recipe, out.stem, f"{path.stem}, mixed for {audio.name}")
        controls = tuple(
            msgspec.structs.replace(c, default=weights[c.name]) for c in recipe.base.controls
        )
        recipe.base = replace(recipe.base, controls=controls)
        keep(
            recipe,
            network,
            out,
            {"kind": "blend", "statistics": {"before": before, "after": after}, "command": RUN},
            {
                "data": [origin.entry(f"statistics of '{audio.name}'")],
                "base": path.stem,
                "limits": "Only the mix of the base's styles was fitted.",
            },
        )
    return out

"""``restyle personalise``: three minutes of one's own recordings bend a bundled model."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from realtime.errors import ConfigError, RestyleError
from realtime.models.catalog import find_model

from ..data.manifest import SAMPLE_RATE
from ..data.pairs import PairSet
from ..export.gate import to_onnx, trial
from ..fit.processes import Stop
from ..judging.distances import rounded
from ..networks.layers import Streamable
from ..networks.waveform_tcn import WaveformTCN
from .compare import PLAIN, Row, compare, judge_of
from .fold import fold
from .keep import Origin, check_out, keep, renamed
from .material import read_pairs, split
from .progress import Progress
from .rebuild import rebuild
from .recipe import FromFile, SpectralFromFile, WaveformFromFile
from .tune import Tuned, loss_over, tune

SHARE = 0.75  # of the time is for the training; the rest judges and writes
RATES = {"waveform": 6e-3, "spectrum": 1e-3}  # learning rates
RUN = "restyle personalise"


class Worse(RestyleError):
    """The held-out part says no; nothing was written. `rows`: the figures, where it was judged."""

    def __init__(self, text: str, rows: dict[str, Row] | None = None) -> None:
        super().__init__(text)
        self.rows = rows or {}


@dataclass(frozen=True)
class Personal:
    """What came of it: the file, its figures, and how long it took."""

    path: Path
    rows: dict[str, Row]
    tuned: Tuned
    seconds: float
    cpu_seconds: float


def personalise(
    dry: Path,
    wet: Path,
    base: str,
    out: Path,
    *,
    origin: Origin | None = None,
    minutes: float = 6.0,
    threads: int = 1,
    clock: Callable[[], float] = time.monotonic,
    progress: Progress | None = None,
) -> Personal:
    """Fit `base` to pairs of recordings and write `out` if it got better on what it never heard.

    Parameters
    ----------
    dry, wet : Path
        Folders (or files) of the same playing before and after, paired by name.
    base : str
        A converter that restyle trained, by name or path.
    origin : Origin, optional
        Whose the recordings are.
    minutes : float
        In all, within a little.
    clock : callable
        What the minutes are counted by.

    Raises
    ------
    RestyleError
        Bad material or base, no better than the base (:class:`Worse`); nothing is written then.
    """
    origin = origin or Origin()
    check_out(out)
    check_effort(minutes, threads)
    torch.set_num_threads(threads)
    began, wall, cpu = clock(), time.monotonic(), time.process_time()
    with progress or Progress() as show, Stop() as stop:
        base_path = find_model(base)
        recipe, network = rebuild(base_path)
        pairs = read_pairs(dry, wet, show.say)
        data = split(pairs, recipe.warm_up + recipe.latency)
        seconds = sum(len(p.dry) for p in pairs) / SAMPLE_RATE
        show.say(f"{len(pairs)} pairs, {seconds:.0f} s; base {recipe.name}")
        recipe, network, mix = plain(recipe, network, data)
        recipe = renamed(recipe, out.stem, f"{base_path.stem} made one's own")
        spectral = isinstance(recipe, SpectralFromFile)
        show.begin("training")
        tuned = tune(
            recipe,
            network,
            data,
            max(1.0, 60 * minutes * SHARE - (clock() - began)),
            learning_rate=RATES["spectrum" if spectral else "waveform"],
            clock=clock,
            stopped=lambda: stop.asked,
            progress=show,
        )
        show.say(
            f"{tuned.moved} of {tuned.weights} weights, {tuned.steps} steps in"
            f" {tuned.seconds:.0f} s ({tuned.cpu_seconds:.0f} s of CPU), ended: {tuned.ended};"
            f" held-out loss {tuned.before:.4f} → {tuned.after:.4f}"
        )
        if tuned.after >= tuned.before:
            kept = " before anything better was found" if tuned.ended == "interrupted" else ""
            raise Worse(
                f"not one step made the validation part better ({tuned.before:.4f}){kept}; nothing"
                " was written — give more minutes, or record more of the sound"
            )
        show.begin("judging")
        graph = to_onnx(recipe, tuned.network)
        rows = _judged(recipe, tuned.network, graph, data, base_path, mix)
        show.say(as_table(rows))
        check_better(rows, recipe.name, PLAIN if spectral else "esr")
        show.begin("writing")
        keep(
            recipe,
            tuned.network,
            out,
            metrics_of(rows, len(data.test)),
            {
                "data": [origin.entry(f"folders '{dry.name}' and '{wet.name}'")],
                "base": base_path.stem,
                "seconds": round(seconds, 1),
                "blend": mix,
                "steps": tuned.steps,
                "trained": f"last layers and all biases: {tuned.moved} weights",
                "cpu_minutes": round(tuned.cpu_seconds / 60, 2),
                "limits": "Fitted to one person's recordings; other input may sound otherwise.",
                "ended": tuned.ended,
            },
            graph,
        )
    spent = time.monotonic() - wall, time.process_time() - cpu
    return Personal(out, rows, tuned, *spent)


def check_effort(minutes: float, threads: int) -> None:
    """Refuse times and numbers of threads that make no sense.

    Raises
    ------
    ConfigError
    """
    if not 0.05 <= minutes <= 600:
        raise ConfigError(f"--minutes must be within 0.05..600, got {minutes:g}")
    most = os.cpu_count() or 1
    if not 1 <= threads <= most:
        raise ConfigError(f"--threads must be within 1..{most}, this machine's, got {threads}")


def plain(
    recipe: FromFile, network: Streamable, data: PairSet
) -> tuple[FromFile, Streamable, dict[str, float]]:
    """A blend at its best mix for these pairs, folded into a plain network; others as they are.

    The style vector alone is fitted first: each style, the even mix, then mixes of the best two.
    """
    if not isinstance(recipe, WaveformFromFile) or not recipe.styles:
        return recipe, network, {}
    assert isinstance(network, WaveformTCN)
    count = len(recipe.styles)
    tried: list[tuple[float, torch.Tensor]] = []

    def attempt(weights: torch.Tensor) -> None:
        small, folded = fold(recipe, network, weights)
        tried.append((loss_over(small, folded, data.validation[:2]), weights))

    for weights in (*torch.eye(count), torch.ones(count)):
        attempt(weights[None])
    (_, first), (_, second) = sorted(tried, key=lambda t: t[0])[:2]
    for share in (0.25, 0.5, 0.75):
        attempt(share * first + (1 - share) * second)
    best = min(tried, key=lambda t: t[0])[1]
    best = best / best.sum()
    small, folded = fold(recipe, network, best)
    return small, folded, dict(zip(recipe.styles, map(float, best[0]), strict=True))


def _judged(
    recipe: FromFile,
    network: Streamable,
    graph: bytes,
    data: PairSet,
    base: Path,
    mix: dict[str, float],
) -> dict[str, Row]:
    with tempfile.TemporaryDirectory() as place:
        file = trial(recipe, network, Path(place), graph)
        return compare(
            recipe, data, {"base": base, "personal": file}, {"base": mix} if mix else None, True
        )


def check_better(rows: dict[str, Row], title: str, plain: str) -> None:
    """Refuse what got worse than the base, or is no better than doing nothing or an equaliser.

    Parameters
    ----------
    plain : str
        The distance to the target that counts; the outside judge does, too, where it can tell.

    Raises
    ------
    Worse
    """
    before, after = rows["base"]["loss"], rows["personal"]["loss"]
    if not after < before:
        raise Worse(
            f"'{title}' got worse on the part that it never heard (loss {before:.4g} before,"
            f" {after:.4g} after); nothing was written — record more, or more various, playing",
            rows,
        )
    for judge in dict.fromkeys((plain, judge_of(rows, plain))):
        for other in ("copy", "matched EQ"):
            if not rows["personal"][judge] < rows[other][judge]:
                raise Worse(
                    f"'{title}' is no better than"
                    f" {'the dry sound' if other == 'copy' else 'an equaliser'} on the part that it"
                    f" never heard ({judge} {rows['personal'][judge]:.3g}, {other}"
                    f" {rows[other][judge]:.3g}); nothing was written — give more minutes, another"
                    " base, or record more",
                    rows,
                )


def metrics_of(rows: dict[str, Row], recordings: int) -> dict[str, Any]:
    """Figures in the form that cards and pages know."""
    held = {"recordings": recordings, "rows": rounded(rows)}
    return {"kind": "effect", "judges": 2, "sets": {"held-out": held}, "command": RUN}


def as_table(rows: dict[str, Row]) -> str:
    """The rows in columns, for a terminal."""
    heads = list(next(iter(rows.values())))
    lines = [f"{'held-out part':16}" + "".join(f"{h:>15}" for h in heads)]
    for name, row in rows.items():
        lines.append(f"{name:16}" + "".join(f"{row[h]:15.4g}" for h in heads))
    return "\n".join(lines)


def inside(audio: Path) -> tuple[Path, Path]:
    """The ``dry`` and ``wet`` folders inside one folder.

    Raises
    ------
    ConfigError
        They are not there; `restyle like` is for recordings of the target alone.
    """
    if not audio.is_dir():
        raise ConfigError(f"{audio} does not exist; name a folder with recordings")
    dry, wet = audio / "dry", audio / "wet"
    if dry.is_dir() and wet.is_dir():
        return dry, wet
    raise ConfigError(
        f"{audio} has no folders dry and wet in it; name them with --pairs DRY WET, or give --mine"
        " for recordings of the target sound alone"
    )

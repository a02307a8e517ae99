"""``restyle train paired``: two folders, the same playing before and after, become a style."""

from __future__ import annotations

import importlib.util
import inspect
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from realtime.errors import ConfigError

from ..data.pairs import PairSet
from ..export import gate
from ..fit import run as fit
from ..fit.loop import Options
from ..fit.settings import apply
from ..losses import stft_distance
from ..networks.layers import Streamable
from ..recipes import check_free
from ..recipes.base import Recipe, Schedule
from ..recipes.spectral import Spectral
from ..recipes.waveform import Waveform
from .compare import OUTSIDE, PLAIN, Row, compare, judge_of
from .keep import Origin, check_out
from .material import read_pairs, split
from .run import Worse, as_table, metrics_of

RUN = "restyle train paired"
LIMITS = "Learnt from one person's pairs of recordings; other input may sound otherwise."


class Effect(Waveform):
    """Samples in, samples out, without latency."""

    def data(self) -> PairSet:
        """Nothing: the pairs come from outside."""
        return PairSet((), (), ())


class Shaped(Spectral):
    """Frames in, frames out: what changes instruments and voices."""

    def data(self) -> PairSet:
        """Nothing: the pairs come from outside."""
        return PairSet((), (), ())

    def loss(self, y: Tensor, target: Tensor) -> Tensor:
        """Spectral distance alone: held-out parts may be too short for the level's windows."""
        return stft_distance(y, target)


KINDS: dict[str, type[Recipe]] = {"effect": Effect, "instrument": Shaped, "voice": Shaped}


def recipe_class(path: Path) -> type[Recipe]:
    """The last recipe that a Python file defines; the file is run.

    Raises
    ------
    ConfigError
        No such file, it fails, or it defines none.
    """
    if path.suffix != ".py" or not path.is_file():
        raise ConfigError(f"--recipe is a Python file, such as mine.py; there is no {path}")
    spec = importlib.util.spec_from_file_location(f"recipe_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ConfigError(f"{path} fails: {type(error).__name__}: {error}") from None
    found = [
        v
        for v in vars(module).values()
        if inspect.isclass(v) and issubclass(v, Recipe) and v.__module__ == module.__name__
    ]
    if not found:
        raise ConfigError(
            f"{path} defines no recipe; write a class of your own below Effect or Shaped of"
            " train.own.paired, see docs/training.md"
        )
    return found[-1]


def dressed(
    base: type[Recipe], name: str, kind: str, data: PairSet | None, origin: Origin, what: str
) -> Recipe:
    """A recipe of `base` under the style's name, with these pairs for its data.

    Raises
    ------
    ConfigError
        It cannot be made.
    """

    def card(self: Recipe, network: Streamable, metrics: Any, provenance: Any) -> Any:
        made = base.card(self, network, metrics, provenance)
        return replace(made, licence=origin.licence)

    said = {
        "name": name,
        "kind": kind,
        "title": name.replace("-", " ").replace("_", " ").capitalize(),
        "summary": f"{kind} learnt from pairs of recordings",
        "limits": base.limits or LIMITS,
        "data": lambda self: data,
        "sources": lambda self: [origin.entry(what)],
        "card": card,
    }
    try:
        return type(base.__name__, (base,), said)()
    except Exception as error:
        raise ConfigError(f"recipe {base.__name__} cannot be made: {error}") from None


def train_paired(
    dry: Path,
    wet: Path,
    out: Path,
    kind: str,
    *,
    recipe: Path | None = None,
    settings: Sequence[str] = (),
    origin: Origin | None = None,
    options: Options = Options(),
    log: Callable[[str], None] = print,
) -> dict[str, Row]:
    """Read the pairs, train, judge on the part that was held out, and write `out`.

    Parameters
    ----------
    recipe : Path, optional
        A Python file with the network, loss and schedule; :data:`KINDS` has the defaults.
    settings : sequence of str
        ``key=value`` words for the schedule, see :mod:`train.fit.settings`.

    Returns
    -------
    dict
        Figures of copy, matched EQ, model and target, see :func:`train.own.compare.compare`.

    Raises
    ------
    ConfigError
        Bad folders, names, settings or recipe.
    Worse
        No better than the copy or the equaliser; nothing is written.  The run in ``.runs`` stays.
    """
    check_out(out)
    if kind not in KINDS:
        raise ConfigError(f"--kind must be one of {', '.join(KINDS)}, got '{kind}'")
    check_free(out.stem)
    origin = origin or Origin()
    base = KINDS[kind] if recipe is None else recipe_class(recipe)
    if dry.resolve() == wet.resolve():
        raise ConfigError(f"--dry and --wet are the same folder, {dry}")
    what = f"folders '{dry.name}' and '{wet.name}'"
    trial = dressed(base, out.stem, kind, None, origin, what)
    pairs = read_pairs(dry, wet, log)
    data = split(pairs, trial.warm_up + trial.latency)
    style = dressed(base, out.stem, kind, data, origin, what)
    schedule, changed = apply(style, list(settings))
    for key, value in changed.items():
        log(f"{key} = {value}")
    learnt = learn(style, data, schedule, options, log)
    named = base.__name__ if recipe is None else recipe.name
    learnt.write(out, {"recipe": named}, {"command": RUN})
    log(f"wrote {out}; play it: restyle live --model {out}")
    return learnt.rows


@dataclass(frozen=True)
class Learnt:
    """A network that is better than the copy and the equaliser, and what its card will tell."""

    style: Recipe
    network: Streamable
    graph: bytes
    rows: dict[str, Row]
    told: dict[str, Any]
    metrics: dict[str, Any]

    def write(self, out: Path, told: Mapping[str, Any], metrics: Mapping[str, Any]) -> None:
        """Write it through the gate, with more to tell and more figures."""
        card = self.style.card(self.network, {**self.metrics, **metrics}, {**self.told, **told})
        gate.export(self.style, self.network, card, out, graph=self.graph)


def learn(
    style: Recipe,
    data: PairSet,
    schedule: Schedule,
    options: Options,
    log: Callable[[str], None],
    more: Callable[[Path], dict[str, Any]] = lambda file: {},
) -> Learnt:
    """Train on pairs, or go on where it stopped, and judge on the part that was held out.

    Parameters
    ----------
    more : callable
        Takes the model's file; gives further figures.

    Raises
    ------
    Worse
        No better than the copy or the equaliser.
    """
    fit.fit(style, data, schedule, log, options)
    network, content = fit.load(style)
    graph = gate.to_onnx(style, network)
    with tempfile.TemporaryDirectory() as place:
        file = gate.trial(style, network, Path(place), graph)
        rows = compare(style, data, {"model": file}, target=True)
        further = more(file)
    log(as_table(rows))
    log(verdict(rows))
    told = {
        "data": style.sources(),
        "limits": style.limits,
        "seed": schedule.seed,
        "steps": content["step"],
        "cpu_minutes": round(content["cpu_minutes"], 1),
        "parameters": sum(p.numel() for p in network.parameters()),
        "tools": gate.tools(),
    }
    metrics = {**metrics_of(rows, len(data.test)), "kind": style.kind, **further}
    return Learnt(style, network, graph, rows, told, metrics)


def verdict(rows: dict[str, Row]) -> str:
    """The headline, by the judge that has the say.

    Raises
    ------
    Worse
        The model is no better than the copy, or than the matched equaliser.
    """
    judge = judge_of(rows)
    said = {name: row[judge] for name, row in rows.items()}
    for other in ("copy", "matched EQ"):
        if not said["model"] < said[other]:
            raise Worse(
                f"the style is no better than {'the input' if other == 'copy' else 'an equaliser'}"
                f" on recordings that it never heard ({judge} {said['model']:.3g}, {other}"
                f" {said[other]:.3g}); nothing was written — train longer, or record more"
            )
    closed = 1 - said["model"] / said["copy"]
    by = "musicnn, no part of the training" if judge == OUTSIDE else "the distance of spectrograms"
    unable = any(OUTSIDE in row for row in rows.values()) and judge == PLAIN
    return (
        f"{closed:.0%} nearer to the target than the input, by {by} (a matched equaliser"
        f" {1 - said['matched EQ'] / said['copy']:.0%})"
        + (
            "; the outside judge cannot tell: it does not put the target's own recordings first"
            if unable
            else ""
        )
    )

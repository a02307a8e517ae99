"""``restyle like``: from a reference recording and one's own dry playing to a chain and a model."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from realtime.errors import ConfigError, RestyleError
from realtime.io.files import whole_file
from realtime.models.catalog import find_model, list_models

from ..baselines import apply_eq, matched_eq
from ..data.manifest import SAMPLE_RATE
from ..data.pairs import Pair
from ..evaluation.player import play as play_model
from ..networks.waveform_tcn import WaveformTCN
from ..personal.fold import fold
from ..personal.keep import check_out, keep, renamed, rounded
from ..personal.material import read_sounds
from ..personal.progress import Progress
from ..personal.rebuild import rebuild
from ..personal.recipe import WaveformFromFile
from ..personal.run import check_minutes, keep_trial
from ..processes import Stop
from .blend import fit_blend
from .equaliser import equaliser
from .judge import Panel, Row, at_level, judge, judges_needed
from .report import report
from .search import Found, search
from .space import Chain, levelled, play, text, to_file
from .statistics import Likeness, pieces
from .teach import Taught, teach

Array = npt.NDArray[np.float32]
SHORTEST_REFERENCE = 10.0  # seconds
SEARCHED = 3  # pieces of the dry recording that every chain tried plays
SHARES = {"blend": 0.06, "search": 0.25, "teach": 0.5}  # of the time; the rest judges and writes
BLEND = "amp-blend"


@dataclass
class Material:
    """Both recordings, cut: the second part of each is for the judges alone."""

    fit: list[Array]
    held: list[Array]
    reference: list[Array]
    reference_held: list[Array]
    mine_name: str = ""
    reference_name: str = ""


@dataclass
class Result:
    """What came of it.

    Attributes
    ----------
    offer : str
        ``model``, ``blend``, ``chain``, ``equaliser`` or ``nothing``: see :func:`choose`.
    files : dict
        ``model``, ``chain`` (a whole chain that needs no model), ``around`` (what stays beside the
        model), ``report``; only what was written.
    """

    offer: str
    rows: dict[str, Row]
    found: Found
    chain: Chain
    taught: Taught | None
    blend: dict[str, float]
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    files: dict[str, Path] = field(default_factory=dict)


class NotCloser(RestyleError):
    """The model is no nearer to the reference than simpler things are; those were kept."""


def like(
    reference: Path,
    mine: Path,
    out: Path,
    *,
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
    check_out(out)
    check_minutes(minutes)
    judges_needed()
    torch.set_num_threads(threads)
    wall, cpu = time.monotonic(), time.process_time()
    total = 60 * minutes
    with progress or Progress() as show, Stop() as stop:
        material = read(reference, mine)
        loud = max(pieces(np.concatenate(material.fit)), key=lambda p: float(np.mean(p**2)))
        dry = [*_spread(pieces(np.concatenate(material.fit)), SEARCHED - 1), loud]
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
        seconds = SHARES["search"] * total
        found = search(dry, likeness, seconds, seed=seed, **timing)
        chain = levelled(found.chain, np.concatenate(material.fit))
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
        with tempfile.TemporaryDirectory() as place:
            made = _candidates(material, chain, eq, blend, taught, Path(place))
            known = [truth(x) for x in material.held] if truth is not None else None
            if known is not None:
                made["truth"] = [at_level(y, x) for y, x in zip(known, material.held, strict=True)]
            made = {"reference": material.reference, **made}
            rows = judge(Panel(material.reference_held), made, known)
        result = Result(choose(rows), rows, found, chain, taught, blend)
        show.begin("writing")
        _write(result, eq, out, material, show)
        result.seconds, result.cpu_seconds = time.monotonic() - wall, time.process_time() - cpu
        _write_text(out.with_suffix(".report.md"), report(result, material, out), result, "report")
    return result


def read(reference: Path, mine: Path) -> Material:
    """Read both; the reference's last third and the playing's last quarter are held out."""
    theirs = read_sounds(reference, SHORTEST_REFERENCE)
    own = read_sounds(mine)
    wanted, wanted_held = _cut([s.samples for s in theirs], 2 / 3)
    fit, held = _cut([s.samples for s in own], 3 / 4)
    return Material(fit, held, wanted, wanted_held, mine.name, reference.name)


def _cut(sounds: Sequence[Array], share: float) -> tuple[list[Array], list[Array]]:
    """Each recording's beginning and end; what is too short for a piece is all beginning."""
    early, late = [], []
    for x in sounds:
        at = round(share * len(x))
        if len(x) - at < 3 * SAMPLE_RATE:
            early.append(x)
            continue
        early.append(x[:at])
        late.append(x[at:])
    if not late:
        raise ConfigError("the recordings are too short to hold a part out; make them longer")
    return early, late


def _spread(parts: list[Array], count: int) -> list[Array]:
    picked = np.linspace(0, len(parts) - 1, min(count, len(parts))).round().astype(int)
    return [parts[k] for k in picked]


def _candidates(
    material: Material,
    chain: Chain,
    eq: Chain,
    blend: dict[str, float],
    taught: Taught | None,
    place: Path,
) -> dict[str, list[Array]]:
    """Every candidate on the held-out playing, each as loud as the input."""
    gain = matched_eq((Pair("", np.concatenate(material.fit), np.concatenate(material.reference)),))
    makers: dict[str, Callable[[Array], Array]] = {
        "copy": lambda x: x,
        "matched EQ": lambda x: apply_eq(x, gain),
        "equaliser": lambda x: play(eq, x),
    }
    if blend:
        makers["blend"] = lambda x: play_model(find_model(BLEND), x, blend)
    makers["chain"] = lambda x: play(chain, x)
    if taught is not None:
        file = keep_trial(taught.recipe, taught.tuned.network, place)
        before, after = (tuple(s for s in chain if s.place == p) for p in ("before", "after"))
        makers["model"] = lambda x: play(after, play_model(file, play(before, x)))
    return {name: [at_level(make(x), x) for x in material.held] for name, make in makers.items()}


def choose(rows: dict[str, Row]) -> str:
    """The best honest offer: nearer than doing nothing and nearer than a static equaliser."""
    limit = min(1.0, rows["matched EQ"]["score"], rows["equaliser"]["score"])
    better = {name: row["score"] for name, row in rows.items() if row["score"] < limit}
    models = [name for name in ("model", "blend") if name in better]
    if models:
        return min(models, key=lambda name: better[name])
    if "chain" in better:
        return "chain"
    return "equaliser" if rows["equaliser"]["score"] < 1.0 else "nothing"


def _write(result: Result, eq: Chain, out: Path, material: Material, show: Progress) -> None:
    """The offer's files: a model through the gate, chains as chain files."""
    told = {
        "kind": "effect",
        "judges": 2,
        "command": "restyle like",
        "sets": {"held-out": {"recordings": len(material.held), "rows": rounded(result.rows)}},
    }
    origin: dict[str, Any] = {"reference": f"{material.reference_name}: its statistics alone"}
    source = f"own playing '{material.mine_name}'"
    summary = f"after {material.reference_name}"
    if result.offer == "model" and result.taught is not None:
        taught = result.taught
        origin |= {
            "data": [{"source": f"{source} through the chain below", "licence": "own-recording"}],
            "chain": text(result.chain).splitlines(),
            "base": taught.base,
            "steps": taught.tuned.steps,
            "limits": "Compressor, chorus, delay and reverb are not in the model: play it with the"
            " chain file beside it, where there is one.",
        }
        keep(renamed(taught.recipe, out.stem, summary), taught.tuned.network, out, told, origin)
        _write_text(out.with_suffix(".around.toml"), to_file(result.chain, True), result, "around")
    elif result.offer == "blend":
        recipe, network = rebuild(find_model(BLEND))
        assert isinstance(recipe, WaveformFromFile) and isinstance(network, WaveformTCN)
        weights = torch.tensor([[result.blend[name] for name in recipe.styles]])
        recipe, network = fold(recipe, network, weights)
        origin |= {
            "data": [{"source": f"the mix was fitted with {source}", "licence": "own-recording"}],
            "base": BLEND,
            "blend": result.blend,
            "limits": "One fixed mix of the base's amplifiers; nothing was trained.",
        }
        keep(renamed(recipe, out.stem, summary), network, out, told, origin)
    if result.offer in ("model", "blend"):
        result.files["model"] = out
    chain = eq if result.offer == "equaliser" else result.chain
    if chain and result.offer != "nothing":
        _write_text(out.with_suffix(".chain.toml"), to_file(chain, False), result, "chain")


def _write_text(path: Path, content: str, result: Result, key: str) -> None:
    if not content:
        return
    with whole_file(path) as partial:
        partial.write_text(content, encoding="utf-8")
    result.files[key] = path

"""What is offered in the end: every candidate played, the best honest one written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from realtime.audio_files import whole_file
from realtime.models.catalog import find_model

from ..data.pairs import Pair
from ..export.gate import to_onnx, trial
from ..judging.baselines import apply_eq, matched_eq
from ..judging.distances import rounded
from ..networks.waveform_tcn import WaveformTCN
from ..own.fold import fold
from ..own.keep import Origin, keep, renamed
from ..own.rebuild import rebuild
from ..own.recipe import WaveformFromFile
from ..player import play as play_model
from .judge import LEARNT, Row, able, at_level, told_by
from .material import Material
from .search import Found
from .space import Chain, play, text, to_file
from .teach import Taught

Array = npt.NDArray[np.float32]
BLEND = "amp-blend"
RUN = "restyle like"
PLAIN = ("copy", "matched EQ", "equaliser")  # what a model must be better than


@dataclass
class Result:
    """What came of it.

    Attributes
    ----------
    offer : str
        ``model``, ``blend``, ``chain``, ``equaliser`` or ``nothing``: see :func:`choose`.
    equaliser, chain : Chain
        The octave equaliser and the chain found, levels included.
    files : dict
        ``model``, ``chain`` (a whole chain that needs no model), ``around`` (what stays beside the
        model), ``report``; only what was written.
    graph : bytes or None
        What was taught, traced to be judged.
    """

    found: Found
    chain: Chain
    equaliser: Chain
    taught: Taught | None
    blend: dict[str, float]
    rows: dict[str, Row] = field(default_factory=dict)
    offer: str = "nothing"
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    files: dict[str, Path] = field(default_factory=dict)
    graph: bytes | None = None


def candidates(material: Material, result: Result, place: Path) -> dict[str, list[Array]]:
    """Every candidate on the held-out playing, each as loud as the input.

    Parameters
    ----------
    place : Path
        A folder for a model that is only to be judged.
    """
    fit, wanted = np.concatenate(material.fit), np.concatenate(material.reference)
    gain, chain = matched_eq((Pair("", fit, wanted),)), result.chain
    makers: dict[str, Callable[[Array], Array]] = {
        "copy": lambda x: x,
        "matched EQ": lambda x: apply_eq(x, gain),
        "equaliser": lambda x: play(result.equaliser, x),
    }
    if result.blend:
        makers["blend"] = lambda x: play_model(find_model(BLEND), x, result.blend)
    makers["chain"] = lambda x: play(chain, x)
    if result.taught is not None:
        recipe, network = result.taught.recipe, result.taught.tuned.network
        result.graph = to_onnx(recipe, network)
        file = trial(recipe, network, place, result.graph)
        before, after = (tuple(s for s in chain if s.place == p) for p in ("before", "after"))
        makers["model"] = lambda x: play(after, play_model(file, play(before, x)))
    return {name: [at_level(make(x), x) for x in material.held] for name, make in makers.items()}


def choose(rows: dict[str, Row]) -> str:
    """The best honest offer.

    A model must be nearer than doing nothing and than both static equalisers, and by the learnt
    judge alone, too, where it can tell: the others measure what an equaliser moves.  It then goes
    before the chain, since it is what was asked for, and the report says so where the chain is
    nearer.  Else the nearer of what a chain file can hold, if it is nearer than doing nothing.
    Nearer is meant by :func:`train.like.judge.told_by`.
    """
    by = told_by(rows)
    if by is None:
        return "nothing"
    far = {name: row[by] for name, row in rows.items()}
    deciding = [by, *(k for k in (LEARNT,) if by == "score" and k in able(rows))]
    models = [
        n for n in ("model", "blend")
        if n in far and all(rows[n][k] < min(rows[o][k] for o in PLAIN) for k in deciding)
    ]  # fmt: skip
    chains = [n for n in ("chain", "equaliser") if n in far and far[n] < far["copy"]]
    return min(models or chains, key=lambda n: far[n], default="nothing")


def write(result: Result, material: Material, out: Path, origin: Origin) -> None:
    """The offer's files: a model through the gate, chains as chain files."""
    told = {
        "kind": "effect",
        "judges": 2,
        "command": RUN,
        "told_by": able(result.rows) or told_by(result.rows),
        "sets": {"held-out": {"recordings": len(material.held), "rows": rounded(result.rows)}},
    }
    reference = {"reference": f"{material.reference_name}: its statistics alone"}
    summary = f"after {material.reference_name}"
    if result.offer == "model" and result.taught is not None:
        taught = result.taught
        provenance: dict[str, Any] = reference | {
            "data": [origin.entry(f"'{material.mine_name}' through the chain below")],
            "chain": text(result.chain).splitlines(),
            "base": taught.base,
            "steps": taught.tuned.steps,
            "limits": "Compressor, chorus, delay and reverb are not in the model: play it with the"
            " chain file beside it, where there is one.",
        }
        recipe = renamed(taught.recipe, out.stem, summary)
        keep(recipe, taught.tuned.network, out, told, provenance, result.graph)
        write_text(
            out.with_suffix(".around.toml"), to_file(result.chain, out.name), result, "around"
        )
    elif result.offer == "blend":
        recipe, network = rebuild(find_model(BLEND))
        assert isinstance(recipe, WaveformFromFile) and isinstance(network, WaveformTCN)
        weights = torch.tensor([[result.blend[name] for name in recipe.styles]])
        recipe, network = fold(recipe, network, weights)
        provenance = reference | {
            "data": [origin.entry(f"the mix was fitted with '{material.mine_name}'")],
            "base": BLEND,
            "blend": result.blend,
            "limits": "One fixed mix of the base's amplifiers; nothing was trained.",
        }
        keep(renamed(recipe, out.stem, summary), network, out, told, provenance)
    if result.offer in ("model", "blend"):
        result.files["model"] = out
    chain = result.equaliser if result.offer == "equaliser" else result.chain
    if chain and result.offer != "nothing":
        write_text(out.with_suffix(".chain.toml"), to_file(chain), result, "chain")


def write_text(path: Path, content: str, result: Result, key: str) -> None:
    """Write a file whole and note it in ``result.files``; nothing where there is no content."""
    if not content:
        return
    with whole_file(path) as partial:
        partial.write_text(content, encoding="utf-8")
    result.files[key] = path

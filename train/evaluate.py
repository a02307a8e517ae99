"""Held-out figures of a style, beside doing nothing, equalisers, a chain by hand, and the truth.

Every candidate is one way to get from the dry recordings to the style: ``copy`` does nothing,
``matched_eq`` is one static equaliser fitted on the training set, ``own_eq`` one fitted on the
very recording it is judged on, ``hand_made`` a chain of effects, ``model`` the style, ``oracle``
the true target.  What the judges mean is told in :mod:`train.judges`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from realtime.errors import ConfigError
from realtime.io.files import whole_file

from . import verdicts
from .baselines import apply_eq, hand_made, matched_eq
from .batches import whole
from .checkpoint import folder_of, load
from .data.pairs import Pair, PairSet
from .data.render import SAMPLE_RATE
from .figures import spectrograms
from .losses import esr, stft_distance
from .networks.layers import Streamable
from .recipes.base import Recipe

Array = npt.NDArray[np.float32]
CANDIDATES = ("copy", "matched_eq", "own_eq", "hand_made", "model", "oracle")
EVALUATION = "evaluation"  # folder inside a run's
SECONDS = 12.0  # of each recording, the warm-up of the network left out


@dataclass(frozen=True)
class Clips:
    """All candidates for one test recording, aligned and of one length."""

    pair: Pair  # cut to the same part; its notes shifted along
    sounds: dict[str, Array]


def convert(recipe: Recipe, network: Streamable, pair: Pair) -> tuple[Array, int]:
    """The style's output, aligned to the input, and how many samples are cut from its start."""
    n = len(pair.dry) // 1024 * 1024
    with torch.no_grad():
        y, _ = recipe.aligned(network.eval(), whole(pair, n))
    return y[0].numpy(), recipe.warm_up


def clips(
    recipe: Recipe, network: Streamable, pairs: tuple[Pair, ...], gain: torch.Tensor
) -> list[Clips]:
    """Run every candidate over some recordings."""
    made = []
    for pair in pairs:
        y, begin = convert(recipe, network, pair)
        n = min(len(y), round(SECONDS * SAMPLE_RATE))
        cut = slice(begin, begin + n)
        own = matched_eq((pair,))
        sounds = {
            "copy": pair.dry[cut],
            "matched_eq": apply_eq(pair.dry, gain)[cut],
            "own_eq": apply_eq(pair.dry, own)[cut],
            "hand_made": hand_made(recipe.name, pair.dry, pair.wet)[cut],
            "model": y[:n],
            "oracle": pair.wet[cut],
        }
        late, end = begin / SAMPLE_RATE, n / SAMPLE_RATE
        notes = tuple(
            (max(0.0, a - late), min(b - late, end), p)
            for a, b, p in pair.notes
            if late <= a < late + end - 0.05
        )
        part = Pair(pair.name, pair.dry[cut], pair.wet[cut], pair.controls, notes, pair.text)
        made.append(Clips(part, {k: np.ascontiguousarray(v) for k, v in sounds.items()}))
    return made


def distances(made: list[Clips]) -> dict[str, dict[str, float]]:
    """STFT distance, error-to-signal ratio and level of every candidate, means over recordings."""
    rows: dict[str, dict[str, float]] = {}
    for name in CANDIDATES:
        found = []
        for c in made:
            y, t = (torch.from_numpy(x[None]) for x in (c.sounds[name], c.pair.wet))
            power = float(y.square().mean() / (t.square().mean() + 1e-12))
            found.append(
                (float(stft_distance(y, t)), float(esr(y, t)), 10 * np.log10(power + 1e-12))
            )
        values = np.mean(found, axis=0)
        rows[name] = dict(
            zip(("stft_distance", "esr", "level_db"), map(float, values), strict=True)
        )
    return rows


def evaluate(recipe: Recipe, network: Streamable, data: PairSet) -> dict[str, Any]:
    """Distances alone, on the held-out test recordings: no outside judge is needed.

    Returns
    -------
    dict
        ``sets``: for each test set the candidates' rows and the number of recordings; ``command``.
    """
    made = clips(recipe, network, data.test, matched_eq(data.train))
    return _result(recipe, {"test": _rounded(distances(made))}, {"test": len(made)})


def _rounded(rows: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    return {k: {m: float(f"{v:.4g}") for m, v in row.items()} for k, row in rows.items()}


def _result(
    recipe: Recipe, sets: dict[str, dict[str, dict[str, float]]], counts: dict[str, int]
) -> dict[str, Any]:
    return {
        "kind": recipe.kind,
        "sets": {k: {"recordings": counts[k], "rows": rows} for k, rows in sets.items()},
        "command": f"restyle train evaluate {recipe.name}",
    }


def judged(
    recipe: Recipe,
    network: Streamable,
    data: PairSet,
    out: Path,
    log: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Distances and outside judges on all test sets, with pictures.

    Raises
    ------
    ConfigError
        A judge's package is missing.
    """
    gain, sets, counts = matched_eq(data.train), {}, {}
    judges = verdicts.for_recipe(recipe, data)
    for name, pairs in {"test": data.test, **recipe.outside()}.items():
        made = clips(recipe, network, pairs, gain)
        rows = distances(made)
        for candidate in CANDIDATES:
            for judge in judges:
                rows[candidate].update(judge(made, candidate))
        sets[name], counts[name] = _rounded(rows), len(made)
        shown = made[0].sounds
        part = slice(0, min(len(shown["model"]), 8 * SAMPLE_RATE))
        spectrograms(
            {k: shown[k][part] for k in ("copy", "model", "oracle")},
            SAMPLE_RATE,
            out / f"{name}.png",
            f"{recipe.name}, {name}: {made[0].pair.name}",
        )
        log(f"{recipe.name}: {name}, {len(made)} recordings")
    return _result(recipe, sets, counts)


def run(recipe: Recipe, out: Path | None = None, log: Callable[[str], None] = print) -> Path:
    """Judge the best checkpoint; write ``result.json``, ``result.md`` and spectrograms.

    Returns
    -------
    Path
        The folder, ``.runs/NAME/evaluation`` by default.
    """
    folder = out or folder_of(recipe) / EVALUATION
    network = load(recipe)[0]
    result = judged(recipe, network, recipe.data(), folder, log)
    result["weights"] = fingerprint(network)
    with whole_file(folder / "result.json") as partial:
        partial.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    text = "\n\n".join(
        f"## {name} ({part['recordings']} recordings)\n\n{table(part['rows'])}"
        for name, part in result["sets"].items()
    )
    with whole_file(folder / "result.md") as partial:
        partial.write_text(f"# {recipe.name}\n\n{text}\n", encoding="utf-8")
    log(text)
    log(f"wrote {folder}")
    return folder


def fingerprint(network: Streamable) -> str:
    """Hash of all weights."""
    digest = hashlib.sha256()
    for name, value in sorted(network.state_dict().items()):
        digest.update(name.encode() + value.cpu().numpy().tobytes())
    return digest.hexdigest()[:16]


def kept(recipe: Recipe, network: Streamable) -> dict[str, Any]:
    """The result that :func:`run` wrote for these very weights.

    Raises
    ------
    ConfigError
        They were never judged.
    """
    path = folder_of(recipe) / EVALUATION / "result.json"
    result = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if result.get("weights") != fingerprint(network):
        raise ConfigError(
            f"the best checkpoint of '{recipe.name}' was not judged yet;"
            f" run: restyle train evaluate {recipe.name}"
        )
    return dict(result)


def table(rows: dict[str, dict[str, float]]) -> str:
    """Rows of candidates as a Markdown table."""
    columns = list(dict.fromkeys(m for row in rows.values() for m in row))
    lines = ["| | " + " | ".join(c.replace("_", " ") for c in columns) + " |"]
    lines.append("|---" * (len(columns) + 1) + "|")
    for name, row in rows.items():
        cells = (f"{row[c]:.3g}" if c in row else "" for c in columns)
        lines.append(f"| {name.replace('_', ' ')} | " + " | ".join(cells) + " |")
    return "\n".join(lines)

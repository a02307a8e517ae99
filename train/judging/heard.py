"""The bundled tagger as a judge of styles: does it hear what the style is to be?

No style was trained against it, and it was trained on the true sounds alone.  It judges held-out
recordings: the input, what the exported file makes of it in the player's engine, and the target.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from realtime.errors import ConfigError
from realtime.models.catalog import find_model
from realtime.models.tagger import Tagger

from ..data.pairs import PairSet
from ..data.scores.render import SAMPLE_RATE
from ..export.gate import EXPORTED
from ..recipes import get_recipe
from ..recipes.base import Recipe
from .candidates import in_player

Array = npt.NDArray[np.float32]
LABELS = {  # style: what it is to be heard as
    "square-synth": "synth", "strings": "strings", "choir": "choir", "strings-unpaired": "strings",
    "tube-amp": "driven", "amp-blend": "driven", "radio-voice": "speech", "whisper": "speech",
}  # fmt: skip
RECORDINGS = 12
FIRST = 0.5  # seconds in which the tagger may make up its mind


def share(tagger: Tagger, x: Array, label: str) -> float:
    """Mean probability of one label over a sound ``[n]``."""
    tagger.reset()
    skip = round(FIRST / tagger.hop_seconds)
    return float(tagger.feed(x)[skip:, tagger.labels.index(label)].mean())


def heard(recipe: Recipe, data: PairSet, file: Path) -> dict[str, float]:
    """Mean probability of the style's label for ``input``, ``model`` and ``target``.

    Parameters
    ----------
    file : Path
        The exported style.

    Raises
    ------
    KeyError
        The tagger has no label for this style.
    """
    label = LABELS[recipe.name]
    found: dict[str, list[float]] = {"input": [], "model": [], "target": []}
    with Tagger(find_model("tagger"), SAMPLE_RATE) as tagger:
        for pair in data.test[:RECORDINGS]:
            y = in_player(recipe, file, pair)
            part = slice(recipe.warm_up, recipe.warm_up + len(y))
            for name, x in (("input", pair.dry[part]), ("model", y), ("target", pair.wet[part])):
                found[name].append(share(tagger, np.ascontiguousarray(x), label))
    return {name: float(np.mean(values)) for name, values in found.items()}


def judge(names: list[str] | None) -> str:
    """:func:`table` of some styles, or of all that are bundled and have a label.

    Raises
    ------
    ConfigError
        One has no label.
    """
    wanted = names or [n for n in LABELS if (EXPORTED / f"{n}.onnx").exists()]
    for name in wanted:
        if name not in LABELS:
            known = ", ".join(LABELS)
            raise ConfigError(f"the tagger has no label for '{name}'; it judges {known}")
    rows = {}
    for name in wanted:
        recipe = get_recipe(name)
        rows[name] = heard(recipe, recipe.data(), find_model(name))
    return table(rows)


def table(rows: dict[str, dict[str, float]]) -> str:
    """Markdown of :func:`heard` by style."""
    lines = ["| style | label | input | model | target |", "|---|---|---|---|---|"]
    lines += [
        f"| {name} | {LABELS[name]} | {r['input']:.2f} | {r['model']:.2f} | {r['target']:.2f} |"
        for name, r in rows.items()
    ]
    return "\n".join(lines)

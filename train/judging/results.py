"""What an evaluation leaves behind: JSON, Markdown, and the weights that it is about."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from realtime.audio_files import whole_file
from realtime.errors import ConfigError

from ..fit.checkpoint import folder_of
from ..recipes.base import Recipe
from . import generating, hearing, tagging
from .aims import figures, misses
from .candidates import in_order

COLUMNS = (  # in tables; a card has no order
    "frechet", "mmd", "mfcc", "probe", "tag_flip", "pitch_f1", "onset_f1", "word_errors", "voiced",
    "pitch_kept", "mos_speech", "mos_overall", "speaker", "stft_distance", "mel_db", "esr",
    "level_db", "loudness_lu",
)  # fmt: skip
EVALUATION = "evaluation"  # folder inside a run's


def write(recipe: Recipe, result: dict[str, Any], folder: Path) -> str:
    """Write ``result.json`` and ``result.md``; returns the latter's text.

    The JSON goes into the run's own folder, too, where the export looks for it.
    """
    for place in {folder, folder_of(recipe) / EVALUATION}:
        place.mkdir(parents=True, exist_ok=True)
        with whole_file(place / "result.json") as partial:
            partial.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    lines = [f"# {recipe.name}", ""]
    if result["kind"] in ("tagger", "generator", "ear"):
        for name, part in result["sets"].items():
            lines += [f"## {name} ({part['recordings']} recordings)", ""]
            lines += [*rows_of(result["kind"], part), ""]
        return _text(folder, lines)
    for name, part in result["sets"].items():
        found = figures(part["rows"])
        if result["kind"] != "instrument":  # what an effect changes the tagger hardly hears
            found = {k: v for k, v in found.items() if not k.startswith("gap")}
        said = ", ".join(f"{k.replace('_', ' ')} {v:.3g}" for k, v in found.items())
        lines += [f"## {name} ({part['recordings']} recordings)", "", table(part["rows"]), ""]
        lines += [f"{said}.", "", f"![{name}]({name}.png)", ""]
    missed = misses(result)
    lines += ["Misses: " + "; ".join(missed) + "." if missed else "Misses no aim.", ""]
    return _text(folder, lines)


def rows_of(kind: str, part: dict[str, Any]) -> list[str]:
    """One test set as lines of Markdown, by the kind of model."""
    own = {"tagger": tagging.table, "generator": generating.table, "ear": hearing.table}
    return own[kind](part) if kind in own else [table(part["rows"])]


def _text(folder: Path, lines: list[str]) -> str:
    text = "\n".join(lines)
    with whole_file(folder / "result.md") as partial:
        partial.write_text(text, encoding="utf-8")
    return text


def kept(recipe: Recipe, weights: str) -> dict[str, Any]:
    """The result that ``restyle train evaluate`` wrote for these very weights, by fingerprint.

    Raises
    ------
    ConfigError
        They were never judged.
    """
    path = folder_of(recipe) / EVALUATION / "result.json"
    result = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if result.get("weights") != weights:
        raise ConfigError(
            f"the best checkpoint of '{recipe.name}' was not judged yet;"
            f" run: restyle train evaluate {recipe.name}"
        )
    return dict(result)


def table(rows: dict[str, dict[str, float]]) -> str:
    """Rows of candidates as a Markdown table."""
    known = {m for row in rows.values() for m in row}
    columns = [c for c in COLUMNS if c in known]
    lines = ["| | " + " | ".join(c.replace("_", " ") for c in columns) + " |"]
    lines.append("|---" * (len(columns) + 1) + "|")
    for name in in_order(rows):
        cells = (number(rows[name].get(c)) for c in columns)
        lines.append(f"| {name.replace('_', ' ')} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def number(value: float | None) -> str:
    """Three digits; nothing for nothing, 0 for what only rounding left."""
    if value is None:
        return ""
    return "0" if abs(value) < 1e-9 else f"{value:.3g}"

"""What was found, for people: beside the model, in Markdown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .judge import table
from .space import text

if TYPE_CHECKING:
    from .run import Material, Result

WORDS = {
    "reference": "the reference's own beginning: as near as its own sound with other notes",
    "copy": "the dry playing",
    "matched EQ": "the reference's mean spectrum, by 1025 static gains",
    "equaliser": "the same by eight peak filters, as a chain file can hold them",
    "blend": "amp-blend at the nearest mix",
    "chain": "the chain found",
    "model": "the network taught by the chain, with the chain's slow effects around it",
    "truth": "the reference's own effects, which only a benchmark knows",
}
OFFERS = {
    "model": "The model is nearer to the reference than the dry sound and any equaliser.",
    "blend": "amp-blend at the nearest mix is nearer to the reference than the dry sound, any"
    " equaliser and the network that was taught; it was written, folded into one plain model.",
    "chain": "**The model failed:** it is no nearer to the reference than a static equaliser or the"
    " dry sound. The chain of effects is nearer; it is what was kept.",
    "equaliser": "**It failed:** neither the model nor the chain is nearer to the reference than a"
    " static equaliser. The equaliser was kept, as a chain of filters.",
    "nothing": "**It failed:** nothing that was tried is nearer to the reference than the dry"
    " sound.",
}


def report(result: Result, material: Material, out: Path) -> str:
    """Markdown: verdict, table, chain, files, and how long it took."""
    rows, found = result.rows, result.found
    lines = [
        f"# {out.stem}",
        "",
        f"Reference: `{material.reference_name}`. Playing: `{material.mine_name}`."
        " The judges heard the last third of the one and what was made of the last quarter of the"
        " other; neither was used to find anything.",
        "",
        OFFERS[result.offer],
        "",
        table(rows),
        "",
        "Distances to the reference: smaller is nearer. `score` is the mean of the first four over"
        " those of the dry playing. `statistics` is what the search lowered, on parts it never"
        " heard.",
        "",
        *(f"- {name}: {WORDS[name]}" for name in rows),
        "",
        "## Chain",
        "",
        f"{found.tried} chains were tried; the search's distance fell from {found.nothing:.3f} to"
        f" {found.distance:.3f}.",
        "",
        "```",
        text(result.chain),
        "```",
        "",
    ]
    if result.blend:
        weights = " ".join(f"--set {k}={v:g}" for k, v in result.blend.items())
        lines += [f"Nearest blend: `restyle live --model amp-blend {weights}`", ""]
    if result.taught is not None:
        lines += [result.taught.said() + ".", ""]
    lines += ["## Play", "", *(f"    {command}" for command in commands(result, out)), ""]
    lines.append(
        f"{result.seconds / 60:.1f} minutes, {result.cpu_seconds / 60:.1f} minutes of CPU. Nothing"
        " left the machine."
    )
    return "\n".join(lines) + "\n"


def commands(result: Result, out: Path) -> list[str]:
    """How to play what was kept."""
    found = []
    if "model" in result.files:
        around = result.files.get("around")
        beside = f" --chain {around.name}" if around is not None else ""
        found.append(f"restyle live --model {out.name}{beside}")
    if "chain" in result.files:
        found.append(f"restyle live --chain {result.files['chain'].name}")
    return found or ["restyle live"]

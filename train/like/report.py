"""What was found, for people: one HTML page with its sounds inside, beside the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..data.manifest import SAMPLE_RATE
from ..judging.listen import flac, fullest, matched
from .judge import JUDGES, Row, able, told_by
from .material import Material
from .offer import Result
from .space import text

Array = npt.NDArray[np.float32]
SECONDS = 8.0  # of every sound on the page
WORDS = {
    "reference": "the reference's own beginning: how near its own sound with other notes comes",
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
    "blend": "amp-blend at the nearest mix is nearer to the reference than the dry sound and any"
    " equaliser; it was written, folded into one plain model.",
    "chain": "The model failed: it is no nearer to the reference than a static equaliser or the"
    " dry sound, by all judges or by musicnn alone. The chain of effects is nearer than the dry"
    " sound; it is what was kept.",
    "equaliser": "It failed: neither the model nor the chain is nearer to the reference than a"
    " static equaliser. The equaliser was kept, as a chain of filters.",
    "nothing": "It failed: nothing that was tried is nearer to the reference than the dry sound.",
}
CANNOT_TELL = (
    "The judges cannot tell: by each of them other playing is nearer to the reference's end than"
    " the reference's own beginning is. "
)
LEFT_OUT = " Left out, since other playing is nearer by it than the reference's own: "
STATISTICS = "By the statistics of timbre and dynamics that the search used: "
UNLIKE_ITSELF = (
    "By the statistics that the search used, too. Nothing was kept; give a longer reference, or one"
    " that has the same sound throughout."
)
STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;
 color:#222;background:#fff}
table{border-collapse:collapse;width:100%}td,th{padding:.3rem .6rem;text-align:right;
 border-bottom:1px solid #ddd}td:first-child,th:first-child{text-align:left}
tr.kept{background:#e8f3e8;font-weight:600}pre{background:#f4f4f4;padding:.8rem;overflow:auto}
audio{height:2rem;vertical-align:middle;width:18rem}.bar{height:.6rem;background:#58a;width:0}
td.score{min-width:8rem}.scroll{overflow-x:auto}@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}
 td,th{border-color:#444}tr.kept{background:#243524}pre{background:#242424}}
"""


def verdict(result: Result) -> str:
    """What was kept and why, and whether the chain is nearer than the model."""
    rows = result.rows
    by = told_by(rows)
    if by is None:
        return CANNOT_TELL + UNLIKE_ITSELF
    said = (
        OFFERS[result.offer] if by == "score" else CANNOT_TELL + STATISTICS + OFFERS[result.offer]
    )
    far = {name: row[by] / rows["copy"][by] for name, row in rows.items()}
    if result.offer == "blend" and "model" in rows:
        said += " The network that was taught is farther away and was not kept."
    if result.offer in ("model", "blend") and far["chain"] < far[result.offer]:
        said += (
            f" The chain of effects is nearer still: {far['chain']:.2f} against"
            f" {far[result.offer]:.2f} of the dry distance; it is kept beside the model."
        )
    if result.offer == "chain" and far["matched EQ"] < far["chain"]:
        said += " The mean spectrum by 1025 static gains, which no chain holds, is nearer still."
    deaf = [k.replace("_", " ") for k in JUDGES if k not in able(rows)]
    if by == "score" and deaf:
        said += LEFT_OUT + f"{', '.join(deaf)}."
    if result.found.interrupted or (
        result.taught is not None and result.taught.tuned.ended == "interrupted"
    ):
        said += " It was stopped early; this is the best until then."
    return said


def report(
    result: Result, material: Material, sounds: Mapping[str, Sequence[Array]], out: Path
) -> str:
    """HTML: verdict, sounds, table, chain, and how to play what was kept.

    Parameters
    ----------
    sounds : mapping of candidate to its sounds
        The held-out playing through every candidate; the reference itself under ``reference``.
    """
    heard = "".join(
        f"<tr{_kept(name, result)}><td>{escape(name)}</td><td>"
        f"<audio controls aria-label='{escape(name)}'"
        f" src='data:audio/flac;base64,{flac(x)}'></audio></td>"
        f"<td style='text-align:left'>{escape(WORDS[name])}</td></tr>"
        for name, x in _excerpts(sounds).items()
    )
    found = result.found
    notes = []
    if result.blend:
        weights = " ".join(f"--set {k}={v:g}" for k, v in result.blend.items())
        notes.append(f"Nearest blend: restyle live --model amp-blend {weights}")
    if result.taught is not None:
        notes.append(f"Network: {result.taught.said()}")
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{escape(out.stem)}</title><style>{STYLE}</style>
<h1>{escape(out.stem)}</h1>
<p><b>{escape(verdict(result))}</b></p>
<p>Reference: {escape(material.reference_name)}. Playing: {escape(material.mine_name)}. The judges
heard the last third of the one and what was made of the last quarter of the other; neither was used
to find anything.</p>
<h2>Listen</h2><p>Equally loud; the reference plays other notes.</p><table>{heard}</table>
<h2>Judges</h2>{_table(result)}
<p>Distances to the reference: smaller is nearer. <i>score</i> is the mean over those of the dry
playing, of the first four that put the reference's own beginning first. <i>statistics</i> is what
the search lowered, on parts it never heard.</p>
<h2>Chain</h2>
<p>{found.tried} chains were tried; the search's distance fell from {found.nothing:.3f} to
{found.distance:.3f}.</p><pre>{escape(text(result.chain))}</pre>
<p>{"<br>".join(map(escape, notes))}</p>
<h2>Play</h2><pre>{escape(chr(10).join(commands(result, out)))}</pre>
<p>{result.seconds / 60:.1f} minutes, {result.cpu_seconds / 60:.1f} minutes of CPU. Nothing left the
machine.</p></html>
"""


def _excerpts(sounds: Mapping[str, Sequence[Array]]) -> dict[str, Array]:
    """The same few seconds of every candidate, and as many of the reference, equally loud."""
    n = round(SECONDS * SAMPLE_RATE)
    place = fullest(np.concatenate(list(sounds["copy"])), n)
    cut = {}
    for name, parts in sounds.items():
        whole = np.concatenate(list(parts))
        cut[name] = whole[fullest(whole, n)] if name == "reference" else whole[place]
    return matched(cut)


def _kept(name: str, result: Result) -> str:
    return " class='kept'" if name == result.offer else ""


def _table(result: Result) -> str:
    rows = result.rows
    heads = list(dict.fromkeys(k for row in rows.values() for k in row))
    lines = "".join(
        f"<tr{_kept(name, result)}><td>{escape(name)}</td>"
        + "".join(_cell(head, row) for head in heads)
        + "</tr>"
        for name, row in rows.items()
    )
    titles = "".join(f"<th>{escape(h.replace('_', ' '))}</th>" for h in heads)
    return f"<table><tr><th>sound</th>{titles}</tr>{lines}</table>"


def _cell(head: str, row: Row) -> str:
    if head not in row:
        return "<td>–</td>"
    if head != "score":
        return f"<td>{row[head]:.3g}</td>"
    width = min(100.0, 50.0 * row[head])
    bar = f"<div class='bar' style='width:{width:.0f}%'></div>"
    return f"<td class='score'>{row[head]:.2f}{bar}</td>"


def commands(result: Result, out: Path) -> list[str]:
    """How to play what was kept."""
    found = []
    if "model" in result.files:
        around = result.files.get("around")
        beside = f" --chain {around}" if around is not None else ""
        found.append(f"restyle live --model {out}{beside}")
    if "chain" in result.files:
        found.append(f"restyle live --chain {result.files['chain']}")
    return found or ["restyle live"]

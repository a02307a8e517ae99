"""Readable pages in ``exported/`` made from the cards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from realtime.models.card import Card
from realtime.models.catalog import read_entry

from ..export import listener
from ..export.gate import EXPORTED
from ..latent import report as latent
from . import denoised
from .results import rows_of
from .tables import by_kind, sets_of


def card_page(card: Card) -> str:
    """One model's page."""
    p, m = card.provenance, card.metrics
    lines = [
        f"# {card.title} (`{card.name}`)",
        "",
        f"{card.summary[0].upper()}{card.summary[1:]}. Domain {card.domain}, {card.sample_rate} Hz,"
        f" hop {card.hop_length} samples, algorithmic latency {card.latency} samples"
        f" ({1000 * card.latency / card.sample_rate:.2f} ms), {p.get('parameters', 0):,} weights,"
        f" licence {card.licence}.",
        "",
    ]
    if p.get("limits"):
        lines += [f"Limits: {p['limits']}", ""]
    if card.controls:
        lines += ["Controls: " + ", ".join(f"`{c.name}` ({c.kind})" for c in card.controls), ""]
    for name, part in sets_of(m).items():
        lines += [f"## Test set `{name}`: {part['recordings']} recordings", ""]
        lines += [*rows_of(card.kind, part), ""]
    lines += denoised.section(m, "## Noisy speech")
    if "latent" in m:
        lines += latent.lines(m["latent"])
    lines += [f"Made by `{m['command']}`." if "command" in m else "Not judged.", ""]
    lines += listener.section(card)
    lines += ["## Provenance", ""]
    for d in p["data"]:
        extent = f", {d['recordings']} recordings, {d['minutes']} min" if "minutes" in d else ""
        lines.append(f"- {d['source']}: {d['licence']}{extent}")
    lines += [
        f"- recipe `{p['recipe']}`, seed {p['seed']}, {p['steps']} steps, {p['cpu_minutes']}"
        f" {p.get('device', 'CPU')} minutes, revision {p['revision']}, {p['tools']}",
        "",
        "## Proof",
        "",
        f"- streaming against {card.proof['reference']}: relative error"
        f" {card.proof['streaming_error']:.1e} over {card.proof['steps']} steps",
        *(f"- {name}: {found}" for name, found in card.proof["verify"].items()),
        "",
        f"Run it again: `restyle verify {card.name}`.",
        "",
    ]
    return "\n".join(lines)


def bundled() -> Iterator[tuple[Path, Card]]:
    """Models of ``exported/`` with their cards."""
    for path in sorted(EXPORTED.glob("*.onnx")):
        card = read_entry(path).card
        if card is not None:
            yield path, card


def write_pages() -> None:
    """Write ``exported/<name>.md`` and ``exported/README.md``."""
    models = list(bundled())
    for _, card in models:
        (EXPORTED / f"{card.name}.md").write_text(card_page(card), encoding="utf-8")
    (EXPORTED / "README.md").write_text(overview(models), encoding="utf-8")


def overview(models: list[tuple[Path, Card]]) -> str:
    """The page of all styles: what there is, and the held-out figures of each kind."""
    rows = []
    for path, card in models:
        clip = f"[{card.name}.flac]({card.name}.flac)"
        rows.append(
            f"| [{card.name}]({card.name}.md) | {card.summary} | {card.domain} | {card.latency} |"
            f" {path.stat().st_size / 1e6:.2f} |"
            f" {clip if path.with_suffix('.flac').exists() else ''} |"
        )
    tables = by_kind({card.name: card.metrics for _, card in models if card.kind not in OWN})
    for _, card in models:
        tables += denoised.section(card.metrics, f"### {card.title}")
    for card in (c for _, c in models if c.kind in OWN):
        tables += [f"### {card.title}", "", OWN[card.kind], ""]
        for name, part in sorted(sets_of(card.metrics).items()):
            extent = f", {part['windows']} windows of 3 s" if "windows" in part else ""
            tables += [f"Test set *{name}*{extent}:", "", *rows_of(card.kind, part), ""]
    objections = ["", *listener.overview([card for _, card in models])]
    return "\n".join([*_HEAD, *rows, *objections, *_MIDDLE, *tables, *_TAIL])


GENERATING = (
    "Distances of music to the recordings of the training split in the embedding of an outside"
    " tagger (musicnn): eight clips of 20 s each, all at one level. *Any notes* strikes the same"
    " instruments by chance; filtered noise has the recordings' mean spectrum."
)
TAGGING = (
    "Macro means over labels, on windows of three seconds: recordings, two of them mixed, noise."
    " Logistic regression heard the same training windows; musicnn was trained by others on other"
    " music and is compared on the labels it has a name for."
)
HEARING = (
    "Notes found with their pitch within 50 ms of their beginning, by the exported file, hop by"
    " hop: scores composed by rule, played by a soundfont that no training heard and by recorded"
    " single notes (freepats). basic-pitch hears the whole recording at once."
)
OWN = {"tagger": TAGGING, "generator": GENERATING, "ear": HEARING}  # kinds with tables of their own
_HEAD = (
    "# Bundled styles",
    "",
    "Generated by `restyle train readme` from the cards inside the files.",
    "",
    "| style | what it does | domain | latency (samples) | MB | before, after |",
    "|---|---|---|---|---|---|",
)
_MIDDLE = (
    "## Held-out figures",
    "",
    "Each by `restyle train evaluate NAME`: the exported file, played by the player's engine, on"
    " recordings that no training heard. *test*: new scores on the training's soundfonts;"
    " *timgm6mb*: a piano of a soundfont that no training heard; *salamander*: recorded notes of a"
    " real grand piano; *sentences*: people and voices that no training heard. *Matched EQ* is one"
    " static equaliser per style, fitted on its training set. *STFT distance* is a spectral"
    " distance at several resolutions, *level* the power over the target's. The page of each model"
    " has all candidates and judges.",
    "",
)
_TAIL = (
    "Weights and clips: GPL-3.0-or-later. The sounds they were trained on, and their licences, are"
    " on each model's page; `demo.flac` and the clips are scores composed by rule, played by the"
    " FluidR3 soundfont (MIT), and, for voices, sentences composed by rule, spoken by flite.",
    "",
)

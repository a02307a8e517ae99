"""The listener's proof in a card: measured by the player, shown on the model's page."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from realtime.audio_files import whole_file
from realtime.errors import ConfigError
from realtime.models.card import CARD_KEY, Card
from realtime.models.catalog import read_entry
from realtime.models.metadata import write_metadata
from realtime.proof.listener.check import KEY, declared
from realtime.proof.listener.figures import MEASURES, NEAR_TRUTH, beside, broken, true_of
from realtime.proof.listener.prove import prove, unchanged

OVERVIEW = (  # columns of the table of all styles
    "line_sine", "line_partials", "line_corners", "line_dc", "line_hum", "hiss", "hiss_raw",
    "burst", "held_4", "struck_4", "pitch_bass", "pitch_run", "hnr_run", "onset_late",
    "onset_jitter", "level_run",
)  # fmt: skip
PLAYERS = (
    " The partials of a player's own voice, as learnt from the true instrument, are no lines as"
    " wide and as loud as they are there. *True patch* is the instrument given the same notes."
)


def heard(file: Path, card: Card, held: bool = False) -> dict[str, Any]:
    """The card's proof with the listener's; that of taggers and generators is left as it is.

    Raises
    ------
    ConfigError
        A bound is broken, and `held` asks that all hold.
    """
    if not card.converts:
        return card.proof
    proof = prove(file, card)
    over = broken(proof.figures)
    if held and over:
        raise ConfigError(f"a listener would object to '{card.name}': {'; '.join(over)}")
    return {**card.proof, KEY: proof.entry()}


def reseal(file: Path, card: Card) -> str:
    """Give a model file another card, returned as it is written; graph and weights stay."""
    sealed = card.to_json()
    data = write_metadata(file.read_bytes(), {CARD_KEY: sealed})
    with whole_file(file) as partial:
        partial.write_bytes(data)
    return sealed


def stamp(files: list[Path], log: Callable[[str], None] = print) -> None:
    """Measure models again and write the figures into their cards; graphs and weights stay."""
    for file in files:
        card = read_entry(file).card
        if card is None or not card.converts:
            continue
        sealed = reseal(file, replace(card, proof=heard(file, card)))
        over = broken(json.loads(sealed)["proof"][KEY]["figures"])
        log(f"{file.name}: {'; '.join(over) if over else 'all bounds hold'}")


def section(card: Card) -> list[str]:
    """Lines of a model's page."""
    figures = declared(card)
    if figures is None:
        return []
    dry = unchanged(card.sample_rate).figures
    true = true_of(figures)  # of a player alone
    rows = [f"| | style |{' true patch |' if true else ''} unchanged | bound |"]
    rows.append("|---" * (rows[0].count("|") - 1) + "|")
    for m in MEASURES:
        if m.name in figures:
            value = m.text(figures[m.name])
            mark = value if m.holds(figures[m.name], figures) else f"**{value}**"
            bound = (
                "" if m.bound is None else f"{'≥' if m.least else '≤'} {m.text(m.limit(figures))}"
            )
            patch = f" {m.text(true.get(m.name))} |" if true else ""
            rows.append(f"| {m.title} | {mark} |{patch} {m.text(dry.get(m.name))} | {bound} |")
    return [
        "## What a listener would object to",
        "",
        "Test tones and phrases played by the player, with the controls' defaults; *unchanged* is"
        " the input itself. A line is a tone that is no harmonic of the input, over the sound on"
        " the harmonics (for DC and hum over the input)." + (PLAYERS if true else ""),
        "",
        *rows,
        "",
        f"`restyle proof {card.name} --page {card.name}.html` shows the spectrograms.",
        "",
    ]


def overview(cards: list[Card]) -> list[str]:
    """Lines of the page of all styles."""
    known = [(c, f) for c in cards if (f := declared(c)) is not None]
    if not known:
        return []
    measures = [m for m in MEASURES if m.name in OVERVIEW]
    rows = [
        "| style | " + " | ".join(m.title for m in measures) + " |",
        "|---" * (len(measures) + 1) + "|",
    ]
    dry = unchanged(known[0][0].sample_rate).figures
    styles = {c.name: f for c, f in known}
    for name, figures in beside(styles, dry).items():
        cells = []
        for m in measures:
            value = figures.get(m.name)
            text = m.text(value)
            cells.append(text if value is None or m.holds(value, figures) else f"**{text}**")
        title = name if name in styles else f"*{name}*"
        rows.append(f"| {title} | {' | '.join(cells)} |")
    bounds = ", ".join(
        f"{m.title} {'at least' if m.least else 'at most'} {m.text(m.bound)}"
        for m in MEASURES
        if m.bound is not None
    )
    return [
        "## What a listener would object to",
        "",
        "By `restyle proof NAME`: test tones and phrases of `realtime/proof/listener`, played by"
        f" the player. In bold what breaks a bound: {bounds}. *Unchanged* is the input itself."
        " Of a player the partials of its own voice are no lines, *true patch* is the instrument"
        f" given the same notes; tones may have its lines and {NEAR_TRUTH:.0f} dB, and a level"
        " note may fade by as much more.",
        "",
        *rows,
        "",
    ]

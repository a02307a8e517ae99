"""What the knobs of an exported file do to held-out recordings, as figures and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from realtime.models.card import Card
from realtime.models.catalog import read_entry

from ..losses import stft_distance
from ..player import play
from .descriptors import UNITS, describe

Array = npt.NDArray[np.float32]
TURNS = (-1.0, -0.5, 0.0, 0.5, 1.0)
WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)
BEGIN = 12288  # samples left out at the beginning


def card_of(file: Path) -> Card:
    """The card inside a model file."""
    card = read_entry(file).card
    if card is None:
        raise ValueError(f"{file} has no card")
    return card


def knob_table(file: Path, sounds: Sequence[Array]) -> list[dict[str, Any]]:
    """Turn one knob after the other and describe what the player plays.

    Returns
    -------
    list of dict
        ``name``; ``values``: mean of the knob's descriptor at :data:`TURNS` over the one at 0;
        ``rising``: share of recordings where it rises at every turn.  A knob that bears no
        descriptor's name is left out.
    """
    rows = []
    plain: dict[int, dict[str, float]] = {}  # what each recording is with all knobs at 0
    controls = card_of(file).controls
    styles = [c.name for c in controls if c.kind == "blend"]
    for control in (c for c in controls if c.name in UNITS):
        found = np.zeros((len(sounds), len(TURNS)))
        for i, x in enumerate(sounds):
            style = {s: float(s == styles[i % len(styles)]) for s in styles}
            for j, turn in enumerate(TURNS):
                if turn or i not in plain:
                    y = describe(play(file, x, {**style, control.name: turn})[BEGIN:])
                    plain |= {} if turn else {i: y}
                found[i, j] = (y if turn else plain[i])[control.name]
        values = found.mean(axis=0)
        rows.append(
            {
                "name": control.name,
                "values": [round(float(v), 3) for v in values - values[TURNS.index(0.0)]],
                "rising": round(float(np.mean(np.all(np.diff(found, axis=1) > 0, axis=1))), 3),
            }
        )
    return rows


def blend_table(file: Path, x: Array) -> list[dict[str, Any]]:
    """Walk from each style to the next; STFT distances of the mix to both ends.

    Returns
    -------
    list of dict
        ``pair``; ``from``, ``to``: distances at :data:`WEIGHTS`.
    """
    styles = [c.name for c in card_of(file).controls if c.kind == "blend"]
    rows = []
    for a, b in zip(styles, [*styles[1:], styles[0]], strict=True):
        walk = []
        for w in WEIGHTS:
            weights = dict.fromkeys(styles, 0.0) | {a: 1.0 - w, b: w}
            walk.append(torch.from_numpy(play(file, x, weights)[None, BEGIN:]))
        rows.append(
            {
                "pair": f"{a} to {b}",
                "from": [round(float(stft_distance(y, walk[0])), 3) for y in walk],
                "to": [round(float(stft_distance(y, walk[-1])), 3) for y in walk],
            }
        )
    return rows


def lines(found: dict[str, Any]) -> list[str]:
    """Markdown of ``latent`` in a card's metrics."""
    used, text = found["usage"], ["## Latent", ""]
    text.append(
        f"{len(used['variance'])} numbers a hop, the level among them; {used['active']} vary more"
        f" than the training's noise, effective rank {used['effective_rank']:.1f}, at most"
        f" {used['bits']:.0f} bits a hop."
    )
    rounded = ", ".join(f"{v:.2g}" for v in used["variance"])
    text += ["", f"Variance of each: {rounded}.", "", "## Knobs", ""]
    text.append("What each changes on held-out recordings, over the knob at 0:")
    text.append("")
    text.append(
        "| knob | of the variance | r | "
        + " | ".join(f"{t:+g}" for t in TURNS)
        + " | unit | recordings where it only rises |"
    )
    text.append("|---" * (len(TURNS) + 5) + "|")
    measured = {row["name"]: row for row in found["measured"]}
    for knob in found["knobs"]:
        row = measured.get(knob["name"])
        cells = [f"{v:+.2f}" for v in row["values"]] if row else [""] * len(TURNS)
        tail = [UNITS[knob["name"]], f"{row['rising']:.0%}"] if row else ["", ""]
        text.append(
            "| "
            + " | ".join(
                [
                    knob["name"],
                    f"{knob['explained']:.0%}",
                    f"{knob['correlation']:.2f}",
                    *cells,
                    *tail,
                ]
            )
            + " |"
        )
    text += ["", "## Blend", "", "STFT distance of a mix to its first and to its second style:", ""]
    text.append("| from, to | " + " | ".join(f"{w:g}" for w in WEIGHTS) + " |")
    text.append("|---" * (len(WEIGHTS) + 1) + "|")
    for row in found["blend"]:
        cells = (f"{a:.2f}, {b:.2f}" for a, b in zip(row["from"], row["to"], strict=True))
        text.append(f"| {row['pair']} | " + " | ".join(cells) + " |")
    return [*text, ""]

"""The decoder's settings, chosen on a soundfont that training does not hear."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import torch
from torch import Tensor

from realtime.audio_files import whole_file

from ..data.notes.pieces import CHECKED, Piece, matched, pieces
from ..networks.ear import HOP, LOWEST, PITCHES, Ear
from ..networks.weights import fingerprint

RATE = 48_000
PLAYERS, SEED = (0, 25, 27), 83_000
THRESHOLDS = (0.4, 0.5, 0.56, 0.62, 0.68, 0.74)
EXTRA = (0.0, 0.08)
SURE = (0.9,)
QUIET, YOUNG = 0.3, 0.5
FALSE_COST = 0.05  # of F1 for each false note a second
KEPT = "thresholds.json"


def grid() -> Tensor:
    """All settings that are tried ``[5, n, 1]``."""
    rows = [(t, e, QUIET, s, YOUNG) for t, e, s in itertools.product(THRESHOLDS, EXTRA, SURE)]
    return torch.tensor(rows).T.unsqueeze(2)


def choose(network: Ear, made: list[Piece]) -> list[float]:
    """The settings with the best mean over pieces of onset F1 less the price of false notes."""
    settings = grid()
    count = settings.shape[1]
    worth = torch.zeros(count, dtype=torch.float64)
    for piece in made:
        found = _decoded(network, piece, settings)
        seconds = len(piece.samples) / RATE
        for k in range(count):
            own = found[k]
            hits = len(matched(own, piece.onsets))
            f1 = 2 * hits / max(1, len(own) + len(piece.onsets))
            worth[k] += f1 - FALSE_COST * (len(own) - hits) / seconds
    return [round(float(v), 4) for v in settings[:, int(worth.argmax()), 0]]


def _decoded(network: Ear, piece: Piece, settings: Tensor) -> list[list[tuple[float, int]]]:
    """Onsets that each of the settings finds in a piece."""
    x = torch.from_numpy(piece.samples)
    x = x[: len(x) // HOP * HOP][None]
    count = settings.shape[1]
    found: list[list[tuple[float, int]]] = [[] for _ in range(count)]
    decoder = network.decoder
    before = decoder.settings
    decoder.settings = settings
    try:
        with torch.no_grad():
            heads = network.hear(x)[0]
            state = torch.zeros(count, *decoder.state_shape)
            level = torch.zeros(count, 1)
            for k, row in enumerate(heads):
                notes, state = decoder(
                    row[:PITCHES].expand(count, -1, -1),
                    row[PITCHES:, :1].expand(count, -1),
                    level,
                    torch.zeros(count, 1),
                    state,
                )
                for which, place in notes[:, 0].nonzero().tolist():
                    found[which].append(((k + 1) * HOP / RATE, place + LOWEST))
    finally:
        decoder.settings = before
    return found


def tune(network: Ear, folder: Path) -> None:
    """Give the decoder its settings: those in `folder` for these weights, or chosen now."""
    network.decoder.settings.zero_()  # no part of what was learnt
    weights = fingerprint(network)
    file = folder / KEPT
    kept = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    if kept.get("weights") != weights:
        made = [p for player in PLAYERS for p in pieces(player, CHECKED, 1, seed=SEED)]
        kept = {"weights": weights, "settings": choose(network, made)}
        folder.mkdir(parents=True, exist_ok=True)
        with whole_file(file) as partial:
            partial.write_text(json.dumps(kept) + "\n", encoding="utf-8")
    network.decoder.settings.copy_(torch.tensor(kept["settings"]))

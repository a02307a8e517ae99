"""What a blind test of a bundled player plays: the player, the true patch, and a rival."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from realtime.errors import ConfigError, RestyleError
from realtime.models.catalog import find_model, read_entry

from ..data.pairs import Pair
from ..data.scores.render import SAMPLE_RATE
from ..player import play
from ..recipes.player import Bundled
from .listen import SECONDS, Excerpt, fullest

CLIPS = 8
LEAD_IN = 1.0  # seconds that are played before a clip begins


def player_file(name: str) -> Path:
    """The bundled file of a player.

    Raises
    ------
    ConfigError
        It was not made yet.
    """
    try:
        return find_model(name)
    except RestyleError:
        raise ConfigError(f"there is no {name} yet; run: restyle train player {name}") from None


def rival_file(named: str | Path) -> Path:
    """The file of a model that players are to be heard against.

    Raises
    ------
    ModelError
        There is none.
    ConfigError
        It makes no sound of sound.
    """
    file = find_model(named)
    card = read_entry(file).card
    if card is not None and not card.converts:
        what = f"{file.name} is a {card.kind}"
        raise ConfigError(f"--rival takes a model that restyles sound; {what}")
    return file


def player_excerpts(name: str, rival: Path | None = None, count: int = CLIPS) -> list[Excerpt]:
    """Clips of the test sets in turn, each as ``model``, ``oracle`` and a third sound.

    That is the dry input (``copy``), or what the model `rival` makes of it (``rival``).
    """
    recipe, file = Bundled(name), player_file(name)
    sets = list(recipe.outside().values())
    longest = max(map(len, sets))
    pairs = [pairs[k] for k in range(longest) for pairs in sets if k < len(pairs)]
    return [_excerpt(name, pair, file, rival) for pair in pairs[:count]]


def _excerpt(name: str, pair: Pair, file: Path, rival: Path | None) -> Excerpt:
    part = fullest(pair.wet, round(SECONDS * SAMPLE_RATE))
    begin = max(0, part.start - round(LEAD_IN * SAMPLE_RATE))
    dry = pair.dry[begin : part.stop]
    lead = part.start - begin
    third, sound = ("copy", dry) if rival is None else ("rival", play(rival, dry))
    sounds = {"model": play(file, dry)[lead:], third: sound[lead:], "oracle": pair.wet[part]}
    n = min(map(len, sounds.values()))
    return Excerpt(name, pair.name, {k: np.ascontiguousarray(x[:n]) for k, x in sounds.items()})

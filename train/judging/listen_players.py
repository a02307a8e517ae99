"""What a blind test of a bundled player plays: the player, the true patch, and the older shaper."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from realtime.errors import ConfigError, RestyleError
from realtime.models.catalog import find_model

from ..data.pairs import Pair
from ..data.scores.render import SAMPLE_RATE
from ..player import play
from ..recipes.player import Bundled
from .listen import SECONDS, Excerpt, fullest

SHAPERS = {"string-player": "strings", "choir-player": "choir", "square-player": "square-synth"}
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


def player_excerpts(name: str, count: int = CLIPS) -> list[Excerpt]:
    """Clips of the test sets in turn, each as ``model``, ``oracle`` and a rival.

    The rival is the shaper of the same target (``shaper``), or the dry input (``copy``).
    """
    recipe, file = Bundled(name), player_file(name)
    shaper = find_model(SHAPERS[name]) if name in SHAPERS else None
    sets = list(recipe.outside().values())
    longest = max(map(len, sets))
    pairs = [pairs[k] for k in range(longest) for pairs in sets if k < len(pairs)]
    return [_excerpt(name, pair, file, shaper) for pair in pairs[:count]]


def _excerpt(name: str, pair: Pair, file: Path, shaper: Path | None) -> Excerpt:
    part = fullest(pair.wet, round(SECONDS * SAMPLE_RATE))
    begin = max(0, part.start - round(LEAD_IN * SAMPLE_RATE))
    dry = pair.dry[begin : part.stop]
    lead = part.start - begin
    rival = ("copy", dry) if shaper is None else ("shaper", play(shaper, dry))
    sounds = {"model": play(file, dry)[lead:], rival[0]: rival[1][lead:], "oracle": pair.wet[part]}
    n = min(map(len, sounds.values()))
    return Excerpt(name, pair.name, {k: np.ascontiguousarray(x[:n]) for k, x in sounds.items()})

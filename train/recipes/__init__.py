"""One recipe per bundled style: data, network, loss, card."""

from __future__ import annotations

from realtime.errors import ConfigError, nearest

from .base import Recipe
from .clean import Clean
from .ear import HearNotes
from .effect import AmpBlend, Tape, TubeAmp
from .generator import EndlessKeys
from .instrument import Choir, SquareSynth, Strings
from .latent import LatentKeys
from .tagger import Tagger
from .unpaired import StringsUnpaired, StringsWithoutAdversary
from .voice import RadioVoice, Whisper

RECIPES: dict[str, type[Recipe]] = {
    r.name: r
    for r in (
        TubeAmp, Tape, AmpBlend, RadioVoice, Whisper, Clean, SquareSynth, Strings, Choir,
        StringsUnpaired, LatentKeys, Tagger, EndlessKeys, HearNotes,
    )
}  # fmt: skip
ABLATIONS: dict[str, type[Recipe]] = {StringsWithoutAdversary.name: StringsWithoutAdversary}


def check_free(name: str) -> None:
    """Refuse a style of one's own that would be called like a recipe.

    Raises
    ------
    ConfigError
    """
    if name in RECIPES:
        raise ConfigError(
            f"'{name}' is the name of a recipe of restyle's; choose another for --out"
        )


def get_recipe(name: str) -> Recipe:
    """Return the recipe called `name`.

    Raises
    ------
    ConfigError
        There is none; the nearest name is suggested.
    """
    if name in ABLATIONS:
        return ABLATIONS[name]()
    if name not in RECIPES:
        known = ", ".join(RECIPES)
        raise ConfigError(f"no recipe '{name}'{nearest(name, RECIPES)}; there are {known}")
    return RECIPES[name]()

"""One recipe per bundled style: data, network, loss, card."""

from __future__ import annotations

from realtime.errors import ConfigError, nearest

from .base import Recipe
from .square_synth import SquareSynth
from .tube_amp import TubeAmp

RECIPES: dict[str, type[Recipe]] = {"tube-amp": TubeAmp, "square-synth": SquareSynth}


def get_recipe(name: str) -> Recipe:
    """Return the recipe called `name`.

    Raises
    ------
    ConfigError
        There is none; the nearest name is suggested.
    """
    if name not in RECIPES:
        known = ", ".join(RECIPES)
        raise ConfigError(f"no recipe '{name}'{nearest(name, RECIPES)}; there are {known}")
    return RECIPES[name]()

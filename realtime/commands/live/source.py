"""``restyle live --source model``: a generator plays, and nothing comes in."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np

from ...devices.list import NO_INPUT
from ...errors import ConfigError
from ...models.card import SOURCE_CONTROLS
from ...models.catalog import find_model
from ...presets.check import find_card
from ...session.sound import Setup
from .options import Simulation, block_sizes

SOURCES = ("input", "model")


def source_settings(
    source: str, model: str | None, seed: int | None, loop: int | None, chosen: list[str] | None
) -> list[str]:
    """Check ``--source``, ``--seed`` and ``--loop``; returns them as ``--set`` takes them.

    Raises
    ------
    ConfigError
        The model is no generator where one is needed, or a number is out of range.
    """
    if source not in SOURCES:
        raise ConfigError(f"--source must be one of {', '.join(SOURCES)}, got '{source}'")
    named = {"seed": seed, "loop": loop}
    asked = {k: v for k, v in named.items() if v is not None}
    if source == "model" and model is None:
        raise ConfigError("--source model needs a generator: name it with --model")
    if model is not None and (asked or source == "model"):
        card = find_card(model)
        if card is None or card.kind != "generator":
            option = "--source model" if source == "model" else f"--{next(iter(asked))}"
            raise ConfigError(
                f"{option} is for generators, and '{find_model(model).stem}' restyles what comes"
                " in; see the kinds in: restyle models"
            )
    elif asked:
        raise ConfigError(f"--{next(iter(asked))} is for generators: name one with --model")
    for control in SOURCE_CONTROLS:
        value = asked.get(control.name, 0)
        if not control.minimum <= value <= control.maximum:
            raise ConfigError(
                f"--{control.name} must be within {control.minimum:g}..{control.maximum:g},"
                f" got {value}"
            )
    return [*(chosen or []), *(f"{k}={v}" for k, v in asked.items())]


def without_input(setup: Setup, input: str | None, simulate: Path | None) -> Setup:
    """The same setup with no input device.

    Raises
    ------
    ConfigError
        One was asked for.
    """
    if input is not None or simulate is not None:
        option = "--input" if input is not None else "--simulate"
        raise ConfigError(f"--source model takes nothing in; leave {option} out")
    return setup.with_device(msgspec.structs.replace(setup.device, input=NO_INPUT))


def silent_card(
    setup: Setup, seconds: float | None, block: str | None, channels: int | None, paced: bool
) -> Simulation:
    """A simulated sound card into which nothing comes.

    Raises
    ------
    ConfigError
        It would play without end.
    """
    if seconds is None:
        raise ConfigError("a generator has no end: say how long it plays with --seconds")
    rate = setup.device.sample_rate or setup.device.preferred_rate or 48000
    silence = np.zeros((channels or 1, round(seconds * rate)), dtype=np.float32)
    return Simulation.of(silence, rate, block_sizes(block), setup, paced)

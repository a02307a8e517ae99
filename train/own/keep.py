"""A tuned network becomes a file through the same gate as the bundled ones."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from realtime.errors import ConfigError
from realtime.models.card import Card

from ..data.licences import OWN, check_licence
from ..export.gate import export, tools
from ..networks.layers import Streamable
from .recipe import FromFile, SpectralFromFile, WaveformFromFile

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


@dataclass(frozen=True)
class Origin:
    """Whose the recordings are and under what licence; the card says both.

    Raises
    ------
    ConfigError
        A licence that is none.
    """

    owner: str = "the person who made this model"
    licence: str = OWN

    def __post_init__(self) -> None:
        object.__setattr__(self, "licence", check_licence(self.licence))

    def entry(self, what: str) -> dict[str, str]:
        """An entry of a card's ``provenance.data``."""
        return {"source": f"recordings of {self.owner}: {what}", "licence": self.licence}


def check_out(out: Path) -> None:
    """Refuse a place that cannot be written, before any work is done.

    Raises
    ------
    ConfigError
        Another ending than .onnx, a name that a card cannot hold, or no such folder.
    """
    if out.suffix != ".onnx":
        raise ConfigError(f"--out names a model file; end it in .onnx, got '{out.name}'")
    if not NAME.fullmatch(out.stem):
        raise ConfigError(
            f"'{out.stem}' cannot be a model's name; use letters, digits, '-', '_' and '.'"
        )
    if not out.parent.is_dir():
        raise ConfigError(f"the folder {out.parent} does not exist; make it first")
    if out.is_dir():
        raise ConfigError(f"{out} is a folder; name a file that can be written")


def renamed(recipe: FromFile, name: str, summary: str) -> FromFile:
    """The recipe under the new file's name."""
    title = name.replace("-", " ").replace("_", " ").capitalize()
    card = replace(recipe.base, name=name, title=title, summary=summary)
    if isinstance(recipe, WaveformFromFile):
        return WaveformFromFile(card, recipe.channels, recipe.kernel, recipe.dilations)
    assert isinstance(recipe, SpectralFromFile)
    keys = ("hidden", "dilations", "narrow", "wide", "noise", "dry")
    return SpectralFromFile(card, **{key: getattr(recipe, key) for key in keys})


def keep(
    recipe: FromFile,
    network: Streamable,
    out: Path,
    metrics: Mapping[str, Any],
    provenance: Mapping[str, Any],
    graph: bytes | None = None,
) -> Card:
    """Write `out` through the export gate (`graph` as there); returns its card.

    Raises
    ------
    ModelError
        The gate refused; nothing was written.
    """
    parameters = sum(p.numel() for p in network.parameters())
    told = {**provenance, "parameters": parameters, "tools": tools()}
    card = recipe.card(network, dict(metrics), told)
    export(recipe, network, card, out, graph=graph)
    return card

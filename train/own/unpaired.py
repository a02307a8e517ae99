"""``restyle train unpaired``: two folders of recordings become a style."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from realtime.errors import ConfigError
from realtime.models.card import Card

from ..data.examples.unpaired import unmatched_sets
from ..data.licences import check_licence
from ..data.pairs import PairSet
from ..data.sets.folder import add
from ..data.sets.recordings import RecordingSet, load_set
from ..export import gate as export
from ..fit import run as fit
from ..fit.loop import Options
from ..judging import unpaired as heaps
from ..networks.layers import Streamable
from ..recipes import check_free
from ..recipes.base import Schedule
from ..recipes.unpaired import Unpaired

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,55}")
WORST = 0.05  # the model must close so much more of the gap than the input itself


class FolderStyle(Unpaired):
    """A converter from the recordings of one folder to those of another."""

    kind = "unpaired"
    limits = (
        "It shapes what it hears band by band within 3 ms: pitch, words and notes stay, and what"
        " the input does not have at all cannot come. Recordings unlike both folders were not in"
        " the training."
    )

    def __init__(self, name: str, minutes: float, licence: str) -> None:
        super().__init__()
        self.name, self.title, self.licence = name, name.replace("-", " ").capitalize(), licence
        self.summary = "learnt from two folders of recordings that do not belong together"
        self.schedule = replace(self.schedule, minutes=minutes, steps=None)
        self._sets: tuple[RecordingSet, RecordingSet] | None = None

    def sides(self) -> tuple[RecordingSet, RecordingSet]:
        """Inputs and wanted recordings."""
        if self._sets is None:
            self._sets = (load_set(f"{self.name}-from"), load_set(f"{self.name}-to"))
        return self._sets

    def data(self) -> PairSet:
        """Both sides, by split."""
        return unmatched_sets(*self.sides())

    def sources(self) -> list[dict[str, Any]]:
        """Rows of both manifests."""
        return [dict(row) for side in self.sides() for row in side.provenance()]

    def card(
        self, network: Streamable, metrics: dict[str, Any], provenance: dict[str, Any]
    ) -> Card:
        """The recordings' licence is the weights' too."""
        return replace(super().card(network, metrics, provenance), licence=self.licence)


def train_folders(
    inputs: Path,
    wanted: Path,
    out: Path,
    minutes: float,
    licence: str | None,
    options: Options = Options(),
    schedule: Schedule | None = None,
    log: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Register both folders, train, judge, and write `out`; the same command goes on when killed.

    Returns
    -------
    dict
        See :func:`train.judging.unpaired.judge`.

    Raises
    ------
    ConfigError
        Bad folders, licence, name or minutes; the training collapsed; nothing was learnt.
    """
    name = _checked(inputs, wanted, out, minutes)
    said = []
    for folder, side in ((inputs, "from"), (wanted, "to")):
        manifest = add(folder, licence, f"{name}-{side}")
        said.append({item.origin for item in manifest.items})
        log(f"{folder}: {len(manifest.items)} recordings, {manifest.minutes():.1f} minutes")
        for file, reason in manifest.skipped:
            log(f"left out {file}: {reason}")
    twice = len(said[0] & said[1])
    if twice:
        raise ConfigError(
            f"{twice} recordings lie in both folders; keep what is to be converted and what it is"
            " to sound like apart"
        )
    recipe = FolderStyle(name, minutes, check_licence(licence))
    data = recipe.data()
    fit.fit(recipe, data, schedule or recipe.schedule, log, options)
    return write(recipe, data, out, log)


def write(
    recipe: FolderStyle, data: PairSet, out: Path, log: Callable[[str], None] = print
) -> dict[str, Any]:
    """Judge the best checkpoint on held-out recordings and write it through the gate.

    Raises
    ------
    ConfigError
        It is no nearer to the wanted recordings than the input is; nothing is written.
    """
    network, content = fit.load(recipe)
    command = f"restyle train unpaired --out {out.name}"
    graph = export.to_onnx(recipe, network)
    with tempfile.TemporaryDirectory() as folder:
        file = export.trial(recipe, network, Path(folder), graph)
        found = heaps.judge(file, data, command)
    closed = found["gap"]["model"]
    log(
        f"closes {closed:.0%} of the gap on held-out recordings"
        f" (a matched equaliser {found['gap']['matched_eq']:.0%}), follows the input with"
        f" correlation {found['follows']:.2f}, level {found['level_db']:+.1f} dB"
    )
    for judge, moved in found["outside"].items():
        log(
            f"{judge}, no part of the training: {moved['model']:.0%}"
            f" (a matched equaliser {moved['matched_eq']:.0%})"
        )
    if found["pitch_kept"] is not None:
        log(f"{found['pitch_kept']:.0%} of pitched moments keep their pitch within 50 cents")
    if not closed > WORST:
        raise ConfigError(
            f"the best network is no nearer to the wanted recordings than the input is"
            f" ({closed:.0%} of the gap); train longer, or take recordings that differ more;"
            " nothing was written"
        )
    provenance = {
        "data": recipe.sources(),
        "limits": recipe.limits,
        "recordings": len(data.manifest()),
        "recipe": "train/own/unpaired.py",
        "seed": content["schedule"]["seed"],
        "steps": content["step"],
        "cpu_minutes": round(content["cpu_minutes"], 1),
        "revision": export.revision(),
        "parameters": sum(p.numel() for p in network.parameters()),
        "tools": export.tools(),
    }
    card = recipe.card(network, found, provenance)
    export.export(recipe, network, card, out, graph=graph)
    log(f"wrote {out}")
    return found


def _checked(inputs: Path, wanted: Path, out: Path, minutes: float) -> str:
    if out.suffix != ".onnx":
        raise ConfigError(f"--out must end in .onnx, got '{out.name}'")
    if not out.parent.is_dir():
        raise ConfigError(f"{out.parent} is not a folder; make it first")
    if not NAME.fullmatch(out.stem):
        raise ConfigError(
            f"a style's name is of small letters, digits, '-' and '_', 56 at most; got '{out.stem}'"
        )
    check_free(out.stem)
    if not minutes > 0:
        raise ConfigError(f"minutes must be above 0, got {minutes:g}")
    for folder in (inputs, wanted):
        if not folder.is_dir():
            raise ConfigError(f"{folder} is not a folder of recordings")
    if inputs.resolve() == wanted.resolve():
        raise ConfigError(f"--from and --to are the same folder, {inputs}")
    return out.stem

"""Stages as the panel lists them, and those asked for from outside: names are looked up, paths are
never followed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from ..errors import ChainError, ModelError, nearest
from ..models.card import Card
from ..models.catalog import RETIRED, Entry, list_models, retired
from ..models.load import read_card
from ..parameters.parameter import Parameter
from ..presets.check import Library, effect_parameters, model_names
from ..presets.format import WORDS, shaped_stages
from ..presets.paths import FILES
from ..schema import read
from ..session.sound import Sound, Stage, each
from ..stages.ranges import RANGES, TOOLS, useful_defaults
from ..stages.records import Record, Records


def effect_names() -> list[str]:
    """Effects that can be asked for: those whose parameters have ranges and that need no file."""
    return [n for n in (*RANGES, *TOOLS) if n not in FILES]


def listing() -> dict[str, Any]:
    """Effects with their parameters, and the plug-ins a scan has seen, as plain data."""
    return {
        "effects": [
            {
                "name": name,
                "parameters": [plain(p) for p in effect_parameters(name) or ()],
                "useful": useful_defaults(name),
            }
            for name in effect_names()
        ],
        "plugins": [p for record in Records().all() for p in _plugins(record)],
    }


def plain(parameter: Parameter) -> dict[str, Any]:
    """A parameter with all its fields, as plain data."""
    return {f: getattr(parameter, f) for f in Parameter.__struct_fields__}


def path(
    sound: Sound, parameters: Sequence[Parameter], latencies: Mapping[int, int]
) -> list[dict[str, Any]]:
    """The stages of a sound in its order, as plain data.

    Parameters
    ----------
    parameters : sequence of Parameter
        Those of the whole sound under their full names, see :mod:`realtime.session.names`.
    latencies : mapping
        Samples by the stage's identity, as far as they are known.
    """
    names: dict[str, list[str]] = {}
    for p in parameters:
        names.setdefault(p.place, []).append(p.name)
    return list(_path(sound.stages, "", names, latencies))


def _path(
    stages: Sequence[Stage],
    begin: str,
    names: Mapping[str, list[str]],
    latencies: Mapping[int, int],
) -> Iterator[dict[str, Any]]:
    for i, stage in enumerate(stages, 1):
        place = f"{begin}{i}."
        group = None
        if stage.group is not None:
            group = [
                {
                    "gain": f"{place}{k}.gain_db",
                    "stages": list(_path(branch.stages, f"{place}{k}.", names, latencies)),
                }
                for k, branch in enumerate(stage.group, 1)
            ]
        yield {
            "id": stage.identity,
            "place": place.rstrip("."),
            "name": stage.name,
            "kind": stage.kind,
            "parameters": names.get(place, []),
            "latency_samples": latencies.get(stage.identity, 0),
            "bypass": stage.bypass,
            "mix": stage.mix,
            "group": group,
        }


def _plugins(record: Record) -> list[dict[str, Any]]:
    if not record.plugins:
        status = f"{record.status}: {record.reason}" if record.reason else record.status
        return [{"name": record.path, "path": record.path, "status": status}]
    return [
        {
            "name": p.name,
            "path": record.path,
            "status": record.status if p.is_effect else "an instrument",
        }
        for p in record.plugins
    ]


def checked(table: Mapping[str, Any], identities: Iterator[int]) -> Stage:
    """A stage's table as a stage whose names and values are checked.

    Parameters
    ----------
    identities : iterator of int
        The stage's, and those of the stages in it where it is a group.

    Raises
    ------
    RestyleError
        What it names is not listed, or a value is of another kind or outside its range.
    """
    (shaped,) = shaped_stages([dict(table)], "stage", ChainError)
    stage = read(shaped, Stage, "stage", error=ChainError, words=WORDS, table="an object")

    def one(stage: Stage) -> Stage:
        if stage.preset is not None or stage.identity:
            raise ChainError("stage: preset and identity are not taken here")
        _, values = LISTED.stage(stage)
        return msgspec.structs.replace(stage, parameters=values, identity=next(identities))

    return each((stage,), one)[0]


def find_model(name: str, kind: type[ModelError] = ModelError) -> Entry:
    """A model of the list by its name; a path is none.

    Raises
    ------
    ModelError
        There is none; the nearest is suggested.
    """
    entries = list_models()
    listed = {e.name: e for e in entries if e.plays}
    if name not in listed and name in RETIRED:
        raise kind(retired(name))
    for broken in (e for e in entries if e.card is None and e.name == name and name not in listed):
        raise kind(f"the model '{name[:80]}' cannot be played: {broken.problem}")
    if name not in listed:
        raise kind(f"there is no model '{name[:80]}'{nearest(name, listed)}")
    return listed[name]


def _card(name: str) -> Card:
    return read_card(find_model(name).path)


def _effect(name: str, engine: str | None = None) -> Sequence[Parameter] | None:
    names = effect_names()
    if name not in names:
        raise ChainError(f"unknown effect '{name[:80]}'{nearest(name, names)}")
    return effect_parameters(name, engine)


def _plugin(wanted: str) -> None:
    records = Records().all()
    listed = {p.name for r in records for p in r.plugins} | {r.path for r in records}
    if wanted not in listed:
        raise ChainError(
            f"there is no plug-in '{wanted[:80]}'{nearest(wanted, listed)}; 'restyle scan' looks"
            " for installed ones"
        )


LISTED = Library(_card, model_names, _effect, _plugin)

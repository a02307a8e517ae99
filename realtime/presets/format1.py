"""Files of format 1, read as what they mean in format 2.

There a preset was a model with a chain before and one after it: ``model``, ``[controls]``,
``[[pre]]``, ``[[post]]`` and a dry/wet of each: ``mix``, ``pre_mix``, ``post_mix``.  Now they are
stages of one list.  ``mix`` was the model's against what went into it, so beside chains it becomes
the model's ``stage_mix``; a chain with a dry/wet of its own becomes a group of one branch.
Mappings are given the new names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from ..errors import PresetError
from ..parameters.mapping import MidiMapping
from ..schema import read
from ..session.sound import Branch, Share, Sound, Stage, Text
from .format import WORDS, Document, SessionFile, shaped_stages

PLACES = ("pre", "post")
_OWN = ("bypass", "input_gain_db", "output_gain_db")
_OF_STAGE = re.compile(r"(pre|post)\.([1-9]\d*)\.(.+)")


class _Format1(Document, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    model: Text | None = None
    pre_mix: Share = 1.0
    post_mix: Share = 1.0
    controls: dict[str, float] = {}
    pre: tuple[Stage, ...] = ()
    post: tuple[Stage, ...] = ()


def take_session_1(data: Mapping[str, Any], where: str, name: str) -> SessionFile:
    """Take the plain data of a preset or session file of format 1.

    Raises
    ------
    PresetError
        The first mistake found.
    """
    shaped = {k: shaped_stages(v, where) if k in PLACES else v for k, v in data.items()}
    found = read(shaped, _Format1, where, error=PresetError, words=WORDS)
    if found.controls and found.model is None:
        raise PresetError(
            f"{where}: [controls] names '{next(iter(found.controls))[:80]}', but there is no"
            " model; take it out"
        )
    turned = {m.parameter for m in found.midi}
    chains = {p: _chain(found, p, f"{p}_mix" in turned) for p in PLACES}
    alone = not any(chains.values())
    model: tuple[Stage, ...] = ()
    if found.model is not None:
        mix = 1.0 if alone else found.mix
        model = (Stage(model=found.model, mix=mix, parameters=found.controls),)
    sound = Sound(
        (*chains["pre"], *model, *chains["post"]),
        found.input_gain_db,
        found.output_gain_db,
        found.mix if alone else 1.0,
    )
    before = len(chains["pre"])
    begins = {"pre": 0, "post": before + len(model)}

    def renamed(mapping: MidiMapping) -> MidiMapping:
        if mapping.parameter is None:
            return mapping
        old = mapping.parameter
        new = f"{before + 1}.{old}" if model else old
        if old in _OWN or old == "mix" and (alone or not model):
            new = old
        elif old == "mix":
            new = f"{before + 1}.stage_mix"
        for place, begin in begins.items():
            if old == f"{place}_mix" and chains[place]:
                new = f"{begin + 1}.stage_mix"
        if (parts := _OF_STAGE.fullmatch(old)) is not None:
            begin, chain = begins[parts[1]], chains[parts[1]]
            grouped = len(chain) == 1 and chain[0].group is not None
            inner = f"{begin + 1}.1.{parts[2]}" if grouped else str(begin + int(parts[2]))
            there = int(parts[2]) <= len(getattr(found, parts[1]))
            new = f"{inner}.{parts[3]}" if there else old
        return msgspec.structs.replace(mapping, parameter=new)

    return found.session(sound, tuple(renamed(m) for m in found.midi), name)


def _chain(found: _Format1, place: str, turned: bool) -> tuple[Stage, ...]:
    """The stages of one chain; as a group where its dry/wet is another than 1, or is turned."""
    stages, mix = getattr(found, place), getattr(found, f"{place}_mix")
    if not stages or (mix == 1.0 and not turned):
        return tuple(stages)
    return (Stage(group=(Branch(stages),), mix=mix),)

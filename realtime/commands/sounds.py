"""A sound from the options that `live`, `render` and `preset save` have in common."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from ..errors import ConfigError
from ..parameters.parameter import BLEND
from ..parameters.surface import shares
from ..presets.asking import need_yes, plugin_asks
from ..presets.chains import read_chain
from ..presets.check import MATCH, Library, check_match
from ..presets.paths import absolute
from ..session.builder import Builder
from ..session.names import Known, find_knob
from ..session.operations import OWN, Set
from ..session.sound import Setup, Sound, Stage, Value, places


def parse_values(items: list[str] | None) -> dict[str, Value]:
    """Turn ``NAME=VALUE`` texts into a mapping; a value is a number or a choice's word.

    Raises
    ------
    ConfigError
        Text of another form.
    """
    found: dict[str, Value] = {}
    for item in items or []:
        name, sign, value = (part.strip() for part in item.partition("="))
        if not sign or not name or not value:
            raise ConfigError(f"--set takes NAME=VALUE, got '{item[:80]}'")
        try:
            found[name] = float(value)
        except ValueError:
            found[name] = value
    return found


def chosen_sound(
    model: str | None,
    chain: Path | None,
    values: Mapping[str, Value],
    own: Mapping[str, float | None],
    base: Sound | None = None,
) -> Sound:
    """The sound that options ask for, everything in it checked, every stage with an identity.

    Parameters
    ----------
    model : str or None
        A name or a file.
    chain : Path or None
        A chain file; see :func:`realtime.presets.chains.read_chain` for where the model stands.
    values : mapping
        Parameters by full name (``2.room_size``), or by a name that one stage alone has.
    own : mapping
        ``mix``, ``input_gain_db`` and ``output_gain_db`` where they are asked for.
    base : Sound, optional
        Of a preset or session, instead of model and chain.

    Raises
    ------
    RestyleError
        Something is not there, or does not fit, or waits for a yes.
    """
    if base is not None and (model is not None or chain is not None):
        raise ConfigError(
            "a preset or session brings its own stages; leave the style, --model and --chain out"
        )
    stages: tuple[Stage, ...] = base.stages if base is not None else ()
    if model is not None:
        stages = absolute((Stage(model=model),), _here())
    if chain is not None:
        stages = read_chain(chain, *stages)
        need_yes(plugin_asks(stages), chain)
    sound = msgspec.structs.replace(base or Sound(), stages=stages)
    for name, number in own.items():
        if number is not None:
            sound = Set(OWN, name, number).apply(Setup(sound)).sound
    library = Library()
    sound, known = library.checked(sound, "the sound")
    return library.checked(_with(sound, known, values), "--set")[0] if values else sound


def _here() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise ConfigError(
            "the folder that restyle was started in is there no more; go to another one"
        ) from None


def _with(sound: Sound, known: Known, values: Mapping[str, Value]) -> Sound:
    """The sound with values set; those of a plug-in are checked by whoever loads it.

    Weights of a blend may be any from 0 on: they are shares of all that are given for a stage.
    """
    weights: dict[int, dict[str, Any]] = {}
    for name, value in values.items():
        place, _, own = name.rpartition(".")
        stage = dict(places(sound.stages)).get(f"{place}.")
        if stage is not None and stage.plugin is not None and own not in ("bypass", "stage_mix"):
            sound = Set(stage.identity, own, value).apply(Setup(sound)).sound
            continue
        if own == MATCH:
            meant = [stage] if stage is not None else list(sound.walk())
            if all(p.name != MATCH for s in meant for p in known.get(s.identity, ())):
                for one in meant:
                    check_match(one, ())
        knob = find_knob(sound, known, name)
        if knob.parameter.kind == BLEND:
            weights.setdefault(knob.identity, {})[knob.own] = value
        else:
            sound = knob.set(value).apply(Setup(sound)).sound
    for identity, given in weights.items():
        for own, share in shares(known[identity], given).items():
            sound = Set(identity, own, share).apply(Setup(sound)).sound
    return sound


def models_rate(sound: Sound) -> int | None:
    """The rate that the models of a sound run at [Hz], or None where there is none.

    Raises
    ------
    RestyleError
        A model cannot be read, or the models do not go together.
    """
    if all(stage.model is None for stage in sound.walk()):
        return None
    return Builder(1, 0).shape(sound.stages).sample_rate

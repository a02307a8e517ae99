"""What presets may name: models, effects, plug-ins and their parameters; the check of a sound.

Nothing is loaded to play: a model's card is read, an effect is looked up.  Plug-ins are not opened
here, since that may take seconds or crash; whoever plays them checks their parameters.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from ..errors import ChainError, ModelError, PresetError, RestyleError, nearest
from ..models.card import PLAYING, Card
from ..models.catalog import find_model, list_models
from ..models.load import admit_model, read_card
from ..parameters.parameter import BLEND, CONTINUOUS, Parameter, find_parameter
from ..parameters.surface import shares
from ..session.names import Known, knobs, walk_knobs
from ..session.sound import Macro, Scene, Sound, Stage, Value, each, identified, placed, places
from ..stages.library import check_plugin, find_plugin
from ..stages.pedals import effect_names
from ..stages.ranges import effect_ranges
from ..stages.records import Records
from ..trust.admission import SOUND, admit
from .paths import FILES

replace = msgspec.structs.replace
MATCH = "match"  # of captures: play at the common loudness
_WHOLE = Parameter("", -math.inf, math.inf)  # of a range that is not known here


def model_names() -> list[str]:
    """Names of the models that play."""
    return [e.name for e in list_models() if e.plays]


def find_card(model: str) -> Card:
    """The card of a model, by name or file.

    Raises
    ------
    ModelError
        There is no such model, or it cannot be read.
    """
    path = find_model(model)
    if path.suffix.lower() == ".nam":
        admit_model(path)
        return read_card(path)
    card = read_card(path)  # what is wrong is said before anything of it is run
    admit_model(path)
    return card


def admit_stage(stage: Stage) -> None:
    """Return if what a stage names may be opened: a model, an impulse response, a plug-in.

    What is not known yet is opened in another process first.

    Raises
    ------
    RestyleError
        It is not there, or what became of it.
    """
    if stage.model is not None:
        admit_model(find_model(stage.model))
    response = stage.parameters.get(FILES.get(stage.effect or "", ""))
    if isinstance(response, str) and os.path.isfile(response):
        admit(SOUND, Path(response), ChainError)
    if stage.plugin is not None:
        check_plugin(stage.plugin, stage.plugin_name)


def effect_parameters(name: str, engine: str | None = None) -> Sequence[Parameter] | None:
    """Parameters of a built-in effect of an engine; None where they are not known.

    Raises
    ------
    ChainError
        There is no such effect.
    """
    found = effect_ranges(name, engine)
    if found is not None:
        return found
    names = effect_names()
    if name not in names:
        raise ChainError(f"unknown effect '{name[:80]}'{nearest(name, names)}")
    return None


def check_plugin_name(wanted: str) -> None:
    """Refuse a plug-in that no scan has seen and that is no file; none is opened.

    Raises
    ------
    ChainError
    """
    find_plugin(wanted, Path(), Records())


@dataclass(frozen=True)
class Library:
    """Where names are looked up.

    Attributes
    ----------
    card : callable
        See :func:`find_card`.
    names : callable
        See :func:`model_names`.
    effect : callable
        See :func:`effect_parameters`.
    plugin : callable
        See :func:`check_plugin_name`.
    """

    card: Callable[[str], Card] = find_card
    names: Callable[[], list[str]] = model_names
    effect: Callable[[str, str | None], Sequence[Parameter] | None] = effect_parameters
    plugin: Callable[[str], None] = check_plugin_name

    def checked(self, sound: Sound, where: str = "preset") -> tuple[Sound, Known]:
        """Check a sound; return it, and each stage's own parameters by its identity.

        Every value comes back as a number, a blend that is named in part with all its weights, and
        every stage with an identity.

        Raises
        ------
        PresetError
            A model, effect, plug-in or parameter is not there, or a value not possible; begins with
            `where`.
        """
        known: dict[int, Sequence[Parameter]] = {}
        values: dict[int, dict[str, Value]] = {}
        first = 1 + max((s.identity for s in sound.walk()), default=0)
        sound = replace(sound, stages=identified(sound.stages, first))
        for place, stage in places(sound.stages):
            try:
                known[stage.identity], values[stage.identity] = self.stage(stage)
            except RestyleError as error:
                raise PresetError(f"{where}: {_words(place)}: {error}") from None
        stages = each(sound.stages, lambda s: replace(s, parameters=values[s.identity]))
        sound = replace(sound, stages=stages)
        for macro in sound.macros:
            _check_macro(macro, sound, known, where)
        scenes = tuple(_scene(s, sound, known, where) for s in sound.scenes)
        return replace(sound, scenes=scenes), known

    def stage(self, stage: Stage) -> tuple[Sequence[Parameter], dict[str, Value]]:
        """Check one stage; return its own parameters, and its values as numbers.

        Raises
        ------
        RestyleError
            What it names is not there, or a value is not possible.
        """
        owner = f"{stage.kind} {stage.name}"
        found: Sequence[Parameter] | None = ()
        files: dict[str, Value] = {}
        if stage.model is not None:
            card = self.card(stage.model)
            if card.kind not in PLAYING:
                article = "an" if card.kind == "ear" else "a"
                raise ModelError(
                    f"model {card.name} is {article} {card.kind}, which makes no sound; choose one"
                    f" that plays: {', '.join(self.names())}"
                )
            found, owner = card.controls, f"model {card.name}"
        elif stage.effect is not None:
            found = self.effect(stage.effect, stage.engine)
            files = _files(stage)
        elif stage.plugin is not None:
            self.plugin(stage.plugin)
            found = None
        given = {k: v for k, v in stage.parameters.items() if k not in files}
        if MATCH in given and found is not None:
            check_match(stage, found)
        if found is None:  # its ranges are known to whoever plays it
            numbers = {k: v for k, v in given.items() if not isinstance(v, str)}
            return [_WHOLE.named(k).at(float(v)) for k, v in numbers.items()], dict(
                stage.parameters
            )
        return found, _numbers(found, given, owner) | files


def _scene(scene: Scene, sound: Sound, known: Known, where: str) -> Scene:
    """A scene with full names and numbers, and all weights of a blend that it names in part.

    Raises
    ------
    PresetError
        A parameter is not there, cannot be set while the sound runs, or cannot take its value.
    """
    listed = knobs(sound, known)
    values: dict[str, Value] = {}
    weights: dict[str, dict[str, float]] = {}
    for name, value in scene.values.items():
        _, stage, own = placed(sound, name)
        if stage is not None and stage.plugin is not None and own not in ("bypass", "stage_mix"):
            values[name] = value  # its ranges are known to whoever plays it
            continue
        try:
            parameter = find_parameter(listed, name)
            if not parameter.live:
                raise ChainError(f"{name} changes the latency, which a scene cannot do")
            number = parameter.number(value)
        except RestyleError as error:
            raise PresetError(f"{where}: scene '{scene.name}': {error}") from None
        if parameter.kind == BLEND:
            weights.setdefault(parameter.place, {})[parameter.name] = number
        else:
            values[parameter.name] = number
    for place, given in weights.items():
        mine = [p for p in listed if p.kind == BLEND and p.place == place]
        values |= shares(mine, given)
    return Scene(scene.name, values)


def _check_macro(macro: Macro, sound: Sound, known: Known, where: str) -> None:
    """Refuse a knob that is called like what every sound has, or that cannot move its targets.

    Raises
    ------
    PresetError
    """
    listed = {k.parameter.name: k.parameter for k in walk_knobs(replace(sound, macros=()), known)}
    try:
        if macro.name in listed:
            raise ChainError("every sound has that name; take another")
        for name, ends in macro.targets.items():
            parameter = listed.get(name)
            if parameter is None:
                raise ChainError(f"there is no parameter '{name}'{nearest(name, list(listed))}")
            if not parameter.live or parameter.kind not in (CONTINUOUS, BLEND):
                raise ChainError(f"{name} is no parameter that a knob can move along a line")
            for value in ends:
                parameter.number(value)
    except RestyleError as error:
        raise PresetError(f"{where}: knob '{macro.name}': {error}") from None


def check_match(stage: Stage, known: Sequence[Parameter]) -> None:
    """Refuse level matching of a capture that does not say how loud it is.

    Raises
    ------
    ModelError
    """
    is_capture = stage.model is not None and Path(stage.model).suffix.lower() == ".nam"
    if is_capture and all(p.name != MATCH for p in known):
        raise ModelError(
            f"the capture {stage.name} does not state its loudness, so there is nothing to match;"
            " leave match out and set output_gain_db by ear"
        )


def _numbers(
    known: Sequence[Parameter], given: Mapping[str, Value], owner: str
) -> dict[str, Value]:
    """What is given of a stage's parameters, checked, with all weights of a blend."""
    found = {}
    for name, value in given.items():
        try:
            parameter = find_parameter(known, name, owner)
        except RestyleError as error:
            hint = "; a stage's own dry/wet is stage_mix" if name == "mix" else ""
            raise ChainError(f"{error}{hint}") from None
        found[name] = parameter.number(value, owner)
    return {**whole_blend(known, found)}


def whole_blend(known: Sequence[Parameter], given: Mapping[str, float]) -> dict[str, float]:
    """What is given of a model's controls, with all weights of a blend if it names one.

    Raises
    ------
    ConfigError
        Weights that are no shares.
    """
    own = [p for p in known if p.kind == BLEND]
    weights = {p.name: given[p.name] for p in own if p.name in given}
    return {**given, **(shares(own, weights) if weights else {})}


def _files(stage: Stage) -> dict[str, Value]:
    """The parameter of an effect that is a file.

    Raises
    ------
    ChainError
        It is not given, there is no such file, or it is no sound.
    """
    key = FILES.get(stage.effect or "")
    if key is None:
        return {}
    path = stage.parameters.get(key)
    if not isinstance(path, str):
        raise ChainError(f'effect {stage.effect} needs a file; write {key} = "FILE.wav"')
    if not os.path.isfile(path):
        raise ChainError(f"effect {stage.effect}: there is no file {path}")
    admit(SOUND, Path(path), ChainError)
    return {key: path}


def _words(place: str) -> str:
    """``3.1.2.`` as files have it: ``[[stage]] 3: [[stage.group]] 1: [[stage.group.stage]] 2``."""
    name, parts = "", []
    for i, number in enumerate(place.split(".")[:-1]):
        name = f"{name}.{('stage', 'group')[i % 2]}".lstrip(".")
        parts.append(f"[[{name}]] {number}")
    return ": ".join(parts)

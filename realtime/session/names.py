"""What the parameters of a sound are called, and what the names mean.

See :mod:`realtime.parameters.surface` for the scheme.  A name is resolved to the identity of a
stage and the name that :class:`~realtime.session.operations.Set` takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ..parameters.parameter import HIGHEST_DB, LOWEST_DB, SWITCH, Parameter, find_parameter
from .operations import OWN, Set
from .sound import Macro, Sound, Stage, Value, places

Known = Mapping[int, Sequence[Parameter]]

_DECIBELS = Parameter("", LOWEST_DB, HIGHEST_DB, unit="dB")
OWN_PARAMETERS = (  # of the whole sound
    Parameter("mix", default=1.0, value=1.0),
    _DECIBELS.named("input_gain_db"),
    _DECIBELS.named("output_gain_db"),
    Parameter("bypass", kind=SWITCH),
    Parameter("mute", kind=SWITCH),
)
STAGE_PARAMETERS = (  # of every stage
    Parameter("bypass", kind=SWITCH),
    Parameter("stage_mix", default=1.0, value=1.0),
)


class Knob(NamedTuple):
    """A parameter under its full name, and what it is of.

    Attributes
    ----------
    parameter : Parameter
        Its value is the one in the sound.
    identity : int
        Of the stage; :data:`~realtime.session.operations.OWN` for the path itself.
    own : str
        What :class:`~realtime.session.operations.Set` calls it.
    """

    parameter: Parameter
    identity: int
    own: str

    def set(self, value: Value) -> Set:
        """The operation that sets it.

        Raises
        ------
        ConfigError
            It cannot take that value.
        """
        return Set(self.identity, self.own, self.parameter.number(value))


def walk_knobs(sound: Sound, known: Known) -> Iterator[Knob]:
    """Every parameter of a sound, in the order of the sound.

    Parameters
    ----------
    known : mapping
        Each stage's own parameters, by its identity.
    """
    for parameter in OWN_PARAMETERS:
        value = float(getattr(sound, parameter.name))
        yield Knob(parameter.at(value), OWN, parameter.name)
    listed = list(_of_list(sound.stages, "", known))
    for macro in sound.macros:
        yield Knob(_macro(macro, listed), OWN, macro.name)
    yield from listed


def knobs(sound: Sound, known: Known) -> list[Parameter]:
    """All parameters of a sound under their full names, at its values."""
    return [knob.parameter for knob in walk_knobs(sound, known)]


def find_knob(sound: Sound, known: Known, name: str) -> Knob:
    """The parameter of that name; see :func:`~realtime.parameters.parameter.find_parameter`.

    Raises
    ------
    ConfigError
        There is none, or a stage's own name is that of several.
    """
    found = {k.parameter.name: k for k in walk_knobs(sound, known)}
    return found[find_parameter([k.parameter for k in found.values()], name).name]


def full_name(sound: Sound, identity: int, own: str) -> str | None:
    """The full name of a stage's parameter; None where the stage is gone."""
    if identity == OWN:
        return own
    place = next((p for p, s in places(sound.stages) if s.identity == identity), None)
    return None if place is None else place + own


def _macro(macro: Macro, listed: Sequence[Knob]) -> Parameter:
    """A knob of the sound's own, standing where its first target stands."""
    first = next(iter(macro.targets))
    stands = (k.parameter.value for k in listed if k.parameter.name == first)
    value = macro.value(there) if (there := next(stands, None)) is not None else macro.default
    return Parameter(
        macro.name, macro.minimum, macro.maximum, macro.default, macro.unit, value=value
    )


def _of_list(stages: Sequence[Stage], begin: str, known: Known) -> Iterator[Knob]:
    for i, stage in enumerate(stages, 1):
        place = f"{begin}{i}."
        bypass, mix = STAGE_PARAMETERS
        listed = known.get(stage.identity, ()) if stage.group is None else ()
        own = [
            bypass.at(float(stage.bypass)),
            mix.at(stage.mix),
            *(p.at(_value(p, stage)) for p in listed),
        ]
        yield from (Knob(p.named(place + p.name), stage.identity, p.name) for p in own)
        for k, branch in enumerate(stage.group or (), 1):
            gain = f"{k}.gain_db"
            yield Knob(_DECIBELS.named(place + gain).at(branch.gain_db), stage.identity, gain)
            yield from _of_list(branch.stages, f"{place}{k}.", known)


def _value(parameter: Parameter, stage: Stage) -> float:
    """Where a parameter stands in a sound: as it is written there, else at its default."""
    given = stage.parameters.get(parameter.name, parameter.default)
    if isinstance(given, str):
        known = given in parameter.choices
        return float(parameter.choices.index(given)) if known else parameter.default
    return float(given)

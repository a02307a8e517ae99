"""Parameter events: how a parameter by its name becomes the three numbers that a path takes.

The control process and the engine both know a setup and the parameters of its stages, so either can
make an event; neither asks the other.
"""

from __future__ import annotations

from typing import Any

from ..dsp.dynamics import db_to_gain, gain_to_db
from ..engine.hop import INPUT_GAIN, OUTPUT_GAIN, PATH, PATH_MIX
from ..engine.slot import BYPASS as SLOT_BYPASS
from ..engine.slot import MIX, PARAMETERS
from ..errors import ConfigError
from ..native.events import BYPASS, MUTE
from ..parameters.parameter import find_parameter
from .names import OWN_PARAMETERS, STAGE_PARAMETERS, Known
from .operations import OWN

Event = tuple[int, int, float]  # target, number, value

_OWN_NUMBERS = {
    "input_gain_db": INPUT_GAIN,
    "output_gain_db": OUTPUT_GAIN,
    "mix": PATH_MIX,
    "bypass": BYPASS,
    "mute": MUTE,
}
_STAGE_NUMBERS = {"bypass": SLOT_BYPASS, "stage_mix": MIX}


def to_event(identity: int, name: str, value: Any, known: Known) -> Event:
    """The event that sets a parameter.

    Parameters
    ----------
    identity : int
        Of a stage, or :data:`~realtime.session.operations.OWN` for the whole sound.
    name : str
    value : float, bool or str
        A choice also by its word.
    known : mapping
        Parameters of every stage, by its identity.

    Raises
    ------
    ConfigError
        There is no such stage or parameter, or the value does not fit.
    """
    if identity == OWN:
        number = find_parameter(OWN_PARAMETERS, name, "the sound").number(value)
        if name in ("input_gain_db", "output_gain_db"):
            number = db_to_gain(number)
        return PATH, _OWN_NUMBERS[name], number
    if identity not in known:
        raise ConfigError(f"there is no stage {identity}")
    if name in _STAGE_NUMBERS:
        parameter = next(p for p in STAGE_PARAMETERS if p.name == name)
        return identity, _STAGE_NUMBERS[name], parameter.number(value)
    listed = list(known[identity])
    parameter = find_parameter(listed, name, f"stage {identity}")
    if not parameter.live:
        raise ConfigError(
            f"{name} changes the latency; put the stage in anew instead of setting it"
        )
    return identity, PARAMETERS + listed.index(parameter), parameter.number(value)


def from_event(event: Event, known: Known) -> tuple[int, str, float] | None:
    """Undo :func:`to_event`: identity, name and value; None for a stage that is not known."""
    identity, number, value = event
    if identity == PATH:
        name = next((n for n, own in _OWN_NUMBERS.items() if own == number), None)
        if name in ("input_gain_db", "output_gain_db"):
            value = round(gain_to_db(value), 6)
    elif identity not in known:
        return None
    else:
        name = next((n for n, own in _STAGE_NUMBERS.items() if own == number), None)
        listed = known[identity]
        if name is None and 0 <= number - PARAMETERS < len(listed):
            name = listed[number - PARAMETERS].name
    return None if name is None else (identity, name, value)

"""An engine that plays for a plug-in: its takes, its parameters, and what it is told."""

from __future__ import annotations

import math

from ..devices.plugin_device import PluginDevice, Row
from ..devices.plugin_record import PARAMETERS
from ..engine.hop import PATH, PATH_MIX
from ..errors import ConfigError, StreamError
from ..parameters.parameter import CATEGORICAL, SWITCH, Parameter
from ..session.events import to_event
from ..session.names import Knob, Known, walk_knobs
from ..session.operations import OWN, macro_turns
from ..session.session import Session
from ..session.sound import Setup, Sound

HIDDEN = ("bypass", "mute")  # of the whole sound: the host has its own
CALM_LOOKS = 10  # without movement, before it is told where parameters stand


def first_knobs(sound: Sound, known: Known) -> list[Knob]:
    """The sixteen that a host sees: the sound's own knobs, gains and mix, then stage by stage."""
    found = [
        k
        for k in walk_knobs(sound, known)
        if k.parameter.live and k.parameter.minimum < k.parameter.maximum
        if not (k.identity == OWN and k.own in HIDDEN)
    ]
    own = {m.name for m in sound.macros}
    return sorted(found, key=lambda k: not (k.identity == OWN and k.own in own))[:PARAMETERS]


def share(parameter: Parameter) -> float:
    """Where a parameter stands within its range, 0..1."""
    low, high = parameter.minimum, parameter.maximum
    value = min(high, max(low, parameter.value))
    if _is_log(parameter):
        return math.log(value / low) / math.log(high / low)
    return (value - low) / (high - low)


def rows(sound: Sound, known: Known) -> list[Row]:
    """What each of the sixteen moves."""
    found: list[Row] = []
    for i, knob in enumerate(first_knobs(sound, known)):
        parameter = knob.parameter
        macro = sound.macro(knob.own) if knob.identity == OWN else None
        if macro is None:
            found.append(_row(i, knob.identity, knob.own, parameter, known))
            continue
        ends = (macro_turns(sound, macro, v) for v in (macro.minimum, macro.maximum))
        for low, high in zip(*ends, strict=True):
            target, number, _ = to_event(low.identity, low.name, low.value, known)
            gain = target == PATH and number < PATH_MIX
            found.append(Row(i, target, number, float(low.value), float(high.value), gain=gain))
    return found


def _row(i: int, identity: int, name: str, parameter: Parameter, known: Known) -> Row:
    target, number, _ = to_event(identity, name, parameter.minimum, known)
    whole = parameter.kind in (CATEGORICAL, SWITCH)
    gain = target == PATH and number < PATH_MIX
    ends = parameter.minimum, parameter.maximum
    return Row(i, target, number, *ends, _is_log(parameter), whole, gain)


def _is_log(parameter: Parameter) -> bool:
    return parameter.curve == "log" and parameter.minimum > 0.0


class PluginLink:
    """Looks after the plug-in of a session (the engine's main thread).

    Parameters
    ----------
    session : Session
    device : PluginDevice
    """

    def __init__(self, session: Session, device: PluginDevice) -> None:
        self._session, self._device, self._record = session, device, device.record
        self._applied, self._calm, self._told = self._record["applied"], 0, True
        self._setup: Setup | None = None
        self._show(anew=True)

    def look(self) -> bool:
        """Begin a take that was asked for; keep latency and parameters told.

        Returns
        -------
        bool
            Whether the host has moved parameters, and is calm again.
        """
        record, device = self._record, self._device
        if record["made"] != record["loaded"]:
            self._show(anew=True)
            record["loaded"] = record["made"]
        asked = device.waits and record["sample_rate"] == device.sample_rate
        if asked and record["loaded"] == record.fields["wanted"]["serial"]:
            self._begin()
        latency = self._session.stream.budget.declared
        if not device.waits and record["latency"] != latency:
            record["latency"] = latency
        return self._follow()

    def _begin(self) -> None:
        stream = self._session.stream
        try:
            self._session.settle()
        except StreamError:
            return  # it is tried again
        if self._device.pause():
            if not stream.changing:
                stream.rewind()
                self._device.begin(stream.budget.declared)
            self._device.go()

    def _follow(self) -> bool:
        applied = self._record["applied"]
        if applied != self._applied:
            self._applied, self._calm, self._told = applied, 0, False
            return False
        self._calm += 1
        if self._calm % CALM_LOOKS == 0 or self._session.setup is not self._setup:
            self._show(anew=False)
        told, self._told = self._told, self._told or self._calm >= CALM_LOOKS
        return self._told and not told

    def _show(self, anew: bool) -> None:
        session = self._session
        self._setup = session.setup
        sound, known = session.now().sound, session.parameters()
        try:
            found = rows(sound, known)
        except ConfigError:  # of a stage that is just leaving
            return
        stand = [share(k.parameter) for k in first_knobs(sound, known)]
        self._device.show(found, stand, anew)

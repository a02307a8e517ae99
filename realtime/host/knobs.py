"""The knobs of a host's session: their names, ranges and values, and how the engine is told.

Names are those of :mod:`realtime.parameters.surface`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..dsp.dynamics import db_to_gain
from ..engine.lane import CONTROLS, INPUT_GAIN, MIX, OUTPUT_GAIN
from ..errors import ConfigError
from ..native.events import ANYONE, BYPASS, CHAIN, PER_SLOT
from ..parameters.surface import Parameter
from ..session.spec import PLACES, Spec, StageSpec

GAINS = {"input_gain_db": INPUT_GAIN, "output_gain_db": OUTPUT_GAIN}
LOWEST_DB, HIGHEST_DB = -100.0, 24.0
_KINDS = {"float": "continuous", "bool": "switch", "choice": "categorical"}


@dataclass(frozen=True)
class Knob:
    """A parameter and where its events go; `slot` is None for what is no event.

    Attributes
    ----------
    whom : int
        Identity of the voice, or :data:`realtime.native.events.ANYONE`.
    """

    parameter: Parameter
    whom: int = ANYONE
    slot: int | None = None

    def sent(self, value: float) -> float:
        """What the engine is sent for `value`."""
        return db_to_gain(value) if self.parameter.name in GAINS else value


def knobs(spec: Spec, now: Mapping[str, Any]) -> list[Knob]:
    """All knobs of a session.

    Parameters
    ----------
    spec : Spec
    now : mapping
        What plays, see :meth:`realtime.session.editor.Desk.describe`.
    """
    found = [
        Knob(Parameter("mix", default=1.0, value=spec.mix), slot=MIX),
        Knob(Parameter("bypass", kind="switch", value=float(spec.bypass)), slot=BYPASS),
        *(
            Knob(Parameter(n, "dB", LOWEST_DB, HIGHEST_DB, value=getattr(spec, n)), slot=slot)
            for n, slot in GAINS.items()
        ),
        Knob(Parameter("pre_mix", default=1.0, value=spec.pre_mix)),
        Knob(Parameter("post_mix", default=1.0, value=spec.post_mix)),
    ]
    for i, c in enumerate(now.get("controls", [])):
        value = float(spec.controls.get(c["name"], c["default"]))
        parameter = Parameter(
            c["name"], c["unit"], c["minimum"], c["maximum"], c["default"], c["kind"], value
        )
        found.append(Knob(parameter, int(now["identity"]), CONTROLS + i))
    playing = {s["identity"]: s for s in now.get("stages", [])}
    for place in PLACES:
        for i, stage in enumerate(spec.chain(place), 1):
            found += _stage_knobs(f"{place}.{i}", stage, playing.get(stage.identity))
    return found


def _stage_knobs(begin: str, stage: StageSpec, playing: Mapping[str, Any] | None) -> list[Knob]:
    base = CHAIN + PER_SLOT * stage.identity
    found = [
        Knob(Parameter(f"{begin}.bypass", kind="switch", value=float(stage.bypass)), slot=base),
        Knob(Parameter(f"{begin}.stage_mix", default=1.0, value=stage.mix), slot=base + 1),
    ]
    for i, p in enumerate(playing["parameters"] if playing else []):
        if not p["live"]:
            continue
        default = _number(p, p["default"])
        value = stage.values.get(p["name"], _number(p, stage.entry.get(p["name"], p["default"])))
        parameter = Parameter(
            f"{begin}.{p['name']}",
            p["unit"],
            p["minimum"],
            p["maximum"],
            default,
            _KINDS[p["kind"]],
            float(value),
        )
        found.append(Knob(parameter, slot=base + 2 + i))
    return found


def _number(parameter: Mapping[str, Any], value: Any) -> float:
    """A parameter's value as a number: the place of a choice, 0 or 1."""
    if parameter["kind"] == "choice":
        choices: Sequence[str] = parameter["choices"]
        return float(choices.index(value)) if value in choices else 0.0
    return float(value)


def turned(spec: Spec, name: str, value: float) -> Spec:
    """The session with one knob turned.

    Raises
    ------
    ConfigError
        A stage that is not there.
    """
    if name in ("mix", "pre_mix", "post_mix", *GAINS):
        return replace(spec, **{name: value})  # type: ignore[arg-type]
    if name == "bypass":
        return replace(spec, bypass=value >= 0.5)
    place, _, rest = name.partition(".")
    if place not in PLACES or not rest:
        return replace(spec, controls={**spec.controls, name: value})
    number, _, parameter = rest.partition(".")
    stages = spec.chain(place)
    if not number.isdigit() or not 1 <= int(number) <= len(stages):
        raise ConfigError(f"'{name}': the {place} chain has {len(stages)} stages, from 1")
    stage = stages[int(number) - 1]
    if parameter == "bypass":
        new = replace(stage, bypass=value >= 0.5)
    elif parameter == "stage_mix":
        new = replace(stage, mix=value)
    else:
        new = replace(stage, values={**stage.values, parameter: value})
    return spec.with_chain(place, (new if s is stage else s for s in stages))


Turn = tuple[int, str, float]  # a stage's identity, 0 for the path; its parameter; the value


def addressed(spec: Spec, name: str) -> tuple[int, str]:
    """A knob's stage (0: none of the chains) and its name there, whatever the order becomes."""
    place, _, rest = name.partition(".")
    number, _, parameter = rest.partition(".")
    if place in PLACES and number.isdigit() and 1 <= int(number) <= len(spec.chain(place)):
        return spec.chain(place)[int(number) - 1].identity, parameter
    return 0, name


def turned_all(spec: Spec, turns: Iterable[Turn]) -> Spec:
    """The session with knobs turned; those of stages that are gone are left out."""
    for identity, parameter, value in turns:
        name = placed(spec, identity, parameter)
        if name is not None:
            spec = turned(spec, name, value)
    return spec


def placed(spec: Spec, identity: int, parameter: str) -> str | None:
    """Undo :func:`addressed`; None where the stage is gone."""
    if not identity:
        return parameter
    for place in PLACES:
        for i, stage in enumerate(spec.chain(place), 1):
            if stage.identity == identity:
                return f"{place}.{i}.{parameter}"
    return None

"""What presets may name: models, effects and their parameters; and the check of a whole preset.

Nothing is loaded to play: a model's card is read, an effect is built and dropped.  Plug-ins are not
opened here, since that may take seconds or crash; whoever plays them checks their parameters.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..errors import ChainError, ModelError, PresetError, RestyleError
from ..models.card import Card, Control
from ..models.catalog import find_model, list_models, read_entry
from ..parameters.surface import Parameter
from ..parameters.values import check_value, find_parameter, shares
from .preset import GAINS, PLACES, Preset, Stage


def model_names() -> list[str]:
    """Names of the models that play."""
    return [e.name for e in list_models() if e.plays]


def find_card(model: str) -> Card | None:
    """The card of a model by name or file; None for a capture, whose card is made when it plays.

    Raises
    ------
    ModelError
        There is no such model, or it cannot be read.
    """
    path = find_model(model)
    if path.suffix.lower() == ".nam":
        return None
    entry = read_entry(path)
    if entry.card is None:
        raise ModelError(f"{path.name} {entry.problem}")
    return entry.card.as_played()


def check_effect(entry: Mapping[str, Any]) -> Sequence[Parameter]:
    """Build one of pedalboard's effects and drop it; plug-ins pass.

    Returns the stage's parameters where they are known without playing, here none.

    Raises
    ------
    ChainError
        Unknown effect or parameter, or a value it refuses.
    """
    if "effect" in entry:
        from ..stages.file import build_chains

        build_chains({"post": [dict(entry)]})
    return ()


@dataclass(frozen=True)
class Library:
    """Where names are looked up.

    Attributes
    ----------
    card : callable
        See :func:`find_card`.
    names : callable
        See :func:`model_names`.
    stage : callable
        See :func:`check_effect`; a host that knows the ranges returns them.
    """

    card: Callable[[str], Card | None] = find_card
    names: Callable[[], list[str]] = model_names
    stage: Callable[[Mapping[str, Any]], Sequence[Parameter]] = check_effect

    def parameters(self, preset: Preset, where: str = "preset") -> list[Parameter]:
        """Check a preset; return the parameters of a stream that plays it, at its values.

        Raises
        ------
        PresetError
            The model is not there, or a control, effect or parameter is not one; begins with
            `where`.
        """
        found = list(_fixed(preset))
        try:
            card = self.card(preset.model) if preset.model is not None else None
            if card is not None or preset.model is None:
                found += _controls(card.controls if card else (), preset)
            else:
                found += [
                    Parameter(n, "", -math.inf, math.inf, 0.0, "continuous", v)
                    for n, v in preset.controls.items()
                ]
        except RestyleError as error:
            raise PresetError(f"{where}: {error}") from None
        for place in PLACES:
            for i, stage in enumerate(preset.chain(place), 1):
                found += self._stage(stage, f"{place}.{i}", f"{where}: [[{place}]] {i}")
        return found

    def _stage(self, stage: Stage, prefix: str, where: str) -> list[Parameter]:
        try:
            known = self.stage(stage.entry)
        except ChainError as error:
            hint = "; a stage's own dry/wet is stage_mix" if "mix" in stage.entry else ""
            raise PresetError(f"{where}: {error}{hint}") from None
        own = [
            Parameter(f"{prefix}.bypass", kind="switch", value=float(stage.bypass)),
            Parameter(f"{prefix}.stage_mix", default=1.0, value=stage.mix),
        ]
        written = {**stage.entry, **stage.entry.get("parameters", {})}
        for p in known:
            value = written.get(p.name, p.default)
            number = float(value) if isinstance(value, bool | int | float) else p.default
            own.append(replace(p, name=f"{prefix}.{p.name}", value=number))
        return own


def whole_blend(controls: Sequence[Control], given: Mapping[str, float]) -> dict[str, float]:
    """What is given of a model's controls, with all weights of a blend if it names one.

    Raises
    ------
    ConfigError
        Weights that are no shares.
    """
    own = [Parameter(c.name, kind="blend") for c in controls if c.kind == "blend"]
    weights = {p.name: given[p.name] for p in own if p.name in given}
    return {**given, **(shares(own, weights) if weights else {})}


def _fixed(preset: Preset) -> list[Parameter]:
    gains = [
        Parameter(name, "dB", *GAINS, value=getattr(preset, name))
        for name in ("input_gain_db", "output_gain_db")
    ]
    mixes = [
        Parameter(name, default=1.0, value=getattr(preset, name))
        for name in ("mix", "pre_mix", "post_mix")
    ]
    return [mixes[0], *gains, *mixes[1:], Parameter("bypass", kind="switch")]


def _controls(controls: Sequence[Control], preset: Preset) -> list[Parameter]:
    """A model's controls as a preset leaves them; of a blend's weights, all or none are its own."""
    own = [
        Parameter(c.name, c.unit, c.minimum, c.maximum, c.default, c.kind, c.default)
        for c in controls
    ]
    for name, value in preset.controls.items():
        if not own:
            raise PresetError(
                f"[controls] names '{name}', but"
                f" {'there is no model' if preset.model is None else 'the model has no controls'};"
                " take it out"
            )
        check_value(find_parameter(own, name), value)
    values = whole_blend(controls, preset.controls)
    return [replace(p, value=float(values.get(p.name, p.default))) for p in own]

"""Build effects and plug-ins from what a preset says of them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import ChainError, nearest
from ..parameters.parameter import CATEGORICAL, SWITCH, Parameter
from ..trust.admission import SOUND, admit
from .effects import EffectStage
from .library import open_plugin
from .native.common import Common
from .native.kinds import make_native
from .native.stage import NativeEffect
from .pedals import make_plugin
from .plugin import PluginStage
from .ranges import NATIVE, NATIVE_RANGES, RANGES, is_native


def make_effect(
    name: str,
    parameters: Mapping[str, Any],
    engine: str | None = None,
    common: Common | None = None,
    identity: int = 0,
) -> NativeEffect | EffectStage:
    """Build an effect: the native one where there is one, or pedalboard's.

    Parameters
    ----------
    parameters : mapping
        By pedalboard's names; a choice as its word or its place, a switch as true or 1.
    engine : str or None
        ``native`` or ``pedalboard``; None for the best there is.
    common, identity
        See :class:`realtime.stages.native.stage.NativeEffect`.

    Raises
    ------
    ChainError
        Unknown effect or parameter, or a value it refuses.
    """
    if is_native(name, engine):
        return make_native(name, parameters, common, identity)
    if engine == NATIVE:
        raise ChainError(
            f"there is no native effect '{name}'{nearest(name, NATIVE_RANGES)}; native are"
            f" {', '.join(sorted(NATIVE_RANGES))}"
        )
    response = parameters.get("impulse_response_filename")
    if isinstance(response, str) and os.path.isfile(response):
        admit(SOUND, Path(response), ChainError)
    listed = {p.name: p for p in RANGES.get(name, ())}
    given = {key: _own(listed.get(key), value) for key, value in parameters.items()}
    return EffectStage(make_plugin(name, given), name)


def _own(parameter: Parameter | None, value: Any) -> Any:
    """A number as pedalboard's own kind of value; what is none of ours as it is."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if parameter is None or not is_number:
        return value
    if parameter.kind == CATEGORICAL and 0 <= value < len(parameter.choices):
        return parameter.choices[round(value)]
    return value >= 0.5 if parameter.kind == SWITCH else value


def make_plugin_stage(
    plugin: str,
    plugin_name: str | None = None,
    preset: str | None = None,
    state: str | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> PluginStage:
    """Load a plug-in (main thread) and give it its settings.

    Parameters
    ----------
    plugin : str
        A name in ``restyle scan``, or a path.
    plugin_name : str, optional
        Which one, where a file holds several.
    preset : str, optional
        Path of a ``.vstpreset`` file.
    state : str, optional
        As :meth:`PluginStage.save_state` returns it.
    parameters : mapping
        Set after these.

    Raises
    ------
    ChainError
        It cannot be found or loaded, or refuses a setting.
    """
    stage = open_plugin(plugin, plugin_name)
    if preset is not None:
        stage.load_preset(Path(preset))
    if state is not None:
        stage.load_state(state)
    for name, value in (parameters or {}).items():
        try:
            stage.set_parameter(name, value)
        except RuntimeError as error:
            raise ChainError(f"plug-in {stage.name} refuses {name}: {error}") from None
    return stage

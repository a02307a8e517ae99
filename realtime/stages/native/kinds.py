"""All native effects by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import ChainError
from ..ranges import NATIVE_RANGES
from .auto_gain import AUTO_GAIN
from .common import Common
from .convolution import convolution
from .dehum import DEHUM
from .delay import DELAY
from .drop_tune import DROP_TUNE
from .dynamics import DYNAMICS
from .filters import FILTERS
from .ladder import LADDER
from .levels import LEVELS
from .looper import LOOPER
from .metronome import METRONOME
from .modulation import MODULATION
from .reverb import REVERB
from .stage import NativeEffect
from .tuner import TUNER
from .voice_shift import VOICE_SHIFT
from .widener import WIDENER

TOOLS = {
    **TUNER,
    **METRONOME,
    **LOOPER,
    **VOICE_SHIFT,
    **DROP_TUNE,
    **DEHUM,
    **AUTO_GAIN,
    **WIDENER,
}
KINDS = {**LEVELS, **FILTERS, **LADDER, **DYNAMICS, **DELAY, **MODULATION, **REVERB, **TOOLS}
RESPONSE = "impulse_response_filename"


def make_native(
    name: str, given: Mapping[str, Any], common: Common | None = None, identity: int = 0
) -> NativeEffect:
    """Build a native effect of :data:`realtime.stages.ranges.NATIVE_RANGES`.

    `common` and `identity` are as in :class:`realtime.stages.native.stage.NativeEffect`.

    Raises
    ------
    ConfigError
        An unknown parameter, or a value that does not fit.
    ChainError, AudioFileError
        The impulse response is missing or is none.
    """
    kind = KINDS.get(name)
    if kind is None:
        given = dict(given)
        path = given.pop(RESPONSE, None)
        if not isinstance(path, str) or not path:
            raise ChainError(f'effect {name} needs {RESPONSE} = "FILE", the impulse response')
        kind = convolution(path)
    return NativeEffect(name, kind, NATIVE_RANGES[name], given, common, identity)

"""restyle's host: live sound restyled by a streaming neural network, with declared latency.

Importing this package starts no thread, opens no device and loads nothing heavy; the names of
:data:`__all__` come from their modules when they are first asked for (docs/python.md).  Start
reading at :mod:`realtime.engine.path`.
"""

import importlib
import os
from typing import TYPE_CHECKING, Any

from .native.cache import use_own_cache

if TYPE_CHECKING:
    from .audio_files import Clip as Clip
    from .audio_files import read_audio as read_audio
    from .audio_files import write_audio as write_audio
    from .devices.one_card import PortAudioDevice as PortAudioDevice
    from .devices.simulated import SimulatedDevice as SimulatedDevice
    from .errors import RestyleError as RestyleError
    from .models.load import open_model as load_model
    from .session.operations import Insert as Insert
    from .session.operations import Lane as Lane
    from .session.operations import Load as Load
    from .session.operations import Move as Move
    from .session.operations import Remove as Remove
    from .session.operations import Set as Set
    from .session.operations import Swap as Swap
    from .session.render import render as render
    from .session.session import Session as Session
    from .session.sound import Branch as Branch
    from .session.sound import Device as Device
    from .session.sound import Setup as Setup
    from .session.sound import Sound as Sound
    from .session.sound import Stage as Stage

__version__ = "0.1.0"

_PLACES = {
    "Clip": ("audio_files", "Clip"),
    "read_audio": ("audio_files", "read_audio"),
    "write_audio": ("audio_files", "write_audio"),
    "RestyleError": ("errors", "RestyleError"),
    "load_model": ("models.load", "open_model"),
    "render": ("session.render", "render"),
    "Session": ("session.session", "Session"),
    **{n: ("session.sound", n) for n in ("Branch", "Device", "Setup", "Sound", "Stage")},
    **{
        n: ("session.operations", n)
        for n in ("Insert", "Lane", "Load", "Move", "Remove", "Set", "Swap")
    },
    "PortAudioDevice": ("devices.one_card", "PortAudioDevice"),
    "SimulatedDevice": ("devices.simulated", "SimulatedDevice"),
}
__all__ = [
    "Branch",
    "Clip",
    "Device",
    "Insert",
    "Lane",
    "Load",
    "Move",
    "PortAudioDevice",
    "Remove",
    "RestyleError",
    "Session",
    "Set",
    "Setup",
    "SimulatedDevice",
    "Sound",
    "Stage",
    "Swap",
    "load_model",
    "read_audio",
    "render",
    "write_audio",
]

use_own_cache()

# ONNX Runtime's wheels report usage to their maker unless told otherwise before they are loaded;
# what is played here stays here.
for _variable in ("ORT_DISABLE_TELEMETRY", "ORT_TELEMETRY_DISABLED"):
    os.environ.setdefault(_variable, "1")


def __getattr__(name: str) -> Any:
    """Import a name of the public interface when it is first asked for."""
    if name not in _PLACES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    module, own = _PLACES[name]
    found = getattr(importlib.import_module(f".{module}", __name__), own)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_PLACES})

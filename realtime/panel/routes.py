"""The API's table: what the server answers and what `/api/openapi.json` describes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import api_library as keeping
from . import api_sound as sound
from .api_sound import Body, Names
from .console_protocol import Console
from .fields import Field


@dataclass(frozen=True)
class Route:
    """One request.

    Attributes
    ----------
    call : callable
        Takes console, names of the path and the checked body; may take seconds.
    about : str
        One line.
    fields : tuple of Field or None
        Of the body; None where there is none.
    answer : str
        A schema of :mod:`realtime.panel.openapi`.
    """

    method: str
    path: str
    call: Callable[[Console, Names, Body], Any]
    about: str
    answer: str
    fields: tuple[Field, ...] | None = None


_NAME = Field("name", "text", nullable=True, about="as GET /api/models lists it; null for none")
_VALUES = Field("values", "numbers", about="parameters by name")
_WEIGHTS = Field("weights", "numbers", about="those not named become 0; scaled to sum to 1")
_ENTRY = Field("entry", "table", about="the stage's table as in a chain file")
_INDEX = Field("index", "whole", None, nullable=True, about="from 0; null for the end")
_TO = Field("index", "whole", about="its new place, from 0")
_NOTE = Field("note", "text", "")
_REPLACE = Field("replace", "flag", False, about="whether a preset of that name may be replaced")
_INPUT = Field("input", "text or whole", None, nullable=True, about="name or index")
_OUTPUT = Field("output", "text or whole", None, nullable=True, about="name or index")
_BLOCK = Field("block", "whole", None, nullable=True, about="samples; null for the device's own")
_DRY = Field("dry", "flag", False, about="record what comes in, too")
_FORMAT = Field("format", "text", "flac", about="flac or wav")
_PARAMETER = Field("parameter", "text")
_ON = Field("on", "flag")

ROUTES = (
    Route("GET", "/api/state", sound.state, "What plays", "State"),
    Route("GET", "/api/models", sound.models, "Models that can be played", "Models"),
    Route("GET", "/api/models/{name}/sample", sound.sample, "Before and after", "audio"),
    Route("PUT", "/api/model", sound.model, "Change the model", "State", (_NAME,)),
    Route("PUT", "/api/parameters", sound.parameters, "Turn knobs, all or none", "Values",
          (_VALUES,)),
    Route("PUT", "/api/blend", sound.blend, "All weights of a blend", "Values", (_WEIGHTS,)),
    Route("PUT", "/api/bypass", sound.bypass, "Let the input through", "Bypass", (_ON,)),
    Route("GET", "/api/effects", sound.effects, "Effects and plug-ins there are", "Effects"),
    Route("POST", "/api/chain/{place}", sound.insert, "Put a stage into a chain", "State",
          (_ENTRY, _INDEX)),
    Route("PUT", "/api/chain/{place}/{id}", sound.move, "Move a stage in its chain", "State",
          (_TO,)),
    Route("DELETE", "/api/chain/{place}/{id}", sound.remove, "Take a stage out", "State"),
    Route("DELETE", "/api/pending/{id}", sound.cancel, "Call a change off", "State"),
    Route("GET", "/api/presets", keeping.presets, "Presets", "Presets"),
    Route("PUT", "/api/presets/{name}", keeping.save, "Keep the sound as it is now", "Preset",
          (_NOTE, _REPLACE)),
    Route("POST", "/api/presets/{name}/load", keeping.load, "Change to a preset", "State", ()),
    Route("DELETE", "/api/presets/{name}", keeping.delete, "Delete a preset", "Nothing"),
    Route("GET", "/api/devices", keeping.devices, "Audio devices there are", "Devices"),
    Route("PUT", "/api/device", keeping.device, "Play on another device", "State",
          (_INPUT, _OUTPUT, _BLOCK)),
    Route("POST", "/api/recording", keeping.record, "Begin to record", "Recording",
          (_DRY, _FORMAT)),
    Route("DELETE", "/api/recording", keeping.stop, "End the recording", "Recorded"),
    Route("GET", "/api/recordings", keeping.recordings, "Recordings there are", "Recordings"),
    Route("GET", "/api/recordings/{name}", keeping.recording, "One recording", "audio"),
    Route("GET", "/api/midi", keeping.midi, "MIDI inputs and mappings", "Midi"),
    Route("POST", "/api/midi/learn", keeping.learn, "Bind the controller that moves next", "Midi",
          (_PARAMETER,)),
    Route("DELETE", "/api/midi/learn", keeping.stop_learning, "Stop learning", "Midi"),
    Route("DELETE", "/api/midi/mappings/{parameter}", keeping.forget, "Take mappings out", "Midi"),
)  # fmt: skip

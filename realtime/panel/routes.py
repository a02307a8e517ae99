"""The API's table: what the server answers and what `/api/openapi.json` describes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import api_library as keeping
from . import api_sound as sound
from . import api_stage as stage
from . import fields
from .api_sound import Names
from .console_protocol import Console


@dataclass(frozen=True)
class Route:
    """One request.

    Attributes
    ----------
    call : callable
        Takes console, names of the path and the checked body; may take seconds.
    about : str
        One line.
    body : type or None
        Of the body; None where there is none.
    answer : str
        A schema of :mod:`realtime.panel.openapi`.
    file : bool
        Whether the body is a file, as it is.
    """

    method: str
    path: str
    call: Callable[[Console, Names, Any], Any]
    about: str
    answer: str
    body: type[fields.Body] | None = None
    file: bool = False


ROUTES = (
    Route("GET", "/api/state", sound.state, "What plays", "State"),
    Route("GET", "/api/models", sound.models, "Models that can be played", "Models"),
    Route("GET", "/api/models/{name}/sample", sound.sample, "Before and after", "audio"),
    Route("PUT", "/api/model", sound.model, "Change the first model", "State", fields.Model),
    Route("PUT", "/api/parameters", sound.parameters, "Turn knobs, all or none", "Turned",
          fields.Values),
    Route("PUT", "/api/blend", sound.blend, "All weights of a blend", "Turned", fields.Weights),
    Route("PUT", "/api/bypass", sound.bypass, "Let the input through", "Bypass", fields.Flag),
    Route("PUT", "/api/monitor", sound.monitor, "Turn the monitor", "MonitorGain", fields.Gain),
    Route("GET", "/api/effects", sound.effects, "Effects and plug-ins there are", "Effects"),
    Route("GET", "/api/path", sound.path, "The stages in the order of the sound", "Path"),
    Route("POST", "/api/path", sound.insert, "Put a stage in", "Changed", fields.Insertion),
    Route("PUT", "/api/path/{id}", sound.move, "Move a stage in its list", "State", fields.Place),
    Route("PUT", "/api/path/{id}/stage", sound.swap, "Crossfade to another stage", "Changed",
          fields.Replacement),
    Route("DELETE", "/api/path/{id}", sound.remove, "Take a stage out", "State"),
    Route("POST", "/api/undo", sound.undo, "Take the last edit back", "State", fields.Body),
    Route("POST", "/api/redo", sound.redo, "Make it again", "State", fields.Body),
    Route("DELETE", "/api/pending/{id}", sound.cancel, "Call a change off", "State"),
    Route("GET", "/api/presets", keeping.presets, "Presets", "Presets"),
    Route("PUT", "/api/presets/{name}", keeping.save, "Keep the sound as it is now", "Preset",
          fields.Keep),
    Route("POST", "/api/presets/{name}/load", keeping.load, "Change to a preset", "State",
          fields.Yes),
    Route("DELETE", "/api/presets/{name}", keeping.delete, "Delete a preset", "Nothing"),
    Route("POST", "/api/actions/{action}", stage.act, "Next, previous, panic, tap and the like",
          "State", fields.Body),
    Route("POST", "/api/scenes/{name}/recall", stage.recall, "Recall a scene", "State",
          fields.Body),
    Route("PUT", "/api/scenes/{name}", stage.keep, "Keep where the parameters stand", "State",
          fields.Body),
    Route("DELETE", "/api/scenes/{name}", stage.drop, "Take a scene out", "State"),
    Route("POST", "/api/import/{name}", keeping.import_file, "Add a model of any make to one's own",
          "Imported", file=True),
    Route("GET", "/api/setlists", stage.setlists, "Setlists", "Setlists"),
    Route("PUT", "/api/setlist", stage.setlist, "Load the presets of a setlist", "State",
          fields.ListOfPresets),
    Route("POST", "/api/setlist/{number}", stage.go, "Change to a preset of it", "State",
          fields.Body),
    Route("POST", "/api/compare", stage.compare, "Turn to the other of two sounds", "State",
          fields.Compared),
    Route("DELETE", "/api/compare", stage.end_compare, "Compare no more", "State"),
    Route("GET", "/api/devices", keeping.devices, "Audio devices there are", "Devices"),
    Route("PUT", "/api/device", keeping.device, "Play on another device", "State",
          fields.Cards),
    Route("POST", "/api/recording", keeping.record, "Begin to record", "Recording",
          fields.Record),
    Route("DELETE", "/api/recording", keeping.stop, "End the recording", "Recorded"),
    Route("GET", "/api/recordings", keeping.recordings, "Recordings there are", "Recordings"),
    Route("GET", "/api/recordings/{name}", keeping.recording, "One recording", "audio"),
    Route("GET", "/api/midi", keeping.midi, "MIDI inputs and mappings", "Midi"),
    Route("PUT", "/api/midi", stage.channels, "Choose MIDI channels", "Midi", fields.Channels),
    Route("POST", "/api/midi/learn", keeping.learn, "Bind the controller that moves next", "Midi",
          fields.Learn),
    Route("DELETE", "/api/midi/learn", keeping.stop_learning, "Stop learning", "Midi"),
    Route("DELETE", "/api/midi/mappings/{parameter}", keeping.forget, "Take mappings out", "Midi"),
)  # fmt: skip

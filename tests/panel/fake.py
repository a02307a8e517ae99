"""A console without sound: its surface holds what it is told."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from realtime.controllers.midi_desk import MidiDesk
from realtime.panel import stages
from realtime.panel.console_protocol import Console, Heard, Pipe
from realtime.panel.edits import Edits
from realtime.panel.fields import Conflict, NotFound
from realtime.presets.dry_surface import MemorySurface
from realtime.presets.files import preset_path, save_preset
from realtime.presets.format import Preset
from realtime.session.operations import Operation
from realtime.session.sound import Setup, Sound, anonymous


class FakeConsole:
    """What the panel needs of a host, and nothing heard; a test says how the host stands."""

    host = "playing"
    since = 0.0
    pending: tuple[dict[str, Any], ...] = ()

    def __init__(self, sound: Sound, folder: Path) -> None:
        self.surface = MemorySurface(Preset(sound=sound))
        self.midi = MidiDesk(self.surface)
        self.edits = Edits(self.surface, self.do, lambda name: None)
        self._folder, self._lock = folder, threading.Lock()
        self._numbers = itertools.count(100)

    def marks(self) -> tuple[object, ...]:
        return self.surface.sound, self.edits.mark, self.host, self.pending

    def setup(self) -> Setup:
        return Setup(self.surface.sound)

    def new_identity(self) -> int:
        return next(self._numbers)

    def do(self, operation: Operation) -> Setup:
        with self._lock:
            self.surface.do(operation)
            return self.setup()

    def state(self) -> dict[str, Any]:
        parameters, sound = self.surface.parameters(), self.surface.sound
        status = self.surface.status()
        self.edits.see(sound, parameters, status["preset"])
        return {
            "style": status["style"],
            "preset": status["preset"],
            "bypass": status["bypass"],
            "microphone": None,
            "monitor": None,
            "lane": "inline",
            "sample_rate": 48000,
            "block": 64,
            "channels": [1, 1],
            "device": {
                "input": "in",
                "output": "out",
                "simulated": True,
                "inputs": None,
                "outputs": None,
            },
            "latency": {
                "declared_samples": 0,
                "ms": 0.0,
                "total_samples": 0,
                "total_ms": 0.0,
                "parts": [],
            },
            "scenes": status["scenes"],
            "scene": status["scene"],
            "setlist": None,
            "compare": None,
            "tempo_bpm": None,
            "parameters": [stages.plain(p) for p in parameters],
            "path": stages.path(sound, parameters, {}),
            "recording": None,
            "incidents": [],
            "host": self.host,
            "host_since": self.since,
            **self.edits.state(),
            "pending": list(self.pending),
            "panel": {},
            "version": "0",
        }

    def use_setlist(self, name: str | None) -> None:
        pass

    def compare(self, preset: str | None) -> None:
        pass

    def end_compare(self) -> None:
        pass

    def turn_monitor(self, gain_db: float) -> None:
        pass

    def costs(self) -> Mapping[str, float]:
        return {}

    def figures(self) -> dict[str, Any]:
        return {
            "cpu_percent": 0.0,
            "hop_us": {"p50": 0.0, "p99": 0.0, "budget": 0.0},
            "counters": {},
            "recording": None,
        }

    def levels(self) -> Mapping[str, float]:
        return self.surface.meters()

    def notes(self) -> Mapping[int, int] | None:
        return None

    def watch(self, on: bool) -> None:
        pass

    def heard(self) -> Heard | None:
        return None

    def save_preset(self, name: str, note: str, replace: bool) -> None:
        if preset_path(name).exists() and not replace:
            raise Conflict(f"there is a preset '{name}'")
        sound = self.surface.sound
        plain = Sound(anonymous(sound.stages), sound.input_gain_db, sound.output_gain_db, sound.mix)
        save_preset(name, Preset(name, note, plain), replace_old=replace)

    def cancel(self, number: int) -> None:
        raise NotFound(f"there is no edit {number}")

    def devices(self) -> list[dict[str, Any]]:
        return []

    def change_device(
        self,
        input: str | None,
        output: str | None,
        block: int | None,
        in_map: tuple[int, ...] | None = None,
        out_map: tuple[int, ...] | None = None,
    ) -> None:
        raise Conflict("there is no other device")

    def record(self, dry: bool, ending: str) -> str:
        raise Conflict("nothing is heard here")

    def stop_recording(self) -> list[dict[str, Any]]:
        raise Conflict("nothing is heard here")

    def recordings_folder(self) -> Path:
        return self._folder

    def open_pipe(self, rate: int, channels: int, block: int, model: str | None) -> Pipe:
        raise Conflict("nothing is heard here")


def fake(sound: Sound, folder: Path) -> Console:
    """A console, as the protocol asks for it."""
    return FakeConsole(sound, folder)

"""A host as the panel sees it; see :class:`realtime.panel.console_protocol.Console`."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .. import __version__
from ..controllers.midi_desk import MidiDesk
from ..devices.list import NO_INPUT, DeviceInfo, find_device, list_devices
from ..errors import ConfigError, RestyleError
from ..host.front import Front, with_device
from ..host.surface import HostSurface, PatientSurface
from ..native.ring import Ring
from ..parameters.heard import HeardNotes, held
from ..parameters.mapping import MidiMapping
from ..presets.files import preset_path, recordings_folder, save_preset
from ..session.operations import Operation
from ..session.sound import Device, Setup, Sound, Stage
from . import stages
from .console_protocol import Heard
from .edits import Edits
from .fields import Conflict, NotFound
from .recordings import Takes
from .stream_engine import EnginePipe
from .usage import Figures

LARGEST_BLOCK = 8192
_ON_STAGE = ("preset", "setlist", "scene", "compare", "tempo_bpm", "microphone")  # of what is kept


class HostConsole:
    """Everything a panel does with a host.

    Parameters
    ----------
    host : Front
    surface : HostSurface
    mappings : iterable of MidiMapping
        From a session file.
    folder : Path, optional
        For recordings.
    channels : iterable of int
        MIDI channels that are listened to; all if empty.

    Attributes
    ----------
    counts : Counter
        Refusals of the panel, by kind.
    """

    def __init__(
        self,
        host: Front,
        surface: HostSurface,
        mappings: Iterable[MidiMapping] = (),
        folder: Path | None = None,
        channels: Iterable[int] = (),
    ) -> None:
        self.surface = surface
        self.midi = MidiDesk(PatientSurface(host, host.tell), mappings, host.tell, channels)
        self.counts: Counter[str] = Counter()
        self._host = host
        self._figures = Figures(host)
        self._heard = HeardNotes(lambda: host.board.heard)
        self._takes = Takes(host, folder or recordings_folder())
        self._devices = threading.Lock()
        self._rings: tuple[object, Ring, Ring] | None = None
        self._kept: object = None
        self._stage: dict[str, Any] = {}
        self._stands: tuple[str, float] = "", 0.0  # the host's state, and since when
        self.edits = Edits(surface, host.do, self._name_preset)

    def _name_preset(self, name: str | None) -> None:
        self.surface.preset = name

    @property
    def host(self) -> Front:
        """The host it works."""
        return self._host

    # -- what plays -------------------------------------------------------------------------------

    def marks(self) -> tuple[object, ...]:
        """Objects that are others whenever :meth:`state` may have changed."""
        view = self._host.view
        return (
            view.state,
            view.setup,
            view.now,
            view.notes,
            view.pending,
            self._on_stage(),
            self._takes.name,
            view.recording is None,
            self.edits.mark,
        )

    def look(self) -> None:
        """Notice edits, costs and the host's state; called now and then without a page, too."""
        self._figures.look()
        view = self._host.view
        if self._stands[0] != view.state:
            self._stands = view.state, round(time.monotonic(), 3)
        if view.now:
            self.edits.see(view.setup.sound, self.surface.parameters(), self.surface.preset)

    def state(self) -> dict[str, Any]:
        """What plays, as plain data."""
        self.look()
        view = self._host.view
        now, sound = view.now, view.setup.sound
        device, latency = now.get("device", {}), now.get("latency", {})
        parameters = self.surface.parameters()
        latencies = {i: s["latency"] for i, s in now.get("stages", {}).items()}
        return {
            "style": view.style,
            "preset": self.surface.preset,
            "bypass": sound.bypass,
            "microphone": view.kept.get("microphone"),
            "monitor": _monitor(device, view.setup.device),
            "lane": now.get("lane"),
            "sample_rate": device.get("sample_rate"),
            "block": device.get("block_size"),
            "channels": [device.get("in_channels"), device.get("out_channels")],
            "device": {
                "input": device.get("input"),
                "output": device.get("output"),
                "simulated": view.setup.device.kind == "tape",
                "inputs": _numbered(view.setup.device.in_map),
                "outputs": _numbered(view.setup.device.out_map),
            },
            "latency": {
                "declared_samples": latency.get("declared_samples"),
                "ms": latency.get("declared_ms"),
                "total_samples": latency.get("total_samples"),
                "total_ms": latency.get("total_ms"),
                "parts": latency.get("parts", []),
            },
            **self.surface.concert.state(),
            "parameters": [stages.plain(p) for p in parameters],
            "path": stages.path(sound, parameters, latencies),
            "recording": self._takes.state(),
            "incidents": list(view.notes),
            "host": str(view.state),
            "host_since": self._stands[1],
            **self.edits.state(),
            "pending": [
                {"id": p.number, "what": p.what, "since": p.since, "progress": p.progress}
                for p in view.pending
            ],
            "panel": dict(self.counts),
            "version": __version__,
        }

    def _on_stage(self) -> object:
        """Another object where what is kept of the stage has changed."""
        kept = self._host.view.kept
        if kept is not self._kept:
            self._kept, now = kept, {k: kept.get(k) for k in _ON_STAGE}
            self._stage = self._stage if now == self._stage else now
        return self._stage

    def costs(self) -> Mapping[str, float]:
        """Percent of a core that models took here, by name, as far as they have played."""
        return self._figures.costs

    def figures(self) -> dict[str, Any]:
        """Processor time, counters, recording, and tags where a tagger listens."""
        found = {**self._figures.read(), "recording": self._takes.state()}
        tags = self._host.view.kept.get("tags")
        if tags is not None:
            found["tags"] = {name: round(p, 3) for name, p in tags.items()}
        return found

    def levels(self) -> Mapping[str, float]:
        """Meters of the engine [dBFS]."""
        return self._host.meters()

    def notes(self) -> Mapping[int, int] | None:
        """Velocities of the MIDI pitches that a player plays; None where none does."""
        words = self._heard.look()
        return None if words is None else held(words)

    def watch(self, on: bool) -> None:
        """Begin or end copying sound for :meth:`heard`."""
        self._host.watch(on)

    def heard(self) -> Heard | None:
        """Sound since the last call, at most what the rings hold; one thread calls it."""
        try:
            board = self._host.board
        except RestyleError:
            return None
        if not board.record[0]["watch_dry"]:
            self._rings = None
            return None
        if self._rings is None or self._rings[0] is not board:
            dry, wet = (Ring.attach(board.part(n)) for n in ("watch_dry", "watch_wet"))
            self._rings = board, dry, wet
        return Heard(*(ring.take() for ring in self._rings[1:]))

    # -- changes ----------------------------------------------------------------------------------

    def setup(self) -> Setup:
        """The sound and the device that play, as they were last asked for."""
        return self._host.setup

    def new_identity(self) -> int:
        """One that no stage of this session has had."""
        return self._host.new_identity()

    def do(self, operation: Operation) -> Setup:
        """Change what plays; return what plays then."""
        return self._host.do(operation)

    def turn_monitor(self, gain_db: float) -> None:
        """Ask for another gain of the second output."""
        self._host.turn_monitor(gain_db)

    def cancel(self, number: int) -> None:
        """Call a change off that is pending."""
        if not self._host.cancel(number):
            listed = ", ".join(str(p.number) for p in self._host.pending) or "none"
            raise NotFound(f"no change {number} is pending; there are {listed}")

    # -- presets, devices, recordings -------------------------------------------------------------

    def save_preset(self, name: str, note: str, replace: bool) -> None:
        """Keep the sound as it is now, plug-ins with their states."""
        if preset_path(name).exists() and not replace:
            raise Conflict(f"there is a preset '{name}'; choose another name or send replace")
        path = save_preset(name, self.surface.save(name, note), replace_old=replace)
        self.surface.preset = name
        self.edits.saved(name)
        self.surface.concert.refresh(path)

    def use_setlist(self, name: str | None) -> None:
        """Have a setlist's presets loaded."""
        self.surface.concert.use_setlist(name)

    def compare(self, preset: str | None) -> None:
        """Turn to the other of two sounds."""
        self.surface.concert.compare(preset)

    def end_compare(self) -> None:
        """Compare no more."""
        self.surface.concert.end_compare()

    def devices(self) -> list[dict[str, Any]]:
        """Audio devices there are now."""
        with self._devices:
            found = list_devices(anew=True)
        return [
            {
                "index": d.index,
                "name": d.name,
                "host_api": d.host_api,
                "inputs": d.max_input_channels,
                "outputs": d.max_output_channels,
                "default_rate": d.default_sample_rate,
                "default_in": d.default_input,
                "default_out": d.default_output,
            }
            for d in found
        ]

    def change_device(
        self,
        input: str | None,
        output: str | None,
        block: int | None,
        in_map: tuple[int, ...] | None = None,
        out_map: tuple[int, ...] | None = None,
    ) -> None:
        """Play on other devices; the old ones go on where those cannot be opened."""
        if block is not None and not 1 <= block <= LARGEST_BLOCK:
            raise ConfigError(f"block must be within 1..{LARGEST_BLOCK} samples, got {block}")
        if self._host.recording is not None or self._host.journaled:
            raise Conflict("a recording is under way; stop it before you change the device")
        with self._devices:
            list_devices(anew=True)
            sides: tuple[DeviceInfo, ...] = (find_device(output, "output"),)
            if input != NO_INPUT:
                sides = (find_device(input, "input"), *sides)
        device = with_device(self._host.setup, input, output, block, in_map, out_map)
        self._host.change_device(device, may_pause=self._shares(sides))

    def _shares(self, sides: tuple[DeviceInfo, ...]) -> bool:
        """Whether one of the devices plays already, so that it may be had only after that."""
        plays = self._host.now.get("device", {})
        return bool({d.name for d in sides} & {plays.get("input"), plays.get("output")})

    def record(self, dry: bool, ending: str) -> str:
        """Begin a recording; return the name of its file."""
        return self._takes.start(dry, ending)

    def stop_recording(self) -> list[dict[str, Any]]:
        """End it."""
        return self._takes.stop()

    def recordings_folder(self) -> Path:
        """Where recordings are."""
        return self._takes.folder

    # -- streams ----------------------------------------------------------------------------------

    def open_pipe(self, rate: int, channels: int, block: int, model: str | None) -> EnginePipe:
        """An engine of its own: another model, or those that play, with their controls."""
        if model is not None:
            found: tuple[Stage, ...] = (
                Stage(model=str(stages.find_model(model).path), identity=1),
            )
        else:
            found = tuple(s for s in self._host.setup.sound.stages if s.model is not None)
        return EnginePipe(Sound(found), rate, channels, block)


def _numbered(channels: tuple[int, ...] | None) -> list[int] | None:
    """Channels as people count them: from 1, 0 for none."""
    return None if channels is None else [c + 1 for c in channels]


def _monitor(device: Mapping[str, Any], wanted: Device) -> dict[str, Any] | None:
    """The second output that plays along, and how much later; None where there is none."""
    found = device.get("monitor")
    if found is None:
        return None
    late = 1000.0 * found["latency_samples"] / device["sample_rate"]
    return {
        "name": found["name"],
        "latency_ms": round(late, 2),
        "gain_db": wanted.monitor_gain_db,
    }

"""Run a session of ``restyle live`` from its start to the last word about it."""

from __future__ import annotations

import functools
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from ...audio_files import Clip, write_audio
from ...devices.microphone import Microphone
from ...errors import ConfigError, RestyleError, StreamError
from ...host.host import Host
from ...host.machine import State
from ...host.notes import Notes
from ...host.recorder import Recorder
from ...host.session_log import Capture
from ...host.surface import to_preset
from ...panel.controls import ControlsSettings, start_controls
from ...panel.server import PanelSettings
from ...presets.asking import session_asks
from ...presets.files import write_file
from ...presets.format import MidiInput, OscSettings, SessionFile
from ...session.sound import Setup
from ...signals import ENDINGS
from ...trust.consent import allow
from ..common import err, write_json
from .keys import Keys
from .meter import run_with_meter, run_with_tuner, starting, summary
from .microphone import followed
from .options import Concert, Recording, Simulation, to_session


@dataclass
class Run:
    """One run; :meth:`play` until the sound ends, `seconds` have passed or Ctrl-C.

    Parameters
    ----------
    setup : Setup
    seconds : float or None
    simulation : Simulation or None
    target, stats, save : Path or None
        Where the simulated loudspeaker, the counters and the session go.
    recording : Recording
    saved : SessionFile or None
        Where controllers and recordings come from.
    osc : str or None
        ``[HOST:]PORT``.
    panel : PanelSettings or None
    terminal : bool
        Whether to show the full view instead of the compact meter.
    tagger : Path or None
        A model that tells what is heard.
    tuning : bool
        Whether to show the pitch alone, and nothing at the end.
    concert : Concert or None
        The setlist.
    channels : tuple of int or None
        MIDI channels; the session's if None.
    notes_out : str or None
        MIDI output that a player's notes go to.
    wait : bool
        Whether to wait for a device that is not there yet.
    microphone : Microphone or None
        The one that it plays into.
    """

    setup: Setup
    seconds: float | None
    simulation: Simulation | None
    target: Path | None
    stats: Path | None
    recording: Recording
    saved: SessionFile | None = None
    osc: str | None = None
    save: Path | None = None
    panel: PanelSettings | None = None
    terminal: bool = False
    tagger: Path | None = None
    tuning: bool = False
    concert: Concert | None = None
    channels: tuple[int, ...] | None = None
    notes_out: str | None = None
    wait: bool = False
    microphone: Microphone | None = None

    def play(self) -> None:
        """Open everything, play, and close it again.

        Raises
        ------
        RestyleError
            The session cannot be opened, or the sound broke in a way that was not mended.
        """
        handlers = {n: signal.getsignal(n) for n in _endings()}
        for number in _endings():
            signal.signal(number, _interrupt)
        try:
            figures = self._sound()
            if not self.tuning:
                summary(figures)
            self._write(figures)
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)

    def _sound(self) -> dict[str, Any]:
        """Play; the last figures."""
        files = self._files()
        paced = self.simulation is None or self.simulation.paced
        notes = Notes(tell)
        host = Host(
            self.setup,
            notes,
            standby=paced,
            journal=self.recording.capture is not None,
            taps=files,
            wait=self.wait,
        )
        capture: Capture | None = None
        recorder: Recorder | None = None
        try:
            if self.saved is not None:
                host.keep("preset", self.saved.preset.name)
            if self.concert is not None:
                host.keep("setlist", self.concert.kept())
            if self.recording.capture is not None:
                capture = Capture(host, self.recording.capture, notes)
            self._start(host)
            if capture is not None:
                capture.start()
            if files:
                recorder = host.record(files)
            self._connect(host)
            self._tell_monitor(host)
            with followed(host, self.microphone):
                if self.tuning:
                    run_with_tuner(host, self.seconds)
                else:
                    self._watch(host, notes)
        except KeyboardInterrupt:
            _once_is_enough()
            err.print("stopped")
        finally:
            _once_is_enough()
            try:
                figures = self._finish(host, recorder, capture)
            finally:
                host.close()
                notes.close()
        return figures

    def _tell_monitor(self, host: Host) -> None:
        """Say what is heard where, and how late."""
        device = host.now.get("device", {})
        if (monitor := device.get("monitor")) is not None:
            late = 1000.0 * monitor["latency_samples"] / device["sample_rate"]
            text = f"monitor: {monitor['name']}, {late:.1f} ms after what restyle gives out"
            err.print(text, highlight=False, markup=False)

    def _watch(self, host: Host, notes: Notes) -> None:
        """Show what plays, and take keys, until the end."""
        with Keys(host, notes):
            if self.terminal:
                from .terminal import run_with_terminal

                run_with_terminal(host, self.seconds)
            else:
                run_with_meter(host, self.seconds, self.tagger is not None)

    def _start(self, host: Host) -> None:
        """Play; show how far the start is where it takes long."""
        with starting(host):
            host.start()

    def _osc(self) -> OscSettings | None:
        asked, kept = osc_address(self.osc), self.saved.osc if self.saved else None
        if asked is not None and kept is not None:
            return msgspec.structs.replace(asked, map=kept.map)
        return asked or kept

    def _channels(self) -> tuple[int, ...]:
        """MIDI channels that are heard; all if there are none."""
        heard = self.saved.midi_input if self.saved else None
        if self.channels is not None:
            return self.channels
        return heard.channels if heard is not None else ()

    def _connect(self, host: Host) -> None:
        """Start MIDI, OSC and the panel where they are asked for."""
        record = self.saved.record if self.saved else None
        settings = ControlsSettings(
            self.saved.midi if self.saved else (),
            self._osc(),
            self.panel,
            Path(record.folder) if record else None,
            self.tagger,
            self._channels(),
            self.notes_out,
        )
        if not settings.wanted:
            return
        up = host.start_controls(functools.partial(start_controls, settings)) or {}
        if settings.osc is not None and up:
            err.print(f"OSC on {settings.osc.host}:{settings.osc.port}", highlight=False)
        if up.get("panel"):
            err.print(f"panel: {up['panel']}", highlight=False, markup=False, soft_wrap=True)
            if settings.panel is not None and settings.panel.host in ("0.0.0.0", "::"):
                err.print("from elsewhere, with this machine's address in numbers in its place")

    def _files(self) -> dict[str, Path]:
        """What to record to."""
        files = self.recording.files
        record = self.saved.record if self.saved else None
        if record is not None and not files and self.recording.capture is None:
            folder, stamp = Path(record.folder), time.strftime("%Y%m%d-%H%M%S")
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise ConfigError(f"cannot record to {folder}: {error.strerror}") from None
            wanted = {"dry": record.dry, "wet": record.wet}
            files = {n: folder / f"{stamp}-{n}.wav" for n, on in wanted.items() if on}
        return files

    def _finish(
        self, host: Host, recorder: Recorder | None, capture: Capture | None
    ) -> dict[str, Any]:
        """Ask for the last figures, stop the sound, and let the files be written out."""
        if not host.now:
            return {}
        figures: dict[str, Any] = {}
        changes: list[Any] = []
        try:
            figures, changes = host.stats(), host.changes() if capture is not None else []
            states = host.states() if self.save is not None else {}
        except RestyleError as error:
            if host.view.state is not State.RESTING:
                err.print(f"at the end: {error}", highlight=False)
        recorder = recorder or host.recorder
        host.stop()
        figures["panel"] = dict(host.view.kept.get("panel", {}))
        if self.save is not None and len(figures) > 1:
            self._save(self.save, host.setup, host.view.kept, states)
        if recorder is not None:
            recorder.stop()
            for name, written in recorder.written.items():
                err.print(f"recorded {written} samples ({name})", highlight=False)
        if capture is not None and capture.recorder is not None and len(figures) > 1:
            folder = capture.finish(changes, figures)
            err.print(f"captured to {folder}; play it again with: restyle replay {folder}")
        return figures if len(figures) > 1 else {}

    def _save(
        self, path: Path, setup: Setup, kept: Mapping[str, Any], states: Mapping[int, str]
    ) -> None:
        """Keep what played as a session file."""
        name = self.saved.preset.name if self.saved else path.stem
        base = self.saved or SessionFile()
        channels = kept.get("midi_channels", self._channels())
        base = msgspec.structs.replace(
            base,
            midi=kept.get("mappings", base.midi),
            osc=self._osc(),
            midi_input=MidiInput(channels) if channels else None,
        )
        try:
            preset = to_preset(setup.sound, name, "", states)
            session = to_session(setup, base, preset)
            write_file(path, session)
            allow(session_asks(session, path))  # the user has asked for it just now
            err.print(f"kept the session in {path}", highlight=False)
        except RestyleError as error:
            err.print(f"at the end: {error}", highlight=False)

    def _write(self, figures: dict[str, Any]) -> None:
        if self.target is not None and self.simulation is not None and figures:
            played = self.simulation.played(figures["latency"]["declared_samples"])
            if played.shape[1]:
                write_audio(self.target, Clip(played, self.simulation.rate))
                err.print(f"wrote {self.target}", highlight=False)
            else:
                err.print(f"nothing was played; {self.target} was not written", highlight=False)
        if self.stats is not None and figures:
            write_json(self.stats, figures)
        if figures.get("failed"):
            raise StreamError(str(figures["failed"]))


def osc_address(text: str | None) -> OscSettings | None:
    """``[HOST:]PORT`` to settings.

    Raises
    ------
    ConfigError
    """
    if text is None:
        return None
    host, _, port = text.rpartition(":")
    if ":" in host or not (port.isascii() and port.isdigit() and 1 <= int(port[:6]) <= 65535):
        raise ConfigError(f"--osc takes a port such as 9000, or HOST:PORT, got '{text[:80]}'")
    return OscSettings(host or "127.0.0.1", int(port))


def tell(text: str) -> None:
    """Show one sentence from the host or a controller."""
    err.print(text, highlight=False, markup=False, style="yellow")


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


def _endings() -> list[signal.Signals]:
    """Signals that end a run as Ctrl-C does: a closed terminal, too, but for nohup."""
    return [n for n in ENDINGS if n.name != "SIGHUP" or signal.getsignal(n) != signal.SIG_IGN]


def _once_is_enough() -> None:
    """Let no further Ctrl-C stop the files from being written out."""
    for number in _endings():
        signal.signal(number, signal.SIG_IGN)

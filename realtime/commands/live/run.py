"""Run a session of ``restyle live`` from its start to the last word about it."""

from __future__ import annotations

import contextlib
import signal
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...audio_files import Clip, write_audio
from ...controllers.osc import OscServer
from ...errors import ConfigError, RestyleError, StreamError
from ...host.host import Host
from ...host.notes import Notes
from ...host.recorder import Recorder
from ...host.session_log import Capture
from ...host.surface import HostSurface
from ...panel.console import HostConsole
from ...panel.tags import LiveTags
from ...presets.files import write_file
from ...presets.format import OscSettings, SessionFile
from ...session.spec import Spec
from ..common import err, write_json
from .meter import run_with_meter, summary
from .options import Recording, Simulation, to_session
from .panel import PanelSettings, serve_panel
from .terminal import run_with_terminal


@dataclass
class Run:
    """One run; :meth:`play` until the sound ends, `seconds` have passed or Ctrl-C.

    Parameters
    ----------
    spec : Spec
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
    """

    spec: Spec
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

    def play(self) -> None:
        """Open everything, play, and close it again.

        Raises
        ------
        RestyleError
            The session cannot be opened, or the sound broke in a way that was not mended.
        """
        handlers = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
        signal.signal(signal.SIGTERM, _interrupt)
        try:
            figures = self._sound()
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
            self.spec, notes, standby=paced, journal=self.recording.capture is not None, taps=files
        )
        surface = HostSurface(host, self.saved.preset.name if self.saved else None)
        console = self._console(host, surface, notes)
        capture: Capture | None = None
        recorder: Recorder | None = None
        try:
            if self.recording.capture is not None:
                capture = Capture(host, self.recording.capture, tell)
            host.start()
            if capture is not None:
                capture.start()
            if files:
                recorder = host.record(files)
            with contextlib.ExitStack() as controllers:
                self._connect(controllers, console)
                if self.terminal:
                    run_with_terminal(host, console, self.seconds)
                else:
                    run_with_meter(host, self.seconds, console.tags)
        except KeyboardInterrupt:
            _once_is_enough()
            err.print("stopped")
        finally:
            _once_is_enough()
            try:
                figures = self._finish(host, console, recorder, capture)
            finally:
                host.close()
        return figures

    def _console(self, host: Host, surface: HostSurface, notes: Notes) -> HostConsole:
        """Everything a panel does, with the session file's controllers and folder."""
        record = self.saved.record if self.saved else None
        return HostConsole(
            host,
            surface,
            notes,
            self.saved.midi if self.saved else (),
            Path(record.folder) if record else None,
        )

    def _osc(self) -> OscSettings | None:
        return osc_address(self.osc) or (self.saved.osc if self.saved else None)

    def _connect(self, controllers: contextlib.ExitStack, console: HostConsole) -> None:
        """Start MIDI, OSC and the panel where they are asked for."""
        address = self._osc()
        controllers.enter_context(console.midi)
        if self.saved is not None and self.saved.midi:
            console.midi.open()
        if address is not None:
            controllers.enter_context(OscServer(console.surface, address.host, address.port, tell))
            err.print(f"OSC on {address.host}:{address.port}", highlight=False)
        if self.tagger is not None:
            console.tags = controllers.enter_context(LiveTags(console.host, self.tagger))
        if self.panel is not None:
            serve_panel(controllers, self.panel, console, console.notes)

    def _files(self) -> dict[str, Path]:
        """What to record to."""
        files = self.recording.files
        record = self.saved.record if self.saved else None
        if record is not None and not files and self.recording.capture is None:
            folder, stamp = Path(record.folder), time.strftime("%Y%m%d-%H%M%S")
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise ConfigError(f"cannot record to {folder}: {error.strerror}") from None
            wanted = {"dry": record.dry, "wet": record.wet}
            files = {n: folder / f"{stamp}-{n}.wav" for n, on in wanted.items() if on}
        return files

    def _finish(
        self,
        host: Host,
        console: HostConsole,
        recorder: Recorder | None,
        capture: Capture | None,
    ) -> dict[str, Any]:
        """Ask for the last figures, stop the sound, and let the files be written out."""
        if not host.now:
            return {}
        figures: dict[str, Any] = {}
        changes: list[Any] = []
        try:
            figures, changes = host.stats(), host.changes() if capture is not None else []
            figures["panel"] = dict(console.counts)
            if self.save is not None:
                name = self.saved.preset.name if self.saved else self.save.stem
                base = replace(self.saved or SessionFile(), midi=console.midi.bindings.mappings)
                kept = to_session(host.spec, base, console.surface, name)
                write_file(self.save, replace(kept, osc=self._osc()))
                err.print(f"kept the session in {self.save}", highlight=False)
        except RestyleError as error:
            err.print(f"at the end: {error}", highlight=False)
        host.stop()
        recorder = recorder or host.recorder
        if recorder is not None:
            recorder.stop()
            for name, written in recorder.written.items():
                err.print(f"recorded {written} samples ({name})", highlight=False)
        if capture is not None and figures:
            folder = capture.finish(changes, figures)
            err.print(f"captured to {folder}; play it again with: restyle replay {folder}")
        return figures

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
    if not port.isdigit() or not 1 <= int(port) <= 65535:
        raise ConfigError(f"--osc takes a port such as 9000, or HOST:PORT, got '{text}'")
    return OscSettings(host or "127.0.0.1", int(port))


def tell(text: str) -> None:
    """Show one sentence from the host or a controller."""
    err.print(text, highlight=False, markup=False, style="yellow")


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


def _once_is_enough() -> None:
    """Let no further Ctrl-C stop the files from being written out."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)

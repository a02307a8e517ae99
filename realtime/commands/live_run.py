"""Run a session of ``restyle live`` from its start to the last word about it."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

from ..capture.capture import Capture
from ..capture.recorder import Recorder
from ..errors import RestyleError, StreamError
from ..host.host import Host
from ..io.files import Clip, write_audio
from ..spec import Spec
from .common import err, write_json
from .live_options import Recording, Simulation
from .meter import run_with_meter, summary


def run(
    spec: Spec,
    seconds: float | None,
    simulation: Simulation | None,
    target: Path | None,
    stats: Path | None,
    recording: Recording,
) -> None:
    """Play until the sound ends, `seconds` have passed or Ctrl-C; then tell and write.

    Raises
    ------
    RestyleError
        The session cannot be opened, or the sound broke in a way that was not mended.
    """
    paced = simulation is None or bool(simulation.tape.header[5])
    host = Host(spec, tell, standby=paced, journal=recording.capture is not None)
    previous = signal.signal(signal.SIGTERM, _interrupt)
    capture = None
    recorder: Recorder | None = None
    figures: dict[str, Any] = {}
    try:
        if recording.capture is not None:
            capture = Capture(host, recording.capture, tell)
        host.start()
        if capture is not None:
            capture.start()
        if recording.files:
            recorder = host.record(recording.files)
        run_with_meter(host, seconds)
    except KeyboardInterrupt:
        err.print("stopped")
    finally:
        signal.signal(signal.SIGTERM, previous)
        try:
            figures = _finish(host, recorder, capture)
        finally:
            host.close()
    summary(figures)
    if target is not None and simulation is not None:
        _write(simulation, target, figures["latency"]["declared_samples"])
    if stats is not None:
        write_json(stats, figures)
    if figures.get("failed"):
        raise StreamError(figures["failed"])


def _finish(host: Host, recorder: Recorder | None, capture: Capture | None) -> dict[str, Any]:
    """Ask for the last figures, stop the sound, and let the files be written out."""
    if not host.now:
        return {}
    figures: dict[str, Any] = {}
    changes: list[Any] = []
    try:
        figures, changes = host.stats(), host.changes() if capture is not None else []
    except RestyleError as error:
        err.print(f"the last figures are lost: {error}", highlight=False)
    host.stop()
    if recorder is not None:
        recorder.stop()
        for name, written in recorder.written.items():
            err.print(f"recorded {written} samples ({name})", highlight=False)
    if capture is not None and figures:
        folder = capture.finish(changes, figures)
        err.print(f"captured to {folder}; play it again with: restyle replay {folder}")
    return figures


def _write(simulation: Simulation, target: Path, declared: int) -> None:
    played = simulation.tape.recording[:, : simulation.length + declared]
    if played.shape[1]:
        write_audio(target, Clip(played, int(simulation.tape.header[3])))
        err.print(f"wrote {target}", highlight=False)
    else:
        err.print(f"nothing was played; {target} was not written", highlight=False)


def tell(text: str) -> None:
    """Show one sentence from the host."""
    err.print(text, highlight=False, style="yellow")


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt

"""Replay a capture offline: the same blocks, the same changes at the same samples, same bits."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..audio_files import read_audio
from ..devices.simulated import SimulatedDevice
from ..errors import ConfigError
from ..native.events import EventQueue
from ..session.editor import Desk
from ..session.spec import Spec
from ..stream.record import BLOCK, EVENT_FIXED, EVENT_VOICE, KIND_SHIFT
from .session_log import FORMAT, digest, versions

Array = npt.NDArray[np.float32]
FEED = 2048  # events handed to the stream at a time


@dataclass(frozen=True)
class Replay:
    """What a replay gave.

    Attributes
    ----------
    output : ndarray [shape=(channels, n), float32]
    differing : int
        Samples that differ from the captured output.
    first : int or None
        The first of them.
    remarks : list of str
        What may make the bits differ: other versions, losses while capturing.
    """

    output: Array
    sample_rate: int
    differing: int
    first: int | None
    remarks: list[str]


def replay(folder: Path) -> Replay:
    """Run a capture through the engine again.

    Raises
    ------
    ConfigError
        Not a capture, or of another format.
    """
    session, rows = _read(folder)
    captured_in = read_audio(folder / "input.wav")
    captured_out = read_audio(folder / "output.wav")
    blocks = rows[rows[:, 1] == BLOCK]
    sizes = blocks[:, 2].astype(np.int64)
    edges = np.concatenate([[0], np.cumsum(sizes)])
    length = min(int(edges[-1]), captured_in.samples.shape[1])
    described = session["device"]
    device = SimulatedDevice(
        captured_in.samples[:, :length], captured_in.sample_rate, [int(n) for n in sizes]
    )
    device.block_size = described["block_size"]
    device.largest_block = described["largest_block"]
    spec = Spec.from_dict(session["spec"])
    channels = captured_in.samples.shape[0]
    spec = replace(
        spec,
        lane=session["lane"],
        device=replace(spec.device, channels=channels, in_map=None, out_map=None),
    )
    events = _events(rows)
    desk = Desk(spec, device, events=EventQueue(4 * FEED))
    _run(desk, device, session["changes"], events, edges, length)
    out = device.recording[:, :length]
    n = min(length, captured_out.samples.shape[1])
    wrong = np.flatnonzero((out[:, :n] != captured_out.samples[:, :n]).any(axis=0))
    return Replay(
        out,
        captured_in.sample_rate,
        len(wrong),
        int(wrong[0]) if len(wrong) else None,
        _remarks(session),
    )


def _read(folder: Path) -> tuple[dict[str, Any], npt.NDArray[np.float64]]:
    try:
        session = json.loads((folder / "session.json").read_text(encoding="utf-8"))
        rows = np.load(folder / "journal.npy")
        if session["format"] != FORMAT:
            raise ConfigError(
                f"{folder} is a capture of format {session['format']}, this restyle reads {FORMAT}"
            )
    except OSError as error:
        raise ConfigError(
            f"{folder} is not a capture: {error.strerror} ({error.filename})"
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{folder} is not a capture: {error}") from None
    return session, rows


def _events(rows: npt.NDArray[np.float64]) -> list[tuple[float, int, int, float]]:
    """Parameter events of the journal, as they are pushed."""
    found = []
    for time, kind, slot, value in rows:
        whom = int(kind) % KIND_SHIFT
        if int(kind) // KIND_SHIFT in (EVENT_FIXED, EVENT_VOICE):
            found.append((float(time), whom, int(slot), float(value)))
    return found


def _run(
    desk: Desk,
    device: SimulatedDevice,
    changes: list[list[Any]],
    events: list[tuple[float, int, int, float]],
    edges: npt.NDArray[np.int64],
    length: int,
) -> None:
    """Play, stopping at the block before each change, and often enough to feed events."""
    waiting = list(events)

    def feed(until: int) -> None:
        """Hand over the events up to `until`, in parts that fit the queue."""
        while waiting and waiting[0][0] < until:
            part, at = waiting[:FEED], min(until, int(waiting[min(FEED, len(waiting)) - 1][0]) + 1)
            due = [e for e in part if e[0] < at]
            for event in due:
                desk.session.memory.events.push(*event)
            del waiting[: len(due)]
            device.run_to(_edge(edges, at))

    device.hold(0)
    with desk.session as session:
        for kind, position, operation in changes:
            place = _edge(edges, position)
            feed(place)
            device.run_to(place)
            desk.do(operation, at=None if kind == "voice" else operation["at"], wait=False)
        feed(length)
        device.hold(None)
        session.wait()


def _edge(edges: npt.NDArray[np.int64], position: int) -> int:
    """The last start of a block not after `position`."""
    return int(edges[np.searchsorted(edges, position, side="right") - 1])


def _remarks(session: dict[str, Any]) -> list[str]:
    remarks = []
    now = versions()
    for name, before in session["versions"].items():
        if now.get(name) != before:
            remarks.append(f"{name} is {now.get(name) or 'missing'}, it was {before}")
    for path, before in session["models"].items():
        if digest(Path(path)) != before:
            remarks.append(f"the model {path} has changed since")
    for key, text in (
        ("lost", "samples or journal entries were lost while capturing"),
        ("restarts", "restarts of the engine happened while capturing"),
        ("concealed_samples", "samples were concealed live, which a replay does not repeat"),
        ("rested", "hops were rested live, which a replay does not repeat"),
    ):
        if session.get(key):
            remarks.append(f"{session[key]} {text}")
    return remarks

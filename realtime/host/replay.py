"""Replay a capture offline: the same blocks, the same changes at the same samples, same bits."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from ..devices.simulated import SimulatedDevice
from ..errors import ConfigError
from ..models.catalog import find_model
from ..native.events import EventQueue
from ..presets.asking import need_yes, plugin_asks
from ..session.operations import brought
from ..session.session import Session
from ..stream.record import BLOCK, EVENT
from ..trust.sounds import read_sound
from .session_log import FORMAT, LoggedChange, SessionLog, digest, versions

Array = npt.NDArray[np.float32]
LARGEST = 256 << 20  # bytes of a log and of a journal
LONGEST_BLOCK = 1 << 16  # samples
MOST_SHOWN = 200  # characters of a text from the log
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
    Untrusted
        It would run plug-ins that this machine does not know.
    """
    log, rows = _read(folder)
    played = [*log.setup.sound.walk(), *(s for c in log.changes for s in brought(c.operation))]
    played += [s for c in log.changes if c.sound is not None for s in c.sound.walk()]
    need_yes(plugin_asks(tuple(played)), folder / "session.json")
    captured_in = read_sound(folder / "input.wav")
    captured_out = read_sound(folder / "output.wav")
    sizes = rows[rows[:, 1] == BLOCK][:, 2].astype(np.int64)
    edges = np.concatenate([[0], np.cumsum(sizes)])
    length = min(int(edges[-1]), captured_in.samples.shape[1])
    device = SimulatedDevice(
        captured_in.samples[:, :length], captured_in.sample_rate, [int(n) for n in sizes]
    )
    device.block_size, device.largest_block = log.device.block_size, log.device.largest_block
    here = msgspec.structs.replace(
        log.setup.device,
        lane=log.lane,
        channels=captured_in.samples.shape[0],
        in_map=None,
        out_map=None,
    )
    session = Session(log.setup.with_device(here), device, events=EventQueue(4 * FEED))
    _run(session, device, log.changes, _events(rows), edges, length)
    out = device.recording[:, :length]
    n = min(length, captured_out.samples.shape[1])
    wrong = np.flatnonzero((out[:, :n] != captured_out.samples[:, :n]).any(axis=0))
    return Replay(
        out,
        captured_in.sample_rate,
        len(wrong),
        int(wrong[0]) if len(wrong) else None,
        _remarks(log),
    )


def _read(folder: Path) -> tuple[SessionLog, npt.NDArray[np.float64]]:
    try:
        for name in ("session.json", "journal.npy"):
            status = (folder / name).stat()
            if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST:
                raise ConfigError(
                    f"{folder} is not a capture: {name} is no file of at most {LARGEST >> 20} MiB"
                )
        text = (folder / "session.json").read_bytes()
        rows = np.lib.format.open_memmap(folder / "journal.npy", mode="r")  # never an archive
    except OSError as error:
        raise ConfigError(
            f"{folder} is not a capture: {error.strerror} ({error.filename})"
        ) from None
    except ConfigError:
        raise
    except Exception as error:  # numpy reads a head as source: whatever that makes Python say
        raise ConfigError(f"{folder} is not a capture: journal.npy is damaged: {error!r}") from None
    try:
        found = msgspec.json.decode(text, type=_Version)
        if found.format != FORMAT:
            raise ConfigError(
                f"{folder} is a capture of format {found.format}, this restyle reads {FORMAT}"
            )
        log = msgspec.json.decode(text, type=SessionLog)
        for size in (log.device.block_size, log.device.largest_block):
            if size is not None and not 1 <= size <= LONGEST_BLOCK:
                raise ValueError(f"a block has 1..{LONGEST_BLOCK} samples, not {size}")
        return log, _checked(rows)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"{folder} is not a capture: {reason[:200]}") from None


def _checked(rows: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """The journal as rows of finite numbers, blocks of at least one sample.

    Raises
    ------
    ValueError
    """
    if rows.dtype != np.float64 or rows.ndim != 2 or rows.shape[1] != 4:
        raise ValueError("journal.npy must hold rows of 4 float64")
    found = np.array(rows)
    blocks = found[found[:, 1] == BLOCK][:, 2]
    if not np.isfinite(found).all() or np.abs(found).max(initial=0) > 2**53:
        raise ValueError("journal.npy holds numbers that none of it can have")
    if not ((blocks >= 1) & (blocks <= LONGEST_BLOCK)).all() or not len(blocks):
        raise ValueError(f"journal.npy must have blocks of 1..{LONGEST_BLOCK} samples")
    return found


class _Version(msgspec.Struct):
    format: int


def _events(rows: npt.NDArray[np.float64]) -> list[tuple[float, int, int, float]]:
    """Parameter events of the journal in the order of their times, as they are pushed."""
    found = [
        (float(time), int(kind) - EVENT, int(number), float(value))
        for time, kind, number, value in rows
        if kind >= EVENT
    ]
    return sorted(found, key=lambda event: event[0])


def _run(
    session: Session,
    device: SimulatedDevice,
    changes: Sequence[LoggedChange],
    events: list[tuple[float, int, int, float]],
    edges: npt.NDArray[np.int64],
    length: int,
) -> None:
    """Play, stopping at the block before each change, and often enough to feed events."""
    waiting = list(events)

    def feed(until: int) -> None:
        """Hand over the events up to `until`, in parts that fit the queue."""
        while waiting and waiting[0][0] < until:
            at = min(until, int(waiting[min(FEED, len(waiting)) - 1][0]) + 1)
            hand_over(at)
            device.run_to(_edge(edges, at))

    def hand_over(until: int) -> None:
        """Send the events before `until`."""
        while waiting and waiting[0][0] < until:
            session.stream.memory.events.push(*waiting.pop(0))

    device.hold(0)
    with session:
        for change in changes:
            place = _edge(edges, change.position)
            feed(place)
            device.run_to(place)
            if change.at is None:  # what the block hands out, it hands out before it takes this up
                hand_over(int(edges[edges > place].min(initial=length)))
            session.do(change.operation, change.at, False, change.lane, change.sound)
        feed(length)
        device.hold(None)
        session.wait()


def _edge(edges: npt.NDArray[np.int64], position: int) -> int:
    """The last start of a block not after `position`."""
    return int(edges[np.searchsorted(edges, position, side="right") - 1])


def _remarks(log: SessionLog) -> list[str]:
    remarks = []
    now = versions()
    for name, before in log.versions.items():
        if now.get(name) != before:
            was = before[:MOST_SHOWN]
            remarks.append(f"{name[:MOST_SHOWN]} is {now.get(name) or 'missing'}, it was {was}")
    for path, before in log.models.items():
        if digest(find_model(path)) != before:
            remarks.append(f"the model {path[:MOST_SHOWN]} has changed since")
    for key, text in (
        ("lost", "samples or journal entries were lost while capturing"),
        ("restarts", "restarts of the engine happened while capturing"),
        ("concealed_samples", "samples were concealed live, which a replay does not repeat"),
        ("rested", "hops were rested live, which a replay does not repeat"),
    ):
        if getattr(log, key):
            remarks.append(f"{getattr(log, key)} {text}")
    return remarks

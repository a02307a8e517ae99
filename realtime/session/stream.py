"""A running stream: a path, a device and counters under one roof.

A stream plays one voice.  Most changes are edits inside its path; one that needs another path (of
another hop, rate or lane) is a second voice, prepared beside the sound, that the callback
crossfades to.  What ceases to sound is freed here.  One thread at a time calls a stream's methods.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy.typing as npt

from ..engine.latency import LatencyBudget, LatencyPart
from ..engine.path import Path
from ..errors import ConfigError, StreamError
from ..native.events import EventQueue
from ..stream.callback import stream_callback
from ..stream.record import StreamMemory
from ..stream.transport import Transport
from ..stream.voice import Voice
from ..stream.worker import Worker
from .lanes import Playable, again, make_voice

FADE_OUT_SECONDS = 0.15  # the most that an end waits for its fade
CHANGE_SECONDS = 5.0  # a change that has not been taken up by then is an error


class Stream:
    """One stream from device to device.

    Parameters
    ----------
    path : Path
        What plays; owned from now on.
    device : Transport
    lane : str
        ``inline``, ``worker`` or ``auto``.
    worker_blocks : int
    in_map, out_map : sequence of int, optional
        See :class:`realtime.stream.record.StreamMemory`.
    bypass, mute : bool
        Whether the input passes as it is, and whether nothing is heard, from the start.
    fixed_latency : int [samples], optional
        What restyle adds, whatever plays.
    ceiling_db : float [dBFS], optional
        See :class:`realtime.stream.record.StreamMemory`.
    record, events
        Shared memory to use, see :class:`realtime.stream.record.StreamMemory`.

    Attributes
    ----------
    kept : callable
        Takes what has ceased to sound; where it returns False, that is freed.

    Raises
    ------
    ConfigError
        Settings that contradict each other, such as an inline lane with Python stages.
    """

    def __init__(
        self,
        path: Path,
        device: Transport,
        *,
        lane: str = "auto",
        worker_blocks: int = 1,
        in_map: Sequence[int] | None = None,
        out_map: Sequence[int] | None = None,
        bypass: bool = False,
        mute: bool = False,
        fixed_latency: int | None = None,
        ceiling_db: float | None = None,
        record: npt.NDArray[Any] | None = None,
        events: EventQueue | None = None,
    ) -> None:
        self.device, self.fixed_latency = device, fixed_latency
        self._worker_blocks, self._voices, self._running = worker_blocks, 1, False
        self._old: list[Playable] = []
        self.kept: Callable[[Playable], bool] = lambda playable: False
        device.cross(path.channels, in_map)
        self._now = self._playable(path, lane)
        self.memory = StreamMemory(
            self.voice,
            device.in_channels,
            device.out_channels,
            sample_rate=device.sample_rate,
            in_map=in_map,
            out_map=out_map,
            record=record,
            events=events,
            drift=device.drift,
            ceiling_db=ceiling_db,
        )
        self.voice.record["beat"] = self.memory.beat
        self.memory.record["bypass"] = self.voice.record["bypass"] = float(bypass)
        self.memory.record["mute"], self.memory.record["heard"] = float(mute), float(not mute)

    def _playable(self, path: Path, lane: str) -> Playable:
        return make_voice(
            path,
            self.device,
            lane=lane,
            worker_blocks=self._worker_blocks,
            identity=self._voices,
            fixed_latency=self.fixed_latency,
        )

    def prepare(self, path: Path, before: Playable | None, lane: str) -> Playable:
        """A voice to be offered later: around a new path, or around one that has been reset."""
        self._voices += 1
        if before is not None:
            return again(before, self.device, self._voices)
        return self._playable(path, lane)

    # -- what plays ---------------------------------------------------------------------------

    @property
    def voice(self) -> Voice:
        """The newest voice."""
        return self._now.voice

    @property
    def path(self) -> Path:
        """The newest path."""
        return self.voice.path

    @property
    def lane(self) -> str:
        """``inline`` or ``worker``."""
        return self.voice.mode

    @property
    def lane_reason(self) -> str:
        """Why, in one sentence."""
        return self._now.reason

    @property
    def worker(self) -> Worker | None:
        """The newest voice's worker."""
        return self._now.worker

    @property
    def budget(self) -> LatencyBudget:
        """Latency by part, in the order sound passes them; it follows live changes."""
        voice, path, device = self.voice, self.path, self.device
        ratio = float(voice.record["ratio"])
        inside = []
        if device.drift is not None:
            crossing = device.drift.target * device.sample_rate / device.drift.in_rate
            inside.append(LatencyPart("clock crossing", round(crossing), "buffering"))
        crossed = sum(p.samples for p in inside)
        buffering = "worker pre-fill" if self.lane == "worker" else "block adapter"
        inside.append(LatencyPart(buffering, round(voice.buffering / ratio), "buffering"))
        inside += [
            LatencyPart(slot.name, round(slot.latency / ratio), "algorithmic")
            for slot in path.line.present
        ]
        if voice.trip is not None:
            rest = voice.latency + crossed - sum(p.samples for p in inside)
            inside.append(LatencyPart("rate conversion", rest, "algorithmic"))
        first = LatencyPart("device input", device.input_latency, "device")
        last = LatencyPart("device output", device.output_latency, "device")
        return LatencyBudget(device.sample_rate, (first, *inside, last))

    # -- parameters -----------------------------------------------------------------------------

    def send(self, identity: int, number: int, value: float, at: int | None = None) -> None:
        """Send a parameter event, see :mod:`realtime.engine.hop`."""
        end = time.monotonic() + CHANGE_SECONDS
        while not self.memory.events.push(-1 if at is None else at, identity, number, value):
            if time.monotonic() > end:
                raise StreamError("parameter changes wait for a device that does not call")
            time.sleep(0.001)

    # -- changes while sound runs ---------------------------------------------------------------

    def replace(
        self,
        path: Path,
        lane: str = "auto",
        own: Mapping[str, float] | None = None,
        tail: float = 0.0,
        anew: int | None = None,
    ) -> None:
        """Crossfade to another path, all of it anew.

        Parameters
        ----------
        path : Path
            Owned from now on.
        own : mapping, optional
            ``bypass`` where the path brings a sound's own gains, mix and bypass; by default those
            in force go on, and so do the parameters of stages that both paths have: what is sent
            while the path is made ready reaches it, too.
        tail : float [seconds]
            How long the path before rings on, without sound going into it.
        anew : int, optional
            Identity of a stage that is another one than before.

        Raises
        ------
        RestyleError
            It does not fit; what plays goes on.
        """
        self.settle()
        self._must_run()
        self._voices += 1
        try:
            new = self._playable(path, lane)
        except BaseException:
            path.close()
            raise
        if own is None:
            new.voice.follow(self.path, anew)
        for slot in path.slots():
            slot.placed.record["fed"] = 0.0
        self._offer(new, own, tail)

    def change_to(self, playable: Playable, own: Mapping[str, float], tail: float = 0.0) -> None:
        """Crossfade to a voice that :meth:`prepare` made; see :meth:`replace`."""
        self.settle()
        self._must_run()
        self._offer(playable, own, tail)

    def _must_run(self) -> None:
        if not self._running:
            raise ConfigError("nothing plays yet; give the path to the stream instead")

    def _offer(self, new: Playable, own: Mapping[str, float] | None, tail: float) -> None:
        record = new.voice.record
        if own is not None:
            record["own_gains"], record["own_bypass"] = 1, own["bypass"]
            record["conceal_gain"] = new.voice.path.gain
        record["beat"] = self.memory.beat
        record["tail"] = round(tail * self.device.sample_rate)
        if new.worker is not None:
            new.worker.start()
        self._old.append(self._now)
        self.memory.offer(new.voice)
        self._now = new

    @property
    def pending(self) -> bool:
        """Whether something that ceases to sound is still to be freed."""
        return bool(self._old) or bool(self.path.edits_made)

    @property
    def changing(self) -> bool:
        """Whether a crossfade or an edit is under way."""
        return self.memory.changing or self.path.editing

    def settle(self, seconds: float = CHANGE_SECONDS) -> None:
        """Wait until the changes under way have been heard out, and free what has ceased to sound.

        Raises
        ------
        StreamError
            The device does not call any more.
        """
        end, seen = time.monotonic() + seconds, -1
        while self._running and self.changing:
            calls = int(self.memory.record["callbacks"])
            if calls != seen:  # a slow device is no reason to give up
                end, seen = time.monotonic() + seconds, calls
            if time.monotonic() > end or not self.device.active:
                raise StreamError("a change was not taken up: the device does not call")
            time.sleep(0.002)
            self._retire()
        self.tidy()

    def tidy(self) -> None:
        """Free what has ceased to sound (control thread)."""
        self._retire()
        if not self.changing:
            self.path.collect()

    def _retire(self) -> None:
        """Take back the voice that the callback has given back."""
        address = self.memory.collect()
        for playable in [p for p in self._old if p.voice.address == address]:
            self._old.remove(playable)
            if playable.worker is not None:
                playable.worker.stop()
            if not self.kept(playable):
                playable.voice.path.close()

    # -- running --------------------------------------------------------------------------------

    def start(self) -> None:
        """Open the device and let sound through."""
        callback = int(stream_callback().address)
        self.device.open(callback, self.memory.address, True, self.budget.declared)
        if self.worker is not None:
            self.worker.start()
        self._running = True
        self.device.start()

    def rewind(self) -> None:
        """Begin anew at the first sample, in the initial state, at the parameters as they stand.

        While the device does not call, and nothing is :attr:`changing`.
        """
        worker = self._now.worker
        if worker is not None:
            worker.stop()
        self.tidy()
        self.path.reset()
        self.path.record["start"] = 0
        self._voices += 1
        self._now = again(self._now, self.device, self._voices)
        record, voice = self.memory.record, self.voice
        voice.record["beat"] = self.memory.beat
        voice.record["bypass"] = record["bypass"]
        record["voice"], record["samples"], record["tail"] = voice.address, 0, 0
        if self.worker is not None:
            self.worker.start()

    def stop(self) -> None:
        """Fade out where ears are spared, then stop device and workers; counters stay readable."""
        self._fade_out()
        self.device.stop()
        self._running = False
        for playable in (*self._old, self._now):
            if playable.worker is not None:
                playable.worker.stop()
        for playable in self._old:
            playable.voice.path.close()
        self._old.clear()

    def _fade_out(self) -> None:
        protection = self.memory.protection
        if protection is None or not self._running:
            return
        protection.fade_out()
        played = self.device.output_latency / self.device.sample_rate
        end = time.monotonic() + FADE_OUT_SECONDS
        while not protection.is_silent and self.device.active and time.monotonic() < end:
            time.sleep(0.002)
        if protection.is_silent and self.device.paced:
            time.sleep(min(played, FADE_OUT_SECONDS))  # until it has been heard

    def check(self) -> None:
        """Raise :class:`StreamError` if callback, worker or device ran into an error."""
        worker = self.worker
        for error in (self.device.error, worker.error if worker else None):
            if error is not None:
                raise StreamError(f"the stream failed: {error}") from error
        for slot in self.path.slots():
            if slot.placed.error is not None:
                raise StreamError(f"the stream failed: {slot.placed.error}") from slot.placed.error
            if slot.placed.native and slot.placed.record["errors"]:
                reason = getattr(slot.stage, "error", None)
                raise StreamError(
                    f"the model '{slot.name}' fails to run: {reason}; the dry sound was played"
                    " instead"
                )

    def wait(
        self, seconds: float | None = None, meanwhile: Callable[[], object] = lambda: None
    ) -> None:
        """Return after `seconds`, or when the device ends by itself; `meanwhile` is called often.

        Raises
        ------
        StreamError
            What went wrong in callback, worker or device.
        """
        end = None if seconds is None else time.monotonic() + seconds
        while self.device.active and (end is None or time.monotonic() < end):
            self.check()
            meanwhile()
            if self.pending:
                self.tidy()
            left = 0.05 if end is None else max(0.0, min(0.05, end - time.monotonic()))
            time.sleep(left)
        self.check()

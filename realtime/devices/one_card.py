"""A full-duplex device, or an output alone: one stream, one clock, called by PortAudio."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..dsp.drift_record import Drift
from ..engine.path import Path
from ..errors import DeviceError
from ..stream.callback import stream_callback
from ..stream.record import StreamMemory
from ..stream.transport import UNKNOWN_BLOCK
from ..stream.voice import Voice
from .list import NO_INPUT, find_device, opened_inputs, opened_outputs
from .port_stream import PortStream

JACK = "JACK Audio Connection Kit"  # PortAudio's name of the host API
PROBE_SECONDS = 0.15


class PortAudioDevice:
    """A full-duplex PortAudio stream.

    Parameters
    ----------
    input, output : str, int or None
        See :func:`find_device`; the input ``none`` opens the output alone, and silence comes in.
    sample_rate : int [Hz] or None
        None takes the input device's default, without one the output's.
    block_size : int or None [samples]
        What callbacks should bring.  The host's own period (PortAudio's ``blocksize=0``) is used
        when it is constant and no other size is asked for, as any other choice makes PortAudio add
        a buffer of that size.  On JACK the server's period is used whatever is asked for: it may
        change at any time, and behind PortAudio's buffer that would not be seen.
    channels : int or None
        Engine channels wanted; limited to what the devices have.
    in_map, out_map : sequence of int, optional
        Channels that are to be reached, see :mod:`realtime.stream.maps`.

    Raises
    ------
    DeviceError
        Missing device or a setting it refuses, in one sentence.

    Attributes
    ----------
    note : str
        What the user is to know of how it was opened; empty when there is nothing.
    """

    paced = True
    drift: Drift | None = None

    def __init__(
        self,
        input: str | int | None = None,
        output: str | int | None = None,
        *,
        sample_rate: int | None = None,
        block_size: int | None = None,
        channels: int | None = None,
        in_map: Sequence[int] | None = None,
        out_map: Sequence[int] | None = None,
    ) -> None:
        if block_size is not None and not 1 <= block_size <= 8192:
            raise DeviceError(f"block size must be within 1..8192 samples, got {block_size}")
        hear = None if input == NO_INPUT else find_device(input, "input")
        play = find_device(output, "output")
        self.input_name, self.output_name = hear.name if hear else NO_INPUT, play.name
        self.name = f"{self.input_name} → {play.name} ({play.host_api})"
        self.sample_rate = sample_rate or (hear or play).default_sample_rate
        self.in_channels = opened_inputs(hear, channels, in_map) if hear else 0
        self.out_channels = opened_outputs(play, channels, out_map)
        self._stream = PortStream(
            self.name, hear, play, self.sample_rate, self.in_channels, self.out_channels
        )
        self._jack = play.host_api == JACK
        wanted = None if self._jack else block_size
        self.block_size = negotiate(self._stream, wanted, self.in_channels, self.out_channels)
        self.note = ""
        if wanted != block_size != self.block_size:
            self.note = (
                f"JACK's server sets the block size, {self.block_size or 'varying'}, not"
                f" {block_size}; 'jack_bufsize {block_size}' changes it for all its programs"
            )

    @property
    def largest_block(self) -> int:
        """The most a callback brings [samples]."""
        return self.block_size or UNKNOWN_BLOCK

    def cross(self, channels: int, in_map: Sequence[int] | None = None) -> None:
        """Input and output have one clock."""

    def open(self, callback: int, record: int, lockstep: bool, tail: int = 0) -> None:
        """Open the stream; `lockstep` and `tail` have no meaning in real time."""
        self._stream.open(callback, record)

    @property
    def input_latency(self) -> int:
        """As the driver reports it [samples]."""
        return self._stream.input_latency

    @property
    def output_latency(self) -> int:
        """As the driver reports it [samples]; at least a period of JACK's, which PipeWire omits."""
        found = self._stream.output_latency
        if found or self._stream.input_latency or not self._jack:
            return found
        return self.block_size or 0

    def follow(self, block: int) -> bool:
        """See :class:`realtime.stream.transport.Follower`; not where a size was asked for."""
        if self._stream.requested or self.block_size is None:
            return False
        self._stream.ask_again()
        return True

    def start(self) -> None:
        """Start the stream."""
        self._stream.start()

    def stop(self) -> None:
        """Stop and close the stream."""
        self._stream.stop()

    @property
    def active(self) -> bool:
        """Whether PortAudio still calls back."""
        return self._stream.active

    @property
    def error(self) -> BaseException | None:
        """Set when the stream ended without being asked to."""
        return self._stream.error


def negotiate(
    stream: PortStream, wanted: int | None, in_channels: int, out_channels: int
) -> int | None:
    """Find out what callbacks will bring, by listening to silence for a moment.

    Returns
    -------
    int or None [samples]
        None where it varies; `wanted` where that was asked for, which may cost a buffer.

    Raises
    ------
    DeviceError
        The device never calls.
    """
    silent = Path(sample_rate=stream.sample_rate, output_gain_db=-math.inf)
    voice = Voice(silent)  # the record borrows it
    memory = StreamMemory(voice, in_channels, out_channels)
    stream.listen(int(stream_callback().address), memory.address, PROBE_SECONDS)
    seen = memory.counters()
    if seen["callbacks"] == 0:
        raise DeviceError(f"{stream.name} opened but never asked for sound; is its server running?")
    period = seen["min_block"] if seen["min_block"] == seen["max_seen_block"] else None
    if wanted is None or wanted == period:
        return period
    stream.requested = wanted
    return wanted

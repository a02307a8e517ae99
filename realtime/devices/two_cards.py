"""Two PortAudio streams, one for each device, when the two have clocks of their own."""

from __future__ import annotations

from collections.abc import Sequence

from ..dsp.drift_record import Drift
from ..errors import DeviceError
from ..stream.transport import UNKNOWN_BLOCK
from .input_side import InputMemory, input_callback
from .list import DeviceInfo, find_device, opened_inputs, opened_outputs
from .one_card import PROBE_SECONDS, negotiate
from .port_stream import PortStream

MARGIN_SECONDS = 0.001  # how late an input callback may be before sound lacks


def same_clock(a: DeviceInfo, b: DeviceInfo) -> bool:
    """Whether two devices are one card, as far as their names tell."""
    if a.index == b.index:
        return True
    inside = [d.name.partition("(")[2].rstrip(") ").lower() for d in (a, b)]
    return bool(inside[0]) and inside[0] == inside[1]


class SplitDevice:
    """An input and an output device; see :class:`realtime.stream.transport.Transport`.

    The output device calls the stream.  What the input device hears crosses over through an
    adaptive resampler, so the two may differ in rate, block size and clock.

    Parameters
    ----------
    input, output : str, int or None
        See :func:`realtime.devices.list.find_device`.
    sample_rate : int [Hz] or None
        Of the output; the input runs at its own default where it refuses that.
    block_size : int or None [samples]
        Of the output's callbacks.
    channels : int or None
        Engine channels wanted.
    in_map, out_map : sequence of int, optional
        Channels that are to be reached, see :mod:`realtime.stream.maps`.

    Attributes
    ----------
    drift : Drift or None
        The crossing; made by :meth:`cross`.

    Raises
    ------
    DeviceError
    """

    paced = True

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
        hear, play = find_device(input, "input"), find_device(output, "output")
        self.sample_rate = sample_rate or play.default_sample_rate
        self.in_channels = opened_inputs(hear, channels, in_map)
        self.out_channels = opened_outputs(play, channels, out_map)
        self._out = PortStream(
            play.name, None, play, self.sample_rate, out_channels=self.out_channels
        )
        self._in = PortStream(hear.name, hear, None, self.sample_rate, self.in_channels)
        self.name = f"{hear.name} ⇢ {play.name}"
        self.input_name, self.output_name = hear.name, play.name
        self.input_latency = self.output_latency = 0
        try:
            self._in_block = self._probe()
        except DeviceError:
            if hear.default_sample_rate == self.sample_rate:
                raise
            self._in.sample_rate = hear.default_sample_rate
            self._in_block = self._probe()
        self.block_size = negotiate(self._out, block_size, 0, self.out_channels)
        self.drift: Drift | None = None
        self._memory: InputMemory | None = None

    def _probe(self) -> int:
        """The most the input hands over at once."""
        memory = InputMemory(self.in_channels)
        self._in.listen(int(input_callback().address), memory.address, PROBE_SECONDS)
        if not memory.record["callbacks"]:
            raise DeviceError(
                f"{self._in.name} opened but never brought sound; is its server running?"
            )
        return int(memory.record["max_seen_block"])

    def cross(self, channels: int, in_map: Sequence[int] | None = None) -> None:
        """Make the crossing for an engine of so many channels."""
        rate = self._in.sample_rate
        margin = max(32, round(MARGIN_SECONDS * rate))
        block = self.block_size or UNKNOWN_BLOCK
        self.drift = Drift(rate, self.sample_rate, channels, self._in_block, block, margin)
        self._memory = InputMemory(self.in_channels, channels, in_map, self.drift)

    @property
    def largest_block(self) -> int:
        """The most a callback brings [samples]."""
        return self.block_size or UNKNOWN_BLOCK

    def open(self, callback: int, record: int, lockstep: bool, tail: int = 0) -> None:
        """Open both streams; `lockstep` and `tail` have no meaning in real time."""
        assert self._memory is not None, "cross() comes first"
        self._in.open(int(input_callback().address), self._memory.address)
        self._out.open(callback, record)
        ratio = self.sample_rate / self._in.sample_rate
        self.input_latency = round(self._in.input_latency * ratio)
        self.output_latency = self._out.output_latency

    def start(self) -> None:
        """Start both streams, the input first."""
        self._in.start()
        self._out.start()

    def stop(self) -> None:
        """Stop and close both streams."""
        self._out.stop()
        self._in.stop()

    @property
    def active(self) -> bool:
        """Whether PortAudio still calls both."""
        return self._in.active and self._out.active

    @property
    def error(self) -> BaseException | None:
        """Set when either stream ended without being asked to."""
        return self._out.error or self._in.error

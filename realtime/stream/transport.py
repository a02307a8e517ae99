"""What a session needs of a device, simulated or real."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from ..dsp.drift_record import Drift

UNKNOWN_BLOCK = 1024  # samples; assumed largest callback where sizes vary


class Transport(Protocol):
    """Calls a stream callback with blocks of sound.

    Attributes
    ----------
    block_size : int or None [samples]
        What each callback brings; ``None`` when that varies.
    input_latency, output_latency : int [samples]
        As reported by the driver (0 for a simulated device).
    drift : Drift or None
        The crossing from the input device's clock to the output's, where the two differ.
    """

    name: str
    sample_rate: int
    block_size: int | None
    in_channels: int
    out_channels: int
    paced: bool

    @property
    def largest_block(self) -> int:
        """The most a callback brings, as far as that is known beforehand [samples]."""

    @property
    def input_latency(self) -> int:
        """As reported by the driver [samples]."""

    @property
    def output_latency(self) -> int:
        """As reported by the driver [samples]."""

    @property
    def drift(self) -> Drift | None:
        """The crossing between two clocks, if there are two."""

    def cross(self, channels: int, in_map: Sequence[int] | None = None) -> None:
        """Lay out the crossing between two clocks, where there are two; before :meth:`open`."""

    def open(self, callback: int, record: int, lockstep: bool, tail: int = 0) -> None:
        """Prepare to call the C function at `callback` with `record` as its user data.

        `lockstep` asks a device with virtual time to wait for the worker after each block; one
        whose sound ends gives `tail` samples of silence after it, to hear out the latency.
        """

    def start(self) -> None:
        """Begin calling."""

    def stop(self) -> None:
        """Stop calling; returns when no call is under way any more."""

    @property
    def active(self) -> bool:
        """Whether the device still calls."""

    @property
    def error(self) -> BaseException | None:
        """What ended the device early."""


@runtime_checkable
class Follower(Protocol):
    """A device whose callbacks may come to bring blocks of another size while it plays."""

    def follow(self, block: int) -> bool:
        """Callbacks bring `block` samples from now on (control thread).

        Returns
        -------
        bool
            Whether the stream is to be fitted to it; latencies have been read anew then.
        """

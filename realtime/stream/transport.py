"""What a session needs of a device, simulated or real."""

from __future__ import annotations

from typing import Protocol

from ..dsp.drift_record import Drift


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
    def input_latency(self) -> int:
        """As reported by the driver [samples]."""

    @property
    def output_latency(self) -> int:
        """As reported by the driver [samples]."""

    @property
    def drift(self) -> Drift | None:
        """The crossing between two clocks, if there are two."""

    def open(self, callback: int, record: int, lockstep: bool) -> None:
        """Prepare to call the C function at `callback` with `record` as its user data.

        `lockstep` asks a device with virtual time to wait for the worker after each block.
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

"""What a stream is asked to be: one frozen value, checked when it is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..dsp.dynamics import db_to_gain
from ..errors import ConfigError, nearest

LANES = ("auto", "inline", "worker")


@dataclass(frozen=True)
class StreamConfig:
    """Settings of one stream.

    Attributes
    ----------
    lane : str
        ``inline`` runs the engine in the audio callback, ``worker`` in a thread behind two rings,
        ``auto`` chooses by measurement.
    mix : float
        0 dry .. 1 wet.
    input_gain_db, output_gain_db : float [dB]
    controls : mapping
        Model controls by name.
    worker_blocks : int
        Device blocks of slack the worker lane is given on top of the adapter's minimum.
    """

    lane: str = "auto"
    mix: float = 1.0
    input_gain_db: float = 0.0
    output_gain_db: float = 0.0
    controls: Mapping[str, float] = field(default_factory=dict)
    worker_blocks: int = 1

    def __post_init__(self) -> None:
        if self.lane not in LANES:
            raise ConfigError(
                f"lane must be one of {', '.join(LANES)}, got '{self.lane}'"
                f"{nearest(self.lane, LANES)}"
            )
        if not 0.0 <= self.mix <= 1.0:
            raise ConfigError(f"mix must be within 0..1, got {self.mix:g}")
        for name in ("input_gain_db", "output_gain_db"):
            if not -100.0 <= getattr(self, name) <= 24.0:
                raise ConfigError(f"{name} must be within -100..24 dB, got {getattr(self, name):g}")
        if not 1 <= self.worker_blocks <= 64:
            raise ConfigError(f"worker_blocks must be within 1..64, got {self.worker_blocks}")

    @property
    def input_gain(self) -> float:
        """Amplitude factor."""
        return db_to_gain(self.input_gain_db)

    @property
    def output_gain(self) -> float:
        """Amplitude factor."""
        return db_to_gain(self.output_gain_db)

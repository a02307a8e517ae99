"""Latency, always an integer number of samples, part by part.

A part is *algorithmic* (computed from the method), *buffering* (samples that wait for a full hop)
or *device* (what the sound card and its driver add, reported by the driver or measured).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd

from ..errors import ConfigError


def adapter_latency(hop_length: int, block_size: int | None) -> int:
    """Return the least pre-fill that lets `hop_length` steps serve `block_size` callbacks.

    Parameters
    ----------
    hop_length : int > 0 [samples]
        What the converter advances by.
    block_size : int > 0 [samples] or None
        What the device hands over each time; ``None`` when that varies from call to call.

    Returns
    -------
    int [samples]
        ``hop - gcd(block, hop)`` for a constant size, ``hop - 1`` for varying sizes.  It is the
        minimum: after `k` callbacks ``k*block`` samples are due and the largest number the
        converter can be short of is ``max(k*block mod hop)``, a multiple of the gcd.
    """
    if hop_length < 1:
        raise ConfigError(f"hop_length must be at least 1 sample, got {hop_length}")
    if block_size is None:
        return hop_length - 1
    if block_size < 1:
        raise ConfigError(f"block_size must be at least 1 sample, got {block_size}")
    return hop_length - gcd(block_size, hop_length)


@dataclass(frozen=True)
class LatencyPart:
    """One named share of the budget, in samples."""

    name: str
    samples: int
    kind: str  # "algorithmic" | "buffering" | "device"


@dataclass(frozen=True)
class LatencyBudget:
    """All parts of the way from the input jack to the output jack.

    Attributes
    ----------
    sample_rate : int [Hz]
    parts : tuple of LatencyPart
        In the order in which sound passes them.
    """

    sample_rate: int
    parts: tuple[LatencyPart, ...]

    def total(self, *kinds: str) -> int:
        """Sum of the parts of the given kinds, of all parts when none is given [samples]."""
        return sum(p.samples for p in self.parts if not kinds or p.kind in kinds)

    @property
    def declared(self) -> int:
        """What restyle itself adds: everything but the device [samples]."""
        return self.total("algorithmic", "buffering")

    def milliseconds(self, samples: int) -> float:
        """Convert samples of this budget's rate to milliseconds."""
        return 1000.0 * samples / self.sample_rate

    def to_dict(self) -> dict[str, object]:
        """Return the budget as plain data, in samples and milliseconds."""
        return {
            "sample_rate": self.sample_rate,
            "parts": [
                {
                    "name": p.name,
                    "kind": p.kind,
                    "samples": p.samples,
                    "ms": round(self.milliseconds(p.samples), 4),
                }
                for p in self.parts
            ],
            "declared_samples": self.declared,
            "declared_ms": round(self.milliseconds(self.declared), 4),
            "total_samples": self.total(),
            "total_ms": round(self.milliseconds(self.total()), 4),
        }

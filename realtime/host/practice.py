"""Play a moment of silence through both lanes, so that nothing is compiled once sound runs."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..session.config import StreamConfig
from ..stages.chain import Chain


def practise(session: Any, device: Any) -> None:
    """Run every lane once in virtual time with the given session and simulated device classes."""
    silence = np.zeros((1, 512), dtype=np.float32)
    for lane, chain in (("inline", None), ("worker", None), ("worker", Chain())):
        with session(StreamConfig(lane=lane), device(silence, 48_000, 64), post=chain) as played:
            played.wait()

"""Make voices: warm up and measure a path, choose its lane, size its buffers."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np

from ..engine.latency import adapter_latency
from ..engine.path import UNHEARD, Path
from ..errors import ConfigError
from ..stream.transport import Transport
from ..stream.voice import Voice
from ..stream.worker import Worker
from .sound import LANES

INLINE_LIMIT = 0.6  # share of a block's time the slowest measured callback may take
DEADLINE = 0.9  # share of a block's time after which the governor counts an overrun
WARM_HOPS = 1000
PYTHON_SHARE = 50  # percent; Python stages take longer to measure and are warm sooner


@dataclass(frozen=True)
class Playable:
    """A voice, its worker (none in the inline lane), and why it runs in its lane.

    Attributes
    ----------
    need_us : float
        What a callback's worth of hops took at p99.9 while warming up.
    """

    voice: Voice
    worker: Worker | None
    reason: str
    need_us: float


def make_voice(
    path: Path,
    device: Transport,
    *,
    lane: str = "auto",
    worker_blocks: int = 1,
    identity: int = 1,
    fixed_latency: int | None = None,
) -> Playable:
    """Warm `path` up and build a voice around it.

    Parameters
    ----------
    path : Path
        Set to the device's block size.
    lane : str
        ``inline``, ``worker`` or ``auto``.
    worker_blocks : int
        Device blocks of slack the worker lane is given on top of the least.
    fixed_latency : int [samples], optional
        Buffering and algorithmic latency to fill up to, whatever plays.

    Raises
    ------
    ConfigError
        Settings that contradict each other, or a fixed latency that is too short.
    """
    hop_us = warm_up(path, WARM_HOPS if device.paced else WARM_HOPS // 10)
    block = device_block(path, device) or path.hop
    need = math.ceil(block / path.hop) * hop_us
    mode, reason = choose_lane(path, lane, device, need)
    prefill = _worker_prefill(path, worker_blocks, device) if mode == "worker" else None
    least = path.latency + (path.prefill if prefill is None else prefill)
    if fixed_latency is not None:
        if fixed_latency < least:
            raise ConfigError(
                f"a fixed latency of {fixed_latency} samples is too short: these stages need"
                f" {least} in the {mode} lane; choose --fixed-latency {least} or more"
            )
        if prefill is None:
            path.set_block_size(path.block_size, fixed_latency - least)
        else:
            prefill += fixed_latency - least
    _set_deadline(path, device, mode)
    voice = Voice(path, prefill, identity, device.sample_rate)
    worker = Worker(voice, device.paced) if mode == "worker" else None
    return Playable(voice, worker, reason, need)


def again(playable: Playable, device: Transport, identity: int) -> Playable:
    """A new voice around a path that has played and been reset, in the same lane."""
    old = playable.voice
    voice = Voice(old.path, old.prefill, identity, device.sample_rate)
    worker = Worker(voice, device.paced) if playable.worker is not None else None
    return Playable(voice, worker, playable.reason, playable.need_us)


def device_block(path: Path, device: Transport) -> int | None:
    """What a callback brings, at most, in samples of the path's rate; None if that varies."""
    if device.block_size is None:
        return None
    return math.ceil(device.block_size * path.sample_rate / device.sample_rate)


def warm_up(path: Path, hops: int = WARM_HOPS) -> float:
    """Compile, touch memory and measure hops on quiet noise; then forget it all.

    Measured in the thread's own processor time: what other programs take away is no cost of
    ours, and the callback has a higher priority than they.

    Returns
    -------
    float [microseconds]
        A hop's p99.9.
    """
    rng = np.random.default_rng(0)
    block = (1e-3 * rng.standard_normal((path.channels, path.hop))).astype(np.float32)
    spent = []
    path.record["start"] = UNHEARD  # nothing of it is to be kept
    for _ in range(max(20, hops if path.native else hops * PYTHON_SHARE // 100)):
        fresh = block.copy()
        begin = time.thread_time_ns()
        path.run(fresh)
        spent.append(time.thread_time_ns() - begin)
    path.record["start"] = 0
    path.reset()
    steady = spent[len(spent) // 4 :]  # the first ones compile and fill caches
    return float(np.quantile(steady, 0.999)) / 1000


def choose_lane(path: Path, lane: str, device: Transport, need_us: float) -> tuple[str, str]:
    """The lane, and why, in one sentence."""
    if lane not in LANES:
        raise ConfigError(f"lane must be one of {', '.join(LANES)}, got '{lane}'")
    if lane == "inline" and not path.native:
        raise ConfigError(
            "the inline lane cannot run effects and plug-ins of pedalboard (they need Python);"
            " choose --lane worker or auto, or leave them out"
        )
    if lane != "auto":
        return lane, "as asked"
    if not path.native:
        return "worker", "a stage needs Python"
    if not device.paced:
        return "inline", "virtual time: no deadline"
    block = device_block(path, device) or path.hop
    period = 1e6 * block / path.sample_rate
    verdict = (
        f"{math.ceil(block / path.hop)} hop(s) took {need_us:.0f} µs at p99.9, the limit"
        f" is {100 * INLINE_LIMIT:.0f} % of the block's {period:.0f} µs"
    )
    return ("inline" if need_us <= INLINE_LIMIT * period else "worker"), verdict


def _worker_prefill(path: Path, worker_blocks: int, device: Transport) -> int:
    block, length = path.block_size, path.hop
    largest = device_block(path, device)
    largest = largest or device.largest_block
    slack = max(largest, length) if block else length + largest
    return adapter_latency(length, block) + worker_blocks * slack


def _set_deadline(path: Path, device: Transport, mode: str) -> None:
    """Give the governor a hop's share of the time there is; none where nothing is paced."""
    if not device.paced:
        return
    hop = path.hop
    length = hop if mode == "worker" else min(hop, device_block(path, device) or hop)
    path.set_deadline(DEADLINE * length / path.sample_rate)

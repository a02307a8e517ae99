"""Make voices: warm up and measure a path, choose its lane, size its buffers."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np

from ..engine.engine import Engine
from ..engine.latency import adapter_latency
from ..errors import ConfigError
from ..stream.path import BlockPath
from ..stream.transport import Transport
from ..stream.voice import Voice
from ..stream.worker import Worker
from .config import StreamConfig

INLINE_LIMIT = 0.6  # share of a block's time the slowest measured callback may take
DEADLINE = 0.9  # share of a block's time after which the governor counts an overrun
WARM_HOPS = 1000
UNKNOWN_BLOCK = 1024  # samples; assumed largest callback where sizes vary


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
    path: BlockPath,
    config: StreamConfig,
    device: Transport,
    *,
    identity: int = 1,
    fixed_latency: int | None = None,
) -> Playable:
    """Warm `path` up and build a voice around it.

    Parameters
    ----------
    path : BlockPath
        Its engine is set to the device's block size.
    fixed_latency : int [samples], optional
        Buffering and algorithmic latency to fill up to, whatever the model.

    Raises
    ------
    ConfigError
        Settings that contradict each other, or a fixed latency that is too short.
    """
    hop_us = warm_up(path, WARM_HOPS if device.paced else WARM_HOPS // 10)
    block = model_block(path.engine, device) or path.engine.hop_length
    need = math.ceil(block / path.engine.hop_length) * hop_us
    mode, reason = choose_lane(path, config, device, need)
    prefill = _worker_prefill(path, config, device) if mode == "worker" else None
    least = path.latency + (path.engine.prefill if prefill is None else prefill)
    if fixed_latency is not None:
        if fixed_latency < least:
            raise ConfigError(
                f"a fixed latency of {fixed_latency} samples is too short: this model and chain"
                f" need {least} in the {mode} lane; choose --fixed-latency {least} or more"
            )
        if prefill is None:
            path.engine.set_block_size(path.engine.block_size, fixed_latency - least)
        else:
            prefill += fixed_latency - least
    _set_deadline(path.engine, device, mode)
    voice = Voice(path, prefill, identity, device.sample_rate)
    path.events, path.changed = voice.chain_events, voice.declare
    worker = Worker(voice, device.paced) if mode == "worker" else None
    return Playable(voice, worker, reason, need)


def model_block(engine: Engine, device: Transport) -> int | None:
    """What a callback brings, at most, in samples of the engine's rate; None if that varies."""
    if device.block_size is None:
        return None
    return math.ceil(device.block_size * engine.sample_rate / device.sample_rate)


def warm_up(path: BlockPath, hops: int = WARM_HOPS) -> float:
    """Compile, touch memory and measure blocks on quiet noise; then forget it all.

    Measured in the thread's own processor time: what other programs take away is no cost of
    ours, and the callback has a higher priority than they.

    Returns
    -------
    float [microseconds]
        A hop's p99.9.
    """
    rng = np.random.default_rng(0)
    hop = path.engine.hop_length
    shape = (path.engine.channels, path.block_length)
    block = (1e-3 * rng.standard_normal(shape)).astype(np.float32)
    spent = []
    for _ in range(max(20, hops * hop // shape[1])):
        fresh = block.copy()
        begin = time.thread_time_ns()
        path.process(fresh)
        spent.append(time.thread_time_ns() - begin)
    path.reset()
    steady = spent[len(spent) // 4 :]  # the first ones compile and fill caches
    return float(np.quantile(steady, 0.999)) / 1000 / (shape[1] // hop)


def choose_lane(
    path: BlockPath, config: StreamConfig, device: Transport, need_us: float
) -> tuple[str, str]:
    """The lane, and why, in one sentence."""
    if config.lane == "inline" and not path.native:
        raise ConfigError(
            "the inline lane cannot run a pedalboard chain (it needs Python objects); choose"
            " --lane worker or auto, or leave --chain out"
        )
    if config.lane != "auto":
        return config.lane, "as asked"
    if not path.native:
        return "worker", "the chain needs Python objects"
    if not device.paced:
        return "inline", "virtual time: no deadline"
    engine = path.engine
    block = model_block(engine, device) or engine.hop_length
    period = 1e6 * block / engine.sample_rate
    verdict = (
        f"{math.ceil(block / engine.hop_length)} hop(s) took {need_us:.0f} µs at p99.9, the limit"
        f" is {100 * INLINE_LIMIT:.0f} % of the block's {period:.0f} µs"
    )
    return ("inline" if need_us <= INLINE_LIMIT * period else "worker"), verdict


def _worker_prefill(path: BlockPath, config: StreamConfig, device: Transport) -> int:
    block, length = path.engine.block_size, path.block_length
    largest = model_block(path.engine, device)
    largest = largest or int(getattr(device, "largest_block", UNKNOWN_BLOCK))
    slack = max(largest, length) if block else length + largest
    return adapter_latency(length, block) + config.worker_blocks * slack


def _set_deadline(engine: Engine, device: Transport, mode: str) -> None:
    """Give the governor a hop's share of the time there is; none where nothing is paced."""
    if not device.paced or engine.model is None:
        return
    hop = engine.hop_length
    length = hop if mode == "worker" else min(hop, model_block(engine, device) or hop)
    engine.set_deadline(DEADLINE * length / engine.sample_rate)

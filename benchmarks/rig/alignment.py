"""Latency measured by alignment: by how many samples comes out later what should come out.

Three measurements, all to the sample:

dry
    At ``mix = 0`` the output is the input itself, bit for bit, only later.
wet
    The output is what offline render makes of the input, bit for bit, only later.
impulse
    Independent of what the card says: the first output sample that an impulse changes (waveform
    models), or the peak of an impulse whose frames pass unchanged through the model's own STFT
    geometry (spectrum models; that the network itself does not lag is ``restyle verify``'s part).
    A player answers notes and not samples, so it has none.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from realtime.devices.simulated import SimulatedDevice
from realtime.engine.latency import LatencyBudget
from realtime.engine.path import Path as EnginePath
from realtime.models.card import Card
from realtime.models.catalog import read_entry
from realtime.session.builder import Builder
from realtime.session.render import render_samples
from realtime.session.stream import Stream
from realtime.stages.model import model_path

from .identity import IdentityModel
from .sounds import one_model

Array = npt.NDArray[np.float32]
LANES = ("inline", "worker")
SEGMENT = 48  # samples compared at once
N_SEGMENTS = 12
OK, MISMATCH = "ok", "MISMATCH"


def make_signal(samples: int, sample_rate: int) -> Array:
    """A rising tone with noise that makes every stretch of it unlike any other ``[1, samples]``."""
    t = np.arange(samples) / sample_rate
    seconds = samples / sample_rate
    tone = np.sin(2 * np.pi * (120 * t + 600 / seconds * t**2))
    noise = np.random.default_rng(7).uniform(-0.1, 0.1, samples)
    return (0.3 * tone + noise).astype(np.float32)[None]


def shift_of(tape: Array, reference: Array) -> int | None:
    """By how many samples `tape` lags `reference` ``[n]``, by bit-equal stretches.

    The shift of most stretches counts (a stream may have lost a block here or there); None when
    not one is found.
    """
    windows = np.lib.stride_tricks.sliding_window_view(tape, SEGMENT)
    starts = np.linspace(len(reference) // 3, len(reference) - SEGMENT, N_SEGMENTS).astype(int)
    shifts: list[int] = []
    for start in starts:
        wanted = reference[start : start + SEGMENT]
        if len(np.unique(wanted)) < SEGMENT // 2:  # silence or full scale fits anywhere
            continue
        places = np.flatnonzero(windows[:, 0] == wanted[0])
        places = places[(windows[places] == wanted).all(axis=1)]
        shifts += [int(p) - int(start) for p in places]
    if not shifts:
        return None
    values, counts = np.unique(shifts, return_counts=True)
    return int(values[counts.argmax()])


def offline(model: Path | None, x: Array, rate: int, mix: float) -> Array:
    """What `x` should become, aligned to the input."""
    if model is None or mix == 0.0:
        return x
    path = Builder(1, rate).path(one_model(model, mix=mix))
    try:
        return render_samples(path, x)
    finally:
        path.close()


def declared(budget: LatencyBudget) -> dict[str, int]:
    """Samples of the budget by kind, without the device's."""
    return {
        "buffering": budget.total("buffering"),
        "algorithmic": budget.total("algorithmic"),
        "declared": budget.declared,
    }


def _play(
    x: Array, rate: int, block: int, lane: str, make: Callable[[], EnginePath]
) -> tuple[Array, LatencyBudget]:
    """Stream `x` through a simulated device in virtual time; return tape and budget."""
    device, path = SimulatedDevice(x, rate, block), make()
    stream = Stream(path, device, lane=lane)
    budget = stream.budget
    try:
        stream.start()
        stream.wait()
    finally:
        stream.stop()
        path.close()
    return device.recording[0], budget


def _by_impulse(
    x: Array, rate: int, block: int, lane: str, card: Card | None, make: Callable[[], EnginePath]
) -> int | None:
    if card is not None and card.kind == "player":
        return None
    at = x.shape[1] // 2 + 5
    if card is not None and card.spectrum is not None:
        click = np.zeros_like(x)
        click[0, at] = 0.5
        model = IdentityModel(card)
        tape, _ = _play(click, rate, block, lane, lambda: model_path(model, block_size=block))
        return int(np.abs(tape).argmax()) - at
    struck = x.copy()
    struck[0, at] += 0.3
    tapes = [_play(signal, rate, block, lane, make)[0] for signal in (x, struck)]
    changed = np.flatnonzero(tapes[0] != tapes[1])
    return int(changed[0]) - at if changed.size else -1


def simulated_rows(
    models: list[tuple[str, Path | None]], blocks: list[int], seconds: float
) -> list[dict[str, Any]]:
    """Declared against measured for every (name, path) of `models`; path None passes through."""
    rows = []
    for name, path in models:
        card = read_entry(path).card if path else None
        rate = card.sample_rate if card else 48000
        x = make_signal(int(seconds * rate), rate)
        wanted = {mix: offline(path, x, rate, mix)[0] for mix in ((0.0, 1.0) if path else (1.0,))}
        for block, lane in itertools.product(blocks, LANES):
            found: dict[str, int | None] = {"dry": None}
            equal = True

            for mix, reference in wanted.items():
                make = partial(Builder(1, rate, block).path, one_model(path, mix=mix))
                tape, budget = _play(x, rate, block, lane, make)
                shift = found["wet" if mix else "dry"] = shift_of(tape, reference)
                end = (shift or 0) + len(reference)
                equal &= shift is not None and np.array_equal(tape[shift:end], reference)
            found["impulse"] = _by_impulse(x, rate, block, lane, card, make)
            same = {budget.declared} == {v for v in found.values() if v is not None}
            rows.append(
                {
                    "model": name,
                    "block": block,
                    "lane": lane,
                    **declared(budget),
                    **found,
                    "ms": round(budget.milliseconds(budget.declared), 3),
                    "verdict": OK if same and equal else MISMATCH,
                }
            )
    return rows

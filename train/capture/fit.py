"""Training of a capture, with its ESR on playing it never heard as it goes."""

from __future__ import annotations

import copy
import hashlib
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from realtime.errors import ConfigError
from realtime.parameters.parameter import Parameter

from ..fit.checkpoint import write
from ..fit.soap import Soap
from .network import CaptureNet
from .signal import Signal

Array = npt.NDArray[np.float32]
BATCH, SEGMENT = 8, 8192  # segments a step, samples of each
RATE, LAST_RATE = 1.5e-2, 5e-4  # learning rate at the beginning and at the end
WARM = 30  # steps until the full learning rate
EVERY = 12.0  # seconds between two looks at the held-out part
SHARE = 0.1  # of the time may go into looking
SOFT = 0.05  # of the mean power: softer segments than that do not count more than it
EMPHASIS, EDGE = 0.85, 0.3  # coefficient of the pre-emphasis, weight of its error
GOOD = 1e-3  # ESR that is good enough to stop at
KEPT = "capture-training.pt"


@dataclass(frozen=True)
class Take:
    """A recording and where the knobs stood.

    Attributes
    ----------
    wet : ndarray [shape=(n,), float32]
        Aligned to the signal, see :func:`train.capture.heard.hear`.
    values : tuple of float
        Of the knobs, in their order.
    """

    wet: Array
    values: tuple[float, ...] = ()


@dataclass(frozen=True)
class Look:
    """How far it is: steps, seconds, loss, held-out ESR of the worst take, now and at best."""

    steps: int
    seconds: float
    loss: float
    esr: float
    best: float


@dataclass(frozen=True)
class Fitted:
    """The best network, its held-out ESR of each take, why the training ended, and its looks."""

    network: CaptureNet
    esr: tuple[float, ...]
    steps: int
    seconds: float
    ended: str
    looks: tuple[Look, ...]


def fit(
    signal: Signal,
    takes: Sequence[Take],
    *,
    size: str = "feather",
    knobs: Sequence[Parameter] = (),
    minutes: float = 10.0,
    good: float = GOOD,
    folder: Path | None = None,
    show: Callable[[Look, CaptureNet], None] = lambda look, best: None,
    stopped: Callable[[], bool] = lambda: False,
    clock: Callable[[], float] = time.monotonic,
    seed: int = 1,
) -> Fitted:
    """Learn the gear from its takes.

    Parameters
    ----------
    minutes : float
        Of training, in all runs together.
    good : float
        Held-out ESR to stop at.
    folder : Path, optional
        Where the training is kept at every look, so that the same call goes on there.
    show : callable
        Called at every look, with the best network so far.
    stopped : callable
        Asked after every step; the best so far is returned then.

    Raises
    ------
    ConfigError
        What is kept cannot be read or written.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    x = torch.from_numpy(signal.samples)
    wets = [torch.from_numpy(t.wet) for t in takes]
    begin, end = signal.learn
    power = [float(w[begin:end].square().mean()) for w in wets]
    net = CaptureNet(size, knobs, scale=max(1e-3, 2 * math.sqrt(max(power))))
    places = torch.stack([net.place(t.values) for t in takes])
    optimiser = Soap(net.parameters(), RATE)
    best, best_esr, steps, spent = copy.deepcopy(net), [math.inf], 0, 0.0
    kept = None if folder is None else folder / KEPT
    key = _key(signal, takes, size, knobs)
    if kept is not None and kept.exists():
        found = _resume(kept, key)
        if found is not None:
            net.load_state_dict(found["last"])
            best.load_state_dict(found["best"])
            optimiser.load_state_dict(found["optimiser"])
            best_esr, steps, spent = found["esr"], found["steps"], found["seconds"]
    total, told, looking, ended = 60 * minutes, spent, 0.0, "time"
    loss_sum, loss_count = 0.0, 0
    looks: list[Look] = []
    while spent < total:
        start = clock()
        rate = LAST_RATE + 0.5 * (RATE - LAST_RATE) * (1 + math.cos(math.pi * spent / total))
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1.0, (steps + 1) / WARM)
        batch = _batch(x, wets, places, power, (begin, end), net.reach, rng)
        loss = _loss(net, *batch)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        steps, loss_sum, loss_count = steps + 1, loss_sum + float(loss.detach()), loss_count + 1
        spent += clock() - start
        stop = stopped()
        if stop or spent >= total or spent - told >= max(EVERY, looking / SHARE):
            start = clock()
            esr = [held_out(net, signal, t) for t in takes]
            looking = clock() - start
            if max(esr) < max(best_esr):
                best, best_esr = copy.deepcopy(net), esr
            told = spent
            looks.append(Look(steps, spent, loss_sum / loss_count, max(esr), max(best_esr)))
            show(looks[-1], best)
            loss_sum, loss_count = 0.0, 0
            if kept is not None:
                content = {"key": key, "last": net.state_dict(), "best": best.state_dict()}
                content |= {"optimiser": optimiser.state_dict(), "esr": best_esr}
                write(kept, {**content, "steps": steps, "seconds": spent})
            if stop:
                ended = "stopped"
                break
            if max(best_esr) <= good:
                ended = "good enough"
                break
    return Fitted(best, tuple(best_esr), steps, spent, ended, tuple(looks))


def held_out(net: CaptureNet, signal: Signal, take: Take) -> float:
    """ESR on the held-out part: power of the error over that of the gear's output."""
    begin, end = signal.judge
    target = take.wet[begin:end]
    made = play(net, signal.samples[max(0, begin - net.reach) : end], take.values)[-len(target) :]
    return float(np.sum((made - target) ** 2) / (np.sum(target**2) + 1e-30))


def play(net: CaptureNet, x: Array, values: Sequence[float] = ()) -> Array:
    """The network's sound ``[n]`` of ``x [n]``, after silence; without gradients."""
    padded = torch.from_numpy(np.concatenate([np.zeros(net.reach, np.float32), x]))
    with torch.no_grad():
        parts = []
        for start in range(0, len(x), 1 << 16):
            part = padded[start : start + (1 << 16) + net.reach]
            parts.append(net(part[None], net.place(values)[None])[0].numpy())
    return np.asarray(np.concatenate(parts))


def _batch(
    x: Tensor,
    wets: Sequence[Tensor],
    places: Tensor,
    power: Sequence[float],
    part: tuple[int, int],
    reach: int,
    rng: np.random.Generator,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    which = rng.integers(len(wets), size=BATCH)
    starts = rng.integers(max(0, part[0] - reach), part[1] - reach - SEGMENT, BATCH)
    dry = torch.stack([x[s : s + reach + SEGMENT] for s in starts])
    wet = torch.stack(
        [wets[k][s + reach : s + reach + SEGMENT] for k, s in zip(which, starts, strict=True)]
    )
    scale = torch.tensor([power[k] for k in which])
    return dry, wet, places[torch.from_numpy(which)], scale


def _loss(net: CaptureNet, dry: Tensor, wet: Tensor, place: Tensor, power: Tensor) -> Tensor:
    """ESR of each segment, and of its treble; soft segments count by a part of the mean power."""
    made = net(dry, place)
    rows = []
    for a, b in ((made, wet), (_treble(made), _treble(wet))):
        mean = b.square().mean(dim=1)
        floor = SOFT * power if not rows else SOFT * mean.mean()
        weight = mean + floor + 0.3 * power * (not rows)
        rows.append(((a - b).square().mean(dim=1) / (weight + 1e-12)).mean())
    return rows[0] + EDGE * rows[1]


def _treble(y: Tensor) -> Tensor:
    return y[:, 1:] - EMPHASIS * y[:, :-1]


def _key(signal: Signal, takes: Sequence[Take], size: str, knobs: Sequence[Parameter]) -> str:
    """What a kept training belongs to."""
    whole = hashlib.sha256(signal.samples.tobytes())
    for take in takes:
        whole.update(take.wet.tobytes())
        whole.update(repr(take.values).encode())
    whole.update(repr((size, [k.name for k in knobs], BATCH, SEGMENT, Soap.__name__)).encode())
    return whole.hexdigest()


def _resume(path: Path, key: str) -> dict[str, Any] | None:
    """What is kept, where it is of the same recordings; else None."""
    try:
        found: dict[str, Any] = torch.load(path, weights_only=True)
    except Exception as error:
        raise ConfigError(
            f"{path} cannot be read ({type(error).__name__}); delete it to begin anew"
        ) from None
    return found if found.get("key") == key else None

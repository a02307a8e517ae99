"""Study a trained autoencoder once: statistics of its latent, directions, names, ranges.

The training's recordings alone are heard.  What is found depends on nothing but the weights and
the recordings, and is kept beside the checkpoint, ``.runs/NAME/latent.json``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from realtime.audio_files import whole_file

from ..data.pairs import Pair, PairSet
from ..networks.frames import FrameTransform
from ..networks.latent import FLOOR, LatentNet
from ..networks.weights import fingerprint
from .descriptors import NAMES, describe
from .naming import Knob, name_knobs
from .usage import Usage, principal, usage

Matrix = npt.NDArray[np.float64]
Convert = Callable[[Tensor, Tensor], Tensor]  # sounds and all controls -> sounds
RECORDINGS, SECONDS = 32, 8  # of each kind, from which statistics come
SWEPT, SWEPT_SECONDS, BEGIN = 4, 3, 1  # recordings of a sweep; seconds heard; where they begin
OFFSETS = np.array([-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0])  # deviations
AUDIBLE = 1e-3  # of the loudest frame's power: quieter frames say nothing of a latent
RATE = 48000


@dataclass(frozen=True)
class Study:
    """What is found; lists as JSON holds them."""

    weights: str
    mean: list[float]
    scale: list[float]
    style_mean: list[list[float]]
    style_scale: list[list[float]]
    directions: list[list[float]]  # what a knob at 1 adds
    knobs: list[Knob]
    usage: Usage

    def apply(self, network: LatentNet) -> None:
        """Set the network's buffers."""
        for name in ("mean", "scale", "style_mean", "style_scale", "directions"):
            value = torch.tensor(getattr(self, name), dtype=torch.float32)
            getattr(network, name).copy_(value)

    def save(self, path: Path) -> None:
        """Write JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as partial:
            partial.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")


def kept(path: Path, network: LatentNet) -> Study | None:
    """The study of these very weights, if it was kept."""
    if not path.exists():
        return None
    content = json.loads(path.read_text(encoding="utf-8"))
    if content.get("weights") != fingerprint(network):
        return None
    knobs = [Knob(**k) for k in content.pop("knobs")]
    return Study(**{**content, "knobs": knobs, "usage": Usage(**content.pop("usage"))})


def study(network: LatentNet, convert: Convert, transform: FrameTransform, data: PairSet) -> Study:
    """Study a network (evaluation mode, buffers as built) on the training recordings."""
    dry = _distinct([p for p in data.train if p.dry is not p.wet])
    own: list[list[Pair]] = [[] for _ in range(network.styles)]
    for p in data.train:
        if p.dry is p.wet:
            own[int(np.argmax(p.controls))].append(p)
    z = latents(network, transform, dry[:RECORDINGS])
    styles = [latents(network, transform, found[: RECORDINGS // 2]) for found in own]
    mean, scale = z.mean(axis=0), z.std(axis=0) + 1e-3
    means = np.stack([s.mean(axis=0) for s in styles])
    scales = np.stack([s.std(axis=0) + 1e-3 for s in styles])
    means[:, 0], scales[:, 0] = mean[0], scale[0]  # the level is the player's, not the style's
    found = usage(z, network.blur)
    rows, deviations = principal(z, network.knobs)
    moved = sweep(network, convert, dry[:SWEPT], rows * deviations[:, None], OFFSETS)
    knobs = name_knobs(moved, OFFSETS, found.explained[: network.knobs], NAMES)
    steps = np.array([k.sign * k.reach for k in knobs]) * deviations
    return Study(
        fingerprint(network),
        mean.tolist(),
        scale.tolist(),
        means.tolist(),
        scales.tolist(),
        (rows * steps[:, None]).tolist(),
        knobs,
        found,
    )


def _distinct(pairs: Sequence[Pair]) -> list[Pair]:
    """One pair per input recording, inputs of all kinds near the front."""
    seen: dict[int, Pair] = {}
    for p in pairs:
        seen.setdefault(id(p.dry), p)
    found = list(seen.values())
    order = np.random.default_rng(0).permutation(len(found))
    return [found[i] for i in order]


def latents(network: LatentNet, transform: FrameTransform, pairs: Sequence[Pair]) -> Matrix:
    """Latents of the audible frames of some inputs ``[frames, latent]``."""
    rows = []
    with torch.no_grad():
        for p in pairs:
            n = min(len(p.dry), SECONDS * RATE) // 1024 * 1024
            frames = transform.forward(torch.from_numpy(p.dry[None, :n]))
            power = frames.square().sum(dim=1)
            level = power.mean(dim=2, keepdim=True) + FLOOR
            z, _ = network.encode(power, level, network.initial_state(1)[: len(network.encoder)])
            heard = level[0, :, 0] > AUDIBLE * level.max()
            rows.append(z[0][heard].numpy().astype(np.float64))
    return np.concatenate(rows)


def sweep(
    network: LatentNet, convert: Convert, pairs: Sequence[Pair], steps: Matrix, offsets: Matrix
) -> Matrix:
    """Descriptors of the output while one direction after the other is moved.

    Parameters
    ----------
    steps : ndarray [shape=(directions, latent)]
        What an offset of 1 adds.
    offsets : ndarray [shape=(offsets,)]

    Returns
    -------
    ndarray [shape=(directions, offsets, recordings, descriptors)]
        The recordings' styles take turns.
    """
    before = network.directions.clone()
    network.directions.copy_(torch.tensor(steps, dtype=torch.float32))
    n = (BEGIN + SWEPT_SECONDS) * RATE // 1024 * 1024
    found = np.zeros((len(steps), len(offsets), len(pairs), len(NAMES)))
    with torch.no_grad():
        for index, p in enumerate(pairs):
            x = torch.from_numpy(p.dry[None, :n])
            for k in range(len(steps)):
                controls = torch.zeros(len(offsets), network.n_controls)
                controls[:, index % network.styles] = 1.0
                controls[:, network.styles + k] = torch.tensor(offsets, dtype=torch.float32)
                y = convert(x.expand(len(offsets), -1), controls).numpy()
                for j, sound in enumerate(y):
                    row = describe(sound[BEGIN * RATE :])
                    found[k, j, index] = [row[name] for name in NAMES]
    network.directions.copy_(before)
    return found

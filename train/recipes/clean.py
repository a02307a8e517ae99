"""Clean: speech freed of noise, at 48 kHz, on frames of 2.7 ms."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
import torch
from torch import Tensor

from realtime.models.card import Card
from realtime.parameters.parameter import Parameter

from ..data.examples import noisy
from ..data.manifest import SAMPLE_RATE, Item, rank, read_manifest
from ..data.pairs import Pair, PairSet
from ..data.sets.recordings import SETS, load_set
from ..data.sound.denoise import spectral_gate
from ..losses.speech import speech_distance
from ..networks.cleaner import N_FFT, Cleaner
from ..networks.layers import Streamable, go_on
from .base import Batch, Schedule
from .spectral import Spectral

Array = npt.NDArray[np.float32]
RELIEF_DB = 36.0  # between the loud and the quiet of a recording that is clean enough
MINUTES = 15.0  # of a speaker
SPEECH_LEVEL = 0.1  # RMS
GUARD = 0.1  # see train.losses.speech


SPEECH = "speech-wide"
START = Path(__file__).with_suffix(".npz")  # made by scripts.gtcrn_weights
SHORTEST = 4800  # samples
ANEW = 0.1  # share of rows that begin with a network that has heard nothing
OWN_NOISE_DB = 18.0  # by which a recording's own noise is lowered before it is mixed


def relief(x: Array) -> float:
    """Level of the loudest frames of 20 ms over that of the quietest [dB]."""
    power = np.square(x[: len(x) // 960 * 960].reshape(-1, 960)).mean(axis=1) + 1e-12
    high, low = np.percentile(10 * np.log10(power), (95, 4))
    return float(high - low)


@cache
def clean_speech(split: str) -> list[Array]:
    """Clean recordings at equal level, those of a speaker together, their own noise lowered."""
    folder = SETS / SPEECH
    by_speaker: dict[str, list[Item]] = {}
    for item in read_manifest(folder).items:
        if item.split == split:
            by_speaker.setdefault(item.tags["speaker"], []).append(item)
    found = []
    for _, items in sorted(by_speaker.items()):
        left = MINUTES * 60 * (1.0 if split == "train" else 0.02)
        clips: list[Array] = []
        for item in sorted(items, key=lambda i: rank(i.file)):
            if left <= 0:
                break
            x = soundfile.read(folder / item.file, dtype="float32")[0]
            if len(x) < SHORTEST or relief(x) < RELIEF_DB:
                continue
            clips.append(x * np.float32(SPEECH_LEVEL / np.sqrt(np.mean(x**2) + 1e-12)))
            left -= len(x) / SAMPLE_RATE
        found += quieter(clips)
    return found


def quieter(clips: list[Array]) -> list[Array]:
    """Clips of one speaker with the noise lowered that all of them share."""
    if not clips:
        return []
    whole = spectral_gate(np.concatenate(clips), SAMPLE_RATE, reduction_db=OWN_NOISE_DB)
    return np.split(whole, np.cumsum([len(x) for x in clips])[:-1])


def music(split: str, minutes: float) -> list[Array]:
    """Stretches of twenty seconds of game music, at equal level."""
    tracks = getattr(load_set("game-music"), split)
    length = 20 * SAMPLE_RATE
    found: list[Array] = []
    for turn in range(8):
        for track in sorted(tracks, key=lambda r: rank(r.name)):
            x = track.samples[(turn + 1) * length : (turn + 2) * length]
            if len(found) * 20 >= minutes * 60 or len(x) < length or np.mean(x**2) < 1e-6:
                continue
            found.append(x * np.float32(SPEECH_LEVEL / np.sqrt(np.mean(x**2))))
    return found


def strokes(split: str) -> list[Array]:
    """Keys of a keyboard, a quarter of a second each at most."""
    return [r.samples[:12000] for r in getattr(load_set("keystrokes"), split)]


def noises(split: str, seconds: float = 6.0, most: int = 3) -> list[Array]:
    """Stretches of recorded noise at equal level, at most so many of a recording.

    Shorter recordings come again and again.
    """
    length = int(seconds * SAMPLE_RATE)
    found: list[Array] = []
    known: set[bytes] = set()
    for recording in getattr(load_set("noises"), split):
        x = recording.samples
        begin = x[:SAMPLE_RATE].tobytes()
        if begin in known:  # the same rain falls on several landscapes
            continue
        known.add(begin)
        for k in range(min(most, max(1, len(x) // length))):
            y = np.resize(x[k * length :], length)
            if (power := np.mean(y**2)) > 1e-8:
                found.append(y * np.float32(SPEECH_LEVEL / np.sqrt(power)))
    return found


def joined(split: str, seconds: float = 20.0) -> list[Array]:
    """Clean speech in stretches of about so many seconds, a fifth of a second between clips."""
    gap = np.zeros(SAMPLE_RATE // 5, dtype=np.float32)
    found: list[Array] = []
    parts: list[Array] = []
    clips = clean_speech(split)
    for number, x in enumerate(clips):
        parts += [x, gap]
        if sum(map(len, parts)) >= seconds * SAMPLE_RATE or number == len(clips) - 1:
            found.append(np.concatenate(parts))
            parts = []
    return found


def pools(split: str, minutes: float = 3.5) -> noisy.Pools:
    """Recorded noise of a split, and invented knocks."""
    hits = [np.pad(x, (0, 12000 - len(x))) / (np.abs(x).max() + 1e-6) for x in strokes(split)]
    draw = noisy.Draw(torch.Generator().manual_seed(rank_seed(split)))
    made = noisy.made_strokes(draw, 200, 12000)
    heard = torch.from_numpy(np.stack(hits).astype(np.float32))
    return noisy.Pools(
        torch.from_numpy(np.concatenate(music(split, minutes))),
        torch.cat([heard, made]),
        torch.from_numpy(np.stack(noises(split))),
    )


def rank_seed(text: str) -> int:
    """A seed that depends on the text alone."""
    return int(rank(text) * 2**31)


class Clean(Spectral):
    """Frames in, frames out: gains that turn down all but speech."""

    name, kind, title = "clean", "voice", "Clean"
    summary = "a voice freed of noise"
    limits = (
        "One voice near the microphone: others further away pass in part. A held note alone passes,"
        " quick ones and chords lose level; hum alone passes between words. Echo of the room stays."
    )
    n_fft, hidden, rest = N_FFT, 96, 1.0
    schedule = Schedule(
        minutes=45, steps=450, batch=8, segment=96000, learning_rate=2e-3, average=0.995
    )
    warm_up = 9984

    def network(self) -> Cleaner:
        """A cleaner that hears as GTCRN does."""
        network = Cleaner(self.transform.analysis, hidden=self.hidden)
        with np.load(START) as start:
            network.ear.load_state_dict({k: torch.from_numpy(start[k]) for k in start})
        network.ear.requires_grad_(False)  # it heard more than we have
        return network

    def data(self) -> PairSet:
        """Clean speech to be mixed anew in every step; fixed mixtures for validation and test."""
        train = tuple(Pair(f"speech{i}", x, x, (1.0,)) for i, x in enumerate(joined("train")))
        return PairSet(train, self._mixed("validation"), self._mixed("test"))

    def _mixed(self, split: str, count: int = 16) -> tuple[Pair, ...]:
        draw = noisy.Draw(torch.Generator().manual_seed(rank_seed(f"clean {split}")))
        n = 6 * SAMPLE_RATE
        clips = [x[:n] for x in joined(split, 6.5) if len(x) >= n][:count]
        speech = torch.from_numpy(np.stack(clips))
        dry, wet = noisy.mixtures(draw, speech, pools(split, 1.0))
        return tuple(
            Pair(f"{split}{i}", d.numpy(), w.numpy(), (1.0,))
            for i, (d, w) in enumerate(zip(dry, wet, strict=True))
        )

    def augment(self, batch: Batch, rng: np.random.Generator) -> Batch:
        """Rooms and noise, other ones every time."""
        draw = noisy.Draw(torch.Generator().manual_seed(int(rng.integers(2**62))))
        if self._pools is None:
            self._pools = pools("train")
        dry, wet = noisy.mixtures(draw, batch.dry, self._pools)
        return batch._replace(dry=dry, wet=wet)

    _pools: noisy.Pools | None = None

    def convert(self, network: Streamable, dry: Tensor, controls: Tensor) -> Tensor:
        """Frames in, frames out, overlap-added; in training each row goes on from some state that a
        row of the step before left, so that what is learnt holds for hours and not for a segment.
        """
        frames = self.transform.forward(dry)
        if not network.training:
            return self.transform.inverse(network.offline(frames, controls=controls))
        y, left = network.step(frames, go_on(network, frames, self.carried, ANEW), controls)
        self.carried = [state.detach() for state in left]
        return self.transform.inverse(y)

    def loss(self, y: Tensor, target: Tensor) -> Tensor:
        """Compressed spectra, what is lost of the speech weighing a little more."""
        return speech_distance(y, target, GUARD)

    def objection(self, y: Tensor, x: Tensor) -> Tensor:
        """Lines, hum and hiss, in the units of this loss."""
        return super().objection(y, x) * 0.07

    def sources(self) -> list[dict[str, Any]]:
        """Speech and recorded noise; all other noise is invented."""
        names = (SPEECH, "noises", "game-music", "keystrokes")
        rows = [row for name in names for row in read_manifest(SETS / name).provenance()]
        return [
            {
                "source": "GTCRN's weights, by Xiaobin Rong (train/recipes/clean.txt)",
                "licence": "MIT",
            },
            *rows,
            {"source": "rooms and noise by rule (train.data.examples.noisy)", "licence": "CC0-1.0"},
        ]

    def card(
        self, network: Streamable, metrics: dict[str, Any], provenance: dict[str, Any]
    ) -> Card:
        """One control."""
        card = super().card(network, metrics, provenance)
        return replace(card, controls=(Parameter("strength", 0.0, 1.0, 1.0),))

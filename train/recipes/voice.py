"""Voices: a hand-held radio set, and a whisper made of breath."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..data.examples import teachers
from ..data.examples.voices import speech_pairs, taught
from ..data.examples.whisper import PRE_EMPHASIS, whisper
from ..data.pairs import Pair, PairSet, Teacher, teacher_pairs
from ..data.scores.render import SAMPLE_RATE
from ..data.sets.recordings import RecordingSet, load_set
from ..data.sound.augment import Augment
from ..losses import mel_distance
from .base import Batch, Schedule
from .effect import BAND
from .spectral import Spectral
from .waveform import Waveform

# what asks for no licence in return, some of each language: tags, minutes
SPEECH = (
    ({"language": "it"}, 9.0),
    ({"language": "ru"}, 9.0),
    ({"speaker": "flite rms"}, 5.0),
    ({"speaker": "flite slt"}, 5.0),
    ({"speaker": "flite awb"}, 5.0),
)
RADIO, WHISPER = "radio 1", f"world whisper {PRE_EMPHASIS}"  # what the teachers' cache is kept by


def speech() -> list[RecordingSet]:
    """Recordings of the set ``speech``: Italian, Russian, and English from a synthesiser."""
    return [load_set("speech", minutes, tags=tags) for tags, minutes in SPEECH]


def provenance() -> list[dict[str, Any]]:
    """Their sources and licences."""
    return [row for part in speech() for row in part.provenance()]


def sentences(teacher: Teacher, version: str) -> dict[str, tuple[Pair, ...]]:
    """Test sentences whose text is known, read by people and by voices no training had."""
    heard = [
        *load_set("speech", tags={"speaker": "LibriVox reader"}).test,
        *load_set("speech", tags={"speaker": "flite kal16"}).test[:15],
    ]
    pairs = []
    for recording in heard:
        begin = np.zeros(SAMPLE_RATE // 2, dtype=np.float32)
        level = np.float32(0.5 / np.abs(recording.samples).max())
        dry = np.concatenate([begin, recording.samples * level, begin])
        wet = taught(dry, teacher, version)
        pairs.append(Pair(f"speech {recording.name}", dry, wet, text=recording.tags["text"]))
    return {"sentences": tuple(pairs)}


class RadioVoice(Waveform):
    """A voice through a hand-held set; instruments too, so that any sound is narrowed."""

    name, kind, title = "radio-voice", "voice", "Radio voice"
    summary = "voice through an overdriven hand-held radio"
    limits = "No static and no drop-outs; those are chance, not a style."
    schedule = Schedule(minutes=9, batch=12, segment=8192, learning_rate=4e-3, average=0.995)

    def data(self) -> PairSet:
        """About half an hour of speech and 20 scores, through the teacher."""
        tunes = teacher_pairs(20, 24.0, BAND, teachers.radio, seed=55000)
        return _splits(teachers.radio, RADIO, tunes)

    def outside(self) -> dict[str, tuple[Pair, ...]]:
        """Sentences with their text."""
        return sentences(teachers.radio, RADIO)

    def sources(self) -> list[dict[str, Any]]:
        """Speech beside the scores."""
        return [*super().sources(), *provenance()]


class Whisper(Spectral):
    """A whisperer: what is voiced goes, breath from the noise table takes its shape."""

    name, kind, title = "whisper", "voice", "Whisper"
    summary = "voice becomes a whisper"
    limits = (
        "The training's speech ends at 8 kHz, so the whisper is dull above. Music turns into shaped"
        " noise; the breath repeats after 44 s, which nobody notices. Breath is chance: two takes"
        " of the teacher's own whisper differ by STFT distance about as much as an equalised voice"
        " and a whisper do, so that figure says little here; voiced and word errors say more."
    )
    narrow, wide, hidden, dilations = 96, 48, 112, (1, 2, 4, 8, 16)
    noise, dry = True, False  # given the voice, it would keep it: a mask is easier than breath
    schedule = Schedule(
        minutes=15, steps=2500, batch=8, segment=32768, learning_rate=2e-3, average=0.995
    )
    dirt = Augment(gain_db=(-18.0, 9.0), noise=0.3, noise_db=(25.0, 60.0), fill=0.5)

    def data(self) -> PairSet:
        """About half an hour of speech and what WORLD makes of it."""
        return _splits(whisper, WHISPER)

    def outside(self) -> dict[str, tuple[Pair, ...]]:
        """Sentences with their text."""
        return sentences(whisper, WHISPER)

    def sources(self) -> list[dict[str, Any]]:
        """Speech alone."""
        return provenance()

    def loss(self, y: Tensor, target: Tensor) -> Tensor:
        """Band energies, since breath has no fine structure to match; a little of the bins."""
        return mel_distance(y, target) + 0.2 * super().loss(y, target)

    def augment(self, batch: Batch, rng: np.random.Generator) -> Batch:
        """Any level, some with background noise, half with a band above the recordings'."""
        dry, wet = self.dirt(batch.dry.numpy(), batch.wet.numpy(), rng)
        return batch._replace(dry=torch.from_numpy(dry), wet=torch.from_numpy(wet))


def _splits(teacher: Teacher, version: str, more: PairSet | None = None) -> PairSet:
    """Pairs of speech, every source in every split, and more if there are."""
    parts = speech()
    made: dict[str, tuple[Pair, ...]] = {}
    for split in ("train", "validation", "test"):
        made[split] = getattr(more, split) if more else ()
        for number, part in enumerate(parts):
            found = speech_pairs(getattr(part, split), teacher, version, seed=number)
            made[split] += tuple(
                Pair(f"speech{number}-{p.name}", p.dry, p.wet, p.controls) for p in found
            )
    return PairSet(made["train"], made["validation"], made["test"])

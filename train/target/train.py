"""``restyle train voice``: recordings of one person, who agrees to it, become a target voice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from realtime.audio_files import Clip, check_absent, whole_file
from realtime.errors import ConfigError
from realtime.presets.format import Preset, to_dict
from realtime.presets.toml import to_toml
from realtime.session.render import render
from realtime.session.sound import Macro, Sound, Stage

from ..data.examples.voices import kept
from ..data.manifest import SAMPLE_RATE
from ..data.pairs import Pair, PairSet
from ..data.sound.augment import Augment
from ..data.sound.world import Spoken, analysed, pitch_of
from ..fit.loop import Options
from ..fit.settings import apply
from ..judging.judges import voice as judge
from ..losses import mel_distance, stft_distance
from ..own.compare import Row, judges_are_here
from ..own.keep import Origin, check_out
from ..own.paired import Shaped, dressed, learn
from ..player import play
from ..recipes import check_free
from ..recipes.base import Batch, Schedule, random_colour
from .sentences import Array, Sentence, read_sentences, say, speakers
from .transplant import median_pitch, transplanted

RUN = "restyle train voice"
LIMITS = (
    "Experimental. It gives a voice the target's colour, not its melody, its accent or its way of"
    " speaking; the pitch is the speaker's own, moved by a knob. Above 8 kHz little was learnt."
)
SAID_BY, HELD_BY = 6, 2  # synthesised speakers of each sentence, and of those that are held out
SHIFT_MOST = 12.0  # semitones, VoiceShift's
LIKE = 30  # pairs whose wet sound stands for the target's voice
JITTER, FORMANTS = 1.0, 2.5  # semitones by which pitch and formants of the speakers are varied
PAUSE_S = 0.2  # of silence around a sentence
AGREED = 12  # letters that a consent has at least
COLOUR_DB = 5.0  # of the microphones that are imagined
SIZES = (-4.0, 4.0)  # semitones that the knob for the size of who speaks may move


class Target(Shaped):
    """A voice towards another: the frame network of instruments, narrower."""

    narrow, wide, hidden, dilations = 96, 48, 128, (1, 2, 4, 8, 16, 32)
    limits = LIMITS
    schedule = Schedule(
        minutes=30, steps=1000, batch=8, segment=32768, learning_rate=2e-3, average=0.995
    )
    dirt = Augment(gain_db=(-18.0, 9.0), noise=0.3, noise_db=(25.0, 60.0))

    def loss(self, y: Tensor, target: Tensor) -> Tensor:
        """Bins, and the energies of bands, which are what an ear has of a voice's colour."""
        return stft_distance(y, target) + mel_distance(y, target)

    def augment(self, batch: Batch, rng: np.random.Generator) -> Batch:
        """Any level, any microphone, some with noise behind the voice."""
        batch = batch._replace(dry=random_colour(batch.dry, rng, COLOUR_DB))
        dry, wet = self.dirt(batch.dry.numpy(), batch.wet.numpy(), rng)
        return batch._replace(dry=torch.from_numpy(dry), wet=torch.from_numpy(wet))


def shifted(x: Array, pitch: float, formants: float) -> Array:
    """What VoiceShift makes of ``x [n]``, its latency taken off."""
    stage = Stage(
        effect="VoiceShift",
        parameters={"pitch_semitones": pitch, "formant_semitones": formants},
    )
    return np.asarray(render(Sound((stage,)), Clip(x[None], SAMPLE_RATE)).samples[0])


def make_pairs(sentences: Sequence[Sentence], log: Callable[[str], None]) -> tuple[PairSet, float]:
    """Every sentence said by several others, moved to the target's pitch; and that pitch [Hz].

    Whole sentences are held out: each tenth to stop by, each other tenth to judge by.

    Raises
    ------
    ConfigError
        Nobody there who could say them, or recordings without a voice.
    """
    everybody = speakers()
    targets = [analysed(s.samples) for s in sentences]
    pitch = median_pitch([t.pitch for t in targets])
    log(f"{len(sentences)} sentences at {pitch:.0f} Hz; {len(everybody)} speakers say them, too")
    parts: tuple[list[Pair], list[Pair], list[Pair]] = ([], [], [])
    for number, (sentence, target) in enumerate(zip(sentences, targets, strict=True)):
        rng = np.random.default_rng([number, 17])
        place = {8: 1, 9: 2}.get(number % 10, 0)
        for who in rng.permutation(everybody)[: HELD_BY if place else SAID_BY]:
            chance = (
                int(rng.integers(20, 80)),
                rng.normal(0.0, JITTER),
                rng.uniform(-FORMANTS, FORMANTS),
            )
            both = _said(str(who), sentence, target, pitch, chance)
            if both is not None:
                parts[place].append(Pair(f"{sentence.name} {who}", *both, text=sentence.text))
        if number % 10 == 9:
            log(f"{number + 1} of {len(sentences)} sentences")
    return PairSet(*(tuple(p) for p in parts)), pitch


def _said(
    who: str, sentence: Sentence, target: Spoken, pitch: float, chance: tuple[int, float, float]
) -> tuple[Array, Array] | None:
    """A sentence by another speaker, and with the target's envelope; kept on disk.

    None where the speaker has no pitch.  `chance` is espeak-ng's pitch, then by how many semitones
    pitch and formants are off.
    """

    def make() -> Array:
        x = say(who, sentence.text, chance[0])
        own = pitch_of(x)
        if not (own > 0).any():
            return np.zeros((0, 2), dtype=np.float32)
        move = 12.0 * np.log2(pitch / median_pitch([own])) + chance[1]
        x = shifted(x, float(np.clip(move, -SHIFT_MOST, SHIFT_MOST)), chance[2])
        y = transplanted(x, analysed(x), target)
        pause = round(PAUSE_S * SAMPLE_RATE)
        return np.pad(np.stack([x, y], axis=1), ((pause, pause), (0, 0)))

    what = f"target voice 2 {who} {sentence.text} {pitch!r} {chance!r}"
    both = kept(what.encode() + sentence.samples.tobytes(), make)
    dry, wet = np.ascontiguousarray(both.T)
    return (dry, wet) if len(both) else None


def preset_of(model: str, pitch: float, consent: str) -> Preset:
    """The voice as a preset: pitch and formants in front of the model, three knobs."""
    stages = (
        Stage(effect="VoiceShift", parameters={"pitch_semitones": 0.0, "formant_semitones": 0.0}),
        Stage(model=model),
    )
    most = (-SHIFT_MOST, SHIFT_MOST)
    knobs = (
        Macro("pitch", {"1.pitch_semitones": most}, *most, 0.0, "st"),
        Macro("size", {"1.formant_semitones": SIZES}, *SIZES, 0.0, "st"),
        Macro("amount", {"2.stage_mix": (0.0, 1.0)}, default=1.0),
    )
    note = f"Speaks at {pitch:.0f} Hz: turn pitch until you do. Experimental. Consent: {consent}"
    return Preset(name=Path(model).stem, note=note, sound=Sound(stages, macros=knobs))


def likeness(data: PairSet, file: Path) -> dict[str, Any]:
    """How like the target those are whose sentences were held out (Resemblyzer's cosine, where one
    voice is above 0.85 or so): before, after, and with the envelopes of the target themselves.
    """
    target = judge.speaker(np.concatenate([p.wet for p in data.train[:LIKE]]))
    heard = {
        "input": [p.dry for p in data.test],
        "model": [play(file, p.dry) for p in data.test],
        "bound": [p.wet for p in data.test],
    }
    cosines = {
        k: float(judge.speaker(np.concatenate(parts)) @ target) for k, parts in heard.items()
    }
    return {"speaker_similarity": {k: round(cosine, 3) for k, cosine in cosines.items()}}


def train_voice(
    folder: Path,
    out: Path,
    consent: str,
    *,
    settings: Sequence[str] = (),
    origin: Origin | None = None,
    force: bool = False,
    options: Options = Options(),
    log: Callable[[str], None] = print,
) -> dict[str, Row]:
    """Read the target's sentences, have others say them, train, judge, write model and preset.

    Parameters
    ----------
    folder : Path
        Recordings ``NAME.wav`` (or another format) with their words in ``NAME.txt``.
    out : Path
        The model, ``NAME.onnx``; beside it ``NAME.toml`` becomes the preset.
    consent : str
        Who is heard, and that they agree: goes into the card and the preset.

    Raises
    ------
    ConfigError
        Bad folder, names, settings, or no consent.
    Worse
        No better than the input or a matched equaliser; nothing is written.
    """
    check_out(out)
    preset = out.with_suffix(".toml")
    check_absent(out, force)
    check_absent(preset, force)
    consent = " ".join(consent.split())
    if len(consent) < AGREED:
        raise ConfigError(
            '--consent must say who is heard and that they agree, such as "I, Ann Example, am'
            f' heard and agree that this model is made and shared"; got "{consent}"'
        )
    check_free(out.stem)
    origin = origin or Origin()
    what = f"folder '{folder.name}'; consent: {consent}"
    schedule, changed = apply(
        dressed(Target, out.stem, "voice", None, origin, what), list(settings)
    )
    for key, value in changed.items():
        log(f"{key} = {value}")
    data, pitch = make_pairs(read_sentences(folder), log)
    style, heard = dressed(Target, out.stem, "voice", data, origin, what), judges_are_here()
    learnt = learn(
        style, data, schedule, options, log, lambda file: likeness(data, file) if heard else {}
    )
    if heard:
        like = learnt.metrics["speaker_similarity"]
        log(
            "like the target, by Resemblyzer: " + ", ".join(f"{k} {v:.2f}" for k, v in like.items())
        )
    told = {"recipe": Target.__name__, "consent": consent, "target_hz": round(pitch, 1)}
    learnt.write(out, told, {"command": RUN})
    with whole_file(preset) as partial:
        partial.write_text(to_toml(to_dict(preset_of(out.name, pitch, consent))), encoding="utf-8")
    log(f"wrote {out} and {preset}; speak through it: restyle live --preset {preset}")
    return learnt.rows

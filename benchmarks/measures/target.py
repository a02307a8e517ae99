"""``python -m benchmarks.measures.target PRESET``: how near a voice comes to its target.

Speakers that no training had say sentences through the preset, moved to the target's pitch: a
reader of LibriVox with known words, and the studio voices of telephone prompts, three of them in
other languages than the target's.  Each figure stands beside that of the input and of VoiceShift
alone: likeness is Resemblyzer's cosine (one voice is above 0.85 or so) to the target's own
recordings, words are counted by pocketsphinx, quality is DNSMOS's.  Needs the judges (``make
judges``) and the set ``speech`` (``restyle train data fetch speech``).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from realtime.audio_files import Clip
from realtime.commands.common import check_writable
from realtime.errors import ConfigError
from realtime.presets.check import Library
from realtime.presets.opening import open_preset
from realtime.session.operations import OWN, Set
from realtime.session.render import render
from realtime.session.sound import Setup, Sound
from train.data.sets.recordings import load_set
from train.data.sound.world import pitch_of
from train.judging.judges import voice as judge
from train.target.sentences import read_sentences
from train.target.transplant import median_pitch

from ..rig.tables import Report, Row, as_command

RATE = 48_000
SPEAKERS = ("LibriVox reader", "Allison Smith", "June Wallack", "Carlo Flora", "ivrvoice.ru")
SECONDS = 15.0  # of each speaker
COLUMNS = {
    "who": "who speaks", "like": "like the target", "before": "before", "shifted": "shifted alone",
    "words": "words wrong", "words_before": "before ", "speech": "DNSMOS overall",
    "speech_before": "before  ", "semitones": "moved by st", "percent": "% of a core",
}  # fmt: skip
Array = npt.NDArray[np.float32]


def spoken(speaker: str) -> tuple[list[Array], list[str]]:
    """Some :data:`SECONDS` of a speaker's recordings, and their words where they are known."""
    found, texts, seconds = [], [], 0.0
    whole = load_set("speech", tags={"speaker": speaker})
    for recording in (*whole.test, *whole.validation, *whole.train):
        x = recording.samples
        if len(x) < 1.5 * RATE:
            continue
        found.append(np.asarray(0.5 * x / np.abs(x).max(), dtype=np.float32))
        texts.append(str(recording.tags.get("text", "")))
        seconds += len(x) / RATE
        if seconds > SECONDS:
            break
    if not found:
        raise ConfigError(f"the set speech has nothing by {speaker}; fetch it anew")
    return found, texts


def row(speaker: str, sound: Sound, pitch: float, target: Array) -> Row:
    """One speaker's figures; the words are None where nobody knows them."""
    said, texts = spoken(speaker)
    own = median_pitch([pitch_of(x) for x in said])
    semitones = float(np.clip(12.0 * np.log2(pitch / own), -12.0, 12.0))
    tuned = Set(OWN, "pitch", semitones).apply(Setup(sound)).sound
    alone = Set(OWN, "amount", 0.0).apply(Setup(tuned)).sound
    begin, used = time.process_time(), sum(len(x) for x in said) / RATE
    made = [render(tuned, Clip(x[None], RATE)).samples[0] for x in said]
    spent = (time.process_time() - begin) / used
    shifted = [render(alone, Clip(x[None], RATE)).samples[0] for x in said]

    def like(parts: Sequence[Array]) -> float:
        return round(float(judge.speaker(np.concatenate(parts)) @ target), 2)

    def words(parts: Sequence[Array]) -> float | None:
        if not all(texts):
            return None
        return round(judge.word_errors(texts, [judge.words(x, RATE) for x in parts]), 2)

    def quality(parts: Sequence[Array]) -> float:
        return round(float(np.mean([judge.quality(x, RATE)["mos_overall"] for x in parts])), 2)

    return {
        "who": speaker,
        "like": like(made),
        "before": like(said),
        "shifted": like(shifted),
        "words": words(made),
        "words_before": words(said),
        "speech": quality(made),
        "speech_before": quality(said),
        "semitones": round(semitones, 1),
        "percent": round(100.0 * spent, 1),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Run it and print it."""
    parser = argparse.ArgumentParser(prog="benchmarks.measures.target", description=__doc__)
    parser.add_argument("preset", type=Path, help="what restyle train voice wrote, NAME.toml")
    parser.add_argument("--target", type=Path, required=True, help="the folder it was trained on")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there")
    options = parser.parse_args(argv)
    check_writable(options.json)
    library = Library()
    sound = library.checked(open_preset(options.preset, library).sound)[0]
    sentences = read_sentences(options.target)[:12]
    target = judge.speaker(np.concatenate([s.samples for s in sentences]))
    pitch = median_pitch([pitch_of(s.samples) for s in sentences])
    report = Report("target", f"python -m benchmarks.measures.target {options.preset}")
    rows = []
    for speaker in SPEAKERS:
        report.progress(speaker)
        rows.append(row(speaker, sound, pitch, target))
    report.table("target", f"Voices through {options.preset.stem}", rows, COLUMNS)
    if options.json is not None:
        report.write(options.json)
    return 0


if __name__ == "__main__":
    as_command(main)

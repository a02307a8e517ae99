"""``restyle bench voice``: what VoiceShift and the bundled voices make of speech, by judges.

Sentences spoken by flite's voices are shifted by the stage itself.  Words are counted by
pocketsphinx, quality is DNSMOS's, pitch SwiftF0's frame by frame, formants Praat's; each figure
stands beside that of the input.  Needs flite, the judges (``make judges``) and Praat's package.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soxr

from realtime.audio_files import read_audio
from realtime.errors import ConfigError
from train.data.sound.decode import decode
from train.judging.judges import voice as judge

from ..rig.alone import made_of
from ..rig.tables import Report, Row
from . import voices_page
from .characters import CHARACTERS, KNOBS, RATE, characters, turned

HOP = 64
SPEAKERS = ("awb", "rms", "slt", "kal16")
SENTENCES = (
    "the birch canoe slid on the smooth planks",
    "glue the sheet to the dark blue background",
    "it is easy to tell the depth of a well",
    "these days a chicken leg is a rare dish",
    "rice is often served in round bowls",
    "the juice of lemons makes fine punch",
    "the box was thrown beside the parked truck",
    "four hours of steady work faced us",
)
CASES: dict[str, dict[str, float]] = {
    "nothing shifted": {},
    "4 down": {"pitch_semitones": -4.0},
    "4 up": {"pitch_semitones": 4.0},
    "8 down": {"pitch_semitones": -8.0},
    "8 up": {"pitch_semitones": 8.0},
    "formants 3 down": {"formant_semitones": -3.0},
    "formants 3 up": {"formant_semitones": 3.0},
    "deeper (-4, -2)": {"pitch_semitones": -4.0, "formant_semitones": -2.0},
    "brighter (4, 2)": {"pitch_semitones": 4.0, "formant_semitones": 2.0},
    "robot": {"robot": 1.0},
    "half breath": {"breath": 0.5},
}
COLUMNS = {
    "what": "what", "words": "words wrong", "speech": "DNSMOS speech", "overall": "DNSMOS overall",
    "cents": "pitch off, cents", "formants": "formants off, %", "level_db": "level dB",
    "percent": "% of a core",
}  # fmt: skip
Array = npt.NDArray[np.float32]


def spoken(speaker: str, text: str) -> Array:
    """A sentence at 48 kHz ``[n]``, peak 0.3."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "said.wav"
        subprocess.run(["flite", "-voice", speaker, "-t", text, "-o", str(out)], check=True)
        found = read_audio(out)
    y = soxr.resample(found.samples[0], found.sample_rate, RATE)
    return np.asarray(0.3 * y / np.abs(y).max(), dtype=np.float32)


def formants(x: Array, ratio: float) -> Array:
    """Medians of the first three where the voice has a pitch [Hz]."""
    import parselmouth

    sound = parselmouth.Sound(x.astype(np.float64), sampling_frequency=RATE)
    found = sound.to_formant_burg(maximum_formant=5250.0 * ratio)
    pitch = sound.to_pitch()
    times = [t for t in pitch.xs() if pitch.get_value_at_time(t) > 0.0]
    return np.array(
        [np.nanmedian([found.get_value_at_time(k, t) for t in times]) for k in (1, 2, 3)]
    )


def cents_off(y: Array, x: Array, ratio: float) -> float:
    """Median distance of the pitch from what was asked for."""
    (hz, voiced, _), (before, spoke, _) = (judge.pitched(v, RATE) for v in (y, x))
    n = min(len(hz), len(before))
    both = voiced[:n] & spoke[:n]
    off = 1200.0 * np.log2(np.maximum(hz[:n], 1.0) / (np.maximum(before[:n], 1.0) * ratio))
    return float(abs(np.median(off[both]))) if both.any() else float("nan")


def measure(sentences: Sequence[str], speakers: Sequence[str]) -> list[Row]:
    """A row for the input and for each case."""
    said = [(text, spoken(speaker, text)) for speaker in speakers for text in sentences]
    rows: list[Row] = [_judged("input", said, [x for _, x in said], {}, 0.0)]
    for what, given in CASES.items():
        made = [made_of(x, "VoiceShift", given) for _, x in said]
        played = sum(len(x) for _, x in said) / RATE
        spent = sum(s for _, s in made) / played
        rows.append(_judged(what, said, [y for y, _ in made], given, spent))
    return rows


def _judged(
    what: str,
    said: Sequence[tuple[str, Array]],
    made: Sequence[Array],
    given: dict[str, float],
    spent: float,
) -> Row:
    pitch = 2.0 ** (given.get("pitch_semitones", 0.0) / 12.0)
    squeeze = 2.0 ** (given.get("formant_semitones", 0.0) / 12.0)
    marks = [judge.quality(y, RATE) for y in made]
    moved = [
        formants(y, squeeze) / formants(x, 1.0) / squeeze
        for (_, x), y in zip(said, made, strict=True)
    ]
    power = [float(np.mean(y**2) / np.mean(x**2)) for (_, x), y in zip(said, made, strict=True)]
    steady = not {"robot", "breath"} & set(given)
    off = [cents_off(y, x, pitch) for (_, x), y in zip(said, made, strict=True)]
    return {
        "what": what,
        "words": round(
            judge.word_errors([t for t, _ in said], [judge.words(y, RATE) for y in made]), 3
        ),
        "speech": round(float(np.mean([m["mos_speech"] for m in marks])), 2),
        "overall": round(float(np.mean([m["mos_overall"] for m in marks])), 2),
        "cents": round(float(np.nanmedian(off)), 1) if steady else None,
        "formants": round(100.0 * abs(float(np.mean(moved)) - 1.0), 1) if steady else None,
        "level_db": round(10.0 * float(np.log10(np.mean(power))), 1),
        "percent": round(100.0 * spent, 1) or None,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print it."""
    parser = argparse.ArgumentParser(prog="restyle bench voice", description=__doc__)
    parser.add_argument("--sentences", type=int, default=len(SENTENCES), help="of each voice")
    parser.add_argument("--only", choices=("shift", "characters"), help="one of the two parts")
    parser.add_argument("--page", type=Path, metavar="FILE", help="only write a page to hear them")
    parser.add_argument("--speech", type=Path, metavar="FILE", help="for --page: one's own words")
    parser.add_argument("--json", metavar="FILE", help="write the result there")
    options = parser.parse_args(arguments)
    if options.speech is not None and options.page is None:
        raise ConfigError("--speech belongs to --page")
    if options.speech is not None:
        return _heard({options.speech.stem: decode(options.speech)}, options.page)
    if not 1 <= options.sentences <= len(SENTENCES):
        raise ConfigError(f"--sentences must be within 1..{len(SENTENCES)}")
    if shutil.which("flite") is None:
        raise ConfigError("flite is not installed (Debian, Ubuntu: apt install flite)")
    if options.page is not None:
        text = ", ".join(SENTENCES[:2])
        return _heard({s: spoken(s, text) for s in SPEAKERS}, options.page)
    report = Report("voice", " ".join(["restyle bench voice", *(arguments or [])]))
    if options.only != "characters":
        rows = measure(SENTENCES[: options.sentences], SPEAKERS)
        report.table("voice", "VoiceShift on speech of four voices", rows, COLUMNS)
        report.note("Latency 24 ms, fixed. Pitch is not judged where it is given up on purpose.")
    if options.only == "shift":
        return _kept(report, options.json)
    said = [(t, spoken(s, t)) for s in SPEAKERS for t in SENTENCES[: options.sentences]]
    report.table("characters", "The voices that come with restyle", characters(said), CHARACTERS)
    report.table("knobs", "What each knob moves, from its minimum up", turned(said), KNOBS)
    return _kept(report, options.json)


def _heard(speakers: dict[str, Array], out: Path) -> int:
    voices_page.write(speakers, out)
    print(f"wrote {out}; open it in a browser")
    return 0


def _kept(report: Report, path: str | None) -> int:
    if path is not None:
        report.write(Path(path))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

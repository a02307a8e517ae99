"""The target's recordings, each with the words that are said in it; and who else says them."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from realtime.errors import AudioFileError, ConfigError

from ..data.manifest import SAMPLE_RATE
from ..data.sound.decode import ENDINGS, decode

Array = npt.NDArray[np.float32]
SHORTEST, LONGEST = 20.0, 30.0  # seconds: of all recordings, of one
FEWEST = 10  # sentences: whole ones are held out
MOST_TEXT = 2000  # letters
PEAK = 0.5
# who says a sentence that the target has said: a program's voice
FLITE = ("kal16", "awb", "rms", "slt")
ESPEAK = ("en-us+m1", "en-gb+m3", "en-us+m5", "en-gb+m7", "en-us+f1", "en-gb+f2", "en-us+f3",
          "en-gb+f5", "en-gb-x-rp", "en-gb-scotland")  # fmt: skip


@dataclass(frozen=True)
class Sentence:
    """What the target says: words, and sound at 48 kHz ``[shape=(n,), float32]``."""

    name: str
    text: str
    samples: Array


def read_sentences(folder: Path) -> list[Sentence]:
    """Every recording of a folder with the words in the text file of the same name.

    Raises
    ------
    ConfigError
        No recordings, too few or too little, one without its words.
    AudioFileError
        One that cannot be read.
    """
    if not folder.is_dir():
        raise ConfigError(f"--target must be a folder of recorded sentences; {folder} is none")
    files = sorted(p for p in folder.iterdir() if p.suffix.lower() in ENDINGS and p.is_file())
    found, seconds = [], 0.0
    for path in files:
        words = path.with_suffix(".txt")
        if not words.is_file():
            raise ConfigError(
                f"{path} has no words; write what is said in it into {words.name}, or take it away"
            )
        try:
            with words.open(encoding="utf-8-sig") as file:
                text = " ".join(file.read(MOST_TEXT + 1).split())
        except UnicodeDecodeError:
            raise ConfigError(f"{words} is no text in UTF-8; save it as such") from None
        if not 1 <= len(text) <= MOST_TEXT:
            raise ConfigError(
                f"{words} must hold what is said in {path.name}, at most {MOST_TEXT} letters;"
                f" it holds {'more' if text else 'nothing'}"
            )
        samples = decode(path)
        length = len(samples) / SAMPLE_RATE
        if length > LONGEST:
            raise ConfigError(
                f"{path} is {length:.0f} s long, {LONGEST:.0f} s are the most; cut it into"
                " sentences, each with its words"
            )
        peak = float(np.abs(samples).max(initial=0.0))
        if not peak > 1e-3:
            raise ConfigError(f"{path} is silence (peak below -60 dB); record it again, louder")
        found.append(Sentence(path.stem, text, samples * np.float32(PEAK / peak)))
        seconds += length
    if len(found) < FEWEST or seconds < SHORTEST:
        raise ConfigError(
            f"{folder} holds {len(found)} sentences, {seconds:.0f} s in all; at least {FEWEST} and"
            f" {SHORTEST:.0f} s are needed, and fifty are good"
        )
    return found


def speakers() -> list[str]:
    """Synthesised speakers that are installed, as ``program voice``.

    Raises
    ------
    ConfigError
        None is.
    """
    found = [f"{p} {v}" for p, vs in (("flite", FLITE), ("espeak-ng", ESPEAK))
             if shutil.which(p) for v in vs]  # fmt: skip
    if not found:
        raise ConfigError(
            "somebody must say the target's sentences, and neither flite nor espeak-ng is"
            " installed; on Debian or Ubuntu run: apt install flite espeak-ng"
        )
    return found


def say(speaker: str, text: str, pitch: int = 50) -> Array:
    """What a synthesised speaker makes of a text, at 48 kHz ``[n]``, peak 0.5.

    Parameters
    ----------
    pitch : int [0..99]
        espeak-ng's own; flite's voices have theirs.

    Raises
    ------
    AudioFileError
        The program failed.
    """
    program, _, voice = speaker.partition(" ")
    text = text.lstrip("-@ ")  # an option's or a file's beginning
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "said.wav"
        if program == "flite":
            command = [program, "-voice", voice, "-t", text, "-o", str(out)]
        else:
            command = [program, "-v", voice, "-p", str(pitch), "-w", str(out), "--", text]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode or not out.is_file():
            raise AudioFileError(f"{program} failed: {done.stderr.strip()[:200]}")
        y = decode(out)
    peak = float(np.abs(y).max(initial=0.0))
    if not peak > 1e-3:
        raise AudioFileError(f"{program} said nothing of '{text[:80]}'")
    return y * np.float32(PEAK / peak)

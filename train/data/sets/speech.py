"""Recorded speech: telephone prompts in four languages, synthesised and read sentences.

The prompts are named voices: they serve as input only, and no style imitates them.  Prompts of one
name say the same in every language, so the name is the key; so is a sentence over all synthesisers.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from realtime.errors import AudioFileError, ConfigError

from ..scores.sentences import compose_sentence
from ..sound.decode import decode
from .packages import find_package, installed_version, packaged
from .source import Source

Array = npt.NDArray[np.float32]
SENTENCES = 240
PROMPTS = {  # language: licence, speaker (debian/copyright of asterisk-core-sounds)
    "en": ("CC-BY-SA-3.0", "Allison Smith"),
    "fr": ("CC-BY-SA-3.0", "June Wallack"),
    "it": ("CC-BY-3.0", "Carlo Flora"),
    "ru": ("CC-BY-3.0", "ivrvoice.ru"),
}
VOICES = ("kal16", "awb", "rms", "slt")
READ = "usr/share/pocketsphinx/test/data/librivox/"


def prompts() -> list[Source]:
    """Recorded prompts, one studio voice per language, 16 kHz (G.722)."""
    found = []
    for language, (licence, speaker) in PROMPTS.items():
        package = find_package(f"asterisk-core-sounds-{language}-g722")
        for file in package.matching(".g722"):
            prompt = file.partition("/sounds/")[2].partition("/")[2].removesuffix(".g722")
            if prompt.startswith("silence/"):
                continue
            found.append(
                packaged(
                    package,
                    file,
                    f"{language}/{prompt}",
                    key=f"prompt {prompt}",
                    licence=licence,
                    source=f"Asterisk prompts recorded by {speaker}",
                    tags={"speaker": speaker, "language": language, "bandwidth_hz": "8000"},
                )
            )
    return found


def synthesised() -> list[Source]:
    """Sentences composed by rule, spoken by flite's own voices at 16 kHz."""
    program, version = shutil.which("flite"), installed_version("libflite1")
    if program is None:
        raise ConfigError("flite is missing; on Debian or Ubuntu run: apt install flite")
    return [
        Source(
            file=f"flite/{voice}-{index:03}",
            key=f"sentence {index}",
            origin=f"flite {version} {voice} {sentence}",
            make=_speaker(program, voice, sentence),
            licence="MIT-Festival",
            source="sentences composed by rule, spoken by flite",
            package="libflite1",
            version=version,
            tags={
                "speaker": f"flite {voice}",
                "language": "en",
                "text": sentence,
                "bandwidth_hz": "8000",
            },
        )
        for index, sentence in enumerate(compose_sentence(i) for i in range(SENTENCES))
        for voice in VOICES
    ]


def _speaker(program: str, voice: str, sentence: str) -> Callable[[], Array]:
    def speak() -> Array:
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "spoken.wav"
            command = [program, "-voice", voice, "-t", sentence, "-o", str(target)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode or not target.is_file():
                raise AudioFileError(f"flite failed: {done.stderr.strip()[:200]}")
            return decode(target)

    return speak


def read_aloud() -> list[Source]:
    """Five sentences read by a LibriVox volunteer, with their words: for tests alone."""
    package = find_package("pocketsphinx-testdata")
    table = (package.root / READ / "transcription").read_text(encoding="utf-8")
    texts = {name: text for text, name in re.findall(r"<s> (.*) </s> \((.*)\)", table)}
    return [
        packaged(
            package,
            file,
            f"read/{Path(file).stem}",
            key=f"read {Path(file).stem}",
            licence="BSD-2-Clause",
            source="LibriVox sentences of the PocketSphinx tests",
            tags={
                "speaker": "LibriVox reader",
                "language": "en",
                "bandwidth_hz": "8000",
                "text": texts.get(Path(file).stem, ""),
            },
            split="test",
        )
        for file in package.matching(".wav", READ)
    ]


def acted() -> list[Source]:
    """Two comic characters in Czech and Dutch, 22.05 kHz, from a game."""
    found = []
    for language in ("cs", "nl"):
        package = find_package(f"fillets-ng-data-{language}")
        for file in package.matching(".ogg"):
            room, _, name = file.partition("/sound/")[2].partition("/")
            stem = Path(name).stem
            who = {"m": "small fish", "v": "big fish"}.get((stem.split("-") + ["", ""])[1])
            if who is None:
                continue
            found.append(
                packaged(
                    package,
                    file,
                    f"{language}/{room}-{stem}",
                    key=f"{room} {stem}",
                    licence="GPL-2.0-only",
                    source="Fish Fillets, dialogue",
                    tags={
                        "speaker": f"{language} {who}",
                        "language": language,
                        "bandwidth_hz": "11025",
                    },
                )
            )
    return found

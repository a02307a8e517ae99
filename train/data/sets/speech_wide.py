"""Speech with its highs: words, letters and captions spoken by volunteers in many languages.

Programs for children speak what they show.  Each language of a program is one speaker; recordings
below 44.1 kHz are left out.  They serve as input only, and no style imitates them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from realtime.errors import AudioFileError

from ..sound.decode import Array, decode
from .packages import find_package, packaged
from .source import Source

LEAST_RATE = 44100
SPELLED = re.compile(r"_desc_([a-z]{2}(?:_[A-Z]{2})?)$")


@dataclass(frozen=True)
class Spoken:
    """Recordings of a package: where they lie, their licence, and the pattern of the language."""

    package: str
    folder: str
    licence: str
    source: str
    language: re.Pattern[str]


PROGRAMS = (
    Spoken("tuxpaint-stamps-default", "usr/share/tuxpaint/stamps/", "GPL-2.0-or-later",
           "captions of Tux Paint's stamps", SPELLED),
    Spoken("klettres-data", "usr/share/klettres/", "GPL-2.0-or-later",
           "letters and syllables of KLettres", re.compile(r"klettres/(\w+)/(?:alpha|syllab)/")),
    Spoken("ktuberling-data", "usr/share/ktuberling/sounds/", "GPL-2.0-or-later",
           "words of KTuberling", re.compile(r"sounds/([a-z]{2})/")),
)  # fmt: skip
# heard by no training: a whole speaker each
HELD_OUT = frozenset(
    ("tuxpaint el", "tuxpaint bg", "klettres hu", "klettres uk", "ktuberling uk", "ktuberling nn",
     "klettres en_GB")
)  # fmt: skip


def spoken() -> list[Source]:
    """Every recording; what is said is the key, so that a word has one split in all languages."""
    found = []
    for program in PROGRAMS:
        package = find_package(program.package)
        for ending in (".ogg", ".wav", ".opus"):
            for file in package.matching(ending, program.folder):
                name = file.removesuffix(ending)
                match = program.language.search(name)
                if match is None:
                    continue
                language, word = match.group(1), Path(name).stem.split("_desc")[0]
                speaker = f"{program.package.split('-')[0]} {language}"
                place = name.removeprefix(program.folder).replace("@", "-")
                found.append(
                    packaged(
                        package,
                        file,
                        f"{speaker.replace(' ', '-')}/{place.replace('/', '-')}",
                        key=f"spoken {word}",
                        licence=program.licence,
                        source=program.source,
                        make=wide,
                        tags={"speaker": speaker, "language": language},
                        split="test" if speaker in HELD_OUT else None,
                    )
                )
    return found


def wide(path: Path) -> Array:
    """Decode a recording that has its highs.

    Raises
    ------
    AudioFileError
        Its rate is below :data:`LEAST_RATE`, or it cannot be read.
    """
    import soundfile

    try:
        rate = soundfile.info(str(path)).samplerate
    except soundfile.LibsndfileError as error:
        raise AudioFileError(f"cannot read {path}: {error.error_string}") from None
    if rate < LEAST_RATE:
        raise AudioFileError(f"{path.name} has {rate} Hz, {LEAST_RATE} Hz is the least")
    return decode(path)


def keystrokes() -> list[Source]:
    """A mechanical keyboard, every key down and up; the key is the key."""
    package = find_package("bucklespring-data")
    return [
        packaged(
            package,
            file,
            f"keyboard/{Path(file).stem}",
            key=f"keyboard {Path(file).stem.split('-')[0]}",
            licence="GPL-2.0-or-later",
            source="a mechanical keyboard, of bucklespring",
        )
        for file in package.matching(".wav")
    ]

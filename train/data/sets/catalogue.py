"""The catalogue: sets that can be fetched by name, and how."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from realtime.errors import ConfigError, nearest

from ..manifest import MANIFEST, Manifest
from ..sound.steps import Step, parse_steps
from . import recordings
from .source import Source
from .store import Report, build

MOVING = ("crop", "pauses")  # steps that cut where the sound says


@dataclass(frozen=True)
class SetKind:
    """A set of the catalogue.

    Attributes
    ----------
    about : str
    licences : tuple of str
        SPDX, of the recordings.
    debian : tuple of str
        Packages that are needed.
    sources : callable
        ``(file or None) -> list of Source``.
    steps : tuple of str
        Preprocessing unless the user says otherwise.
    minutes : float or None
        How much, unless the user says otherwise.
    aligned : bool
        Recordings of one performance lie sample on sample, so their length must stay.
    """

    about: str
    licences: tuple[str, ...]
    debian: tuple[str, ...]
    sources: Callable[[Path | None], list[Source]]
    steps: tuple[str, ...] = ()
    minutes: float | None = None
    aligned: bool = False


def _speech(_: Path | None) -> list[Source]:
    from . import speech

    return [*speech.prompts(), *speech.synthesised(), *speech.read_aloud()]


def _acted(_: Path | None) -> list[Source]:
    from . import speech

    return speech.acted()


def _wide(_: Path | None) -> list[Source]:
    from . import speech_wide

    return speech_wide.spoken()


def _keystrokes(_: Path | None) -> list[Source]:
    from . import speech_wide

    return speech_wide.keystrokes()


def _noises(_: Path | None) -> list[Source]:
    from . import noises

    return noises.recorded()


def _music(_: Path | None) -> list[Source]:
    from . import music

    return music.tracks(music.SMALL)


def _music_large(_: Path | None) -> list[Source]:
    from . import music

    return music.tracks(music.LARGE)


def _keys(_: Path | None) -> list[Source]:
    from . import rendered

    return rendered.keys()


def _tunes(_: Path | None) -> list[Source]:
    from . import rendered

    return rendered.tunes()


def _salamander(file: Path | None) -> list[Source]:
    from . import salamander

    return salamander.notes(file)


SYNTH = (
    "fluidsynth",
    "fluid-soundfont-gm",
    "musescore-general-soundfont-small",
    "timgm6mb-soundfont",
)
SPOKEN = ("crop", "loudness=-23")
CATALOGUE = {
    "speech": SetKind(
        "telephone prompts in English, French, Italian and Russian; synthesised English sentences;"
        " five read sentences with their words for tests",
        ("CC-BY-SA-3.0", "CC-BY-3.0", "MIT-Festival", "BSD-2-Clause"),
        (*(f"asterisk-core-sounds-{c}-g722" for c in ("en", "fr", "it", "ru")), "flite",
         "libflite1", "pocketsphinx-testdata"),
        _speech,
        SPOKEN,
    ),
    "speech-acted": SetKind(
        "two comic characters of a game, in Czech and in Dutch",
        ("GPL-2.0-only",),
        ("fillets-ng-data-cs", "fillets-ng-data-nl"),
        _acted,
        SPOKEN,
    ),
    "speech-wide": SetKind(
        "captions, words and letters spoken by volunteers in some twenty languages, with their"
        " highs (250 MB to download)",
        ("GPL-2.0-or-later",),
        ("tuxpaint-stamps-default", "klettres-data", "ktuberling-data"),
        _wide,
        SPOKEN,
    ),
    "keystrokes": SetKind(
        "every key of a mechanical keyboard, down and up",
        ("GPL-2.0-or-later",),
        ("bucklespring-data",),
        _keystrokes,
    ),
    "noises": SetKind(
        "engines, factories, traffic, weather and water of five games (1.5 GB to download)",
        ("GPL-2.0-or-later", "GPL-2.0-only", "CC-BY-SA-3.0"),
        ("lincity-ng-data", "megaglest-data", "redeclipse-data", "searchandrescue-data",
         "torcs-data"),
        _noises,
    ),
    "game-music": SetKind(
        "soundtracks of three games, electronic and other",
        ("GPL-2.0-or-later", "CC-BY-SA-3.0"),
        ("asc-music", "hyperrogue-music", "singularity-music"),
        _music,
    ),
    "game-music-large": SetKind(
        "soundtracks of two games, orchestral and electronic (240 MB to download)",
        ("GPL-2.0-or-later",),
        ("wesnoth-1.16-music", "warzone2100-music"),
        _music_large,
    ),
    "keys": SetKind(
        "scores composed by rule, each played by fourteen instruments in step",
        ("MIT", "GPL-2.0-only"),
        SYNTH,
        _keys,
        minutes=120.0,
        aligned=True,
    ),
    "tunes": SetKind(
        "Bach chorales, fiddle tunes and Mozart, each played by fourteen instruments in step",
        ("MIT AND LicenseRef-music21-corpus", "GPL-2.0-only AND LicenseRef-music21-corpus"),
        SYNTH,
        _tunes,
        minutes=120.0,
        aligned=True,
    ),
    "salamander": SetKind(
        "thirty notes of a real grand piano, for tests",
        ("CC-BY-3.0",),
        (),
        _salamander,
    ),
}  # fmt: skip


def find_set(name: str) -> SetKind:
    """Look a set up.

    Raises
    ------
    ConfigError
        There is none; the nearest name is suggested.
    """
    if name not in CATALOGUE:
        raise ConfigError(
            f"no set '{name}' to fetch{nearest(name, CATALOGUE)}; there are {', '.join(CATALOGUE)}"
        )
    return CATALOGUE[name]


def fetch(
    name: str,
    minutes: float | None = None,
    file: Path | None = None,
    steps: Sequence[Step] | None = None,
    root: Path | None = None,
    report: Report = lambda file, total: None,
) -> Manifest:
    """Build a set of the catalogue below ``.data/sets``, or go on where it was stopped.

    Parameters
    ----------
    minutes : float, optional
        How much to make; default: the set's own choice, all of it for most.
    file : Path, optional
        An archive, for sets that come in one.
    steps : sequence of Step, optional
        Preprocessing instead of the set's own.

    Raises
    ------
    ConfigError
        Unknown set, something missing, or nothing usable.
    """
    kind = find_set(name)
    if minutes is not None and not minutes > 0:
        raise ConfigError(f"minutes must be above 0, got {minutes:g}")
    chosen = parse_steps(kind.steps) if steps is None else tuple(steps)
    moving = [str(s) for s in chosen if s.name in MOVING]
    if kind.aligned and moving:
        raise ConfigError(
            f"'{name}' is aligned by sample, and the step {moving[0]} would move its recordings"
            " apart; leave it out"
        )
    command = f"restyle train data fetch {name}"
    command += f" --minutes {minutes:g}" if minutes is not None else ""
    if steps is not None:
        command += "".join(f" --step {s}" for s in chosen) or " --step none"
    return build(
        (root or recordings.SETS) / name,
        name,
        kind.sources(file),
        command,
        kind.about,
        chosen,
        minutes if minutes is not None else kind.minutes,
        report,
    )


def present(root: Path | None = None) -> dict[str, Path]:
    """Folders of the sets on disk by name, those of the user among them."""
    found = sorted(p.parent for p in (root or recordings.SETS).glob(f"*/{MANIFEST}"))
    return {folder.name: folder for folder in found}

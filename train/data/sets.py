"""The catalogue: sets that can be fetched by name, and how."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from realtime.errors import ConfigError, nearest

from . import recordings
from .manifest import MANIFEST, Manifest, read_manifest
from .steps import Step, parse_steps
from .store import Report, Source, build

Sources = Callable[[], list[Source]]


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
    """

    about: str
    licences: tuple[str, ...]
    debian: tuple[str, ...]
    sources: Callable[[Path | None], list[Source]]
    steps: tuple[str, ...] = ()
    minutes: float | None = None


def _speech(_: Path | None) -> list[Source]:
    from . import speech

    return [*speech.prompts(), *speech.synthesised(), *speech.read_aloud()]


def _acted(_: Path | None) -> list[Source]:
    from . import speech

    return speech.acted()


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


def present(root: Path | None = None) -> dict[str, Manifest]:
    """Sets on disk, those of the user among them."""
    root = root or recordings.SETS
    found = sorted(p.parent for p in root.glob(f"*/{MANIFEST}"))
    return {folder.name: read_manifest(folder) for folder in found}


def remove(name: str, root: Path | None = None) -> None:
    """Delete a set from disk.

    Raises
    ------
    ConfigError
        It is not there.
    """
    folder = (root or recordings.SETS) / name
    if not name or Path(name).name != name or not folder.is_dir():
        raise ConfigError(f"no set '{name}' in {root or recordings.SETS}")
    shutil.rmtree(folder)

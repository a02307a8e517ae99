"""Which models there are: the user's folder first, then those bundled in ``exported``.

Listing reads metadata only; no inference session is opened.
"""

from __future__ import annotations

import importlib.util
import os
import stat
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from ..errors import ConfigError, ModelError, RestyleError, nearest
from .card import CARD_KEY, PLAYING, Card, from_json
from .metadata import read_entry_of

ENVIRONMENT = "RESTYLE_MODELS"
RETIRED = {  # styles that were bundled once, and what to play instead
    "choir": "choir-player or the preset choir",
    "latent-keys": "string-player or choir-player",
    "square-synth": "square-player",
    "strings": "string-player",
    "strings-unpaired": "string-player",
    "whisper": "the preset whisper",
}
LARGEST = 1 << 31  # bytes: protobuf's own limit
LARGEST_CARD = 1 << 20  # bytes of a card's text
CAPTURES = (".nam", ".aidax")  # files of others, played by their path or imported


@dataclass(frozen=True)
class Entry:
    """One model file; `card` is None and `problem` a sentence when it is not played by name.

    It is `whole` all the same where it is only to be imported, or has another's name.
    """

    path: Path
    source: str  # "user" | "bundled"
    size: int
    card: Card | None
    problem: str | None = None
    whole: bool = False

    @property
    def broken(self) -> bool:
        """Whether it cannot be read."""
        return self.problem is not None and not self.whole

    @property
    def name(self) -> str:
        """The card's name, or the file's."""
        return self.card.name if self.card else self.path.stem

    @property
    def plays(self) -> bool:
        """Whether it makes sound, of sound or of nothing."""
        return self.card is not None and self.card.kind in PLAYING

    @property
    def converts(self) -> bool:
        """Whether it makes sound of sound."""
        return self.card is not None and self.card.converts


def expanded(path: str | Path) -> Path:
    """A path with ``~`` written out; as it is where there is no such user."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def folder_named(variable: str) -> Path | None:
    """The folder that an environment variable names; None where it is not set.

    Raises
    ------
    ConfigError
        It is below the home of a user there is not.
    """
    named = os.environ.get(variable)
    if not named:
        return None
    path = expanded(named)
    if str(path).startswith("~"):
        raise ConfigError(f"{variable} is {named}, and there is no user '{path.parts[0][1:]}'")
    return path


def user_folder() -> Path:
    """Where the user's models live: ``$RESTYLE_MODELS`` or ``~/.local/share/restyle/models``."""
    usual = Path.home() / ".local" / "share" / "restyle" / "models"
    return folder_named(ENVIRONMENT) or usual


def bundled_folder() -> Path | None:
    """The installed ``exported`` package's folder."""
    spec = importlib.util.find_spec("exported")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


def read_entry(path: Path, source: str = "user") -> Entry:
    """Read one file's card, and nothing else of it; problems become the entry's `problem`."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            return Entry(path, source, 0, None, "is not a file")
    except OSError as error:
        return Entry(path, source, 0, None, f"cannot be read: {error.strerror}")
    return _read_entry(path, source, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


@lru_cache(maxsize=4096)
def _read_entry(path: Path, source: str, size: int, changed: int, touched: int) -> Entry:
    """Read a card once as long as the file stays as it is."""
    try:
        return Entry(path, source, size, read_card(path))
    except OSError as error:
        return Entry(path, source, 0, None, f"cannot be read: {error.strerror}")
    except RestyleError as error:
        return Entry(path, source, size, None, str(error))


def read_card(path: Path) -> Card:
    """The card in a model file; weights and graph are not read.

    Raises
    ------
    CardError, ModelError
        There is none that can be read.
    OSError
    """
    if path.stat().st_size > LARGEST:
        raise ModelError("has more than 2 GiB, the most ONNX can have")
    text = read_entry_of(path, CARD_KEY, LARGEST_CARD)
    if text is None:
        raise ModelError("carries no restyle card; give it one: restyle import FILE")
    return from_json(text)


def list_models() -> list[Entry]:
    """All models that can be asked for by name, the user's first; then what needs a hand.

    A file that cannot be read never takes a name from one that can.  Of two in one folder with the
    same name the first has it and the second says so; a bundled model gives way to the user's.
    """
    found: dict[str, Entry] = {}
    rest: list[Entry] = []
    for folder, source in ((user_folder(), "user"), (bundled_folder(), "bundled")):
        if folder is None or not folder.is_dir():
            continue
        for path in sorted(folder.glob("*.onnx")):
            entry = read_entry(path, source)
            first = found.setdefault(entry.name, entry) if entry.card else entry
            if entry.card is None:
                rest.append(entry)
            elif first is not entry and first.source == source:
                problem = f"has the name of {first.path.name}, '{entry.name}'; play it by its path"
                rest.append(replace(entry, card=None, problem=problem, whole=True))
        for path in sorted(p for p in folder.glob("*") if p.suffix.lower() in CAPTURES):
            if path.is_file():
                problem = f"is to be imported: restyle import '{path}'"
                rest.append(Entry(path, source, path.stat().st_size, None, problem, whole=True))
    return [*found.values(), *rest]


def retired(name: str) -> str:
    """The sentence for a style of :data:`RETIRED`."""
    return f"the style '{name}' comes with restyle no more; play {RETIRED[name]} instead"


def find_model(wanted: str | Path) -> Path:
    """Return the file of a model given by path or by name.

    Raises
    ------
    ModelError
        There is no such file or name; the nearest name is suggested.
    """
    path = expanded(wanted)
    if os.path.isfile(path):  # also false for names that no file can have
        return path
    entries = list_models()
    for entry in entries:
        if entry.name == str(wanted) and entry.card:
            return entry.path
    if str(wanted) in RETIRED:
        raise ModelError(retired(str(wanted)))
    for entry in entries:
        if str(wanted) in (entry.path.stem, entry.path.name):
            return entry.path
    names = [e.name for e in entries if e.card]
    if path.suffix or len(path.parts) > 1:
        raise ModelError(f"there is no model file {path}")
    listed = ", ".join(names) or "none; put .onnx files into " + str(user_folder())
    raise ModelError(f"there is no model '{wanted}'{nearest(str(wanted), names)}; known: {listed}")

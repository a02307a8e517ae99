"""What a set of recordings is made of: file, hash, licence, source, length and split of each.

A manifest is written whole or not at all, so a set that has one is complete.  Splits go by
recording: whatever comes from the same recording, sentence or tune has the same key.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from realtime.audio_files import whole_file
from realtime.errors import ConfigError

SAMPLE_RATE = 48000
MANIFEST = "manifest.json"
FORMAT = 1
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Item:
    """One recording of a set.

    Attributes
    ----------
    file : str
        Relative to the manifest, with forward slashes.
    sha256 : str
        Of the file's bytes.
    licence : str
        SPDX expression, ``LicenseRef-…`` or ``own-recording``.
    source, package, version : str
        Where it came from, in words and as a package with its version (empty where there is none).
    seconds : float
    split : str
        ``train``, ``validation`` or ``test``.
    key : str
        What it is a recording of; items of one key share a split.
    origin : str
        Hash of what the file was made from, source and preprocessing: equal means up to date.
    tags : mapping of str to str
        Speaker, language, words, program, soundfont and the like.
    """

    file: str
    sha256: str
    licence: str
    source: str
    package: str
    version: str
    seconds: float
    split: str
    key: str
    origin: str
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Manifest:
    """A set: its items, and the command that made it.

    `skipped` names files that could not be used, each with its reason.
    """

    name: str
    items: tuple[Item, ...]
    made_by: str
    about: str = ""
    sample_rate: int = SAMPLE_RATE
    skipped: tuple[tuple[str, str], ...] = ()

    def write(self, folder: Path) -> Path:
        """Write ``manifest.json`` in `folder`, whole or not at all."""
        path = folder / MANIFEST
        with whole_file(path) as partial:
            text = json.dumps({"format": FORMAT, **asdict(self)}, indent=1, ensure_ascii=False)
            partial.write_text(text + "\n", encoding="utf-8")
        return path

    def minutes(self, split: str | None = None) -> float:
        """Minutes of sound, of one split or of all."""
        return sum(i.seconds for i in self.items if split in (None, i.split)) / 60.0

    def provenance(self) -> list[dict[str, Any]]:
        """One row per source and licence, for the card: recordings and minutes of each."""
        groups: dict[tuple[str, str, str, str], list[Item]] = defaultdict(list)
        for item in self.items:
            groups[item.source, item.licence, item.package, item.version].append(item)
        return [
            {
                "source": source,
                "licence": licence,
                "package": package,
                "version": version,
                "recordings": len(items),
                "minutes": round(sum(i.seconds for i in items) / 60.0, 1),
            }
            for (source, licence, package, version), items in sorted(groups.items())
        ]

    def faults(self, folder: Path) -> list[str]:
        """Compare every file with its hash; one sentence per file that is missing or changed."""
        found = []
        for item in self.items:
            path = folder / item.file
            if not path.is_file():
                found.append(f"{item.file} is missing")
            elif sha256(path) != item.sha256:
                found.append(f"{item.file} has changed")
        return found


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest in `folder`.

    Raises
    ------
    ConfigError
        There is none, or it is not one of ours.
    """
    path = folder / MANIFEST
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        version = data.pop("format")
        if version != FORMAT:
            raise ConfigError(
                f"{path} has format {version}, expected {FORMAT}; fetch the set again"
            )
        known = {f.name for f in fields(Item)}
        items = tuple(Item(**{k: v for k, v in row.items() if k in known}) for row in data["items"])
        skipped = tuple((str(a), str(b)) for a, b in data["skipped"])
        return Manifest(**{**data, "items": items, "skipped": skipped})
    except FileNotFoundError:
        raise ConfigError(f"{folder} has no manifest; fetch or add the set first") from None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ConfigError(f"{path} is damaged ({error}); delete it and fetch again") from None


def sha256(path: Path) -> str:
    """Hash a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest(*parts: str | bytes) -> str:
    """Hash texts and bytes, each kept apart from the next."""
    whole = hashlib.sha256()
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        whole.update(len(raw).to_bytes(8, "little") + raw)
    return whole.hexdigest()


def rank(key: str) -> float:
    """A number from 0 to below 1 that depends on the key alone, evenly spread over keys."""
    return int(hashlib.sha256(key.encode()).hexdigest()[:13], 16) / 16**13


def split_of(key: str) -> str:
    """Split of a recording by its key: 80 % train, 10 % validation, 10 % test, always the same."""
    place = rank(key)
    return "train" if place < 0.8 else "validation" if place < 0.9 else "test"


def splits_of(keys: Iterable[str]) -> dict[str, str]:
    """:func:`split_of` for a whole set, with nothing left empty where there are three keys or more.

    A split that chance left empty gets the key nearest to it.
    """
    order = sorted(set(keys), key=rank)
    found = {key: split_of(key) for key in order}
    if len(order) >= 3:
        if "test" not in found.values():
            found[order[-1]] = "test"
        if "validation" not in found.values():
            found[next(k for k in reversed(order) if found[k] != "test")] = "validation"
        if "train" not in found.values():
            found[order[0]] = "train"
    return found

"""What is known of plug-in files: kept between runs, so that none is loaded twice to find out.

A record holds for a file as it is: another modification time or size, or another pedalboard, and
the file counts as never seen.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ..audio_files import whole_file
from ..native.cache import cache_home

OK, CRASHED, TIMED_OUT, FAILED = "ok", "crashed", "timed out", "failed"
_FORMAT = 1


@dataclass(frozen=True)
class PluginInfo:
    """One plug-in of a file.

    Attributes
    ----------
    channels : tuple of int
        Those of 1 and 2 that it takes as they are; empty for instruments.
    buses : str
        ``1 → 2`` of one with other outputs than inputs, else empty.
    latency : int [samples]
        As it states at 48 kHz, with its first settings.
    parameters : int
        How many; 0 for instruments, whose parameters are not counted.
    """

    name: str
    maker: str
    version: str
    category: str
    is_effect: bool
    channels: tuple[int, ...]
    latency: int
    parameters: int
    buses: str = ""

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> PluginInfo:
        """Read what JSON made of a value; TypeError where it is another thing."""
        return cls(**{**data, "channels": tuple(data["channels"])})


@dataclass(frozen=True)
class Record:
    """What became of a plug-in file when it was loaded apart.

    Attributes
    ----------
    path : str
    status : str
        ``ok``, ``crashed``, ``timed out`` or ``failed``.
    reason : str
        Why it is not ok.
    plugins : tuple of PluginInfo
    stamp : str
        The file's state then.
    """

    path: str
    status: str
    reason: str = ""
    plugins: tuple[PluginInfo, ...] = ()
    stamp: str = ""

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Record:
        """Read what JSON made of a value; TypeError or KeyError where it is another thing."""
        found = tuple(PluginInfo.from_dict(p) for p in data["plugins"])
        return cls(**{**data, "plugins": found})


def stamp_of(path: Path) -> str:
    """Newest modification time, size and count of a bundle's files, resources left out."""
    files = [path]
    if path.is_dir():
        for folder, inner, names in os.walk(path):
            inner[:] = sorted(d for d in inner if d != "Resources")
            files += [Path(folder) / name for name in names]
    stats = [f.stat() for f in files if f.exists()]
    sizes = sum(s.st_size for f, s in zip(files, stats, strict=False) if not f.is_dir())
    return f"{max((s.st_mtime_ns for s in stats), default=0)}-{sizes}-{len(stats)}"


class Records:
    """The records of this machine, in one JSON file that is written whole.

    Parameters
    ----------
    path : Path or None
        ``plugins.json`` in restyle's cache folder where None.

    Attributes
    ----------
    note : str or None
        What was wrong with the file on disk, if anything; it is set aside, never fatal.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or cache_home() / "plugins.json"
        self.note: str | None = None
        self._host = f"pedalboard {importlib.metadata.version('pedalboard')}"
        self._found = self._read()

    def _read(self) -> dict[str, Record]:
        try:
            data = json.loads(self.path.read_text(encoding="utf-8"))
            if (data["format"], data["host"]) != (_FORMAT, self._host):
                return {}
            return {r["path"]: Record.from_dict(r) for r in data["plugins"]}
        except FileNotFoundError:
            return {}
        except OSError as error:
            self.note = f"cannot read {self.path}: {error.strerror}; plug-ins are looked at again"
        except (ValueError, KeyError, TypeError, AttributeError):
            aside = self.path.with_suffix(".bad")
            self.note = f"{self.path} is damaged; it was set aside as {aside.name}"
            try:
                os.replace(self.path, aside)
            except OSError:
                self.note = f"{self.path} is damaged; plug-ins are looked at again"
        return {}

    def all(self) -> list[Record]:
        """Records of all files that are still there, changed ones too, in order of their paths."""
        return [r for p, r in sorted(self._found.items()) if Path(p).exists()]

    def get(self, path: Path) -> Record | None:
        """The record of a file that is as it was, or None."""
        record = self._found.get(str(path.resolve()))
        return record if record and record.stamp == stamp_of(path) else None

    def put(self, record: Record) -> Record:
        """Stamp and keep a record, on disk where possible, beside those of other processes."""
        kept = replace(record, stamp=stamp_of(Path(record.path)))
        self._found = {**self._found, **self._read(), record.path: kept}
        data = {"format": _FORMAT, "host": self._host, "plugins": [asdict(r) for r in self.all()]}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(self.path) as partial:
                partial.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            self.note = f"cannot write {self.path}: {error.strerror}; plug-ins are looked at again"
        return kept

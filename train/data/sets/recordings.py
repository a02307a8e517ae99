"""Sets as recipes see them: recordings in memory, by split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from realtime.errors import AudioFileError, ConfigError

from ..manifest import SAMPLE_RATE, SPLITS, Item, Manifest, rank, read_manifest
from ..pairs import Pair, PairSet

Array = npt.NDArray[np.float32]
SETS = Path(".data") / "sets"


@dataclass(frozen=True)
class Recording:
    """One recording: ``samples [shape=(n,), float32]`` at 48 kHz; `key` is what it is one of."""

    name: str
    split: str
    samples: Array
    key: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RecordingSet:
    """Recordings by split, and the manifest that says where they come from."""

    train: tuple[Recording, ...]
    validation: tuple[Recording, ...]
    test: tuple[Recording, ...]
    manifest: Manifest

    def provenance(self) -> list[dict[str, object]]:
        """Rows for the card: source, licence, package, version, recordings, minutes."""
        return self.manifest.provenance()


def load_set(
    name: str,
    minutes: float | None = None,
    root: Path | None = None,
    tags: Mapping[str, str] | None = None,
) -> RecordingSet:
    """Read a set from disk.

    Parameters
    ----------
    minutes : float, optional
        Take so many, from all splits in their proportion, the same ones every time.
    root : Path, optional
        Folder of all sets; ``.data/sets`` by default.
    tags : mapping, optional
        Take only recordings with these tags, e.g. ``{"language": "it"}``.

    Raises
    ------
    ConfigError
        The set is not here, or a file of it is missing or damaged.
    """
    folder, manifest = _open(name, root)
    wanted = _tagged(manifest, tags or {})
    chosen = wanted if minutes is None else _some(wanted, minutes)
    splits = {
        split: tuple(_read(folder, item) for item in chosen if item.split == split)
        for split in SPLITS
    }
    seen = Manifest(
        manifest.name, tuple(chosen), manifest.made_by, manifest.about, manifest.sample_rate
    )
    return RecordingSet(**splits, manifest=seen)


def load_pairs(
    name: str,
    dry: Mapping[str, str],
    wet: Mapping[str, str],
    minutes: float | None = None,
    root: Path | None = None,
    level: float = 0.1,
) -> PairSet:
    """Two recordings of each performance of an aligned set, as a pair.

    Parameters
    ----------
    dry, wet : mapping
        Tags of the two, e.g. ``{"program": "0", "font": "fluidr3"}``.
    minutes : float, optional
        Of dry sound.
    level : float
        RMS to which both are brought.

    Raises
    ------
    ConfigError
        The set is not here, or nobody plays both.
    """
    folder, manifest = _open(name, root)
    targets = {(i.key, i.tags.get("take")): i for i in _tagged(manifest, wet)}
    both = [i for i in _tagged(manifest, dry) if (i.key, i.tags.get("take")) in targets]
    if not both:
        raise ConfigError(f"no performance in '{name}' with both {dict(dry)} and {dict(wet)}")
    chosen = both if minutes is None else _some(both, minutes)

    def pair(item: Item) -> Pair:
        other = targets[item.key, item.tags.get("take")]
        x, y = (_read(folder, i).samples for i in (item, other))
        x, y = (a * np.float32(level / (np.sqrt(np.square(a).mean()) + 1e-9)) for a in (x, y))
        return Pair(item.file, x, y)

    return PairSet(*(tuple(pair(i) for i in chosen if i.split == split) for split in SPLITS))


def _open(name: str, root: Path | None) -> tuple[Path, Manifest]:
    folder = (root or SETS) / name
    if not folder.is_dir():
        raise ConfigError(f"the set '{name}' is not here; run: restyle train data fetch {name}")
    return folder, read_manifest(folder)


def _tagged(manifest: Manifest, tags: Mapping[str, str]) -> list[Item]:
    found = [i for i in manifest.items if all(i.tags.get(k) == v for k, v in tags.items())]
    if not found:
        raise ConfigError(f"no recording of the set '{manifest.name}' has the tags {dict(tags)}")
    return found


def _some(items: list[Item], minutes: float) -> list[Item]:
    """A part of every split, in proportion; one recording each at least."""
    share = minutes * 60 / sum(i.seconds for i in items)
    chosen = []
    for split in SPLITS:
        pool = sorted((i for i in items if i.split == split), key=lambda i: rank(i.file))
        budget = share * sum(i.seconds for i in pool)
        for number, item in enumerate(pool):
            if number and budget <= 0:
                break
            chosen.append(item)
            budget -= item.seconds
    return sorted(chosen, key=lambda i: i.file)


def _read(folder: Path, item: Item) -> Recording:
    path = folder / item.file
    try:
        samples, rate = soundfile.read(str(path), dtype="float32")
    except (soundfile.LibsndfileError, OSError, RuntimeError) as error:
        reason = getattr(error, "error_string", None) or str(error)
        raise AudioFileError(
            f"cannot read {path} ({reason.strip()}); fetch the set '{folder.name}' again"
        ) from None
    if rate != SAMPLE_RATE or samples.ndim != 1:
        raise AudioFileError(f"{path} is not mono at {SAMPLE_RATE} Hz; fetch the set again")
    return Recording(item.file, item.split, samples, item.key, item.tags)

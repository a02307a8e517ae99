"""Music of games in Debian: licence as in each package's copyright file.

Genres are what the tagger musicnn hears most; "soundtrack" where it was undecided.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .packages import find_package, packaged
from .source import Source

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Album:
    """Tracks of one package: where they lie, their licence (its copyright file) and genre."""

    package: str
    folder: str
    ending: str
    licence: str
    genre: str
    artist: str


SMALL = (
    Album("asc-music", "usr/share/games/asc/music/", ".mp3", "GPL-2.0-or-later", "soundtrack",
          "Michael Kievernagel"),
    Album("hyperrogue-music", "usr/share/hyperrogue/music/", ".ogg", "CC-BY-SA-3.0", "soundtrack",
          "Shawn Parrotte, Lincoln Domina, Will Savino"),
    Album("singularity-music", "usr/share/games/singularity/music/", ".ogg", "CC-BY-SA-3.0",
          "electronic", "Max McCracken"),
)  # fmt: skip
LARGE = (
    Album("wesnoth-1.16-music", "usr/share/games/", ".ogg",
          "GPL-2.0-or-later", "orchestral", "musicians of Battle for Wesnoth"),
    Album("warzone2100-music", "usr/share/games/", ".opus", "GPL-2.0-or-later",
          "electronic", "musicians of Warzone 2100"),
)  # fmt: skip


def tracks(albums: tuple[Album, ...]) -> list[Source]:
    """Every track; the track is the key."""
    found = []
    for album in albums:
        package = find_package(album.package)
        files = package.matching(album.ending, album.folder)
        stems = Counter(Path(file).stem for file in files)
        for file in files:
            name = Path(file).stem
            if stems[name] > 1:
                name = f"{Path(file).parent.name}-{name}"
            found.append(
                packaged(
                    package,
                    file,
                    f"{album.package}/{name}",
                    key=f"{album.package} {name}",
                    licence=album.licence,
                    source=f"music by {album.artist}",
                    tags={"genre": album.genre, "artist": album.artist, "title": name},
                )
            )
    return found

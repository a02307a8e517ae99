"""Noise as microphones hear it: engines, factories, traffic, rain, wind, fire and water of games.

What speaks, sings or plays music is left out by name.  They are what a denoiser learns to remove,
and no style imitates them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from .packages import find_package, packaged
from .source import Source


@dataclass(frozen=True)
class Recorded:
    """Sounds of one package: their files' pattern, and the licence of its copyright file."""

    package: str
    files: re.Pattern[str]
    licence: str
    source: str


GAMES = (
    Recorded("lincity-ng-data", re.compile(
        r"sounds/(Blacksmith|CoalMine|DirtTrack|Fire|Green|Harbor|Industry|Mill|OreMine|Parkland"
        r"|Power|RailTrain|Recycle|Rocket|Substation|Tip|Trafic|Water|WindMill)\w*\.wav$"),
        "GPL-2.0-or-later", "sounds of LinCity-NG"),
    Recorded("megaglest-data", re.compile(
        r"tilesets/\w+/sounds/\w*(day|night|rain)\w*\.(ogg|wav)$"),
             "CC-BY-SA-3.0", "sounds of MegaGlest"),
    Recorded("redeclipse-data", re.compile(r"sounds/(ambience/.*|sfx/underwater)\.ogg$"),
             "CC-BY-SA-3.0", "sounds of Red Eclipse"),
    Recorded("searchandrescue-data", re.compile(r"(engine|flap|gear)\w*\.wav$"),
             "GPL-1.0-or-later", "sounds of Search and Rescue"),
    Recorded("torcs-data", re.compile(r"data/sound/\w[\w-]*\.wav$"),
             "GPL-2.0-or-later", "sounds of TORCS"),
)  # fmt: skip


def recorded() -> list[Source]:
    """Every sound; those whose names differ by a number alone are a key."""
    found = []
    for game in GAMES:
        package = find_package(game.package)
        for file in package.files:
            if not game.files.search(file):
                continue
            place = Path(file).with_suffix("")
            name = "-".join(place.parts[-3:]).replace("sounds-", "").replace("data-", "")
            found.append(
                packaged(
                    package,
                    file,
                    f"{game.package}/{name}",
                    key=f"{game.package} {re.sub(r'[0-9]+$', '', place.name)}",
                    licence=game.licence,
                    source=game.source,
                )
            )
    return found

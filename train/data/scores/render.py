"""Render scores with FluidSynth, cached by what went in."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from realtime.errors import ConfigError

Array = npt.NDArray[np.float32]
SAMPLE_RATE = 48000
CACHE = Path(".data") / "renders"
SOUNDFONTS = {  # name: file, Debian package, licence
    "fluidr3": ("/usr/share/sounds/sf2/FluidR3_GM.sf2", "fluid-soundfont-gm", "MIT"),
    "musescore": (
        "/usr/share/sounds/sf3/MuseScore_General_Lite.sf3",
        "musescore-general-soundfont-small",
        "MIT",
    ),
    "csound": ("/usr/share/sounds/sf2/sf_GMbank.sf2", "csound-soundfont", "LGPL-2.1-or-later"),
    "timgm6mb": ("/usr/share/sounds/sf2/TimGM6mb.sf2", "timgm6mb-soundfont", "GPL-2.0-only"),
}


def find_soundfont(name: str = "fluidr3") -> Path:
    """The file of one of :data:`SOUNDFONTS`, or a file of one's own.

    Raises
    ------
    ConfigError
        It is not installed, or does not exist.
    """
    if name not in SOUNDFONTS:
        if not Path(name).is_file():
            raise ConfigError(
                f"there is no soundfont {name}; name a file, or one of {', '.join(SOUNDFONTS)}"
            )
        return Path(name)
    path, package, _ = SOUNDFONTS[name]
    unpacked = Path(".data") / "packages" / package  # as train.data.sets.packages leaves it
    for place in (
        Path(path),
        Path(path.replace("/usr/share/sounds/sf2", "/usr/share/soundfonts")),
        unpacked / path.lstrip("/"),
    ):
        if place.is_file():
            return place
    raise ConfigError(
        f"soundfont {path} is missing; on Debian or Ubuntu run: apt install {package}"
    )


def render(midi: bytes, seconds: float, font: str = "fluidr3") -> Array:
    """Render a MIDI file without reverb and chorus.

    Parameters
    ----------
    midi : bytes
    seconds : float
        Length of the result; the tail is cut or padded.
    font : str
        Name in :data:`SOUNDFONTS`, or a file.

    Returns
    -------
    ndarray [shape=(n,), float32]
        Mono (mean of both sides) at 48 kHz.

    Raises
    ------
    ConfigError
        FluidSynth is missing or fails.
    """
    mono = both_sides(midi, font).mean(axis=1)
    n = round(seconds * SAMPLE_RATE)
    return np.asarray(np.pad(mono, (0, max(0, n - len(mono))))[:n], dtype=np.float32)


def both_sides(midi: bytes, font: str = "fluidr3") -> Array:
    """The same as FluidSynth makes it ``[n, 2]``, as long as it sounds."""
    program, file = shutil.which("fluidsynth"), find_soundfont(font)
    if program is None:
        raise ConfigError("FluidSynth is missing; on Debian or Ubuntu run: apt install fluidsynth")
    CACHE.mkdir(parents=True, exist_ok=True)
    target = _kept(midi, file)
    source = target.with_suffix(f".{os.getpid()}.mid")  # several trainings may ask at once
    if not target.exists():
        source.write_bytes(midi)
        partial = source.with_suffix(".wav")
        command = [program, "-ni", "-q", "-g", "0.5", "-R", "0", "-C", "0", "-r", str(SAMPLE_RATE)]
        command += ["-o", "synth.cpu-cores=1", "-T", "wav", "-O", "float", "-F", str(partial)]
        done = subprocess.run(
            [*command, str(file), str(source)], capture_output=True, text=True, check=False
        )
        source.unlink()
        if done.returncode or not partial.exists():
            raise ConfigError(f"FluidSynth failed: {done.stderr.strip()[:200]}")
        partial.replace(target)
    data, _ = soundfile.read(str(target), dtype="float32", always_2d=True)
    return np.asarray(data)


def forget(midi: bytes, font: str = "fluidr3") -> None:
    """Remove what :func:`render` keeps, 20 MB a minute, for who keeps the sound elsewhere."""
    _kept(midi, find_soundfont(font)).unlink(missing_ok=True)


def _kept(midi: bytes, file: Path) -> Path:
    key = hashlib.sha256(midi + file.name.encode() + str(file.stat().st_size).encode()).hexdigest()
    return CACHE / f"{key[:24]}.wav"

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
SOUNDFONT_VARIABLE = "RESTYLE_SOUNDFONT"
SOUNDFONTS = ("/usr/share/sounds/sf2/FluidR3_GM.sf2", "/usr/share/soundfonts/FluidR3_GM.sf2")
CACHE = Path(".data") / "renders"


def find_soundfont() -> Path:
    """FluidR3 GM (MIT), or what ``$RESTYLE_SOUNDFONT`` names.

    Raises
    ------
    ConfigError
        None is installed.
    """
    for name in (os.environ.get(SOUNDFONT_VARIABLE), *SOUNDFONTS):
        if name and Path(name).is_file():
            return Path(name)
    raise ConfigError(
        "no soundfont found; on Debian or Ubuntu run: apt install fluid-soundfont-gm —"
        f" or name one in ${SOUNDFONT_VARIABLE}"
    )


def render(midi: bytes, seconds: float) -> Array:
    """Render a MIDI file without reverb and chorus.

    Parameters
    ----------
    midi : bytes
    seconds : float
        Length of the result; the tail is cut or padded.

    Returns
    -------
    ndarray [shape=(n,), float32]
        Mono (mean of both sides) at 48 kHz.

    Raises
    ------
    ConfigError
        FluidSynth is missing or fails.
    """
    program, font = shutil.which("fluidsynth"), find_soundfont()
    if program is None:
        raise ConfigError("FluidSynth is missing; on Debian or Ubuntu run: apt install fluidsynth")
    key = hashlib.sha256(midi + font.name.encode() + str(font.stat().st_size).encode()).hexdigest()
    CACHE.mkdir(parents=True, exist_ok=True)
    target, source = CACHE / f"{key[:24]}.wav", CACHE / f"{key[:24]}.mid"
    if not target.exists():
        source.write_bytes(midi)
        partial = target.with_suffix(".part.wav")
        command = [program, "-ni", "-q", "-g", "0.5", "-R", "0", "-C", "0", "-r", str(SAMPLE_RATE)]
        command += ["-o", "synth.cpu-cores=1", "-T", "wav", "-O", "float", "-F", str(partial)]
        done = subprocess.run(
            [*command, str(font), str(source)], capture_output=True, text=True, check=False
        )
        source.unlink()
        if done.returncode or not partial.exists():
            raise ConfigError(f"FluidSynth failed: {done.stderr.strip()[:200]}")
        partial.replace(target)
    data, _ = soundfile.read(str(target), dtype="float32", always_2d=True)
    mono = data.mean(axis=1)
    n = round(seconds * SAMPLE_RATE)
    return np.asarray(np.pad(mono, (0, max(0, n - len(mono))))[:n], dtype=np.float32)

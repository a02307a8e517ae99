"""Turn the options of ``restyle live`` into a setup, and a file into a simulated card."""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from ...audio_files import resample
from ...devices.shared_simulated import Tape
from ...errors import ConfigError, nearest
from ...host.concert import entry
from ...models.catalog import expanded, list_models
from ...presets.check import Library, admit_stage
from ...presets.files import list_presets
from ...presets.format import Preset, SessionFile
from ...presets.opening import open_preset, open_session
from ...presets.setlist import Opened, open_setlist
from ...session.sound import LANES, Device, LaneName, Setup, Sound, identified
from ...stream.maps import engine_channels
from ...trust.sounds import read_sound
from ..common import err

CLOCKS = ("auto", "one", "two")
MOST_CHANNELS = 1024
MOST_BLOCK = 65_536  # samples
CEILING_DB = -1.0  # true peak of what a sound card plays
SIMULATED_BLOCK = 64
TAIL_SECONDS = 0.5  # a simulated card plays on for so long, to hear out the latency
_SAVED = (  # what a session file brings where the options leave it open
    "input",
    "output",
    "sample_rate",
    "block_size",
    "channels",
    "in_map",
    "out_map",
    "worker_blocks",
    "fixed_latency",
    "ceiling_db",
    "monitor",
    "monitor_gain_db",
    "input_level_dbu",
)


@dataclass(frozen=True)
class Recording:
    """Files to record to, and the folder of a capture."""

    wet: Path | None = None
    dry: Path | None = None
    capture: Path | None = None

    @property
    def files(self) -> dict[str, Path]:
        """Those asked for, by the ring they come from."""
        named = {"dry": self.dry, "wet": self.wet}
        return {k: v for k, v in named.items() if v is not None}


def checked_device(device: Device) -> Device:
    """A device as options ask for it.

    Raises
    ------
    ConfigError
        A number that is out of range, or an unknown word.
    """
    if device.channels is not None and device.channels < 1:
        raise ConfigError(f"--channels must be at least 1, got {device.channels}")
    if device.fixed_latency is not None and device.fixed_latency < 0:
        raise ConfigError(f"--fixed-latency takes samples from 0, got {device.fixed_latency}")
    named = device.in_map
    if device.channels is not None and named is not None and len(named) != device.channels:
        raise ConfigError(
            f"--in-map names {len(named)} channels and --channels is {device.channels}; make them"
            " equal, or leave --channels out"
        )
    if device.clocks not in CLOCKS:
        raise ConfigError(f"--clocks must be one of {', '.join(CLOCKS)}, got '{device.clocks}'")
    return device


def checked_ceiling(text: str | None) -> float | None:
    """``--ceiling``: decibels; None where none is given or it is ``off``.

    Raises
    ------
    ConfigError
    """
    if text is None or text == "off":
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not -24.0 <= value <= 0.0:
        raise ConfigError(f"--ceiling takes -24 to 0 dBFS, or off, got '{text[:40]}'")
    return value


def checked_lane(lane: str) -> LaneName:
    """A lane by its word.

    Raises
    ------
    ConfigError
        There is none of that name.
    """
    for known in LANES:
        if known == lane:
            return known
    raise ConfigError(
        f"--lane must be one of {', '.join(LANES)}, got '{lane[:40]}'{nearest(lane, LANES)}"
    )


def with_saved(asked: Device, saved: Device | None) -> Device:
    """A session file's device; what is asked for beside it goes before."""
    if saved is None:
        return asked
    filled = {
        name: getattr(saved, name)
        for name in _SAVED
        if getattr(asked, name) == getattr(Device(), name)
    }
    lane = saved.lane if asked.lane == "auto" else asked.lane
    return msgspec.structs.replace(asked, lane=lane, **filled)


def channel_map(text: str | None, option: str) -> tuple[int, ...] | None:
    """``1,2`` to ``(0, 1)``; 0 is silence, -1 inside."""
    if text is None:
        return None
    parts = [p.strip() for p in text.split(",")]
    if not all(p.isascii() and p.isdigit() and int(p) <= MOST_CHANNELS for p in parts):
        raise ConfigError(
            f"{option} takes channel numbers from 1, such as 1,2 (0 for none), got '{text[:80]}'"
        )
    return tuple(int(p) - 1 for p in parts)


def one_block(text: str | None) -> int | None:
    """A block size given as text."""
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MOST_BLOCK):
        raise ConfigError(
            f"--block takes a number of samples such as 64, up to {MOST_BLOCK}, got '{text[:40]}'"
        )
    return int(text)


def block_sizes(text: str | None) -> int | list[int]:
    """Block sizes of a simulated device."""
    if text is None:
        return SIMULATED_BLOCK
    if text == "random":
        return [int(n) for n in np.random.default_rng(time.time_ns()).integers(1, 1025, 997)]
    sizes = [one_block(part.strip()) or 0 for part in text.split(",")]
    return sizes[0] if len(sizes) == 1 else sizes


def saved_session(session: Path | None, preset: str | None) -> SessionFile | None:
    """The session file, or the preset as one, that was asked for; checked wholly."""
    if session is not None and preset is not None:
        raise ConfigError("give either --session or --preset")
    if session is not None:
        return open_session(session, Library(), lambda text: err.print(text, highlight=False))
    if preset is not None:
        return SessionFile(open_preset(preset, Library()))
    return None


def style_or_preset(name: str | None, preset: str | None) -> tuple[str | None, str | None]:
    """What `restyle live NAME` names: a model, or else the preset of that name."""
    if name is None or preset is not None or os.path.isfile(expanded(name)):
        return name, preset
    if any(e.name == name for e in list_models()):
        return name, None
    named = any(e.name == name for e in list_presets(bundled=True))
    return (None, name) if named else (name, None)


def midi_channels(text: str | None) -> tuple[int, ...] | None:
    """``1,2`` as MIDI channels; None where they are left open.

    Raises
    ------
    ConfigError
        There is no such channel.
    """
    if text is None:
        return None
    parts = [p.strip() for p in text.split(",")]
    if not all(p.isascii() and p.isdigit() and 1 <= int(p[:4]) <= 16 for p in parts):
        raise ConfigError(f"--midi-channel takes channels within 1..16 such as 1,2, got '{text}'")
    return tuple(int(p) for p in parts)


@dataclass
class Concert:
    """A setlist that is played from the start.

    Attributes
    ----------
    at : int or None
        Place of the preset that plays first; None where something else does.
    sounds : tuple of Sound
        With identities, once there is a setup.
    """

    name: str
    opened: tuple[Opened, ...]
    at: int | None = None
    sounds: tuple[Sound, ...] = ()

    def begun(self, saved: SessionFile | None) -> SessionFile | None:
        """The session, with the first preset where it brings no stages of its own."""
        if saved is not None and saved.preset.sound.stages:
            return saved
        self.at = 0
        first = self.opened[0].preset
        if saved is None:
            return SessionFile(first)
        return msgspec.structs.replace(saved, preset=first)

    def shelved(self, setup: Setup) -> Setup:
        """The setup with all presets to be loaded, each stage with an identity of its own."""
        number, sounds = 1 + max((s.identity for s in setup.sound.walk()), default=0), []
        for one in self.opened:
            sound = one.preset.sound
            sounds.append(msgspec.structs.replace(sound, stages=identified(sound.stages, number)))
            number += sum(1 for _ in sound.walk())
        self.sounds = tuple(sounds)
        return msgspec.structs.replace(setup, shelf=self.sounds)

    def kept(self) -> dict[str, Any]:
        """What the host keeps of it."""
        entries = [entry(o, s) for o, s in zip(self.opened, self.sounds, strict=True)]
        return {"name": self.name, "entries": entries, "at": self.at}


def opened_setlist(named: str | None, saved: SessionFile | None) -> Concert | None:
    """The setlist that was asked for, or the session's; checked wholly.

    Raises
    ------
    PresetError
        There is none, or a preset of it is not good.
    """
    named = named or (saved.setlist if saved is not None else None)
    if named is None:
        return None
    name, opened = open_setlist(named, Library())
    for one in opened:
        for stage in one.preset.sound.walk():
            admit_stage(stage)  # what crashes or hangs does so apart from the sound
    return Concert(name, opened)


def to_session(setup: Setup, base: SessionFile, preset: Preset) -> SessionFile:
    """What plays, as a session file that restores it."""
    return msgspec.structs.replace(base, preset=preset, device=setup.device)


@dataclass(frozen=True)
class Simulation:
    """A simulated sound card with a file in it."""

    tape: Tape
    setup: Setup
    length: int
    rate: int
    paced: bool

    def played(self, declared: int) -> npt.NDArray[np.float32]:
        """What the loudspeaker played, the declared latency heard out ``[channels, n]``."""
        return self.tape.recording[:, : self.length + declared]

    @classmethod
    def open(
        cls, path: Path, setup: Setup, block: str | None, channels: int | None, paced: bool
    ) -> Simulation:
        """Read `path` at the setup's rate into a card of its own."""
        sizes = block_sizes(block)
        clip = read_sound(path)
        samples = clip.samples
        rate = setup.device.sample_rate or setup.device.preferred_rate or clip.sample_rate
        if channels is not None and setup.device.in_map is None:
            samples = np.stack([samples[min(c, len(samples) - 1)] for c in range(channels)])
        if rate != clip.sample_rate:
            err.print(
                f"{path.name}: resampled from {clip.sample_rate} to {rate} Hz", highlight=False
            )
            samples = resample(samples, clip.sample_rate, rate)
        return cls.of(samples, rate, sizes, setup, paced)

    @classmethod
    def of(
        cls,
        samples: npt.NDArray[np.float32],
        rate: int,
        sizes: int | list[int],
        setup: Setup,
        paced: bool,
    ) -> Simulation:
        """Put a sound ``[channels, n]`` into a card of its own."""
        length = samples.shape[1]
        tail = int(TAIL_SECONDS * rate)
        whole = sizes if isinstance(sizes, int) else 1
        tail += -(length + tail) % whole
        asked = setup.device
        channels = engine_channels(asked.channels, asked.in_map) or len(samples)
        plays = max(channels, *(c + 1 for c in asked.out_map or (0,)))
        sound = np.pad(samples, ((0, 0), (0, tail)))
        tape = Tape.make(sound, rate, sizes, out_channels=plays, paced=paced)
        device = msgspec.structs.replace(asked, kind="tape", tape=tape.name, channels=channels)
        return cls(tape, setup.with_device(device), length, rate, paced)

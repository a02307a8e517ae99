"""Turn the options of ``restyle live`` into a session's spec."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...audio_files import read_audio, resample
from ...devices.shared_simulated import Tape
from ...errors import ChainError, ConfigError
from ...host.surface import to_spec
from ...models.catalog import find_model
from ...models.load import open_model
from ...presets.check import Library
from ...presets.format import DeviceSettings, SessionFile
from ...presets.preset import Preset
from ...presets.preset_open import open_preset, open_session
from ...session.spec import PLACES, DeviceSpec, Spec, StageSpec
from ...stages.file import absolute, check_entries, read_entries
from ...stages.library import check_plugin
from ..common import chosen_controls, err, make_config

CLOCKS = ("auto", "one", "two")
SIMULATED_BLOCK = 64
TAIL_SECONDS = 0.5  # a simulated card plays on for so long, to hear out the latency


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


def make_spec(
    *,
    model: str | None,
    chain: Path | None,
    mix: float | None,
    gain: float | None,
    output_gain: float | None,
    controls: list[str] | None,
    lane: str,
    fixed_latency: int | None,
    input: str | None,
    output: str | None,
    rate: int | None,
    block: str | None,
    channels: int | None,
    clocks: str,
    fall_back: bool,
    in_map: str | None,
    out_map: str | None,
    simulated: bool,
) -> Spec:
    """Check the options and put them into a spec."""
    config = make_config(
        1.0 if mix is None else mix, gain or 0.0, output_gain or 0.0, controls, lane
    )
    if channels is not None and channels < 1:
        raise ConfigError(f"--channels must be at least 1, got {channels}")
    if fixed_latency is not None and fixed_latency < 0:
        raise ConfigError(f"--fixed-latency takes samples from 0, got {fixed_latency}")
    path = find_model(model) if model is not None else None
    if clocks not in CLOCKS:
        raise ConfigError(f"--clocks must be one of {', '.join(CLOCKS)}, got '{clocks}'")
    device = DeviceSpec(
        input=input,
        output=output,
        sample_rate=rate,
        preferred_rate=model_rate(path),
        clocks=clocks,
        fall_back=fall_back,
        block_size=None if simulated else one_block(block),
        channels=channels,
        in_map=channel_map(in_map, "--in-map"),
        out_map=channel_map(out_map, "--out-map"),
    )
    stages = chain_stages(chain)
    return Spec(
        device=device,
        model=None if path is None else str(path.resolve()),
        controls=chosen_controls(path, config.controls),
        mix=config.mix,
        input_gain_db=config.input_gain_db,
        output_gain_db=config.output_gain_db,
        pre=stages["pre"],
        post=stages["post"],
        lane=lane,
        fixed_latency=fixed_latency,
    )


def model_rate(path: Path | None) -> int | None:
    """The model's sample rate; opening it also says what is wrong with it."""
    if path is None:
        return None
    model = open_model(path, 1)
    try:
        return model.card.sample_rate
    finally:
        model.close()


def chain_stages(path: Path | None) -> dict[str, tuple[StageSpec, ...]]:
    """Stages of a chain file, checked, with identities of their own.

    Raises
    ------
    ChainError
    """
    found: dict[str, tuple[StageSpec, ...]] = dict.fromkeys(PLACES, ())
    if path is None:
        return found
    data = read_entries(path)
    try:
        check_entries(data)
        identity = 0
        for place in PLACES:
            stages = []
            for entry in data.get(place, []):
                identity += 1
                entry = absolute(entry, path.resolve().parent)
                if "plugin" in entry:
                    check_plugin(str(entry["plugin"]), entry.get("plugin_name"))
                stages.append(StageSpec(identity, entry))
            found[place] = tuple(stages)
    except ChainError as error:
        raise ChainError(f"{path.name}: {error}") from None
    return found


def channel_map(text: str | None, option: str) -> tuple[int, ...] | None:
    """``1,2`` to ``(0, 1)``; 0 is silence, -1 inside."""
    if text is None:
        return None
    parts = [p.strip() for p in text.split(",")]
    if not all(p.isdigit() for p in parts):
        raise ConfigError(f"{option} takes channel numbers such as 1,2 (0 for none), got '{text}'")
    return tuple(int(p) - 1 for p in parts)


def one_block(text: str | None) -> int | None:
    """A block size given as text."""
    if text is None:
        return None
    if not text.isdigit() or int(text) < 1:
        raise ConfigError(f"--block takes a number of samples such as 64, got '{text}'")
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
        return open_session(session, Library())
    if preset is not None:
        return SessionFile(open_preset(preset, Library()))
    return None


def with_saved(
    spec: Spec, saved: SessionFile, identities: Iterator[int], asked: Mapping[str, float | None]
) -> Spec:
    """The spec with a saved session's sound and device; what is asked for beside it goes before.

    Parameters
    ----------
    asked : mapping
        ``mix``, ``input_gain_db`` and ``output_gain_db`` where they were given; controls are the
        spec's own.
    """
    controls = dict(spec.controls)
    spec = to_spec(saved.preset, spec, lambda: next(identities))
    path = None if spec.model is None else Path(spec.model)
    values: dict[str, Any] = {k: v for k, v in asked.items() if v is not None}
    values["controls"] = {**spec.controls, **chosen_controls(path, controls)}
    spec = replace(spec, **values)
    device = replace(spec.device, preferred_rate=model_rate(path))
    named = saved.device
    if named is None:
        return replace(spec, device=device)
    words = f" {named.host_api}" if named.host_api else ""
    device = replace(
        device,
        input=device.input or (f"{named.input}{words}" if named.input else None),
        output=device.output or (f"{named.output}{words}" if named.output else None),
        sample_rate=device.sample_rate or named.sample_rate,
        block_size=device.block_size or named.block_size,
        channels=device.channels or named.channels,
        in_map=device.in_map or _from_one(named.input_channels),
        out_map=device.out_map or _from_one(named.output_channels),
    )
    return replace(
        spec,
        device=device,
        lane=named.lane,
        worker_blocks=named.worker_blocks,
        fixed_latency=named.fixed_latency,
    )


def _from_one(channels: tuple[int, ...] | None) -> tuple[int, ...] | None:
    return None if channels is None else tuple(c - 1 for c in channels)


def to_session(spec: Spec, base: SessionFile, preset: Preset) -> SessionFile:
    """What plays, as a session file that restores it."""
    d = spec.device
    device = DeviceSettings(
        input=d.input,
        output=d.output,
        sample_rate=d.sample_rate,
        block_size=d.block_size,
        input_channels=None if d.in_map is None else tuple(c + 1 for c in d.in_map),
        output_channels=None if d.out_map is None else tuple(c + 1 for c in d.out_map),
        channels=d.channels,
        lane=spec.lane,
        worker_blocks=spec.worker_blocks,
        fixed_latency=spec.fixed_latency,
    )
    return replace(base, preset=preset, device=device)


@dataclass(frozen=True)
class Simulation:
    """A simulated sound card with a file in it."""

    tape: Tape
    spec: Spec
    length: int
    rate: int
    paced: bool

    def played(self, declared: int) -> npt.NDArray[np.float32]:
        """What the loudspeaker played, the declared latency heard out ``[channels, n]``."""
        return self.tape.recording[:, : self.length + declared]

    @classmethod
    def open(
        cls, path: Path, spec: Spec, block: str | None, channels: int | None, paced: bool
    ) -> Simulation:
        """Read `path` at the spec's rate into a card of its own."""
        sizes = block_sizes(block)
        clip = read_audio(path)
        samples = clip.samples
        rate = spec.device.sample_rate or spec.device.preferred_rate or clip.sample_rate
        if channels is not None:
            samples = np.stack([samples[min(c, len(samples) - 1)] for c in range(channels)])
        if rate != clip.sample_rate:
            err.print(
                f"{path.name}: resampled from {clip.sample_rate} to {rate} Hz", highlight=False
            )
            samples = resample(samples, clip.sample_rate, rate)
        return cls.of(samples, rate, sizes, spec, paced)

    @classmethod
    def of(
        cls,
        samples: npt.NDArray[np.float32],
        rate: int,
        sizes: int | list[int],
        spec: Spec,
        paced: bool,
    ) -> Simulation:
        """Put a sound ``[channels, n]`` into a card of its own."""
        length = samples.shape[1]
        tail = int(TAIL_SECONDS * rate)
        whole = sizes if isinstance(sizes, int) else 1
        tail += -(length + tail) % whole
        tape = Tape.make(np.pad(samples, ((0, 0), (0, tail))), rate, sizes, paced=paced)
        device = replace(spec.device, kind="tape", tape=tape.name, channels=len(samples))
        return cls(tape, replace(spec, device=device), length, rate, paced)

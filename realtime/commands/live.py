"""``restyle live``: the stream, with a compact meter, until Ctrl-C or the end of the sound."""

from __future__ import annotations

import gc
import signal
import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from ..errors import ConfigError, RestyleError
from ..io.files import Clip, check_target, read_audio, resample, write_audio
from ..io.simulated import SimulatedDevice
from ..io.transport import Transport
from ..models.catalog import bundled_folder, find_model
from ..models.load import open_model
from ..models.steppable import Steppable
from ..session import Session
from .common import (
    ChainOption,
    GainOption,
    MixOption,
    ModelOption,
    OutGainOption,
    SetOption,
    announce_cold_start,
    check_writable,
    err,
    make_config,
    open_chains,
    write_json,
)
from .meter import run_with_meter, summary

SIMULATED_BLOCK = 64
DEMO_MODEL, DEMO_CLIP, DEMO_OUT = "tube-amp", "demo.flac", Path("out") / "restyled.wav"


def live(
    model: ModelOption = None,
    input: Annotated[str | None, typer.Option(help="Input device: index or part of name.")] = None,
    output: Annotated[str | None, typer.Option(help="Output device, likewise.")] = None,
    block: Annotated[
        str | None,
        typer.Option(
            help="Samples per callback; simulated devices also take a list 64,33,480 or 'random'."
        ),
    ] = None,
    rate: Annotated[
        int | None, typer.Option(help="Sample rate in Hz; the model's if not given.")
    ] = None,
    channels: Annotated[int | None, typer.Option(help="Channels to process.")] = None,
    lane: Annotated[str, typer.Option(help="auto, inline or worker.")] = "auto",
    mix: MixOption = 1.0,
    chain: ChainOption = None,
    gain: GainOption = 0.0,
    output_gain: OutGainOption = 0.0,
    controls: SetOption = None,
    seconds: Annotated[float | None, typer.Option(help="Stop after so long.")] = None,
    simulate: Annotated[
        Path | None, typer.Option(metavar="IN.wav", help="Play a file instead of a sound card.")
    ] = None,
    simulate_out: Annotated[
        Path | None, typer.Option(metavar="OUT.wav", help="Where the simulated loudspeaker goes.")
    ] = None,
    fast: Annotated[
        bool, typer.Option("--fast", help="Simulated: do not wait for the clock.")
    ] = False,
    stats: Annotated[Path | None, typer.Option(metavar="FILE.json", help="Write counters.")] = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="Microphone if there is one, else the bundled clip.")
    ] = False,
) -> None:
    """Restyle live sound; Ctrl-C stops.

    With --simulate, what the loudspeaker would have played (latency included) goes to
    --simulate-out.
    """
    config = make_config(mix, gain, output_gain, controls, lane)
    if seconds is not None and not seconds > 0:
        raise ConfigError(f"--seconds must be positive, got {seconds:g}")
    if demo:
        model = model or DEMO_MODEL
        if simulate is None and not _has_microphone(input):
            simulate, simulate_out = _demo_clip(), simulate_out or DEMO_OUT
            simulate_out.parent.mkdir(parents=True, exist_ok=True)
            err.print("no sound card: playing the bundled clip through a simulated device")
    if simulate is None and (simulate_out is not None or fast):
        raise ConfigError("--simulate-out and --fast go with --simulate IN.wav")
    if simulate_out is not None:
        check_target(simulate_out)
    check_writable(stats)
    path = find_model(model) if model is not None else None
    pre, post = open_chains(chain)
    announce_cold_start()
    if path is None and pre is None and post is None:
        err.print("no --model and no --chain: sound passes through", highlight=False)
    native = open_model(path, 1) if path is not None else None
    wanted = rate or (native.card.sample_rate if native else None)
    if native:
        native.close()
    device: Transport
    if simulate is not None:
        device = _simulated(simulate, wanted, block, channels, fast)
        channels = device.in_channels
    else:
        from ..io.device import PortAudioDevice

        device = PortAudioDevice(
            input, output, sample_rate=wanted, block_size=_one_block(block), channels=channels
        )
        channels = channels or 1
    loaded = open_model(path, channels, device.block_size) if path is not None else None
    session = Session(config, device, loaded, channels=channels, pre=pre, post=post)
    try:
        run(session, seconds)
    finally:
        _finish(session, loaded, simulate_out, stats)
    session.check()


def run(session: Session, seconds: float | None) -> None:
    """Run a session with the garbage collector still and the meter on; Ctrl-C ends it."""

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGTERM, interrupt)
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        session.start()
        run_with_meter(session, seconds)
    except KeyboardInterrupt:
        err.print("stopped")
    finally:
        session.stop()
        gc.enable()
        gc.unfreeze()
        signal.signal(signal.SIGTERM, previous)


def _finish(
    session: Session, model: Steppable | None, target: Path | None, stats: Path | None
) -> None:
    figures = session.stats()
    summary(session, figures)
    if target is not None and isinstance(session.device, SimulatedDevice):
        if session.device.position:
            write_audio(target, Clip(session.device.recording, session.device.sample_rate))
            err.print(f"wrote {target}", highlight=False)
        else:
            err.print(f"nothing was played; {target} was not written", highlight=False)
    if stats is not None:
        write_json(stats, figures)
    if model is not None:
        model.close()


def _one_block(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdigit() or int(text) < 1:
        raise ConfigError(f"--block takes a number of samples such as 64, got '{text}'")
    return int(text)


def _blocks(text: str | None) -> int | list[int]:
    """Block sizes of a simulated device."""
    if text is None:
        return SIMULATED_BLOCK
    if text == "random":
        return [int(n) for n in np.random.default_rng(time.time_ns()).integers(1, 1025, 997)]
    sizes = [_one_block(part.strip()) or 0 for part in text.split(",")]
    return sizes[0] if len(sizes) == 1 else sizes


def _simulated(
    path: Path, rate: int | None, block: str | None, channels: int | None, fast: bool
) -> SimulatedDevice:
    clip = read_audio(path)
    samples = clip.samples
    if channels is not None:
        if channels < 1:
            raise ConfigError(f"--channels must be at least 1, got {channels}")
        samples = np.stack([samples[min(c, len(samples) - 1)] for c in range(channels)])
    if rate is not None and rate != clip.sample_rate:
        err.print(f"{path.name}: resampled from {clip.sample_rate} to {rate} Hz", highlight=False)
        samples = resample(samples, clip.sample_rate, rate)
    return SimulatedDevice(samples, rate or clip.sample_rate, _blocks(block), paced=not fast)


def _has_microphone(wanted: str | None) -> bool:
    from ..io.device import find_device

    try:
        find_device(wanted, "input")
        find_device(None, "output")
    except RestyleError:
        return False
    return True


def _demo_clip() -> Path:
    folder = bundled_folder()
    if folder is None or not (folder / DEMO_CLIP).is_file():
        raise ConfigError(f"the bundled clip {DEMO_CLIP} is missing; reinstall restyle")
    return folder / DEMO_CLIP

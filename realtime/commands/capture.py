"""``restyle capture``: an amplifier, pedal or plug-in becomes a model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from ..audio_files import Clip, check_target, write_audio
from ..devices.one_card import PortAudioDevice
from ..devices.play_record import play_and_record
from ..errors import ConfigError
from ..presets.interfaces import checked_level
from ..session.render import render
from ..session.sound import Sound
from .common import ChainOption, ForceOption, ModelOption, err, spread, trainer
from .sounds import chosen_sound

ROOM = 18.0  # dB over full scale that a chain may reach
TAIL = 12_000  # samples recorded after the signal: the delay
MOST = 32  # inputs that are listened to where none is named

OUT = typer.Option("--out", "-o", help="The model to write, NAME.onnx.")
InChannel = Annotated[
    int | None, typer.Option("--in-channel", min=1, help="Channel of the input; else the best.")
]


@dataclass(frozen=True)
class Cards:
    """Options: what the gear hangs on."""

    input: Annotated[str | None, typer.Option(help="Device that the gear's output goes to.")] = None
    output: Annotated[str | None, typer.Option(help="Device that feeds the gear.")] = None
    in_channel: InChannel = None
    out_channel: Annotated[
        int | None,
        typer.Option("--out-channel", min=1, help="Channel of the output; else 1 and 2."),
    ] = None
    block: Annotated[int | None, typer.Option(help="Samples a block of the device.")] = None


@dataclass(frozen=True)
class Making:
    """Options: how the model is made, and what its card says of the gear."""

    size: Annotated[str, typer.Option(help="nano, feather, lite or standard.")] = "feather"
    minutes: Annotated[float, typer.Option(help="Of training, at most.")] = 10.0
    good: Annotated[float, typer.Option("--esr", help="Held-out ESR that is good enough.")] = 1e-3
    threads: Annotated[int, typer.Option(help="CPU threads.")] = 1
    title: Annotated[str, typer.Option(help="Of the gear, for the card.")] = ""
    gear: Annotated[str, typer.Option("--gear", help="amp, pedal, pedal_amp, preamp, studio …")] = (
        ""
    )
    owner: Annotated[str | None, typer.Option(help="Who captured it, for the card.")] = None
    licence: Annotated[str, typer.Option(help="SPDX, or own-recording; for the card.")] = (
        "own-recording"
    )
    input_level_dbu: Annotated[
        float | None,
        typer.Option(
            "--input-level-dbu", metavar="DBU", help="At the gear's input for full scale."
        ),
    ] = None
    output_level_dbu: Annotated[
        float | None,
        typer.Option(
            "--output-level-dbu", metavar="DBU", help="At the gear's output for full scale."
        ),
    ] = None

    def check(self) -> None:
        """Refuse what no training can be, before anything is played."""
        sizes = trainer("train.capture.network").SIZES
        if self.size not in sizes:
            raise ConfigError(f"--size must be one of {', '.join(sizes)}, got '{self.size}'")
        if not 0 <= self.good <= 1:
            raise ConfigError(f"--esr must be within 0..1, got {self.good}")
        trainer("train.own.run").check_effort(self.minutes, self.threads)

    def about(self) -> Any:
        """What the card says."""
        levels = (self.input_level_dbu, self.output_level_dbu)
        for level in levels:
            if level is not None:
                checked_level(level)
        origin = trainer("train.own.keep").Origin
        owned = {} if self.owner is None else {"owner": self.owner}
        origin = origin(**owned, licence=self.licence)
        return trainer("train.capture.make").Gear(self.title, self.gear, origin, *levels)


group = typer.Typer(invoke_without_command=True)


@group.callback()
@spread
def capture(
    context: typer.Context,
    *,
    out: Annotated[Path | None, OUT] = None,
    cards: Cards,
    model: ModelOption = None,
    chain: ChainOption = None,
    making: Making,
    force: ForceOption = False,
) -> None:
    """Play a signal of 2.5 minutes through the gear, listen to it, and make a model of it.

    With --model or --chain the gear is a model, or a chain of effects and plug-ins, inside restyle.
    """
    if context.invoked_subcommand is not None:
        return
    if out is None:
        raise ConfigError("name the model to write: restyle capture --out NAME.onnx")
    trainer("train.own.keep").check_out(out)
    kept = out.with_name(f"{out.stem}-take.wav")
    check_target(kept, replace=force)  # a take may be the only one of its kind
    making.check()
    about = making.about()
    signal = trainer("train.capture.signal").make_signal()
    inside = model is not None or chain is not None
    if inside:
        clip = _rendered(signal.samples, chosen_sound(model, chain, {}, {}))
    else:
        clip = _recorded(signal.samples, cards)
    write_audio(kept, clip)
    typer.echo(f"the take is kept: {kept}")
    channel = None if inside or cards.in_channel is None else cards.in_channel - 1
    heard = trainer("train.capture.make").read_take(signal, kept, channel, converter=not inside)
    _make(signal, [heard], [()], [], out, about, making)


@group.command()
def signal(
    target: Annotated[Path, typer.Argument(metavar="OUT.wav", help="File to write.")],
    force: ForceOption = False,
) -> None:
    """Write the signal, to be played through the gear by whatever records it."""
    check_target(target, replace=force)
    made = trainer("train.capture.signal").write_signal(target)
    typer.echo(f"wrote {target}: {len(made.samples) / 48000:.0f} s, 48000 Hz, 24 bits, CC0-1.0")


@group.command()
@spread
def record(
    target: Annotated[Path, typer.Argument(metavar="TAKE.wav", help="File to write.")],
    *,
    cards: Cards,
    force: ForceOption = False,
) -> None:
    """Play the signal through the gear and keep what comes back, if it is fit to learn from."""
    check_target(target, replace=force)
    made = trainer("train.capture.signal").make_signal()
    clip = _recorded(made.samples, cards)
    channel = None if cards.in_channel is None else cards.in_channel - 1
    heard = trainer("train.capture.heard").hear(made, clip.samples, 48000, channel)
    write_audio(target, clip)
    typer.echo(f"wrote {target}: {heard.words()}")


@group.command()
@spread
def make(
    dry: Annotated[Path, typer.Argument(help="The signal's file, see 'restyle capture signal'.")],
    takes: Annotated[
        list[Path], typer.Argument(metavar="WET…", help="What came back; one for each --knob.")
    ],
    *,
    out: Annotated[Path, OUT],
    knob: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Before each take: where the gear's knobs stood."),
    ] = None,
    in_channel: InChannel = None,
    making: Making,
) -> None:
    """Make a model from recordings of the signal through the gear.

    Several takes with the knobs elsewhere make one model with these knobs.
    """
    trainer("train.own.keep").check_out(out)
    making.check()
    captures = trainer("train.capture.make")
    about = making.about()
    knobs, places = captures.read_places(knob or [], len(takes))
    made = captures.check_dry(dry)
    channel = None if in_channel is None else in_channel - 1
    heard = [captures.read_take(made, path, channel) for path in takes]
    _make(made, heard, places, knobs, out, about, making)


def _make(
    signal: Any,
    heard: list[Any],
    places: list[tuple[float, ...]],
    knobs: list[Any],
    out: Path,
    gear: Any,
    making: Making,
) -> None:
    captures = trainer("train.capture.make")
    for found in heard:
        typer.echo(found.words())
    with trainer("train.fit.processes").Stop() as stop:
        done = captures.make(
            signal,
            [captures.Take(h.wet, place) for h, place in zip(heard, places, strict=True)],
            out,
            gear=gear,
            knobs=knobs,
            heard=heard,
            say=typer.echo,
            threads=making.threads,
            size=making.size,
            minutes=making.minutes,
            good=making.good,
            stopped=lambda: stop.asked,
        )
    for rows in done.rows:
        typer.echo(captures.table(rows))
    files = ", ".join(str(c) for c in done.captures)
    typer.echo(f"wrote {done.model} and {files}; play it: restyle live --model {done.model}")


def _rendered(samples: Any, sound: Sound) -> Clip:
    """Through a sound inside restyle; its limiter is kept out of it."""
    gain = sound.output_gain_db - ROOM
    clip = render(msgspec.structs.replace(sound, output_gain_db=gain), Clip(samples[None], 48000))
    return Clip(clip.samples * np.float32(10 ** (ROOM / 20)), clip.sample_rate)


def _recorded(samples: Any, cards: Cards) -> Clip:
    """Play and record through a device, all its input channels."""
    into, outof = cards.in_channel, cards.out_channel
    device = PortAudioDevice(
        cards.input,
        cards.output,
        sample_rate=48000,
        block_size=cards.block,
        channels=MOST,
        in_map=None if into is None else [into - 1],
        out_map=None if outof is None else [outof - 1],
    )
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    )
    with bar:
        task = bar.add_task(f"playing through {device.name}", total=None)
        heard = play_and_record(
            device,
            samples,
            TAIL,
            None if outof is None else outof - 1,
            lambda done, total: bar.update(task, completed=done, total=total),
        )
    return Clip(heard, 48000)

"""``restyle tuner``: tune an instrument; nothing is played meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import ConfigError
from ..session.sound import Device, Setup, Sound, Stage
from ..stages.ranges import TOOLS
from .common import announce_cold_start
from .live.options import Recording, Simulation, channel_map, one_block
from .live.run import Run

A4 = next(p for p in TOOLS["Tuner"] if p.name == "reference_hz")


def tuner(
    input: Annotated[
        str | None, typer.Option(help="Input device: index or words.", show_default=False)
    ] = None,
    output: Annotated[
        str | None, typer.Option(help="Output device; it stays silent.", show_default=False)
    ] = None,
    in_map: Annotated[
        str | None, typer.Option(metavar="1,2", help="Channels of the device, from 1.")
    ] = None,
    reference: Annotated[float, typer.Option(help="A4 in Hz: 415 to 466.")] = A4.default,
    block: Annotated[str | None, typer.Option(help="Samples per callback.")] = None,
    seconds: Annotated[float | None, typer.Option(help="Stop after so long.")] = None,
    simulate: Annotated[
        Path | None, typer.Option(metavar="IN.wav", help="A file instead of a sound card.")
    ] = None,
) -> None:
    """Show the pitch of what comes in, with the output muted; Ctrl-C stops.

    In a running session, put the effect Tuner into the path, or press Tuner on the page.
    """
    if seconds is not None and not seconds > 0:
        raise ConfigError(f"--seconds must be positive, got {seconds:g}")
    if not A4.minimum <= reference <= A4.maximum:
        raise ConfigError(
            f"--reference must be within {A4.minimum:g}..{A4.maximum:g} Hz, got {reference:g}"
        )
    announce_cold_start()
    values = {"mute": True, "reference_hz": reference}
    sound = Sound((Stage(effect="Tuner", parameters=values, identity=1),))
    device = Device(
        input=input,
        output=output,
        in_map=channel_map(in_map, "--in-map"),
        block_size=None if simulate is not None else one_block(block),
    )
    setup, simulation = Setup(sound, device), None
    if simulate is not None:
        simulation = Simulation.open(simulate, setup, block, None, paced=True)
        setup = simulation.setup
    try:
        Run(setup, seconds, simulation, None, None, Recording(), tuning=True).play()
    finally:
        if simulation is not None:
            simulation.tape.close()

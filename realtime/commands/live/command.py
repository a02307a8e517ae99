"""``restyle live``: the stream, with a compact meter, until Ctrl-C or the end of the sound."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Annotated

import typer

from ...audio_files import check_target
from ...errors import ConfigError
from ...models.catalog import find_model
from ...panel.server import PORT, PanelSettings
from ..common import ChainOption, ModelOption, SetOption, announce_cold_start, check_writable, err
from .demo import demo_session
from .options import Recording, Simulation, make_spec, saved_session, with_saved
from .run import Run, osc_address
from .source import silent_card, source_settings, without_input

Maps = Annotated[str | None, typer.Option(metavar="1,2", help="Device channels, from 1; 0: none.")]


def live(
    model: ModelOption = None,
    input: Annotated[str | None, typer.Option(help="Input device: index or words.")] = None,
    output: Annotated[str | None, typer.Option(help="Output device: index or words.")] = None,
    block: Annotated[
        str | None,
        typer.Option(
            help="Samples per callback; the device's own if not given. Simulated devices"
            " also take a list 64,33,480 or 'random'."
        ),
    ] = None,
    rate: Annotated[
        int | None, typer.Option(help="Sample rate in Hz; the model's if the device takes it.")
    ] = None,
    channels: Annotated[int | None, typer.Option(help="Channels to process.")] = None,
    clocks: Annotated[
        str, typer.Option(help="Clocks of input and output device: auto, one or two.")
    ] = "auto",
    fall_back: Annotated[
        bool, typer.Option("--fall-back", help="Default devices where the chosen ones are gone.")
    ] = False,
    in_map: Maps = None,
    out_map: Maps = None,
    lane: Annotated[str, typer.Option(help="auto, inline or worker.")] = "auto",
    fixed_latency: Annotated[
        int | None, typer.Option(metavar="SAMPLES", help="The same latency for every model.")
    ] = None,
    preset: Annotated[str | None, typer.Option(help="A preset: name or file.")] = None,
    session: Annotated[
        Path | None, typer.Option(metavar="FILE.toml", help="A session file: sound, device, MIDI.")
    ] = None,
    save_session: Annotated[
        Path | None, typer.Option(metavar="FILE.toml", help="At the end, keep all of it there.")
    ] = None,
    osc: Annotated[
        str | None, typer.Option(metavar="[HOST:]PORT", help="Listen for OSC messages.")
    ] = None,
    mix: Annotated[float | None, typer.Option(help="0 dry .. 1 wet.")] = None,
    chain: ChainOption = None,
    gain: Annotated[float | None, typer.Option(help="dB before the model.")] = None,
    output_gain: Annotated[float | None, typer.Option(help="dB before the limiter.")] = None,
    controls: SetOption = None,
    seconds: Annotated[float | None, typer.Option(help="Stop after so long.")] = None,
    record: Annotated[
        Path | None, typer.Option(metavar="OUT.wav", help="Record what is played.")
    ] = None,
    record_dry: Annotated[
        Path | None, typer.Option(metavar="DRY.wav", help="Record what comes in.")
    ] = None,
    capture: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Keep all of it for 'restyle replay'.")
    ] = None,
    source: Annotated[
        str, typer.Option(help="input, or model: a generator plays and nothing comes in.")
    ] = "input",
    seed: Annotated[int | None, typer.Option(help="Which music a generator plays.")] = None,
    loop: Annotated[
        int | None, typer.Option(metavar="SECONDS", help="A generator begins again after so long.")
    ] = None,
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
    panel: Annotated[
        bool | None,
        typer.Option("--panel/--no-panel", help="Serve a page; on unless --simulate is given."),
    ] = None,
    panel_port: Annotated[
        int, typer.Option(help="Its port; the next free one where it is taken, 0: any.")
    ] = PORT,
    panel_host: Annotated[
        str, typer.Option(help="Its address; other than this machine's own needs a token.")
    ] = "127.0.0.1",
    panel_token: Annotated[
        str | None, typer.Option(help="Token to show; made and printed where one is needed.")
    ] = None,
    tags: Annotated[
        bool, typer.Option("--tags", help="Tell what is heard in what is played.")
    ] = False,
    terminal: Annotated[
        bool, typer.Option("--terminal", help="A full view in the terminal, for SSH; no panel.")
    ] = False,
    demo: Annotated[
        bool, typer.Option("--demo", help="Microphone if there is one, else the bundled clip.")
    ] = False,
) -> None:
    """Restyle live sound; Ctrl-C stops.

    The engine runs in a process of its own; if it dies, another takes over.  With --simulate, what
    the loudspeaker would have played (latency included) goes to --simulate-out.
    """
    if seconds is not None and not seconds > 0:
        raise ConfigError(f"--seconds must be positive, got {seconds:g}")
    if demo:
        model, simulate, simulate_out = demo_session(model, input, simulate, simulate_out)
    virtual = simulate is not None or (source == "model" and simulate_out is not None)
    if not virtual and (simulate_out is not None or fast):
        raise ConfigError("--simulate-out and --fast go with --simulate IN.wav")
    controls = source_settings(source, model, seed, loop, controls)
    if capture is not None and (record is not None or record_dry is not None):
        raise ConfigError(
            "a capture holds input.wav and output.wav already; leave --record and --record-dry out"
        )
    osc_address(osc)
    by_default = (not virtual or demo) and not (fast or terminal)
    served = by_default if panel is None else panel
    settings = PanelSettings(panel_host, panel_port, panel_token).check() if served else None
    for target in (simulate_out, record, record_dry):
        if target is not None:
            check_target(target)
    check_writable(stats)
    check_writable(save_session)
    announce_cold_start()
    saved = saved_session(session, preset)
    if saved is not None and (model is not None or chain is not None):
        raise ConfigError(
            "a preset or session brings its own model and chains; leave --model and --chain out"
        )
    spec = make_spec(
        model=model,
        chain=chain,
        mix=mix,
        gain=gain,
        output_gain=output_gain,
        controls=controls,
        lane=lane,
        fixed_latency=fixed_latency,
        input=input,
        output=output,
        rate=rate,
        block=block,
        channels=channels,
        clocks=clocks,
        fall_back=fall_back,
        in_map=in_map,
        out_map=out_map,
        simulated=virtual,
    )
    if saved is not None:
        asked = {"mix": mix, "input_gain_db": gain, "output_gain_db": output_gain}
        spec = with_saved(spec, saved, itertools.count(1), asked)
    if source == "model":
        spec = without_input(spec, input, simulate)
    if spec.model is None and not spec.stages:
        err.print("no --model and no --chain: sound passes through", highlight=False)
    simulation = None
    if simulate is not None:
        simulation = Simulation.open(simulate, spec, block, channels, paced=not fast)
        spec = simulation.spec
    elif virtual:
        simulation, seconds = silent_card(spec, seconds, block, channels, paced=not fast), None
        spec = simulation.spec
    try:
        Run(
            spec,
            seconds,
            simulation,
            simulate_out,
            stats,
            Recording(record, record_dry, capture),
            saved,
            osc,
            save_session,
            settings,
            terminal,
            find_model("tagger") if tags else None,
        ).play()
    finally:
        if simulation is not None:
            simulation.tape.close()

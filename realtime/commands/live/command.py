"""``restyle live``: the stream, with a compact meter, until Ctrl-C or the end of the sound."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from ...audio_files import check_target
from ...controllers.notes_out import find_output
from ...errors import ConfigError
from ...models.catalog import find_model
from ...panel.server import PORT, PanelSettings
from ...session.sound import Device, Setup
from ..common import announce_cold_start, check_distinct, check_writable, err
from ..sounds import chosen_sound, models_rate, parse_values
from ..trusting import with_yes
from .demo import demo_session
from .level import input_level
from .microphone import microphone, through
from .options import (
    CEILING_DB,
    Recording,
    Simulation,
    channel_map,
    checked_ceiling,
    checked_device,
    checked_lane,
    midi_channels,
    one_block,
    opened_setlist,
    saved_session,
    style_or_preset,
    with_saved,
)
from .run import Run, osc_address
from .source import silent_card, source_settings, without_input

SOUND, DEVICE, CONTROL = "Sound", "Device", "Control"
RECORDING, ADVANCED = "Recording", "Advanced"


def _option(group: str, text: str, *words: str, **more: Any) -> Any:
    """An option under a heading of the help."""
    return typer.Option(*words, help=text, rich_help_panel=group, **more)


Inputs = Annotated[
    str | None,
    _option(DEVICE, "The device's inputs to hear, from 1; 0: none.", "--in-map", metavar="1,2"),
]
Outputs = Annotated[
    str | None,
    _option(DEVICE, "Its outputs to play on, from 1; 0: none.", "--out-map", metavar="1,2"),
]


def live(
    style: Annotated[
        str | None,
        typer.Argument(
            metavar="[STYLE]",
            help="A style or a voice: see 'restyle models' and 'restyle preset list'.",
        ),
    ] = None,
    model: Annotated[
        str | None, _option(SOUND, "The same, or a model's file.", "--model", "-m")
    ] = None,
    preset: Annotated[str | None, _option(SOUND, "A preset: name or file.")] = None,
    session: Annotated[
        Path | None,
        _option(SOUND, "A session file: sound, device, MIDI.", metavar="FILE.toml"),
    ] = None,
    setlist: Annotated[
        str | None,
        _option(SOUND, "A setlist: its presets are loaded beforehand.", metavar="FILE"),
    ] = None,
    chain: Annotated[
        Path | None,
        _option(SOUND, "Stages around it: effects, plug-ins, models.", metavar="FILE.toml"),
    ] = None,
    trust: Annotated[
        list[Path] | None,
        _option(
            SOUND,
            "Say yes to what this file asks for: new plug-ins, the network, other folders.",
            "--trust",
            metavar="FILE",
        ),
    ] = None,
    controls: Annotated[
        list[str] | None,
        _option(
            SOUND,
            "A parameter: 2.room_size, or a name that one stage has.",
            "--set",
            metavar="NAME=VALUE",
        ),
    ] = None,
    mix: Annotated[float | None, _option(SOUND, "0 dry .. 1 wet, of all of it.")] = None,
    gain: Annotated[float | None, _option(SOUND, "dB at the input.")] = None,
    output_gain: Annotated[float | None, _option(SOUND, "dB before the limiter.")] = None,
    source: Annotated[
        str, _option(SOUND, "input, or model: a generator plays and nothing comes in.")
    ] = "input",
    input_level_dbu: Annotated[
        float | None,
        _option(
            SOUND,
            "What the input takes at full scale; captures then play at the level they were"
            " captured at. Kept for this input.",
            metavar="DBU",
        ),
    ] = None,
    seed: Annotated[int | None, _option(SOUND, "Which music a generator plays.")] = None,
    loop: Annotated[
        int | None,
        _option(SOUND, "A generator begins again after so long.", metavar="SECONDS"),
    ] = None,
    demo: Annotated[
        bool, _option(SOUND, "Microphone if there is one, else the bundled clip.", "--demo")
    ] = False,
    input: Annotated[str | None, _option(DEVICE, "Input device: index or words.")] = None,
    output: Annotated[str | None, _option(DEVICE, "Output device: index or words.")] = None,
    virtual_mic: Annotated[
        bool,
        _option(DEVICE, "Be a microphone that other programs can choose.", "--virtual-mic"),
    ] = False,
    mic_name: Annotated[
        str | None, _option(DEVICE, "What they list it as: restyle if not given.")
    ] = None,
    monitor: Annotated[
        str | None, _option(DEVICE, "A second output to hear yourself on: index or words.")
    ] = None,
    monitor_gain: Annotated[float | None, _option(DEVICE, "dB on that output alone.")] = None,
    block: Annotated[
        str | None,
        _option(
            DEVICE,
            "Samples per callback; the device's own if not given. Simulated devices also take a"
            " list 64,33,480 or 'random'.",
        ),
    ] = None,
    rate: Annotated[
        int | None, _option(DEVICE, "Sample rate in Hz; the model's if the device takes it.")
    ] = None,
    channels: Annotated[int | None, _option(DEVICE, "Channels to process.")] = None,
    in_map: Inputs = None,
    out_map: Outputs = None,
    clocks: Annotated[
        str, _option(DEVICE, "Clocks of input and output device: auto, one or two.")
    ] = "auto",
    wait: Annotated[
        bool,
        _option(DEVICE, "Wait for JACK, PipeWire or the card as long as it takes.", "--wait"),
    ] = False,
    fall_back: Annotated[
        bool, _option(DEVICE, "Default devices where the chosen ones are gone.", "--fall-back")
    ] = False,
    panel: Annotated[
        bool | None,
        _option(CONTROL, "Serve a page; on unless --simulate is given.", "--panel/--no-panel"),
    ] = None,
    panel_port: Annotated[
        int, _option(CONTROL, "Its port; the next free one where it is taken, 0: any.")
    ] = PORT,
    panel_host: Annotated[
        str, _option(CONTROL, "Its address; 0.0.0.0 lets the network in.")
    ] = "127.0.0.1",
    panel_token: Annotated[
        str | None, _option(CONTROL, "Token to show; one is made and printed otherwise.")
    ] = None,
    panel_socket: Annotated[
        Path | None,
        _option(CONTROL, "Serve on a Unix socket of yours instead.", metavar="PATH"),
    ] = None,
    osc: Annotated[
        str | None, _option(CONTROL, "Listen for OSC messages.", metavar="[HOST:]PORT")
    ] = None,
    midi_channel: Annotated[
        str | None, _option(CONTROL, "MIDI channels to hear; all if not given.", metavar="1,2")
    ] = None,
    notes_out: Annotated[
        str | None,
        _option(
            CONTROL,
            "Send the notes that a player hears to a MIDI output: part of its name, or virtual.",
            metavar="PORT",
        ),
    ] = None,
    terminal: Annotated[
        bool, _option(CONTROL, "A full view in the terminal, for SSH; no panel.", "--terminal")
    ] = False,
    tags: Annotated[
        bool, _option(CONTROL, "Tell what is heard in what is played.", "--tags")
    ] = False,
    record: Annotated[
        Path | None, _option(RECORDING, "Record what is played.", metavar="OUT.wav")
    ] = None,
    record_dry: Annotated[
        Path | None, _option(RECORDING, "Record what comes in.", metavar="DRY.wav")
    ] = None,
    capture: Annotated[
        Path | None,
        _option(RECORDING, "Keep all of it for 'restyle replay'.", metavar="FOLDER"),
    ] = None,
    save_session: Annotated[
        Path | None,
        _option(RECORDING, "At the end, keep sound, device and MIDI.", metavar="FILE.toml"),
    ] = None,
    force: Annotated[bool, _option(RECORDING, "Replace sounds that are there.", "--force")] = False,
    stats: Annotated[
        Path | None, _option(RECORDING, "Write counters.", metavar="FILE.json")
    ] = None,
    seconds: Annotated[float | None, _option(ADVANCED, "Stop after so long.")] = None,
    lane: Annotated[str, _option(ADVANCED, "auto, inline or worker.")] = "auto",
    fixed_latency: Annotated[
        int | None,
        _option(ADVANCED, "The same latency whatever plays.", metavar="SAMPLES"),
    ] = None,
    ceiling: Annotated[
        str | None,
        _option(
            ADVANCED,
            "True peak of what is played, or off; -1 on a sound card. DC, clicks at start and end"
            " and feedback are kept from it, too.",
            metavar="DBFS",
        ),
    ] = None,
    simulate: Annotated[
        Path | None,
        _option(ADVANCED, "Play a file instead of a sound card.", metavar="IN.wav"),
    ] = None,
    simulate_out: Annotated[
        Path | None,
        _option(ADVANCED, "Where the simulated loudspeaker goes.", metavar="OUT.wav"),
    ] = None,
    fast: Annotated[
        bool, _option(ADVANCED, "Simulated: do not wait for the clock.", "--fast")
    ] = False,
) -> None:
    """Restyle live sound; Ctrl-C stops.

    The engine runs in a process of its own; if it dies, another takes over.  With --simulate, what
    the loudspeaker would have played (latency included) goes to --simulate-out.
    """
    if style is not None and model is not None:
        raise ConfigError(f"the style is given twice: '{style}' and --model {model}; leave one out")
    style, preset = style_or_preset(style, preset)
    model = model or style
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
    if notes_out is not None:
        find_output(notes_out)
    by_default = (not virtual or demo) and not (fast or terminal)
    served = by_default if panel is None else panel
    settings = (
        PanelSettings(panel_host, panel_port, panel_token, panel_socket).check() if served else None
    )
    for target in (simulate_out, record, record_dry):
        if target is not None:
            check_target(target, replace=force or demo)
    for written in (stats, save_session):
        check_writable(written, replace=force)
    check_distinct(
        {"--simulate-out": simulate_out, "--record": record, "--record-dry": record_dry,
         "--stats": stats, "--save-session": save_session}
    )  # fmt: skip
    announce_cold_start()
    channels_heard = midi_channels(midi_channel)
    saved = with_yes(lambda: saved_session(session, preset), trust)
    concert = with_yes(lambda: opened_setlist(setlist, saved), trust)
    if concert is not None and not (model or chain or preset):
        saved = concert.begun(saved)
    own = {"mix": mix, "input_gain_db": gain, "output_gain_db": output_gain}
    base = saved.preset.sound if saved is not None else None
    values = parse_values(controls)
    sound = with_yes(lambda: chosen_sound(model, chain, values, own, base), trust)
    device = Device(
        input=input,
        output=output,
        sample_rate=rate,
        preferred_rate=models_rate(sound),
        clocks=clocks,
        fall_back=fall_back,
        block_size=None if virtual else one_block(block),
        channels=channels,
        in_map=channel_map(in_map, "--in-map"),
        out_map=channel_map(out_map, "--out-map"),
        lane=checked_lane(lane),
        fixed_latency=fixed_latency,
        ceiling_db=checked_ceiling(ceiling),
        monitor=monitor,
        monitor_gain_db=monitor_gain or 0.0,
        input_level_dbu=input_level_dbu,
    )
    device = with_saved(checked_device(device), saved.device if saved is not None else None)
    if monitor_gain is not None and device.monitor is None:
        raise ConfigError("--monitor-gain goes with --monitor DEVICE")
    with microphone(virtual_mic, mic_name, device.output, device.block_size, virtual) as made:
        if made is not None:
            device = through(device, made, source == "model")
        elif device.ceiling_db is None and not virtual and ceiling is None:
            device = msgspec.structs.replace(device, ceiling_db=CEILING_DB)
        level = input_level(
            device.input_level_dbu, device.input, virtual or source == "model", sound
        )
        device = msgspec.structs.replace(device, input_level_dbu=level)
        setup = Setup(sound, device)
        if concert is not None:
            setup = concert.shelved(setup)
        if source == "model":
            setup = without_input(setup, input, simulate)
        if not sound.stages:
            err.print("no style and no --chain: sound passes through", highlight=False)
        simulation = None
        if simulate is not None:
            simulation = Simulation.open(simulate, setup, block, channels, paced=not fast)
        elif virtual:
            simulation, seconds = silent_card(setup, seconds, block, channels, paced=not fast), None
        try:
            Run(
                simulation.setup if simulation is not None else setup,
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
                concert=concert,
                channels=channels_heard,
                notes_out=notes_out,
                wait=wait,
                microphone=made,
            ).play()
        finally:
            if simulation is not None:
                simulation.tape.close()

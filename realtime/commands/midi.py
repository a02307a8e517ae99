"""``restyle midi``: list inputs, watch messages, learn a mapping."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from ..controllers.bindings import Bindings
from ..controllers.midi_ports import MidiInputs, input_names, output_names
from ..errors import ConfigError, ControlError
from ..presets.check import Library
from ..presets.dry_surface import MemorySurface
from ..presets.format import Preset, mapping_table
from ..presets.opening import open_preset
from ..presets.toml import to_toml
from ..session.sound import Sound, Stage
from .common import JsonOption, ModelOption, err, out

PortOption = Annotated[
    list[str] | None, typer.Option("--port", help="Part of a port's name; all ports if left out.")
]


def list_ports(
    as_json: JsonOption = False,
    outputs: Annotated[
        bool, typer.Option("--outputs", help="The outputs, for live --notes-out.")
    ] = False,
) -> None:
    """List the MIDI inputs, or outputs."""
    names = output_names() if outputs else input_names()
    if as_json:
        print(json.dumps(names, indent=2))
    elif not names:
        what = "output was found; connect an instrument"
        out.print(f"no MIDI {what if outputs else 'input was found; connect a controller'}")
    for name in [] if as_json else names:
        out.print(name, highlight=False, markup=False)


def monitor(
    port: PortOption = None,
    seconds: Annotated[float | None, typer.Option(help="Stop after so long.")] = None,
) -> None:
    """Print MIDI messages as they come, until Ctrl-C."""
    _check_seconds(seconds)
    with MidiInputs(_print_messages, port or (), _tell):
        try:
            threading.Event().wait(seconds)
        except KeyboardInterrupt:
            err.print("stopped")


def learn(
    parameter: Annotated[str, typer.Argument(metavar="PARAMETER", help="Such as mix or bypass.")],
    model: ModelOption = None,
    preset: Annotated[str | None, typer.Option(help="With the parameters of a preset.")] = None,
    port: PortOption = None,
    seconds: Annotated[float, typer.Option(help="How long to wait.")] = 60.0,
) -> None:
    """Move a knob: print its mapping to PARAMETER for a session file."""
    _check_seconds(seconds)
    if model is not None and preset is not None:
        raise ConfigError("give either --model or --preset")
    library = Library()
    made = open_preset(preset, library) if preset is not None else Preset(sound=_of(model))
    bindings = Bindings(MemorySurface(made, library), report=_tell)
    learner = bindings.learn(parameter)
    with MidiInputs(bindings.feed_all, port or (), _tell):
        err.print(
            f"move the knob for {parameter} (press a foot switch twice) …",
            highlight=False,
            markup=False,
        )
        mapping = learner.wait(seconds)
    if mapping is None:
        raise ControlError(f"no controller moved within {seconds:g} s; try restyle midi monitor")
    print(to_toml({"midi": [mapping_table(mapping)]}), end="")


def _of(model: str | None) -> Sound:
    return Sound() if model is None else Sound((Stage(model=model),))


def _check_seconds(seconds: float | None) -> None:
    if seconds is not None and not 0 < seconds <= threading.TIMEOUT_MAX:
        raise ConfigError(f"--seconds must be positive, got {seconds:g}")


def _tell(sentence: str) -> None:
    err.print(sentence, highlight=False, markup=False)


def _print_messages(messages: Sequence[Sequence[int]], port: str) -> None:
    import mido

    for data in messages:
        try:
            text = str(mido.Message.from_bytes(list(data)))
        except (ValueError, TypeError, IndexError, KeyError):
            text = "malformed: " + " ".join(f"{b:02x}" for b in data)
        out.print(f"{port}: {text}", highlight=False, markup=False, soft_wrap=True)


COMMANDS: dict[str, Callable[..., None]] = {"list": list_ports, "monitor": monitor, "learn": learn}

"""``restyle devices``."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from ..devices.list import LIBJACK, list_devices
from ..devices.pipewire import jack_library
from ..errors import DeviceError
from .common import JsonOption, out


def devices(
    as_json: JsonOption = False,
    virtual_mic: Annotated[
        bool, typer.Option("--virtual-mic", help="As live --virtual-mic has them on PipeWire.")
    ] = False,
) -> None:
    """List audio devices with their host API."""
    if virtual_mic:
        library = jack_library()
        if library is None:
            raise DeviceError("PipeWire's JACK library is missing: apt install pipewire-jack")
        os.environ[LIBJACK] = library
    found = list_devices()
    if as_json:
        print(json.dumps([asdict(d) for d in found], indent=2))
        return
    if not found:
        out.print(
            "no audio device was found; connect one, or use: restyle live --simulate IN.wav",
            highlight=False,
        )
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("#", "name", "host API", "in", "out", "rate", ""):
        table.add_column(
            heading, justify="right" if heading in ("#", "in", "out", "rate") else "left"
        )
    for d in found:
        use = " ".join(
            w for w, yes in (("input", d.default_input), ("output", d.default_output)) if yes
        )
        table.add_row(
            str(d.index),
            d.name,
            d.host_api,
            str(d.max_input_channels),
            str(d.max_output_channels),
            str(d.default_sample_rate),
            f"default {use}" if use else "",
        )
    out.print(table)

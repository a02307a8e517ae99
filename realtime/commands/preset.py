"""``restyle preset``: save, load, list, show and delete presets."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from ..presets.chain_text import read_stages
from ..presets.check import Library
from ..presets.files import delete_preset, find_preset, list_presets, save_preset
from ..presets.preset import PLACES, Preset
from ..presets.preset_open import absolute, open_preset
from .common import (
    ChainOption,
    GainOption,
    JsonOption,
    MixOption,
    ModelOption,
    OutGainOption,
    SetOption,
    make_config,
    out,
)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of the preset, or a file.")]


def save(
    name: NameArgument,
    model: ModelOption = None,
    mix: MixOption = 1.0,
    gain: GainOption = 0.0,
    output_gain: OutGainOption = 0.0,
    controls: SetOption = None,
    chain: ChainOption = None,
    note: Annotated[str, typer.Option(help="A line for people.")] = "",
    force: Annotated[bool, typer.Option("--force", help="Overwrite one of that name.")] = False,
) -> None:
    """Save options of `restyle live` as a preset, checked before."""
    config = make_config(mix, gain, output_gain, controls)
    stages = read_stages(chain) if chain is not None else {}
    made = Preset(
        name=name,
        note=note,
        model=model,
        mix=config.mix,
        input_gain_db=config.input_gain_db,
        output_gain_db=config.output_gain_db,
        controls=config.controls,
        post=stages.get("post", ()),
        pre=stages.get("pre", ()),
    )
    made = absolute(made, Path.cwd(), chain.parent if chain is not None else None)
    Library().parameters(made, name)
    path = save_preset(name, made, replace_old=force)
    out.print(f"wrote {path}", highlight=False, markup=False, soft_wrap=True)


def load(name: NameArgument) -> None:
    """Check a preset, and say what it holds and how to play it."""
    found = open_preset(name, Library())
    rows = [("model", found.model or "none"), ("mix", f"{found.mix:g}")]
    rows += [("input gain", f"{found.input_gain_db:g} dB")]
    rows += [("output gain", f"{found.output_gain_db:g} dB")]
    rows += [(f"control {n}", f"{v:g}") for n, v in found.controls.items()]
    for place in PLACES:
        for i, stage in enumerate(found.chain(place), 1):
            how = " (bypassed)" if stage.bypass else f" at {stage.mix:g}" if stage.mix < 1 else ""
            rows.append((f"{place}.{i}", stage.name + how))
    if found.note:
        rows.append(("note", found.note))
    table = Table.grid(padding=(0, 2))
    for key, value in rows:
        table.add_row(Text(key, "bold"), Text(value))
    out.print(table)
    out.print(
        f'{found.name} is good; play it: restyle live --preset "{name}"',
        highlight=False,
        markup=False,
        soft_wrap=True,
    )


def list_saved(as_json: JsonOption = False) -> None:
    """List your presets."""
    entries = list_presets()
    if as_json:
        rows = [
            {
                "name": e.name,
                "path": str(e.path),
                "problem": e.problem,
                "preset": e.preset.to_dict() if e.preset else None,
            }
            for e in entries
        ]
        print(json.dumps(rows, indent=2))
        return
    if not entries:
        out.print("no preset yet; make one: restyle preset save NAME --model tube-amp")
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "model", "before", "after", "note"):
        table.add_column(heading, no_wrap=heading == "name")
    for e in entries:
        if e.preset is None:
            table.add_row(Text(e.name), Text(e.problem or "", "red"))
            continue
        chains = [Text(", ".join(s.name for s in e.preset.chain(p))) for p in PLACES]
        table.add_row(Text(e.name), Text(e.preset.model or "none"), *chains, Text(e.preset.note))
    out.print(table)


def show(name: NameArgument) -> None:
    """Print a preset's file."""
    print(find_preset(name).read_text(encoding="utf-8", errors="replace"), end="")


def delete(name: NameArgument) -> None:
    """Delete a preset."""
    out.print(f"deleted {delete_preset(name)}", highlight=False, markup=False, soft_wrap=True)


COMMANDS: dict[str, Callable[..., None]] = {
    "save": save,
    "load": load,
    "list": list_saved,
    "show": show,
    "delete": delete,
}

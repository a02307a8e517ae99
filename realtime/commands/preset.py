"""``restyle preset``: save, load, list, show, check, delete and upgrade presets."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
import typer
from rich.table import Table
from rich.text import Text

from ..errors import RestyleError, printable
from ..presets.asking import plugin_asks
from ..presets.check import Library
from ..presets.files import delete_preset, find_preset, list_presets, save_preset, upgrade_file
from ..presets.format import FORMAT, Preset, to_dict
from ..presets.opening import open_preset
from ..presets.toml import contents
from ..session.sound import anonymous, places
from ..trust.consent import given
from .common import (
    ChainOption,
    GainOption,
    JsonOption,
    MixOption,
    ModelOption,
    OutGainOption,
    SetOption,
    out,
)
from .sounds import chosen_sound, parse_values

replace = msgspec.structs.replace
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of the preset, or a file.")]
FilesArgument = Annotated[list[str], typer.Argument(metavar="NAME…", help="Names or files.")]


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
    """Save options of `restyle live` as a preset of format 2, checked before."""
    own = {"mix": mix, "input_gain_db": gain, "output_gain_db": output_gain}
    sound = chosen_sound(model, chain, parse_values(controls), own)
    sound = replace(sound, stages=anonymous(sound.stages))
    path = save_preset(name, Preset(name, note, sound), replace_old=force)
    _say(f"wrote {path}")


def load(name: NameArgument) -> None:
    """Check a preset, and say what it holds, what it would run and how to play it."""
    found = open_preset(name, Library(), trusted=True)
    sound = found.sound
    asks = [a for a in plugin_asks(sound.stages) if not given(a)]
    rows = [("mix", f"{sound.mix:g}"), ("input gain", f"{sound.input_gain_db:g} dB")]
    rows += [("output gain", f"{sound.output_gain_db:g} dB")]
    for place, stage in places(sound.stages):
        how = " (bypassed)" if stage.bypass else f" at {stage.mix:g}" if stage.mix < 1 else ""
        rows.append((place.rstrip("."), f"{stage.kind} {stage.name}{how}"))
        rows += [(f"{place}{n}", _written(v)) for n, v in stage.parameters.items()]
    if found.note:
        rows.append(("note", found.note))
    rows += [("asks first to", ask.what) for ask in asks]
    table = Table.grid(padding=(0, 2))
    for key, value in rows:
        table.add_row(Text(key, "bold"), Text(value))
    out.print(table)
    trust = f' --trust "{find_preset(name)}"' if asks else ""
    _say(f'{found.name} is good; play it: restyle live --preset "{name}"{trust}')


def _written(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def list_saved(as_json: JsonOption = False) -> None:
    """List your presets, then the voices and ensembles that come with restyle."""
    entries = list_presets(bundled=True)
    if as_json:
        rows = [
            {
                "name": e.name,
                "path": str(e.path),
                "problem": e.problem,
                "bundled": e.bundled,
                "preset": to_dict(e.preset) if e.preset else None,
            }
            for e in entries
        ]
        print(json.dumps(rows, indent=2))
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "stages", "knobs", "note"):
        table.add_column(heading, no_wrap=heading == "name")
    for e in entries:
        if e.preset is None:
            continue
        stages = " → ".join(s.name for s in e.preset.sound.stages) or "none"
        knobs = ", ".join(m.name for m in e.preset.sound.macros)
        table.add_row(Text(e.name), Text(stages), Text(knobs), Text(e.preset.note))
    out.print(table)
    for e in entries:
        if e.preset is None:
            out.print(Text(e.problem or e.name, "red"), soft_wrap=True)


def show(name: NameArgument) -> None:
    """Print a preset's file."""
    print(printable(contents(find_preset(name)).decode("utf-8", "replace")), end="")


def check(names: FilesArgument) -> None:
    """Check presets: say of each whether it is good, or the first mistake in it."""
    bad = 0
    for name in names:
        try:
            found = open_preset(name, Library(), trusted=True)
            asks = [a.what for a in plugin_asks(found.sound.stages) if not given(a)]
            first = f"; it asks first to {'; '.join(asks)}" if asks else ""
            _say(f"{found.name} is good{first}")
        except RestyleError as error:
            bad += 1
            _say(str(error))
    if bad:
        raise typer.Exit(2)


def upgrade(
    names: FilesArgument,
    only_check: Annotated[bool, typer.Option("--check", help="Only say what would be.")] = False,
) -> None:
    """Rewrite presets and session files of format 1 as format 2; comments in them are lost."""
    for name in names:
        path = find_preset(name)
        version = upgrade_file(path, write=not only_check)
        if version == FORMAT:
            _say(f"{path} is of format {FORMAT} already")
        else:
            done = "would be rewritten" if only_check else "was rewritten"
            _say(f"{path} {done} from format {version} to {FORMAT}")


def delete(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the preset.")],
) -> None:
    """Delete a preset."""
    _say(f"deleted {delete_preset(name)}")


def _say(sentence: str) -> None:
    out.print(sentence, highlight=False, markup=False, soft_wrap=True)


COMMANDS: dict[str, Callable[..., None]] = {
    "save": save,
    "load": load,
    "list": list_saved,
    "show": show,
    "check": check,
    "upgrade": upgrade,
    "delete": delete,
}

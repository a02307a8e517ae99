"""Presets as values: a model, its controls, gains and the chains around it.

In TOML::

    format = 1
    name = "Warm lead"
    model = "amp-blend"          # a name, or a file starting from the preset's folder
    mix = 1.0
    input_gain_db = 3.0

    [controls]
    warm = 0.3
    fuzz = 0.7

    [[post]]                     # as in a chain file, see realtime.stages.file
    effect = "Reverb"
    room_size = 0.3
    stage_mix = 0.4              # the stage's own dry/wet; `mix` is a parameter of some effects
    bypass = true                # passed over, and kept

Reading checks types, ranges and keys; whether model, effects and parameters exist is for
:mod:`realtime.presets.check`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..session.spec import PLACES as PLACES
from .table import Table, is_finite, shown

FORMAT = 1
GAINS = (-100.0, 24.0)  # dB, those of realtime.session.config.StreamConfig
STAGE_KEYS = ("bypass", "stage_mix")
_PLUGIN_KEYS = ("plugin_name", "preset")


@dataclass(frozen=True)
class Stage:
    """One stage of a chain.

    Attributes
    ----------
    entry : mapping
        Its table in a chain file: ``effect`` or ``plugin``, and what belongs to it.
    bypass : bool
        Kept, but passed over.
    mix : float
        0 dry .. 1 wet, ``stage_mix`` in files.
    """

    entry: Mapping[str, Any]
    bypass: bool = False
    mix: float = 1.0

    @property
    def name(self) -> str:
        """What to call it."""
        return str(self.entry.get("effect") or self.entry.get("plugin"))

    @classmethod
    def read(cls, table: Table) -> Stage:
        """Read one ``[[pre]]`` or ``[[post]]`` table.

        Raises
        ------
        PresetError
        """
        bypass, mix = table.flag("bypass"), table.number("stage_mix", 1.0, 0.0, 1.0)
        texts = {k: table.text(k) for k in ("effect", "plugin")}
        if (texts["effect"] is None) == (texts["plugin"] is None):
            raise table.error('a stage needs either effect = "NAME" or plugin = "NAME or FILE"')
        if texts["plugin"] is not None:
            texts |= {k: table.text(k) for k in _PLUGIN_KEYS} | {"state": table.blob("state")}
            named = table.table("parameters")
        else:
            named = None
        entry = {k: v for k, v in texts.items() if v is not None} | _values(table)
        if named is not None:
            entry["parameters"] = _values(named)
        return cls(entry, bypass, mix)

    def to_dict(self) -> dict[str, Any]:
        """The table to write; what is at its default is left out."""
        own: dict[str, Any] = {}
        if self.bypass:
            own["bypass"] = True
        if self.mix != 1.0:
            own["stage_mix"] = float(self.mix)
        return {**self.entry, **own}


def _values(table: Table) -> dict[str, Any]:
    """All that is left of a table: parameters, each a finite number, true, false or text."""
    found = table.rest()
    for key, value in found.items():
        if not isinstance(value, bool | str) and not is_finite(value):
            raise table.error(
                f"{key} must be a number, true, false or text, got {shown(value)};"
                f" write for example {key} = 0.5"
            )
    return found


@dataclass(frozen=True)
class Preset:
    """What a stream sounds like, apart from devices.

    Attributes
    ----------
    name, note : str
        For people.
    model : str or None
        A name in the catalogue, a file, or None for no model.
    mix, pre_mix, post_mix : float
        0 dry .. 1 wet: of the model, of the chain before it, of the chain after it.
    input_gain_db, output_gain_db : float [dB]
    controls : mapping
        Model controls that differ from their defaults.
    pre, post : tuple of Stage
        The chains before and after the model.
    """

    name: str = ""
    note: str = ""
    model: str | None = None
    mix: float = 1.0
    input_gain_db: float = 0.0
    output_gain_db: float = 0.0
    pre_mix: float = 1.0
    post_mix: float = 1.0
    controls: Mapping[str, float] = field(default_factory=dict)
    pre: tuple[Stage, ...] = ()
    post: tuple[Stage, ...] = ()

    def chain(self, place: str) -> tuple[Stage, ...]:
        """The stages of ``pre`` or ``post``."""
        return self.pre if place == "pre" else self.post

    def to_dict(self) -> dict[str, Any]:
        """What a file holds, in the order it is written in."""
        data: dict[str, Any] = {"format": FORMAT}
        for key in ("name", "note", "model"):
            if getattr(self, key):
                data[key] = getattr(self, key)
        for key in ("mix", "input_gain_db", "output_gain_db", "pre_mix", "post_mix"):
            data[key] = float(getattr(self, key))
        if self.controls:
            data["controls"] = {k: float(v) for k, v in self.controls.items()}
        for place in PLACES:
            if self.chain(place):
                data[place] = [s.to_dict() for s in self.chain(place)]
        return data


def check_format(table: Table) -> None:
    """Take and check the version of the format.

    Raises
    ------
    PresetError
        It is missing, no version, or newer than this program.
    """
    version = table.whole("format", None, 1, 10**6)
    if version is None:
        raise table.error(f"the key format is missing; write format = {FORMAT} as the first line")
    if version > FORMAT:
        raise table.error(
            f"format {version} is newer than this restyle reads ({FORMAT}); install a newer restyle"
        )


def take_preset(table: Table, name: str) -> Preset:
    """Take a preset's keys out of a document; `name` is the one where the document has none.

    Raises
    ------
    PresetError
        A value of the wrong type or outside its range.
    """
    return Preset(
        name=table.text("name", name, example='"Warm lead"'),
        note=table.text("note", ""),
        model=table.text("model", example='"tube-amp"'),
        mix=table.number("mix", 1.0, 0.0, 1.0),
        input_gain_db=table.number("input_gain_db", 0.0, *GAINS, "dB"),
        output_gain_db=table.number("output_gain_db", 0.0, *GAINS, "dB"),
        pre_mix=table.number("pre_mix", 1.0, 0.0, 1.0),
        post_mix=table.number("post_mix", 1.0, 0.0, 1.0),
        controls=table.numbers("controls"),
        pre=tuple(Stage.read(t) for t in table.tables("pre")),
        post=tuple(Stage.read(t) for t in table.tables("post")),
    )

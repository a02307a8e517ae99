"""Presets and session files as values, and as TOML of format 2.

A preset::

    format = 2
    name = "Warm lead"
    note = "second verse"
    mix = 1.0                    # of the whole path: 0 dry .. 1 wet
    input_gain_db = 3.0
    output_gain_db = -2.0

    [[stage]]                    # in the order of the sound
    effect = "NoiseGate"         # engine = "pedalboard" asks for pedalboard's
    threshold_db = -50.0

    [[stage]]
    model = "amp-blend"          # a name, or a file starting from this one's folder
    warm = 0.3
    fuzz = 0.7

    [[stage]]                    # branches in parallel
    stage_mix = 0.5              # the stage's own dry/wet; `mix` is a parameter of some effects

    [[stage.group]]
    gain_db = -3.0

    [[stage.group.stage]]
    plugin = "Verb.vst3"
    parameters = { preset = 3.0 }   # those that are called like a key of the stage itself
    bypass = true                # passed over, and kept

    [[scene]]                    # recalled without loading anything
    name = "Lead"
    values = { "1.bypass" = true, "3.stage_mix" = 1.0 }

    [[knob]]                     # one knob that moves several parameters
    name = "heat"
    default = 0.3                # of 0..1, or of minimum .. maximum
    targets = { "2.fuzz" = [0.0, 1.0], "1.threshold_db" = [-60.0, -40.0] }

A session file adds ``[device]``, ``[[midi]]``, ``[osc]`` and ``[record]``; see docs/control.md.
Reading checks types, ranges and keys; whether models, effects and parameters exist is for
:mod:`realtime.presets.check`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ..errors import ConfigError, PresetError, RestyleError
from ..parameters.mapping import SOURCES, MidiMapping, OscMapping
from ..schema import read, shown
from ..session.sound import (
    BlockSize,
    Ceiling,
    Channels,
    Decibels,
    Device,
    LaneName,
    Level,
    Macro,
    Rate,
    Samples,
    Scene,
    Share,
    Slack,
    Sound,
    Stage,
    Text,
)

FORMAT = 2
SESSION_TABLES = ("setlist", "device", "midi_input", "midi", "osc", "record")
OSC_PORT = 9000
WORDS = {"stages": "stage", "parameters": ""}  # what fields are called in files
_KINDS = ("model", "effect", "plugin", "group")
_STAGE_KEYS = (*_KINDS, "bypass", "stage_mix", "parameters")
_KIND_KEYS = {"effect": ("engine",), "plugin": ("plugin_name", "preset", "state")}
_Map = tuple[Annotated[int, Meta(ge=0, le=1024)], ...]


class OscSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the OSC server listens, and which addresses of other programs it knows."""

    host: Text = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65535)] = OSC_PORT
    map: tuple[OscMapping, ...] = ()


class RecordSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is recorded and where; `folder` may start from the session file's."""

    folder: Text = "."
    dry: bool = False
    wet: bool = True


class MidiInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which MIDI channels are listened to; all if none is named."""

    channels: tuple[Annotated[int, Meta(ge=1, le=16)], ...] = ()


class Preset(msgspec.Struct, frozen=True):
    """A sound with a name and a note for people."""

    name: str = ""
    note: str = ""
    sound: Sound = Sound()


class SessionFile(msgspec.Struct, frozen=True):
    """Everything that a stream is started with; None where a table is left out."""

    preset: Preset = Preset()
    device: Device | None = None
    midi: tuple[MidiMapping, ...] = ()
    osc: OscSettings | None = None
    record: RecordSettings | None = None
    midi_input: MidiInput | None = None
    setlist: str | None = None


class _DeviceTable(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The ``[device]`` table: channels from 1 with 0 for silence, `host_api` beside the names."""

    input: Text | None = None
    output: Text | None = None
    host_api: Text | None = None
    sample_rate: Rate | None = None
    block_size: BlockSize | None = None
    input_channels: Annotated[_Map, Meta(min_length=1)] | None = None
    output_channels: Annotated[_Map, Meta(min_length=1)] | None = None
    channels: Channels | None = None
    lane: LaneName = "auto"
    worker_blocks: Slack = 1
    fixed_latency: Samples | None = None
    ceiling_db: Ceiling | None = None
    monitor: Text | None = None
    monitor_gain_db: Decibels = 0.0
    input_level_dbu: Level | None = None

    def __post_init__(self) -> None:
        for key in ("input_channels", "output_channels"):
            named = getattr(self, key)
            if self.channels and named and len(named) != self.channels:
                raise ConfigError(
                    f"{key} names {len(named)} channels and channels = {self.channels};"
                    " make them equal or leave channels out"
                )

    def device(self) -> Device:
        words = f" {self.host_api}" if self.host_api else ""
        return Device(
            input=self.input and self.input + words,
            output=self.output and self.output + words,
            in_map=_shifted(self.input_channels, -1),
            out_map=_shifted(self.output_channels, -1),
            **{name: getattr(self, name) for name in _SAME},
        )

    @classmethod
    def of(cls, device: Device) -> _DeviceTable:
        return cls(
            input=device.input,
            output=device.output,
            input_channels=_shifted(device.in_map, 1),
            output_channels=_shifted(device.out_map, 1),
            **{name: getattr(device, name) for name in _SAME},
        )


_SAME = (
    "sample_rate",
    "block_size",
    "channels",
    "lane",
    "worker_blocks",
    "fixed_latency",
    "ceiling_db",
    "monitor",
    "monitor_gain_db",
    "input_level_dbu",
)


def _shifted(channels: tuple[int, ...] | None, by: int) -> tuple[int, ...] | None:
    return None if channels is None else tuple(c + by for c in channels)


class Document(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The keys that files of every format have."""

    format: int
    name: str = ""
    note: str = ""
    mix: Share = 1.0
    input_gain_db: Decibels = 0.0
    output_gain_db: Decibels = 0.0
    setlist: Text | None = None
    device: _DeviceTable | None = None
    midi_input: MidiInput | None = None
    midi: tuple[MidiMapping, ...] = ()
    osc: OscSettings | None = None
    record: RecordSettings | None = None

    def session(self, sound: Sound, midi: tuple[MidiMapping, ...], name: str) -> SessionFile:
        """The session file with this sound; `name` is the one where the file has none."""
        device = None if self.device is None else self.device.device()
        preset = Preset(self.name or name, self.note, sound)
        return SessionFile(
            preset, device, midi, self.osc, self.record, self.midi_input, self.setlist
        )


class _Format2(Document, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    stage: tuple[Stage, ...] = ()
    scene: tuple[Scene, ...] = ()
    knob: tuple[Macro, ...] = ()


def take_session(data: Mapping[str, Any], where: str, name: str) -> SessionFile:
    """Take the plain data of a preset or session file of any format.

    Parameters
    ----------
    where : str
        Begins every message.
    name : str
        The preset's, where the file has none.

    Raises
    ------
    PresetError
        The first mistake found.
    """
    version = data.get("format")
    if version is None:
        raise PresetError(
            f"{where}: the key format is missing; write format = {FORMAT} as the first line"
        )
    if type(version) is not int or version < 1:
        raise PresetError(f"{where}: format must be a whole number from 1, got {shown(version)}")
    if version > FORMAT:
        raise PresetError(
            f"{where}: format {shown(version)} is newer than this restyle reads ({FORMAT});"
            " install a newer restyle"
        )
    if version == 1:
        from .format1 import take_session_1

        return take_session_1(data, where, name)
    shaped = (
        {**data, "stage": shaped_stages(data["stage"], where)} if "stage" in data else dict(data)
    )
    found = read(shaped, _Format2, where, error=PresetError, words=WORDS)
    try:
        sound = Sound(
            found.stage,
            found.input_gain_db,
            found.output_gain_db,
            found.mix,
            scenes=found.scene,
            macros=found.knob,
        )
    except RestyleError as error:
        raise PresetError(f"{where}: {error}") from None
    return found.session(sound, found.midi, name)


def to_dict(value: Preset | SessionFile) -> dict[str, Any]:
    """What a file of format 2 holds, in the order it is written in."""
    whole = value if isinstance(value, SessionFile) else SessionFile(value)
    preset, sound = whole.preset, whole.preset.sound
    data: dict[str, Any] = {"format": FORMAT}
    data |= {k: v for k in ("name", "note") if (v := getattr(preset, k))}
    if whole.setlist is not None:
        data["setlist"] = whole.setlist
    data |= {k: float(getattr(sound, k)) for k in ("mix", "input_gain_db", "output_gain_db")}
    if sound.stages:
        data["stage"] = [stage_table(s) for s in sound.stages]
    if sound.scenes:
        data["scene"] = [msgspec.to_builtins(s) for s in sound.scenes]
    if sound.macros:
        data["knob"] = [_changed(m) for m in sound.macros]
    if whole.device is not None:
        data["device"] = _changed(_DeviceTable.of(whole.device))
    if whole.midi_input is not None and whole.midi_input.channels:
        data["midi_input"] = msgspec.to_builtins(whole.midi_input)
    if whole.midi:
        data["midi"] = [mapping_table(m) for m in whole.midi]
    if whole.osc is not None:
        data["osc"] = {"host": whole.osc.host, "port": whole.osc.port}
        if whole.osc.map:
            data["osc"]["map"] = [mapping_table(m) for m in whole.osc.map]
    if whole.record is not None:
        data["record"] = msgspec.to_builtins(whole.record)
    return data


def _changed(value: msgspec.Struct) -> dict[str, Any]:
    """The fields that are not at their defaults; msgspec alone goes by identity."""
    data = msgspec.to_builtins(value)
    known = {f.encode_name: f.default for f in msgspec.structs.fields(value)}
    return {k: v for k, v in data.items() if v != known[k]}


def mapping_table(mapping: MidiMapping | OscMapping) -> dict[str, Any]:
    """A mapping as its table: the source first."""
    data = _changed(mapping)
    source = {k: data[k] for k in (*SOURCES, "bank", "channel", "port", "address") if k in data}
    return source | data


def stage_table(stage: Stage) -> dict[str, Any]:
    """A stage as its ``[[stage]]`` table: parameters as plain keys where that is possible."""
    data = _changed(stage)
    data.pop("identity", None)
    group, values = data.pop("group", None), data.pop("parameters", {})
    taken = {k for k in values if k in _own_keys(data)}
    data |= {k: v for k, v in values.items() if k not in taken}
    if taken:
        data["parameters"] = {k: values[k] for k in values if k in taken}
    if group is not None:
        data["group"] = [_branch_table(b) for b in stage.group or ()]
    return data


def _branch_table(branch: Any) -> dict[str, Any]:
    gain = {"gain_db": branch.gain_db} if branch.gain_db else {}
    stages = [stage_table(s) for s in branch.stages]
    return {**gain, "stage": stages} if stages else gain


class _Twice(ValueError):
    """A parameter is given plainly and in the table of parameters."""


def shaped_stages(tables: Any, where: str, error: type[RestyleError] = PresetError) -> Any:
    """``[[stage]]`` tables with parameters and branches where :class:`Stage` has them.

    What has another form is left as it is, for the reader to refuse.

    Raises
    ------
    RestyleError
        `error`, beginning with `where`: a parameter is given twice.
    """
    try:
        return _shaped(tables, 0)
    except _Twice as found:
        raise error(f"{where}: {found}") from None


def _shaped(tables: Any, deep: int) -> Any:
    if not isinstance(tables, list) or deep > 16:
        return tables
    found = []
    for number, table in enumerate(tables, 1):
        try:
            found.append(_shaped_stage(table, deep) if isinstance(table, dict) else table)
        except _Twice as error:
            raise _Twice(f"[[stage]] {number}: {error}") from None
    return found


def _shaped_stage(table: dict[str, Any], deep: int) -> dict[str, Any]:
    keys = _own_keys(table)
    found = {k: v for k, v in table.items() if k in keys}
    plain = {k: v for k, v in table.items() if k not in keys}
    named = found.get("parameters", {})
    if isinstance(named, dict):
        twice = sorted(plain.keys() & named.keys())
        if twice:
            raise _Twice(f"{twice[0]} is given twice, plainly and in parameters; leave one out")
        found["parameters"] = {**plain, **named}
    if isinstance(group := found.get("group"), list):
        found["group"] = [_shaped_branch(b, deep) if isinstance(b, dict) else b for b in group]
    return found


def _shaped_branch(table: dict[str, Any], deep: int) -> dict[str, Any]:
    found = {k: v for k, v in table.items() if k != "stage"}
    if "stage" in table:
        found["stages"] = _shaped(table["stage"], deep + 1)
    return found


def _own_keys(table: Mapping[str, Any]) -> tuple[str, ...]:
    return (*_STAGE_KEYS, *(k for kind, keys in _KIND_KEYS.items() if kind in table for k in keys))

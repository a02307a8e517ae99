"""Session files: a preset with the devices, controllers and recordings that go with it.

The keys of a preset, and::

    [device]
    input = "USB"                # index or part of a name, as restyle devices lists them
    output = "USB"
    host_api = "ALSA"
    sample_rate = 48000
    block_size = 64
    input_channels = [1, 2]      # the device's channels, from 1; 0 is silence
    output_channels = [1, 2]
    channels = 2
    lane = "auto"
    worker_blocks = 1
    fixed_latency = 512          # samples; the latency of every change stays the same

    [[midi]]                     # see realtime.parameters.mapping
    cc = 1
    parameter = "mix"

    [osc]
    host = "127.0.0.1"           # 0.0.0.0 lets everyone on the network in
    port = 9000

    [record]
    folder = "takes"
    dry = true
    wet = true
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from ..parameters.mapping import MidiMapping, read_mapping
from ..session.config import LANES
from .preset import Preset, check_format, take_preset
from .table import Table

SESSION_TABLES = ("device", "midi", "osc", "record")
OSC_PORT = 9000


@dataclass(frozen=True)
class DeviceSettings:
    """Which device and how; None where the program chooses.

    Attributes
    ----------
    input, output, host_api : str or None
    sample_rate : int [Hz] or None
    block_size, fixed_latency : int [samples] or None
    input_channels, output_channels : tuple of int or None
        Channel of the device for each channel of the stream, from 1; 0 is silence.
    channels, worker_blocks : int or None
    lane : str
    """

    input: str | None = None
    output: str | None = None
    host_api: str | None = None
    sample_rate: int | None = None
    block_size: int | None = None
    input_channels: tuple[int, ...] | None = None
    output_channels: tuple[int, ...] | None = None
    channels: int | None = None
    lane: str = "auto"
    worker_blocks: int = 1
    fixed_latency: int | None = None

    @classmethod
    def read(cls, table: Table) -> DeviceSettings:
        """Read the ``[device]`` table."""
        found = {k: table.text(k, example='"USB"') for k in ("input", "output", "host_api")}
        settings = cls(
            **found,
            sample_rate=table.whole("sample_rate", None, 8000, 768000, "Hz"),
            block_size=table.whole("block_size", None, 1, 65536, "samples"),
            input_channels=table.wholes("input_channels", 0, 1024),
            output_channels=table.wholes("output_channels", 0, 1024),
            channels=table.whole("channels", None, 1, 1024),
            lane=table.text("lane", "auto", choices=LANES),
            worker_blocks=table.whole("worker_blocks", 1, 1, 64),
            fixed_latency=table.whole("fixed_latency", None, 0, 10**6, "samples"),
        )
        table.done()
        for key in ("input_channels", "output_channels"):
            named = getattr(settings, key)
            if settings.channels and named and len(named) != settings.channels:
                raise table.error(
                    f"{key} names {len(named)} channels and channels = {settings.channels};"
                    " make them equal or leave channels out"
                )
        return settings


@dataclass(frozen=True)
class OscSettings:
    """Where the OSC server listens."""

    host: str = "127.0.0.1"
    port: int = OSC_PORT

    @classmethod
    def read(cls, table: Table) -> OscSettings:
        """Read the ``[osc]`` table."""
        host = table.text("host", "127.0.0.1", example='"127.0.0.1"')
        settings = cls(host, table.whole("port", OSC_PORT, 1, 65535))
        table.done()
        return settings


@dataclass(frozen=True)
class RecordSettings:
    """What is recorded and where; `folder` may start from the session file's."""

    folder: str = "."
    dry: bool = False
    wet: bool = True

    @classmethod
    def read(cls, table: Table) -> RecordSettings:
        """Read the ``[record]`` table."""
        folder = table.text("folder", ".", example='"takes"')
        settings = cls(folder, table.flag("dry"), table.flag("wet", True))
        table.done()
        return settings


@dataclass(frozen=True)
class SessionFile:
    """Everything that a stream is started with; None where a table is left out."""

    preset: Preset = Preset()
    device: DeviceSettings | None = None
    midi: tuple[MidiMapping, ...] = ()
    osc: OscSettings | None = None
    record: RecordSettings | None = None

    def to_dict(self) -> dict[str, Any]:
        """What a file holds, in the order it is written in."""
        data = self.preset.to_dict()
        if self.midi:
            data["midi"] = [m.to_dict() for m in self.midi]
        for key in ("device", "osc", "record"):
            settings = getattr(self, key)
            if settings is not None:
                plain = asdict(settings)
                whole = key != "device"
                default = {f.name: f.default for f in fields(settings)}
                data[key] = {k: v for k, v in plain.items() if whole or v != default[k]}
        return data


def take_session(table: Table, name: str) -> SessionFile:
    """Read a whole document.

    Raises
    ------
    PresetError
        The first mistake found.
    """
    check_format(table)
    preset = take_preset(table, name)
    device, osc, record = (table.table(k) for k in ("device", "osc", "record"))
    mappings = [read_mapping(t) for t in table.tables("midi")]
    table.done()
    return SessionFile(
        preset,
        DeviceSettings.read(device) if device is not None else None,
        tuple(mappings),
        OscSettings.read(osc) if osc is not None else None,
        RecordSettings.read(record) if record is not None else None,
    )

"""The engine process opens the device that a session names."""

from __future__ import annotations

from typing import Any

from ..devices.monitor import Monitor
from ..errors import DeviceError
from ..session.sound import Device
from ..stream.transport import Transport


def make_device(spec: Device) -> Transport:
    """Open what `spec` names.

    Raises
    ------
    DeviceError
    """
    if spec.kind == "tape":
        from ..devices.shared_simulated import Tape, TapeDevice

        assert spec.tape is not None
        return TapeDevice(Tape(spec.tape))
    if spec.kind == "plugin":
        from ..devices.plugin_device import PluginDevice

        assert spec.tape is not None
        return PluginDevice(spec.tape)
    from ..devices.list import NO_INPUT, find_device
    from ..devices.one_card import PortAudioDevice
    from ..devices.two_cards import SplitDevice, same_clock

    one = (
        spec.input == NO_INPUT
        or spec.clocks == "one"
        or (
            spec.clocks == "auto"
            and same_clock(find_device(spec.input, "input"), find_device(spec.output, "output"))
        )
    )

    def opened(rate: int | None) -> Transport:
        kind = PortAudioDevice if one else SplitDevice
        return kind(
            spec.input,
            spec.output,
            sample_rate=rate,
            block_size=spec.block_size,
            channels=spec.channels,
            in_map=spec.in_map,
            out_map=spec.out_map,
        )

    if spec.sample_rate is not None or spec.preferred_rate is None:
        return opened(spec.sample_rate)
    try:
        return opened(spec.preferred_rate)
    except DeviceError:
        return opened(None)  # the device's own; the lane converts


def make_monitor(spec: Device, device: Transport, channels: int) -> Monitor | None:
    """Have a second output play what `device` plays, where `spec` names one.

    Raises
    ------
    DeviceError
    """
    if spec.monitor is None:
        return None
    monitor = Monitor(
        spec.monitor, device.sample_rate, channels, device.block_size, spec.monitor_gain_db
    )
    monitor.start()
    return monitor


def describe_device(device: Transport, monitor: Monitor | None = None) -> dict[str, Any]:
    """What was opened, as plain data."""
    names = ("name", "sample_rate", "block_size", "in_channels", "out_channels", "paced")
    found = {n: getattr(device, n) for n in (*names, "largest_block")}
    found["note"] = getattr(device, "note", "")
    if monitor is not None:
        found["monitor"] = {"name": monitor.name, "latency_samples": monitor.latency}
    return found | {n: getattr(device, f"{n}_name", device.name) for n in ("input", "output")}

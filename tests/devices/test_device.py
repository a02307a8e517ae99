"""Choosing and opening devices, against a stand-in for sounddevice."""

from __future__ import annotations

import builtins
import sys
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from realtime.devices.list import find_device, list_devices
from realtime.devices.one_card import PortAudioDevice
from realtime.devices.two_cards import SplitDevice
from realtime.errors import DeviceError, StreamError
from realtime.session.session import Session
from realtime.session.sound import Setup

APIS = [{"name": "ALSA"}, {"name": "JACK Audio Connection Kit"}]
DEVICES = [
    {"name": "USB Mic", "hostapi": 0, "max_input_channels": 1, "max_output_channels": 0},
    {"name": "USB Mic 2", "hostapi": 0, "max_input_channels": 2, "max_output_channels": 0},
    {"name": "Speakers", "hostapi": 0, "max_input_channels": 0, "max_output_channels": 2},
    {"name": "system", "hostapi": 1, "max_input_channels": 2, "max_output_channels": 2},
]


class PortAudioError(Exception):
    pass


class FakeStream:
    """Calls nothing unless `calls` is set, then once with each of those block sizes."""

    calls: tuple[int, ...] = (64, 64, 64)
    refuses: str | None = None
    hangs = False
    latency = (0.001, 1e9)

    def __init__(self, **arguments: Any) -> None:
        if self.refuses:
            raise PortAudioError(self.refuses)
        self.arguments, self.active = arguments, False

    def start(self) -> None:
        import ctypes

        self.active = True
        kinds = [ctypes.c_int64] * 2 + [ctypes.c_ulong, ctypes.c_int64, ctypes.c_ulong]
        call = ctypes.CFUNCTYPE(ctypes.c_int, *kinds, ctypes.c_int64)(self.arguments["callback"])
        for size in self.calls:
            assert call(0, 0, size, 0, 0, self.arguments["userdata"]) == 0

    def stop(self, ignore_errors: bool = True) -> None:
        if self.hangs:
            threading.Event().wait()
        self.active = False

    def close(self, ignore_errors: bool = True) -> None:
        self.active = False


@pytest.fixture
def portaudio(monkeypatch: pytest.MonkeyPatch) -> type[FakeStream]:
    stream = type("Stream", (FakeStream,), {})
    fake = SimpleNamespace(
        _initialized=1,
        query_hostapis=lambda: APIS,
        query_devices=lambda: [{**d, "default_samplerate": 48000.0} for d in DEVICES],
        default=SimpleNamespace(device=[0, 2]),
        PortAudioError=PortAudioError,
        _StreamBase=stream,
        _ffi=SimpleNamespace(cast=lambda kind, value: value),
        _exit_handler=lambda: None,
        sleep=lambda milliseconds: None,
    )
    monkeypatch.setitem(sys.modules, "sounddevice", fake)  # type: ignore[arg-type]
    return stream


def test_a_card_is_opened_as_wide_as_its_maps_reach(portaudio: Any) -> None:
    device = PortAudioDevice("USB Mic 2", "Speakers", in_map=(1,), out_map=(1,))
    assert (device.in_channels, device.out_channels) == (2, 2)
    one = PortAudioDevice("USB Mic 2", "Speakers", in_map=(0,), out_map=(0,))
    assert (one.in_channels, one.out_channels) == (1, 1)
    with pytest.raises(DeviceError, match="USB Mic 2 has 2 inputs, numbered from 1.*channel 3"):
        PortAudioDevice("USB Mic 2", "Speakers", in_map=(2,))
    with pytest.raises(DeviceError, match="Speakers has 2 outputs, numbered from 1.*channel 8"):
        PortAudioDevice("USB Mic 2", "Speakers", out_map=(6, 7))
    with pytest.raises(DeviceError, match="USB Mic has 1 input, numbered from 1.*channel 2"):
        SplitDevice("USB Mic", "Speakers", in_map=(1,))


def without(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    original = builtins.__import__

    def refuse(name: str, *arguments: Any, **more: Any) -> Any:
        if name == "sounddevice":
            raise error
        return original(name, *arguments, **more)

    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.setattr(builtins, "__import__", refuse)


def test_a_missing_portaudio_is_one_sentence_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without(monkeypatch, OSError("PortAudio library not found"))
    with pytest.raises(DeviceError, match="PortAudio is missing .*libportaudio2.*--simulate"):
        list_devices()


def test_a_missing_sounddevice_is_one_sentence_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without(monkeypatch, ImportError("No module named sounddevice"))
    with pytest.raises(DeviceError, match="pip install sounddevice"):
        PortAudioDevice()


def test_devices_are_listed_with_host_api_and_defaults(portaudio: Any) -> None:
    found = list_devices()
    assert [d.host_api for d in found] == ["ALSA"] * 3 + ["JACK Audio Connection Kit"]
    assert [d.default_input for d in found] == [True, False, False, False]
    assert [d.default_output for d in found] == [False, False, True, False]


@pytest.mark.parametrize(
    ("wanted", "side", "index"),
    [
        (None, "input", 0),
        (None, "output", 2),
        (1, "input", 1),
        ("1", "input", 1),
        ("jack", "input", 3),
        ("system jack", "output", 3),
        ("USB Mic", "input", 0),
        ("mic 2", "input", 1),
    ],
)
def test_devices_are_found_by_index_or_words_of_name_and_host_api(
    portaudio: Any, wanted: str | int | None, side: str, index: int
) -> None:
    assert find_device(wanted, side).index == index


@pytest.mark.parametrize(
    ("wanted", "side", "says"),
    [
        ("usb", "input", "several match; choose one of: 0 USB Mic"),
        ("piano", "input", "there is"),
        (2, "input", "there is none"),
        (-5, "output", "there is none"),
        (99, "output", "choose one"),
    ],
)
def test_no_or_several_matches_are_refused_with_the_choice(
    portaudio: Any, wanted: str | int, side: str, says: str
) -> None:
    with pytest.raises(DeviceError, match=says):
        find_device(wanted, side)


def test_a_machine_without_devices_is_told_what_to_do(
    portaudio: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["sounddevice"], "query_devices", list)
    with pytest.raises(DeviceError, match="no input device was found.*--simulate"):
        PortAudioDevice()


def test_the_hosts_own_constant_period_is_used_unless_another_is_wanted(portaudio: Any) -> None:
    device = PortAudioDevice("jack", "jack", channels=2)
    assert (device.block_size, device._stream.requested) == (64, 0)
    assert PortAudioDevice("jack", "jack", block_size=64)._stream.requested == 0
    device = PortAudioDevice("USB Mic", "Speakers", block_size=100)
    assert (device.block_size, device._stream.requested, device.note) == (100, 100, "")
    portaudio.calls = (64, 65, 64)
    assert PortAudioDevice("jack", "jack").block_size is None


def test_on_jack_the_servers_period_is_used_whatever_is_wanted(portaudio: Any) -> None:
    device = PortAudioDevice("jack", "jack", block_size=100)
    assert (device.block_size, device._stream.requested) == (64, 0)
    assert "jack_bufsize 100" in device.note


def test_channels_are_limited_to_what_the_devices_have(portaudio: Any) -> None:
    device = PortAudioDevice("USB Mic", "Speakers", channels=4)
    assert (device.in_channels, device.out_channels) == (1, 2)


def test_nonsense_latencies_of_a_driver_are_not_believed(portaudio: Any) -> None:
    device = PortAudioDevice("jack", "jack")
    assert (device.input_latency, device.output_latency) == (48, 0)


def test_refused_settings_and_silent_servers_are_one_sentence(portaudio: Any) -> None:
    portaudio.calls = ()
    with pytest.raises(DeviceError, match="never asked for sound"):
        PortAudioDevice("jack", "jack")
    portaudio.refuses = "Error opening Stream: Invalid sample rate [PaErrorCode -9997]"
    with pytest.raises(DeviceError, match="cannot be opened at 96000 Hz .*Invalid sample rate;"):
        PortAudioDevice("jack", "jack", sample_rate=96000)
    for size in (0, -1, 9000):
        with pytest.raises(DeviceError, match="block size must be within"):
            PortAudioDevice(block_size=size)


@pytest.mark.parametrize("hangs", [False, True])
def test_a_stream_that_ends_by_itself_is_an_error_and_is_left_behind(
    portaudio: Any, hangs: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("realtime.devices.port_stream.CLOSE_SECONDS", 0.05)
    device = PortAudioDevice("jack", "jack")
    session = Session(Setup(), device)
    with pytest.raises(StreamError, match="stopped by itself"), session:
        session.wait(0.01)
        portaudio.hangs = hangs
        device._stream._stream.active = False
        session.wait(10.0)
    assert not device.active
    assert device.error is None


def test_two_devices_get_a_stream_each_and_a_crossing(portaudio: Any) -> None:
    device = SplitDevice("USB Mic 2", "Speakers", channels=2)
    assert (device.in_channels, device.out_channels, device.block_size) == (2, 2, 64)
    device.cross(2, [1, 0])
    drift = device.drift
    assert drift is not None
    assert (drift.in_rate, drift.out_rate, drift.channels) == (48000, 48000, 2)
    assert drift.target >= 64 + 64 + 48
    device.open(1, 2, False)
    assert device._in._stream.arguments["kind"] == "input"
    assert device._out._stream.arguments["kind"] == "output"
    assert device._in._stream.arguments["channels"] == 2
    device.stop()

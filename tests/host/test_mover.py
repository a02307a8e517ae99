"""The device is changed while the host plays; the old one goes on when the new cannot be had."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from realtime.devices import list as devices
from realtime.devices.list import DeviceInfo
from realtime.devices.shared_simulated import Tape
from realtime.errors import DeviceError, RestyleError
from realtime.host.front import with_device
from realtime.host.surface import HostSurface
from realtime.panel.console import HostConsole
from realtime.session.sound import Device, Setup

from ..graphs import fir_model
from ..signals import sine
from .cards import RATE, Played, playing


@pytest.fixture
def played(tmp_path: Path) -> Iterator[Played]:
    path = tmp_path / "half.onnx"
    path.write_bytes(fir_model(np.array([0.5, 0.0], dtype=np.float32)))
    with playing(path, standby=True) as found:
        yield found


def other_card() -> Tape:
    return Tape.make(sine(RATE * 20, 330.0, 0.8), RATE, 128, paced=True)


def test_the_session_goes_on_on_another_card(played: Played, tmp_path: Path) -> None:
    host, other = played.host, other_card()
    host.set("mix", 0.5)
    played.insert(effect="Gain", parameters={"gain_db": -6.0})
    host.watch(True)
    recorder = host.record({"wet": tmp_path / "wet.wav"})
    share = 0.5 + 0.5 * 0.5 * 10 ** (-6 / 20)  # half of it dry
    played.settles(0.3 * share)
    old = host.link
    host.change_device(Device(kind="tape", tape=other.name))
    moved = Played(host, other, played.told)
    host.set("output_gain_db", -6.0)
    moved.play_on(0.5)
    moved.settles(0.8 * share * 10 ** (-6 / 20))
    assert (host.now["device"]["block_size"], host.incidents) == (128, [])
    assert host.board.record[0]["watch_dry"] != 0
    moved.until(lambda: old.gone)
    assert host.stop_recording() is recorder and recorder.gaps == 1
    assert soundfile.info(str(tmp_path / "wet.wav")).frames > 0.6 * RATE
    moved.until(lambda: host.standby_ready, 60)
    other.close()


@pytest.mark.parametrize("may_pause", [False, True])
def test_the_old_card_goes_on_when_the_new_one_cannot_be_opened(
    played: Played, may_pause: bool
) -> None:
    host, setup = played.host, played.host.setup
    gone = Device(kind="portaudio", input="no such card at all", clocks="one")
    with pytest.raises(RestyleError):
        host.change_device(gone, may_pause=may_pause)
    assert host.setup == setup
    played.settles(0.15)
    assert host.incidents == []


def test_a_device_of_another_name_is_asked_for_without_the_old_maps() -> None:
    old = Device(
        kind="tape", tape="x", in_map=(0, 0), out_map=(0, 1), sample_rate=44100, channels=2
    )
    new = with_device(Setup(device=old), "USB", None, 64)
    assert new == Device(input="USB", block_size=64, sample_rate=44100, channels=2)


def test_names_are_looked_up_before_anything_is_opened(
    played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    cards = [
        DeviceInfo(0, "one", "ALSA", 2, 2, RATE, True, True),
        DeviceInfo(1, "two", "ALSA", 2, 0, RATE, False, False),
    ]
    monkeypatch.setattr(devices, "list_devices", lambda anew=False: cards)
    monkeypatch.setattr("realtime.panel.console.list_devices", lambda anew=False: cards)
    asked: list[tuple[Device, bool]] = []
    monkeypatch.setattr(
        played.host, "change_device", lambda d, may_pause: asked.append((d, may_pause))
    )
    console = HostConsole(played.host, HostSurface(played.host))
    assert [d["name"] for d in console.devices()] == ["one", "two"]
    with pytest.raises(DeviceError, match="there is none"):
        console.change_device("three", None, None)
    with pytest.raises(DeviceError, match="output device 'two'"):
        console.change_device("two", "two", None)
    assert asked == []
    console.change_device("two", "one", 128)
    assert [(d.input, d.output, d.block_size, p) for d, p in asked] == [("two", "one", 128, False)]
    console.midi.close()

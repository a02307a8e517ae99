"""Two devices on two clocks, through both callbacks and the whole engine."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.rig.simulated_split import SimulatedSplit
from benchmarks.rig.virtual_clock import Device
from realtime.devices.list import DeviceInfo
from realtime.devices.two_cards import same_clock
from realtime.session.session import Session
from realtime.session.sound import Device as Settings
from realtime.session.sound import Setup

from ..graphs import identity_spectrum
from ..signals import Array, noise
from ..sounds import model, sound

RATE = 48000


def tone(seconds: float, rate: int, frequency: float) -> Array:
    """A sine by the count of samples of the device that hears it."""
    n = np.arange(int(seconds * rate))
    return (0.4 * np.sin(2 * np.pi * frequency * n / rate)).astype(np.float32)[None]


def pitch(y: Array, rate: int) -> float:
    """Frequency by the advance of the phase from one end to the other."""
    n = len(y)
    turn = np.exp(-2j * np.pi * 1000.0 * np.arange(n) / rate)
    window = np.hanning(4800)
    first, last = ((y[s] * turn[s] * window).sum() for s in (slice(0, 4800), slice(n - 4800, n)))
    parts = [(y[i : i + 4800] * turn[i : i + 4800] * window).sum() for i in range(0, n - 4800, 480)]
    phase = np.unwrap(np.angle(np.array(parts)))
    assert abs(np.angle(last / first) - (phase[-1] - phase[0])) % (2 * np.pi) < 2 * np.pi
    return float(1000.0 + (phase[-1] - phase[0]) / (2 * np.pi * 480 * (len(parts) - 1)) * rate)


@pytest.mark.parametrize("fast_ppm", [300.0, -1000.0])
@pytest.mark.parametrize(
    ("rates", "blocks"), [((RATE, RATE), (64, 64)), ((44100, RATE), (441, 64))]
)
def test_sound_crosses_without_a_break_at_the_pitch_the_clocks_imply(
    rates: tuple[int, int], blocks: tuple[int, int], fast_ppm: float
) -> None:
    writer = Device(rates[0], blocks[0], fast_ppm)
    reader = Device(rates[1], blocks[1], -fast_ppm if abs(fast_ppm) < 500 else 0.0)
    seconds = 60.0
    device = SimulatedSplit(tone(seconds, rates[0], 1000.0), writer, reader)
    session = Session(Setup(sound(model(identity_spectrum(512, 256, 128)))), device)
    with session:
        session.wait()
    drift = device.drift
    assert drift is not None
    counters = drift.counters()
    assert (counters["underflows"], counters["overflows"], counters["relocks"]) == (0, 0, 0)
    y = device.recording[0, 30 * RATE : -RATE]
    # heard by the reader's clock: the writer's samples come faster by the ratio of the two
    implied = 1000.0 * (1 + 1e-6 * writer.ppm) / (1 + 1e-6 * reader.ppm)
    assert 1200 * np.log2(pitch(y, RATE) / implied) == pytest.approx(0.0, abs=0.1)
    assert np.abs(np.diff(y)).max() <= 0.4 * 2 * np.pi * 1000 / RATE * 1.01
    names = [p.name for p in session.stream.budget.parts]
    assert names[:2] == ["device input", "clock crossing"]


def test_channels_are_mapped_on_the_way_in() -> None:
    x = noise(RATE * 3, channels=2)
    x[0] = 0.0
    device = SimulatedSplit(x, Device(RATE, 64), Device(RATE, 64))
    session = Session(Setup(device=Settings(channels=1, in_map=(1,))), device)
    with session:
        session.wait()
    assert np.abs(device.recording[0, RATE:]).max() > 0.1


def info(index: int, name: str) -> DeviceInfo:
    return DeviceInfo(index, name, "WASAPI", 2, 2, RATE, False, False)


def test_one_card_has_one_clock_whatever_its_devices_are_called() -> None:
    assert same_clock(info(1, "card"), info(1, "card"))
    assert same_clock(info(1, "Microphone (USB Audio)"), info(2, "Speakers (USB Audio)"))
    assert not same_clock(info(1, "Microphone (USB Audio)"), info(2, "Speakers (Realtek)"))
    assert not same_clock(info(1, "hw:0"), info(2, "hw:1"))

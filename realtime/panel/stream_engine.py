"""An engine for one connection: the session of the live stream with the caller as its device."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..devices.push import PushDevice
from ..errors import ConfigError
from ..session.session import Session
from ..session.sound import Device, Setup, Sound


class EnginePipe:
    """Blocks in, blocks out; used by one thread at a time.

    It runs in the inline lane without a deadline: the caller waits for each block, so nothing is
    ever late, concealed or lost, and the samples are those of an offline render behind
    the declared latency.

    Parameters
    ----------
    sound : Sound
        Of native stages; empty lets the input through.
    rate : int [Hz]
    channels : int
    block : int [samples]

    Raises
    ------
    RestyleError
        A stage cannot be opened so.
    """

    def __init__(self, sound: Sound, rate: int, channels: int, block: int) -> None:
        self._device = PushDevice(rate, block, channels)
        self._shape = (block, channels)
        setup = Setup(sound, Device(lane="inline", channels=channels))
        self._session = Session(setup, self._device)
        self._session.start()

    def hello(self) -> dict[str, Any]:
        """Latency, block, rate and style, as plain data."""
        declared = self._session.stream.budget.declared
        return {
            "latency_samples": declared,
            "latency_ms": round(1000.0 * declared / self._device.sample_rate, 4),
            "block": self._shape[0],
            "channels": self._shape[1],
            "sample_rate": self._device.sample_rate,
            "style": next((s.name for s in self._session.stream.path.slots()), None),
        }

    def process(self, data: bytes) -> bytes:
        """Restyle one block, ``block * channels`` float32 little-endian, interleaved.

        Raises
        ------
        ConfigError
            Another number of bytes.
        """
        want = 4 * self._shape[0] * self._shape[1]
        if len(data) != want:
            raise ConfigError(
                f"a message is {self._shape[0]} samples of {self._shape[1]} channels as float32,"
                f" {want} bytes, got {len(data)}"
            )
        played = self._device.push(np.frombuffer(data, dtype="<f4").reshape(self._shape))
        return played.astype("<f4", copy=False).tobytes()

    def close(self) -> None:
        """Give the models back."""
        self._session.stop()
        self._session.stream.path.close()

"""An engine for one connection: the session of the live stream with the caller as its device."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..devices.push import PushDevice
from ..errors import ConfigError
from ..models.load import open_model
from ..session.config import StreamConfig
from ..session.session import Session


class EnginePipe:
    """Blocks in, blocks out; used by one thread at a time.

    It runs in the inline lane without a deadline: the caller waits for each block, so nothing is
    ever late, concealed or lost, and the samples are those of an offline render behind
    the declared latency.

    Parameters
    ----------
    model : Path or None
        None lets sound through.
    controls : mapping
        Model controls that differ from their defaults.
    rate : int [Hz]
    channels : int
    block : int [samples]

    Raises
    ------
    RestyleError
        A model that cannot be opened so.
    """

    def __init__(
        self,
        model: Path | None,
        controls: Mapping[str, float],
        rate: int,
        channels: int,
        block: int,
    ) -> None:
        self._device = PushDevice(rate, block, channels)
        self._shape = (block, channels)
        self._model = None if model is None else open_model(model, channels, block)
        try:
            self._session = Session(
                StreamConfig(lane="inline", controls=dict(controls)),
                self._device,
                self._model,
                channels=channels,
            )
            self._session.start()
        except BaseException:
            self._close_model()
            raise

    def hello(self) -> dict[str, Any]:
        """Latency, block, rate and style, as plain data."""
        declared = self._session.budget.declared
        return {
            "latency_samples": declared,
            "latency_ms": round(1000.0 * declared / self._device.sample_rate, 4),
            "block": self._shape[0],
            "channels": self._shape[1],
            "sample_rate": self._device.sample_rate,
            "style": self._model.card.name if self._model is not None else None,
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
        """Give the model back."""
        self._session.stop()
        self._close_model()

    def _close_model(self) -> None:
        if self._model is not None:
            self._model.close()
            self._model = None

"""PortAudio devices through sounddevice (its only importer).

The stream is opened with the address of a compiled callback (`sounddevice._StreamBase`, its
documented expert interface), so PortAudio calls machine code and never Python.
"""

from __future__ import annotations

import atexit
import threading
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from ..errors import DeviceError

PROBE_SECONDS = 0.15
CLOSE_SECONDS = 2.0


def _library() -> ModuleType:
    """Import sounddevice, or say in one sentence what is missing."""
    try:
        import sounddevice
    except OSError as error:
        raise DeviceError(
            f"PortAudio is missing ({error}); on Debian or Ubuntu run: apt install libportaudio2 —"
            " or use --simulate IN.wav, which needs no sound card"
        ) from None
    except ImportError:
        raise DeviceError("sounddevice is not installed; run: pip install sounddevice") from None
    return sounddevice


@dataclass(frozen=True)
class DeviceInfo:
    """One device as PortAudio lists it."""

    index: int
    name: str
    host_api: str
    max_input_channels: int
    max_output_channels: int
    default_sample_rate: int
    default_input: bool
    default_output: bool


def list_devices() -> list[DeviceInfo]:
    """All devices of all host APIs.

    Raises
    ------
    DeviceError
        PortAudio is missing or broken.
    """
    sd = _library()
    apis = sd.query_hostapis()
    defaults = list(sd.default.device)
    return [
        DeviceInfo(
            i, d["name"], apis[d["hostapi"]]["name"], d["max_input_channels"],
            d["max_output_channels"], int(d["default_samplerate"]), i == defaults[0],
            i == defaults[1],
        )
        for i, d in enumerate(sd.query_devices())
    ]  # fmt: skip


def find_device(wanted: str | int | None, side: str) -> DeviceInfo:
    """Choose a device by index or by a part of its name or host API.

    Parameters
    ----------
    wanted : str, int or None
        None is the system's default.
    side : str
        ``input`` or ``output``.

    Raises
    ------
    DeviceError
        None or several match, or the device has no such side.
    """
    devices = [d for d in list_devices() if getattr(d, f"max_{side}_channels") > 0]
    if not devices:
        raise DeviceError(
            f"no {side} device was found; connect one and see 'restyle devices', or use"
            " --simulate IN.wav"
        )
    if wanted is None:
        return next((d for d in devices if getattr(d, f"default_{side}")), devices[0])
    text = str(wanted)
    if text.lstrip("-").isdigit():
        match = [d for d in devices if d.index == int(text)]
    else:
        words = text.lower().split()
        match = [d for d in devices if all(w in f"{d.name} {d.host_api}".lower() for w in words)]
        exact = [d for d in match if d.name.lower() == text.lower()]
        match = exact or match
    if len(match) == 1:
        return match[0]
    listed = "; ".join(f"{d.index} {d.name} ({d.host_api})" for d in match or devices)
    found = "several match" if match else "there is none"
    raise DeviceError(f"{side} device '{text}': {found}; choose one of: {listed}")


class PortAudioDevice:
    """A full-duplex PortAudio stream.

    Parameters
    ----------
    input, output : str, int or None
        See :func:`find_device`.
    sample_rate : int [Hz] or None
        None takes the input device's default.
    block_size : int or None [samples]
        What callbacks should bring.  The host's own period (PortAudio's ``blocksize=0``) is used
        when it is constant and no other size is asked for, as any other choice makes PortAudio add
        a buffer of that size.
    channels : int or None
        Engine channels wanted; limited to what the devices have.

    Raises
    ------
    DeviceError
        Missing device or a setting it refuses, in one sentence.
    """

    paced = True

    def __init__(
        self,
        input: str | int | None = None,
        output: str | int | None = None,
        *,
        sample_rate: int | None = None,
        block_size: int | None = None,
        channels: int | None = None,
    ) -> None:
        if block_size is not None and not 1 <= block_size <= 8192:
            raise DeviceError(f"block size must be within 1..8192 samples, got {block_size}")
        self._sd = _library()
        self._in = find_device(input, "input")
        self._out = find_device(output, "output")
        self.name = f"{self._in.name} → {self._out.name} ({self._in.host_api})"
        self.sample_rate = sample_rate or self._in.default_sample_rate
        self.in_channels = min(channels or 1, self._in.max_input_channels)
        self.out_channels = min(max(channels or 1, 2), self._out.max_output_channels)
        self.input_latency = self.output_latency = 0
        self._running = False
        self._stream: Any = None
        self._keep: Any = None
        self._requested = 0
        self.block_size = self._negotiate(block_size)

    def _make(self, blocksize: int, callback: Any, userdata: Any) -> Any:
        sd = self._sd
        try:
            return sd._StreamBase(
                kind="duplex",
                samplerate=self.sample_rate,
                blocksize=blocksize,
                device=(self._in.index, self._out.index),
                channels=(self.in_channels, self.out_channels),
                dtype="float32",
                latency="low",
                callback=callback,
                userdata=userdata,
                wrap_callback=None,
            )
        except (sd.PortAudioError, ValueError) as error:
            reason = str(error).split("[")[0].strip()
            raise DeviceError(
                f"{self.name} cannot be opened at {self.sample_rate} Hz with"
                f" {self.in_channels} in and {self.out_channels} out: {reason}; try another --rate,"
                " --input or --output"
            ) from None

    def _negotiate(self, wanted: int | None) -> int | None:
        """Find out what callbacks will bring, by listening to silence for a moment."""
        from ..engine import Engine
        from ..path import BlockPath
        from .callback import stream_callback
        from .stream import StreamMemory
        from .voice import Voice

        engine = Engine(channels=1, sample_rate=self.sample_rate, mix=0.0, output_gain=0.0)
        voice = Voice(BlockPath(engine))
        memory = StreamMemory(voice, self.in_channels, self.out_channels)
        self.open(int(stream_callback().address), memory.address, False)
        self.start()
        self._sd.sleep(int(1000 * PROBE_SECONDS))
        self.stop()
        seen = memory.counters()
        if seen["callbacks"] == 0:
            raise DeviceError(
                f"{self.name} opened but never asked for sound; is its server running?"
            )
        period = seen["min_block"] if seen["min_block"] == seen["max_seen_block"] else None
        if wanted is None or wanted == period:
            return period
        self._requested = wanted
        return wanted

    def open(self, callback: int, record: int, lockstep: bool) -> None:
        """Open the stream; `lockstep` has no meaning in real time."""
        userdata = self._sd._ffi.cast("void*", record)
        self._keep = (callback, userdata)
        self._stream = self._make(self._requested, callback, userdata)
        latency = self._stream.latency
        sides = latency if isinstance(latency, tuple) else (latency, latency)
        self.input_latency, self.output_latency = (
            round(v * self.sample_rate) if 0 <= v < 10 else 0 for v in sides
        )

    def start(self) -> None:
        """Start the stream."""
        try:
            self._stream.start()
        except self._sd.PortAudioError as error:
            raise DeviceError(f"{self.name} does not start: {error}") from None
        self._running = True

    def stop(self) -> None:
        """Stop and close the stream."""
        stream, lost = self._stream, self.error is not None
        self._stream, self._running = None, False
        if stream is None:
            return

        def close() -> None:
            stream.stop(ignore_errors=True)
            stream.close(ignore_errors=True)

        if not lost:
            close()
            return
        # PortAudio waits for ever for a JACK server that died, here and once more at exit
        closer = threading.Thread(target=close, name="restyle-close", daemon=True)
        closer.start()
        closer.join(CLOSE_SECONDS)
        if closer.is_alive():
            atexit.unregister(self._sd._exit_handler)

    @property
    def active(self) -> bool:
        """Whether PortAudio still calls back."""
        return self._stream is not None and bool(self._stream.active)

    @property
    def error(self) -> BaseException | None:
        """Set when the stream ended without being asked to."""
        if not self._running or self.active:
            return None
        return DeviceError(
            f"{self.name} stopped by itself; was it unplugged, or did its sound server end?"
        )

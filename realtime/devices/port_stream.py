"""One PortAudio stream, duplex or one-sided, whose callback is a C function's address.

`sounddevice._StreamBase`, its documented expert interface, takes the address, so PortAudio calls
machine code and never Python.
"""

from __future__ import annotations

import atexit
import contextlib
import threading
from typing import Any

from ..errors import DeviceError
from .list import DeviceInfo, library

CLOSE_SECONDS = 2.0


class PortStream:
    """A stream to be opened and closed again.

    Parameters
    ----------
    name : str
        What to call it in messages.
    input, output : DeviceInfo or None
        The devices; one may be missing.
    sample_rate : int [Hz]
    in_channels, out_channels : int

    Attributes
    ----------
    input_latency, output_latency : int [samples]
        As reported, once it is open.
    requested : int
        PortAudio's ``blocksize``; 0 takes the host's own period.
    """

    def __init__(
        self,
        name: str,
        input: DeviceInfo | None,
        output: DeviceInfo | None,
        sample_rate: int,
        in_channels: int = 0,
        out_channels: int = 0,
    ) -> None:
        self._sd = library()
        self.name, self._in, self._out = name, input, output
        self.sample_rate = sample_rate
        self._widths = in_channels, out_channels
        self.input_latency = self.output_latency = self.requested = 0
        self._running = False
        self._stream: Any = None
        self._keep: Any = None

    def _make(self, callback: Any, userdata: Any) -> Any:
        sd = self._sd
        devices = (self._in, self._out)
        if None not in devices:
            kind, device, channels = "duplex", tuple(d.index for d in devices if d), self._widths
        else:
            kind = "input" if self._in is not None else "output"
            device = (self._in or self._out).index  # type: ignore[assignment,union-attr]
            channels = max(self._widths)  # type: ignore[assignment]
        try:
            return sd._StreamBase(
                kind=kind,
                samplerate=self.sample_rate,
                blocksize=self.requested,
                device=device,
                channels=channels,
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
                f" {self._widths[0]} in and {self._widths[1]} out: {reason}; try another --rate,"
                " --input or --output"
            ) from None

    def open(self, callback: int, record: int) -> None:
        """Open it, to call the C function at `callback` with `record` as its user data."""
        userdata = self._sd._ffi.cast("void*", record)
        self._keep = (callback, userdata)
        self._stream = self._make(callback, userdata)
        self._read_latency(self._stream)

    def _read_latency(self, stream: Any) -> None:
        latency = stream.latency
        if not isinstance(latency, tuple):
            latency = latency if self._in else 0.0, latency if self._out else 0.0
        self.input_latency, self.output_latency = (
            round(v * self.sample_rate) if 0 <= v < 10 else 0 for v in latency
        )

    def ask_again(self) -> None:
        """Read the latencies anew: PortAudio asks the driver when a stream is opened, only then.

        The second stream is opened for the question alone and never starts.  A device that lets
        nobody else in keeps the latencies it has reported.
        """
        with contextlib.suppress(DeviceError):
            second = self._make(*self._keep)
            self._read_latency(second)
            second.close(ignore_errors=True)

    def start(self) -> None:
        """Start it.

        Raises
        ------
        DeviceError
        """
        try:
            self._stream.start()
        except self._sd.PortAudioError as error:
            raise DeviceError(f"{self.name} does not start: {error}") from None
        self._running = True

    def listen(self, callback: int, record: int, seconds: float) -> None:
        """Open, run for a moment and close again."""
        self.open(callback, record)
        self.start()
        self._sd.sleep(int(1000 * seconds))
        self.stop()

    def stop(self) -> None:
        """Stop and close it."""
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

"""Which devices there are, through sounddevice (this is its only importer)."""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

from ..errors import DeviceError

LIBJACK = "RESTYLE_LIBJACK"  # a libjack to be taken in place of the system's


def library() -> ModuleType:
    """Import sounddevice, or say in one sentence what is missing."""
    jack = os.environ.get(LIBJACK)
    try:
        if jack:  # loaded first, so PortAudio is given this one
            ctypes.CDLL(jack, mode=ctypes.RTLD_GLOBAL)
        import sounddevice
    except OSError as error:
        raise DeviceError(
            f"PortAudio is missing ({error}); on Debian or Ubuntu run: apt install libportaudio2 —"
            " or use --simulate IN.wav, which needs no sound card"
        ) from None
    except ImportError:
        raise DeviceError("sounddevice is not installed; run: pip install sounddevice") from None
    if not sounddevice._initialized:  # let go of before
        sounddevice._initialize()
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


def list_devices(anew: bool = False) -> list[DeviceInfo]:
    """All devices of all host APIs.

    Parameters
    ----------
    anew : bool
        Look again: PortAudio keeps the list of its start.  Not while this process plays.

    Raises
    ------
    DeviceError
        PortAudio is missing or broken.
    """
    sd = library()
    if anew:
        sd._terminate()
        sd._initialize()
    apis = sd.query_hostapis()
    defaults = list(sd.default.device)
    return [
        DeviceInfo(
            i,
            d["name"],
            apis[d["hostapi"]]["name"],
            d["max_input_channels"],
            d["max_output_channels"],
            int(d["default_samplerate"]),
            i == defaults[0],
            i == defaults[1],
        )
        for i, d in enumerate(sd.query_devices())
    ]


def let_go() -> None:
    """Close PortAudio in this process, which only looked: JACK calls whoever keeps it open.

    Whoever looks again opens it again.
    """
    known = sys.modules.get("sounddevice")
    if known is not None and known._initialized:
        known._terminate()


NO_INPUT = "none"  # in place of an input device: silence comes in


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
        through = ", start it as 'pw-jack restyle …'" if shutil.which("pw-jack") else ""
        raise DeviceError(
            f"no {side} device was found; connect one and see 'restyle devices'{through}, or use"
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


def opened_inputs(info: DeviceInfo, channels: int | None, in_map: Sequence[int] | None) -> int:
    """How many inputs to open: as many as the engine has channels, or as the map reaches to.

    Raises
    ------
    DeviceError
        The device has fewer than the map names.
    """
    if in_map is None:
        return min(channels or 1, info.max_input_channels)
    return _reaching(info.name, info.max_input_channels, in_map, "input")


def opened_outputs(info: DeviceInfo, channels: int | None, out_map: Sequence[int] | None) -> int:
    """Likewise of outputs; two at least where there are two."""
    if out_map is None:
        return min(max(channels or 1, 2), info.max_output_channels)
    return _reaching(info.name, info.max_output_channels, out_map, "output")


def _reaching(name: str, there: int, channels: Sequence[int], side: str) -> int:
    last = max(channels, default=0) + 1
    if last > there:
        counted = f"{there} {side}" if there == 1 else f"{there} {side}s"
        raise DeviceError(
            f"{name} has {counted}, numbered from 1; the {side} map names channel {last}"
        )
    return max(1, last)

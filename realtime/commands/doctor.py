"""``restyle doctor``: is this machine ready, and what to do where it is not."""

from __future__ import annotations

import importlib.metadata
import platform
import sys
from collections.abc import Callable
from typing import Annotated

import numpy as np
import typer
from rich.text import Text

from ..errors import RestyleError
from . import doctor_linux
from .common import err, out
from .doctor_linux import BAD, GOOD, NOTE, Finding


def doctor(
    warm: Annotated[
        bool, typer.Option("--warm", help="Compile for this processor what live sound needs.")
    ] = False,
) -> None:
    """Check Python, native lane, ONNX Runtime, sound servers, priorities and models."""
    if warm:
        from .warm import warm as compile_all

        spent = compile_all(lambda text: err.print(f"compiled {text}", highlight=False))
        out.print(f"kernels are compiled for this processor ({spent:.0f} s)", highlight=False)
        return
    checks: list[tuple[str, Callable[[], Finding]]] = [
        ("python", _python),
        ("onnxruntime", _onnxruntime),
        ("native lane", _native_lane),
        ("portaudio", _portaudio),
        ("jack", doctor_linux.jack),
        ("pipewire", doctor_linux.pipewire),
        ("real-time priority", _priority),
        ("limits", doctor_linux.limits),
        ("processor", doctor_linux.governor),
        ("models", _models),
        ("package name", _package_name),
    ]
    worst = GOOD
    for name, check in checks:
        try:
            verdict, text = check()
        except RestyleError as error:
            verdict, text = BAD, str(error)
        colour = {GOOD: "green", NOTE: "yellow", BAD: "red"}[verdict]
        said = Text.assemble((f"{verdict:>4}", colour), f"  {name}: {text}")
        out.print(said, highlight=False)
        worst = BAD if BAD in (worst, verdict) else verdict if worst == GOOD else worst
    if worst == BAD:
        raise typer.Exit(2)


def _distributions(*names: str) -> list[str]:
    installed = {
        (d.metadata["Name"] or "").lower(): d.version for d in importlib.metadata.distributions()
    }
    return [f"{n} {installed[n]}" for n in names if n in installed]


def _python() -> Finding:
    good = sys.version_info >= (3, 11)
    text = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    return (GOOD, text) if good else (BAD, f"{text}; restyle needs 3.11 or newer")


def _onnxruntime() -> Finding:
    found = _distributions("onnxruntime", "onnxruntime-gpu", "onnxruntime-directml")
    if len(found) > 1:
        return BAD, f"{' and '.join(found)} overwrite each other; uninstall both, reinstall restyle"
    from ..models.ort_api import api

    api()
    return GOOD, found[0] if found else "found, version unknown"


def _native_lane() -> Finding:
    from ..devices.simulated import SimulatedDevice
    from ..engine.path import Path
    from ..session.stream import Stream

    tone = np.sin(np.arange(48000) * 0.05)[None].astype(np.float32) * 0.5
    device = SimulatedDevice(tone, 48000, 64)
    stream = Stream(Path(block_size=64), device, lane="inline")
    stream.start()
    try:
        stream.wait()
    finally:
        stream.stop()
    played = device.recording[:, : tone.shape[1]]
    exact = np.array_equal(played, tone)
    return (GOOD, "one second passed bit for bit") if exact else (BAD, "sound was changed")


def _portaudio() -> Finding:
    from ..devices.list import list_devices

    try:
        devices = list_devices()
    except RestyleError as error:
        return NOTE, str(error)
    if not devices:
        return NOTE, "found, but no device; 'restyle live --simulate IN.wav' works without one"
    return GOOD, f"{len(devices)} device(s), see 'restyle devices'"


def _priority() -> Finding:
    import threading

    from ..stream.worker import raise_priority

    result: list[bool] = []
    thread = threading.Thread(target=lambda: result.append(raise_priority()))
    thread.start()
    thread.join()
    if result == [True]:
        return GOOD, "permitted for the worker thread"
    return NOTE, "not permitted; on Linux join the group 'audio' or set rtprio in limits.conf"


def _models() -> Finding:
    from ..models.catalog import list_models

    entries = list_models()
    told = "; ".join(f"{e.path.name}: {e.problem}" for e in entries if e.problem)
    if told:
        return (BAD if any(e.broken for e in entries) else NOTE), told
    return (GOOD if entries else NOTE), ", ".join(e.name for e in entries) or "none found"


def _package_name() -> Finding:
    clash = _distributions("realtime")
    if clash:
        return BAD, f"{clash[0]} has the same import name; install restyle in a venv of its own"
    return GOOD, "no other distribution named 'realtime'"

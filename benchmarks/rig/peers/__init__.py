"""Other ways to do the same from Python, measured beside restyle in the same run.

:data:`PEERS` lists them; what is not installed is listed with the command that installs it.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Peer:
    """One peer.

    Attributes
    ----------
    name : str
    module : str
        What it is imported by.
    packages : tuple of str
        Distributions it may come from.
    install : str
    measured : str
        In which table it is, and what it does there.
    """

    name: str
    module: str
    packages: tuple[str, ...]
    install: str
    measured: str


PEERS = (
    Peer("onnxruntime InferenceSession", "onnxruntime", ("onnxruntime-gpu", "onnxruntime"),
         "pip install restyle", "one hop of the bundled file, called from Python"),
    Peer("torch eager", "torch", ("torch",), "pip install 'restyle[train]'",
         "one hop of the same network with explicit states, one thread"),
    Peer("TorchScript", "torch", ("torch",), "pip install 'restyle[train]'",
         "the same, traced and frozen"),
    Peer("sounddevice, Python callback", "sounddevice", ("sounddevice",), "pip install restyle",
         "missed callbacks: NumPy STFT and InferenceSession.run in the callback"),
    Peer("rtmixer, ring and Python worker", "rtmixer", ("rtmixer",), "pip install 'restyle[bench]'",
         "missed callbacks: the same work in a Python thread behind two rings of two blocks"),
    Peer("pedalboard", "pedalboard", ("pedalboard",), "pip install restyle",
         "a hop of its effects; it runs no networks"),
    Peer("neural-amp-modeler", "nam", ("neural-amp-modeler",),
         "pip install --no-deps neural-amp-modeler==0.13.0",
         "captures: two seconds at once, torch, one thread"),
)  # fmt: skip


def installed(peer: Peer) -> str | None:
    """Its version, or None where it cannot be imported."""
    if importlib.util.find_spec(peer.module) is None:
        return None
    for package in peer.packages:
        try:
            return importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return "unknown"


def listing() -> list[dict[str, Any]]:
    """Every peer as plain data; `remark` stays to be filled by what measures it."""
    rows = []
    for peer in PEERS:
        version = installed(peer)
        remark = None if version else f"not installed; {peer.install}"
        rows.append(
            {
                "name": peer.name,
                "version": version,
                "installed": version is not None,
                "install": peer.install,
                "measured": peer.measured,
                "remark": remark,
            }
        )
    return rows

"""``python -m realtime.stages.probe FILE SECONDS``: load what a plug-in file holds and describe it.

Run in a process of its own, since a plug-in may crash or hang here: one JSON object a line, the
next step (``at``) before it is taken, so that the parent knows what was under way at the end.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ChainError
from .pedals import bundle_names, load_bundle
from .uneven import UnevenPlugin

RATE, BLOCK = 48000, 512
PATIENCE = 2.0  # s for plug-ins that are silent at first; enough to learn what they are


def describe(plugin: Any) -> dict[str, Any]:
    """What a record keeps of a plug-in; plays a little silence and noise through it."""
    effect = bool(plugin.is_effect)
    uneven = isinstance(plugin, UnevenPlugin)
    if uneven:
        plugin.prepare(RATE, BLOCK)
        _play(plugin, plugin.inputs)
    return {
        "name": str(plugin.name),
        "maker": str(plugin.manufacturer_name or ""),
        "version": str(plugin.version or ""),
        "category": str(plugin.category or ""),
        "is_effect": effect,
        "channels": [c for c in (1, 2) if effect and not uneven and _takes(plugin, c)],
        "buses": f"{plugin.inputs} → {plugin.outputs}" if uneven else "",
        "latency": int(plugin.reported_latency_samples),
        "parameters": len(plugin.parameters) if effect else 0,
    }


def _takes(plugin: Any, channels: int) -> bool:
    plugin.reset()
    try:
        _play(plugin, channels)
    except ValueError:
        return False
    return True


def _play(plugin: Any, channels: int) -> None:
    noise = np.random.default_rng(0).uniform(-0.1, 0.1, (channels, BLOCK)).astype(np.float32)
    for block in (0 * noise, noise):
        plugin.process(block, RATE, buffer_size=BLOCK, reset=False)


def main(path: str, timeout: float) -> None:
    """Report on one file to standard output, which the plug-in itself cannot reach."""
    if hasattr(signal, "alarm"):  # ends a plug-in that hangs even when the parent is no more
        signal.alarm(int(timeout) + 5)
    report = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(**line: Any) -> None:
        report.write(json.dumps(line) + "\n")
        report.flush()

    try:
        say(at="opening it")
        for name in bundle_names(Path(path)):
            say(at=f"loading '{name}'")
            plugin = load_bundle(Path(path), name, PATIENCE)
            say(at=f"playing '{name}'")
            found = describe(plugin)
            say(at=f"closing '{name}'")
            del plugin
            say(plugin=found)
        say(done=True)
    except ChainError as error:
        say(failed=str(error))
    except Exception as error:  # whatever a plug-in makes pedalboard say
        say(failed=f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}")
    os._exit(0)  # leaving out whatever the plug-in planned for the end of the process


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))

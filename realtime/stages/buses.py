"""A plug-in's buses fitted to the stream's channels.

Plug-ins are strict: one made for stereo refuses a mono block and the other way round.

=============  ===============  ==================================================================
the stream     the plug-in      what is done
=============  ===============  ==================================================================
any            takes it as is   nothing
mono           stereo           both inputs get the channel; the output is the mean of both
several        mono             one instance for each channel, all with the same settings
=============  ===============  ==================================================================
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ChainError
from .states import read_state, write_state

Array = npt.NDArray[np.float32]


class Buses:
    """One or several instances of a plug-in behind pedalboard's own ``process`` and ``reset``.

    Parameters
    ----------
    load : callable
        Gives a new instance; called on the main thread only.
    name : str
        For messages.

    Attributes
    ----------
    instances : list
        pedalboard's plug-ins; the first one's parameters stand for all.
    layout : str
        ``direct``, ``fold`` (mono through stereo) or ``each`` (an instance per channel).
    """

    def __init__(self, load: Callable[[], Any], name: str) -> None:
        self._load, self.name = load, name
        self.instances: list[Any] = [load()]
        self.layout = "direct"

    def fit(self, rate: int, channels: int, block: int) -> None:
        """Choose the layout; a silent block on the way hands over parameters set before.

        Raises
        ------
        ChainError
            The plug-in takes neither these channels nor one or two.
        """
        first = self.instances[0]
        self.reset()  # plug-ins expect another length of blocks only after a stop
        refusal = _refusal(first, rate, channels, block)
        if refusal is None:
            self.layout = "direct"
        elif channels == 1 and _refusal(first, rate, 2, block) is None:
            self.layout = "fold"
        elif channels > 1 and _refusal(first, rate, 1, block) is None:
            self.layout = "each"
        else:
            raise ChainError(f"plug-in {self.name} cannot take {channels} channel(s): {refusal}")
        wanted = channels if self.layout == "each" else 1
        while len(self.instances) < wanted:
            self.instances.append(self._load())
        del self.instances[wanted:]
        for other in self.instances[1:]:
            write_state(other, read_state(first))
            _refusal(other, rate, 1, block)

    def process(self, block: Array, rate: float, buffer_size: int, reset: bool) -> Array:
        """Process one block; shorter at first where the plug-in has latency."""
        if self.layout == "direct":
            out: Array = self.instances[0].process(
                block, rate, buffer_size=buffer_size, reset=reset
            )
            return out
        if self.layout == "fold":
            both = np.concatenate([block, block])
            out = self.instances[0].process(both, rate, buffer_size=buffer_size, reset=reset)
            return out.mean(axis=0, keepdims=True, dtype=np.float32)
        parts = [
            instance.process(block[k : k + 1], rate, buffer_size=buffer_size, reset=reset)
            for k, instance in enumerate(self.instances)
        ]
        return np.concatenate(parts)

    def reset(self) -> bool:
        """Clear all sound; False, and nothing done, where that needs the main thread.

        Plug-ins that keep their tails when asked to forget them are loaded anew by pedalboard.
        That is permitted on the main thread only; tried on another, it leaves the plug-in stopped
        and the sound passing beside it.
        """
        if threading.current_thread() is not threading.main_thread():
            kinds = [str(getattr(i, "_reload_type", "")) for i in self.instances]
            if not all(kind.endswith("ClearsAudioOnReset") for kind in kinds):
                return False
        for instance in self.instances:
            instance.reset()
        return True


def _refusal(plugin: Any, rate: int, channels: int, block: int) -> str | None:
    """What the plug-in says against blocks of so many channels, or None."""
    silence = np.zeros((channels, block), dtype=np.float32)
    try:
        plugin.process(silence, rate, buffer_size=block, reset=False)
    except ValueError as error:
        return str(error).splitlines()[0]
    return None

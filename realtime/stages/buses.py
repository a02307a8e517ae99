"""A plug-in's buses fitted to the stream's channels.

Plug-ins are strict: one made for stereo refuses a mono block and the other way round.

=============  ===============  ==================================================================
the stream     the plug-in      what is done
=============  ===============  ==================================================================
any            takes it as is   nothing
mono           stereo           both inputs get the channel; the output is the mean of both
several        mono             one instance for each channel, all with the same settings
any            more channels    the first of them; the others get silence and are not heard
any            other outputs    one input gets the mean of the channels, several inputs the first
               than inputs      channels; the channels get the first outputs, or one output each
=============  ===============  ==================================================================
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ChainError
from .pedals import bus_counts
from .states import read_state, write_state
from .uneven import UnevenPlugin

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
        ``direct``, ``fold`` (mono through stereo), ``each`` (an instance per channel), ``first``
        (the first channels of more) or ``uneven`` (other outputs than inputs).
    note : str
        What of the plug-in is not connected, or brought to one; empty where nothing is.
    """

    def __init__(self, load: Callable[[], Any], name: str) -> None:
        self._load, self.name, self._channels = load, name, 0
        self.instances: list[Any] = [load()]
        self.layout = "direct"
        self._wide, self.note = 0, ""  # inputs of a plug-in with more of them than the stream

    def fit(self, rate: int, channels: int, block: int) -> None:
        """Choose the layout; a silent block on the way hands over parameters set before.

        Raises
        ------
        ChainError
            The plug-in takes neither these channels nor one or two.
        """
        first = self.instances[0]
        self.reset()  # plug-ins expect another length of blocks only after a stop
        self.note = ""
        if isinstance(first, UnevenPlugin):
            first.prepare(rate, block)
            self.layout, self._channels = "uneven", channels
            self.note = _words(first.inputs, first.outputs, channels)
            return
        refusal = _refusal(first, rate, channels, block)
        if refusal is None:
            self.layout = "direct"
        elif channels == 1 and _refusal(first, rate, 2, block) is None:
            self.layout = "fold"
        elif channels > 1 and _refusal(first, rate, 1, block) is None:
            self.layout = "each"
        else:
            self._widen(bus_counts(refusal), rate, channels, block, refusal)
        wanted = channels if self.layout == "each" else 1
        while len(self.instances) < wanted:
            self.instances.append(self._load())
        del self.instances[wanted:]
        for other in self.instances[1:]:
            _same_settings(first, other)
            _refusal(other, rate, 1, block)

    def _widen(
        self, counts: tuple[int, int] | None, rate: int, channels: int, block: int, refusal: str
    ) -> None:
        """Use the first channels of a plug-in that has more of them."""
        inputs, outputs = counts or (0, 0)
        if (
            inputs == outputs > channels
            and _refusal(self.instances[0], rate, inputs, block) is None
        ):
            self.layout, self._wide = "first", inputs
            self.note = _span("channel", channels, inputs) + " not connected"
            return
        if counts is None:
            raise ChainError(f"plug-in {self.name} cannot take {channels} channel(s): {refusal}")
        raise ChainError(
            f"plug-in {self.name} has {inputs} input(s) and {outputs} output(s), the stream"
            f" {channels} of each; play a stream of {inputs} channel(s) or fewer"
        )

    def process(self, block: Array, rate: float, buffer_size: int, reset: bool) -> Array:
        """Process one block; shorter at first where the plug-in has latency."""
        if self.layout == "uneven":
            x = _spread(block, self.instances[0].inputs)
            y = self.instances[0].process(x, rate, buffer_size=buffer_size, reset=reset)
            return _gather(y, self._channels)
        if self.layout == "direct":
            out: Array = self.instances[0].process(
                block, rate, buffer_size=buffer_size, reset=reset
            )
            return out
        if self.layout == "fold":
            both = np.concatenate([block, block])
            out = self.instances[0].process(both, rate, buffer_size=buffer_size, reset=reset)
            return out.mean(axis=0, keepdims=True, dtype=np.float32)
        if self.layout == "first":
            many = block.shape[0]
            padded = np.concatenate([block, np.zeros((self._wide - many, block.shape[1]), "f4")])
            out = self.instances[0].process(padded, rate, buffer_size=buffer_size, reset=reset)
            return out[:many]
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


def _same_settings(first: Any, other: Any) -> None:
    """Give another instance the settings of the first; some plug-ins have no state to hand on."""
    try:
        write_state(other, read_state(first))
    except (RuntimeError, ValueError, AttributeError):
        for name, parameter in first.parameters.items():
            other.parameters[name].raw_value = parameter.raw_value


def _spread(block: Array, inputs: int) -> Array:
    """The stream's channels for so many inputs."""
    if inputs == 1 < len(block):
        return block.mean(axis=0, keepdims=True, dtype=np.float32)
    if len(block) == 1:
        block = np.repeat(block, min(2, inputs), axis=0)
    silence = np.zeros((max(0, inputs - len(block)), block.shape[1]), dtype=np.float32)
    return np.concatenate([block[:inputs], silence])


def _gather(y: Array, channels: int) -> Array:
    """A plug-in's outputs for so many channels."""
    if channels == 1 and len(y) == 2:
        return y.mean(axis=0, keepdims=True, dtype=np.float32)
    return y[np.arange(channels) % len(y)]


def _words(inputs: int, outputs: int, channels: int) -> str:
    """What :func:`_spread` and :func:`_gather` leave out or bring to one."""
    found = []
    if inputs == 1 < channels:
        found.append("its input is the mean of the channels")
    elif inputs < channels:
        found.append(_span("channel", inputs, channels) + " not heard")
    elif inputs > max(2, channels):
        found.append(_span("input", max(2, channels), inputs) + " not connected")
    elif inputs == 2 > channels:
        found.append("both inputs get the channel")
    if outputs == 2 > channels:
        found.append("its outputs are brought to one")
    elif outputs > channels:
        found.append(_span("output", channels, outputs) + " not connected")
    return "; ".join(found)


def _span(what: str, first: int, last: int) -> str:
    """``outputs 3 to 6 of 6 are``, or of one; `first` counts from 0."""
    if first + 1 == last:
        return f"{what} {last} of {last} is"
    return f"{what}s {first + 1} to {last} of {last} are"

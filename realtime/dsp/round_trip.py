"""Two resamplers around a model of another rate, with one whole latency at the device's rate.

The callback takes `n` samples to the model's rate, gets as many back from the model as went in (the
adapter sees to that) and pulls exactly `n` again::

    m = process(inward, x, n, model_x)
    ...                                   # m samples -> m samples, inner_latency later
    push(outward, model_y, 0, m)
    pull(outward, y, 0, n)                # always n

Why that never runs dry: let a tick be 1 / lcm of both rates, `u` ticks a device sample and `d`
ticks a model sample.  With a delay of ``half_in * u`` ticks inwards, ``ceil(n * u / d)`` model
samples have come out after `n` device samples.  Output ``n - 1`` needs the model sample at
``((n - 1) * u - delay_out) // d + half_out``, which is among them for every `n` from
``delay_out = half_out * d - u + 1`` on.  What is added to that makes the sum a whole number of
device samples.
"""

from __future__ import annotations

from math import gcd

from ..errors import ConfigError
from .resample import Resampler
from .sinc import design


class RoundTrip:
    """The pair of converters ``device -> model -> device``.

    Parameters
    ----------
    device_rate, model_rate : int [Hz]
    channels : int
    inner_latency : int [model samples]
        Declared latency of what lies between, adapter included.
    max_block : int [device samples]
        The most that are handed over at once.

    Attributes
    ----------
    inward, outward : Resampler
    latency : int [device samples]
        From input to output, `inner_latency` included; exact.
    max_model_block : int [model samples]
        The most that ``process(inward, ...)`` writes for one block.
    """

    def __init__(
        self,
        device_rate: int,
        model_rate: int,
        channels: int,
        inner_latency: int = 0,
        max_block: int = 4096,
    ) -> None:
        if inner_latency < 0 or max_block < 1:
            raise ConfigError(
                "a round trip needs an inner latency of at least 0 and blocks of at least 1"
                f" sample, got {inner_latency} and {max_block}"
            )
        common = gcd(device_rate, model_rate)
        device_tick, model_tick = model_rate // common, device_rate // common
        inward = design(device_rate, model_rate).half * device_tick
        least = design(model_rate, device_rate).half * model_tick - device_tick + 1
        self.latency = -(-(inward + inner_latency * model_tick + least) // device_tick)
        outward = self.latency * device_tick - inner_latency * model_tick - inward
        self.inward = Resampler(device_rate, model_rate, channels, inward, max_block)
        self.max_model_block = self.inward.most(max_block)
        self.outward = Resampler(model_rate, device_rate, channels, outward, self.max_model_block)

    def reset(self) -> None:
        """Return both converters to silence (not live)."""
        self.inward.reset()
        self.outward.reset()

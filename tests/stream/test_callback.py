from __future__ import annotations

import numpy as np
import pytest
from numba import carray, cfunc, types

from realtime.devices.monitor import monitor_callback
from realtime.engine import group
from realtime.engine.hop import hop_function
from realtime.engine.path import Path as EnginePath
from realtime.models import ort
from realtime.models.nam import kernel, oversample
from realtime.models.tape import kernel as tape
from realtime.stages import model as model_stage
from realtime.stream.callback import stream_callback
from realtime.stream.record import StreamMemory
from realtime.stream.voice import Voice

from ..graphs import identity_spectrum
from ..native_code import faults
from ..networks import gru_model
from ..signals import Array, noise, random_sizes
from ..sounds import model, path_of, sound
from ..sounds import offline as play_offline


@pytest.mark.parametrize(
    "function",
    [
        stream_callback, monitor_callback, hop_function, ort.step_function, ort.reset_function,
        tape.step_function, tape.reset_function, kernel.step_function, kernel.reset_function,
        oversample.step_function,
        oversample.reset_function, group.step_function, model_stage.step_function,
        model_stage.reset_function,
    ],
    ids=lambda f: f"{f.__module__}.{f.__name__}",
)  # fmt: skip
def test_compiled_code_neither_allocates_nor_can_ask_for_the_gil(function) -> None:
    assert faults(function()) == []


def test_the_same_search_finds_what_allocates_and_what_raises() -> None:
    signature = types.intc(types.CPointer(types.float64), types.int64)

    @cfunc(signature, nopython=True, error_model="numpy")
    def allocating(p, n):
        x = carray(p, n)
        x[:] = x * 2 + np.zeros(n)
        return 0

    @cfunc(signature, nopython=True, error_model="python")
    def raising(p, n):
        return int(7 // n)

    assert any(fault.startswith("NRT_") for fault in faults(allocating))
    assert "picklebuf" in faults(raising)


def stream(path: EnginePath, in_channels: int, out_channels: int) -> StreamMemory:
    """A stream record around one voice in the inline lane."""
    voice = Voice(path)
    memory = StreamMemory(voice, in_channels, out_channels)
    memory.keep = voice  # type: ignore[attr-defined]
    return memory


class Direct:
    """Calls the C callback with interleaved blocks, as PortAudio would."""

    def __init__(self, memory: StreamMemory) -> None:
        self.memory = memory
        self._call = stream_callback().ctypes

    def __call__(self, x: Array, flags: int = 0) -> Array:
        source = np.ascontiguousarray(x.T)
        width = int(self.memory.record["out_channels"])
        target = np.full((x.shape[1], width), np.nan, dtype=np.float32)
        addresses = source.ctypes.data, target.ctypes.data
        assert self._call(*addresses, x.shape[1], 0, flags, self.memory.address) == 0
        return np.ascontiguousarray(target.T)


def offline(make, x: Array) -> Array:  # type: ignore[no-untyped-def]
    return play_offline(sound(model(make())), x)


@pytest.mark.parametrize("start", [0, 2**31 - 4000, 2**53, 2**62])
@pytest.mark.parametrize("make", [gru_model, identity_spectrum])
def test_the_callback_plays_the_offline_bits_at_any_sample_count(make, start: int) -> None:  # type: ignore[no-untyped-def]
    engine = path_of(sound(model(make())))
    memory = stream(engine, 1, 1)
    memory.record["samples"] = memory.record["callbacks"] = start
    call = Direct(memory)
    x = noise(12_800)
    parts, at = [], 0
    for size in random_sizes(8) * 3:
        if at >= x.shape[1]:
            break
        parts.append(call(x[:, at : at + size]))
        at += size
    y = np.concatenate(parts, axis=1)[:, engine.prefill :]
    expected = offline(make, x)[:, : y.shape[1]]
    assert np.array_equal(y[:, : expected.shape[1]], expected)
    assert memory.counters()["samples"] - start == x.shape[1]


@pytest.mark.parametrize(
    ("device_in", "engine_channels", "device_out"),
    [(1, 1, 2), (2, 1, 2), (1, 2, 2), (2, 2, 1), (4, 2, 3), (2, 3, 4)],
)
def test_device_and_engine_widths_may_differ(
    device_in: int, engine_channels: int, device_out: int
) -> None:
    memory = stream(path_of(sound(), engine_channels, 32), device_in, device_out)
    x = noise(32, channels=device_in)
    y = Direct(memory)(x)
    for column in range(device_out):
        channel = min(column, engine_channels - 1)
        assert np.array_equal(y[column], x[min(channel, device_in - 1)])


def test_a_device_without_input_hears_silence_and_without_output_is_called_too() -> None:
    memory = stream(path_of(sound(), block=32), 0, 1)
    target = np.full((32, 1), np.nan, dtype=np.float32)
    assert stream_callback().ctypes(0, target.ctypes.data, 32, 0, 0, memory.address) == 0
    assert not target.any()
    memory = stream(path_of(sound(), block=32), 1, 0)
    x = noise(32)
    assert stream_callback().ctypes(x.ctypes.data, 0, 32, 0, 0, memory.address) == 0
    assert memory.counters()["callbacks"] == 1


def test_portaudios_flags_are_counted_one_by_one() -> None:
    memory = stream(path_of(sound(), block=32), 1, 1)
    call = Direct(memory)
    for flags in (1, 2, 2, 4, 4, 4, 8, 16, 15):
        call(noise(32), flags)
    names = ("input_underflows", "input_overflows", "output_underflows", "output_overflows")
    assert [memory.counters()[n] for n in names] == [2, 3, 4, 2]


def test_callbacks_samples_sizes_and_gaps_are_counted() -> None:
    memory = stream(path_of(sound()), 1, 1)
    call = Direct(memory)
    for size in (100, 7, 333):
        call(noise(size))
    c = memory.counters()
    assert (c["callbacks"], c["samples"], c["min_block"], c["max_seen_block"]) == (3, 440, 7, 333)
    assert memory.callback_histogram.sum() == 3
    assert memory.gap_histogram.sum() == 2
    assert c["longest_gap_ns"] <= c["last_ns"] - c["first_ns"]


def test_a_callback_beyond_the_scratch_memory_is_taken_in_parts() -> None:
    memory = stream(path_of(sound()), 1, 1)
    x = noise(30_000)
    y = Direct(memory)(x)
    assert np.array_equal(y[:, 31:], x[:, : x.shape[1] - 31])

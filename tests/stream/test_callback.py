from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from realtime.engine.path import Path as EnginePath
from realtime.stream.callback import stream_callback
from realtime.stream.record import StreamMemory
from realtime.stream.voice import Voice

from ..graphs import identity_spectrum
from ..networks import gru_model
from ..signals import Array, noise, random_sizes
from ..sounds import model, path_of, sound
from ..sounds import offline as play_offline

ROOT = Path(__file__).parents[2]

INSPECT = """
import re
import numpy as np
from numba import carray, cfunc, types
from realtime.engine import group
from realtime.engine.hop import hop_function
from realtime.stages import model
from realtime.stream.callback import stream_callback
from realtime.models.nam import kernel
from realtime.models.ort import reset_function, step_function

def faults(function):
    code = function.inspect_llvm()
    assert len(code) > 3000, "no machine code to look at"
    bad = re.findall(r"NRT_Allocate|NRT_MemInfo_alloc\\w*|NRT_MemInfo_new\\w*|NRT_Realloc", code)
    bad += re.findall(r"picklebuf", code)  # an exception object: something may raise
    # GIL calls may stand in the wrapper's error branch only, which nothing above can reach
    for body in re.split(r"\\n(?=define )", code):
        name = re.match(r'define[^@]*@"?([^"(]*)', body)
        if name and not name.group(1).startswith("cfunc."):
            bad += re.findall(r"call [^@]*@(numba_gil\\w*|PyGILState\\w*|Py\\w+)", body)
    return sorted(set(bad))

for function in (
    stream_callback(), hop_function(), step_function(), reset_function(),
    kernel.step_function(), kernel.reset_function(), group.step_function(),
    model.step_function(), model.reset_function(),
):
    print("lane", faults(function))

signature = types.intc(types.CPointer(types.float64), types.int64)

@cfunc(signature, nopython=True, error_model="numpy")
def allocating(p, n):
    x = carray(p, n)
    x[:] = x * 2 + np.zeros(n)
    return 0

@cfunc(signature, nopython=True, error_model="python")
def raising(p, n):
    return int(7 // n)

print("control", faults(allocating))
print("control", faults(raising))
"""


def test_compiled_callback_neither_allocates_nor_can_ask_for_the_gil(tmp_path: Path) -> None:
    # in a process and with a cache of its own: Numba shows no code of functions it read from disk
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    found = subprocess.run(
        [sys.executable, "-c", INSPECT], env=environment, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert found[:9] == ["lane []"] * 9
    # the same search finds what it is for
    assert "NRT_" in found[9]
    assert "picklebuf" in found[10]


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

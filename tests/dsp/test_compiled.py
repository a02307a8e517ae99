from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
INSPECT = """
import re
import numpy as np
from numba import carray, cfunc, types
from realtime.dsp import drift, resample
from realtime.dsp.drift_record import view_drift
from realtime.native.intrinsics import view_f32

signature = types.int64(*[types.int64] * 4)

@cfunc(signature, nopython=True, error_model="numpy")
def crossing(address, audio, n, now):
    drift.write(view_drift(address), view_f32(audio, (2, n)), 0, n, now)
    drift.read(view_drift(address), view_f32(audio, (2, n)), 0, n, now)
    return 0

@cfunc(signature, nopython=True, error_model="numpy")
def converting(address, audio, n, result):
    r = resample.view_resampler(address)
    resample.push(r, view_f32(audio, (2, n)), 0, n)
    resample.pull(r, view_f32(result, (2, n)), 0, n)
    return resample.process(r, view_f32(audio, (2, n)), n, view_f32(result, (2, n)))

@cfunc(types.int64(types.CPointer(types.float64), types.int64), error_model="numpy")
def allocating(p, n):
    x = carray(p, n)
    x[:] = x * 2 + np.zeros(n)
    return 0

for function in (crossing, converting, allocating):
    code = function.inspect_llvm()
    assert len(code) > 3000
    bad = re.findall(r"NRT_Allocate|NRT_MemInfo_alloc\\w*|NRT_MemInfo_new\\w*|NRT_Realloc", code)
    bad += re.findall(r"picklebuf", code)
    for body in re.split(r"\\n(?=define )", code):
        name = re.match(r'define[^@]*@"?([^"(]*)', body)
        if name and not name.group(1).startswith("cfunc."):
            bad += re.findall(r"call [^@]*@(numba_gil\\w*|PyGILState\\w*|Py\\w+)", body)
    print(sorted(set(bad)))
"""


def test_the_compiled_kernels_neither_allocate_nor_raise_nor_ask_for_the_gil(
    tmp_path: Path,
) -> None:
    # as tests/stream/test_callback.py: a cache of its own, since Numba shows no code read from disk
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    found = subprocess.run(
        [sys.executable, "-c", INSPECT], env=environment, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert found[:2] == ["[]", "[]"]
    assert "NRT_" in found[2]

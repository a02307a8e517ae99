"""Kernels are compiled once, whoever needs them, and again where what is kept is damaged."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = """
from realtime.native import cache, ring
import numpy as np
told = []
with cache.watched(told.append):
    r = ring.Ring(1, 16)
    r.write(np.ones((1, 4), dtype=np.float32))
    assert r.take().sum() == 4
print(sum('compiling' in t for t in told), sum('waiting' in t for t in told))
"""


def start(folder: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder), "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM], env=environment, stdout=subprocess.PIPE, text=True
    )


def compiled(process: subprocess.Popen[str]) -> int:
    said, _ = process.communicate(timeout=600)
    assert process.returncode == 0
    return int(said.split()[0])


def test_what_is_compiled_once_is_loaded_from_then_on(tmp_path: Path) -> None:
    assert compiled(start(tmp_path)) > 0
    assert compiled(start(tmp_path)) == 0


@pytest.mark.parametrize("ending", ["nbi", "nbc"])
def test_damaged_files_are_compiled_afresh(tmp_path: Path, ending: str) -> None:
    many = compiled(start(tmp_path))
    for path in tmp_path.rglob(f"*.{ending}"):
        path.write_bytes(b"")
    assert compiled(start(tmp_path)) == many
    assert compiled(start(tmp_path)) == 0


def test_several_at_once_compile_each_kernel_once(tmp_path: Path) -> None:
    alone = compiled(start(tmp_path / "alone"))
    together = [start(tmp_path / "together") for _ in range(3)]
    assert sum(map(compiled, together)) == alone


def test_a_holder_that_is_killed_keeps_nobody_waiting(tmp_path: Path) -> None:
    first = start(tmp_path)
    while not list(tmp_path.rglob("*.lock")):
        assert first.poll() is None
    first.kill()
    first.communicate()
    assert compiled(start(tmp_path)) > 0

"""Kernels are compiled once, whoever needs them, and again where what is kept is damaged."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from realtime.native import packed
from realtime.native.cache import fingerprint

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


def start(folder: Path, program: str = PROGRAM, **more: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder), "PYTHONPATH": str(ROOT), **more}
    return subprocess.Popen(
        [sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE, text=True
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


def test_eight_at_once_that_are_killed_at_random_leave_nothing_wrong(tmp_path: Path) -> None:
    rng = random.Random(1)
    running = [start(tmp_path) for _ in range(8)]
    while not list(tmp_path.rglob("*.lock")):  # the first of them compiles
        assert all(p.poll() is None for p in running)
    for process in sorted(running, key=lambda _: rng.random()):
        time.sleep(rng.uniform(0.0, 0.5))
        process.kill()
        process.communicate()
    assert compiled(start(tmp_path)) >= 0  # whatever was there, its sum is right
    assert compiled(start(tmp_path)) == 0


def chosen_by(home: Path) -> str:
    """The folder of kernels that a fresh process chooses."""
    environment = {k: v for k, v in os.environ.items() if k != "NUMBA_CACHE_DIR"}
    program = "import realtime, os; print(os.environ['NUMBA_CACHE_DIR'])"
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**environment, "XDG_CACHE_HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


@pytest.mark.skipif(sys.platform == "win32", reason="owners and modes are POSIX")
def test_kernels_that_others_could_have_written_are_not_believed(tmp_path: Path) -> None:
    chosen = Path(chosen_by(tmp_path))
    root = tmp_path / "restyle" / "kernels"
    assert chosen.parent == root and chosen.stat().st_mode & 0o777 == 0o700
    for opened in (chosen, root):
        (chosen / "planted.nbi").write_bytes(b"code")
        opened.chmod(0o777)
        assert Path(chosen_by(tmp_path)) == chosen
        assert not list(chosen.iterdir()) and not opened.stat().st_mode & 0o022


@pytest.mark.skipif(sys.platform == "win32", reason="owners and modes are POSIX")
def test_without_a_home_kernels_go_to_a_folder_of_this_run(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    chosen = Path(chosen_by(tmp_path / "file"))
    assert chosen.name.startswith("restyle-kernels-")
    assert not chosen.exists()  # gone with the run
    assert ROOT not in chosen.parents


@pytest.mark.skipif(not packed.fits(), reason="no kernels are packed for this processor")
def test_packed_kernels_are_taken_where_there_are_none_of_ones_own(tmp_path: Path) -> None:
    kind = {"NUMBA_CPU_NAME": str(packed.target()), "NUMBA_CPU_FEATURES": ""}
    many = compiled(start(tmp_path / "any", **kind))
    name = packed.name(fingerprint(packed.PACKAGE))
    assert packed.pack(tmp_path / "any", tmp_path / "wheel" / name) == many
    wheel = f"packed.FOLDER = Path({str(tmp_path / 'wheel')!r})"
    program = f"from pathlib import Path\nfrom realtime.native import packed\n{wheel}\n{PROGRAM}"
    assert compiled(start(tmp_path / "empty", program)) == 0
    assert not list((tmp_path / "empty").rglob("*.nbi"))
    assert compiled(start(tmp_path / "own", program, RESTYLE_OWN_KERNELS="1")) == many

"""SciPy is spared where it is only in the way, and nowhere else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from realtime.commands.mount import COMMANDS, PLAYING

pytest.importorskip("scipy")
ROOT = Path(__file__).parents[2]


def run(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_a_process_that_only_plays_never_imports_scipy() -> None:
    program = """
import sys
from realtime.native.spared import without_scipy
without_scipy()
from realtime.host.practice import practise
practise()
print(sys.modules["numba"].__version__ > "", sys.modules["scipy"], "scipy.linalg" in sys.modules)
"""
    assert run(program).split() == ["True", "None", "False"]


def test_one_that_has_scipy_already_keeps_it() -> None:
    program = """
import scipy, sys
from realtime.native.spared import without_scipy
without_scipy()
print(sys.modules["scipy"] is scipy)
"""
    assert run(program).split() == ["True"]


def test_commands_that_train_keep_it() -> None:
    assert set(PLAYING) < set(COMMANDS)
    assert not {"personalise", "like", "explain", "import", "pack"} & set(PLAYING)

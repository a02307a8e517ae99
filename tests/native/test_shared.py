"""Shared memory is seen by others, says when there is too little, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from realtime.errors import ConfigError
from realtime.native import shared
from realtime.native.shared import Shared

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=[True, False])
def anonymous(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Both kinds of memory, wherever the test runs."""
    if request.param and not shared._has_anonymous_files():
        pytest.skip("there are no anonymous files here")
    if not request.param:
        monkeypatch.setattr(shared, "_has_anonymous_files", lambda: False)
    return bool(request.param)


def test_another_sees_what_is_written_and_arrays_outlive_the_name(anonymous: bool) -> None:
    made = Shared(size=4096)
    here = np.frombuffer(made.buf, dtype=np.int64)
    assert not here.any()
    here[7] = 42
    other = Shared(made.name)
    there = np.frombuffer(other.buf, dtype=np.int64)
    assert there[7] == 42
    made.release()
    there[8] = 43
    assert here[8] == 43
    with pytest.raises(OSError):
        Shared(made.name)
    other.release()


def test_too_little_memory_is_a_sentence_not_a_signal(
    anonymous: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shared.os, "ftruncate" if anonymous else "posix_fallocate", full)
    with pytest.raises(ConfigError, match="no shared memory of 3 MiB .No space left"):
        Shared(size=3 << 20)


def test_nothing_is_left_when_its_owner_is_killed() -> None:
    before = set(os.listdir("/dev/shm")) if os.path.isdir("/dev/shm") else set()
    code = (
        "import os, signal; from realtime.host.shared_memory import Board; b = Board();"
        f"os.kill(os.getpid(), {int(signal.SIGKILL)})"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    if shared._has_anonymous_files():
        assert {n for n in os.listdir("/dev/shm") if n.startswith("psm_")} <= before

"""Look at a plug-in file from a safe distance: in a child process with a time limit."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from .records import CRASHED, FAILED, OK, TIMED_OUT, PluginInfo, Record

TIMEOUT_SECONDS = 20.0
_ROOT = Path(__file__).resolve().parents[2]  # of the packages: the child runs this very code


def probe_apart(path: Path, timeout: float = TIMEOUT_SECONDS) -> Record:
    """Load a plug-in file in a fresh child process and return what became of it.

    Parameters
    ----------
    path : Path
    timeout : float [s]
        For the whole file; the child is ended afterwards, with everything it started.
    """
    path = path.resolve()
    with tempfile.TemporaryFile() as said:  # a file, since a pipe may be held open by a grandchild
        child = subprocess.Popen(
            [sys.executable, "-m", "realtime.stages.probe", str(path), str(timeout)],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.DEVNULL,
            cwd=_ROOT,
            start_new_session=True,
        )
        code: int | None = None
        try:
            code = child.wait(timeout)
        except subprocess.TimeoutExpired:
            pass
        finally:
            _end(child)
        said.seek(0)
        return _judge(path, said.read().decode("utf-8", "replace"), code, timeout)


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the child and what it started, where it has not ended by itself."""
    if child.poll() is None:
        if hasattr(os, "killpg"):
            os.killpg(child.pid, signal.SIGKILL)  # its own group; it is not reaped before wait
        else:
            child.kill()
        child.wait()


def _judge(path: Path, text: str, code: int | None, timeout: float) -> Record:
    """Read the child's lines; `code` is None when it had to be ended."""
    at, plugins = "starting", []
    for line in text.splitlines():
        try:
            said: dict[str, Any] = json.loads(line)
        except json.JSONDecodeError:
            continue
        at = said.get("at", at)
        if "plugin" in said:
            plugins.append(PluginInfo.from_dict(said["plugin"]))
        if "failed" in said:
            return Record(str(path), FAILED, said["failed"], tuple(plugins))
        if said.get("done"):
            if not plugins:
                return Record(str(path), FAILED, "the file holds no plug-in")
            return Record(str(path), OK, "", tuple(plugins))
    if code is None:
        reason = f"still {at} after {timeout:g} s"
        return Record(str(path), TIMED_OUT, reason, tuple(plugins))
    end = f"exit code {code}"
    if code < 0:
        end = signal.Signals(-code).name
    return Record(str(path), CRASHED, f"{end} while {at}", tuple(plugins))

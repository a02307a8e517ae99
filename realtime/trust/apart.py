"""The helper process, as whoever asks it sees it: one for each process, started when needed.

Asking waits in a way that Ctrl-C ends.  A helper that does not answer in time is ended with all it
started, and the next question starts another.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

HELPER = "realtime.proof.helper"
START_SECONDS = 300.0  # a first start compiles
ANSWER_SECONDS = 240.0  # the helper itself ends what takes long; this is for a helper that hangs
_ROOT = Path(__file__).resolve().parents[2]  # of the packages: the helper runs this very code


class Apart:
    """Asks the helper, one question at a time.

    Attributes
    ----------
    inside : bool
        Whether this process is the helper.
    spent : dict
        ``cpu`` [s] and ``memory`` [bytes above the helper's own] that the last file took there.
    """

    def __init__(self) -> None:
        self.inside = False
        self.spent: dict[str, float] = {}
        self._lock = threading.Lock()
        self._owner = 0
        self._child: subprocess.Popen[bytes] | None = None

    def look(
        self,
        kind: str,
        path: Path,
        seconds: int,
        folder: Path | None = None,
        wait: float | None = None,
    ) -> dict[str, Any]:
        """What the helper says of a file; ``failed`` with a reason where it says nothing.

        Parameters
        ----------
        seconds : int
            Of a processor, what a small file may take.
        folder : Path or None
            Where it may write what it makes of the file.
        wait : float or None
            Seconds after which a helper that says nothing is ended, if not the usual ones.
        """
        question = {"kind": kind, "path": str(path), "seconds": seconds}
        if folder is not None:
            question["folder"] = str(folder)
        with self._lock:
            try:
                child = self._running()
                assert child.stdin is not None
                child.stdin.write(json.dumps(question).encode() + b"\n")
                child.stdin.flush()
                said = self._line(child, ANSWER_SECONDS if wait is None else wait)
            except OSError as error:
                self._end()
                return {"failed": f"no helper process can be had: {error.strerror or error}"}
            except BaseException:  # Ctrl-C
                self._end()
                raise
            if said is None:
                self._end()
                return {"failed": "the helper process ended or hung while it looked"}
            self.spent = {k: said.pop(k) for k in ("cpu", "memory") if k in said}
            return said

    def _running(self) -> subprocess.Popen[bytes]:
        """The helper, started where there is none.

        Raises
        ------
        OSError
        """
        child = self._child
        if child is not None and self._owner == os.getpid() and child.poll() is None:
            return child
        if not self._owner:
            atexit.register(self._end)
        self._owner = os.getpid()
        self._child = child = subprocess.Popen(
            [sys.executable, "-m", HELPER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=_ROOT,
            start_new_session=True,
            bufsize=0,
        )
        if self._line(child, START_SECONDS) is None:
            self._end()
            raise OSError("it does not start")
        return child

    @staticmethod
    def _line(child: subprocess.Popen[bytes], seconds: float) -> dict[str, Any] | None:
        """The next line; None where none comes."""
        assert child.stdout is not None
        end, text = time.monotonic() + seconds, b""
        while not text.endswith(b"\n"):
            left = end - time.monotonic()
            if left <= 0:
                return None
            if sys.platform != "win32":
                if not select.select([child.stdout], [], [], min(left, 1.0))[0]:
                    continue
            part = os.read(child.stdout.fileno(), 1 << 16)
            if not part:
                return None
            text += part
        try:
            found = json.loads(text)
        except ValueError:
            return None
        return found if isinstance(found, dict) else None

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None or self._owner != os.getpid():
            return
        with suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(child.pid, signal.SIGKILL)  # its own group: what it started, too
            else:
                child.kill()
        for pipe in (child.stdin, child.stdout):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()
        with suppress(subprocess.TimeoutExpired):
            child.wait(10.0)

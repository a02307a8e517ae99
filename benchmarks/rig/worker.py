"""Processes that wait for a round to be asked of them, and do nothing in between."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any, Self

from benchmarks.rig.child import MARK, ChildError, surroundings

LIMIT_SECONDS = 60.0  # for an answer


class Worker:
    """One process: ``python -m MODULE JOB``, then one answer for each :meth:`ask`.

    Parameters
    ----------
    module : str
        Calls :func:`serve`.
    job : mapping
        What it is to prepare.

    Raises
    ------
    ChildError
        It cannot be prepared; the message is its last words.
    """

    def __init__(self, module: str, job: Mapping[str, Any]) -> None:
        self._module = module
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, json.dumps(job)],
            env=surroundings({"OMP_NUM_THREADS": "1"}),
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._words: list[str] = []
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self._process.stderr is not None
        self._words += [line.strip() for line in self._process.stderr if line.strip()]

    def _read(self) -> Any:
        assert self._process.stdout is not None
        watch = threading.Timer(LIMIT_SECONDS, self._process.kill)
        watch.start()
        try:
            for line in self._process.stdout:
                if line.startswith(MARK):
                    return json.loads(line[len(MARK) :])
        finally:
            watch.cancel()
        self._listener.join(2.0)
        words = self._words[-1] if self._words else "it ended or took too long"
        raise ChildError(f"{self._module}: {words}")

    def wait_ready(self) -> Any:
        """What it says once it is prepared."""
        return self._read()

    def ask(self, job: Mapping[str, Any]) -> Any:
        """One round."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(job) + "\n")
            self._process.stdin.flush()
        except OSError:
            pass  # it is gone; reading says why
        return self._read()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(3.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._listener.join(2.0)
        assert self._process.stderr is not None
        self._process.stderr.close()


def serve(prepare: Callable[[dict[str, Any]], Callable[[dict[str, Any]], Any]]) -> None:
    """The process's side: prepare the job of the command line, then answer until input ends."""
    answer = prepare(json.loads(sys.argv[1]))
    print(MARK + "null", flush=True)
    for line in sys.stdin:
        print(MARK + json.dumps(answer(json.loads(line))), flush=True)

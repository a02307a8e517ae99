"""Run one measurement in a process of its own, so that loads and servers do not leak."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LIMIT_SECONDS = 120.0


class ChildError(Exception):
    """A measurement's process failed; the message is its last words."""


def surroundings(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Environment for a child that can import the benchmarks: that of its parent and `extra`."""
    env = {**os.environ, **(extra or {})}
    env["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), env.get("PYTHONPATH"))))
    return env


def run_child(
    module: str,
    job: Mapping[str, Any],
    environment: Mapping[str, str] | None = None,
    limit_s: float = LIMIT_SECONDS,
) -> Any:
    """Run ``python -m MODULE JOB`` and return what it printed with :func:`answer`.

    Raises
    ------
    ChildError
        It failed or took too long.
    """
    env = surroundings(environment)
    command = [sys.executable, "-m", module, json.dumps(job)]
    try:
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=limit_s)
    except subprocess.TimeoutExpired:
        raise ChildError(f"{module} did not end within {limit_s:.0f} s") from None
    for line in reversed(done.stdout.splitlines()):
        if line.startswith(MARK):
            return json.loads(line[len(MARK) :])
    words = (done.stderr or done.stdout).strip().splitlines() or ["no output"]
    raise ChildError(f"{module} failed: {words[-1]}")


MARK = "result: "


def answer(measure: Callable[[dict[str, Any]], Any]) -> None:
    """The child's side: run `measure` on the job and print its result for the parent."""
    result = measure(json.loads(sys.argv[1]))
    print(MARK + json.dumps(result), flush=True)

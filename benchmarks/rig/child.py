"""Run one measurement in a process of its own, so that loads and servers do not leak."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
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


def call_apart(
    function: str,
    *arguments: Any,
    environment: Mapping[str, str] | None = None,
    under: Sequence[str] = (),
) -> Any:
    """Call ``module:function`` in a process of its own, however long it takes; what it returned.

    Its words go to standard error as they come.

    Parameters
    ----------
    arguments
        What JSON can hold, as is what it returns.
    environment : mapping
        See :func:`surroundings`: that of a JACK server, say.
    under : sequence of str
        The command that starts it, such as ``setpriv`` with its options.

    Raises
    ------
    ChildError
        It failed.
    """
    module, _, name = function.partition(":")
    code = (
        f"import json, sys; from {module} import {name} as f; r = f(*json.loads(sys.argv[1]));"
        f" print({MARK!r} + json.dumps(r), flush=True)"
    )
    done = subprocess.run(
        [*under, sys.executable, "-c", code, json.dumps(arguments)],
        env=surroundings(environment),
        stdout=subprocess.PIPE,
        text=True,
    )
    lines = done.stdout.splitlines()
    if done.returncode != 0 or not lines or not lines[-1].startswith(MARK):
        raise ChildError(f"{function} ended with {done.returncode}")
    return json.loads(lines[-1][len(MARK) :])


MARK = "result: "


def answer(measure: Callable[[dict[str, Any]], Any]) -> None:
    """The child's side: run `measure` on the job and print its result for the parent."""
    result = measure(json.loads(sys.argv[1]))
    print(MARK + json.dumps(result), flush=True)

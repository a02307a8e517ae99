"""Members of the kinds of files that once ended restyle, took its time or ran code.

Each kind is a function from an empty folder to its members: files, the commands that meet them, and
what is to come of each.  :func:`tried` runs a member's commands as a user would, each in a process
of its own with limits, and says what was wrong.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile

from .processes import processor_s

LIMIT_S, CPU_S, MEMORY = 300.0, 20.0, 8 << 30  # of a command: the clock, a processor; bytes
LONGEST = 2000  # letters of a sentence
PLAYS, SENTENCE, EITHER = "plays", "sentence", "either"
RATE = 48_000
Check = Callable[[str], str]


@dataclass(frozen=True)
class Try:
    """One command.

    Attributes
    ----------
    words : tuple of str
        After ``restyle``.
    wanted : str
        :data:`PLAYS` (it ends with 0), :data:`SENTENCE` (it ends with 2 and one sentence, and
        leaves no file) or :data:`EITHER`.
    says : tuple of str
        What is in its words, case aside.
    check : callable
        Told its words when it ended as it should; what is wrong, or nothing.
    """

    words: tuple[str, ...]
    wanted: str = SENTENCE
    says: tuple[str, ...] = ()
    check: Check = lambda text: ""


@dataclass(frozen=True)
class Member:
    """One file, or a few that belong together, and what is done with them."""

    name: str
    tries: tuple[Try, ...]
    environment: dict[str, str] = field(default_factory=dict)
    newer: bool = False  # of a format that came later: an older checkout rightly reads none of it


Kind = Callable[[Path], Iterator[Member]]


def sound(path: Path, seconds: float = 0.2, channels: int = 1) -> Path:
    """Noise at a low level, the same every time."""
    x = np.random.default_rng(3).uniform(-0.1, 0.1, (round(seconds * RATE), channels))
    soundfile.write(path, x.astype(np.float32), RATE, "FLOAT")
    return path


def surroundings(tree: Path, home: Path) -> dict[str, str]:
    """The environment of a command: code of `tree`, settings and data of nobody."""
    return {
        **{k: v for k, v in os.environ.items() if not k.startswith(("RESTYLE_", "NUMBA_"))},
        "PYTHONPATH": str(tree),
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "COLUMNS": "200",
    }


def tried(member: Member, folder: Path, tree: Path, home: Path) -> str:
    """Run a member's commands with the restyle of `tree`; what was wrong first, or nothing.

    Parameters
    ----------
    folder : Path
        Where the member's files are: nothing may be left beside them.
    home : Path
        A home of their own, with the settings and data of nobody.
    """
    environment = {**surroundings(tree, home), **member.environment}
    for attempt in member.tries:
        before = set(folder.rglob("*"))
        code, said = _run(attempt.words, tree, environment)
        problem = _problem(attempt, code, said)
        left = set(folder.rglob("*")) - before
        if not problem and attempt.wanted == SENTENCE and left:
            problem = f"left {sorted(p.name for p in left)}"
        problem = problem or attempt.check(said)
        if problem:
            return f"restyle {attempt.words[0]}: {problem}"
    return ""


def _problem(attempt: Try, code: int | str, said: str) -> str:
    if isinstance(code, str):
        return code
    if "Traceback (most recent call last)" in said:
        return "a traceback: " + said.strip().splitlines()[-1][:200]
    if code < 0:
        return f"ended by {signal.Signals(-code).name}"
    if "No such option" in said or "No such command" in said:
        return "knows no such option or command"
    codes = {PLAYS: (0,), SENTENCE: (2,), EITHER: (0, 2)}[attempt.wanted]
    if code not in codes:
        return f"ended with {code}: {said.strip()[-200:]}"
    if code == 2:
        sentences = [s for s in said.splitlines() if s.strip()]
        if not sentences:
            return "says nothing"
        if len(said) > LONGEST:
            return f"says {len(said)} letters"
    flat = " ".join(said.split()).lower()
    for words in attempt.says:
        if words.lower() not in flat:
            return f"does not say '{words}': {flat[-200:]}"
    return ""


def _run(words: tuple[str, ...], tree: Path, environment: dict[str, str]) -> tuple[int | str, str]:
    """End and words of one command; the end is a text where it took too much."""
    import resource

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))

    with subprocess.Popen(
        [sys.executable, "-m", "realtime.cli", *words],
        cwd=tree,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="surrogateescape",
        start_new_session=True,
        preexec_fn=limited,
    ) as child:
        begin, hung = time.monotonic(), ""
        while True:
            try:
                said, _ = child.communicate(timeout=0.5)
                return hung or child.returncode, said
            except subprocess.TimeoutExpired:
                if hung:
                    continue
                spent, took = processor_s(child.pid), time.monotonic() - begin
                if spent > CPU_S or took > LIMIT_S:
                    hung = f"hangs: {spent:.0f} s of a processor in {took:.0f} s"
                    os.killpg(child.pid, signal.SIGKILL)

"""``python -m realtime.proof.helper``: open files from elsewhere, each in a process of its own.

One JSON object a line comes in, ``{"kind": …, "path": …, "seconds": …}``, of a TorchScript file
``folder``, too, for what is made of it, and one goes out.  For
each file this process forks another, which gives itself limits, reads the file, parses it, proves
it and runs it for a moment, and says what it found.  This process itself reads nothing, so that one
file cannot speak for the next.  Where there is no fork it looks itself.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import select
import signal
import sys
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from ..audio_files import probe_audio
from ..errors import ModelError, RestyleError
from ..native.spared import without_scipy
from ..trust.admission import CAPTURE, DRAFT, LARGEST, SCRIPT, SOUND, inside
from . import looks

BYTES_PER_SECOND = 10e6  # what is added for long files
WALL_FACTOR = 6  # a busy machine takes longer
MEMORY = 1 << 30  # bytes above what the helper itself has, for a small file
FOR_EACH_BYTE = 4  # bytes of memory beside that for each of the file
WRITTEN = 64 << 20  # bytes of a file: kernels may be compiled
SCRIPT_MEMORY = 8 << 30  # bytes of address space beside that: torch itself
NO_MEMORY = ("Failed to allocate memory", "bad allocation", "bad_alloc")  # ONNX Runtime's words
LOOK_SECONDS = 0.02  # between two looks at a child


def _look(kind: str, path: Path, data: bytes, folder: Path | None) -> None:
    if kind == SOUND:
        probe_audio(path)
    elif kind == SCRIPT:
        _unfold(path, folder)
    elif kind == CAPTURE:
        looks.capture(path)
    else:
        looks.model(path, data, proved=kind != DRAFT)


def _unfold(path: Path, folder: Path | None) -> None:
    try:
        unfold = importlib.import_module("train.foreign.unfold").unfold
    except ModuleNotFoundError as error:
        raise ModelError(
            f"a TorchScript model needs the package '{(error.name or '').partition('.')[0]}' to be"
            " imported; install it with: pip install 'restyle[torch]'"
        ) from None
    unfold(path, folder)


def _examine(kind: str, path: Path, folder: Path | None = None) -> dict[str, Any]:
    """Read and open one file; what became of it."""
    try:
        digest = hashlib.sha256()
        data = b""
        if kind in (SOUND, SCRIPT):
            with path.open("rb") as file:
                while part := file.read(1 << 20):
                    digest.update(part)
        else:
            with path.open("rb") as file:  # a longer read would take its memory beforehand
                data = file.read(min(path.stat().st_size, LARGEST[kind]) + 1)
            digest.update(data)
    except OSError as error:
        return {"failed": f"it cannot be read: {error.strerror}"}
    content = digest.hexdigest()
    greedy = f"{path.name} needs more than {_most(kind, path) >> 20} MiB of memory"
    try:
        _look(kind, path, data, folder)
    except RestyleError as error:
        text = " ".join(str(error).split())
        if not any(words in text for words in NO_MEMORY):
            return _refused(content, text, type(error).__name__)
        return _refused(content, greedy)
    except MemoryError:
        return _refused(content, greedy)
    except Exception as error:
        what = str(error).splitlines()[:1]
        reason = f"{path.name} cannot be opened ({type(error).__name__}: {''.join(what)[:160]})"
        return _refused(content, reason)
    return {"content": content, "good": True}


def _refused(content: str, reason: str, error: str = "") -> dict[str, Any]:
    return {"content": content, "good": False, "error": error, "reason": reason}


def _most(kind: str, path: Path) -> int:
    """Memory that a file may take [bytes]; a large one needs itself, parsed and prepared."""
    most = MEMORY + FOR_EACH_BYTE * path.stat().st_size
    return most + SCRIPT_MEMORY if kind == SCRIPT else most


def _own() -> int:
    """Address space of this process [bytes]; 0 where unknown."""
    with suppress(OSError), open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    return 0


@cache
def _idle() -> int:
    """Memory of a child that does nothing [bytes]."""
    child = os.fork()
    if child == 0:
        os._exit(0)
    return int(os.wait4(child, 0)[2].ru_maxrss) * 1024


def _limit(seconds: int, memory: int, written: int) -> None:
    """Give this process its limits."""
    import resource

    if own := _own():
        resource.setrlimit(resource.RLIMIT_AS, (own + memory, own + memory))
    for name, value in (
        ("RLIMIT_CPU", seconds),
        ("RLIMIT_FSIZE", written),
        ("RLIMIT_CORE", 0),
        ("RLIMIT_NOFILE", 64),
    ):
        with suppress(OSError, ValueError):
            resource.setrlimit(getattr(resource, name), (value, value))


def _apart(kind: str, path: Path, seconds: int, folder: Path | None = None) -> dict[str, Any]:
    """Examine a file in a forked process."""
    seconds += int(path.stat().st_size / BYTES_PER_SECOND)
    begin, memory, idle = os.pipe(), _most(kind, path), _idle()
    written = LARGEST[SCRIPT] if kind == SCRIPT else WRITTEN
    child = os.fork()
    if child == 0:
        try:
            os.close(begin[0])
            _limit(seconds, memory, written)
            os.write(begin[1], json.dumps(_examine(kind, path, folder)).encode())
        finally:
            os._exit(0)  # nothing of a library's end may hang
    os.close(begin[1])
    try:
        status, used = _await(child, begin[0], seconds * WALL_FACTOR)
        said = b""
        while select.select([begin[0]], [], [], 0)[0] and (part := os.read(begin[0], 1 << 16)):
            said += part
    finally:
        os.close(begin[0])
    spent = {"cpu": used.ru_utime + used.ru_stime, "memory": max(0, used.ru_maxrss * 1024 - idle)}
    with suppress(ValueError):
        return json.loads(said) | spent
    content = _hash_of(path)
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    if number in (signal.SIGXCPU, signal.SIGKILL):
        took = f"takes more than {seconds} s of a processor to open and to run for a moment"
        return _refused(content, f"{path.name} {took}: does it loop without end?") | spent
    ended = signal.Signals(number).name if number else "an end without a word"
    return _refused(content, f"{path.name} crashed what opened it ({ended})") | spent


def _await(child: int, pipe: int, seconds: float) -> tuple[int, Any]:
    """Wait for a child, and end it where it takes too long; its status and what it used."""
    end = time.monotonic() + seconds
    while True:
        found, status, used = os.wait4(child, os.WNOHANG)
        if found:
            return status, used
        if time.monotonic() > end:
            os.kill(child, signal.SIGKILL)
            return os.wait4(child, 0)[1:]
        select.select([pipe], [], [], LOOK_SECONDS)
        time.sleep(0.001)


def _hash_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main() -> None:
    """Answer until nobody asks any more."""
    without_scipy()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints is no answer
    inside()
    looks.prepare()

    def say(found: dict[str, Any]) -> None:
        answers.write(json.dumps(found) + "\n")
        answers.flush()

    say({"ready": True})
    for line in sys.stdin.buffer:
        asked = json.loads(line)
        kind, path = asked["kind"], Path(asked["path"])
        folder = Path(asked["folder"]) if "folder" in asked else None
        if kind == CAPTURE:
            looks.prepare_captures()
        try:
            say(
                _apart(kind, path, asked["seconds"], folder)
                if hasattr(os, "fork")
                else _examine(kind, path, folder)
            )
        except OSError as error:
            say({"failed": f"it cannot be looked at: {error.strerror}"})


if __name__ == "__main__":
    main()

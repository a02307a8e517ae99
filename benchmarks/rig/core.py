"""The C++ core beside us: NeuralAmpModelerCore, built here and timed in the same run.

It is built as the plug-in ships it and for this processor: ``-Ofast -march=native``, fast tanh,
float samples, its own path for the second generation; see ``core.cpp``.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt

from realtime.errors import ConfigError
from realtime.native.cache import cache_home

SOURCE = Path(__file__).with_name("core.cpp")
FLAGS = ("-std=c++20", "-Ofast", "-DNDEBUG", "-DNAM_SAMPLE_FLOAT", "-DNAM_ENABLE_A2_FAST")


def built(folder: Path, march: str = "native") -> Path:
    """The timing program of a checkout of the core, built once.

    Parameters
    ----------
    folder : Path
        With ``NAM`` and ``Dependencies`` in it.
    march : str
        The processor to build for.

    Raises
    ------
    ConfigError
        No compiler, not that folder, or it does not compile.
    """
    if not (folder / "NAM" / "dsp.h").is_file():
        raise ConfigError(
            f"{folder} is no checkout of NeuralAmpModelerCore: it has no NAM/dsp.h; run: git clone"
            " --recurse-submodules https://github.com/sdatkinson/NeuralAmpModelerCore"
        )
    compiler = shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        raise ConfigError("the core is built with g++ or clang++; install one")
    sources = [SOURCE, *sorted((folder / "NAM").glob("*.cpp")), *(folder / "NAM").glob("*/*.cpp")]
    key = hashlib.sha256(" ".join([compiler, march, *FLAGS]).encode())
    for source in [*sources, *(folder / "NAM").rglob("*.h")]:
        key.update(source.read_bytes())
    target = cache_home() / f"core-{key.hexdigest()[:16]}"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        includes = [folder, *(folder / "Dependencies" / n for n in ("eigen", "nlohmann"))]
        partial = target.with_suffix(".part")
        command = [compiler, *FLAGS, f"-march={march}", *(f"-I{i}" for i in includes)]
        done = subprocess.run(
            [*command, *map(str, sources), "-o", str(partial)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ConfigError(f"the core does not compile: {done.stderr.strip()[:300]}")
        partial.rename(target)
    return target


class Core:
    """One capture in the core, in a process of its own that waits while others are measured.

    Parameters
    ----------
    program : Path
        Of :func:`built`.
    capture : str
        Text of a ``.nam`` file.
    exact : bool
        Without the plug-in's fast tanh: what the core plays by itself.
    """

    def __init__(self, program: Path, capture: str, exact: bool = False) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="restyle-core-")
        file = Path(self._folder.name) / "capture.nam"
        file.write_text(capture, encoding="utf-8")
        self._process = subprocess.Popen(
            [str(program), str(file), *(["exact"] if exact else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def times(self, block: int, count: int) -> npt.NDArray[np.int64]:
        """Nanoseconds of each of `count` blocks.

        Raises
        ------
        ConfigError
            The core refuses the capture.
        """
        return np.array(self._ask(f"{block} {count}\n"), dtype=np.int64)

    def play(self, x: npt.NDArray[np.floating], block: int = 64) -> npt.NDArray[np.float64]:
        """What it gives for whole blocks of ``x [n]``, from a fresh state.

        Raises
        ------
        ConfigError
            The core refuses the capture.
        """
        count = len(x) // block
        samples = " ".join(f"{value:.9g}" for value in x[: count * block])
        return np.array(self._ask(f"{block} {-count} {samples}\n"), dtype=np.float64)

    def _ask(self, text: str) -> list[str]:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        try:
            stdin.write(text)
            stdin.flush()
            line = stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            assert self._process.stderr is not None
            said = self._process.stderr.read().strip()[:200]
            raise ConfigError(f"the core does not play this capture: {said}")
        return line.split()

    def __enter__(self) -> Core:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()
        self._folder.cleanup()

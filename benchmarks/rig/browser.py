"""The panel's page of a live session on a simulated card, for those who look at it in a browser."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from realtime.errors import ConfigError

ROOT = Path(__file__).parents[2]
END_SECONDS = 30.0  # that a session has to end in
CONNECTED = '#air:not([data-kind="off"])'


def chromium() -> str:
    """The system's Chromium.

    Raises
    ------
    ConfigError
        There is none.
    """
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    raise ConfigError("no Chromium on this machine; install it with: apt install chromium")


def write_clip(path: Path, times: int) -> None:
    """The bundled clip, so many times."""
    clip, rate = soundfile.read(ROOT / "exported" / "demo.flac", dtype="float32")
    soundfile.write(path, np.tile(clip, times), rate)


@contextmanager
def live_page(
    folder: Path, words: Sequence[str], environment: Mapping[str, str] | None = None
) -> Iterator[str]:
    """A session as long as the block lasts, ``restyle live WORDS``; the address of its page."""
    with subprocess.Popen(
        [sys.executable, "-m", "realtime.cli", "live", *words],
        cwd=folder,
        text=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
    ) as live:
        try:
            yield _address(live)
        finally:
            live.send_signal(signal.SIGINT)
            try:
                live.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                live.kill()


def _address(live: subprocess.Popen[Any]) -> str:
    assert live.stderr is not None
    for line in live.stderr:
        found = re.search(r"panel: (\S+)", line)
        if found:
            return found.group(1)
    raise SystemExit("restyle live ended before it served its panel")

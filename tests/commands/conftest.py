"""Runs a command in a folder of its own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from realtime.cli import main

from ..signals import Array, noise

RATE = 48000
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run ``restyle`` with these words; returns exit code, standard output and standard error."""
    for variable in ("RESTYLE_MODELS", "RESTYLE_PRESETS"):
        monkeypatch.setenv(variable, str(tmp_path / variable.lower()))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)

    def go(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["restyle", *words])
        code: object = 0
        try:
            main()
        except SystemExit as end:
            code = end.code
        shown = capsys.readouterr()
        return int(code or 0), shown.out, shown.err  # type: ignore[call-overload]

    return go


@pytest.fixture
def clip(tmp_path: Path) -> Array:
    """Half a second of noise ``[1, n]``, written to ``in.wav``."""
    x = noise(RATE // 2)
    soundfile.write(tmp_path / "in.wav", x.T, RATE, subtype="FLOAT")
    return x


def heard(path: str | Path) -> Array:
    """A file's samples ``[channels, n]``."""
    return np.ascontiguousarray(soundfile.read(path, dtype="float32", always_2d=True)[0].T)

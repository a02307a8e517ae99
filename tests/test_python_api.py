"""The public interface: every name is there, and the examples of docs/python.md run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import realtime

from .signals import sine

ROOT = Path(__file__).parent.parent
RATE = 48000


def examples() -> list[str]:
    text = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)


def test_every_name_is_there_and_named() -> None:
    for name in realtime.__all__:
        assert getattr(realtime, name) is not None
        assert name in dir(realtime)
    with pytest.raises(AttributeError, match="no attribute 'Engine'"):
        realtime.Engine  # noqa: B018


def test_the_examples_of_the_page_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "exported").symlink_to(ROOT / "exported")
    x = np.stack([sine(RATE // 2, 220.0), sine(RATE // 2, 330.0)]).reshape(2, -1)
    soundfile.write("in.wav", x.T, RATE, subtype="FLOAT")
    space: dict[str, Any] = {}
    for example in examples():
        exec(compile(example, "python.md", "exec"), space)
    written, rate = soundfile.read("out.wav", always_2d=True)
    assert rate == RATE and written.shape == (RATE // 2, 2)
    assert np.abs(written).max() > 1e-3
    assert np.abs(space["played"]).max() > 1e-3
    assert "['radio-voice']" in capsys.readouterr().out

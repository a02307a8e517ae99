"""Verdicts take what they are for, and ask each judge once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from train.data.pairs import Pair
from train.judging import verdicts
from train.judging.candidates import Clips

from .tiny import plucked


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def test_voice_verdicts_take_speech_alone_and_ask_each_judge_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def judge(name: str, said: Any) -> Any:
        return lambda *sounds: asked.append(name) or said

    voice = verdicts.voice
    monkeypatch.setattr(voice, "quality", judge("mos", {"mos_speech": 3.5, "mos_overall": 3.0}))
    for name, said in (("voiced_fraction", 0.5), ("pitch_kept", 0.25), ("speaker_similarity", 1)):
        monkeypatch.setattr(voice, name, judge(name, said))
    monkeypatch.setattr(voice, "words", judge("words", ""))
    monkeypatch.setattr(
        voice, "word_errors", lambda texts, heard: float(heard == [""] * len(texts))
    )
    x = plucked(0)
    spoken = Clips(Pair("speech 1", x, x, text="one two"), {"copy": x, "model": -x})
    tune = Clips(Pair("score 1", x, x), {"copy": x + 1, "model": x})
    for _ in range(2):
        found = verdicts.speech([spoken, tune], "model")
        assert tuple(found) == verdicts.SPEECH and tuple(found.values()) == (0.5, 0.25, 3.5, 3, 1)
        assert verdicts.words([spoken, tune], "model") == {"word_errors": 1.0}
    assert sorted(asked) == ["mos", "pitch_kept", "speaker_similarity", "voiced_fraction", "words"]
    assert verdicts.speech([tune], "model") == verdicts.words([tune], "model") == {}

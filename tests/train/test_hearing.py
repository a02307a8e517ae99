"""The ear's judges: matching against mir_eval, figures, patches, and the choice of thresholds."""

from __future__ import annotations

import struct
from pathlib import Path

import mir_eval
import numpy as np
import pytest
import torch

from realtime.errors import ConfigError
from train.data.notes import patches
from train.data.notes.pieces import Piece, matched, single
from train.data.scores.scores import Note, Score, compose
from train.judging.hearing import figures, table
from train.networks.ear import HOP, PITCHES, Ear
from train.recipes import thresholds

RATE = 48000


@pytest.mark.parametrize("seed", range(4))
def test_as_many_notes_are_matched_as_mir_eval_matches(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = [
        (float(t), int(p))
        for t, p in zip(rng.uniform(0, 3, 40), rng.integers(50, 54, 40), strict=True)
    ]
    found = [(t + float(rng.normal(0, 0.04)), p) for t, p in truth if rng.random() < 0.8]
    found += [(float(t), 51) for t in rng.uniform(0, 3, 10)]
    # times that lie on no border, which mir_eval rounds
    truth, found = ([(round(1024 * t) / 1024, p) for t, p in side] for side in (truth, found))
    pairs = matched(found, truth)
    assert all(found[i][1] == truth[j][1] for i, j in pairs)
    assert all(abs(found[i][0] - truth[j][0]) <= 0.05 for i, j in pairs)
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)

    def intervals(onsets):
        return np.array([(t + 1, t + 2) for t, _ in onsets])

    def hertz(onsets):
        return np.array([440 * 2 ** ((p - 69) / 12) for _, p in onsets])

    best = mir_eval.transcription.match_notes(
        intervals(truth), hertz(truth), intervals(found), hertz(found), offset_ratio=None
    )
    assert len(pairs) == len(best)


def test_figures_and_their_table() -> None:
    truth = [(float(t), 57) for t in range(10)]
    found = [(t + 0.02, p) for t, p in truth[:8]] + [(3.5, 60), (0.0, 69)]
    row = figures([(found, truth, 20.0)])
    assert (row["precision"], row["recall"], row["f1"]) == (0.8, 0.8, 0.8)
    assert row["false_per_s"] == 0.1 and row["late_ms"] == {"E3–E4": [20.0, 20.0]}
    lines = table({"scores": {"model": {"single lines": row}}})
    assert "| single lines | 0.80 | 0.80 | 0.80 | 0.10 |  |" in lines
    assert any("20, 20" in line for line in lines)


def test_a_single_line_never_sounds_two_notes_at_once() -> None:
    line = single(compose(5, 10.0, 45, 84))
    assert len(line.notes) > 8
    for a, b in zip(line.notes, line.notes[1:], strict=False):
        assert a.start + a.length < b.start


def _patch(path: Path, pitch: float, x: np.ndarray) -> None:
    head = b"GF1PATCH110\0ID#000002\0".ljust(129, b"\0")
    layer = bytearray(47)
    layer[6] = 1
    root = round(1000 * 440 * 2 ** ((pitch - 69) / 12))
    data = (32767 * x).astype("<i2").tobytes()
    sample = patches.SAMPLE.pack(
        b"x",
        0,
        len(data),
        0,
        0,
        24000,
        0,
        0,
        root,
        0,
        7,
        b"",
        b"",
        b"",
        b"",
        patches.WIDE,
        60,
        1024,
        b"",
    )
    path.write_bytes(head + bytes(63) + bytes(layer) + sample + data)


def test_a_patch_is_read_and_played_at_the_pitch_that_is_asked(tmp_path: Path) -> None:
    x = 0.5 * np.sin(2 * np.pi * 220 * np.arange(24000) / 24000)
    _patch(tmp_path / "a.pat", 57, x)
    (note,) = patches.read(tmp_path / "a.pat")
    assert note.pitch == pytest.approx(57, abs=0.01) and len(note.samples) == 48000
    score = Score((Note(0.5, 1.0, 64, 127),), 60.0)
    y = patches.perform(score, [note])
    assert not y[: RATE // 2].any() and not y[round(1.54 * RATE) :].any()
    part = y[round(0.6 * RATE) : round(1.1 * RATE)]
    crossings = np.count_nonzero((part[:-1] < 0) & (part[1:] >= 0)) / 0.5
    assert crossings == pytest.approx(440 * 2 ** (-5 / 12), rel=0.01)
    for data, told in (
        (b"RIFF", "is no Gravis patch"),
        ((tmp_path / "a.pat").read_bytes()[:260], "ends too early"),
    ):
        (tmp_path / "b.pat").write_bytes(data)
        with pytest.raises(ConfigError, match=told):
            patches.read(tmp_path / "b.pat")
    assert patches.SAMPLE.size == 96 and struct.calcsize("<I") == 4


def test_the_settings_chosen_find_the_notes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    network = Ear()
    onsets = tuple((0.2 + 0.3 * k, 60) for k in range(4))
    piece = Piece("single lines", np.zeros(round(1.5 * RATE), np.float32), onsets)

    def hear(x: torch.Tensor) -> torch.Tensor:
        y = torch.full((1, x.shape[1] // HOP, PITCHES + 1, 4), -5.0)
        y[0, :, 10, 0] = -0.6  # 0.35, a pitch that is not played
        for t, _ in onsets:
            at = round(t * RATE / HOP)
            y[0, at : at + 8, 60 - 28, :2] = 0.2  # 0.55
            y[0, at : at + 8, PITCHES, 0] = 5.0
        return y

    monkeypatch.setattr(network, "hear", hear)
    settings = thresholds.choose(network, [piece])
    assert settings[0] in (0.4, 0.5)
    monkeypatch.setattr(thresholds, "pieces", lambda *a, **k: [piece])
    thresholds.tune(network, tmp_path)
    assert network.decoder.settings.tolist() == pytest.approx(settings)
    monkeypatch.setattr(thresholds, "choose", lambda *a: 1 / 0)
    thresholds.tune(network, tmp_path)  # kept
    assert network.decoder.settings.tolist() == pytest.approx(settings)

"""What a run leaves for people to look at: log, curves, TensorBoard."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from train.fit import checkpoint
from train.fit import run as fit
from train.fit.curves import draw_curves, smooth
from train.fit.log import LossLog, read_log
from train.fit.tensorboard import spectrogram

from .tiny import Tiny


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_run_leaves_log_curves_and_events() -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    said: list[str] = []
    fit.fit(Tiny(), log=said.append, options=fit.Options(check_every=5))
    assert [line.split(" cpu")[0] for line in said] == [f"tiny step {s}" for s in (0, 5, 10)]
    folder = checkpoint.RUNS / "tiny"
    log = read_log(folder / "log.jsonl")
    assert [e["step"] for e in log] == list(range(10))
    assert set(log[0]) == {"step", "loss", "gradient", "rate"}

    with Image.open(folder / "curves.png") as picture:
        pixels = np.asarray(picture.convert("RGB"))
    assert pixels.shape == (600, 800, 3)
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 20, "not an empty page"

    events = EventAccumulator(str(folder))
    events.Reload()
    tags = events.Tags()
    for name in ("input", "output", "target"):
        assert name in tags["audio"] and name in tags["images"]
    got = [e.value for e in events.Scalars("train/loss")]
    np.testing.assert_allclose(got, [e["loss"] for e in log], rtol=1e-6)
    history = checkpoint.read(folder / "last.pt")["history"]
    checked = [(e.step, e.value) for e in events.Scalars("validation/loss")]
    np.testing.assert_allclose(checked, history, rtol=1e-6)
    assert events.Audio("target")[0].content_type == "audio/wav"


def test_copying_the_input_is_the_line_to_beat() -> None:
    """On a style that changes nothing, the line lies at zero."""
    recipe = Tiny()
    data = recipe.data()
    same = type(data)(
        *(tuple(type(p)(p.name, p.dry, p.dry) for p in split) for split in vars(data).values())
    )
    fit.fit(recipe, same, log=lambda text: None, options=fit.Options(board=False))
    assert checkpoint.read(checkpoint.RUNS / "tiny" / "last.pt")["copy_loss"] == 0.0


def test_a_log_forgets_what_came_after_the_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    lines = [json.dumps({"step": s, "loss": 0.1 * s}) for s in range(6)]
    path.write_text("\n".join(lines) + '\n{"step": 6, "lo')
    log = LossLog(tmp_path, 4)
    log(4, {"loss": 9.0})
    log.close()
    assert [e["step"] for e in read_log(path)] == [0, 1, 2, 3, 4]
    assert read_log(path)[3]["loss"] == 0.1 * 3, "decimals are exact"
    assert read_log(path)[4]["loss"] == 9.0


def test_smoothing_by_hand() -> None:
    np.testing.assert_allclose(smooth(np.array([1.0, 3.0, 5.0, 7.0]), 2), [1, 2, 4, 6])


def test_no_room_for_the_picture_does_not_end_a_training(tmp_path: Path) -> None:
    assert draw_curves(tmp_path, []) is None
    assert draw_curves(tmp_path / "missing", [(0, 1.0)]) is None


def test_a_spectrogram_shows_a_tone_where_it_is() -> None:
    t = torch.arange(48000) / 48000
    picture = spectrogram(torch.sin(2 * torch.pi * 6000 * t)).mean(axis=(0, 2))
    assert abs(int(np.argmax(picture)) - (512 - 128)) <= 1, "bin 128 of 512, counted from below"

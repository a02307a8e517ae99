"""The same bits whatever the block size, in both lanes, offline and live: every model and chain.

And what plays is what was played before paths of stages, by a null of -120 dB: processors differ in
the last bits, so no bits are kept.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from realtime.audio_files import Clip
from realtime.session.render import render
from realtime.session.sound import Sound, Stage

from ..references.cases import CAPTURES, CASES, RATE, Case
from ..signals import Array, random_sizes
from ..sounds import effect, group, heard, model, on_disk, path_of, same_bits, sound

BEFORE = Path(__file__).parents[1] / "references" / "before.npz"
BLOCKS: list[int | list[int]] = [1, 33, 64, 441, 1024, random_sizes(21)]


def playing(source: str, **controls: float) -> Stage:
    """A stage that plays a bundled model, or one of the captures."""
    if source.endswith(".nam"):
        source = on_disk(json.dumps(CAPTURES[source[:-4]]).encode(), ".nam")
    return model(source, **controls)


def made(case: Case) -> Sound:
    """A case as a list of stages."""
    models = [playing(case.model, **case.controls)] if case.model is not None else []
    before, after = ([effect(n, **v) for n, v in part] for part in (case.before, case.after))
    return sound(*before, *models, *after)


# What is not played as before, and why [dB]
OTHERWISE = {
    "wavenet.nam": -115.0,  # a faster tanh, right to float32's rounding (tests/nam/test_core.py)
    "lstm.nam": -40.0,  # begins settled, as its reference player does (tests/nam/test_core.py)
    "filters": -80.0,  # 64-bit coefficients (tests/stages/native), pedalboard's have 32
    "amp with effects": -110.0,  # native effects
}
SOUNDS = {name: made(case) for name, case in CASES.items()}
SOUNDS |= {
    "clean": sound(model("clean")),
    "endless-keys": sound(model("endless-keys")),
    "two captures": sound(playing("wavenet.nam"), playing("lstm.nam")),
    "amp, effect, model": sound(model("tube-amp"), effect("Reverb"), model("tape")),
    "group": sound(group([model("tube-amp")], [model("clean"), effect("Reverb")], [])),
}


@cache
def material() -> Array:
    """What is played ``[2, n]``, and what came of it before, by case."""
    with np.load(BEFORE) as kept:
        x = kept["x"]
    return np.concatenate([x, 0.7 * x[:, ::-1]]).astype(np.float32)


@cache
def offline(name: str) -> Array:
    clip = render(SOUNDS[name], Clip(material(), RATE))
    return clip.samples


@pytest.mark.parametrize("name", CASES)
def test_what_plays_is_what_was_played_before(name: str) -> None:
    with np.load(BEFORE) as kept:
        x, before = kept["x"], kept[name].astype(np.float64)
    now = render(SOUNDS[name], Clip(x, RATE)).samples
    rest = np.sqrt(np.mean((now - before) ** 2)) / np.sqrt(np.mean(before**2))
    assert 20 * np.log10(rest + 1e-12) <= OTHERWISE.get(name, -120.0)


@pytest.mark.parametrize("lane", ["inline", "worker"])
@pytest.mark.parametrize("name", SOUNDS)
def test_every_block_size_and_lane_plays_the_offline_bits(name: str, lane: str) -> None:
    what, x = SOUNDS[name], material()
    if lane == "inline" and not path_of(what).native:
        pytest.skip("effects of pedalboard run in the worker lane only")
    for block in BLOCKS:
        assert same_bits(heard(what, x, block, lane), offline(name)), block

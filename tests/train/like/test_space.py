from pathlib import Path

import numpy as np
import pytest

from realtime.audio_files import Clip
from realtime.presets.chains import read_chain
from realtime.session.render import render
from realtime.session.sound import Sound
from realtime.session.sound import Stage as PlayedStage
from realtime.stages.ranges import RANGES
from train.like.equaliser import CENTRES, equaliser, spectrum, toned
from train.like.space import (
    SIZE,
    SLOTS,
    Chain,
    Stage,
    decode,
    levelled,
    nothing,
    play,
    text,
    to_file,
)
from train.like.statistics import Likeness

from ..personal.sounds import tune


def test_every_knob_lies_inside_what_the_player_accepts() -> None:
    for slot in SLOTS:
        known = {p.name: p for p in RANGES[slot.effect]}
        for knob in slot.knobs:
            for value in (knob.low, knob.high):
                assert known[knob.name].minimum <= value <= known[knob.name].maximum, slot.effect


def test_nothing_is_nothing_and_everything_is_all_slots() -> None:
    assert decode(nothing()) == ()
    x = tune(1, 1.0)
    assert play((), x) is x
    assert [s.effect for s in decode(np.ones(SIZE))] == [s.effect for s in SLOTS]


def test_the_chain_plays_as_loud_as_it_is_played() -> None:
    x = tune(1, 4.0)
    rng = np.random.default_rng(3)
    for _ in range(5):
        y = play(levelled(decode(rng.uniform(0, 1, SIZE)), x), x)
        peak, power = np.abs(y).max(), np.mean(y**2) / np.mean(x**2)
        assert peak <= 1.0
        assert 10 * np.log10(power) == pytest.approx(0, abs=0.3) or peak > 0.9


def test_a_drive_of_45_db_is_taken_back_in_full() -> None:
    x = 0.02 * tune(1, 4.0)
    y = play(levelled((Stage("Distortion", "model", {"drive_db": 45.0}),), x), x)
    assert 10 * np.log10(np.mean(y**2) / np.mean(x**2)) == pytest.approx(0, abs=0.3)


def test_the_files_are_chains_that_the_player_loads(tmp_path: Path) -> None:
    chain = decode(np.full(SIZE, 0.8))
    whole, around = tmp_path / "whole.toml", tmp_path / "around.toml"
    whole.write_text(to_file(chain))
    around.write_text(to_file(chain, "mine.onnx"))
    assert [s.name for s in read_chain(whole)] == [s.effect for s in chain]
    stages = read_chain(around)
    assert [s.name for s in stages] == ["Compressor", "mine", "Chorus", "Delay", "Reverb"]
    assert stages[1].model == str(tmp_path / "mine.onnx")
    replaced = read_chain(around, PlayedStage(model="other"))
    assert [s.name for s in replaced][:2] == ["Compressor", "other"]
    assert text(chain).count("\n") == len(chain) - 1


def test_the_player_plays_the_chain_as_the_search_heard_it(tmp_path: Path) -> None:
    x = tune(1, 1.0)
    chain = levelled(decode(np.full(SIZE, 0.8)), x)  # louder, a limiter would play
    path = tmp_path / "whole.toml"
    path.write_text(to_file(chain))
    y = render(Sound(read_chain(path)), Clip(x[None], 48000)).samples[0]
    assert np.allclose(y, play(chain, x), atol=1e-4)


def test_the_equaliser_brings_the_octaves_nearer() -> None:
    x, wanted = tune(1, 8.0), np.random.default_rng(0).standard_normal(96000).astype(np.float32)
    y = play(equaliser([x], [wanted]), x)
    before, after = (np.abs(spectrum([s]) - spectrum([wanted])).mean() for s in (x, y))
    assert after < 0.6 * before and len(CENTRES) == 8


def test_the_filters_stand_between_drive_and_room_and_bring_the_octaves_nearer() -> None:
    chain = (
        Stage("Distortion", "model", {"drive_db": 12.0}),
        Stage("Delay", "after", {"delay_seconds": 0.2, "feedback": 0.2, "mix": 0.2}),
    )
    x = [tune(1, 10.0)]
    tilted = (chain[0], Stage("HighShelfFilter", "model", {"cutoff_frequency_hz": 900.0,
              "gain_db": -14.0}), chain[1])  # fmt: skip
    wanted = [play(tilted, tune(3, 10.0))]
    made = toned(chain, x, Likeness(wanted, x))
    assert made[0] == chain[0] and made[-1] == chain[1] and len(made) > 3
    assert {s.effect for s in made[1:-1]} == {"PeakFilter"}
    assert {s.place for s in made[1:-1]} == {"model"}

    def apart(chain: Chain) -> float:
        return float(np.abs(spectrum(wanted) - spectrum([play(chain, y) for y in x])).mean())

    assert apart(made) < 0.6 * apart(chain)
    same = [play(chain, y) for y in x]
    assert toned(chain, x, Likeness(same, x)) == chain  # nothing is missing: no filters

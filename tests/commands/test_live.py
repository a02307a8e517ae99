"""``restyle live`` on the simulated device: what is played is what was asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from realtime.models.card import CARD_KEY
from realtime.models.catalog import find_model
from realtime.models.metadata import read_metadata, write_metadata
from realtime.presets.files import read_preset, read_session

from ..signals import Array
from .conftest import Run, heard

FAST = ("--simulate", "in.wav", "--simulate-out", "out.wav", "--fast", "--force")
CHAIN = '[[post]]\neffect = "Delay"\ndelay_seconds = 0.01\nmix = 0.5\n'


def live(run: Run, *words: str) -> Array:
    code, _, error = run("live", *FAST, *words)
    assert code == 0, error
    return heard("out.wav")


def rendered(run: Run, *words: str) -> Array:
    code, _, error = run("render", "in.wav", "rendered.wav", "--force", *words)
    assert code == 0, error
    return heard("rendered.wav")


def assert_same(played: Array, whole: Array) -> None:
    """What was played is `whole`, late by the latency, to the bit."""
    late = played.shape[1] - whole.shape[1]
    assert late >= 0
    assert np.array_equal(played[:, late:], whole)


def test_the_weights_of_a_blend_are_shares(run: Run, clip: Array) -> None:
    of_one = rendered(run, "--model", "amp-blend", "--set", "fuzz=0.7")
    whole = rendered(run, "--model", "amp-blend", "--set", "fuzz=1", "--set", "warm=0")
    assert np.array_equal(of_one, whole)
    assert_same(live(run, "--model", "amp-blend", "--set", "fuzz=0.7"), whole)
    half = rendered(run, "--model", "amp-blend", "--set", "fuzz=2", "--set", "warm=2")
    same = rendered(run, "--model", "amp-blend", "--set", "fuzz=0.5", "--set", "warm=0.5")
    assert np.array_equal(half, same)
    assert np.abs(half - whole).max() > 0.01


def test_a_preset_plays_and_what_is_asked_beside_it_goes_before(run: Run, clip: Array) -> None:
    asked = ("--model", "amp-blend", "--mix", "0.5", "--gain", "-3", "--set", "crunch=1")
    assert run("preset", "save", "lead", *asked)[0] == 0
    assert_same(live(run, "--preset", "lead"), rendered(run, *asked))
    other = ("--model", "amp-blend", "--mix", "0.8", "--gain", "-3", "--set", "radio=1")
    wanted = rendered(run, *other)
    assert_same(live(run, "--preset", "lead", "--mix", "0.8", "--set", "radio=1"), wanted)


def test_a_kept_session_restores_everything(run: Run, clip: Array) -> None:
    Path("chain.toml").write_text(CHAIN)
    asked = ("--model", "tube-amp", "--chain", "chain.toml", "--mix", "0.7", "--output-gain", "-6")
    first = live(run, *asked, "--save-session", "mine.toml")
    assert first.any()
    assert np.array_equal(live(run, "--session", "mine.toml"), first)
    Path("chain.toml").unlink()  # the session holds the chain itself
    assert np.array_equal(live(run, "--session", "mine.toml"), first)


def test_what_is_recorded_is_what_came_in_and_went_out(run: Run, clip: Array) -> None:
    played = live(run, "--model", "tube-amp", "--record", "wet.wav", "--record-dry", "dry.flac")
    wet, dry = heard("wet.wav"), heard("dry.flac")
    assert np.array_equal(wet[:, : played.shape[1]], played)
    assert np.abs(dry[:, : clip.shape[1]] - clip).max() <= 2.0**-23  # FLAC of 24 bits


def test_a_capture_is_replayed_to_the_bit(run: Run, clip: Array) -> None:
    live(run, "--model", "tube-amp", "--capture", "kept")
    code, out, _ = run("replay", "kept")
    assert code == 0
    assert "the same bits" in out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--model", "tube-am"], "did you mean 'tube-amp'"),
        (["--model", "latent-keys"], "play string-player or choir-player instead"),
        (["--model", "choir"], "play choir-player or the preset choir instead"),
        (["--model", "tube-amp", "--set", "fuzz"], "--set takes NAME=VALUE"),
        (["--model", "tube-amp", "--set", "fuzz=1"], "unknown parameter 'fuzz'"),
        (["--model", "amp-blend", "--set", "fuzz=-1"], "must be 0 or more"),
        (["--mix", "2"], "mix must be a number within 0..1"),
        (["--gain", "99"], "must be a number within -100..24 dB"),
        (["--lane", "inlin"], "did you mean 'inline'"),
        (["--block", "0"], "--block takes a number of samples"),
        (["--channels", "0"], "channels must be a whole number within"),
        (["--clocks", "three"], "--clocks must be one of"),
        (["--in-map", "a"], "--in-map takes channel numbers from 1"),
        (["--out-map", "²"], "--out-map takes channel numbers from 1"),
        (["--channels", "2", "--in-map", "5"], "--in-map names 1 channels and --channels is 2"),
        (["--seconds", "0"], "--seconds must be positive"),
        (["--fixed-latency", "-1"], "fixed_latency must be a whole number within"),
        (["--osc", "99999"], "--osc takes a port"),
        (["--preset", "gone"], "there is no preset 'gone'"),
        (["--session", "gone.toml"], "gone.toml"),
        (["--preset", "a", "--session", "b"], "either --session or --preset"),
        (["--chain", "gone.toml"], "gone.toml"),
        (["--record", "no/where.wav"], "no/where.wav"),
        (["--record", "out.xyz"], "out.xyz"),
        (["--capture", "kept", "--record", "wet.wav"], "a capture holds"),
        (["--stats", "no/where.json"], "the folder no does not exist"),
    ],
)
def test_a_mistake_is_one_sentence(run: Run, clip: Array, words: list[str], sentence: str) -> None:
    before = set(Path().iterdir())
    code, _, error = run("live", *FAST, *words)
    assert code == 2
    assert sentence in error
    assert "Traceback" not in error
    assert set(Path().iterdir()) - before == set()


def test_a_style_may_be_a_preset_of_that_name(run: Run, clip: Array) -> None:
    kept, folder = Path("kept.toml"), Path("restyle_models")
    folder.mkdir()
    file = find_model("tape").read_bytes()
    card = read_metadata(file)[CARD_KEY].replace('"tape"', '"giant"')
    (folder / "giant.onnx").write_bytes(write_metadata(file, {CARD_KEY: card}))
    for style, stages in (("robot", True), ("choir", True), ("giant", False)):
        assert run("live", *FAST, style, "--save-session", str(kept), "--force")[0] == 0
        (first, *_) = read_session(kept).preset.sound.stages
        assert (first.model is None) == stages, "a model of the name comes first"


def test_a_preset_with_a_mistake_is_not_played(run: Run, clip: Array) -> None:
    folder = Path("restyle_presets")
    assert run("preset", "save", "good", "--model", "tube-amp")[0] == 0
    assert [s.model for s in read_preset(folder / "good.toml").sound.stages] == ["tube-amp"]
    text = (folder / "good.toml").read_text()
    (folder / "bad.toml").write_text(text.replace("tube-amp", "tube-am"))
    (folder / "worse.toml").write_text("mx = 1\n" + text)
    for name, sentence in (("bad", "did you mean 'tube-amp'"), ("worse", "did you mean 'mix'")):
        code, _, error = run("live", *FAST, "--preset", name)
        assert code == 2
        assert sentence in error
    assert not Path("out.wav").exists()

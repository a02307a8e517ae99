"""Chains and captures as people hand them over: what fits plays, what does not is said."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ..signals import Array, noise
from .conftest import RATE, Run, heard


def chain(folder: Path, response: str) -> str:
    """A chain file of format 1 that names a response beside it."""
    folder.mkdir(exist_ok=True)
    path = folder / "chain.toml"
    path.write_text(f'[[post]]\neffect = "Convolution"\nimpulse_response_filename = "{response}"\n')
    return str(path)


def test_a_response_is_found_beside_the_chain_that_names_it(run: Run, clip: Array) -> None:
    named = chain(Path("cabinets"), "cab.wav")
    unit = np.zeros(200, np.float32)
    unit[0] = 1.0
    soundfile.write("cabinets/cab.wav", unit, RATE, subtype="FLOAT")
    code, _, error = run("render", "in.wav", "out.wav", "--chain", named)
    assert code == 0, error
    assert np.array_equal(heard("out.wav"), clip)  # one that is a single 1 changes nothing


@pytest.mark.parametrize("content", [b"a text and no sound", b"", b"RIFF\0\0\0\0WAVE"])
def test_what_is_no_sound_is_refused(run: Run, clip: Array, content: bytes) -> None:
    named = chain(Path("cabinets"), "not_audio.wav")
    Path("cabinets/not_audio.wav").write_bytes(content)
    code, _, error = run("render", "in.wav", "out.wav", "--chain", named)
    assert code == 2 and "not_audio.wav" in error and "Traceback" not in error
    assert not Path("out.wav").exists()


def test_ten_seconds_of_zeros_behind_a_response_are_cut_off(tmp_path: Path) -> None:
    from realtime.stages.native.response import read_response

    response = noise(RATE // 10, level=0.1)
    soundfile.write(tmp_path / "r.wav", np.pad(response[0], (0, 9 * RATE)), RATE, subtype="FLOAT")
    assert read_response(tmp_path / "r.wav").samples.shape == response.shape


def capture(loudness: float | None) -> None:
    """A capture ``mine.nam`` that states its loudness, or does not."""
    data = {
        "version": "0.5.0",
        "architecture": "Linear",
        "config": {"receptive_field": 2, "bias": False},
        "weights": [0.5, 0.0],
        "sample_rate": RATE,
        "metadata": {} if loudness is None else {"loudness": loudness},
    }
    Path("mine.nam").write_text(json.dumps(data))


@pytest.mark.parametrize("name", ["match", "1.match"])
@pytest.mark.parametrize("command", ["render", "live", "preset"])
def test_matching_a_capture_without_loudness_is_refused_by_that_name(
    run: Run, clip: Array, command: str, name: str
) -> None:
    capture(None)
    words = {
        "render": ("render", "in.wav", "out.wav"),
        "live": ("live", "--simulate", "in.wav", "--fast"),
        "preset": ("preset", "save", "mine"),
    }[command]
    code, _, error = run(*words, "--model", "mine.nam", "--set", f"{name}=1")
    assert code == 2 and "the capture mine does not state its loudness" in error
    assert not Path("out.wav").exists()


def test_a_capture_with_loudness_is_matched(run: Run, clip: Array) -> None:
    capture(-24.0)
    for out, more in (("plain.wav", ()), ("matched.wav", ("--set", "match=1"))):
        code, _, error = run("render", "in.wav", out, "--model", "mine.nam", *more)
        assert code == 0, error
    assert np.allclose(heard("matched.wav"), heard("plain.wav") * 10 ** (6 / 20), atol=1e-5)


def test_a_model_that_cannot_play_is_not_saved_as_a_preset(run: Run, clip: Array) -> None:
    bad = {"version": "0.5.0", "architecture": "WaveNet", "config": {}, "weights": []}
    Path("bad.nam").write_text(json.dumps(bad))
    code, _, error = run("preset", "save", "bad", "--model", "bad.nam")
    assert code == 2 and "bad.nam: a WaveNet needs a list 'layers'" in error
    assert not list(Path().rglob("bad.toml"))

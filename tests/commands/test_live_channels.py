"""Any input of a card to any channel of the engine, and from there to any output: from 1."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from ..signals import Array, noise
from .conftest import RATE, Run, heard

FAST = ("--simulate", "in.wav", "--simulate-out", "out.wav", "--fast")


def card(channels: int) -> Array:
    """A card of so many inputs, all of them with other sound."""
    x = noise(RATE // 2, channels)
    soundfile.write("in.wav", x.T, RATE, subtype="FLOAT")
    return x


def test_the_second_input_of_two_is_heard_once_by_one_channel(run: Run) -> None:
    x = card(2)
    code, _, error = run("live", *FAST, "--in-map", "2", "--stats", "stats.json")
    assert code == 0, error
    y = heard("out.wav")
    assert y.shape[0] == 1
    late = y.shape[1] - x.shape[1]
    assert np.array_equal(y[0, late:], x[1])


@pytest.mark.parametrize("by", ["options", "session"])
def test_an_input_and_two_outputs_of_eight(run: Run, by: str) -> None:
    x = card(8)
    Path("mine.toml").write_text(
        'format = 2\n[[stage]]\neffect = "Gain"\ngain_db = 0.0\n'
        "[device]\ninput_channels = [5]\noutput_channels = [7, 8]\n"
    )
    asked = {
        "options": ("--in-map", "5", "--out-map", "7,8"),
        "session": ("--session", "mine.toml"),
    }
    code, _, error = run("live", *FAST, *asked[by])
    assert code == 0, error
    y = heard("out.wav")
    late = y.shape[1] - x.shape[1]
    assert y.shape[0] == 8 and not y[:6].any()
    assert np.array_equal(y[6, late:], x[4]) and np.array_equal(y[7, late:], x[4])


def test_what_the_card_does_not_have_is_said_in_numbers_from_1(run: Run) -> None:
    card(2)
    code, _, error = run("live", *FAST, "--in-map", "3")
    assert code == 2 and "names channel 3; the device has 2 channels, numbered from 1" in error
    assert not Path("out.wav").exists()


def test_the_tuner_tells_notes(run: Run) -> None:
    t = np.arange(3 * RATE) / RATE
    x = np.stack([np.zeros_like(t), 0.3 * np.sin(2 * np.pi * 110.3 * t)]).astype(np.float32)
    soundfile.write("in.wav", x.T, RATE, subtype="FLOAT")
    code, out, error = run("tuner", "--simulate", "in.wav", "--in-map", "2", "--reference", "440")
    assert code == 0, error
    assert "A2 +4.7 cents, 110.30 Hz" in out
    code, _, error = run("tuner", "--simulate", "in.wav", "--reference", "400")
    assert code == 2 and "--reference must be within 415..466 Hz, got 400" in error

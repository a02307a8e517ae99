from __future__ import annotations

import numpy as np
import pytest

from realtime.proof.listener.clips import speech
from realtime.stages.ranges import useful_defaults

from ...signals import noise, sine
from .playing import RATE, phrase, prepared, stepped

SHUT = {"threshold_db": -20.0, "ratio": 40.0, "attack_ms": 0.1, "release_ms": 1.0}


def test_a_gate_with_useful_values_is_silent_in_pauses_and_open_in_between() -> None:
    x = noise(RATE, level=0.001)
    x[:, : RATE // 2] += sine(RATE // 2, 220.0, 0.3)
    y = stepped(prepared("NoiseGate", **useful_defaults("NoiseGate")), x, [64])
    played = slice(RATE // 10, RATE // 2)
    assert np.array_equal(y[:, played], x[:, played])
    rest = slice(RATE - 4800, RATE)
    assert np.abs(y[:, rest]).max() < 1e-3 * np.abs(x[:, rest]).max()


@pytest.mark.parametrize("hold", [0.0, 200.0])
def test_hold_keeps_it_open(hold: float) -> None:
    x = noise(RATE, level=0.01)
    x[:, :4800] = sine(4800, 220.0, 0.5)
    y = stepped(prepared("NoiseGate", **SHUT, hold_ms=hold), x, [64])
    kept = y[0] == x[0]
    until = 4800 + int(np.argmin(kept[4800:]))
    # the level itself takes a while to fall below the threshold
    assert until < 4800 + 2400 if hold == 0 else 4800 + 9600 <= until < 4800 + 9600 + 2400


def test_hysteresis_does_not_flutter_at_the_threshold() -> None:
    t = np.arange(2 * RATE) / RATE
    level = 0.1 * 10 ** (2.0 * np.sin(2 * np.pi * 3.0 * t) / 20)  # ± 2 dB about the threshold
    x = (level * np.sin(2 * np.pi * 500.0 * t)).astype(np.float32)[None]

    def closings(**more: float) -> int:
        y = stepped(prepared("NoiseGate", **SHUT, **more), x, [64])
        kept = y[0, RATE // 2 :] == x[0, RATE // 2 :]
        return int(np.count_nonzero(np.diff(kept.astype(int)) < 0))

    assert closings() >= 3
    assert closings(hysteresis_db=6.0) == 0


def test_closing_after_a_hold_does_not_jump() -> None:
    x = sine(RATE, 100.0, 0.02)
    x[:, :4800] = sine(4800, 100.0, 0.5)
    more = {**SHUT, "release_ms": 100.0}
    y = stepped(prepared("NoiseGate", **more, hold_ms=100.0, hysteresis_db=10.0), x, [64])
    steepest, loudest = np.abs(np.diff(x[0, 5000:])).max(), np.abs(x[0, 5000:]).max()
    # the gain moves by no more than 6 % of itself a sample: its release, to the power of the ratio
    assert np.abs(np.diff(y[0, 5000:])).max() <= steepest + 0.06 * loudest


def test_it_never_makes_anything_louder() -> None:
    x = phrase()
    y = stepped(prepared("NoiseGate", threshold_db=-30.0, hold_ms=5.0, hysteresis_db=3.0), x, [64])
    assert (np.abs(y) <= np.abs(x)).all()


def test_word_beginnings_are_not_cut() -> None:
    # vowels and hissing consonants that swell from nothing, over the hiss of a preamplifier
    said = speech(RATE).samples
    words = np.concatenate([said[: RATE // 2], np.zeros(RATE), said[RATE:]])
    x = (0.3 * words / np.abs(words).max())[None].astype(np.float32)
    x = x + noise(x.shape[1], level=10 ** (-72 / 20), seed=3)
    given = {"threshold_db": -50.0, "hold_ms": 250.0, "hysteresis_db": 6.0}
    y = stepped(prepared("NoiseGate", **given, release_ms=120.0), x, [64])
    power = np.square(x[0, : len(x[0]) // 240 * 240]).reshape(-1, 240).mean(axis=1)
    heard = power > 10 ** (-46 / 10)
    begins = [i for i in range(20, len(heard)) if heard[i] and not heard[i - 20 : i].any()]
    assert begins
    for i in begins:
        part = slice(240 * (i - 1), 240 * (i + 8))  # from 5 ms before a word is heard
        lost = np.square(x[0, part] - y[0, part]).sum() / np.square(x[0, part]).sum()
        assert lost < 0.01
    pause = slice(RATE, RATE + RATE // 4)
    assert np.abs(y[0, pause]).max() < 1e-2 * np.abs(x[0, pause]).max()

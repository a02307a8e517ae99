"""DropTune on strings whose every partial is known, so that what it should make of them is too."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.rig.plucked import (
    CHORDS,
    STRINGS,
    Partial,
    cents_off,
    onset,
    sidebands,
    sounded,
    strings,
)
from realtime.engine.path import Path
from realtime.engine.placed import Slot

from ...signals import Array, noise
from .playing import RATE, Player, null_db, prepared, stepped

LATENCY = 768
AT = RATE // 10
STEADY = slice(3 * RATE // 10, 12 * RATE // 10)
SOUNDS = {**{k: (v,) for k, v in STRINGS.items()}, **CHORDS}


def tuned(x: Array, semitones: float, block: int = 128, rate: int = RATE) -> Array:
    stage = prepared("DropTune", channels=len(x), rate=rate, semitones=semitones)
    return stepped(stage, x, [block])


def played(partials: list[Partial], semitones: float) -> tuple[Array, Array]:
    """What it makes of a pluck, its latency taken off, and what an exact change would make."""
    n = round(1.4 * RATE)
    x = sounded(partials, n + LATENCY, AT).astype(np.float32)[None]
    y = tuned(x, semitones)[0, LATENCY:].astype(np.float64)
    return y, sounded(partials, n, AT, 2.0 ** (semitones / 12.0))


@pytest.mark.parametrize(("rate", "latency"), [(44100, 768), (48000, 768), (96000, 1536)])
@pytest.mark.parametrize("channels", [1, 2])
def test_with_nothing_shifted_it_is_a_delay_of_its_latency(
    rate: int, latency: int, channels: int
) -> None:
    x = noise(20_000, channels)
    assert prepared("DropTune", channels, rate).latency == latency <= 0.018 * rate
    y = tuned(x, 0.0, 100, rate)
    assert null_db(y[:, latency:], x[:, :-latency]) < -120.0


def test_the_slot_keeps_the_dry_sound_aligned() -> None:
    x = noise(RATE // 2)
    slot = Slot(prepared("DropTune", semitones=-2.0), 1, 1, RATE, mix=0.0)
    path = Path([slot], channels=1, sample_rate=RATE, hop=64, block_size=64)
    assert path.latency == LATENCY
    assert np.array_equal(path.process_hops(x)[:, LATENCY:], x[:, :-LATENCY])


@pytest.mark.parametrize("block", [1, 33, 441, 1024])
def test_the_bits_are_those_of_any_block(block: int) -> None:
    x = sounded(strings(CHORDS["E major"]), RATE // 2, 1000).astype(np.float32)[None]
    n = x.shape[1] // block * block
    assert np.array_equal(tuned(x, -2.0, block)[:, :n], tuned(x, -2.0, 64)[:, :n])


@pytest.mark.parametrize("what", SOUNDS)
@pytest.mark.parametrize("semitones", [-5.0, -2.0, 2.0])
def test_strings_and_chords_come_out_in_tune_and_clean(what: str, semitones: float) -> None:
    partials = strings(SOUNDS[what])
    y, exact = played(partials, semitones)
    ratio = 2.0 ** (semitones / 12.0)
    assert sidebands(y[STEADY], partials, ratio) < -19.0
    assert cents_off(y[STEADY], partials, ratio) < 1.0
    assert abs(20 * np.log10(np.std(y[STEADY]) / np.std(exact[STEADY]))) < 2.0
    strength, late = onset(y, exact, AT)
    assert 0.85 < strength < 1.15 and abs(late) < 2.0


def test_the_measures_know_an_exact_change_and_a_wrong_one() -> None:
    partials = strings(CHORDS["E major"])
    _, exact = played(partials, -2.0)
    ratio = 2.0 ** (-2.0 / 12.0)
    assert sidebands(exact[STEADY], partials, ratio) < -80.0
    assert cents_off(exact[STEADY], partials, ratio) < 0.05
    for off in (0.5, 5.0, 20.0):
        sharp = sounded(partials, len(exact), AT, ratio * 2.0 ** (off / 1200.0))
        assert cents_off(sharp[STEADY], partials, ratio) == pytest.approx(off, rel=0.1)
    assert sidebands(sharp[STEADY] + 0.05 * np.sin(np.arange(43200)), partials, ratio) > -10.0


def test_two_channels_stay_what_they_were_to_each_other() -> None:
    one = sounded(strings(CHORDS["D major"]), RATE, AT).astype(np.float32)
    y = tuned(np.stack([one, -0.5 * one]), -2.0)
    assert np.abs(y[1] + 0.5 * y[0]).max() < 1e-6


def test_silence_stays_silence_and_a_reset_is_a_beginning() -> None:
    x = noise(20_000)
    stage = prepared("DropTune", semitones=-2.0)
    first = stepped(stage, x, [128])
    assert not stepped(stage, np.zeros((1, 48_000), dtype=np.float32), [128])[:, 24_000:].any()
    stage.reset()
    assert np.array_equal(stepped(stage, x, [128]), first)


@pytest.mark.parametrize("semitones", [-5.0, 7.0, 12.0])
def test_an_offset_stays_an_offset(semitones: float) -> None:
    """Nothing is heard of it, and beside a note it is no louder than without."""
    n = RATE
    hz = np.fft.rfftfreq(n, 1 / RATE)
    tone = 0.1 * np.sin(2 * np.pi * 196.0 * np.arange(2 * n) / RATE)
    window = np.blackman(n)
    for x in (np.full(2 * n, 0.1), 0.1 + tone):
        y = tuned(x.astype(np.float32)[None], semitones)[0, n:].astype(np.float64)
        assert np.mean(y * window) / window.mean() == pytest.approx(0.1, abs=0.02)
        power = np.abs(np.fft.rfft(y * window)) ** 2 / np.sum(window) ** 2 * 4
        wanted = 196.0 * 2 ** (semitones / 12)
        others = (hz > 20.0) & (np.abs(hz - wanted) > 12.0)
        assert 10 * np.log10(power[others].max()) < -60.0


def test_a_turned_knob_does_not_click() -> None:
    """What is heard far above a tone while it is turned."""
    x = (0.3 * np.sin(2 * np.pi * 220.0 * np.arange(2 * RATE) / RATE)).astype(np.float32)[None]
    player = Player("DropTune")
    parts = []
    for k in range(0, x.shape[1], 9600):
        player.turn("semitones", -5.0 if k // 9600 % 2 else 2.0)
        parts.append(player.play(x[:, k : k + 9600]))
    y = np.concatenate(parts, axis=1)[0, RATE // 4 :]
    power = np.abs(np.fft.rfft(y * np.hanning(len(y))))
    hz = np.fft.rfftfreq(len(y), 1 / RATE)
    assert 160.0 < hz[power.argmax()] < 250.0
    assert 20 * np.log10(power[hz > 2000].max() / power.max()) < -60.0


def test_its_own_zero_is_the_sound_again_after_a_turn() -> None:
    x = noise(2 * RATE)
    player = Player("DropTune", semitones=-2.0)
    player.play(x[:, :RATE])
    player.turn("semitones", 0.0)
    y = player.play(x[:, RATE:])
    settled = RATE // 2
    assert null_db(y[:, settled + LATENCY :], x[:, RATE + settled : -LATENCY]) < -100.0

"""A player's own partials are no lines; a planted tone, a wrong note and a hop-rate tone are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import lfilter, welch

from realtime.models.catalog import read_entry
from realtime.proof.listener.figures import beside, broken
from realtime.proof.listener.lines import NOTHING, off_grid
from realtime.proof.listener.material import PITCHES
from realtime.proof.listener.own import Own, own, owns, truth
from realtime.proof.listener.prove import prove_player
from realtime.proof.listener.sounds import hertz

from .tools import RATE, tone

N = 33600
# an ensemble with a partial between harmonics: frequency over the note's, dB, width in Hz
PARTIALS = (
    (1.0, 0.0, 2.0),
    (1.6, -22.0, 6.0),
    (2.0, -6.0, 5.0),
    (2.93, -15.0, 9.0),
    (5.0, -12.0, 14.0),
)


def chance(hz: float, width: float, n: int, seed: int) -> np.ndarray:
    """Complex noise through two equal poles around a frequency, of power 2."""
    rng = np.random.default_rng(seed)
    pole, spare = np.exp(-2 * np.pi * width / RATE), 4 * RATE
    z = lfilter([1.0], [1.0, -2 * pole, pole**2], rng.standard_normal((2, n + spare)))[:, spare:]
    z = (z[0] + 1j * z[1]) * np.exp(2j * np.pi * hz * np.arange(n) / RATE)
    return np.real(z) * np.sqrt(2.0 / np.mean(np.abs(z) ** 2))


def ensemble(f0: float, seed: int = 0, n: int = N) -> np.ndarray:
    parts = [
        0.1 * 10 ** (db / 20) * chance(ratio * f0, width, n, 100 * seed + k)
        for k, (ratio, db, width) in enumerate(PARTIALS)
    ]
    return np.sum(parts, axis=0)


def known(f0: float) -> Own:
    return own([(ratio * f0, db, width) for ratio, db, width in PARTIALS])


def test_the_spectrum_is_that_of_noise_through_two_poles() -> None:
    hz, psd = welch(chance(1000.0, 40.0, 60 * RATE, 1), RATE, nperseg=8192)
    near = abs(hz - 1000.0) < 150.0
    wanted = own([(1000.0, 0.0, 40.0)]).density(hz[near])
    assert abs(10 * np.log10(psd[near] / wanted)).max() < 1.5
    assert own([(1000.0, -3.0, 9.0), (2000.0, -9.0, 0.0)]).density(
        np.arange(0.0, 20000.0, 0.5)
    ).sum() * 0.5 == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("key", PITCHES[::4])
def test_a_right_note_of_an_ensemble_has_no_line_where_a_plain_judge_hears_one(key: int) -> None:
    f0, y = hertz(key), ensemble(hertz(key), key)
    assert off_grid(y, RATE, [f0]).line_db > -35.0
    assert off_grid(y, RATE, [f0], own=known(f0)).line_db < -40.0


@pytest.mark.parametrize("key", PITCHES[::4])
@pytest.mark.parametrize("apart", [375.0, 187.5])
def test_a_planted_tone_is_read_at_its_level(key: int, apart: float) -> None:
    f0, t = hertz(key), np.arange(N) / RATE
    y = ensemble(f0, key)
    off = 7.37 * f0 + apart  # between harmonics, clear of what is the voice's own
    off += f0 * (round(off / f0) + 0.5 - off / f0)
    planted = np.sqrt(np.mean(y**2) * 2.0) * 10 ** (-32 / 20) * np.sin(2 * np.pi * off * t)
    found = off_grid(y + planted, RATE, [f0], own=known(f0))
    assert found.line_db == pytest.approx(-32.0, abs=4.0) and abs(found.line_hz - off) < 4.0


def test_a_tone_of_375_hz_is_caught() -> None:
    t = np.arange(N) / RATE
    for key in (45, 57, 69):
        y = ensemble(hertz(key), key)
        y = y + np.sqrt(2.0 * np.mean(y**2)) * 10 ** (-30 / 20) * np.sin(2 * np.pi * 375.0 * t)
        found = off_grid(y, RATE, [hertz(key)], own=known(hertz(key)))
        assert found.line_db > -33.0 and abs(found.line_hz - 375.0) < 4.0


@pytest.mark.parametrize("wrong", [-5, -1, 1, 4, 7])
def test_a_wrong_note_is_a_line_as_loud_as_itself(wrong: int) -> None:
    y = ensemble(hertz(69 + wrong), 3)
    assert off_grid(y, RATE, [hertz(69)], own=known(hertz(69))).line_db > -6.0


def test_silence_has_no_line_and_counts_as_not_answered() -> None:
    assert off_grid(np.zeros(N), RATE, [220.0]).line_db == NOTHING
    mute = prove_player(lambda x, c: np.zeros_like(x), RATE).figures
    assert mute["line_sine"] == NOTHING and mute["silent_sine"] == mute["silent_partials"] == 1.0


def test_a_player_may_have_the_lines_of_its_true_patch_and_no_wrong_note() -> None:
    for line, over in ((-32.0, 0), (-31.0, 1), (-1.0, 1)):
        figures = {"line_sine": line, "line_partials_true": -34.5, "pitch_run_true": 0.03}
        assert len(broken(figures)) == over
        assert list(beside({"a": figures}, {})) == ["a", "a, true patch", "unchanged"]
    assert len(broken({"line_sine": -32.0})) == 1, "a filter may not"
    assert broken({"line_sine": -41.0, "line_partials_true": -60.0}) == []


@pytest.mark.parametrize(
    ("held", "true", "over"),
    [
        (-2.9, None, 0), (-3.1, None, 1),  # a filter sustains what sustains
        (-17.3, -18.7, 0), (-22.0, -18.7, 1),  # an electric piano dies away as it does, no faster
        (-179.0, -169.8, 0), (-90.0, -40.0, 1),  # a marimba is gone
        (-5.0, -2.9, 0), (-6.0, -2.9, 1),
    ],
)  # fmt: skip
def test_a_players_note_fades_as_its_true_patchs(
    held: float, true: float | None, over: int
) -> None:
    figures = {"held_4": held} | ({} if true is None else {"held_4_true": true})
    assert len(broken(figures)) == over


def test_cards_keep_the_spectra_and_what_the_true_patch_gets() -> None:
    card = read_entry(Path(__file__).parents[2] / "exported" / "tape.onnx").card
    assert card is not None and owns(card) == [] and truth(card) == {}
    rows = {"69": [[440.0, 0.0, 2.0]]}
    card = replace(card, proof={"voices": {"a": rows}, "truth": {"pitch_run": 0.5}})
    (voice,) = owns(card)
    assert voice[69].hz.tolist() == [440.0] and truth(card) == {"pitch_run": 0.5}
    assert off_grid(tone(440.0, N, 2), RATE, [440.0], own=voice[69]).line_db < -80.0

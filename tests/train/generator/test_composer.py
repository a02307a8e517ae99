"""Rolls, the composer's likelihood and its one-step form, against plain arithmetic and torch."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional as F

from train.data.scores.scores import SCALES, Note, Score, compose, key_of
from train.generator import rolls
from train.networks.composer import BEAT, Composer, leads, likelihood


def test_the_key_of_a_seed_is_the_one_it_is_composed_in() -> None:
    for seed in range(30):
        scale, root = key_of(seed, rolls.LOW)
        allowed = set(SCALES[scale]) | {(7 + k) % 12 for k in SCALES[scale]}  # riffs add fifths
        notes = compose(seed, 12.0, rolls.LOW, rolls.HIGH).notes
        assert {(n.pitch - root) % 12 for n in notes} <= allowed


def test_a_roll_has_each_note_on_its_nearest_tick() -> None:
    score = Score((Note(0.0, 1, 60, 90), Note(0.26, 1, 64, 90), Note(1.0, 1, 48, 90)), 120.0)
    onsets = rolls.roll(score, 60)
    assert onsets.shape == (5, rolls.SLOTS)
    places = [tuple(p) for p in np.argwhere(onsets)]
    assert places == [(0, rolls.BELOW), (1, rolls.BELOW + 4)]  # 48 lies below what is kept
    busy = rolls.density(onsets)
    np.testing.assert_allclose(busy[:2], [2 / rolls.AHEAD, 1 / rolls.AHEAD])


def test_the_lead_is_the_highest_onset() -> None:
    onsets = torch.zeros(1, 3, 6)
    onsets[0, 0, [1, 4]] = 1
    onsets[0, 2, 0] = 1
    assert leads(onsets).tolist() == [[4, 6, 0]]


def test_likelihood_of_even_guesses_is_known() -> None:
    onsets = torch.zeros(2, 5, 6)
    onsets[:, 1, 3] = 1
    onsets[:, 1, 1] = 1
    nats = likelihood(torch.zeros(2, 5, 7), leads(onsets), torch.zeros(2, 5, 6), onsets)
    # one of seven each tick, and three notes below the lead on one tick of five
    np.testing.assert_allclose(float(nats), np.log(7) + 3 * np.log(2) / 5, rtol=1e-6)


def test_one_step_is_the_cell_of_torch() -> None:
    torch.manual_seed(1)
    composer = Composer(6, 2, 9)
    onsets = (torch.rand(3, 8, 6) > 0.7).float()
    beat = F.one_hot(torch.arange(8) % BEAT, BEAT).float().expand(3, -1, -1)
    scale, density = torch.rand(3, 8, 2), torch.rand(3, 8, 1)
    before = F.pad(onsets, (0, 0, 1, 0))[:, :-1]
    heard = composer.inputs(before, beat, scale, density)
    whole, _ = composer.cell(heard)
    memory = torch.zeros(3, 9)
    for t in range(8):
        memory = composer.remember(heard[:, t], memory)
        torch.testing.assert_close(memory, whole[:, t])

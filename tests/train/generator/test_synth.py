"""Partials against sines, envelopes against recursion, and fits of known notes."""

from __future__ import annotations

import numpy as np
import torch

from train.generator import timbres
from train.networks.generator import Generator
from train.networks.partials import DAMPED, Partials, blended, hertz, shares

HOP, RATE = 128, 48000


def synth() -> Partials:
    made = Partials(57, 13, 2, 1, HOP, RATE)
    made.amplitude[0] = torch.tensor([0.5, 0.25]).repeat(13)
    made.decay[0], made.attack[0] = 1.0, 1.0
    return made


def test_a_steady_note_is_its_sines() -> None:
    made = synth()
    states = [torch.zeros(1, made.count) for _ in range(3)]
    struck = torch.zeros(1, 13)
    struck[0, 12] = 1.0  # A4
    out = []
    for k in range(400):
        y, *states = made(struck if k == 0 else torch.zeros(1, 13), torch.ones(1, 1), *states)
        out.append(y[0].numpy())
    y = np.concatenate(out)[HOP:]
    t = np.arange(HOP + 1, 400 * HOP + 1) / RATE
    wanted = 0.5 * np.sin(2 * np.pi * 440 * t) + 0.25 * np.sin(2 * np.pi * 880 * t)
    np.testing.assert_allclose(y, wanted, atol=2e-4)
    assert float(hertz(torch.tensor(69.0))) == 440.0


def test_new_notes_damp_those_that_sound() -> None:
    made = synth()
    states = [torch.zeros(1, made.count) for _ in range(3)]
    first, second = torch.zeros(2, 1, 13)
    first[0, 0], second[0, 5] = 1.0, 1.0
    for struck in (first, torch.zeros(1, 13), second):
        _, *states = made(struck, torch.ones(1, 1), *states)
    assert states[1][0, 0] == np.float32(0.5 * np.float32(DAMPED))
    assert states[1][0, 10] == 0.5


def test_blends_are_products_of_matrices() -> None:
    weights, values = torch.rand(2, 4), torch.rand(4, 9)
    torch.testing.assert_close(blended(weights, values), weights @ values)
    torch.testing.assert_close(shares(weights).sum(dim=1), torch.ones(2))


def test_the_closed_envelope_is_the_recursion() -> None:
    a, d, q = torch.tensor([0.7]), torch.tensor([0.98]), torch.tensor([0.3])
    closed = timbres.envelopes(a, d, q, 50)[:, 0]
    envelope, course, found = 0.7, 0.0, []
    for _ in range(50):
        course += (envelope - course) * 0.3
        envelope *= 0.98
        found.append(course)
    np.testing.assert_allclose(closed, found, rtol=1e-4)


def test_a_known_note_is_found_again() -> None:
    t = np.arange(int(1.4 * RATE)) / RATE
    decay = 0.995
    x = 0.3 * decay ** (t * RATE / HOP) * np.sin(2 * np.pi * 440 * t)
    x += 0.1 * decay ** (t * RATE / HOP) * np.sin(2 * np.pi * 880 * t)
    tracks = timbres.courses(x, 440.0, 3, HOP)
    amplitude, found, _ = timbres.fit(tracks[None], HOP)
    np.testing.assert_allclose(amplitude[0, :2], [0.3, 0.1], rtol=0.1)
    np.testing.assert_allclose(found[0, :2], decay, atol=5e-4)
    assert amplitude[0, 2] < 1e-3


def network() -> Generator:
    torch.manual_seed(2)
    made = Generator(12, 3, 2, hidden=8, partials=2, styles=2).eval()
    made.synth.amplitude[:] = 0.2
    return made


def test_hop_after_hop_is_the_whole_and_the_same_noise_the_same_music() -> None:
    made = network()
    controls = torch.tensor([[1.0, 0.0, 3.0, 1.0, 140.0, 0.5, 1.0]])
    x = 2 * torch.rand(1, 1, HOP * 300) - 1
    with torch.no_grad():
        whole = made.offline(x, controls=controls)
        states, parts = made.initial_state(1), []
        for part in torch.split(x, HOP, dim=2):
            y, states = made.step(part, states, controls)
            parts.append(y)
    assert torch.equal(torch.cat(parts, dim=2), whole)
    assert 0.01 < float(whole.abs().max()) <= 1.0


def test_the_root_moves_what_is_played_by_semitones() -> None:
    made = network()
    slots = torch.zeros(1, 12)
    slots[0, 5] = 1.0
    for root in (0.0, 4.0, 11.0):
        moved = made._moved(slots, torch.tensor([[root]]))
        assert moved.argmax().item() == 5 + root and moved.sum() == 1.0


def test_clock_beat_and_phases_stay_in_their_ranges() -> None:
    made = network()
    controls = torch.tensor([[0.5, 0.5, 0.0, 0.0, 200.0, 1.0, 2.0]])
    states = made.initial_state(1)
    with torch.no_grad():
        for k in range(3000):
            y, states = made.step(2 * torch.rand(1, 1, HOP) - 1, states, controls)
            if k % 1000 == 999:
                assert torch.isfinite(y).all() and float(y.abs().max()) <= 1.0
    assert 0.0 <= float(states[0].min()) <= 1.0  # the clock
    assert float(states[4].max()) < 1.0  # phases, in turns
    assert float(states[1].sum()) == 1.0  # the beat

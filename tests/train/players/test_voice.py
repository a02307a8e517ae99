"""A voice against sines, exponentials and the statistics of the noise that it is to have."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch
from scipy import signal

from train.networks.slots import FIELDS
from train.networks.voice import HOP, RATE, SLOTS, UNIT, Voice, bands_of_noise, controls
from train.voices.known import rows_of, sound_of
from train.voices.tables import BANDS, CENTRES, KNOTS, LOWEST, NOTES, PARTIALS, shapes

from .simple import tables

A4 = 69


def knobs(**changed: float) -> torch.Tensor:
    return torch.tensor([[changed.get(p.name, p.default) for p in controls()]])


def fitted(y: npt.NDArray[np.float32], hz: float) -> tuple[float, float]:
    """Amplitude of a sine of `hz` by least squares, and the largest rest."""
    t = np.arange(len(y)) / RATE
    basis = np.stack([np.cos(2 * np.pi * hz * t), np.sin(2 * np.pi * hz * t)], axis=1)
    found, *_ = np.linalg.lstsq(basis, y, rcond=None)
    return float(np.hypot(*found)), float(np.abs(y - basis @ found).max())


def test_a_steady_note_is_its_sines() -> None:
    y = sound_of(rows_of([(0.0, 9.0, A4, 0.5)], 0.5), [tables(2)])[40 * HOP :]
    t = np.arange(40 * HOP, 40 * HOP + len(y)) / RATE
    phase = Voice([tables(2)]).initial_state(1)[2][0, 0].double().numpy()
    slot = 0
    wanted = sum(
        0.5 * 0.1 / k * np.sin(2 * np.pi * (phase[slot * PARTIALS + k - 1] + 440.0 * k * t))
        for k in (1, 2)
    )
    np.testing.assert_allclose(y, wanted, atol=3e-5)


@pytest.mark.parametrize("begin", [0.0, 0.13, 0.4])
def test_a_note_begins_with_its_two_lines_in_step(begin: float) -> None:
    narrow = np.ones((NOTES, PARTIALS))
    both = tables(1, steady=np.sqrt(0.5) * narrow, second=np.sqrt(0.5) * narrow, beat=2.0 * narrow)
    y = sound_of(rows_of([(begin, 9.0, A4, 1.0)], 2.0), [both])
    hops = y[: len(y) // HOP * HOP].reshape(-1, HOP)
    level = np.sqrt(2.0 * np.mean(np.square(hops), axis=1))
    first = int(begin * RATE / HOP)
    t = (np.arange(len(level) - first) + 0.5) * HOP / RATE
    wanted = 0.1 * np.sqrt(2.0) * np.abs(np.cos(2.0 * np.pi * t))  # |1 + e^(i 2 pi 2 t)| / 2
    np.testing.assert_allclose(level[first + 4 :], wanted[4:], atol=0.008)


def test_bends_follow_the_ear_and_bright_is_so_many_decibels_an_octave() -> None:
    rows = rows_of([(0.0, 9.0, A4, 1.0)], 0.4)
    rows[20:, 3, A4 - LOWEST] = 0.5
    y = sound_of(rows, [tables(1)])
    size, rest = fitted(y[30 * HOP :], 440.0 * 2.0 ** (0.5 / 12.0))
    assert abs(size - 0.1) < 1e-4 and rest < 2e-4
    step = np.abs(np.diff(y[8 * HOP :])).max()
    assert step < 1.05 * 0.1 * 2 * np.pi * 453.0 / RATE, "the phase goes on through the bend"
    high = tables(
        2,
        course=np.where(np.arange(PARTIALS + BANDS) == 1, -3.0, -20.0)
        + np.zeros((NOTES, KNOTS, 1)),
    )
    rows = rows_of([(0.0, 9.0, A4, 1.0)], 0.3)
    plain, bright = (sound_of(rows, [high], {"brightness": b})[20 * HOP :] for b in (0.0, 1.0))
    assert abs(fitted(bright, 880.0)[0] / fitted(plain, 880.0)[0] - 2.0) < 0.01


def test_a_note_that_ends_falls_by_its_release() -> None:
    y = sound_of(rows_of([(0.0, 0.2, A4, 1.0)], 0.5), [tables(1)])
    levels = np.sqrt(2.0 * np.mean(np.square(y.reshape(-1, HOP)), axis=1))
    after = levels[40:90]
    t = np.arange(len(after)) * HOP / RATE
    slope = np.polyfit(t, np.log(after), 1)[0]
    assert abs(slope + 20.0) < 0.5
    twice = sound_of(rows_of([(0.0, 0.2, A4, 1.0)], 0.5), [tables(1)], {"release": 2.0})
    levels = np.sqrt(2.0 * np.mean(np.square(twice.reshape(-1, HOP)), axis=1))[40:90]
    assert abs(np.polyfit(t, np.log(levels), 1)[0] + 10.0) < 0.5


def test_velocity_and_a_falling_input_are_heard_as_much_as_asked() -> None:
    rows = rows_of([(0.0, 9.0, A4, 0.25)], 0.3)
    for share, wanted in ((1.0, 0.25), (0.0, 0.7)):
        y = sound_of(rows, [tables(1)], {"velocity": share})[30 * HOP :]
        assert abs(fitted(y, 440.0)[0] / (0.1 * wanted) - 1.0) < 0.01
    rows = rows_of([(0.0, 9.0, A4, 1.0)], 0.4)
    rows[30:, 2] *= 0.1
    for sustain, wanted in ((1.0, 0.1), (0.0, 0.01)):
        y = sound_of(rows, [tables(1)], {"sustain": sustain})[40 * HOP :]
        assert abs(fitted(y, 440.0)[0] / wanted - 1.0) < 0.01


def test_chance_has_the_power_and_the_memory_of_two_equal_poles() -> None:
    narrow = (NOTES, PARTIALS)
    width = 6.0
    made = tables(
        PARTIALS,
        steady=np.zeros(narrow),
        random=np.ones(narrow),
        width=np.full(narrow, width),
    )
    voice = Voice([made]).eval()
    states = voice.initial_state(1)
    rows = rows_of([(0.0, 99.0, 30 + k, 1.0) for k in range(SLOTS)], 6.0)
    rows[0, 0, 8:], rows[1, 0, :8] = 0.0, 0.0
    rows[1, 0, 8:14] = 1.0
    found = []
    with torch.no_grad():
        for row in torch.from_numpy(rows):
            _, states = voice(row[None], knobs(), *states)
            found.append(states[3][0, 2] + 1j * states[3][0, 3])
    z = torch.stack(found[50:]).numpy()
    assert abs(np.mean(np.abs(z) ** 2) - 1.0) < 0.12
    r, lag = np.exp(-2 * np.pi * width * HOP / RATE), 5
    wanted = (1 + lag * (1 - r**2) / (1 + r**2)) * r**lag
    got = np.mean(z[lag:] * np.conj(z[:-lag])) / np.mean(np.abs(z) ** 2)
    assert abs(got - wanted) < 0.05


def test_bands_of_noise_have_the_density_of_their_shapes() -> None:
    noise = bands_of_noise().numpy() / UNIT
    for band in (8, BANDS - 3):
        hz, psd = signal.welch(noise[:, band], RATE, nperseg=1024)
        wanted = shapes(hz[1:])[:, band]
        inside = wanted > 0.1 * wanted.max()
        assert abs(noise[:, band].std() - 1.0) < 0.02
        assert abs(10 * np.log10(psd[1:][inside] / wanted[inside])).max() < 2.0


def test_a_slope_of_noise_is_heard_without_edges() -> None:
    powers = 1e-4 * (CENTRES / CENTRES[0]) ** -2.0  # -9 dB an octave of density
    course = tables(0).course.copy()
    course[:, :, PARTIALS:] = 0.5 * np.log(powers)
    y = sound_of(rows_of([(0.0, 9.0, A4, 1.0)], 3.0), [tables(0, course=course)])[8 * HOP :]
    hz, psd = signal.welch(y, RATE, nperseg=512)
    inside = (hz > 400.0) & (hz < 9000.0)
    slope = -30.0 * np.log10(hz[inside])
    level = 10.0 * np.log10(psd[inside])
    assert abs(level - slope - np.mean(level - slope)).max() < 2.0
    assert abs(np.mean(np.square(y)) / powers.sum() - 1.0) < 0.1


def test_the_faintest_note_gives_way_and_the_held_ones_stay() -> None:
    voice = Voice([tables(1)]).eval()
    states = voice.initial_state(1)
    keys = list(range(40, 40 + SLOTS))
    with torch.no_grad():
        for hop in range(2 * SLOTS + 8):
            row = torch.zeros(1, 4, NOTES)
            now = [*keys[: hop // 2 + 1], *([90] if hop >= 2 * SLOTS else [])]
            row[0, 1, [k - LOWEST for k in now]] = 1.0
            if hop % 2 == 0 and hop // 2 < SLOTS:
                row[0, 0, keys[hop // 2] - LOWEST] = 0.2 if hop == 6 else 0.8
            if hop == 2 * SLOTS + 4:
                row[0, 0, 90 - LOWEST] = 0.8
            _, states = voice(row, knobs(), *states)
    playing = {int(p) + LOWEST for p in states[0][0, FIELDS.index("pitch")]}
    assert playing == {*keys, 90} - {keys[3]}, "the faint one went"


def test_the_same_notes_from_the_same_state_are_the_same_bits_and_silence_is_silent() -> None:
    voice = Voice([tables(6)]).eval()
    rows = torch.from_numpy(rows_of([(0.0, 0.1, 60, 0.8), (0.05, 9.0, 72, 0.4)], 0.4))
    states, outs, kept = voice.initial_state(1), [], None
    with torch.no_grad():
        for hop, row in enumerate(rows):
            kept = states if hop == 30 else kept
            y, states = voice(row[None], knobs(), *states)
            outs.append(y)
        again = kept
        for hop in range(30, len(rows)):
            y, again = voice(rows[hop][None], knobs(), *again)
            assert torch.equal(y, outs[hop])
        both = [s.expand(2, *s.shape[1:]) for s in voice.initial_state(1)]
        pair = torch.stack([torch.zeros_like(rows[0]), rows[0]])
        y, _ = voice(pair, knobs(), *both)
    assert float(y[0].abs().max()) == 0.0
    torch.testing.assert_close(y[1:], outs[0], atol=1e-7, rtol=0)


def test_a_blend_is_the_sum_of_its_voices_by_weight() -> None:
    low = tables(1)
    course = low.course.copy()
    course[:, :, 0], course[:, :, 1] = -20.0, np.log(0.1)
    high = tables(2, course=course)
    voice = Voice([low, high]).eval()
    assert KNOTS == low.course.shape[1]
    states, out = voice.initial_state(1), []
    weights = torch.cat([knobs(), torch.tensor([[3.0, 1.0]])], dim=1)
    with torch.no_grad():
        for row in torch.from_numpy(rows_of([(0.0, 9.0, A4, 1.0)], 0.3)):
            y, states = voice(row[None], weights, *states)
            out.append(y[0].numpy())
    y = np.concatenate(out)[20 * HOP :]
    t = np.arange(len(y)) / RATE
    columns = [f(2 * np.pi * hz * t) for hz in (440.0, 880.0) for f in (np.cos, np.sin)]
    found, *_ = np.linalg.lstsq(np.stack(columns, axis=1), y, rcond=None)
    np.testing.assert_allclose(np.hypot(found[::2], found[1::2]), [0.075, 0.025], atol=1e-3)

"""Pitch, harmonics to noise, sustain, bursts and onsets: read right on sounds that are known."""

from __future__ import annotations

import numpy as np
import pytest

from realtime.proof.listener import clips, levels, onsets
from realtime.proof.listener.harmonics import harmonics_to_noise
from realtime.proof.listener.pitch import share_right, track
from realtime.proof.listener.sounds import Note

from .tools import RATE, tone, white

BASS = clips.line("bass", clips.BASS, 0.3, RATE, 4.0)
RUN = clips.line("run", clips.RUN, 0.1, RATE, 3.0)


@pytest.mark.parametrize("hz", [41.2, 55.0, 82.4, 146.8, 440.0, 1046.5])
@pytest.mark.parametrize("shape", ["saw", "odd", "no fundamental", "sine", "detuned"])
def test_the_pitch_of_steady_tones_low_ones_included(hz: float, shape: str) -> None:
    t = np.arange(RATE // 2) / RATE
    ks = {"saw": range(1, 20), "odd": range(1, 20, 2), "no fundamental": range(2, 9)}.get(
        shape, [1]
    )
    x = sum(np.sin(2 * np.pi * k * hz * t + k * k) / k for k in ks)
    if shape == "detuned":
        x = sum(
            np.sin(2 * np.pi * k * hz * (1 + c / 1731) * t + c) / k
            for k in range(1, 8)
            for c in (-8, 0, 7)
        )
    found = track(x, RATE, 32.0)[1]
    right = np.abs(1200 * np.log2(found / hz)) < 50
    assert right.mean() > 0.95


@pytest.mark.parametrize("clip,lowest", [(BASS, 32.0), (RUN, 90.0)], ids=["bass", "run"])
def test_a_line_is_all_right_with_noise_and_all_wrong_transposed(clip, lowest) -> None:
    x = clip.samples
    loud = 10 * np.log10(np.mean(x**2))
    assert share_right(x, RATE, clip.notes, lowest) == 1.0
    assert share_right(x + white(len(x), loud - 12), RATE, clip.notes, lowest) > 0.97
    for ratio in (2 ** (1 / 12), 2.0, 0.5):
        wrong = [Note(n.begin, n.end, n.hz * ratio) for n in clip.notes]
        assert share_right(x, RATE, wrong, lowest) < 0.02
    assert share_right(np.zeros_like(x), RATE, clip.notes, lowest) == 0.0
    assert share_right(white(len(x), -20.0), RATE, clip.notes, lowest) < 0.2


def test_a_bass_drowned_in_hop_rate_tones_is_not_taken_for_right() -> None:
    t = np.arange(len(BASS.samples)) / RATE
    gate = np.abs(BASS.samples) > 0
    hop = sum(np.sin(2 * np.pi * 375 * k * t) for k in (1, 2)) * gate
    assert share_right(BASS.samples + 0.15 * hop, RATE, BASS.notes, 32.0) < 0.2


def test_half_of_the_notes_wrong_is_half() -> None:
    wrong = [Note(n.begin, n.end, n.hz * (1.1 if i % 2 else 1)) for i, n in enumerate(RUN.notes)]
    assert share_right(RUN.samples, RATE, wrong, 90.0) == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("snr", [5.0, 15.0, 25.0])
def test_harmonics_to_noise_reads_what_noise_below_1_khz_was_added(snr: float) -> None:
    n = RATE
    notes = [Note(0.1, 0.3, 220.0), Note(0.4, 0.6, 311.1)]
    x = np.zeros(n)
    for note in notes:
        part = slice(round(note.begin * RATE), round(note.end * RATE))
        x[part] = tone(note.hz, part.stop - part.start, 3)
    spectrum = np.fft.rfft(white(n, 0.0))
    spectrum[np.fft.rfftfreq(n, 1 / RATE) > 1000] = 0
    hiss = np.fft.irfft(spectrum, n)
    # the louder half of the ratio is what lies below 1 kHz as well: all three partials do
    power = np.mean(x[round(0.15 * RATE) : round(0.25 * RATE)] ** 2)
    hiss *= np.sqrt(power / np.mean(hiss**2)) * 10 ** (-snr / 20)
    assert harmonics_to_noise(x + hiss, RATE, notes) == pytest.approx(snr, abs=2.5)
    assert harmonics_to_noise(x, RATE, notes) > 40


def test_noise_has_no_harmonics_and_a_glided_chord_few() -> None:
    assert harmonics_to_noise(white(len(RUN.samples), -20.0), RATE, RUN.notes) < -5
    wrong = [Note(n.begin, n.end, n.hz * 1.06) for n in RUN.notes]
    assert harmonics_to_noise(RUN.samples, RATE, wrong) < 12


def test_a_decay_of_known_speed_and_a_level_tone() -> None:
    t = np.arange(5 * RATE) / RATE
    falling = tone(220, len(t)) * 10 ** (-5.0 * t / 20)  # 5 dB a second
    note = Note(0.0, 4.9, 220.0)
    assert levels.sustain(falling, RATE, note, (1.0, 2.0, 4.0)) == pytest.approx(
        (-5, -10, -20), abs=0.6
    )
    assert levels.sustain(tone(220, len(t)), RATE, note, (4.0,))[0] == pytest.approx(0, abs=0.1)


def test_a_burst_of_20_ms_in_a_rest_is_read_at_its_level() -> None:
    y = white(RATE // 2, -70.0)
    assert levels.loudest(y, RATE) == pytest.approx(-70, abs=1)
    y[9600 : 9600 + 960] += white(960, -40.0, 1)
    assert levels.loudest(y, RATE) == pytest.approx(-40, abs=1)


def test_repetitions_stand_out_by_what_is_between_them() -> None:
    clip = clips.repeated(RATE)
    assert levels.rise(clip.samples, RATE, clip.notes) > 60
    smeared = clip.samples + tone(220, len(clip.samples)) * 0.3
    assert levels.rise(smeared, RATE, clip.notes) < 20


def test_onsets_read_delay_and_jitter_and_miss_what_is_silent() -> None:
    made = onsets.events(RATE, count=60, rows=4)
    same = onsets.judge(made.samples, made)
    assert (same.late_ms, same.jitter_ms, same.missed) == pytest.approx((0, 0, 0), abs=0.05)
    late = onsets.judge(np.roll(made.samples, 240, axis=1), made)
    assert late.late_ms == pytest.approx(5.0, abs=0.1) and late.jitter_ms < 0.1
    assert onsets.judge(np.zeros_like(made.samples), made).missed == 1.0
    held = made.samples.copy()  # notes wait for the next multiple of 1024: a known jitter
    rng = np.random.default_rng(0)
    moves = rng.integers(0, 1024, made.begins.shape)
    for row, begins in enumerate(made.begins):
        held[row] = 0
        for at, move in zip(begins, moves[row], strict=True):
            held[row, at + move : at + move + 8000] = made.samples[row, at : at + 8000]
    found = onsets.judge(held, made)
    assert found.late_ms == pytest.approx(1000 * np.median(moves) / RATE, abs=0.3)
    low, high = np.percentile(moves, [5, 95])
    assert found.jitter_ms == pytest.approx(1000 * (high - low) / RATE, abs=0.7)


def test_a_slow_attack_is_late_by_its_tenth() -> None:
    made = onsets.events(RATE, count=40, rows=4)
    slow = np.zeros_like(made.samples)
    for row, begins in enumerate(made.begins):
        for at in begins:
            part = made.samples[row, at : at + 6000]
            slow[row, at : at + 6000] = part * np.minimum(1, np.arange(6000) / 4800)
    assert 5 < onsets.judge(slow, made).late_ms < 12

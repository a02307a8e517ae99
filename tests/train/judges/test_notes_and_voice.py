"""Pitch, loudness and voice judges on sounds whose truth is known."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from train.judging.judges import level, pitch, voice

RATE = 48000


def needs(*names: str) -> pytest.MarkDecorator:
    missing = [n for n in names if importlib.util.find_spec(n) is None]
    return pytest.mark.skipif(bool(missing), reason=f"{missing} not installed (make judges)")


def plucked(notes: list[tuple[float, float, int]], seconds: float) -> np.ndarray:
    y = np.zeros(round(seconds * RATE))
    for begin, end, key in notes:
        t = np.arange(round((end - begin) * RATE)) / RATE
        hz = 440 * 2 ** ((key - 69) / 12)
        tone = sum(np.sin(2 * np.pi * hz * k * t) / k**1.5 for k in range(1, 7))
        start = round(begin * RATE)
        fade = np.minimum(1.0, (t[-1] - t) / 0.02)
        y[start : start + len(t)] += 0.2 * tone * np.exp(-2 * t) * fade
    return y.astype(np.float32)


MELODY = [(0.2 + 0.5 * i, 0.65 + 0.5 * i, k) for i, k in enumerate((60, 64, 67, 72, 69, 62))]


def test_f1_is_the_harmonic_mean() -> None:
    precision, recall = 6 / 8, 6 / 12
    assert pitch.f1(6, 8, 12) == pytest.approx(2 * precision * recall / (precision + recall))
    assert pitch.f1(0, 0, 0) == 1.0 and pitch.f1(0, 3, 4) == 0.0


def test_piano_roll_holds_keys_while_they_sound() -> None:
    roll = pitch.piano_roll([(0.0, 1.0, 60), (0.5, 0.501, 21), (0.0, 1.0, 5)], 100)
    a_second = round(pitch.RATE / pitch.HOP)
    assert roll[:, 60 - 21].sum() == a_second and roll[:, 0].sum() == 1
    assert roll.sum() == a_second + 1


@needs("basic_pitch", "mir_eval")
def test_a_melody_is_found_where_it_is_and_not_elsewhere() -> None:
    found = pitch.scores(plucked(MELODY, 4.0), MELODY)
    assert found["pitch_f1"] > 0.7 and found["onset_f1"] > 0.8
    transposed = [(a, b, k + 1) for a, b, k in MELODY]
    late = [(a + 0.25, b + 0.25, k) for a, b, k in MELODY]
    assert pitch.scores(plucked(MELODY, 4.0), transposed)["pitch_f1"] < 0.2
    assert pitch.scores(plucked(MELODY, 4.0), late)["onset_f1"] < 0.3


@needs("basic_pitch")
def test_activations_do_not_jump_where_windows_meet() -> None:
    frames, onsets = pitch.activations(plucked([(0.1, 4.8, 60)], 5.0))
    assert frames.shape == onsets.shape == (5 * pitch.RATE // pitch.HOP, 88)
    held = frames[20:250, 60 - 21]
    assert held.min() > pitch.FRAME_THRESHOLD


@needs("pyloudnorm")
def test_loudness_of_the_standards_tone() -> None:
    # EBU Tech 3341, case 1, on one channel: a 997 Hz sine of -23 dBFS peak is -26.0 LUFS
    t = np.arange(5 * RATE) / RATE
    x = (10 ** (-23 / 20) * np.sin(2 * np.pi * 997 * t)).astype(np.float32)
    assert level.loudness(x) == pytest.approx(-26.0, abs=0.1)
    assert level.loudness(np.zeros(RATE, dtype=np.float32)) == level.SILENCE


@needs("swift_f0")
def test_voiced_fraction_tells_tone_from_breath() -> None:
    t = np.arange(2 * RATE) / RATE
    tone = 0.1 * sum(np.sin(2 * np.pi * 150 * k * t) / k for k in range(1, 12))
    breath = 0.1 * np.random.default_rng(0).standard_normal(2 * RATE)
    assert voice.voiced_fraction(tone.astype(np.float32)) > 0.9
    assert voice.voiced_fraction(breath.astype(np.float32)) < 0.1
    half = np.concatenate([tone, breath]).astype(np.float32)
    assert voice.voiced_fraction(half) == pytest.approx(0.5, abs=0.1)


@needs("jiwer")
def test_word_errors_count_substitutions_insertions_and_deletions() -> None:
    said = ["The cat sat on the mat.", "Hello, world!"]
    heard = ["the cat sat on a mat", "hello big world"]
    assert voice.word_errors(said, heard) == pytest.approx((1 + 1) / 8)
    assert voice.word_errors(["one two"], [""]) == pytest.approx(1.0)


@needs("resemblyzer", "webrtcvad", "speechmos", "librosa")
def test_a_voice_is_most_like_itself_and_noise_lowers_quality() -> None:
    t = np.arange(2 * RATE) / RATE
    beat = 0.5 + 0.5 * np.sin(2 * np.pi * 4 * t)
    tone = 0.1 * beat * sum(np.sin(2 * np.pi * 130 * k * t) / k for k in range(1, 20))
    x = tone.astype(np.float32)
    noisy = (tone + 0.3 * np.random.default_rng(0).standard_normal(len(t))).astype(np.float32)
    assert voice.speaker_similarity(x, x) == pytest.approx(1.0, abs=1e-4)
    assert voice.speaker_similarity(x, noisy) < 0.95
    assert set(voice.quality(x)) == {"mos_speech", "mos_background", "mos_overall"}

"""Voices learnt from notes whose parameters are known; files and names that will not do."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from realtime.errors import ConfigError
from train.data.scores.render import SOUNDFONTS
from train.voices import analysis
from train.voices.judge import thirds_apart
from train.voices.known import rows_of, sound_of, true_patch
from train.voices.learn import learn
from train.voices.noise import between_partials
from train.voices.single_notes import LOUD, Note, Source, pitch_in, source
from train.voices.tables import (
    LOUD_DB,
    PARTIALS,
    About,
    Tables,
    knots,
    levelled,
    load,
    loudness,
    save,
    shapes,
)

from .simple import tables

VOICES = Path(__file__).parents[3] / "exported" / "players"

Floats = npt.NDArray[np.float64]
Array = npt.NDArray[np.float32]
RATE = 48000
F0 = analysis.fundamental(57)


def note(hz: list[float], sizes: list[float], decay: float = 0.0, held: float = 3.0) -> Note:
    """Partials that fall by `decay`, and by 30 nepers a second from the note's end on."""
    t = np.arange(round((held + 0.6) * RATE)) / RATE
    level = np.exp(-decay * t) * np.exp(-30.0 * np.maximum(0.0, t - held))
    x = sum(a * np.sin(2 * np.pi * f * t + k) for k, (f, a) in enumerate(zip(hz, sizes)))  # noqa: B905
    return Note(57, LOUD, x * level, held)


def test_partials_of_a_bar_their_decay_and_release_are_found() -> None:
    hz, sizes = [F0, 3.93 * F0, 9.7 * F0], [0.1, 0.05, 0.02]
    row = analysis.analyse(note(hz, sizes, decay=2.0))
    np.testing.assert_allclose(row.hz[:3], hz, rtol=1e-3)
    assert not row.hz[3:].any()
    ages = knots()
    inside = (ages > 0.05) & (ages < 2.0)
    wanted = np.log(sizes) - 2.0 * ages[inside][:, None]
    np.testing.assert_allclose(row.course[inside][:, :3], wanted, atol=0.1)
    np.testing.assert_allclose(row.tail[:3], -2.0, atol=0.15)
    np.testing.assert_allclose(row.release[:3], 32.0, rtol=0.1)
    np.testing.assert_allclose(row.steady[:3], 1.0, atol=0.02)


def test_two_lines_beside_each_other_are_told_from_chance() -> None:
    rng = np.random.default_rng(2)
    two = note([F0, F0 + 2.0], [0.1, 0.05])
    row = analysis.analyse(two)
    assert abs(abs(row.beat[0]) - 2.0) < 0.15
    assert abs(row.second[0] / row.steady[0] - 0.5) < 0.08 and row.random[0] < 0.25
    # Gaussian noise through two poles of 2 Hz around the note
    n = len(two.samples)
    pole = np.exp(-2 * np.pi * 2.0 / RATE)
    z = rng.standard_normal(n) + 1j * rng.standard_normal(n)
    from scipy.signal import lfilter

    z = lfilter([1.0], [1.0, -2 * pole, pole**2], z)
    z *= 0.1 / np.sqrt(np.mean(np.abs(z) ** 2))
    x = np.real(z * np.exp(2j * np.pi * F0 * np.arange(n) / RATE))
    row = analysis.analyse(Note(57, LOUD, x, 3.0))
    assert row.random[0] > 0.9 and 0.7 < row.width[0] < 4.0


def shaped(db: Callable[[Floats], Floats], n: int) -> Floats:
    """Gaussian noise whose density is `db` of the frequency, in dB a Hz."""
    hz: Floats = np.asarray(np.fft.rfftfreq(n, 1.0 / RATE), dtype=np.float64)
    spectrum = np.fft.rfft(np.random.default_rng(1).standard_normal(n))
    return np.fft.irfft(spectrum * 10.0 ** (db(hz) / 20.0) * np.sqrt(RATE / 2.0), n)


@pytest.mark.parametrize(
    ("db", "within"),
    [
        (lambda hz: -100.0 + 0.0 * hz, 1.5),
        (lambda hz: -90.0 - 18.0 * np.log2(np.maximum(hz, 50.0) / 600.0).clip(0.0), 2.5),
        # a formant's flank: 24 dB in two thirds of an octave
        (lambda hz: -102.0 - 12.0 * np.tanh(4.0 * np.log2(np.maximum(hz, 1.0) / 2500.0)), 4.0),
    ],
    ids=["flat", "slope", "flank"],
)
def test_noise_between_partials_has_its_density_everywhere(
    db: Callable[[Floats], Floats], within: float
) -> None:
    made = note([k * F0 for k in range(1, 9)], [0.1 / k for k in range(1, 9)])
    x = made.samples + shaped(db, len(made.samples))
    row = analysis.analyse(Note(57, LOUD, x, 3.0))
    hz = np.geomspace(300.0, 12000.0, 60)
    found = 10.0 * np.log10(shapes(hz) @ np.exp(2.0 * row.course[12, PARTIALS:]))
    np.testing.assert_allclose(found, db(hz), atol=within)


def test_harmonics_that_are_no_partials_count_as_noise_as_far_as_partials_are_chance() -> None:
    hz: Floats = 100.0 * np.arange(1.0, 101.0)
    t = np.arange(2 * RATE) / RATE
    x: Floats = np.sum([0.01 * np.sin(2 * np.pi * f * t + f * f) for f in hz], axis=0)
    none, whole = (between_partials(x, 100.0, hz[:24], share)[200].sum() for share in (0.0, 1.0))
    wanted = 0.5 * 0.01**2 * np.sum(hz > 2400.0)
    assert none < 0.01 * wanted and abs(whole / wanted - 1.0) < 0.3


def test_velocity_has_the_exponent_of_its_notes() -> None:
    loud = [note([k * f for k in (1, 2)], [0.1, 0.05]) for f in (F0,)] * 3
    notes = [Note(p, LOUD, n.samples, n.held) for p, n in zip((57, 57, 57), loud, strict=True)]
    notes += [Note(57, LOUD // 2, 0.25 * loud[0].samples, 3.0)]
    found, _ = learn(Source(tuple(notes), "", "MIT"))
    np.testing.assert_allclose(found.touch[0, :2], 2.0, atol=0.05)


@pytest.mark.parametrize(
    ("name", "pitch"),
    [("C4", 60), ("piano_Bb3_soft", 58), ("cello-f#2", 42), ("note 069 v2", 69), ("drone", None)],
)
def test_a_file_name_says_its_pitch(name: str, pitch: int | None) -> None:
    assert pitch_in(name) == pitch


def test_a_folder_of_notes_becomes_a_voice(tmp_path: Path) -> None:
    for name, key in (("A3", 57), ("A4", 69), ("A5", 81)):
        f0 = analysis.fundamental(key)
        x = note([f0, 2 * f0], [0.2, 0.1], decay=3.0, held=1.0).samples
        soundfile.write(tmp_path / f"{name}.wav", np.r_[np.zeros(5000), x], RATE)
    found, _ = learn(source(str(tmp_path), "own-recording"))
    assert found.pitches.tolist() == [57, 69, 81]
    np.testing.assert_allclose(found.ratio[:, :2], [[1, 2]] * 3, rtol=2e-3)
    assert found.every().pitches.shape == (69,)
    with pytest.raises(ConfigError, match="licence"):
        source(str(tmp_path))
    soundfile.write(tmp_path / "hum.wav", np.zeros(100), RATE)
    with pytest.raises(ConfigError, match=r"hum\.wav: expected a note in the name"):
        source(str(tmp_path), "own-recording")


@pytest.mark.parametrize("text", ["fluidr3", "fluidr3:128", "nowhere.sf2:3", "fluidr3:x"])
def test_what_is_no_source_is_one_sentence(text: str) -> None:
    with pytest.raises(ConfigError, match=r"SOUNDFONT:PROGRAMME|there is no soundfont"):
        source(text, "MIT")


def test_a_voice_comes_back_from_its_file_and_others_are_refused(tmp_path: Path) -> None:
    path, about = tmp_path / "one.npz", About("one", "here", "MIT", 0.01)
    save(path, tables(), about)
    found, said = load(path)
    assert said == about
    np.testing.assert_allclose(found.course, tables().course, atol=0.02)
    bad = np.full((69, PARTIALS), np.nan)
    save(path, tables(steady=bad), about)
    with pytest.raises(ConfigError, match="expected finite 'steady'"):
        load(path)
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(ConfigError, match="is no voice"):
        load(path)
    with pytest.raises(ConfigError, match="voice-from"):
        load(tmp_path / "missing.npz")
    assert isinstance(found, Tables)


@pytest.mark.parametrize("path", sorted(VOICES.glob("*.npz")), ids=lambda p: p.stem)
def test_the_voices_that_come_with_restyle_are_whole(path: Path) -> None:
    found, about = load(path)
    assert about.name == path.stem and about.licence == "MIT" and 0.0 <= about.lead <= 0.06
    assert found.pitches.tolist() == list(range(28, 97, 2))
    power = found.steady**2 + found.second**2 + found.random**2
    np.testing.assert_allclose(power, 1.0, atol=2e-3)
    assert path.stat().st_size < 60_000


def test_voices_come_out_as_loud_as_each_other_however_they_die_away() -> None:
    notes = [(0.7 * k, 0.7 * k + 0.6, key, 1.0) for k, key in enumerate((50, 57, 64, 71))]
    found = {}
    for path in sorted(VOICES.glob("*.npz")):
        y = sound_of(rows_of(notes, 2.8), [levelled(load(path)[0])])
        parts = [y[round(0.7 * k * RATE) :][: round(0.6 * RATE)] for k in range(4)]
        found[path.stem] = np.mean([10 * np.log10(np.mean(np.square(p))) for p in parts])
    assert max(found.values()) - min(found.values()) < 2.0, found  # dB; as learnt they are 6 apart
    quiet = replace(learnt := load(VOICES / "flute.npz")[0], course=learnt.course - 2.0)
    assert loudness(levelled(quiet)) == pytest.approx(LOUD_DB, abs=0.05)


@pytest.mark.skipif(
    shutil.which("fluidsynth") is None or not Path(SOUNDFONTS["fluidr3"][0]).is_file(),
    reason="FluidSynth or its soundfont FluidR3 is not installed",
)
@pytest.mark.parametrize(("name", "programme", "key"), [("strings", 48, 28), ("choir", 52, 33)])
def test_the_noise_of_a_bass_note_falls_as_the_true_patchs(
    name: str, programme: int, key: int
) -> None:
    found, _ = load(VOICES / f"{name}.npz")

    def voice(notes: list[tuple[float, float, int, float]], seconds: float) -> Array:
        return sound_of(rows_of(notes, seconds), [found])

    apart = thirds_apart(voice, lambda notes, s: true_patch(notes, s, programme), key)
    assert apart < 9.0, "bands with edges were 13 and 19 dB away"

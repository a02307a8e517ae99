from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from scipy.signal import fftconvolve

from realtime.dsp.convolver import Convolver
from realtime.errors import ChainError, RestyleError
from realtime.stages.build import make_effect

from ...signals import Array, impulse, noise
from .playing import RATE, Player, null_db, prepared, stepped


def written(path: Path, samples: Any, rate: int = RATE, subtype: str = "FLOAT") -> str:
    soundfile.write(str(path), np.atleast_2d(samples).T, rate, subtype=subtype)
    return str(path)


def fading(taps: int, channels: int = 1, seed: int = 0) -> Array:
    rng = np.random.default_rng(seed)
    decay = np.exp(-np.arange(taps) / (taps / 5))
    return (0.05 * rng.standard_normal((channels, taps)) * decay).astype(np.float32)


def through(path: str, x: Array, sizes: list[int] | None = None, **more: Any) -> Array:
    stage = prepared("Convolution", x.shape[0], impulse_response_filename=path, **more)
    return stepped(stage, x, sizes or [64])


def exact(x: Array, response: Array) -> np.ndarray:
    n, many = x.shape[1], response.shape[0]
    return np.stack(
        [
            fftconvolve(x[c].astype(float), response[c % many].astype(float))[:n]
            for c in range(x.shape[0])
        ]
    )


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("taps", [1, 100, 129, 1000, 3500, 20000, 80000])
def test_it_is_a_convolution_without_delay(taps: int, channels: int, tmp_path: Path) -> None:
    response = fading(taps, channels)
    path = written(tmp_path / "r.wav", response)
    x = noise(60000, channels, 0.5)
    assert null_db(through(path, x), exact(x, response)) <= -110.0


def test_ten_seconds_of_stereo(tmp_path: Path) -> None:
    response = fading(10 * RATE - 5, 2)
    path = written(tmp_path / "r.wav", response)
    x = noise(11 * RATE, 2, 0.5)
    found = through(path, x, [1024])
    assert null_db(found, exact(x, response)) <= -110.0


@pytest.mark.parametrize("taps", [700, 9000, 70000])
def test_the_bits_do_not_depend_on_how_the_sound_is_cut(taps: int, tmp_path: Path) -> None:
    path = written(tmp_path / "r.wav", fading(taps))
    x = noise(90000, 1, 0.5)
    expected = through(path, x)
    rng = np.random.default_rng(2)
    for sizes in ([16], [1024], [37, 500, 1, 3], rng.integers(1, 1024, 60).tolist()):
        assert np.array_equal(through(path, x, sizes), expected)


def test_every_block_of_64_has_its_share_of_the_work() -> None:
    (level,) = (r for r in Convolver(fading(480000, 2), 2).levels if r["size"] == 4096)
    due = level.arrays["program"][:, 5]
    assert (np.diff(due) >= 0).all() and due[0] == 0
    counts = np.histogram(due, bins=np.arange(0, 4097, 64))[0]
    assert counts.min() >= 1  # steps of a transform are dear, products are cheap


def test_an_identity_changes_nothing(tmp_path: Path) -> None:
    path = written(tmp_path / "r.wav", impulse(50, 0, height=1.0))
    x = noise(5000)
    assert np.array_equal(through(path, x), x)
    assert np.array_equal(through(path, x, normalize="on"), x)


def test_mix(tmp_path: Path) -> None:
    response = fading(500)
    path = written(tmp_path / "r.wav", response)
    x = noise(5000)
    expected = 0.75 * x + 0.25 * exact(x, response)
    assert null_db(through(path, x, mix=0.25), expected) <= -120.0


def response_db(path: str, rate: int = RATE, **more: Any) -> np.ndarray:
    """Magnitude in dB at whole Hz."""
    stage = prepared("Convolution", rate=rate, impulse_response_filename=path, **more)
    y = stepped(stage, impulse(rate, 0, height=0.5), [64])
    return 20 * np.log10(2 * np.abs(np.fft.rfft(y[0])) + 1e-9)


@pytest.mark.parametrize("rate", [44100, 96000, 32000])
@pytest.mark.parametrize("onset", [0, 100])
def test_a_response_of_another_rate_keeps_its_frequency_response(
    rate: int, onset: int, tmp_path: Path
) -> None:
    t = np.arange(rate // 4) / rate
    ringing = np.exp(-t / 0.002) * np.cos(2 * np.pi * 3000.0 * t) / rate * 2000
    ringing[0] += 0.5
    samples = np.concatenate([np.zeros(onset), ringing])
    path = written(tmp_path / "r.wav", samples, rate)
    found = response_db(path)
    spectrum = np.abs(np.fft.rfft(samples, rate * 4)[::4])
    known = 20 * np.log10(spectrum)
    band = slice(20, round(0.45 * min(rate, RATE)) - 400)
    assert np.abs(found[band] - known[band]).max() <= 0.2


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_formats_sound_the_same(subtype: str, tmp_path: Path) -> None:
    response = 4.0 * fading(4000)
    found = response_db(written(tmp_path / "r.wav", response, subtype=subtype))
    expected = response_db(written(tmp_path / "f.flac", response, subtype="PCM_24"))
    assert np.abs(found - expected)[100:20000].max() <= 0.2


def test_loudness_is_not_moved_by_silence_behind_the_response(tmp_path: Path) -> None:
    response = fading(4000)
    long = np.concatenate([response, np.zeros((1, 3 * RATE), np.float32)], axis=1)
    paths = [written(tmp_path / f"{i}.wav", r) for i, r in enumerate((response, long))]
    stages = [make_effect("Convolution", {"impulse_response_filename": p}) for p in paths]
    levels, taps = [], []
    for stage in stages:
        stage.prepare(RATE, 1, 64)
        levels.append(stage.record["inner_level"])  # type: ignore[union-attr]
        taps.append(stage._inner._convolver.levels[-1]["partitions"])  # type: ignore[union-attr]
    assert 20 * np.log10(levels[1] / levels[0]) == pytest.approx(0.0, abs=0.1)
    assert taps[0] == taps[1]


@pytest.mark.parametrize("gain", [0.01, 10.0])
def test_normalized_pink_noise_is_as_loud_as_before(gain: float, tmp_path: Path) -> None:
    pyloudnorm = pytest.importorskip("pyloudnorm")
    path = written(tmp_path / "r.wav", gain * fading(4000))
    rng = np.random.default_rng(0)
    spectrum = np.fft.rfft(rng.standard_normal(6 * RATE))
    spectrum[1:] /= np.sqrt(np.arange(1, spectrum.size))
    pink = np.fft.irfft(spectrum)
    pink = (0.1 * pink / pink.std()).astype(np.float32)[None]
    meter = pyloudnorm.Meter(RATE)
    before, after = (
        meter.integrated_loudness(y[0]) for y in (pink, through(path, pink, normalize="on"))
    )
    assert after == pytest.approx(before, abs=0.5)


def test_a_stereo_response_plays_a_channel_each_and_its_left_one_in_mono(tmp_path: Path) -> None:
    response = fading(2000, 2)
    path = written(tmp_path / "r.wav", response)
    x = noise(5000, 2)
    assert null_db(through(path, x), exact(x, response)) <= -110.0
    assert null_db(through(path, x[:1]), exact(x[:1], response[:1])) <= -110.0
    mono = written(tmp_path / "m.wav", response[:1])
    assert null_db(through(mono, x), exact(x, response[:1])) <= -110.0


def test_what_is_no_impulse_response_is_refused_in_a_sentence(tmp_path: Path) -> None:
    text = tmp_path / "text.wav"
    text.write_text("no sound at all")
    cases = {
        str(text): "cannot read",
        str(tmp_path / "gone.wav"): "does not exist",
        written(tmp_path / "silent.wav", np.zeros(100)): "is silent",
        written(tmp_path / "four.wav", np.ones((4, 10))): "4 channels",
        written(tmp_path / "long.wav", fading(11 * RATE)): "longer than 10 s",
    }
    for path, words in cases.items():
        with pytest.raises(RestyleError, match=words):
            make_effect("Convolution", {"impulse_response_filename": path})
    with pytest.raises(ChainError, match="needs impulse_response_filename"):
        make_effect("Convolution", {})


def test_it_repeats_itself_after_a_reset(tmp_path: Path) -> None:
    path = written(tmp_path / "r.wav", fading(20000))
    player = Player("Convolution", impulse_response_filename=path)
    x = noise(30016, 1, 0.1)
    first = player.play(x)
    assert player.path.latency == 0
    player.path.reset()
    assert np.array_equal(player.play(x), first)

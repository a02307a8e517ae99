"""Oversampling: the filters against scipy, the delay as declared, fewer aliases, the same tone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.signal import firwin, freqz, lfilter

from realtime.dsp.halfband import MOST, delay, design, double, halve
from realtime.errors import RestyleError
from realtime.models.load import open_model
from realtime.models.nam.build import Variant
from realtime.models.nam.convert import make_player, open_capture
from realtime.models.nam.file import from_data
from realtime.models.nam.oversample import FACTORS, LATENCY, filters
from realtime.presets.chains import read_chain
from realtime.session.operations import Set

from ..signals import noise, sine
from ..sounds import RATE, Player, heard, model, on_disk, path_of, sound
from .test_file import tiny, write
from .test_import import restyle

FINER = FACTORS[1:]


def linear(taps: list[float]) -> dict[str, Any]:
    return {
        "version": "0.5.4", "architecture": "Linear", "weights": taps, "sample_rate": RATE,
        "config": {"receptive_field": len(taps), "bias": False},
    }  # fmt: skip


def driven() -> dict[str, Any]:
    """A capture that clips: two channels of tanh."""
    data = tiny(sample_rate=RATE)
    weights = np.zeros(28)
    weights[:2] = 3.0  # into both channels
    weights[2 + 2 :: 6][:1] = 1.0
    weights[-4:-2] = 0.7
    weights[-1] = 0.5
    rng = np.random.default_rng(2)
    data["weights"] = (weights + rng.uniform(-0.4, 0.4, 28)).tolist()
    data["weights"][-1] = 0.5
    return data


def played(data: dict[str, Any], x: np.ndarray, factor: int, hop: int = 64) -> np.ndarray:
    player = open_capture(Variant("", from_data(data)), "x", 1, hop, factor)
    blocks = x[: len(x) // hop * hop].astype(np.float32).reshape(-1, 1, 1, hop)
    return np.concatenate([player.step(b).ravel() for b in blocks])


def aliases(y: np.ndarray, tone: int) -> float:
    """Power beside the harmonics of a tone, over that of all [dB]; `y` is one second."""
    power = np.abs(np.fft.rfft(y * np.hanning(len(y)))) ** 2
    own = np.zeros(len(power), dtype=bool)
    for k in range(0, RATE // 2 + 1, tone):
        own[max(0, k - 3) : k + 4] = True
    return float(10 * np.log10(power[~own].sum() / power.sum()))


@pytest.mark.parametrize("factor", FINER)
def test_a_filter_is_the_one_scipy_makes_of_its_branches_and_stops_what_folds_back(
    factor: int,
) -> None:
    for finer, a in enumerate(filters(factor)):
        x = np.zeros(256)
        x[0] = 1.0
        up, down = np.zeros(512), np.zeros(256)
        row = np.zeros(MOST)
        row[: len(a)] = a
        double(row, len(a), np.zeros((2, MOST)), x, up, 256)
        branches = []
        for begin in (0, 1):
            y = x
            for c in a[begin::2]:
                y = lfilter([c, 1.0], [1.0, c], y)
            branches.append(y)
        assert np.allclose(up, np.ravel(np.transpose(branches)), atol=1e-14)
        frequencies, response = freqz(up / 2, worN=4096, fs=1.0)
        level = 20 * np.log10(np.abs(response) + 1e-12)
        kept, cut = (0.125, 0.376) if finer == 1 else (0.0625, 0.4376) if finer else (0.17, 0.33)
        assert level[frequencies < kept].min() > -1e-4
        assert level[frequencies > cut].max() < -78.0
        halve(row, len(a), np.zeros((2, MOST)), up, down, 256)
        assert np.sum(np.arange(256) * down) == pytest.approx(delay(a), abs=2e-3)  # at 0 Hz


def test_a_steeper_filter_has_more_coefficients_and_more_delay() -> None:
    assert delay(design(5, 0.17)) > delay(design(4, 0.17)) > delay(design(4, 0.2)) > 0


@pytest.mark.parametrize("factor", FINER)
def test_the_sound_is_as_late_as_declared_and_its_tone_is_kept(factor: int) -> None:
    x = lfilter(firwin(255, 2000, fs=RATE), 1.0, noise(9600)[0])
    y = played(linear([1.0]), x, factor)
    late = LATENCY[factor]
    assert np.abs(y[late:] - x[: len(x) - late]).max() < 2e-3 * np.abs(x).max()
    # an impulse response reaches to 16 kHz as it does without
    impulse = np.zeros(4800)
    impulse[0] = 1.0
    taps = [0.5, 0.3, -0.2, 0.1, 0.0, 0.05]
    plain, fine = (np.abs(np.fft.rfft(played(linear(taps), impulse, f))) for f in (1, factor))
    hz = np.fft.rfftfreq(4800, 1 / RATE)
    assert np.abs(20 * np.log10(fine / plain))[hz <= 16_000].max() < 0.05
    assert np.abs(20 * np.log10(fine / plain))[hz <= 20_000].max() < 1.5


def test_what_folds_back_falls_with_every_doubling() -> None:
    x = sine(2 * RATE, 9001.0, 0.7)[0]
    found = [aliases(played(driven(), x, f)[-RATE:], 9001) for f in FACTORS]
    assert found[0] > -40.0
    assert found[1] < found[0] - 10.0 and found[2] < found[1] - 6.0 and found[3] < found[0] - 25.0


@pytest.mark.parametrize("factor", FACTORS)
def test_the_stream_does_not_depend_on_how_it_is_cut(factor: int) -> None:
    x = noise(64 * 37 * 2)[0]
    first = played(driven(), x, factor, 64)
    for hop in (16, 37):
        assert np.array_equal(first, played(driven(), x, factor, hop)[: len(first)])
    if factor == 1:
        player = make_player(Variant("", from_data(driven())), "x", 1)
        blocks = x.reshape(-1, 1, 1, 64)
        assert np.array_equal(first, np.concatenate([player.step(b).ravel() for b in blocks]))


@pytest.mark.parametrize("factor", FINER)
def test_it_starts_settled_and_starts_so_again(factor: int) -> None:
    player = open_capture(Variant("", from_data(driven())), "x", 2, 64, factor)
    silence = np.zeros((2, 1, 64), dtype=np.float32)
    first = player.step(silence)
    assert np.ptp(first) < 1e-6 and abs(first[0, 0, 0]) > 1e-3
    before = player.snapshot()
    x = noise(64, channels=2)[:, None]
    once = player.step(x)
    player.restore(before)
    assert np.array_equal(player.step(x), once)
    player.reset()
    assert np.array_equal(player.step(silence), first)


def test_a_chain_file_a_command_and_a_running_session_ask_for_it(tmp_path: Path) -> None:
    capture = write(tmp_path, driven(), "amp.nam")
    chain = tmp_path / "rig.toml"
    chain.write_text('[[stage]]\nmodel = "amp.nam"\noversampling = 4\n')
    stages = read_chain(chain)
    assert path_of(sound(*stages)).latency == 3
    x = noise(9600)
    expected = heard(sound(*stages), x)
    with Player(sound(model(capture, identity=1)), x) as player:
        player.session.do(Set(1, "oversampling", 4.0), wait=False)
        y = player.finish()
        assert player.session.stream.path.latency == 3 == player.declared
        assert player.session.now().sound.stages[0].parameters == {"oversampling": 4.0}
    assert np.array_equal(y[:, 3 + 6400 : 9600], expected[:, 6400 : 9600 - 3])
    import soundfile

    dry, wet, other = (tmp_path / n for n in ("dry.wav", "wet.wav", "other.wav"))
    soundfile.write(dry, x[0], RATE, subtype="FLOAT")
    assert restyle("render", str(dry), str(wet), "--chain", str(chain))[0] == 0
    asked = ("render", "--force", str(dry), str(other), "-m", str(capture), "--set")
    assert restyle(*asked, "oversampling=4")[0] == 0
    assert np.array_equal(soundfile.read(wet)[0], soundfile.read(other)[0])
    for value in ("3", "16", "0", "two"):
        code, text = restyle(*asked, f"oversampling={value}")
        assert code == 2 and "oversampling must be" in text


def test_only_captures_have_it() -> None:
    with pytest.raises(RestyleError, match="oversampling"):
        path_of(sound(model("tube-amp", oversampling=2.0)))


@pytest.mark.parametrize("factor", FACTORS)
def test_a_file_on_disk_is_opened_at_any_factor(factor: int) -> None:
    opened = open_model(on_disk(json.dumps(driven()).encode(), ".nam"), 1, 64, factor)
    assert opened.card.latency == LATENCY[factor]
    assert opened.controls.shape == (1, len(opened.card.controls))

"""Captures are given the level they were captured at, where they and the interface say theirs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from realtime.commands.live import level as asking
from realtime.devices.list import DeviceInfo
from realtime.errors import ConfigError
from realtime.presets.interfaces import interfaces_file, keep_level, known_levels
from realtime.session.builder import Builder
from realtime.session.sound import Sound, Stage

from ..nam.test_import import restyle
from ..signals import noise
from ..sounds import RATE, Player, effect, group, heard, model, on_disk, path_of, sound


def capture(gain: float, **stated: Any) -> Stage:
    data = {
        "version": "0.5.4", "architecture": "Linear", "weights": [gain], "sample_rate": RATE,
        "config": {"receptive_field": 1, "bias": False}, "metadata": stated,
    }  # fmt: skip
    return model(on_disk(json.dumps(data).encode(), ".nam"))


AMP = capture(0.5, input_level_dbu=14.0, output_level_dbu=2.0)
PEDAL = capture(1.0, input_level_dbu=8.0, output_level_dbu=10.0)
UNSAID = capture(1.0)


def gain_db(what: Sound, level: float | None) -> float:
    """What a sound does to a level, where full scale is `level` dBu."""
    x = np.float32(0.01) * noise(6400)
    path = Builder(1, RATE, input_level_dbu=level).path(what)
    y = path.process_hops(x)
    path.close()
    return float(20 * np.log10(np.abs(y).max() / np.abs(x).max()))


@pytest.mark.parametrize(
    ("stages", "level", "expected"),
    [
        ([AMP], 12.0, -2.0), ([AMP], None, 0.0), ([UNSAID], 12.0, 6.02),
        ([PEDAL, AMP], 12.0, 4.0 - 4.0),  # into the amplifier comes what the pedal gives
        ([PEDAL, AMP], None, -4.0),  # which is known where the interface is not
        ([UNSAID, AMP], 12.0, 0.0),  # what this one gives is not known
        ([effect("Gain", gain_db=-3.0), AMP], 12.0, -5.0),
        ([group([AMP])], 12.0, -2.0), ([group([PEDAL]), AMP], 12.0, 4.0),
        ([group([effect("Gain", gain_db=0.0)]), AMP], 12.0, -2.0),
    ],
)  # fmt: skip
def test_the_gain_is_the_difference_of_the_levels(
    stages: list[Stage], level: float | None, expected: float
) -> None:
    plain = -6.02 if UNSAID not in stages or len(stages) > 1 else 0.0
    assert gain_db(sound(*stages), level) == pytest.approx(
        expected + plain if UNSAID not in stages or len(stages) > 1 else 0.0, abs=0.01
    )


def test_a_session_plays_at_the_devices_level_and_a_render_at_the_one_given(tmp_path: Path) -> None:
    x = np.float32(0.1) * noise(9600)
    plain = heard(sound(AMP), x)
    with Player(sound(AMP), x, device={"input_level_dbu": 20.0}) as player:
        y = player.finish()
    assert np.allclose(y[:, :9600], plain * 10 ** (6.0 / 20), atol=1e-6)
    dry, wet = tmp_path / "dry.wav", tmp_path / "wet.wav"
    soundfile.write(dry, x[0], RATE, subtype="FLOAT")
    ask = ("render", str(dry), str(wet), "--force", "--model", str(AMP.model), "--input-level-dbu")
    assert restyle(*ask, "20")[0] == 0
    assert np.allclose(soundfile.read(wet)[0], y[0, :9600], atol=1e-4)
    code, text = restyle(*ask, "70")
    assert code == 2 and "within -40..40 dBu" in text


def test_odd_levels_in_a_file_count_as_unsaid() -> None:
    for value in (True, "12", None, [1], 1e9, float("nan")):
        assert gain_db(sound(capture(1.0, input_level_dbu=value)), 0.0) == pytest.approx(
            0, abs=0.01
        )


@pytest.fixture
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """An interface, a folder for settings, and the answers that are typed."""
    monkeypatch.setenv("RESTYLE_PRESETS", str(tmp_path / "settings" / "presets"))
    answers: list[str] = []
    monkeypatch.setattr("builtins.input", lambda _: answers.pop(0))
    monkeypatch.setattr(asking.sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(asking.sys.stdout, "isatty", lambda: True, raising=False)
    info = DeviceInfo(0, "Scarlett", "ALSA", 2, 2, RATE, True, True)
    monkeypatch.setattr(asking, "find_device", lambda wanted, side: info)
    return answers


def test_it_is_asked_once_and_kept_for_the_interface(card: list[str]) -> None:
    card += ["loud", "99", "12,5 dBu"]
    assert asking.input_level(None, None, False, sound(AMP)) == 12.5
    assert card == [] and known_levels() == {"Scarlett": 12.5}
    assert asking.input_level(None, None, False, sound(AMP)) == 12.5
    assert asking.input_level(9.0, None, False, sound(AMP)) == 9.0
    assert known_levels() == {"Scarlett": 9.0}


def test_not_knowing_is_an_answer_and_nobody_is_asked_in_vain(card: list[str]) -> None:
    assert asking.input_level(None, None, False, sound(UNSAID)) is None
    assert asking.input_level(None, None, True, sound(AMP)) is None
    assert asking.input_level(3.0, None, True, sound(AMP)) == 3.0
    assert known_levels() == {}
    card += [""]
    assert asking.input_level(None, None, False, sound(AMP)) is None
    assert asking.input_level(None, None, False, sound(AMP)) is None
    assert known_levels() == {"Scarlett": None}


@pytest.mark.parametrize("text", ["{", "[]", '{"x": "loud"}', '{"x": 400}', "[" * 100_000, "\xff"])
def test_a_damaged_file_of_levels_is_said_and_kept(text: str, card: list[str]) -> None:
    interfaces_file().parent.mkdir(parents=True)
    interfaces_file().write_text(text, encoding="latin-1")
    for act in (known_levels, lambda: keep_level("x", 1.0)):
        with pytest.raises(ConfigError, match="mend or delete it"):
            act()
    assert interfaces_file().read_text(encoding="latin-1") == text


def test_a_preset_of_oversampled_captures_is_as_late_as_it_declares() -> None:
    stage = capture(1.0)
    finer = model(stage.model or "", oversampling=8.0)
    assert path_of(sound(finer, group([finer], [stage]))).latency == 6

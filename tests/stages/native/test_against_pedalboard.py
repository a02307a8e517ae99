from __future__ import annotations

from typing import Any

import numpy as np
import pedalboard
import pytest

from realtime.stages.ranges import NATIVE_RANGES, RANGES

from .playing import PLAIN, Player, null_db, peer, phrase, prepared, stepped

# several settings of each effect whose sound depends on more than one thing
MORE: list[tuple[str, dict[str, Any]]] = [
    ("Bitcrush", {"bit_depth": 1.0}),
    ("Bitcrush", {"bit_depth": 8.5}),
    ("Chorus", {"rate_hz": 5.0, "depth": 1.0, "centre_delay_ms": 2.0, "mix": 1.0}),
    ("Chorus", {"feedback": -0.7, "mix": 0.2}),
    ("Compressor", {"threshold_db": -40.0, "ratio": 2.0, "attack_ms": 20.0, "release_ms": 300.0}),
    ("Compressor", {}),
    ("Delay", {"delay_seconds": 0.01, "feedback": 0.9, "mix": 0.5}),
    ("Delay", {"delay_seconds": 0.0101015, "mix": 1.0}),
    ("Delay", {"delay_seconds": 0.0}),
    ("Distortion", {"drive_db": 60.0}),
    ("HighpassFilter", {}),
    ("LadderFilter", {"drive": 20.0, "resonance": 0.9, "mode": "LPF24"}),
    ("LadderFilter", {"cutoff_hz": 6000.0, "mode": "HPF12"}),
    ("LadderFilter", {"cutoff_hz": 300.0, "mode": "HPF24"}),
    ("LadderFilter", {"cutoff_hz": 3000.0, "mode": "BPF12", "resonance": 1.0}),
    ("Limiter", {}),
    ("Limiter", {"threshold_db": -50.0, "release_ms": 10.0}),
    ("NoiseGate", {"threshold_db": -20.0, "ratio": 2.0, "attack_ms": 10.0, "release_ms": 50.0}),
    ("NoiseGate", {"threshold_db": -25.0, "ratio": 40.0}),
    ("Phaser", {"rate_hz": 3.0, "depth": 1.0, "feedback": 0.6, "mix": 1.0}),
    ("Phaser", {"depth": 0.0, "centre_frequency_hz": 300.0}),
    (
        "Reverb",
        {"room_size": 1.0, "damping": 0.0, "wet_level": 1.0, "dry_level": 0.0, "width": 0.0},
    ),
    ("Reverb", {}),
    ("HighShelfFilter", {"cutoff_frequency_hz": 8000.0, "gain_db": -20.0, "q": 2.0}),
    ("PeakFilter", {"cutoff_frequency_hz": 8000.0, "gain_db": 12.0, "q": 5.0}),
]


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(("name", "parameters"), [*PLAIN.items(), *MORE])
def test_it_sounds_as_pedalboards(name: str, parameters: dict[str, Any], channels: int) -> None:
    x = phrase(channels=channels)
    found = stepped(prepared(name, channels, **parameters), x, [64])
    assert null_db(found, peer(name, x, **parameters)) <= -100.0


@pytest.mark.parametrize("rate", [44100, 96000])
@pytest.mark.parametrize("name", sorted(set(PLAIN) - {"PeakFilter", "LowShelfFilter"}))
def test_it_does_at_other_rates(name: str, rate: int) -> None:
    x = phrase()
    found = stepped(prepared(name, rate=rate, **PLAIN[name]), x, [64])
    assert null_db(found, peer(name, x, rate, **PLAIN[name])) <= -100.0


@pytest.mark.parametrize("name", sorted(PLAIN))
def test_defaults_are_pedalboards(name: str) -> None:
    plain = getattr(pedalboard, name)()
    own = {p.name for p in NATIVE_RANGES[name]} - {p.name for p in RANGES[name]}
    assert own == ({"hold_ms", "hysteresis_db"} if name == "NoiseGate" else set())
    for p in RANGES[name]:
        theirs = getattr(plain, p.name)
        value = p.choices.index(theirs.name) if p.choices else theirs
        assert p.default == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("name", sorted(PLAIN))
def test_the_bits_do_not_depend_on_how_the_sound_is_cut(name: str, channels: int) -> None:
    x = phrase(0.8, channels)
    parameters = dict(PLAIN[name])
    if name == "NoiseGate":
        parameters |= {"hold_ms": 30.0, "hysteresis_db": 6.0}
    expected = stepped(prepared(name, channels, **parameters), x, [64])
    rng = np.random.default_rng(1)
    for sizes in ([16], [1024], [37, 500, 1, 3], rng.integers(1, 1024, 50).tolist()):
        assert np.array_equal(stepped(prepared(name, channels, **parameters), x, sizes), expected)


@pytest.mark.parametrize("name", sorted(PLAIN))
def test_a_path_plays_it_without_delay_and_repeats_it_after_a_reset(name: str) -> None:
    player = Player(name, 2, **PLAIN[name])
    x = 0.2 * phrase(0.5, 2)
    first = player.play(x)
    assert player.path.latency == 0
    direct = stepped(prepared(name, 2, **PLAIN[name]), x, [64])
    loud = np.abs(direct).max() >= 1.0  # the path's limiter would be heard
    # a path takes denormal numbers as zero
    assert loud or np.abs(first - direct[:, : first.shape[1]]).max() < 1e-37
    player.path.reset()
    assert np.array_equal(player.play(x), first)


@pytest.mark.parametrize("name", sorted(PLAIN))
def test_channels_do_not_touch_each_other_but_in_the_reverb(name: str) -> None:
    x = phrase(0.5, 2)
    together = stepped(prepared(name, 2, **PLAIN[name]), x, [64])
    x[1] = 0.0
    alone = stepped(prepared(name, 2, **PLAIN[name]), x, [64])
    assert np.array_equal(together[0], alone[0]) == (name != "Reverb")

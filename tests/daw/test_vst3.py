"""The VST3 in pedalboard (JUCE), which renders offline: its sound, and its state."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pedalboard
import pytest

from realtime.audio_files import Clip
from realtime.commands.plugin import to_sound
from realtime.session.render import render

from ..signals import noise

RATE, LONGEST = 48000, 4096
SOUND = """format = 2
[[stage]]
model = "tube-amp"
[[stage]]
effect = "Reverb"
room_size = 0.3
"""
_LETTERS = ".ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+"


def packed(data: bytes) -> str:
    """Bytes as JUCE writes them into a state: the length, then six bits a letter, lowest first."""
    whole = int.from_bytes(data, "little")
    letters = (_LETTERS[whole >> 6 * i & 63] for i in range(-(-len(data) * 8 // 6)))
    return f"{len(data)}.{''.join(letters)}"


def unpacked(text: str) -> bytes:
    """The same undone."""
    length, _, letters = text.partition(".")
    whole = sum(_LETTERS.index(letter) << 6 * i for i, letter in enumerate(letters))
    return whole.to_bytes(int(length) + 1, "little")[: int(length)]


def component(plugin: Any) -> str:
    """The plug-in's own part of its state."""
    found = re.search(r"<IComponent>([^<]*)<", plugin.raw_state.decode("latin-1"))
    assert found is not None
    return found[1]


def kept(plugin: Any) -> dict[str, str]:
    """What is in it: keys and values, a zero byte after each."""
    words = unpacked(component(plugin)).decode("utf-8", "replace").split("\0")
    words = [w for w in words if not w.startswith("__dpf")]
    return dict(zip(words[::2], words[1::2], strict=False))


def restored(plugin: Any, sound: str) -> None:
    """Put a sound into its state, as a project does."""
    words = ["__dpf_state_begin__", "latency", "0", "sound", sound, "__dpf_state_end__"]
    data = ("\0".join(words) + "\0\xfe").encode("latin-1") + b"\0"
    raw = plugin.raw_state.decode("latin-1").replace(component(plugin), packed(data))
    head, body = raw.encode("latin-1")[:4], raw.encode("latin-1")[8:]
    plugin.raw_state = head + (len(body) - 1).to_bytes(4, "little") + body


@pytest.fixture(scope="module")
def plugin(built: Path) -> Iterator[Any]:
    yield pedalboard.load_plugin(str(built / "restyle.vst3"))


def test_a_render_in_random_blocks_equals_restyle_render(plugin: Any) -> None:
    restored(plugin, SOUND)
    x = noise(60_000, channels=2)
    expected = render(to_sound(SOUND), Clip(x, RATE)).samples
    plugin.reset()
    parts, k = [plugin.process(x[:, :LONGEST], RATE, buffer_size=LONGEST, reset=False)], LONGEST
    for n in np.random.default_rng(3).integers(1, LONGEST + 1, 1000):
        parts.append(plugin.process(x[:, k : k + n], RATE, buffer_size=LONGEST, reset=False))
        if (k := k + n) >= x.shape[1]:
            break
    y, late = np.concatenate(parts, axis=1), plugin.reported_latency_samples
    assert late >= LONGEST and y.shape[1] == x.shape[1] - late  # pedalboard takes it off
    assert np.array_equal(y, expected[:, : y.shape[1]])


def test_its_state_is_the_sound_and_comes_back(plugin: Any) -> None:
    """What is saved is what plays, and the parameters stand where it has them."""
    found = kept(plugin)
    assert to_sound(found["sound"]) == to_sound(SOUND)
    assert plugin.reported_latency_samples == LONGEST + int(found["latency"])
    assert float(found["parameter_1"]) == 1.0  # mix
    gain = float(found["parameter_2"])  # -100 dB to 24 dB
    assert gain == pytest.approx(100 / 124, abs=1e-6)
    restored(plugin, found["sound"].replace("0.3", "0.9"))
    x = noise(9000, channels=2)
    y = plugin.process(x, RATE, buffer_size=LONGEST, reset=True)
    other = to_sound(SOUND.replace("0.3", "0.9"))
    assert np.array_equal(y, render(other, Clip(x, RATE)).samples)  # its latency taken off

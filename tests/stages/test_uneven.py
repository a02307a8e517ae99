"""Plug-ins with other outputs than inputs; their driver beside pedalboard, where that plays too."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pedalboard
import pytest

from realtime.errors import ChainError
from realtime.stages.knobs import read_parameters, set_value
from realtime.stages.pedals import face, load_bundle
from realtime.stages.plugin import PluginStage
from realtime.stages.records import OK, Records
from realtime.stages.scan import scan
from realtime.stages.uneven import UnevenPlugin

from ..signals import Array, delayed, noise
from .test_effects import RATE, blockwise
from .test_plugin import on_a_thread, stage

Bundle = Callable[[str], Path]
BLOCK, HALF = 64, 0.5011872  # of -6 dB

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="modules begin in other ways elsewhere"
)


def played(plugin: object, x: Array) -> Array:
    parts = np.split(x, x.shape[1] // BLOCK, axis=1)
    found = [plugin.process(p, RATE, buffer_size=BLOCK, reset=False) for p in parts]  # type: ignore[attr-defined]
    return np.concatenate(found, axis=1)


@pytest.mark.parametrize("key", ["delay", "mono", "keeper"])
def test_the_driver_has_the_same_bits_words_and_settings_as_pedalboard(
    bundle: Bundle, key: str
) -> None:
    theirs, ours = pedalboard.load_plugin(str(bundle(key))), UnevenPlugin(bundle(key), None, face)
    told = ("name", "manufacturer_name", "version", "category")
    assert [getattr(ours, k) for k in told] == [getattr(theirs, k) for k in told]
    assert read_parameters(ours) == read_parameters(theirs)
    assert ours.preset_data == bytes(theirs.preset_data)
    x = noise(BLOCK * 20, ours.inputs)
    ours.prepare(RATE, BLOCK)
    assert ours.reported_latency_samples > 0
    for gain in (0.0, -6.0, 11.5):
        for plugin in (theirs, ours):
            for p in read_parameters(plugin):
                if p.name == "gain_db":
                    set_value(plugin, p, gain)
            plugin.process(0 * x[:, :BLOCK], RATE, buffer_size=BLOCK, reset=False)
            plugin.reset()
        assert np.array_equal(played(ours, x), played(theirs, x))
        assert ours.gain_db == theirs.gain_db
    for giver, taker in ((theirs, ours), (ours, theirs)):
        giver.gain_db = -20.0 if giver is theirs else 3.0
        giver.process(0 * x[:, :BLOCK], RATE, buffer_size=BLOCK, reset=False)
        taker.preset_data = bytes(giver.preset_data)
        for plugin in (giver, taker):
            plugin.reset()
        assert np.array_equal(played(taker, x), played(giver, x))


@pytest.mark.parametrize(
    ("key", "channels", "weights", "note"),
    [
        ("widener", 1, [[0.75]], "its outputs are brought to one"),
        ("widener", 2, [[0.5, 0.5], [0.25, 0.25]], "its input is the mean of the channels"),
        (
            "splitter",
            1,
            [[1.0]],
            "both inputs get the channel; outputs 2 to 6 of 6 are not connected",
        ),
        ("splitter", 2, [[1, 0], [0, 1]], "outputs 3 to 6 of 6 are not connected"),
        (
            "splitter",
            3,
            [[1, 0, 0], [0, 1, 0], [0.5, 0, 0]],
            "channel 3 of 3 is not heard; outputs 4 to 6 of 6 are not connected",
        ),
        ("sidechain", 2, [[1, 0], [0, 1]], "inputs 3 to 4 of 4 are not connected"),
        (
            "sidechain",
            3,
            [[1, 0, 0], [0, 1, 0], [1, 0, 0]],
            "input 4 of 4 is not connected",
        ),
    ],
)
def test_what_fits_is_played_and_what_is_not_connected_is_told(
    bundle: Bundle, key: str, channels: int, weights: list[list[float]], note: str
) -> None:
    subject = stage(bundle(key), channels, BLOCK)
    assert subject.note == f"plug-in {subject.name}: {note}"
    assert subject.latency == subject.reported == (0 if key == "sidechain" else 64)
    x = noise(BLOCK * 20, channels)
    expected = delayed(np.array(weights, np.float32) @ x, subject.latency)
    assert np.allclose(blockwise(subject, x, BLOCK), expected, atol=1e-6)


def test_its_knobs_glide_and_its_settings_are_kept(bundle: Bundle) -> None:
    subject = stage(bundle("widener"), 2, BLOCK, gain_db=-6.0, delay_samples=10)
    assert subject.latency == 10
    x = noise(BLOCK * 20, 2)
    y = blockwise(subject, x, BLOCK)
    assert np.allclose(y[0], delayed(HALF * x.mean(axis=0, keepdims=True), 10)[0], atol=1e-4)
    other = PluginStage(bundle("widener"))
    other.load_state(subject.save_state())
    other.prepare(RATE, 2, BLOCK)
    assert other.latency == 10
    assert np.array_equal(blockwise(other, x, BLOCK), y)
    with pytest.raises(ChainError, match="Test Splitter refuses this state"):
        PluginStage(bundle("splitter")).load_state(subject.save_state())


def test_reset_forgets_the_tail_and_another_thread_plays(bundle: Bundle) -> None:
    subject = stage(bundle("splitter"), 2, BLOCK)
    x = noise(BLOCK * 20, 2)
    first = blockwise(subject, x, BLOCK)
    subject.reset()
    heard: list[Array] = []
    assert on_a_thread(lambda: heard.append(blockwise(subject, x, BLOCK))) is None
    assert np.array_equal(heard[0], first)
    assert on_a_thread(subject.reset) is None
    assert not blockwise(subject, 0 * x, BLOCK).any()


def test_a_scan_tells_its_inputs_and_outputs(bundle: Bundle, own_cache: Path) -> None:
    ((record, _),) = scan([bundle("widener")], Records(), 60.0)
    (found,) = record.plugins
    assert (record.status, found.channels, found.buses) == (OK, (), "1 → 2")
    assert (found.latency, found.version, found.parameters) == (64, "1.2.3", 5)


def test_elsewhere_than_on_linux_it_is_refused(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(ChainError, match="Test Widener has another number of outputs than inputs"):
        load_bundle(bundle("widener"))

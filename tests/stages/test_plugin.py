from __future__ import annotations

import functools
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from realtime.errors import ChainError
from realtime.stages.pedals import load_bundle
from realtime.stages.plugin import PluginStage

from ..signals import delayed, impulse, noise
from .test_effects import RATE, blockwise

Bundle = Callable[[str], Path]


def stage(path: Path, channels: int = 2, block: int = 128, **values: Any) -> PluginStage:
    made = PluginStage(path)
    for name, value in values.items():
        made.set_parameter(name, value)
    made.prepare(RATE, channels, block)
    return made


@pytest.mark.parametrize("block", [64, 128, 480])
@pytest.mark.parametrize("delay", [0, 1, 64, 500, 1000])
def test_an_impulse_arrives_after_the_declared_latency(
    bundle: Bundle, block: int, delay: int
) -> None:
    subject = stage(bundle("delay"), block=block, delay_samples=delay)
    assert subject.latency == subject.reported == delay
    assert "passes the sound unchanged" in (subject.note or "")  # but for the latency
    x = impulse(block * 40, 700, channels=2)
    assert np.array_equal(blockwise(subject, x, block), delayed(x, delay))


def test_the_gain_plugin_equals_numpy(bundle: Bundle) -> None:
    x = noise(128 * 60, channels=2)
    subject = stage(bundle("delay"), gain_db=-14.0, delay_samples=10)
    expected = delayed(10 ** (-14 / 20) * x, 10)
    assert np.allclose(blockwise(subject, x), expected, rtol=1e-4)  # its own knob has steps of 0.08


@pytest.mark.parametrize("key", ["delay", "keeper"])
def test_reset_repeats_the_same_bits_and_forgets_the_tail(bundle: Bundle, key: str) -> None:
    subject = stage(bundle(key), gain_db=-3.0)
    x = noise(128 * 30, channels=2)
    first = blockwise(subject, x)
    subject.reset()
    assert np.array_equal(first, blockwise(subject, x))
    subject.reset()
    assert not blockwise(subject, 0 * x).any()


def on_a_thread(task: Callable[[], object]) -> BaseException | None:
    caught: list[BaseException] = []

    def run() -> None:
        try:
            task()
        except BaseException as error:
            caught.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return caught[0] if caught else None


@pytest.mark.parametrize("key", ["delay", "keeper"])
def test_a_worker_thread_may_process_set_and_reset(bundle: Bundle, key: str) -> None:
    subject = stage(bundle(key))
    x = noise(128 * 30, channels=2)
    blockwise(subject, x)
    found = []

    def work() -> None:
        subject.reset()
        subject.set_parameter("mode", "Inverted")
        found.append(blockwise(subject, x))

    assert on_a_thread(work) is None
    assert np.array_equal(found[0], -delayed(x, subject.latency))


def test_loading_on_another_thread_is_refused_in_a_sentence(bundle: Bundle) -> None:
    path = bundle("delay")
    error = on_a_thread(lambda: PluginStage(path))
    assert isinstance(error, ChainError)
    assert "main thread" in str(error)
    kept = stage(bundle("keeper"))
    error = on_a_thread(lambda: kept.prepare(RATE, 2, 64))
    assert isinstance(error, ChainError)
    assert "prepared on the main thread" in str(error)


def test_a_latency_the_plugin_does_not_state_is_noted(bundle: Bundle) -> None:
    subject = stage(bundle("delay"), delay_samples=300, honest=False)
    assert (subject.latency, subject.reported) == (0, 0)
    assert subject.note == (
        "plug-in Test Delay states a latency of 0 samples; its sound begins after 300"
    )


def test_a_latency_set_while_running_is_declared_when_prepared_again(bundle: Bundle) -> None:
    subject = stage(bundle("delay"))
    subject.set_parameter("delay_samples", 256)
    blockwise(subject, noise(1280, channels=2))
    assert subject.latency == 64
    subject.prepare(RATE, 2, 128)
    assert subject.latency == 256


def test_a_mono_stream_through_a_stereo_plugin_is_the_mean_of_its_outputs(bundle: Bundle) -> None:
    subject = stage(bundle("delay"), channels=1, gain_db=-20.0)
    assert subject.layout == "fold"
    x = noise(128 * 20)
    assert np.allclose(blockwise(subject, x), delayed(0.1 * x, 64), rtol=1e-4)


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_a_mono_plugin_has_an_instance_for_each_channel(bundle: Bundle, channels: int) -> None:
    subject = stage(bundle("mono"), channels=channels, gain_db=-20.0)
    assert subject.layout == ("direct" if channels == 1 else "each")
    assert subject.latency == 100
    x = noise(128 * 20, channels=channels)
    assert np.allclose(blockwise(subject, x), delayed(0.1 * x, 100), rtol=1e-4)
    subject.set_parameter("mode", "Inverted")
    subject.reset()
    assert np.allclose(blockwise(subject, x), delayed(-0.1 * x, 100), rtol=1e-4)
    subject.prepare(RATE, 1, 128)
    assert np.allclose(blockwise(subject, x[:1]), delayed(-0.1 * x[:1], 100), rtol=1e-4)


def test_channels_no_bus_fits_are_refused(bundle: Bundle) -> None:
    with pytest.raises(ChainError, match=r"Test Delay has 2 input\(s\).*the stream 3 of each"):
        stage(bundle("delay"), channels=3)


def test_channels_stay_apart_and_in_order(bundle: Bundle) -> None:
    x = noise(128 * 20, channels=2)
    found = blockwise(stage(bundle("delay"), mode="Swapped"), x)
    assert np.array_equal(found, delayed(x[::-1], 64))


def test_what_is_no_plugin_is_refused(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = tmp_path / "empty.vst3"
    empty.mkdir()
    for path in (empty, tmp_path / "gone.vst3"):
        with pytest.raises(ChainError, match="cannot be loaded"):
            PluginStage(path)
    impatient = functools.partial(load_bundle, patience=0.1)
    monkeypatch.setattr("realtime.stages.plugin.load_bundle", impatient)
    with pytest.raises(ChainError, match="Test Synth is an instrument"):
        PluginStage(bundle("synth"))


def test_a_plugin_that_crashes_while_it_plays_ends_the_process(bundle: Bundle) -> None:
    """What is not promised: plug-ins share the host's process."""
    code = (
        "import sys; from pathlib import Path; from realtime.stages.plugin import PluginStage\n"
        "s = PluginStage(Path(sys.argv[1])); s.set_parameter('trouble', 1.0)\n"
        "s.prepare(48000, 2, 128); print('alive')"
    )
    command = [sys.executable, "-c", code, str(bundle("crasher"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == -11
    assert "alive" not in done.stdout

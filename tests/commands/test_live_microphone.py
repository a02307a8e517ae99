"""``restyle live --virtual-mic`` in a real PipeWire and a real PulseAudio that the tests start."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import scipy.signal
import soundfile

from realtime.audio_files import Clip
from realtime.session.render import render
from realtime.session.sound import Sound, Stage

from ..signals import Array, noise
from .conftest import Run
from .sound_servers import (
    PIPEWIRE,
    PULSE,
    RATE,
    Environment,
    ask,
    missing,
    pipewire,
    pulse,
    running,
    session,
    until,
)

DRIVE = Stage(effect="Distortion", identity=1, parameters={"drive_db": 12.0})
CHAIN = '[[stage]]\neffect = "Distortion"\ndrive_db = 12.0\n'
TRIES = 3  # a busy machine loses a period now and then
SECONDS, LEAD = 8.0, 0.5
LEAST = (RATE // 4, 1024, RATE // 4)  # samples in a piece; at 32 a period is soon lost

on_pipewire = pytest.mark.skipif(bool(missing(PIPEWIRE)), reason=missing(PIPEWIRE))
on_pulse = pytest.mark.skipif(bool(missing(PULSE)), reason=missing(PULSE))


class Live:
    """A ``restyle live`` and what it says."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process, self.said = process, list[str]()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        self.said.extend(iter(self.process.stderr.readline, ""))

    def close(self) -> None:
        self._reader.join(10)
        assert self.process.stderr is not None
        self.process.stderr.close()

    @property
    def text(self) -> str:
        return "".join(self.said)

    def said_that(self, words: str) -> bool:
        assert self.process.poll() is None or words in self.text, self.text
        return words in self.text


@contextmanager
def live(environment: Environment, folder: Path, *words: str) -> Iterator[Live]:
    (folder / "chain.toml").write_text(CHAIN)
    command = [sys.executable, "-m", "realtime.cli", "live", "--virtual-mic", "--no-panel", *words]
    process = subprocess.Popen(
        [*command, "--chain", "chain.toml"],
        cwd=folder,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    found = Live(process)
    try:
        until(
            lambda: found.said_that("microphone: restyle"), lambda: f"no microphone: {found.text}"
        )
        yield found
    finally:
        process.kill()
        process.wait()
        found.close()


def expected(sound: Array) -> Array:
    """What ``restyle render`` makes of a sound ``[1, n]``; flat, for one channel."""

    return np.asarray(render(Sound((DRIVE,)), Clip(sound, RATE)).samples[0])


def longest_equal(played: Array, wanted: Array, at: int) -> int:
    """How many samples around ``wanted[at]`` come in a piece of `played`, bit by bit."""
    probe = wanted[at : at + 32]
    windows = np.lib.stride_tricks.sliding_window_view(played, len(probe))
    best = 0
    for place in np.flatnonzero((windows == probe).all(axis=1)):
        back = min(int(place), at)
        n = min(len(played) - place, len(wanted) - at) + back
        same = played[place - back : place - back + n] == wanted[at - back : at - back + n]
        left = np.flatnonzero(~same[:back])
        right = np.flatnonzero(~same[back:])
        begin = int(left[-1]) + 1 if len(left) else 0
        end = back + (int(right[0]) if len(right) else n - back)
        best = max(best, end - begin)
    return best


def recorded(path: Path) -> Array:
    """Channels ``[n, channels]`` of a recording that may not have been closed."""
    data, _ = soundfile.read(path, dtype="float32", always_2d=True)
    return np.asarray(data, dtype=np.float32)


@pytest.fixture(scope="module")
def pipes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    with pipewire(tmp_path_factory.mktemp("pipewire")) as environment:
        yield environment


def nodes(environment: Environment) -> str:
    return ask(environment, "pw-cli", "ls", "Node")


def default_source(environment: Environment) -> str:
    return ask(environment, "pw-metadata", "-n", "default", "0", "default.audio.source")


def play_and_record(environment: Environment, folder: Path, quanta: tuple[int, ...]) -> Array:
    """Play in.wav into the desk; what restyle and the phones give meanwhile ``[n, 2]``.

    The server's quantum is set anew in equal parts of the sound.
    """
    out = folder / "out.wav"
    recorder = ("pw-record", "--target", "0", "--channels", "2", "--format", "f32", str(out))
    player = ("pw-cat", "-p", "--target", "0", str(folder / "in.wav"))

    def link(source: str, target: str) -> None:
        until(lambda: source in ask(environment, "pw-link", "-o"), source)
        until(lambda: target in ask(environment, "pw-link", "-i"), target)
        subprocess.run(["pw-link", source, target], env=environment, check=True)

    with running(environment, *recorder):
        link("restyle:capture_MONO", "pw-record:input_FL")
        link("phones:monitor_MONO", "pw-record:input_FR")
        with running(environment, *player) as playing:
            link("pw-cat:output_MONO", "desk:input_MONO")
            for quantum in quanta:
                force = ("pw-metadata", "-n", "settings", "0", "clock.force-quantum", str(quantum))
                ask(environment, *force)
                try:
                    playing.wait(SECONDS / len(quanta))
                except subprocess.TimeoutExpired:
                    continue
            playing.wait(60)
    return recorded(out)


@on_pipewire
def test_what_programs_record_is_what_render_gives_at_every_quantum(
    pipes: Environment, tmp_path: Path
) -> None:
    before = default_source(pipes)
    sound = noise(round(SECONDS * RATE), level=0.2)
    sound[:, : round(LEAD * RATE)] = 0.0
    soundfile.write(tmp_path / "in.wav", sound.T, RATE, subtype="FLOAT")
    wanted, found = expected(sound), []
    with live(pipes, tmp_path, "--monitor", "phones", "--monitor-gain", "-6") as run:
        assert default_source(pipes) == before and '"desk"' in before
        for quanta in [(0, 32, 1024)] * TRIES:
            both = play_and_record(pipes, tmp_path, quanta)
            found = [
                max(longest_equal(both[:, 0], wanted, round(at * RATE * SECONDS)) for at in shares)
                for shares in ((0.15, 0.2, 0.25), np.arange(0.42, 0.62, 0.02), (0.8, 0.85, 0.9))
            ]
            if all(map(int.__ge__, found, LEAST)):
                break
        ask(pipes, "pw-metadata", "-n", "settings", "0", "clock.force-quantum", "0")
        assert all(map(int.__ge__, found, LEAST)), (found, run.text)
        both = play_and_record(pipes, tmp_path, (0,))
        until(lambda: run.said_that("monitor: phones, "), "the monitor's latency")
        run.process.send_signal(signal.SIGINT)
        assert run.process.wait(60) == 0, run.text
    _check_monitor(both, run.text)
    until(lambda: '"restyle"' not in nodes(pipes), "the node is gone")
    assert default_source(pipes) == before


def _check_monitor(both: Array, text: str) -> None:
    """The phones play what the microphone gives, 6 dB softer and as late as was said."""
    low = scipy.signal.butter(4, 0.1, output="sos")  # a fraction of a sample is nothing there
    mic, phones = scipy.signal.sosfilt(low, both[2 * RATE : 7 * RATE].astype(float), axis=0).T
    lags = scipy.signal.correlate(phones, mic, mode="full", method="fft")
    lag = int(np.argmax(np.abs(lags))) - (len(mic) - 1)
    a, b = mic[: len(mic) - lag], phones[lag:]
    likeness = float(a @ b / np.sqrt((a @ a) * (b @ b)))
    assert likeness > 0.9  # the crossing may still be at its fast bandwidth
    assert 20 * np.log10(np.std(b) / np.std(a)) == pytest.approx(-6.0, abs=0.3)
    said = float(text.split("monitor: phones, ")[1].split(" ms")[0])
    assert lag == pytest.approx(said * RATE / 1000, abs=1100)  # the graph may add a quantum


@on_pipewire
@pytest.mark.parametrize("whom", ["all of it", "the holder"])
def test_nothing_is_left_after_kill_9(pipes: Environment, tmp_path: Path, whom: str) -> None:
    with live(pipes, tmp_path) as run:
        assert '"restyle"' in nodes(pipes)
        if whom == "the holder":
            held = ask(pipes, "pgrep", "-P", str(run.process.pid), "pw-cli").split()
            subprocess.run(["kill", "-9", *held], check=True)
            until(lambda: run.said_that("it was made again"), "a new microphone")
            until(lambda: "restyle:input_MONO" in ask(pipes, "pw-link", "-l"), "its link")
        run.process.kill()
        until(lambda: '"restyle"' not in nodes(pipes), "the node is gone")
        until(lambda: '"PortAudio"' not in nodes(pipes), "the engines are gone")


@on_pipewire
def test_a_name_that_is_taken_is_refused(pipes: Environment, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "realtime.cli", "live", "--virtual-mic", "--mic-name", "desk"],
        env=pipes,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2 and "there is a node 'desk' already" in done.stderr
    listed = ask(pipes, sys.executable, "-m", "realtime.cli", "devices", "--virtual-mic")
    assert "desk" in listed and "phones" in listed


@on_pulse
def test_programs_of_pulseaudio_hear_it_too(tmp_path: Path) -> None:
    sound = noise(round(5 * RATE), level=0.4)
    sound = scipy.signal.lfilter(*scipy.signal.butter(2, 0.03), sound).astype(np.float32) * 3
    soundfile.write(tmp_path / "in.wav", sound.T, RATE, subtype="FLOAT")
    wanted = expected(sound)
    with pulse(tmp_path) as environment:
        listed = ask(environment, sys.executable, "-m", "realtime.cli", "devices")
        if "pulse" not in listed:
            pytest.skip("ALSA has no way to PulseAudio: libasound2-plugins is not installed")
        before = ask(environment, "pactl", "info").split("Default")[1:]
        words = (
            "--format=float32le",
            f"--rate={RATE}",
            "--channels=1",
            "--latency-msec=20",
            "--file-format=wav",
        )
        with live(environment, tmp_path) as run:
            assert ask(environment, "pactl", "info").split("Default")[1:] == before
            best = 0.0
            for _ in range(2 * TRIES):  # an underrun of the plug-in has the engine restarted
                out = tmp_path / "out.wav"
                with running(environment, "parec", "-d", "restyle", *words, str(out)):
                    until(out.exists, "the recorder")
                    file = str(tmp_path / "in.wav")
                    ask(environment, "pacat", "-p", "-d", "desk", *words, file)
                best = max(best, _likeness(recorded(out)[:, 0], wanted))
                if best > 0.97:
                    break
            assert best > 0.97, run.text
            run.process.kill()
        modules = ("pactl", "list", "short", "modules")
        until(lambda: "restyle" not in ask(environment, *modules), "the modules are gone")


def _likeness(played: Array, wanted: Array) -> float:
    """Of the tenth of a second of `wanted` that is found best."""
    places = range(RATE, 4 * RATE, RATE // 3)
    return max(_piece(played, wanted[at : at + RATE // 10]) for at in places)


def _piece(played: Array, wanted: Array) -> float:
    piece = wanted.astype(float)
    if len(played) < len(piece):
        return 0.0
    sums = scipy.signal.correlate(played.astype(float), piece, mode="valid", method="fft")
    ones = np.ones(len(piece))
    power = scipy.signal.correlate(played.astype(float) ** 2, ones, mode="valid", method="fft")
    return float(np.max(sums / np.sqrt(np.maximum(power, 1e-9) * (piece @ piece))))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--virtual-mic", "--output", "USB"), "--monitor 'USB'"),
        (("--virtual-mic", "--simulate", "in.wav"), "leave --simulate out"),
        (("--mic-name", "me"), "--mic-name goes with --virtual-mic"),
        (("--monitor-gain", "3"), "--monitor-gain goes with --monitor"),
        (("--virtual-mic", "--mic-name", 'a"b'), "letters, digits, spaces"),
    ],
)
def test_what_does_not_go_together_is_refused(run: Run, words: tuple[str, ...], says: str) -> None:
    soundfile.write("in.wav", noise(4800).T, RATE)
    code, _, error = run("live", *words)
    assert code == 2 and says in error


@pytest.mark.skipif(sys.platform != "linux", reason="the sentence is Linux's")
def test_no_sound_server_is_one_sentence(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "realtime.cli", "live", "--virtual-mic"],
        env=session(tmp_path),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2 and "needs PipeWire or PulseAudio" in done.stderr

"""Training, judging and writing, and the commands, with hidden amplifiers."""

from __future__ import annotations

import ctypes
import itertools
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pedalboard as pb
import pytest
import soundfile
from typer.testing import CliRunner

from .gear import RATE, Array, late, noisy, short, through

from realtime.commands import capture as command  # isort: skip
from realtime.commands.app import app
from realtime.devices.play_record import play_and_record
from realtime.errors import ConfigError, DeviceError, RestyleError
from realtime.models.nam.convert import make_card
from realtime.models.nam.file import read_capture
from realtime.parameters.parameter import Parameter
from realtime.proof.verify import verify
from train.capture import fit as fitting
from train.capture import make as making
from train.capture import network
from train.capture import signal as signals
from train.capture.fit import KEPT, Look, Take, fit, held_out
from train.capture.heard import Refused, hear

STEP = 0.15  # seconds that a step of training takes by the tests' clock


def ticking() -> Callable[[], float]:
    """A clock that counts how often it is read, so that trainings are the same everywhere."""
    count = itertools.count()
    return lambda: STEP * next(count)


def take(name: str = "distortion") -> Take:
    n = len(short().samples)
    return Take(through(name)[:n].astype(np.float32))


FIT: dict[str, Any] = {"size": "nano", "good": 0.0}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks that look back 124 samples, and short segments."""
    monkeypatch.setattr(network, "DILATIONS", (1, 2, 4, 8, 16))
    monkeypatch.setattr(fitting, "SEGMENT", 1024)


class Loop:
    """A simulated card: its output goes through a hidden amplifier to its second input.

    The amplifier is pedalboard's, block by block, `delay` samples late; block number `lost` comes
    with a flag of an xrun, and before block number `last` the card is unplugged.
    """

    name = "simulated loop"
    in_channels = out_channels = 2

    def __init__(self, delay: int = 700, lost: int = -1, last: int = -1) -> None:
        self._amp = pb.Pedalboard([pb.Distortion(30), pb.LowpassFilter(6000)])
        self._delay, self._lost, self._last = delay, lost, last
        self.error: BaseException | None = None
        self.active = False

    def open(self, callback: int, record: int, lockstep: bool, tail: int = 0) -> None:
        numbers = [ctypes.c_int64, ctypes.c_int64, ctypes.c_ulong, ctypes.c_int64, ctypes.c_ulong]
        self._call = ctypes.CFUNCTYPE(ctypes.c_int, *numbers, ctypes.c_int64)(callback)
        self._record = record

    def start(self) -> None:
        self.active = True
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        line = np.zeros(self._delay, np.float32)
        for k in itertools.count():
            if not self.active or k == self._last:
                break
            n = min((480, 512, 33)[k % 3], self._delay)  # what comes in has left long ago
            heard, played = np.zeros((2, n, 2), np.float32)
            heard[:, 1], line = line[:n], line[n:]
            flags = 2 * (k == self._lost)
            addresses = heard.ctypes.data, played.ctypes.data
            self._call(*addresses, n, 0, flags, self._record)
            line = np.concatenate([line, 0.7 * self._amp(played[:, 0], RATE, n, reset=False)])
        self.active = False

    def stop(self) -> None:
        self.active = False
        self._thread.join(10.0)


def test_a_device_plays_the_signal_and_all_inputs_are_kept() -> None:
    signal = short()
    tape = play_and_record(Loop(700), signal.samples, 12_000)
    assert tape.shape == (2, len(signal.samples) + 12_000) and not tape[0].any()
    offline = pb.Pedalboard([pb.Distortion(30), pb.LowpassFilter(6000)])(signal.samples, RATE)
    assert np.max(np.abs(tape[1, 700 : 700 + len(offline)] - 0.7 * offline)) < 1e-4
    found = hear(signal, tape)
    assert found.delay == 700 and not found.inverted


def test_a_device_that_loses_sound_or_stops_is_told() -> None:
    signal = short().samples[: 2 * RATE]
    with pytest.raises(DeviceError, match="lost sound 1 times"):
        play_and_record(Loop(lost=9), signal, 0)
    with pytest.raises(DeviceError, match="stopped after"):
        play_and_record(Loop(last=9), signal, 0)
    with pytest.raises(DeviceError, match="there is no 5"):
        play_and_record(Loop(), signal, 0, column=4)


def test_training_learns_and_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    takes, looks = [take()], []

    def show(look: Look, best: object) -> None:
        looks.append(look)

    first = fit(
        short(), takes, minutes=0.4, folder=tmp_path, show=show, clock=ticking(), **FIT,
        stopped=lambda: len(looks) > 0,
    )  # fmt: skip
    assert first.ended == "stopped" and (tmp_path / KEPT).exists()
    second = fit(short(), takes, minutes=0.4, folder=tmp_path, show=show, clock=ticking(), **FIT)
    assert second.ended == "time" and second.steps > first.steps == looks[1].steps
    assert looks[2].steps > first.steps and second.esr[0] < first.esr[0]
    assert second.esr[0] == pytest.approx(held_out(second.network, short(), takes[0]), rel=1e-3)
    other = fit(short(), [take("tube")], minutes=0.01, folder=tmp_path, clock=ticking(), **FIT)
    assert other.steps < second.steps  # another sound's training is not gone on with
    enough = fit(short(), takes, minutes=9, clock=ticking(), size="nano", good=2.0)
    assert enough.ended == "good enough" and enough.seconds < 60
    (tmp_path / KEPT).write_bytes(b"no checkpoint")
    with pytest.raises(ConfigError, match="delete it to begin anew"):
        fit(short(), takes, folder=tmp_path, **FIT)


def test_what_is_no_better_than_an_equaliser_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(making.NotBetter, match="nothing was written"):
        making.make(
            short(), [take("compressor")], tmp_path / "x.onnx", say=lambda text: None,
            minutes=0.002, clock=ticking(), **FIT,
        )  # fmt: skip
    left = {p.name for p in tmp_path.rglob("*") if p.is_file()}
    assert left == {KEPT, making.SO_FAR}  # what a longer training goes on with


def test_places_that_cannot_be_written_are_refused_before_the_training(tmp_path: Path) -> None:
    (tmp_path / "a.nam").mkdir()
    (tmp_path / "b.training").touch()
    for name, said in (("a", "is a folder"), ("b", "cannot make the folder")):
        with pytest.raises(ConfigError, match=said):
            making.make(short(), [take()], tmp_path / f"{name}.onnx", **FIT)


def test_inverted_gear_has_its_equaliser_inverted(small: Path) -> None:
    x = short().samples
    made = making.make(
        short(), [Take((-0.5 * np.tanh(4 * x)).astype(np.float32))], small / "x.onnx",
        say=lambda text: None, minutes=1.2, clock=ticking(), **FIT,
    )  # fmt: skip
    rows = made.rows[0]
    assert rows["matched EQ"]["esr"] < 2 * rows["copy"]["esr"] < 1


@pytest.mark.parametrize(
    ("texts", "takes", "said"),
    [
        (["gain=2"], 2, "one --knob NAME=VALUE before each take"),
        (["gain"], 1, "such as gain=2"),
        (["gain=2", "gain=much"], 2, "such as gain=2"),
        (["gain=2,gain=9", "gain=8"], 2, "'gain' twice"),
        (["gain=inf", "gain=8"], 2, "within -1e\\+06 and 1e\\+06"),
        (["gain=5000", "gain=5030"], 2, "closer together than"),
        ([",".join(f"k{i}={v}" for i in range(9)) for v in (1, 2)], 2, "at most 8 knobs"),
        (["gain=2", "bass=3"], 2, "same knobs"),
        (["gain=2", "gain=2"], 2, "two positions"),
        (["gain=2,bass=1", "gain=3,bass=2", "gain=2,bass=1"], 3, "same positions"),
        (["mix=2", "mix=3"], 2, "cannot be a knob's name"),
        (["gain=2", "gain=inf"], 2, "within -1e"),
    ],
)
def test_knobs_that_make_no_sense_are_refused(texts: list[str], takes: int, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        making.read_places(texts, takes)


def test_knobs_are_read_from_their_takes() -> None:
    knobs, places = making.read_places(["gain=8", "gain=2", "gain=5"], 3)
    assert knobs == [Parameter("gain", 2.0, 8.0, 5.0)] and places == [(8.0,), (2.0,), (5.0,)]
    assert making.read_places([], 1) == ([], [()])


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Commands with the short signal and the counting clock, without judges that need packages."""
    monkeypatch.setattr(signals, "make_signal", short)
    monkeypatch.setattr(making, "make_signal", short)
    monkeypatch.setattr(making, "judges_are_here", lambda: False)
    monkeypatch.setattr(making, "fit", partial(fit, clock=ticking()))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str) -> str:
    done = CliRunner().invoke(app, ["capture", *words])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def write(path: Path, y: Array) -> str:
    soundfile.write(path, y.T.astype(np.float32), RATE, "FLOAT")
    return str(path)


def test_the_two_steps_offline_make_a_model_and_a_nam(small: Path) -> None:
    run("signal", "signal.wav")
    wet = write(small / "wet.wav", noisy(late(through("distortion"), 777)))
    said = run(
        "make", "signal.wav", wet, "-o", "soft.onnx", "--size", "nano", "--minutes", "0.6",
        "--title", "Soft thing", "--input-level-dbu", "12.5", "--owner", "Ann",
    )  # fmt: skip
    assert "777 samples late" in said and "held-out ESR" in said and "matched EQ" in said
    assert {p.name for p in small.iterdir()} == {"signal.wav", "soft.nam", "soft.onnx", "wet.wav"}
    assert all(check.passed for check in verify(small / "soft.onnx"))
    for name in ("soft.onnx", "soft.nam"):
        path = small / name
        found = making.read_model(path) if path.suffix == ".onnx" else read_capture(path)
        card = make_card(found, path.stem)
        assert card.title == "Soft thing" and card.provenance["input_level_dbu"] == 12.5
        assert card.provenance["modeled_by"] == "Ann" and card.licence == "own-recording"
        assert card.provenance["training"]["esr"][0] < 0.3
        assert -60 < card.provenance["loudness"] < 0


def test_three_takes_make_one_model_with_a_knob(small: Path) -> None:
    run("signal", "signal.wav")
    x, words = short().samples.astype(float), []
    for gain in (10, 20, 40):
        wet = write(small / f"take{gain}.wav", noisy(late(np.tanh(gain * x), 5 * gain)))
        words += ["--knob", f"gain={gain}", wet]
    run("make", "signal.wav", *words, "-o", "knob.onnx", "--size", "nano", "--minutes", "0.6")
    names = {p.name for p in small.iterdir()}
    assert {"knob.onnx", "knob-gain10.nam", "knob-gain20.nam", "knob-gain40.nam"} <= names
    knob = make_card(making.read_model(small / "knob.onnx"), "knob").controls[2]
    assert (knob.name, knob.minimum, knob.maximum, knob.default) == ("gain", 10, 40, 20)


def test_through_an_interface_in_one_command(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "PortAudioDevice", lambda *a, **k: Loop(1500))
    said = run("-o", "amp.onnx", "--size", "nano", "--minutes", "1.2")
    assert "1500 samples late" in said
    assert {p.name for p in small.iterdir()} == {"amp.onnx", "amp.nam", "amp-take.wav"}
    (small / "amp.onnx").unlink()
    with pytest.raises(RestyleError, match="amp-take.wav is there already"):
        run("-o", "amp.onnx")
    said = run("record", "again.wav", "--in-channel", "2")
    assert "wrote again.wav: 1500 samples late" in said
    with pytest.raises(Refused, match="channel 2 does"):
        run("record", "bad.wav", "--in-channel", "1")
    assert not (small / "bad.wav").exists()


def test_a_chain_inside_restyle_is_captured(small: Path) -> None:
    (small / "rig.toml").write_text('[[stage]]\neffect = "Distortion"\ndrive_db = 30\n')
    said = run("--chain", "rig.toml", "-o", "rig.onnx", "--size", "nano", "--minutes", "1.2")
    assert "0 samples late" in said and (small / "rig.nam").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-o", "x.nam"], "end it in .onnx"),
        ([], "name the model to write"),
        (
            ["make", "signal.wav", "wet.wav", "-o", "x.onnx", "--size", "huge"],
            "one of nano",
        ),
        (["make", "wet.wav", "wet.wav", "-o", "x.onnx"], "is not the capture signal"),
        (
            ["make", "signal.wav", "signal.wav", "-o", "x.onnx"],
            "what comes back is the",
        ),
        (["make", "signal.wav", "wet.wav", "-o", "x.onnx", "--minutes", "0"], "--minutes must be"),
        (["--chain", "none.toml", "-o", "x.onnx", "--size", "huge"], "one of nano"),
        (["--chain", "none.toml", "-o", "x.onnx", "--esr", "nan"], "--esr must be within 0..1"),
        (["signal", "x.flac"], "end its name in .wav"),
        (["signal", "signal.wav"], "is there already"),
    ],
)
def test_bad_words_are_one_sentence_and_nothing_is_written(
    small: Path, words: list[str], said: str
) -> None:
    run("signal", "signal.wav")
    write(small / "wet.wav", noisy(late(through("soft"), 20)))
    with pytest.raises(RestyleError, match=said) as error:
        run(*words)
    assert "\n" not in str(error.value)
    assert sorted(p.name for p in small.iterdir()) == ["signal.wav", "wet.wav"]

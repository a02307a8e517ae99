"""Captures give the same bits again; recordings are whole, and the sound never waits for them."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from realtime.devices.shared_simulated import Tape
from realtime.errors import ConfigError, RestyleError
from realtime.host.host import Host
from realtime.host.recorder import Recorder
from realtime.host.replay import replay
from realtime.host.session_log import Capture
from realtime.native.ring import Ring
from realtime.session.operations import Insert, Load, Move, Remove, restyle
from realtime.session.sound import Device, Setup, Sound, Stage
from realtime.stream.record import EVENT

from ..graphs import fir_model, identity_spectrum
from ..networks import controlled_model
from ..signals import Array, noise

RATE = 48000
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("models")
    contents = {
        "fir": fir_model(np.array([0.6, -0.3, 0.1], dtype=np.float32)),
        "late": identity_spectrum(512, 256, 128),
        "controls": controlled_model(),
    }
    for name, content in contents.items():
        (folder / f"{name}.onnx").write_bytes(content)
    return [folder / f"{name}.onnx" for name in contents]


def edit(host: Host, models: list[Path], rng: random.Random) -> None:
    """One random change of a playing host."""
    kinds = ["gain", "mix", "bypass", "swap", "insert", "remove", "move", "turn", "load"]
    kind, sound = rng.choice(kinds), host.setup.sound
    listed = sound.stages
    model = Stage(model=str(rng.choice(models)), identity=host.new_identity())
    if kind == "gain":
        host.set("output_gain_db", rng.uniform(-20.0, 0.0))
    elif kind == "mix":
        host.set("mix", rng.random())
    elif kind == "bypass":
        host.set("bypass", rng.choice([0.0, 1.0]))
    elif kind == "swap":
        operation = restyle(sound, model)
        assert operation is not None
        host.do(operation)
    elif kind == "insert" and len(listed) < 4:
        effect = rng.choice(["Reverb", "Delay", "Chorus", "Gain", None])
        stage = model if effect is None else Stage(effect=effect, identity=model.identity)
        host.do(Insert(stage, rng.randrange(len(listed) + 1)))
    elif kind == "remove" and len(listed) > 1:
        host.do(Remove(rng.choice(listed).identity))
    elif kind == "move" and len(listed) > 1:
        host.do(Move(rng.choice(listed).identity, rng.randrange(len(listed))))
    elif kind == "turn" and listed:
        host.set(f"{rng.randint(1, len(listed))}.stage_mix", rng.random())
    elif kind == "load":
        host.do(Load(Sound((model,), mix=rng.random(), output_gain_db=-6.0)))


@pytest.fixture(scope="module")
def captured(models: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session in virtual time with edits of every kind, captured."""
    folder = tmp_path_factory.mktemp("captured") / "session"
    tape = Tape.make(noise(RATE * 75), RATE, [64, 33, 480, 128], paced=False)
    sound = Sound((Stage(model=str(models[0]), identity=1),))
    setup = Setup(sound, Device(kind="tape", tape=tape.name))
    told: list[str] = []
    tape.hold(0)
    host = Host(setup, told.append, standby=False, journal=True)
    capture = Capture(host, folder, told.append)
    rng = random.Random(5)
    ended, made = threading.Event(), 1

    def let_play() -> None:
        """Virtual time, a second for each edit; slowly where one takes longer to make ready."""
        while not ended.wait(0.005 if tape.position < RATE * made else 0.1):
            tape.hold(tape.position + 960)

    def turn() -> None:
        """Knobs, beside the edits: some of them while another path is being made ready."""
        turns = random.Random(6)
        while not ended.wait(0.003):
            with suppress(RestyleError):  # a stage that is gone
                stages = host.setup.sound.stages
                host.set(f"{turns.randint(1, len(stages))}.stage_mix", turns.random())
                host.set("output_gain_db", turns.uniform(-20.0, 0.0))

    player, turner = (threading.Thread(target=what, daemon=True) for what in (let_play, turn))
    player.start()
    try:
        host.start()
        capture.start()
        turner.start()
        for made in range(1, 60):  # noqa: B007 - read above
            edit(host, models, rng)
        stats, log = host.stats(), host.changes()
        host.stop()
        capture.finish(log, stats)
        assert len(log) > 20
        assert told == []
    finally:
        ended.set()
        player.join()
        turner.join()
        host.close()
        tape.close()
    return folder


def test_a_replay_gives_the_same_bits(captured: Path) -> None:
    found = replay(captured)
    assert found.output.shape[1] > RATE
    assert np.abs(found.output).max() > 0.05
    assert (found.differing, found.first, found.remarks) == (0, None, [])


def test_a_changed_sample_is_found_where_it_is(captured: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(captured, copy)
    samples, rate = soundfile.read(copy / "output.wav", dtype="float32")
    samples[12_345] += 1e-4
    soundfile.write(copy / "output.wav", samples, rate, subtype="FLOAT")
    done = subprocess.run(
        [sys.executable, "-m", "realtime.cli", "replay", str(copy)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "1 of" in done.stdout
    assert "the first at 12345" in done.stdout.replace("\n", " ")


def archive(path: Path) -> None:
    """An archive in the place of its only array."""
    with path.open("wb") as file:
        np.savez(file, rows=np.zeros((2, 4)))


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda f: (f / "session.json").unlink(), "is not a capture"),
        (lambda f: (f / "journal.npy").write_bytes(b"junk"), "is not a capture"),
        (lambda f: (f / "session.json").write_text("{}"), "is not a capture"),
        (
            lambda f: (f / "session.json").write_text(
                json.dumps({**json.loads((f / "session.json").read_text()), "format": 99})
            ),
            "format 99",
        ),
        (lambda f: (f / "input.wav").unlink(), "does not exist"),
        (lambda f: archive(f / "journal.npy"), "is not a capture"),
    ],
)
def test_what_is_no_capture_is_one_sentence(
    captured: Path, tmp_path: Path, spoil: Any, says: str
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(captured, copy)
    spoil(copy)
    with pytest.raises(RestyleError, match=says):
        replay(copy)


@pytest.mark.parametrize("size", [0, -64, 1 << 17, 1 << 31, 1 << 40])
@pytest.mark.parametrize("field", ["block_size", "largest_block"])
def test_a_log_with_blocks_that_no_device_has_is_one_sentence(
    captured: Path, tmp_path: Path, field: str, size: int
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(captured, copy)
    session = json.loads((copy / "session.json").read_text())
    session["device"][field] = size
    (copy / "session.json").write_text(json.dumps(session))
    with pytest.raises(ConfigError, match=rf"a block has 1\.\.65536 samples, not {size}"):
        replay(copy)


def test_events_are_played_in_the_order_of_their_times(captured: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(captured, copy)
    rows = np.load(copy / "journal.npy")
    events = rows[:, 1] >= EVENT
    assert events.sum() > 1
    rows[events] = rows[events][::-1]  # no journal is written so: it would be waited for for ever
    np.save(copy / "journal.npy", rows)
    found = replay(copy)
    assert found.output.shape[1] > RATE and np.isfinite(found.output).all()


def test_a_model_larger_than_any_is_not_read(captured: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(captured, copy)
    with (tmp_path / "sparse.onnx").open("wb") as file:
        file.truncate(40 << 30)
    session = json.loads((copy / "session.json").read_text())
    session["models"] = {str(tmp_path / "sparse.onnx"): "0" * 64}
    session["versions"]["numpy"] = "9" * 10**6
    (copy / "session.json").write_text(json.dumps(session))
    begin = time.process_time()
    remarks = replay(copy).remarks
    assert any("sparse.onnx has changed" in r for r in remarks)
    assert max(map(len, remarks)) < 400
    assert time.process_time() - begin < 20.0  # of a processor; reading it would take longer


def test_a_capture_that_cannot_begin_leaves_nothing(tmp_path: Path) -> None:
    rings = {"dry": Ring(1, 8192), "wet": Ring(1, 8192)}
    (tmp_path / "there").mkdir()
    files = {"dry": tmp_path / "there" / "input.wav", "wet": tmp_path / "missing" / "output.wav"}
    with pytest.raises(RestyleError, match="output.wav"):
        Recorder(rings, files, RATE)
    assert list((tmp_path / "there").iterdir()) == []


def test_a_model_that_changed_since_is_named(captured: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(captured, copy)
    session = json.loads((copy / "session.json").read_text())
    session["models"] = dict.fromkeys(session["models"], "0" * 64)
    session["versions"]["numpy"] = "0.1"
    (copy / "session.json").write_text(json.dumps(session))
    remarks = replay(copy).remarks
    assert any("has changed since" in r for r in remarks)
    assert any(r.startswith("numpy is") for r in remarks)


def test_a_folder_in_use_is_not_captured_to(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("mine")
    with pytest.raises(ConfigError, match="not empty"):
        Capture(None, tmp_path, print)  # type: ignore[arg-type]
    assert (tmp_path / "old").read_text() == "mine"


# -- recordings ----------------------------------------------------------------------------------


@pytest.fixture
def rings() -> Iterator[dict[str, Ring]]:
    yield {"dry": Ring(2, 8192), "wet": Ring(2, 8192)}


def feed(recorder: Recorder, rings: dict[str, Ring], x: Array) -> None:
    """Write `x` into both rings as the callback would, waiting for room."""
    for start in range(0, x.shape[1], 4096):
        part = np.ascontiguousarray(x[:, start : start + 4096])
        for ring in rings.values():
            done = 0
            while done < part.shape[1] and recorder.problem is None:
                done += ring.write(np.ascontiguousarray(part[:, done:]))


def test_recordings_hold_every_sample_and_are_aligned(
    rings: dict[str, Ring], tmp_path: Path
) -> None:
    x = noise(50_000, channels=2)
    files = {"dry": tmp_path / "dry.wav", "wet": tmp_path / "wet.wav"}
    recorder = Recorder(rings, files, RATE, skip={"wet": 300})
    feed(recorder, rings, x)
    recorder.stop()
    dry, wet = (soundfile.read(f, dtype="float32")[0].T for f in files.values())
    assert np.array_equal(dry, x)
    assert np.array_equal(wet, x[:, 300:])
    assert recorder.written == {"dry": 50_000, "wet": 49_700}


def test_a_full_disk_ends_the_recording_with_a_sentence(
    rings: dict[str, Ring], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = [0]
    original = soundfile.SoundFile.write

    def write(self: Any, data: Any) -> None:
        written[0] += len(data)
        if written[0] > 20_000:
            raise OSError(28, "No space left on device")
        original(self, data)

    monkeypatch.setattr(soundfile.SoundFile, "write", write)
    told: list[str] = []
    recorder = Recorder({"wet": rings["wet"]}, {"wet": tmp_path / "w.wav"}, RATE, tell=told.append)
    feed(recorder, {"wet": rings["wet"]}, noise(50_000, channels=2))
    recorder.stop()
    assert len(told) == 1
    assert "is the disk full? The sound goes on." in told[0]
    assert soundfile.info(tmp_path / "w.wav").frames == recorder.written["wet"] <= 20_000


def test_samples_that_find_no_room_are_told(rings: dict[str, Ring], tmp_path: Path) -> None:
    told: list[str] = []
    recorder = Recorder(
        rings, {"dry": tmp_path / "d.wav"}, RATE, lost=lambda: 480, tell=told.append
    )
    recorder.stop()
    recorder._napped = 0.05
    recorder._check_loss()
    assert told == ["recording: the disk is too slow, 480 samples are missing"]


def test_a_recorder_that_was_stopped_says_so(rings: dict[str, Ring], tmp_path: Path) -> None:
    class Stopped(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            time.sleep(0.6)  # as SIGSTOP would have it
            return super().wait(timeout)

    told: list[str] = []
    lost = [0]
    files = {"dry": tmp_path / "d.wav"}
    recorder = Recorder(rings, files, RATE, lost=lambda: lost[0], tell=told.append)
    recorder._stop = Stopped()
    time.sleep(0.2)
    lost[0] = 480
    while not told:
        time.sleep(0.01)
    recorder.stop()
    (said,) = told
    assert re.fullmatch(
        r"recording: restyle was stopped, or got no processor time, for \d+\.\d s,"
        r" 480 samples are missing",
        said,
    )


def test_another_engines_rings_go_on_in_the_same_file(
    rings: dict[str, Ring], tmp_path: Path
) -> None:
    x = noise(4000, channels=2)
    recorder = Recorder({"dry": rings["dry"]}, {"dry": tmp_path / "d.wav"}, RATE)
    rings["dry"].write(x)
    fresh = Ring(2, 8192)
    recorder.switch({"dry": fresh}, lambda: 7)
    fresh.write(x)
    recorder.stop()
    assert np.array_equal(
        soundfile.read(tmp_path / "d.wav", dtype="float32")[0].T, np.concatenate([x, x], axis=1)
    )
    assert (recorder.gaps, recorder.lost) == (1, 7)


def test_a_place_that_cannot_be_written_is_refused_before_the_start(
    rings: dict[str, Ring], tmp_path: Path
) -> None:
    with pytest.raises(RestyleError, match="does not exist"):
        Recorder(rings, {"dry": tmp_path / "none" / "d.wav"}, RATE)
    with pytest.raises(RestyleError, match="ending must be one of"):
        Recorder(rings, {"dry": tmp_path / "d.xyz"}, RATE)

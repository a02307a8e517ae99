"""Recordings survive what ends them: kill, a full disk, a copy taken at any moment."""

from __future__ import annotations

import shutil
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from realtime.commands.app import app
from realtime.errors import AudioFileError
from realtime.host.recorder import Recorder
from realtime.host.recover import recover
from realtime.native.ring import Ring

from ..signals import noise

ROOT = Path(__file__).parents[2]
RATE = 8000  # so that a second is little
ENDINGS = ("wav", "flac")
PROGRAM = """
import resource, sys, time
from pathlib import Path
import numpy as np
from realtime.host.recorder import Recorder
from realtime.native.ring import Ring
from tests.signals import noise
folder, limit = Path(sys.argv[1]), int(sys.argv[2])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
x = noise(60 * 8000, level=0.5)
rings = {n: Ring(1, 1 << 16) for n in ("dry", "wet")}
files = {"dry": folder / "take.wav", "wet": folder / "take.flac"}
warm, block = Ring(1, 64), np.zeros((1, 8), dtype=np.float32)
warm.write(block), warm.readinto(block)  # compiled before the clock runs
recorder = Recorder(rings, files, 8000, tell=lambda text: print("told", text, flush=True))
begin, at = time.monotonic(), 0
while recorder.problem is None and at < x.shape[1]:
    due = min(x.shape[1], at + 20000, int((time.monotonic() - begin) * 40000))  # five times as fast
    for ring in rings.values():
        ring.write(np.ascontiguousarray(x[:, at:due]))
    at = due
    print(at, flush=True)
    time.sleep(0.02)
recorder.stop()
"""


def running(folder: Path, limit: int = 0) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(folder), str(limit)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def holds(path: Path, at_least: int) -> None:
    """The file is read by libsndfile, says its own length, and has the beginning of the noise."""
    x = noise(60 * RATE, level=0.5)[0]
    found, rate = soundfile.read(path, dtype="float32")
    assert rate == RATE and soundfile.info(path).frames == len(found)
    assert len(found) >= at_least, (path.name, len(found), at_least)
    np.testing.assert_allclose(found, x[: len(found)], atol=2.0**-23)


@pytest.mark.parametrize("after", [0.4, 0.9, 1.7])
def test_after_kill_all_but_a_second_can_be_read(tmp_path: Path, after: float) -> None:
    copies: list[tuple[int, Path]] = []
    with running(tmp_path) as child:
        assert child.stdout is not None
        at, end = int(child.stdout.readline()), None
        while end is None or time.monotonic() < end:
            at = int(child.stdout.readline())
            if at and end is None:
                end = time.monotonic() + after
            if at and len(copies) < 40 and at // 4000 > len(copies) // 2:
                for ending in ENDINGS:  # as a power cut leaves it
                    if (tmp_path / f"take.{ending}").exists():
                        copy = tmp_path / f"copy{len(copies)}.{ending}"
                        copies.append((at, shutil.copy(tmp_path / f"take.{ending}", copy)))
        child.send_signal(signal.SIGKILL)
    # five times as fast: half a second between two heads is 2.5 s of sound
    for ending in ENDINGS:
        holds(tmp_path / f"take.{ending}", at - 5 * RATE)
        assert (tmp_path / f"take.{ending}").stat().st_mode & 0o777 == 0o600
    assert copies
    for fed, copy in copies:
        if fed > 5 * RATE:
            holds(copy, fed - 6 * RATE)


def test_on_a_full_disk_what_found_room_can_be_read(tmp_path: Path) -> None:
    with running(tmp_path, limit=200_000) as child:
        said, _ = child.communicate(timeout=120)
    assert "is the disk full? The sound goes on." in said
    holds(tmp_path / "take.wav", 200_000 // 4 - 5 * RATE)
    holds(tmp_path / "take.flac", 200_000 // 4 - 6 * RATE)


def test_a_restart_is_silence_of_its_length_and_marked(tmp_path: Path) -> None:
    x, told = noise(4000), []
    rings = {"dry": Ring(1, 8192)}
    recorder = Recorder(rings, {"dry": tmp_path / "d.wav"}, RATE, tell=told.append)
    rings["dry"].write(x)
    fresh = Ring(1, 8192)
    recorder.switch({"dry": fresh}, lambda: 0, lambda: 2000)
    fresh.write(x)
    recorder.stop()
    found = soundfile.read(tmp_path / "d.wav", dtype="float32")[0]
    np.testing.assert_array_equal(found, np.concatenate([x[0], np.zeros(2000, np.float32), x[0]]))
    assert "silence from 0.500 to 0.750 s" in told[0]
    start, end, _ = (tmp_path / "d.labels.txt").read_text().split("\t")
    assert (float(start), float(end)) == (0.5, 0.75)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
@pytest.mark.parametrize("lies", [0, 0xFFFFFFFF, 17])
def test_a_wav_whose_head_was_never_written_is_mended(
    tmp_path: Path, subtype: str, lies: int
) -> None:
    path = tmp_path / "old.wav"
    soundfile.write(path, noise(5000, channels=2).T, RATE, subtype)
    x = soundfile.read(path, dtype="float32")[0]
    data = bytearray(path.read_bytes())
    at = data.index(b"data") + 4
    data[4:8] = data[at : at + 4] = struct.pack("<I", lies)
    path.write_bytes(data[:-3])
    before = path.read_bytes()
    assert recover(path, tmp_path / "new.wav").seconds == pytest.approx(4999 / RATE, abs=2 / RATE)
    found = soundfile.read(tmp_path / "new.wav", dtype="float32")[0]
    np.testing.assert_array_equal(found, x[: len(found)])
    assert path.read_bytes() == before


def test_a_flac_that_breaks_off_is_mended(tmp_path: Path) -> None:
    path = tmp_path / "old.flac"
    soundfile.write(path, noise(50_000).T, RATE, "PCM_24")
    x = soundfile.read(path, dtype="float32")[0]
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    run = CliRunner().invoke(app, ["recover", str(path)])
    assert run.exit_code == 0, run.exception
    found = soundfile.read(tmp_path / "old.recovered.flac", dtype="float32")[0]
    assert 12_000 < len(found) < 25_001
    assert f"{(50_000 - len(found)) / RATE:.2f} s that should follow" in " ".join(
        run.output.split()
    )
    np.testing.assert_array_equal(found, x[: len(found)])
    again = CliRunner().invoke(app, ["recover", str(path)])
    assert isinstance(again.exception, AudioFileError) and "--force" in str(again.exception)


@pytest.mark.parametrize(
    "behind", [b"LIST" + struct.pack("<I", 30_000) + bytes(range(250)) * 120, b""]
)
def test_chunks_behind_the_samples_are_no_sound(tmp_path: Path, behind: bytes) -> None:
    path = tmp_path / "whole.wav"
    soundfile.write(path, noise(5001).T, RATE, "PCM_24")
    x = soundfile.read(path, dtype="float32")[0]
    path.write_bytes(path.read_bytes() + behind)
    assert recover(path, tmp_path / "new.wav") == (5001 / RATE, 0, 0.0)
    np.testing.assert_array_equal(soundfile.read(tmp_path / "new.wav", dtype="float32")[0], x)


def test_a_long_wavs_chunks_and_what_is_missing_are_told(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    soundfile.write(path, noise(5000).T, RATE, "PCM_24", format="RF64")
    x = soundfile.read(path, dtype="float32")[0]
    whole = path.read_bytes()
    path.write_bytes(whole + b"LIST" + struct.pack("<I", 900) + bytes(range(200)))  # cut off itself
    assert recover(path, tmp_path / "new.wav") == (5000 / RATE, 0, 0.0)
    np.testing.assert_array_equal(soundfile.read(tmp_path / "new.wav", dtype="float32")[0], x)
    path.write_bytes(whole[: -3 * 2000])
    assert recover(path, tmp_path / "new.wav") == (3000 / RATE, 0, 2000 / RATE)


@pytest.mark.parametrize("ending", ["wav", "flac"])
def test_samples_that_are_no_numbers_become_silence_and_are_told(
    tmp_path: Path, ending: str
) -> None:
    path, x = tmp_path / "odd.wav", noise(5000)[0]
    x[100:150] = np.nan
    soundfile.write(path, x, RATE, "FLOAT")
    run = CliRunner().invoke(app, ["recover", str(path), "--out", str(tmp_path / f"new.{ending}")])
    assert "50 samples that could not be read" in " ".join(run.output.split()), run.exception
    found = soundfile.read(tmp_path / f"new.{ending}", dtype="float32")[0]
    assert np.abs(found - np.nan_to_num(x)).max() < 1e-6 and not found[100:150].any()


@pytest.mark.parametrize("damage", ["end", "middle", "first", "long", "longest", "zeros", "count"])
def test_all_frames_of_a_flac_that_can_be_read_are(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "odd.flac"
    soundfile.write(path, noise(24_000).T, RATE, "PCM_24")
    x = soundfile.read(path, dtype="float32")[0]
    data = bytearray(path.read_bytes())
    if damage == "end":
        del data[len(data) * 2 // 5 :]
    elif damage == "first":
        data[len(data) // 12] ^= 0x10
    elif damage == "long":
        data[len(data) // 4 : len(data) // 2] = bytes(len(data) // 2 - len(data) // 4)
    elif damage == "longest":  # what follows is nearer than twice as far
        data[len(data) // 10 : len(data) * 8 // 10] = bytes(len(data) * 8 // 10 - len(data) // 10)
    elif damage == "zeros":
        data[len(data) * 2 // 5 :] = bytes(3_000_000)
    elif damage == "middle":
        data[len(data) * 2 // 5] ^= 0x10
    else:
        data[21] |= 0x0F  # the number of samples, 36 bits
        data[22:26] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    made = recover(path, tmp_path / "new.wav")
    found = soundfile.read(tmp_path / "new.wav", dtype="float32")[0]
    heard = found != 0.0
    np.testing.assert_array_equal(found[heard], x[: len(found)][heard])
    if damage in ("end", "zeros"):
        assert 8100 < len(found) < 9700
        assert made.missing == pytest.approx((24_000 - len(found)) / RATE)
    elif damage in ("middle", "first", "long", "longest"):
        most = {"middle": 4096, "first": 4096, "long": 3 * 4096, "longest": 5 * 4096}[damage]
        assert len(found) > 23_900 and 4000 < made.silenced <= most + 64 and made.missing < 0.01
    else:
        assert len(found) > 23_900


@pytest.mark.parametrize(
    "content", [b"", b"RIFF", b"RIFF\0\0\0\0WAVEfmt \xff\xff\xff\xff", b"x" * 99]
)
def test_what_holds_no_sound_is_a_sentence(tmp_path: Path, content: bytes) -> None:
    for ending in ENDINGS:
        path = tmp_path / f"none.{ending}"
        path.write_bytes(content)
        with pytest.raises(AudioFileError):
            recover(path, tmp_path / "out.wav")
    assert not list(tmp_path.glob("*out*"))


def test_zeros_behind_a_head_are_not_walked_through(tmp_path: Path) -> None:
    path = tmp_path / "cut.wav"
    soundfile.write(path, np.zeros(0, np.float32), RATE, subtype="FLOAT")
    head = path.read_bytes()
    with path.open("wb") as file:
        file.write(head[: head.index(b"fmt ") + 24])
        file.truncate(4 << 30)  # as a power cut leaves what was never written
    begin = time.process_time()
    with pytest.raises(AudioFileError, match="breaks off before its samples begin"):
        recover(path, tmp_path / "out.wav")
    assert time.process_time() - begin < 10.0  # of a processor; eight bytes at a time took minutes


def test_a_name_too_long_to_add_to_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / f"{'n' * 245}.wav"
    path.write_bytes(b"RIFF")
    run = CliRunner().invoke(app, ["recover", str(path)])
    assert isinstance(run.exception, AudioFileError) and "--out" in str(run.exception)


def test_sounds_that_are_there_are_not_replaced(tmp_path: Path) -> None:
    target = tmp_path / "take.wav"
    target.write_bytes(b"mine")
    clip = str(ROOT / "exported" / "tape.flac")
    for words in (
        ["render", clip, str(target), "--model", "tape"],
        ["live", "tape", "--simulate", clip, "--simulate-out", str(target)],
        ["live", "tape", "--simulate", clip, "--record", str(target)],
        ["live", "tape", "--simulate", clip, "--record-dry", str(target)],
    ):
        found = CliRunner().invoke(app, words)
        assert isinstance(found.exception, AudioFileError), words
        assert "is there already; name another file, or add --force" in str(found.exception)
        assert target.read_bytes() == b"mine"

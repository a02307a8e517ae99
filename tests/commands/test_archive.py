"""A folder rendered is its files rendered one by one, whatever happens on the way."""

from __future__ import annotations

import concurrent.futures.process
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from realtime.commands import archive, archive_pools
from realtime.commands.archive import Done, Job
from realtime.session.sound import Sound, Stage

from ..signals import noise
from .conftest import RATE, Run

SOUND = Sound((Stage(effect="Gain", parameters={"gain_db": -6.0}), Stage(effect="Delay")))
CHAIN = '[[stage]]\neffect = "Gain"\ngain_db = -6.0\n[[stage]]\neffect = "Delay"\n'
NAMES = ("a.wav", "b.flac", "deep/er/c.wav", "deep/d.wav")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four files of sound, another rate and stereo among them, and one that is none."""
    place = tmp_path / "in"
    for k, name in enumerate(NAMES):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        x = 0.5 * noise(3000 + 100 * k, channels=1 + k % 2, seed=k)
        soundfile.write(place / name, x.T, RATE if k else 44100)
    (place / "notes.txt").write_text("no sound")
    (place / "chain.toml").write_text(CHAIN)
    return place


def words(*more: str) -> tuple[str, ...]:
    return ("render", "in", "out", "--chain", "in/chain.toml", "--jobs", "2", *more)


def bits(path: Path) -> tuple[bytes, int]:
    """Samples and rate; the head of a WAV file holds the time of day."""
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return samples.tobytes(), rate


def results(place: Path) -> dict[str, tuple[bytes, int]]:
    found = (p for p in place.rglob("*") if p.is_file() and p.name != archive.SHEET)
    return {p.relative_to(place).as_posix(): bits(p) for p in found}


def test_a_folder_is_its_files_one_by_one_and_goes_on_where_it_broke_off(
    run: Run, folder: Path, tmp_path: Path
) -> None:
    code, said, _ = run(*words())
    assert code == 0 and "rendered 4 of 4 files" in said
    whole = results(tmp_path / "out")
    assert sorted(whole) == sorted(NAMES)
    for name in NAMES:
        alone = tmp_path / f"alone{Path(name).suffix}"
        words_alone = ("render", f"in/{name}", str(alone), "--chain", "in/chain.toml", "--force")
        assert run(*words_alone)[0] == 0
        assert bits(alone) == whole[name]

    (tmp_path / "out" / "a.wav").unlink()
    (tmp_path / "out" / "deep" / ".d.0a1b.part.wav").write_bytes(b"left behind")
    kept = {n: (tmp_path / "out" / n).stat().st_mtime_ns for n in NAMES if n != "a.wav"}
    code, said, _ = run(*words())
    assert code == 0 and "rendered 1 of 4 files" in said and "3 were there" in said
    assert results(tmp_path / "out") == whole
    assert kept == {n: (tmp_path / "out" / n).stat().st_mtime_ns for n in kept}

    (folder / "chain.toml").write_text(CHAIN.replace("-6", "-5"))
    code, _, error = run(*words())
    assert code == 2 and "another sound" in error and "--force" in error
    assert results(tmp_path / "out") == whole
    assert run(*words("--force"))[0] == 0
    assert results(tmp_path / "out")["a.wav"] != whole["a.wav"]


def test_a_corrupt_file_is_told_at_the_end_and_leaves_the_others(
    run: Run, folder: Path, tmp_path: Path
) -> None:
    (folder / "broken.wav").write_bytes(b"RIFF\x00\x00nothing")
    code, said, error = run(*words())
    assert code == 2 and "rendered 4 of 5 files" in said
    assert "not rendered: broken.wav" in error and "1 of 5 files" in error
    assert sorted(results(tmp_path / "out")) == sorted(NAMES)


def test_bad_input_is_one_sentence(run: Run, folder: Path) -> None:
    code, _, error = run(*words("--jobs", "0"))
    assert code == 2 and "--jobs must be 1..1024, got 0" in error
    soundfile.write(folder / "a.aiff", np.zeros(9), RATE)
    code, _, error = run(*words())
    assert code == 2 and "both be rendered to a.wav" in error
    code, _, error = run("render", "in/a.wav", "a.wav", "--chain", "in/chain.toml", "--jobs", "2")
    assert code == 2 and "for a folder" in error and error.count("\n") == 1
    for path in (*folder.rglob("*.wav"), *folder.rglob("*.aiff"), folder / "b.flac"):
        path.unlink()
    code, _, error = run(*words())
    assert code == 2 and "no file of sound" in error and not Path("out").exists()


def test_nothing_that_is_there_is_replaced_unasked(run: Run, folder: Path, tmp_path: Path) -> None:
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    for inside in ("in", "in/results"):
        code, _, error = run("render", "in", inside, "--chain", "in/chain.toml", "--force")
        assert code == 2 and "outside it" in error and error.count("\n") == 1
    assert before == {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}

    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.wav").write_text("mine")
    code, _, error = run(*words())
    assert code == 2 and "holds a.wav" in error and "--force" in error
    assert [p.read_text() for p in (tmp_path / "out").iterdir()] == ["mine"]
    assert run(*words("--force"))[0] == 0

    (tmp_path / "out" / archive.SHEET).write_text("{")
    code, _, error = run(*words())
    assert code == 2 and "another sound" in error
    assert run(*words("--force"))[0] == 0
    assert sorted(results(tmp_path / "out")) == sorted(NAMES)


def test_a_folder_that_cannot_be_written_is_one_sentence(
    run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, *more: object, **named: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    code, _, error = run(*words())
    assert code == 2 and "cannot use out for the results: No space left on device" in error
    assert list((tmp_path / "out").iterdir()) == []


def test_urls_are_rendered_as_folders_are(run: Run, folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("fsspec", reason="URLs need fsspec")
    assert run(*words())[0] == 0
    there = (tmp_path / "there").as_uri()
    chain = ("--chain", "in/chain.toml", "--jobs", "1")
    assert run("render", folder.as_uri(), there, *chain)[0] == 0
    assert results(tmp_path / "there") == results(tmp_path / "out")


def jobs(folder: Path) -> list[Job]:
    return [Job(str(folder), str(folder.parent / "out"), n) for n in NAMES]


def test_a_killed_process_takes_no_file_with_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    soundfile.write(folder / "a.wav", noise(RATE * 20).T, RATE)  # long enough to be hit
    before = {p.pid for p in archive_pools.multiprocessing.active_children()}
    killed: list[int] = []

    def kill_one() -> None:
        while not killed:
            for child in archive_pools.multiprocessing.active_children():
                if child.pid not in before and child.pid is not None:
                    os.kill(child.pid, signal.SIGKILL)
                    killed.append(child.pid)
                    return
            time.sleep(0.01)

    thread = threading.Thread(target=kill_one)
    thread.start()
    done = list(archive_pools.in_processes(jobs(folder), SOUND, None, 2))
    thread.join()
    assert killed and sorted(d.job.name for d in done) == sorted(NAMES)
    assert not [d for d in done if d.error]


def test_a_process_that_begins_while_the_pool_breaks_is_not_waited_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pool ends the processes it knows, and then waits for all: also for the newest one."""
    manager = concurrent.futures.process._ExecutorManagerThread
    breaks, joins = manager.terminate_broken, manager.join_executor_internals
    breaking = threading.local()

    def broken(self: Any, cause: object) -> None:
        breaking.now = True
        breaks(self, cause)

    def join(self: Any) -> None:
        if getattr(breaking, "now", False):
            newest = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(600,))
            newest.start()
            self.processes[newest.pid] = newest
        joins(self)

    monkeypatch.setattr(manager, "terminate_broken", broken)
    monkeypatch.setattr(manager, "join_executor_internals", join)
    monkeypatch.setattr(archive_pools, "render_job", ending)
    done = list(archive_pools.in_processes(jobs(folder), SOUND, None, 2))
    assert [d.job.name for d in done if d.error] == ["b.flac"]


def test_a_process_that_ends_between_two_files_takes_none_with_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool, asked = archive_pools.ProcessPoolExecutor, list[str]()
    submit = pool.submit

    def fragile(self: object, work: object, job: Job, *more: object) -> object:
        asked.append(job.name)
        if len(asked) == 2:
            raise archive_pools.BrokenProcessPool("a process ended")
        return submit(self, work, job, *more)

    monkeypatch.setattr(pool, "submit", fragile)
    done = list(archive_pools.in_processes(jobs(folder), SOUND, None, 2))
    assert asked.count(NAMES[1]) == 2
    assert sorted(d.job.name for d in done) == sorted(NAMES)
    assert not [d for d in done if d.error]


def ending(job: Job, sound: Sound, level: float | None = None) -> Done:
    """In place of a render: one file ends its process."""
    if job.name == "b.flac":
        os._exit(9)
    return Done(job, 1.0, None)


def test_a_file_that_ends_its_process_each_time_is_given_up(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_pools, "render_job", ending)
    done = {d.job.name: d.error for d in archive_pools.in_processes(jobs(folder), SOUND, None, 2)}
    assert "ended each time" in (done.pop("b.flac") or "")
    assert done == dict.fromkeys(set(NAMES) - {"b.flac"})


@pytest.fixture
def cluster() -> Iterator[str]:
    """A Ray cluster of this process's own."""
    pytest.importorskip("ray", reason="the extra ray is not installed")
    yield "local"


def test_on_ray_the_bits_are_the_same(run: Run, folder: Path, tmp_path: Path, cluster: str) -> None:
    assert run(*words())[0] == 0
    chain = ("--chain", str(folder / "chain.toml"), "--ray", cluster)
    code, _, error = run("render", str(folder), str(tmp_path / "ray"), *chain)
    assert code == 0, error
    assert results(tmp_path / "ray") == results(tmp_path / "out")


def test_without_ray_it_says_what_to_install(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    code, _, error = run("render", "in", "out", "--chain", "in/chain.toml", "--ray", "auto")
    assert code == 2 and "restyle[ray]" in error

"""Files from elsewhere are opened apart: none takes the time, memory or process of who asks."""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from benchmarks.rig import hostile
from realtime.errors import AudioFileError, ModelError, RestyleError
from realtime.models.catalog import find_model, list_models
from realtime.models.load import open_model
from realtime.session.operations import Insert, Swap
from realtime.session.sound import Stage
from realtime.trust import admission, apart, hashes, verdicts
from realtime.trust.sounds import read_sound

from ..graphs import fir_model
from ..host.cards import playing

ROOT = Path(__file__).parents[2]
FIR = fir_model(np.array([0.5, 0.0], dtype=np.float32))


@pytest.fixture(autouse=True)
def fresh(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is known, and little time is given."""
    monkeypatch.setattr(admission, "_admitted", set())
    monkeypatch.setattr(admission, "CPU_SECONDS", 4)


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def no_helper(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on nobody may ask the helper."""

    def look(*_: object) -> dict[str, object]:
        raise AssertionError("the helper was asked")

    monkeypatch.setattr(admission._apart, "look", look)


@pytest.mark.parametrize("kind", hostile.KINDS)
def test_a_hostile_model_is_refused_in_one_sentence(kind: str, tmp_path: Path) -> None:
    make, says = hostile.KINDS[kind]
    path = written(tmp_path / "evil.onnx", make())
    before = resource.getrusage(resource.RUSAGE_SELF)
    with pytest.raises(RestyleError) as caught:
        open_model(path)
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert re.search(says, str(caught.value)), str(caught.value)
    assert "evil.onnx" in str(caught.value) and "\n" not in str(caught.value)
    assert after.ru_maxrss - before.ru_maxrss < 300_000  # KiB, of this process


def test_a_folder_of_hostile_models_is_listed_and_disturbs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESTYLE_MODELS", str(tmp_path))
    for kind, (make, _) in hostile.KINDS.items():
        written(tmp_path / f"{kind.replace(' ', '-').replace('^', '')}.onnx", make())
    hostile.sparse(tmp_path / "sparse.onnx", 40 << 30)
    os.mkfifo(tmp_path / "pipe.onnx")
    written(tmp_path / "good.onnx", FIR)
    no_helper(monkeypatch)
    names = {e.path.stem: e for e in list_models()}
    assert names["good"].card is not None
    for broken in ("deep-card", "sparse", "pipe", "name-is-an-object", "hop-of-231"):
        assert names[broken].card is None and names[broken].problem
    assert find_model("tube-amp").name == "tube-amp.onnx"


def test_names_are_looked_up_without_reading_graphs(tmp_path: Path) -> None:
    """One GiB of weights that are not there: read whole, they would show in the peak."""
    from realtime.models.catalog import read_entry
    from realtime.models.metadata import _field_bytes, read_metadata, write_metadata

    size = 1 << 30
    head = _field_bytes(7, b"")[:1] + bytes(
        [size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14 & 0x7F | 0x80]
        + [size >> 21 & 0x7F | 0x80, size >> 28]
    )
    card = read_metadata(FIR)
    tail = write_metadata(b"", card)
    path = tmp_path / "large.onnx"
    with path.open("wb") as file:
        file.write(head)
        file.seek(size, os.SEEK_CUR)
        file.write(tail)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    entry = read_entry(path)
    assert entry.card is not None and entry.card.name == "test-fir"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


def test_a_known_file_is_not_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "good.onnx", FIR)
    bad = written(tmp_path / "bad.onnx", hostile.loop(1 << 62))
    open_model(path).close()
    with pytest.raises(ModelError, match=r"bad\.onnx has 4611686018427387904 turns"):
        open_model(bad)
    monkeypatch.setattr(admission, "_admitted", set())  # another process
    no_helper(monkeypatch)
    open_model(path.rename(tmp_path / "moved.onnx")).close()
    with pytest.raises(ModelError, match=r"evil2\.onnx has 46116"):
        open_model(bad.rename(tmp_path / "evil2.onnx"))
    written(tmp_path / "moved.onnx", FIR + b"\0")
    with pytest.raises(AssertionError, match="the helper was asked"):
        open_model(tmp_path / "moved.onnx")


def test_what_others_could_have_planted_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "good.onnx", FIR)
    open_model(path).close()
    content = hashes.content_hash(path)
    assert verdicts.recall(admission.MODEL, content) is not None
    folder = verdicts.cache_home() / "verdicts"
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o777)
    assert verdicts.recall(admission.MODEL, content) is None


def test_a_damaged_verdict_is_none(tmp_path: Path) -> None:
    path = written(tmp_path / "good.onnx", FIR)
    open_model(path).close()
    for kept in (verdicts.cache_home() / "verdicts").iterdir():
        kept.write_bytes(b"{")
    assert verdicts.recall(admission.MODEL, hashes.content_hash(path)) is None
    open_model(path).close()


def test_bundled_files_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    from scripts.bundled_hashes import hashes as listed

    assert set(listed(ROOT / "exported").values()) == admission.bundled()
    no_helper(monkeypatch)
    open_model(find_model("tape")).close()


def helpers_seconds(parent: int) -> int:
    """Processor time of a process's children and of theirs [s]."""
    words = ["ps", "-eo", "pid=,ppid=,cputimes="]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    rows = [tuple(map(int, line.split())) for line in said.splitlines()]
    children = {pid for pid, above, _ in rows if above == parent}
    return sum(spent for pid, above, spent in rows if pid in children or above in children)


def test_ctrl_c_is_heard_while_a_model_runs_for_ever(tmp_path: Path, own_cache: Path) -> None:
    path = written(tmp_path / "evil.onnx", hostile.nested_loops())
    program = f"""
import signal
from pathlib import Path
from realtime.trust import admission
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in a shell's background jobs
admission.CPU_SECONDS = 600
from realtime.models.load import open_model
print("begin", flush=True)
open_model(Path({str(path)!r}))
"""
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None and child.stdout.readline() == "begin\n"
        while helpers_seconds(child.pid) < 3:
            assert child.poll() is None
            time.sleep(0.2)
        time.sleep(1.0)  # it has read the file and is at it
        child.send_signal(signal.SIGINT)
        _, said = child.communicate(timeout=300)
    assert "KeyboardInterrupt" in said
    left = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(path) not in left


def test_what_crashes_its_reader_is_a_sentence(tmp_path: Path) -> None:
    """A reader that ends by a signal, in a helper of its own."""
    path = written(tmp_path / "evil.onnx", FIR)
    program = f"""
import os, json
from pathlib import Path
from realtime.proof import helper
helper._look = lambda kind, path, data, folder: os.kill(os.getpid(), 11)
print(json.dumps(helper._apart("model", Path({str(path)!r}), 4)))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "crashed what opened it (SIGSEGV)" in done.stdout
    assert hashes.content_hash(path) in done.stdout


def test_a_helper_that_does_not_answer_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "good.onnx", FIR)
    asker = apart.Apart()
    monkeypatch.setattr(apart, "ANSWER_SECONDS", 0.0)
    assert "ended or hung" in asker.look("model", path, 4)["failed"]
    monkeypatch.undo()
    assert asker.look("model", path, 4)["good"]
    asker._end()


def test_a_sound_is_decoded_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import soundfile

    path = tmp_path / "in.wav"
    soundfile.write(path, np.zeros(100, dtype=np.float32), 48000)
    read_sound(path)
    no_helper(monkeypatch)
    read_sound(path)
    with pytest.raises(AudioFileError, match="does not exist"):
        read_sound(tmp_path / "none.wav")


def test_a_playing_engine_does_not_notice_hostile_files(tmp_path: Path) -> None:
    good = written(tmp_path / "good.onnx", FIR)
    evil = [
        written(tmp_path / f"evil{k}.onnx", hostile.KINDS[kind][0]())
        for k, kind in enumerate(("loop without end", "big constant", "nested loops", "deep card"))
    ]
    text = written(tmp_path / "not_audio.wav", b"not audio")
    with playing(good) as played:
        host = played.host
        before = host.setup
        for path in evil:
            stage = Stage(model=str(path), identity=host.new_identity())
            with pytest.raises(RestyleError):
                host.do(Swap(before.sound.stages[0].identity, stage))
        with pytest.raises(RestyleError):
            named = {"impulse_response_filename": str(text)}
            host.do(
                Insert(Stage(effect="Convolution", parameters=named, identity=host.new_identity()))
            )
        played.settles(0.15)
        assert host.setup == before and host.incidents == []
        assert host.stats()["path"]["errors"] == 0

"""Checkpoints on a full disk, damaged, of other networks, and from earlier versions."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch

from realtime.errors import ConfigError
from train.fit import checkpoint
from train.fit import run as fit
from train.networks.waveform_tcn import WaveformTCN

from .tiny import SCHEDULE, Tiny


def quiet(text: str) -> None:
    """Log nowhere."""


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB, where the tests may mount one."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except OSError:
        pytest.skip("no mount here")
    if done.returncode:
        pytest.skip("may not mount a file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_leaves_the_previous_checkpoint(small_disk: Path) -> None:
    path = small_disk / "last.pt"
    checkpoint.write(path, {"weights": torch.arange(1000.0)})
    before = path.read_bytes()
    with pytest.raises(ConfigError, match="No space left on device; the previous one is intact"):
        checkpoint.write(path, {"weights": torch.zeros(100_000)})
    assert path.read_bytes() == before
    assert [p.name for p in small_disk.iterdir()] == ["last.pt"], "nothing half-written stays"


def test_training_on_a_full_disk_stops_with_a_sentence_and_goes_on_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    options = fit.Options(check_every=4, save_every=4, board=False)
    fit.fit(Tiny(), log=quiet, options=options)
    whole = (checkpoint.RUNS / "tiny" / "log.jsonl").read_text()
    sync, calls = os.fsync, []

    def full(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) > 4:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigError, match=r"cannot write .runs/tiny/.*\.pt: No space left"):
        fit.fit(Tiny(), log=quiet, options=replace(options, fresh=True))
    folder = checkpoint.RUNS / "tiny"
    assert not list(folder.glob("*.part"))
    assert checkpoint.read(folder / "last.pt")["step"] == 4
    monkeypatch.setattr(os, "fsync", sync)
    fit.fit(Tiny(), log=quiet, options=options)
    assert (folder / "log.jsonl").read_text() == whole


def test_another_architecture_is_named_and_nothing_is_touched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recipe = Tiny()
    fit.fit(recipe, log=quiet, options=fit.Options(board=False))
    folder = checkpoint.RUNS / "tiny"
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    monkeypatch.setattr(recipe, "network", lambda: WaveformTCN(5, 4, (1, 6)))
    with pytest.raises(ConfigError, match=r"layers.0.conv.weight is \[4, 1, 4\] in the file and"):
        fit.fit(recipe, log=quiet)
    with pytest.raises(ConfigError, match="another network.*restyle train fit tiny --fresh"):
        fit.load(recipe)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 cut short"])
def test_a_damaged_checkpoint_is_one_sentence(content: bytes) -> None:
    folder = checkpoint.RUNS / "tiny"
    folder.mkdir(parents=True)
    (folder / "last.pt").write_bytes(content)
    with pytest.raises(ConfigError, match="last.pt is not a readable checkpoint"):
        fit.fit(Tiny(), log=quiet)


def test_a_checkpoint_never_runs_code() -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (os.system, ("touch ran",))

    Path("evil.pt").parent.mkdir(exist_ok=True)
    torch.save({"weights": Evil()}, "evil.pt")
    with pytest.raises(ConfigError, match="not a readable checkpoint"):
        checkpoint.read(Path("evil.pt"))
    assert not Path("ran").exists()


def test_best_checkpoints_of_the_first_version_are_still_read() -> None:
    network = Tiny().network()
    old = {
        "weights": network.state_dict(),
        "recipe": "tiny",
        "schedule": asdict(SCHEDULE),
        "step": 7,
        "cpu_minutes": 0.5,
        "history": [(0, 1.0), (7, 0.5)],
    }
    checkpoint.write(checkpoint.RUNS / "tiny" / "best.pt", old)
    loaded, content = fit.load(Tiny())
    assert content["step"] == 7
    for name, weight in network.state_dict().items():
        assert torch.equal(weight, loaded.state_dict()[name])
    fit.fit(Tiny(), log=quiet, options=fit.Options(board=False))
    kept = checkpoint.read(checkpoint.RUNS / "tiny.old1" / "best.pt")
    assert kept["step"] == 7, "a run that cannot go on is set aside, not overwritten"


def test_evaluation_takes_on_the_settings_of_the_training() -> None:
    wide = Tiny()
    wide.config = replace(wide.config, channels=6)
    fit.fit(wide, log=quiet, options=fit.Options(board=False))
    recipe = Tiny()
    network, content = fit.load(recipe)
    assert content["config"]["channels"] == 6 == recipe.config.channels
    assert network.head.weight.shape[1] == 12


def test_a_missing_checkpoint_says_how_to_make_one() -> None:
    with pytest.raises(ConfigError, match="no checkpoint .*run: restyle train fit tiny"):
        fit.load(Tiny())

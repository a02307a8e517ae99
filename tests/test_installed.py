"""The wheel, away from the repository: everything it needs is in it."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts import man_page

ROOT = Path(__file__).parent.parent
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
WHERE = """
import exported, realtime, train, benchmarks
from pathlib import Path
folder = Path(realtime.__file__).parents[1]
assert all(Path(m.__path__[0]).parent == folder for m in (exported, train, benchmarks))
print(folder)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built once."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [*PIP, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder)]
    done = subprocess.run([*command, str(ROOT)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(
    wheel: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs Python with the wheel's packages alone, in an empty folder of an empty home."""
    target, home = tmp_path_factory.mktemp("target"), tmp_path_factory.mktemp("home")
    command = [*PIP, "install", "--quiet", "--no-deps", "--target", str(target), str(wheel)]
    subprocess.run(command, check=True)

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        own = {"PYTHONPATH": str(target), "HOME": str(home)}
        plain = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "RESTYLE_"))}
        return subprocess.run(
            [sys.executable, *words],
            cwd=home,
            env={**plain, **own},
            capture_output=True,
            text=True,
            check=False,
        )

    assert run("-c", WHERE).stdout.strip() == str(target)
    return run


def test_the_wheel_holds_packages_models_page_and_manual(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    bundled = {f"exported/{p.name}" for p in (ROOT / "exported").glob("*.onnx")}
    page = (ROOT / "realtime" / "panel" / "page").rglob("*.*")
    code = (p for n in ("realtime", "train", "benchmarks") for p in (ROOT / n).rglob("*.py"))
    needed = bundled | {str(p.relative_to(ROOT)) for p in (*page, *code)}
    assert needed | {"exported/demo.flac", "realtime/commands/files/restyle.desktop"} <= names
    assert any(n.endswith("share/man/man1/restyle.1") for n in names)
    assert not [n for n in names if n.startswith(("tests/", "scripts/"))]


def test_installed_it_finds_models_presets_and_demo(
    installed: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    for words, said in (
        (("models",), "tube-amp"),
        (("preset", "list"), "radio"),
        (("live", "--help"), "--demo"),
        (("train", "--help"), "train"),
    ):
        done = installed("-m", "realtime.cli", *words)
        assert done.returncode == 0, done.stderr
        assert said in done.stdout
    code = "from realtime.commands.live.demo import *; import soundfile, exported;"
    code += "from importlib.resources import files;"
    code += "print(soundfile.info(str(files('exported') / 'demo.flac')).frames)"
    done = installed("-c", code)
    assert int(done.stdout) > 0, done.stderr


def test_the_menu_entry_and_the_unit_start_this_installation(
    installed: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    command = ("-m", "realtime.cli", "desktop", "--service", "--preset", "my 5% sound.toml")
    home = Path(installed("-c", "from pathlib import Path; print(Path.home())").stdout.strip())
    entry = home / ".local/share/applications/restyle.desktop"
    unit = home / ".config/systemd/user/restyle.service"
    done = installed(*command)
    assert done.returncode == 2 and "no preset file" in done.stderr
    assert not entry.exists() and not unit.exists()
    (home / "my 5% sound.toml").touch()
    done = installed(*command)
    assert done.returncode == 0, done.stderr
    assert entry.read_text().startswith("[Desktop Entry]\n")
    started = next(w for w in unit.read_text().splitlines() if w.startswith("ExecStart="))
    assert started.endswith('.toml" --wait --panel-host 127.0.0.1')
    assert f'live --preset "{home}/my 5%% sound.toml"' in started
    assert not [t for t in (entry.read_text(), unit.read_text()) if "{" in t]

    unit.write_bytes(b"mine \xff\n")
    done = installed(*command)
    assert (done.returncode, unit.read_bytes()) == (2, b"mine \xff\n")
    assert "--force" in done.stderr
    assert installed("-m", "realtime.cli", "desktop", "--remove").returncode == 0
    assert not entry.exists() and not unit.exists()
    entry.mkdir()
    for more in ((), ("--force",), ("--remove",)):
        done = installed("-m", "realtime.cli", "desktop", *more)
        assert done.returncode == 2 and done.stderr.count("\n") == 1
        assert str(entry) in done.stderr


def test_a_service_plays_one_thing(
    installed: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    done = installed("-m", "realtime.cli", "desktop", "--preset", "radio")
    assert done.returncode == 2 and "--service" in done.stderr


def test_the_manual_is_what_help_says() -> None:
    assert man_page.PAGE.read_text(encoding="utf-8") == man_page.page()

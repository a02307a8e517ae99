import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import realtime
from realtime.commands.app import app
from scripts import card_table

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_version_is_the_same_everywhere() -> None:
    version = PROJECT["project"]["version"]
    assert realtime.__version__ == version
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text()


def test_readme_names_only_make_words_that_exist() -> None:
    words = set(re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(), re.M))
    named = set(re.findall(r"^make ([a-z]+)", (ROOT / "README.md").read_text(), re.M))
    assert named and named <= words


def test_readme_lists_every_command() -> None:
    text = (ROOT / "README.md").read_text()
    for command in app.registered_commands:
        assert command.callback is not None
        assert f"`restyle {command.name or command.callback.__name__}" in text


def test_exactly_one_onnxruntime_is_asked_for_on_each_platform() -> None:
    from packaging.requirements import Requirement

    wanted = [Requirement(r) for r in PROJECT["project"]["dependencies"] if "onnxruntime" in r]
    for system, machine in (
        ("linux", "x86_64"),
        ("win32", "AMD64"),
        ("darwin", "arm64"),
        ("darwin", "x86_64"),
        ("linux", "aarch64"),
    ):
        place = {"sys_platform": system, "platform_machine": machine}
        named = [r.name for r in wanted if r.marker is None or r.marker.evaluate(place)]
        gpu = (system, machine) in (("linux", "x86_64"), ("win32", "AMD64"))
        assert named == ["onnxruntime-gpu" if gpu else "onnxruntime"]


def test_the_host_does_not_depend_on_torch() -> None:
    assert not any("torch" in r for r in PROJECT["project"]["dependencies"])


def test_the_card_table_in_the_docs_is_the_dataclass() -> None:
    text = card_table.PAGE.read_text()
    assert card_table.page(text) == text


def test_the_wheel_holds_packages_and_models(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation"]
    done = subprocess.run(
        [*command, "--wheel-dir", str(tmp_path), str(ROOT)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    names = zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist()
    for needed in (
        "realtime/engine.py",
        "realtime/io/callback.py",
        "realtime/models/ort.py",
        "train/fit.py",
        "train/recipes/tube_amp.py",
        "benchmarks/__init__.py",
        "exported/tube-amp.onnx",
        "exported/square-synth.onnx",
        "exported/demo.flac",
    ):
        assert needed in names
    assert not any(n.startswith("tests/") for n in names)

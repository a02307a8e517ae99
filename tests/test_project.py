import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import numpy as np

import realtime
from realtime.commands.app import app
from realtime.models.catalog import read_entry
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


def test_readme_lists_every_bundled_style() -> None:
    text = (ROOT / "README.md").read_text()
    bundled = {p.stem for p in (ROOT / "exported").glob("*.onnx")}
    assert set(re.findall(r"^\| `([a-z-]+)` \|", text, re.M)) == bundled
    for name in bundled:
        assert (ROOT / "exported" / f"{name}.md").exists()
        plays = read_entry(ROOT / "exported" / f"{name}.onnx").plays
        assert (ROOT / "exported" / f"{name}.flac").exists() is plays


def test_readme_lists_every_command() -> None:
    text = (ROOT / "README.md").read_text()
    for command in app.registered_commands:
        assert command.callback is not None
        assert f"`restyle {command.name or command.callback.__name__}" in text
    for group in app.registered_groups:
        if group.name == "bench" or group.typer_instance is None:
            continue
        for command in group.typer_instance.registered_commands:
            assert f"`restyle {group.name} {command.name}" in text


def test_readme_names_only_options_that_exist() -> None:
    from typer.main import get_command

    from train.commands import app as training

    commands = get_command(app).commands  # type: ignore[attr-defined]
    rows = re.findall(r"^\| `restyle ([a-z]+)(.*)", (ROOT / "README.md").read_text(), re.M)
    for name, rest in rows:
        if name in ("bench", "import"):
            continue
        command = get_command(training) if name == "train" else commands[name]
        if hasattr(command, "commands"):
            command = command.commands[rest.split()[0].rstrip("`")]
        known = {o for p in command.params for o in (*p.opts, *p.secondary_opts)}
        assert set(re.findall(r"--[a-z-]+", rest)) <= known, name


def test_the_example_in_the_readme_plays(monkeypatch, capsys) -> None:
    from realtime.devices import one_card as duplex
    from realtime.devices.simulated import SimulatedDevice

    def play_a_little(sample_rate: int, block_size: int) -> SimulatedDevice:
        tone = 0.1 * np.sin(np.arange(sample_rate // 10) * 0.1)[None].astype(np.float32)
        return SimulatedDevice(tone, sample_rate, block_size, paced=False)

    monkeypatch.setattr(duplex, "PortAudioDevice", play_a_little)
    example = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    assert example is not None
    exec(compile(example[1], "README.md", "exec"), {})
    assert "declared" in capsys.readouterr().out


def test_every_page_a_page_links_to_exists() -> None:
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_architecture_page_names_files_that_exist() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    named = re.findall(r"`((?:realtime|train|exported|benchmarks)/[\w/]*(?:\.py)?)", text)
    assert named and not [n for n in named if not (ROOT / n).exists()]


def test_constraints_pin_every_package_asked_for() -> None:
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    pins = {}
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            pin = Requirement(line)
            pins[canonicalize_name(pin.name)] = next(iter(pin.specifier)).version
    extras = PROJECT["project"]["optional-dependencies"].values()
    for text in (*PROJECT["project"]["dependencies"], *(r for extra in extras for r in extra)):
        wanted = Requirement(text)
        if wanted.name == "setuptools":
            continue
        assert wanted.specifier.contains(pins[canonicalize_name(wanted.name)]), text


def test_make_asks_for_one_python_or_says_so(tmp_path: Path) -> None:
    done = subprocess.run(
        ["/bin/sh", str(ROOT / "scripts" / "make-venv.sh"), str(tmp_path / "venv")],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "restyle needs Python 3.11 or newer" in done.stderr
    assert not (tmp_path / "venv").exists()


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
        "realtime/engine/path.py",
        "realtime/stream/callback.py",
        "realtime/models/ort.py",
        "realtime/panel/page/index.html",
        "train/fit/run.py",
        "train/recipes/effect.py",
        "train/judging/listen_page.html",
        "benchmarks/__init__.py",
        "exported/tube-amp.onnx",
        "exported/square-synth.onnx",
        "exported/demo.flac",
    ):
        assert needed in names
    assert not any(n.startswith("tests/") for n in names)

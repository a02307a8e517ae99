import re
import subprocess
import tomllib
from pathlib import Path

import realtime
from realtime.models.catalog import read_entry
from realtime.presets.chains import read_chain
from realtime.presets.check import Library
from realtime.session.sound import Sound
from scripts import card_table, commands_page

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


def test_the_models_page_lists_every_bundled_style() -> None:
    text = (ROOT / "exported" / "README.md").read_text()
    bundled = {p.stem for p in (ROOT / "exported").glob("*.onnx")}
    for name in bundled:
        assert f"`{name}`" in text or f"({name}.md)" in text, name
        assert (ROOT / "exported" / f"{name}.md").exists()
        plays = read_entry(ROOT / "exported" / f"{name}.onnx").plays
        assert (ROOT / "exported" / f"{name}.flac").exists() is plays


def test_the_commands_page_is_what_help_says() -> None:
    assert commands_page.PAGE.read_text(encoding="utf-8") == commands_page.page()


def test_the_readme_names_only_commands_and_options_that_exist() -> None:
    known = commands_page.PAGE.read_text(encoding="utf-8")
    text = (ROOT / "README.md").read_text()
    assert len(text.encode()) < 8_000
    code = "".join(re.findall(r"`[^`]+`|^```.*?^```", text, re.M | re.S))
    for command in re.findall(r"restyle ([a-z]+)", code):
        assert f"## restyle {command}\n" in known, command
    for option in re.findall(r"--[a-z][a-z-]+", text):
        assert option in known, option


def test_the_rig_in_the_readme_is_a_chain(tmp_path: Path) -> None:
    example = re.search(r"```toml\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    assert example is not None
    (tmp_path / "rig.toml").write_text(example[1])
    sound, _ = Library().checked(Sound(read_chain(tmp_path / "rig.toml")))
    assert [s.name for s in sound.stages] == ["NoiseGate", "Reverb"]


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

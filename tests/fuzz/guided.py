"""Coverage-guided fuzzing of the tests beside: ``python -m tests.fuzz.guided [FORMAT…]``.

Atheris (libFuzzer) keeps the bytes that reach code which none before them reached, and Hypothesis
makes the documents of those bytes, so that what must hold is what the tests say.  Instrumented is
what parses in Python; files are opened here, not in the helper, where nothing would be counted.
Each format has a process of its own; exit code 1 if one of them failed.
"""

from __future__ import annotations

import argparse
import inspect
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

PARSERS = (
    "tomllib", "realtime.audio_files", "realtime.schema", "realtime.session", "realtime.presets",
    "realtime.parameters", "realtime.controllers", "realtime.panel", "realtime.trust.admission",
    "realtime.host.replay", "realtime.host.recover", "realtime.models.card",
    "realtime.models.metadata", "realtime.models.catalog", "realtime.models.foreign",
    "realtime.models.nam.build", "realtime.models.nam.file", "realtime.models.nam.limits",
    "realtime.models.nam.text", "realtime.models.nam.plan", "realtime.models.nam.wavenet",
    "realtime.commands.imports",
)  # fmt: skip
FORMATS = tuple(  # the tests' names, read without importing what is to be instrumented
    name
    for file in ("test_files.py", "test_messages.py")
    for name in re.findall(
        r"^@tried\(.*\)\ndef test_(\w+)", (Path(__file__).parent / file).read_text("utf-8"), re.M
    )
)
PATIENCE = 60  # seconds of the clock for one input
MEMORY = 3072  # MiB
DONE = re.compile(r"#(\d+)\s+DONE\s+cov: (\d+) ft: \d+ corp: (\d+)")
FIRST = re.compile(r"#\d+\s+(?:INITED|NEW)\s+cov: (\d+)")


def others() -> list[str]:
    """Modules that parse nothing, or hold what Numba compiles, which must stay as it is."""
    root, found = Path(__file__).parents[2], []
    for path in (root / "realtime").rglob("*.py"):
        name = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        parses = any(f"{name}.".startswith(f"{parser}.") for parser in PARSERS)
        if not parses or "numba" in path.read_text("utf-8"):
            found.append(name)
    return found


def fuzz(name: str, seconds: int, folder: Path) -> None:
    """Fuzz one format in this process, which libFuzzer then ends."""
    import atheris

    whole = sorted({parser.partition(".")[0] for parser in PARSERS})  # packages are named alone
    with atheris.instrument_imports(include=whole, exclude=others()):
        from hypothesis import given

        from . import conftest, test_files, test_messages
    from realtime.trust import admission

    from ..panel.fake import FakeConsole

    assert conftest.FUZZ_PROFILE  # it has told Hypothesis how the tests are run
    admission.inside()
    home = test_files if hasattr(test_files, f"test_{name}") else test_messages
    handle = getattr(home, f"test_{name}").hypothesis
    inner, drawn = handle.inner_test, handle._given_kwargs
    (folder / "files").mkdir()
    (folder / "takes").mkdir()
    fixtures: dict[str, Any] = {"folder": folder / "files", "tmp_path_factory": None}
    if home is test_messages:
        fixtures["console"] = FakeConsole(test_messages.SOUND, folder / "takes")
    named = {k: v for k, v in fixtures.items() if k in inspect.signature(inner).parameters}

    @given(**drawn)
    def held(**drawn: Any) -> None:
        inner(**named, **drawn)

    corpus = folder / "corpus"
    corpus.mkdir()
    words = [
        name, f"-max_total_time={seconds}", f"-timeout={PATIENCE}", f"-rss_limit_mb={MEMORY}",
        f"-artifact_prefix={folder}/", "-max_len=4096", str(corpus),
    ]  # fmt: skip
    atheris.Setup(words, held.hypothesis.fuzz_one_input)
    atheris.Fuzz()


def guided(name: str, seconds: int) -> tuple[str, bool]:
    """Fuzz one format in a process of its own; return a row of the table, and whether it failed."""
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run(
            [sys.executable, "-m", __spec__.name, "--one", name, folder, str(seconds)],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        said = run.stderr + run.stdout
        done, first = DONE.search(said), FIRST.search(said)
        if done is None or first is None or run.returncode:
            print(f"{name} failed:\n{said[-6000:]}", file=sys.stderr, flush=True)
            return f"| {name} | – | – | – | – | **failed** |", True
    inputs, reached, kept = done.groups()
    return f"| {name} | {inputs} | {first[1]} | {reached} | {kept} | 0 |", False


def main() -> None:
    """Print inputs tried, places in the code that the first and all reached, and inputs kept."""
    ask = argparse.ArgumentParser(prog="python -m tests.fuzz.guided", description=__doc__)
    ask.add_argument("formats", nargs="*", metavar="FORMAT", help=f"of {', '.join(FORMATS)}")
    ask.add_argument("--minutes", type=float, default=10.0, help="of each format (default 10)")
    ask.add_argument("--beside", type=int, default=2, help="formats at a time (default 2)")
    ask.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    words = ask.parse_args()
    if words.one:
        fuzz(words.one[0], int(words.one[2]), Path(words.one[1]))
        return
    unknown = sorted(set(words.formats) - set(FORMATS))
    if unknown:
        ask.error(f"there is no format {unknown[0]}; there are {', '.join(FORMATS)}")
    seconds = max(1, round(60 * words.minutes))
    print("| format | inputs | places at first | places in the end | inputs kept | failures |")
    print("|---|---|---|---|---|---|", flush=True)
    with ThreadPoolExecutor(words.beside) as pool:
        failed = False
        for row, bad in pool.map(lambda n: guided(n, seconds), words.formats or FORMATS):
            print(row, flush=True)
            failed |= bad
    raise SystemExit(int(failed))


if __name__ == "__main__":
    main()

"""``python -m benchmarks.measures.cases``: members of every kind of input that once went wrong.

For each kind several members are made, each is met by the commands that a user would meet it with,
in processes with limits of time and memory, and what ends otherwise than in play or one sentence is
counted.  ``--before FOLDER`` runs the same with the restyle of another checkout.  Kinds that need a
host in trouble are shown by tests, which are run and counted by name.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from realtime.commands.common import check_writable

from ..rig import model_members, text_members
from ..rig.members import Kind, sound, surroundings, tried
from ..rig.tables import Report, Row, markdown

ROOT = Path(__file__).parents[2]
KINDS: dict[str, Kind] = {
    "cards whose values are of another kind": model_members.broken_cards,
    "graphs that compute for ever or fill the memory": model_members.endless_graphs,
    "hops, states and rates beyond reason": model_members.sizes_beyond_reason,
    "cards without `format_version`": model_members.without_version,
    "graphs with a fixed step and batch": model_members.fixed_steps,
    "files of other programs, taken for models": model_members.other_makes,
    "sounds whose head lies": text_members.lying_heads,
    "recordings that were cut off": text_members.cut_off,
    "texts nested deeply, numbers of 5,000 digits": text_members.deep_texts,
    "sessions that open the network or record elsewhere": text_members.opens_or_writes,
    "presets with code beside them": text_members.brings_code,
    "session logs that name devices and pipes": text_members.logs_that_reach_out,
    "folders that are none, full disks": text_members.odd_surroundings,
    "words that steer a terminal": text_members.steering_names,
}
TESTS = {
    "models and names offered over HTTP": ("tests/panel/test_hostile_files.py",),
    "more than 4 GiB of sound": (
        "tests/trust/test_sounds.py::test_more_than_a_wav_file_can_have_is_written_as_rf64",
        "tests/host/test_takes.py",
    ),
    "a list of recordings while one is made": ("tests/panel/test_recordings.py",),
    "edits on a machine without time": (
        "tests/host/test_supervisor.py::test_an_edit_has_no_limit_of_time_while_the_sound_goes_on",
        "tests/host/test_supervisor.py::test_a_starved_machine_is_late_not_broken",
        "tests/host/test_supervisor.py::test_a_change_can_be_called_off_at_any_time",
    ),
    "slow first starts": (
        "tests/host/test_supervisor.py::test_a_start_takes_its_time_while_it_gets_on",
        "tests/host/test_supervisor.py::test_a_start_that_gets_nowhere_is_given_up",
    ),
    "a crowd at the panel, descriptors that run out": (
        "tests/panel/test_crowds.py",
        "tests/host/test_supervisor.py::test_descriptors_that_run_out_are_waited_for",
    ),
    "a device or engine that ends around its first answer": (
        "tests/host/test_supervisor.py::test_the_end_before_the_answer_to_open_is_not_lost",
        "tests/host/test_supervisor.py::test_a_loss_around_the_answer_to_open_leads_to_another_engine",
        "tests/host/test_supervisor.py::test_fifty_kills_at_random_moments",
    ),
    "kernels that are damaged, first starts that are killed": ("tests/native/test_cache.py",),
    "little shared memory": ("tests/native/test_shared.py",),
    "counts after restarts": (
        "tests/host/test_supervisor.py::test_counts_of_engines_that_have_ended_stay",
    ),
    "feedback": ("tests/host/test_feedback.py",),
    "plug-ins with other buses than the stream's": (
        "tests/stages/test_uneven.py", "tests/stages/test_buses.py",
    ),
    "DC, hiss, first and last sample": (
        "tests/stream/test_protection.py", "tests/host/test_protection.py",
    ),
    "another account of the machine": ("tests/panel/test_other_account.py",),
}  # fmt: skip
COLUMNS = {"what": "kind", "members": "members", "failed": "failed", "before": "failed before"}


def run_kind(kind: Kind, tree: Path, home: Path, report: Report) -> tuple[int, int]:
    """Members of a kind, and how many went wrong, each of which is told."""
    members = failed = 0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        for member in kind(folder):
            if member.newer and tree != ROOT:
                continue
            members += 1
            problem = tried(member, folder, tree, home)
            failed += bool(problem)
            if problem:
                report.progress(f"  {tree.name}, {member.name}: {problem}".replace("[", r"\["))
    return members, failed


def run_tests(names: Sequence[str]) -> tuple[int, int]:
    """Tests that were run, and how many failed; those that were left out do not count."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "found.xml"
        words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={path}", *names]
        subprocess.run([sys.executable, *words], cwd=ROOT, stdout=subprocess.DEVNULL, check=False)
        suite = ET.parse(path).getroot().find("testsuite")
        assert suite is not None
        count = {k: int(suite.get(k, 0)) for k in ("tests", "failures", "errors", "skipped")}
    return count["tests"] - count["skipped"], count["failures"] + count["errors"]


def warm(tree: Path, home: Path) -> None:
    """Compile what a first start compiles."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        words = ("render", str(sound(folder / "in.wav")), str(folder / "out.wav"))
        command = [sys.executable, "-m", "realtime.cli", *words, "--model", "tape"]
        subprocess.run(command, cwd=tree, env=surroundings(tree, home), check=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it and print it; 1 where a member went wrong."""
    parser = argparse.ArgumentParser(prog="benchmarks.measures.cases", description=__doc__)
    parser.add_argument(
        "--only", metavar="WORDS", default="", help="kinds with these words in them"
    )
    parser.add_argument("--before", type=Path, metavar="FOLDER", help="another checkout, for both")
    parser.add_argument("--no-tests", action="store_true", help="leave out what tests show")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there")
    options = parser.parse_args(arguments)
    check_writable(options.json)
    report = Report("cases", "python -m benchmarks.measures.cases")
    rows: list[Row] = []
    trees = [ROOT] + ([options.before.resolve()] if options.before else [])
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        homes = [Path(name) / str(k) for k in range(len(trees))]
        for home in homes:
            home.mkdir(mode=0o700, exist_ok=True)
        with ThreadPoolExecutor() as pool:
            report.progress("first starts")
            list(pool.map(warm, trees, homes))
        for what, kind in KINDS.items():
            if options.only not in what:
                continue
            row: Row = {"what": what, "before": "–"}
            report.progress(what)
            with ThreadPoolExecutor() as pool:  # they only wait
                found = list(pool.map(run_kind, [kind] * 2, trees, homes, [report] * 2))
            row["members"], row["failed"] = found[0]
            if len(found) > 1:
                row["before"] = "{1} of {0}".format(*found[1])
            row["verdict"] = "ok" if not row["failed"] else "not as it should be"
            rows.append(row)
    for what, names in TESTS.items():
        if options.no_tests or options.only not in what:
            continue
        report.progress(f"{what}: {', '.join(names)}")
        members, failed = run_tests(names)
        verdict = "ok" if members and not failed else "not as it should be"
        row = {"what": f"{what} (tests)", "members": members, "failed": failed, "before": "–"}
        rows.append({**row, "verdict": verdict})
    report.table("cases", "Members of kinds that once went wrong", rows, COLUMNS)
    print(markdown(rows, COLUMNS))
    if options.json is not None:
        report.write(options.json)
    return 0 if all(r["verdict"] == "ok" for r in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())

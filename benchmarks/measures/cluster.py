"""``python -m benchmarks.measures.cluster``: an archive on a Ray cluster of two nodes.

Both nodes are on this machine, with a core each.  While the files are rendered one worker process
is killed; one file is no sound.  What is there at the end is held against the files of ``restyle
render FOLDER`` on this machine alone, byte for byte, and the seconds of sound in a second of a core
against those of the renderer alone, before and after: in all, and from the first file that is done
on, without the start of the workers.  Every file is known before, so that nobody's helper decodes
it first (:mod:`realtime.trust.sounds`).
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from realtime.commands.archive import Done, Job, render_file, result_name
from realtime.commands.archive_pools import in_processes, on_ray
from realtime.commands.common import check_writable
from realtime.errors import ConfigError
from realtime.session.sound import Sound, Stage
from realtime.trust.sounds import read_sound

from ..rig.tables import Report, Row, as_command
from .archive import folder_of, processor_s

COLUMNS = {
    "how": "how",
    "files": "files",
    "rendered": "rendered",
    "refused": "refused",
    "killed": "workers killed",
    "equal": "equal to one machine's",
    "wall_s": "wall s",
    "share": "throughput of render alone",
    "going": "once under way",
}


@contextlib.contextmanager
def two_nodes() -> Iterator[str]:
    """The address of a cluster of two nodes, a core each.

    Raises
    ------
    ConfigError
        Ray is not installed.
    """
    try:
        from ray.cluster_utils import Cluster
    except ImportError:
        raise ConfigError("this needs Ray; install it with: pip install 'restyle[ray]'") from None
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        cluster.add_node(num_cpus=1)
        cluster.wait_for_nodes()
        yield str(cluster.address)
    finally:
        cluster.shutdown()


def workers() -> list[int]:
    """Ray's worker processes that render just now."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if path.read_bytes().startswith(b"ray::render_job"):
                found.append(int(path.parent.name))
    return found


def kill_one(after: Callable[[], bool], killed: list[int]) -> None:
    """Kill a worker that renders, once it is time."""
    while not after():
        time.sleep(0.02)
    end = time.monotonic() + 60.0
    while not killed and time.monotonic() < end:
        for pid in workers()[:1]:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)
        time.sleep(0.002)


def rows(report: Report, model: str, files: int, seconds: float) -> list[Row]:
    """The same archive on this machine and on the cluster."""
    sound, found = Sound((Stage(model=model),)), list[Row]()
    with tempfile.TemporaryDirectory(prefix="restyle-cluster-") as folder:
        source = Path(folder) / "in"
        source.mkdir()
        names = folder_of(source, files - 1, seconds)
        for name in names:
            read_sound(source / name)
        render_file(sound, source / names[0], Path(folder) / "warm.flac")
        few = names[: max(1, files // 20)]
        (Path(folder) / "alone").mkdir()

        def renderer_alone() -> float:
            used = processor_s()
            for name in few:
                render_file(sound, source / name, Path(folder) / "alone" / result_name(name))
            return len(few) * seconds / (processor_s() - used)

        speeds = [renderer_alone()]  # again after each way: a machine's speed wanders
        (source / "corrupt.flac").write_bytes(b"fLaC and nothing that follows")
        names = [*names, "corrupt.flac"]

        def ways(how: str, target: str, work: Callable[[list[Job]], Iterator[Done]]) -> None:
            report.progress(how)
            jobs = [Job(str(source), str(Path(folder) / target), n) for n in names]
            done: list[Done] = []
            killed: list[int] = []
            killer = threading.Thread(
                target=kill_one, args=(lambda: len(done) >= files // 4, killed), daemon=True
            )
            if target == "ray":
                killer.start()
            start = first = time.monotonic()
            for one in work(jobs):
                done.append(one)
                first = time.monotonic() if len(done) == 1 else first
            end = time.monotonic()
            spent = end - start
            speeds.append(renderer_alone())
            alone = sum(speeds[-2:]) / 2
            here = Path(folder) / target
            good = [d for d in done if not d.error]
            same = [
                (here / result_name(d.job.name)).read_bytes()
                == (Path(folder) / "one" / result_name(d.job.name)).read_bytes()
                for d in good
            ]
            refused = sorted(d.job.name for d in done if d.error)
            right = len(good) == files - 1 and refused == ["corrupt.flac"] and all(same)
            right = right and len(done) == files and (target != "ray" or bool(killed))
            found.append(
                {
                    "how": how,
                    "files": files,
                    "rendered": len(good),
                    "refused": len(refused),
                    "killed": len(killed),
                    "equal": sum(same),
                    "wall_s": round(spent, 1),
                    "share": round(len(good) * seconds / (2 * spent) / alone, 2),
                    "going": round((len(good) - 1) * seconds / (2 * (end - first)) / alone, 2),
                    "verdict": "ok" if right else "not as it should be",
                }
            )

        ways("two processes", "one", lambda jobs: in_processes(jobs, sound, None, 2))
        with two_nodes() as address:
            ways("Ray, two nodes", "ray", lambda jobs: on_ray(jobs, sound, None, address))
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Run it and print it; 1 where a file is missing or other."""
    parser = argparse.ArgumentParser(prog="benchmarks.measures.cluster", description=__doc__)
    parser.add_argument("--model", default="tube-amp")
    parser.add_argument("--files", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each file")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there")
    options = parser.parse_args(argv)
    check_writable(options.json)
    if not 8 <= options.files <= 100_000:
        raise ConfigError(f"--files must be within 8..100000, got {options.files}")
    report = Report("cluster", "python -m benchmarks.measures.cluster")
    found = rows(report, options.model, options.files, options.seconds)
    report.table("cluster", f"An archive rendered with {options.model}", found, COLUMNS)
    if options.json is not None:
        report.write(options.json)
    return int(any(r["verdict"] != "ok" for r in found))


if __name__ == "__main__":
    as_command(main)

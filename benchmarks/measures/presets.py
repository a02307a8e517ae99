"""``restyle bench presets``: 40 presets changed at random on JACK, and no click and no gap allowed.

A JACK server of its own (dummy driver) plays a low sine through a host whose setlist is loaded
beforehand.  Every 200 ms another preset is asked for, by the setlist's number or by a MIDI program
change through a virtual port.  What came in and what was played is recorded and looked through:

- a *click* is a step from one sample to the next beyond what the sound before and the sound after
  have themselves, plus the slope of the fade between them (docs/host.md);
- a *gap* is 5 ms with less than a tenth of the level of both sounds;
- the *switch time* runs from the request until the callback has taken the other preset up, and on
  to where its fade begins; 20 ms later it is all that is heard.

Changes during which the input itself was torn (a late client, by its own steps) or a worker was
late and its sound concealed are counted apart; so are callbacks that the system missed.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

from realtime.errors import ConfigError
from realtime.host.concert import Concert
from realtime.host.host import Host
from realtime.host.shared_memory import LATENCY
from realtime.parameters.mapping import MidiMapping
from realtime.presets.files import save_preset
from realtime.presets.format import Preset
from realtime.presets.setlist import save_setlist
from realtime.session.sound import Device, Setup, Sound, Stage

from ..rig.child import answer, run_child
from ..rig.jack import API, dummy_server, unavailable
from ..rig.tables import Report, Row

RATE, FADE = 48_000, 960
LEAD_MS = 10.0  # a preset is given sound for so long before it is heard
STYLES = ("tube-amp", "tape", "radio-voice", "amp-blend")  # whose answer to a sine is steady
EFFECTS = (
    Stage(effect="Delay", parameters={"delay_seconds": 0.05, "mix": 0.3}),
    Stage(effect="Reverb", parameters={"room_size": 0.4}),
    Stage(effect="HighpassFilter", parameters={"cutoff_frequency_hz": 60.0}),
    Stage(effect="PeakFilter", parameters={"gain_db": 4.0}),
    Stage(effect="LowpassFilter", parameters={"cutoff_frequency_hz": 3000.0}),
)
QUIET, WINDOW = 1440, 240  # settled samples at the end of a stretch; of a gap
PATIENCE_SECONDS = 600.0
Array = npt.NDArray[np.float32]


def presets(many: int, seed: int) -> list[Sound]:
    """Different sounds: every other one with a model, all with some effects and a level.

    Every eighth has an effect that needs Python, so another lane and another latency.
    """
    rng = random.Random(seed)
    found = []
    for i in range(many):
        stages = [] if i % 2 else [Stage(model=STYLES[i // 2 % len(STYLES)])]
        stages += rng.sample(EFFECTS, rng.randrange(1, 4))
        stages += [Stage(effect="Gain", engine="pedalboard")] if i % 8 == 7 else []
        found.append(Sound(tuple(stages), output_gain_db=-6.0 - i % 7))
    return found


@contextmanager
def sine() -> Iterator[str]:
    """A JACK client that plays a sine of 240 Hz; the name of its port."""
    program = shutil.which("jack_simple_client")
    if program is None:
        raise ConfigError("jack_simple_client is missing; on Debian or Ubuntu: apt install jackd2")
    words = [program, "sine", os.environ["JACK_DEFAULT_SERVER"]]
    client = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield "sine:output1"
    finally:
        client.terminate()
        client.wait()


def connect(port: str) -> None:
    """Have the host hear that port and nothing else."""
    import jack

    client: Any = jack.Client("connect", no_start_server=True)
    with client:
        end = time.monotonic() + 30.0
        while not client.get_ports(port) or not client.get_ports("PortAudio.*", is_input=True):
            if time.monotonic() > end:
                raise ConfigError(f"the port {port} did not appear")
            time.sleep(0.1)
        for target in client.get_ports("PortAudio.*", is_audio=True, is_input=True):
            for source in client.get_all_connections(target):
                client.disconnect(source, target)
            client.connect(port, target)


class Rig:
    """A host with a loaded setlist, and a way to ask for another preset."""

    def __init__(self, host: Host, concert: Concert, names: Sequence[str], block: int) -> None:
        self.host, self.concert, self.names, self.block = host, concert, names, block
        self.port: Any = None

    def loaded(self) -> None:
        """Wait until the whole setlist is."""
        end = time.monotonic() + PATIENCE_SECONDS
        while self.host.now.get("shelf", {}).get("loaded", 0) < len(self.names):
            if time.monotonic() > end or self.host.now.get("shelf", {}).get("problems"):
                raise ConfigError(f"the setlist is not loaded: {self.host.now.get('shelf')}")
            time.sleep(0.1)

    def with_midi(self) -> Rig:
        """Ask by program changes through a virtual port."""
        import functools

        import rtmidi

        from realtime.panel.controls import ControlsSettings, start_controls

        self.port = rtmidi.MidiOut(rtmidi.API_UNIX_JACK, name="foot")
        self.port.open_virtual_port("switch")
        mappings = tuple(MidiMapping(program=i, preset=n) for i, n in enumerate(self.names))
        self.host.start_controls(functools.partial(start_controls, ControlsSettings(mappings)))
        time.sleep(3.0)  # ports are looked for every second
        return self

    def change(self, number: int) -> tuple[int, float]:
        """Ask for a preset; where the callback took it up [samples], after how long [ms]."""
        record = self.host.board.record[0]
        before = int(record["swaps"])
        samples, last = int(record["samples"]), int(record["last_ns"])
        # the block that begins at `samples` is called one block after the last call
        asked = samples - self.block + (time.monotonic_ns() - last) * 1e-9 * RATE
        if self.port is None:
            self.concert.go(number + 1)
        else:
            self.port.send_message([0xC0, number])
        end = time.monotonic() + 5.0
        while int(record["swaps"]) == before and time.monotonic() < end:
            time.sleep(0.0005)
        position = int(record["swap_position"])
        return position, (position - asked) / RATE * 1000


def measure(job: dict[str, Any]) -> dict[str, Any]:
    """What happened during ``job = {seconds, presets, every, block, midi, seed, folder}``."""
    folder = Path(job["folder"])
    os.environ["RESTYLE_PRESETS"] = str(folder / "presets")
    os.environ["RESTYLE_MIDI"] = "jack"
    names = [f"preset {i:02}" for i in range(job["presets"])]
    for name, sound in zip(names, presets(job["presets"], job["seed"]), strict=True):
        save_preset(name, Preset(sound=sound))
    save_setlist("all", names)
    device = Device(input=f"system {API}", output=f"system {API}", channels=1, sample_rate=RATE)
    rng = random.Random(job["seed"])
    files = {k: folder / f"{k}.wav" for k in ("dry", "wet")}
    changes: list[dict[str, Any]] = []
    memory: list[int] = []
    told: list[str] = []
    with sine() as port, Host(Setup(Sound(), device), told.append, standby=False) as host:
        connect(port)
        rig = Rig(host, Concert(host), names, job["block"])
        rig.concert.use_setlist("all")
        rig.loaded()
        if job["midi"]:
            rig = rig.with_midi()
        recorder = host.record(files)
        origin = int(host.board.record[0]["samples"])
        now, due = -1, time.monotonic()
        for count in range(round(job["seconds"] / job["every"])):
            number = rng.choice([n for n in range(len(names)) if n != now])
            position, ms = rig.change(number)
            record, now = host.board.record[0], number
            changes.append(
                {
                    "at": position,
                    "ms": ms,
                    "latency": int(host.board.status[LATENCY]),
                    "preset": number,
                    "concealed": int(record["concealed_samples"]),
                    "load": os.getloadavg()[0],
                }
            )
            if count % 50 == 0:
                memory.append(_rss_kib(host.link.process.pid))
            due += job["every"]
            time.sleep(max(0.0, due - time.monotonic()))
        figures = host.stats()
        host.stop()
        recorder.stop()
    return {
        "changes": changes,
        "memory": memory,
        "told": told,
        "missed": figures["callbacks_missed"],
        "late": figures["deadline_misses"],
        "restarts": figures["restarts"],
        **listened(files, changes, origin),
    }


def _rss_kib(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def listened(
    files: dict[str, Path], changes: Sequence[dict[str, Any]], origin: int
) -> dict[str, Any]:
    """Clicks and gaps in what was recorded; `origin` is about where the recording began."""
    dry, wet = (_read(files[k]) for k in ("dry", "wet"))
    usual = _steps(dry[:RATE])
    clicks: list[dict[str, float]] = []
    concealed: list[dict[str, float]] = []
    gaps, torn = [], 0
    for one, after in itertools.pairwise(changes):
        # the recording began within a block or two of `origin`: the margins are wider than that
        at, end = one["at"] - origin, after["at"] - origin
        if at < 9600 or end - at < 4 * QUIET or end > len(wet):
            continue
        if _steps(dry[at - 4800 : end]) > 1.5 * usual:
            torn += 1
            continue
        stretch = wet[at - 512 : end - 512]
        settled = (wet[at - 512 - QUIET : at - 512], stretch[-QUIET:])
        own = max(_steps(y) for y in settled)
        peak = max(float(np.abs(y).max()) for y in settled)
        bound = 1.1 * own + 1.5 * 2 * peak * np.pi / 2 / FADE + 1e-4
        step = _steps(stretch)
        if step > bound:
            late = after["concealed"] != one["concealed"]
            (concealed if late else clicks).append(
                {"preset": one["preset"], "step": step, "bound": float(bound)}
            )
        level = min(_level(y) for y in settled)
        windows = stretch[: len(stretch) // WINDOW * WINDOW].reshape(-1, WINDOW)
        if (np.sqrt((windows**2).mean(axis=1)) < 0.1 * level).any():
            gaps.append(one["preset"])
    return {
        "clicks": clicks,
        "concealed": len(concealed),
        "gaps": gaps,
        "torn": torn,
        "samples": len(wet),
    }


def _read(path: Path) -> Array:
    return np.asarray(soundfile.read(path, dtype="float32", always_2d=True)[0][:, 0])


def _steps(y: Array) -> float:
    return float(np.abs(np.diff(y)).max(initial=0.0))


def _level(y: Array) -> float:
    return float(np.sqrt((y**2).mean()))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print it."""
    parser = argparse.ArgumentParser(prog="restyle bench presets", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="default 10")
    parser.add_argument("--presets", type=int, default=40)
    parser.add_argument("--every", type=float, default=0.2, help="seconds between changes")
    parser.add_argument("--block", type=int, default=128, help="the server's period")
    parser.add_argument("--midi", action="store_true", help="by program change, not by number")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", metavar="FILE", help="write the result there")
    options = parser.parse_args(arguments)
    if not 0.1 <= options.minutes <= 600:
        raise ConfigError(f"--minutes must be within 0.1..600, got {options.minutes:g}")
    if not 2 <= options.presets <= 128:
        raise ConfigError(f"--presets must be within 2..128, got {options.presets}")
    if not 0.15 <= options.every <= 60:
        raise ConfigError(f"--every must be within 0.15..60 s, got {options.every:g}")
    if (reason := unavailable()) is not None:
        raise ConfigError(f"this benchmark needs a JACK server: {reason}")
    job = {**vars(options), "seconds": 60 * options.minutes}
    with tempfile.TemporaryDirectory(prefix="restyle-bench-") as folder:
        with dummy_server(options.block, RATE) as environment:
            found = run_child(
                "benchmarks.measures.presets",
                {**job, "folder": folder},
                environment,
                60 * options.minutes + PATIENCE_SECONDS,
            )
    report = Report("presets", " ".join(["restyle bench presets", *(arguments or [])]))
    report.table("presets", _title(options), _rows(found), {"what": "what", "value": "value"})
    for click in found["clicks"][:20]:
        report.note(
            f"click on the way to preset {click['preset']}: step {click['step']:.4f}, allowed"
            f" {click['bound']:.4f}"
        )
    for one in sorted(found["changes"], key=lambda c: -c["ms"])[:3]:
        report.note(
            f"slow: preset {one['preset']} after {one['ms']:.1f} ms, at load {one['load']:.1f}"
        )
    for text in found["told"][:20]:
        report.note(text)
    if options.json is not None:
        report.write(Path(options.json))
    return 1 if found["clicks"] or found["gaps"] or found["restarts"] else 0


def _title(options: argparse.Namespace) -> str:
    how = "MIDI program changes" if options.midi else "numbers of the setlist"
    return (
        f"{options.presets} presets, one every {1000 * options.every:.0f} ms by {how}, blocks of"
        f" {options.block} on JACK"
    )


def _rows(found: dict[str, Any]) -> list[Row]:
    taken = np.array([c["ms"] for c in found["changes"]])
    latencies = {c["latency"] for c in found["changes"]}
    memory = found["memory"]
    quantile: Callable[[float], float] = lambda q: round(float(np.quantile(taken, q)), 1)  # noqa: E731
    return [
        {"what": "minutes recorded", "value": round(found["samples"] / RATE / 60, 2)},
        {"what": "changes", "value": len(taken)},
        {"what": "clicks", "value": len(found["clicks"])},
        {"what": "clicks where a worker was late and its sound concealed",
         "value": found["concealed"]},
        {"what": "gaps", "value": len(found["gaps"])},
        {"what": "changes while the input was torn, not judged", "value": found["torn"]},
        {"what": "until taken up, ms: median", "value": quantile(0.5)},
        {"what": "until taken up, ms: 99 %", "value": quantile(0.99)},
        {"what": "until taken up, ms: worst", "value": quantile(1.0)},
        {"what": "changes taken up after more than 30 ms", "value": int((taken > 30).sum())},
        {"what": "until the fade begins, ms: median, without the preset's own latency",
         "value": round(quantile(0.5) + LEAD_MS, 1)},
        {"what": "different latencies declared, samples", "value": len(latencies)},
        {"what": "callbacks missed", "value": found["missed"]},
        {"what": "callbacks over their deadline", "value": found["late"]},
        {"what": "engine's memory after a quarter, MiB",
         "value": round(memory[len(memory) // 4] / 1024, 1)},
        {"what": "engine's memory at the end, MiB", "value": round(memory[-1] / 1024, 1)},
    ]  # fmt: skip


if __name__ == "__main__":
    answer(measure)

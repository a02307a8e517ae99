"""``restyle bench clean``: what denoisers leave of noisy speech, by outside judges.

Ten speakers that no training heard, in seven languages and of both sexes, each with eight noises
at 0, 5, 10 and 20 dB; the bundled style `clean`, played by the player, beside the input and beside
GTCRN and DTLN where their packages are installed.  DNSMOS is the quality of the speech and overall,
PESQ (wide band) and STOI compare with the clean recording, words are counted by pocketsphinx where
the text is known.  Needs the sets ``speech``, ``speech-wide``, ``keystrokes`` and ``game-music``,
the judges (``make judges``), and the packages ``pesq`` and ``pystoi`` for their columns.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from realtime.audio_files import whole_file
from realtime.errors import ConfigError
from realtime.models.card import CARD_KEY
from realtime.models.catalog import find_model, read_entry
from realtime.models.metadata import write_metadata
from realtime.proof.listener.play import play
from train.data.manifest import Item, rank, read_manifest
from train.data.sets.packages import find_package
from train.data.sets.recordings import SETS
from train.data.sound.decode import decode
from train.data.sound.noise import coloured_noise
from train.judging import denoised
from train.judging.judges import voice as judge
from train.judging.judges.memo import remembered
from train.judging.judges.packages import require

from ..rig import denoisers
from ..rig.tables import Report, Row

RATE, LOW_RATE = 48000, 16000
SECONDS = 6.0
RATIOS = (0.0, 5.0, 10.0, 20.0)
LEAD = 0.5  # seconds of noise alone at both ends
LOUD = 0.05  # RMS of the speech
SPEAKERS = {  # the set each is in
    "LibriVox reader": "speech", "flite slt": "speech", "flite rms": "speech",
    "Allison Smith": "speech", "June Wallack": "speech", "tuxpaint el": "speech-wide",
    "tuxpaint bg": "speech-wide", "klettres hu": "speech-wide", "ktuberling uk": "speech-wide",
    "ktuberling nn": "speech-wide",
}  # fmt: skip
STAMPS = "usr/share/tuxpaint/stamps/household/"
RECORDED = {
    "vacuum cleaner": "vacuum_cleaner.ogg", "washing machine": "Washing-machine.ogg",
    "kettle": "kettle.ogg",
}  # fmt: skip
NOISES = (*RECORDED, "keyboard", "music", "babble", "pink", "hum")
COLUMNS = denoised.COLUMNS | {"what": "what"}
FIGURES = ("speech", "background", "overall", "pesq", "stoi")
Array = npt.NDArray[np.float32]
Figures = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """One mixture: who speaks, what disturbs at what ratio; what was said where that is known."""

    speaker: str
    noise: str
    ratio_db: float
    clean: Array
    noisy: Array
    text: str


def test_items(group: str, **tags: str) -> list[tuple[Item, Path]]:
    """Test recordings of a set with these tags, in an order by chance that is always the same."""
    folder = SETS / group
    items = [
        i
        for i in read_manifest(folder).items
        if i.split == "test" and all(i.tags.get(k) == v for k, v in tags.items())
    ]
    return [(i, folder / i.file) for i in sorted(items, key=lambda i: rank(i.file))]


@cache
def said(speaker: str) -> tuple[Array, str]:
    """About :data:`SECONDS` of a speaker ``[n]``, and the text, empty where it is not known."""
    parts, text, gap = [], "", np.zeros(RATE // 4, dtype=np.float32)
    for item, path in test_items(SPEAKERS[speaker], speaker=speaker):
        parts += [decode(path), gap]
        text = f"{text} {item.tags.get('text', '')}".strip()
        if sum(map(len, parts)) >= SECONDS * RATE:
            break
    x = np.concatenate(parts)
    return np.asarray(x * (LOUD / np.sqrt(np.mean(x**2))), dtype=np.float32), text


def disturbance(name: str, n: int, seed: int, voices: Sequence[Array]) -> Array:
    """Noise of unit power ``[n]`` that no training heard."""
    rng = np.random.default_rng(seed)
    if name in RECORDED:
        package = find_package("tuxpaint-stamps-default")
        y = decode(package.root / STAMPS / RECORDED[name])
    elif name == "keyboard":
        y = np.zeros(n, dtype=np.float32)
        keys = [decode(path) for _, path in test_items("keystrokes")]
        at = 0
        while at < n:
            key = keys[int(rng.integers(len(keys)))][: n - at]
            y[at : at + len(key)] += key * np.float32(rng.uniform(0.4, 1.0))
            at += int(rng.uniform(0.08, 0.4) * RATE)
    elif name == "music":
        tracks = test_items("game-music")
        path = tracks[int(rng.integers(len(tracks)))][1]
        y = soundfile.read(path, start=20 * RATE, frames=n, dtype="float32")[0]
    elif name == "babble":
        y = np.sum([np.roll(np.resize(v, n), int(rng.integers(n))) for v in voices], axis=0)
    else:
        y = coloured_noise(n, name, rng)
    y = np.resize(y, n)
    return np.asarray(y / np.sqrt(np.mean(y**2, dtype=np.float64)), dtype=np.float32)


def cases(full: bool, each: int) -> list[Case]:
    """Every speaker with every noise at all ratios; or with some, a ratio each in turn."""
    found = []
    for i, speaker in enumerate(SPEAKERS):
        x, text = said(speaker)
        lead = np.zeros(round(LEAD * RATE), dtype=np.float32)
        clean = np.concatenate([lead, x, lead])
        others = [said(name)[0] for name in SPEAKERS if name != speaker][:6]
        for k in range(len(NOISES) if full else each):
            j = (2 * i + i // 4 + k) % len(NOISES)  # all noises and all ratios before long
            noise = NOISES[j]
            for ratio in RATIOS if full else (RATIOS[(i + j) % len(RATIOS)],):
                y = disturbance(noise, len(clean), 100 * i + j, others)
                noisy = clean + y * np.float32(LOUD * 10 ** (-ratio / 20))
                found.append(Case(speaker, noise, ratio, clean, noisy, text))
    return found


def through(model: str, silence: float = 0.0) -> Callable[[Array], Array]:
    """A style by name or file, played by the player behind so much silence [s], its latency taken
    off.
    """
    path, lead = find_model(model), np.zeros(round(silence * RATE), dtype=np.float32)

    def work(x: Array) -> Array:
        y = play(path, np.concatenate([lead, x])[None], {}, RATE)[0]
        return np.asarray(y[len(lead) :], dtype=np.float32)

    return work


def judged(case: Case, y: Array) -> Figures:
    """All figures of one output but the words; NaN where a judge is not installed."""
    judges = [name for name in ("pesq", "pystoi") if importlib.util.find_spec(name)]

    def judge_all() -> tuple[Figures]:
        low, clean = (soxr.resample(v, RATE, LOW_RATE) for v in (y, case.clean))
        marks = judge.quality(y, RATE)
        found = [marks["mos_speech"], marks["mos_background"], marks["mos_overall"]]
        wide, heard = np.nan, np.nan
        if "pesq" in judges:
            wide = require("pesq").pesq(LOW_RATE, clean, low, "wb")
        if "pystoi" in judges:
            heard = require("pystoi").stoi(clean, low, LOW_RATE)
        return (np.array([*found, wide, heard]),)

    return remembered(f"clean 1 {judges}", np.stack([y, case.clean]), judge_all)[0]


def understood(case: Case, y: Array) -> str:
    """What a recogniser makes of one output."""
    return str(remembered("words 1", y, lambda: (np.array(judge.words(y, RATE)),))[0])


def summary(name: str, rows: Sequence[Figures], words: float | None) -> Row:
    """Means of the figures."""
    found: Row = {"what": name}
    for k, key in enumerate(FIGURES):
        mean = float(np.mean([row[k] for row in rows]))
        found[key] = None if np.isnan(mean) else round(mean, 3 if key == "stoi" else 2)
    found["words"] = None if words is None else round(words, 3)
    return found


def measure(
    systems: dict[str, Callable[[Array], Array]], found: Sequence[Case], report: Report
) -> list[Row]:
    """Tables by system, by ratio and by noise; the rows of the first are returned."""
    marks: dict[str, list[Figures]] = {}
    heard: dict[str, list[str]] = {}
    for name, work in systems.items():
        begin = time.perf_counter()
        made = [np.asarray(work(case.noisy), dtype=np.float32) for case in found]
        marks[name] = [judged(case, y) for case, y in zip(found, made, strict=True)]
        heard[name] = [
            understood(case, y) if case.text else "" for case, y in zip(found, made, strict=True)
        ]
        report.progress(f"{name}: {time.perf_counter() - begin:.0f} s")

    def table(title: str, key: str, groups: dict[str, list[int]]) -> list[Row]:
        rows = []
        for group, places in ((g, p) for g, p in groups.items() if p):
            for name in systems:
                spoken = [i for i in places if found[i].text]
                words = None
                if spoken:
                    words = judge.word_errors(
                        [found[i].text for i in spoken], [heard[name][i] for i in spoken]
                    )
                label = f"{group}, {name}" if group else name
                row = summary(label, [marks[name][i] for i in places], words)
                row["latency_ms"] = {**denoisers.LATENCY_MS, "input": 0.0}.get(name, 256 / 48)
                rows.append({**row, "latency_ms": round(row["latency_ms"], 1)})
        report.table(key, title, rows, COLUMNS)
        return rows

    every = list(range(len(found)))
    overall = table("All mixtures", "all", {"": every})
    table("By ratio", "ratio", {
        f"{r:.0f} dB": [i for i in every if found[i].ratio_db == r] for r in RATIOS
    })  # fmt: skip
    table("By noise", "noise", {n: [i for i in every if found[i].noise == n] for n in NOISES})
    return overall


def keep(model: str, rows: list[Row], mixtures: int, command: str) -> None:
    """Write the figures into a model's card; graph and weights stay."""
    path = find_model(model)
    card = read_entry(path).card
    assert card is not None
    named = [{**row, "what": card.name if row["what"] == model else row["what"]} for row in rows]
    metrics = {
        "kind": denoised.KIND,
        "command": command,
        denoised.KEY: {"mixtures": mixtures, "rows": named},
    }
    sealed = replace(card, metrics=metrics).to_json()
    data = write_metadata(path.read_bytes(), {CARD_KEY: sealed})
    with whole_file(path) as partial:
        partial.write_bytes(data)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print it."""
    parser = argparse.ArgumentParser(prog="restyle bench clean", description=__doc__)
    parser.add_argument("--full", action="store_true", help="every noise at every ratio")
    parser.add_argument("--only", metavar="NAMES", help="of input, GTCRN, DTLN and the model")
    parser.add_argument("--model", default="clean", help="style or file to judge")
    parser.add_argument(
        "--silence", type=float, default=0.0, help="seconds of it that the model hears before"
    )
    parser.add_argument("--each", type=int, default=4, help="noises of each speaker, 1 to 8")
    parser.add_argument(
        "--keep", action="store_true", help="write the figures into the model's card"
    )
    parser.add_argument("--json", metavar="FILE", help="write the result there")
    options = parser.parse_args(arguments)
    report = Report("clean", " ".join(["restyle bench clean", *(arguments or [])]))
    systems: dict[str, Callable[[Array], Array]] = {"input": lambda x: x}
    for name, work in denoisers.PEERS.items():
        if denoisers.find(name) is None:
            report.note(f"{name} is left out: its package is not installed.")
        else:
            systems[name] = lambda x, work=work: denoisers.at_peer_rate(work, x)  # type: ignore[misc]
    systems[options.model] = through(options.model, options.silence)
    if options.only is not None:
        systems = {k: v for k, v in systems.items() if k in options.only.split(",")}
    if not 0.0 <= options.silence <= 600.0:
        raise ConfigError(f"--silence must be within 0..600 seconds, got {options.silence:g}")
    if not 1 <= options.each <= len(NOISES):
        raise ConfigError(f"--each must be within 1..{len(NOISES)}, got {options.each}")
    mixtures = cases(options.full, options.each)
    rows = measure(systems, mixtures, report)
    if options.keep:
        keep(options.model, rows, len(mixtures), report.data["command"])
    if options.json is not None:
        report.write(Path(options.json))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

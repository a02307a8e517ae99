"""Pack what ``train/fit/clean_alone.py`` needs for a machine that has torch and nothing of ours.

``python -m scripts.pack_clean FOLDER WHEEL`` writes code, speech, music, noises and keystrokes
(Opus); WHEEL is soundfile's for that machine, whose libsndfile reads them.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from train.recipes.clean import clean_speech, music, noises, strokes

Array = npt.NDArray[np.float32]
CODE = (
    "realtime/errors.py", "realtime/dsp/windows.py",
    "train/data/examples/noisy.py", "train/losses/listener.py", "train/losses/speech.py",
    "train/networks/bands.py", "train/networks/clean_mask.py", "train/networks/cleaner.py",
    "train/networks/frames.py", "train/networks/layers.py", "train/networks/recurrent.py",
)  # fmt: skip
RUN = """#!/bin/bash
# run.sh SECONDS OUTDIR [DEVICE]
exec "${PYTHON:-python3}" "$(dirname "$0")/clean_alone.py" "$@"
"""


def write_opus(path: Path, x: Array, rate: int) -> None:
    """Mono at 48 kHz, so many bits a second."""
    with av.open(str(path), "w", format="ogg") as out:
        stream = out.add_stream("libopus", rate=48000, layout="mono", options={"vbr": "on"})
        stream.bit_rate = rate
        for begin in range(0, len(x), 48000):
            part = (np.clip(x[begin : begin + 48000], -1, 1) * 32767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(part[None], format="s16", layout="mono")
            frame.sample_rate, frame.pts = 48000, begin
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


def main() -> None:
    """Pack."""
    folder, wheel = Path(sys.argv[1]), Path(sys.argv[2])
    shutil.rmtree(folder, ignore_errors=True)
    for name in CODE:
        target = folder / "code" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(name, target)
    for package in {p.parent for p in (folder / "code").rglob("*.py")} | {
        p.parent.parent for p in (folder / "code").rglob("*.py")
    }:
        if package != folder / "code":
            (package / "__init__.py").touch()
    shutil.copy("train/fit/clean_alone.py", folder)
    shutil.copy(wheel, folder)
    (folder / "run.sh").write_text(RUN)
    tables: dict[str, object] = {}
    parts = {
        "speech": (clean_speech("train") + clean_speech("validation"), 28000, 0.2),
        "music": (music("train", 3.5), 40000, 0.0),
        "strokes": (strokes("train"), 64000, 0.02),
        "noises": (noises("train"), 32000, 0.0),
    }
    for name, (clips, rate, gap) in parts.items():
        table, sound, at = [], [], 0
        for index, x in enumerate(clips):
            if name == "speech" and index == len(clean_speech("train")):
                tables["validation_from"] = at
            table.append((at, at + len(x)))
            rest = np.zeros(round(gap * 48000), dtype=np.float32)
            sound += [x, rest]
            at += len(x) + len(rest)
        if name == "strokes":
            tables[name] = table
        if name == "noises":
            tables["noises_length"] = len(clips[0])
        write_opus(folder / f"{name}.ogg", np.concatenate(sound), rate)
        print(f"{name}: {len(table)} clips, {at / 48000 / 60:.1f} min")
    (folder / "tables.json").write_text(json.dumps(tables))
    size = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
    print(f"{size / 2**20:.2f} MiB")


if __name__ == "__main__":
    main()

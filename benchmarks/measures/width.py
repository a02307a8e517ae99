"""``python -m benchmarks.measures.width``: how wide the ensembles are, beside the true ones.

*Side over middle*: the level of half the difference of the channels over that of half their sum, in
three bands.  *Correlation* of the channels, 1 for one sound on both.  *In mono*: how loud both
channels together are against what they were before, where nothing was widened.  The true patches
are FluidR3's in stereo, without reverb and chorus; the presets hear TimGM6mb's piano play the same
scores, on one input, with their room at nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.signal import butter, sosfilt

from realtime.audio_files import Clip
from realtime.presets.check import Library
from realtime.presets.opening import open_preset
from realtime.session.operations import OWN, Set
from realtime.session.render import render
from realtime.session.sound import Setup
from train.data.scores.render import SAMPLE_RATE, both_sides
from train.data.scores.render import render as rendered
from train.data.scores.scores import compose, to_midi

from ..rig.tables import Report, Row, as_command

Array = npt.NDArray[np.float32]
SECONDS, SCORES = 16.0, 2
BANDS = ((100, 400), (400, 1600), (1600, 6400))
ENSEMBLES = {  # the knob of its room, the true patch
    "string-hall": ("hall", 48),
    "horn-hall": ("hall", 60),
    "choir-church": ("church", 52),
    "organ-church": ("church", 19),
}
WIDTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
COLUMNS = {
    "what": "what", "width": "width",
    **{f"band{k}": f"{a} to {b} Hz, dB" for k, (a, b) in enumerate(BANDS)},
    "correlation": "correlation", "mono_db": "in mono, dB",
}  # fmt: skip


def of(y: Array) -> Row:
    """Figures of ``y [2, n]``."""
    middle, side = (y[0] + y[1]) / 2, (y[0] - y[1]) / 2
    row: Row = {}
    for k, band in enumerate(BANDS):
        sections = butter(4, band, "bandpass", fs=SAMPLE_RATE, output="sos")
        level = [np.sqrt(np.mean(sosfilt(sections, x) ** 2)) for x in (side, middle)]
        row[f"band{k}"] = round(20 * np.log10((level[0] + 1e-9) / level[1]), 1)
    return row | {"correlation": round(float(np.corrcoef(y)[0, 1]), 2)}


def rows(report: Report) -> list[Row]:
    """The true patch and each width of every preset."""
    library, found = Library(), list[Row]()
    scores = [compose(993_000 + k, SECONDS, 43, 79) for k in range(SCORES)]
    piano = np.concatenate([rendered(to_midi(s, 0), SECONDS, "timgm6mb") for s in scores])
    heard = Clip(np.repeat(piano[None], 2, axis=0), SAMPLE_RATE)
    for name, (room, programme) in ENSEMBLES.items():
        report.progress(name)
        true = np.concatenate([both_sides(to_midi(s, programme)) for s in scores]).T
        found.append({"what": f"true patch {programme}", **of(true)})
        sound, _ = library.checked(open_preset(name, library).sound)
        sound = Set(OWN, room, 0.0).apply(Setup(sound)).sound
        plain = 0.0
        for width in WIDTHS:
            y = render(Set(OWN, "width", width).apply(Setup(sound)).sound, heard).samples
            level = float(20 * np.log10(np.std(y.sum(axis=0))))
            plain = level if width == 0.0 else plain
            found.append(
                {"what": name, "width": width, **of(y), "mono_db": round(level - plain, 2)}
            )
    return found


def main(argv: Sequence[str]) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.measures.width", description=__doc__
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there")
    options = parser.parse_args(list(argv))
    report = Report("width", "python -m benchmarks.measures.width")
    report.table("width", "Side over middle", rows(report), COLUMNS)
    if options.json is not None:
        report.write(options.json)
    return 0


if __name__ == "__main__":
    as_command(main)

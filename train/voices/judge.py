"""Voices judged on scores whose notes are known, beside the input and the true patch.

The figures are those of ``restyle train evaluate``: a Fréchet distance in an outside tagger's
embedding, which hardly hears wrong notes, and a time-aligned mel error, which does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from realtime.proof.listener.levels import sustain
from realtime.proof.listener.lines import off_grid, powers
from realtime.proof.listener.pitch import share_right
from realtime.proof.listener.sounds import Note, decibels, hertz

from ..data.pairs import Voice, program_pair
from ..data.scores.render import SAMPLE_RATE
from ..data.scores.scores import compose
from ..judging.candidates import SECONDS, Clips
from ..judging.distances import Rows, distances
from ..judging.judges.timbre import gap_share
from ..judging.verdicts import Timbre
from ..recipes.instrument import UNSEEN
from ..recipes.player import references
from .known import rows_of, sound_of, timed, true_patch
from .tables import Tables, load

Array = npt.NDArray[np.float32]
Notes = list[tuple[float, float, int, float]]
Player = Callable[[Notes, float], Array]
SCORES, FIRST = 4, 990_000  # as the recipes' own test on the unheard soundfont
LATE = (0.01, 0.02, 0.04)  # seconds that the ear is late
HELD_KEY, HELD_S = 57, 4.5
RUN, RUN_STEP, RUN_LOWEST = tuple(range(45, 82, 3)), 0.3, 100.0  # A2 to A5
TONES = (45, 57, 69)
BASS, BASS_S = (28, 33, 40, 45), 3.0  # keys E1 to A2, seconds
NOISE_HZ = (1000.0, 10000.0)  # where a bass note's noise is compared
VELOCITY = 0.8


def judged(
    file: Path, programme: int, log: Callable[[str], None] = print
) -> tuple[Rows, dict[str, dict[str, float]]]:
    """A voice against a programme of the soundfont that it was learnt from.

    Returns
    -------
    rows : dict of candidate to figures
        ``copy`` (the unheard soundfont's piano), the voice by its lateness, ``oracle``.
    held : dict of "voice" and "patch" to figures
        What :func:`on_notes` finds.
    """
    tables, about = load(file)
    target = Voice(programme)
    made = [_clips(i, tables, target, 1000.0 * about.lead) for i in range(SCORES)]
    rows = distances(made)
    judge = Timbre(references(target), {}, ())
    for name in rows:
        rows[name].update(judge(made, name))
        log(f"judged {name}")

    def voice(notes: Notes, seconds: float) -> Array:
        return sound_of(rows_of(notes, seconds), [tables])

    def patch(notes: Notes, seconds: float) -> Array:
        return true_patch(notes, seconds, programme)

    held = {"voice": on_notes(voice), "patch": on_notes(patch)}
    held["voice"]["noise"] = max(thirds_apart(voice, patch, key) for key in BASS)
    held["patch"]["noise"] = 0.0
    return rows, held


def _clips(index: int, tables: Tables, target: Voice, lead: float) -> Clips:
    score = compose(FIRST + index, 24.0, 43, 84)
    pair = program_pair(index, score, UNSEEN, target)
    n = round(SECONDS * SAMPLE_RATE)
    sounds = {"copy": pair.dry[:n]}
    for late in LATE:
        y = sound_of(rows_of(timed(score), SECONDS, late), [tables], {"lead": lead})
        level = np.sqrt(np.mean(np.square(pair.wet[:n])) / np.mean(np.square(y)))
        sounds[f"voice, {1000 * late:.0f} ms late"] = y * np.float32(level)
    part = replace(pair, dry=pair.dry[:n], wet=pair.wet[:n])
    return Clips(part, {**sounds, "oracle": pair.wet[:n]})


def on_notes(player: Player) -> dict[str, float]:
    """Level of a held A3 after 1, 2, 4 s; share of a run within 50 cents; worst line of tones."""
    y = player([(0.0, HELD_S, HELD_KEY, VELOCITY)], HELD_S)
    levels = sustain(y, SAMPLE_RATE, Note(0.0, HELD_S, hertz(HELD_KEY)), (1.0, 2.0, 4.0))
    run = [(k * RUN_STEP, (k + 1) * RUN_STEP, key, VELOCITY) for k, key in enumerate(RUN)]
    y = player(run, len(RUN) * RUN_STEP)
    right = share_right(y, SAMPLE_RATE, [Note(a, b, hertz(k)) for a, b, k, _ in run], RUN_LOWEST)
    lines = []
    for key in TONES:
        y = player([(0.0, 3.0, key, VELOCITY)], 3.0)
        lines.append(off_grid(y[SAMPLE_RATE:], SAMPLE_RATE, [hertz(key)]).line_db)
    found = dict(zip(("held_1", "held_2", "held_4"), levels, strict=True))
    return {**found, "pitch_run": right, "line": max(lines)}


def thirds_apart(one: Player, other: Player, key: int) -> float:
    """Largest difference of two sounds' third-octave levels within :data:`NOISE_HZ`, in dB.

    A held note, both at one level: what lies there of a bass note is noise, or as good as noise.
    """
    thirds: list[npt.NDArray[np.float64]] = []
    for player in (one, other):
        y = player([(0.0, BASS_S, key, VELOCITY)], BASS_S)
        y = y[SAMPLE_RATE // 2 : round(BASS_S * SAMPLE_RATE) - SAMPLE_RATE // 10]
        p = powers(y / np.sqrt(np.mean(np.square(y))))
        hz = np.fft.rfftfreq(len(y), 1.0 / SAMPLE_RATE)
        low = NOISE_HZ[0] * 2.0 ** (np.arange(10) / 3.0)
        found = [decibels(float(p[(hz >= f) & (hz < f * 2 ** (1 / 3))].sum())) for f in low]
        thirds.append(np.array(found))
    return float(np.abs(thirds[0] - thirds[1]).max())


def table(rows: Rows, held: dict[str, dict[str, float]]) -> str:
    """Both findings as Markdown."""
    lines = ["| | gap closed | mel error dB |", "|---|---|---|"]
    for name, row in rows.items():
        gap = gap_share(rows["copy"]["frechet"], row["frechet"], rows["oracle"]["frechet"])
        lines.append(f"| {name} | {100 * gap:.1f} % | {row['mel_db']:.2f} |")
    lines += [
        "",
        "| | held A3 after 1, 2, 4 s | run within 50 cents | strongest line off the grid"
        " | bass notes, third octaves 1 to 10 kHz |",
        "|---|---|---|---|---|",
    ]
    for name, f in held.items():
        levels = ", ".join(f"{f[k]:.1f}" for k in ("held_1", "held_2", "held_4"))
        lines.append(
            f"| {name} | {levels} dB | {100 * f['pitch_run']:.0f} % | {f['line']:.0f} dB"
            f" | within {f['noise']:.0f} dB |"
        )
    return "\n".join(lines)

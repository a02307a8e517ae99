"""Settings of one tune found by its melody, so that a tune stays within one split."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

from .scores import Score

SKELETON = 7  # beats that tell tunes apart
SILENT = 99
PLACES = (0, 4, 8)  # beats at which they are looked at
PHRASE, VARIETY = 14, 5  # steps of a phrase; different ones it needs to tell anything
SHARED = 0.1  # of the phrases of the shorter tune: then a whole strain is the same


@dataclass(frozen=True)
class Tune:
    """A tune: `key` is shared by all its settings; the score is plain, as written."""

    name: str
    collection: str
    key: str
    score: Score


def grouped(tunes: list[Tune]) -> list[Tune]:
    """Give settings of one tune one key.

    They have an equal title, an equal skeleton at some place, or many phrases in common.

    `key` holds the title on the way in.  Tunes that begin alike by chance are taken together, too,
    which costs nothing.
    """
    leader = list(range(len(tunes)))

    def top(i: int) -> int:
        while leader[i] != i:
            leader[i] = leader[leader[i]]
            i = leader[i]
        return i

    first: dict[str, int] = {}
    for i, tune in enumerate(tunes):
        bones = [(at, skeleton(tune.score, at)) for at in PLACES]
        marks = [f"notes {at} {b}" for at, b in bones if b.count(SILENT) < SKELETON // 2]
        if tune.key:
            marks.append(f"title {tune.key}")
        for mark in marks:
            j = first.setdefault(mark, i)
            a, b = sorted((top(i), top(j)))
            leader[b] = a
    for i, j in _related([phrases(tune.score) for tune in tunes]):
        a, b = sorted((top(i), top(j)))
        leader[b] = a
    return [
        Tune(t.name, t.collection, f"tune {tunes[top(i)].collection}/{tunes[top(i)].name}", t.score)
        for i, t in enumerate(tunes)
    ]


def skeleton(score: Score, first: int = 0) -> tuple[int, ...]:
    """Highest notes sounding on each beat from the beat `first` on, in semitones from the first.

    Transposition, harmony and ornaments between the beats leave it as it is.
    """
    begin = min(n.start for n in score.notes) + first
    tops = []
    for beat in range(SKELETON):
        at = begin + beat + 1e-6
        sounding = [n.pitch for n in score.notes if n.start <= at < n.start + n.length]
        tops.append(max(sounding) if sounding else None)
    reference = next((t for t in tops if t is not None), 0)
    return tuple(SILENT if t is None else t - reference for t in tops)


def phrases(score: Score) -> set[tuple[int, ...]]:
    """Every run of 14 steps of the highest line, in semitones; scales and repeated notes left out.

    Where a tune begins and in which key makes no difference.
    """
    tops: dict[float, int] = {}
    for note in score.notes:
        at = round(note.start, 3)
        tops[at] = max(note.pitch, tops.get(at, 0))
    line = [tops[at] for at in sorted(tops)]
    steps = [b - a for a, b in zip(line, line[1:], strict=False)]
    runs = (tuple(steps[i : i + PHRASE]) for i in range(len(steps) - PHRASE + 1))
    return {run for run in runs if len(set(run)) >= VARIETY}


def _related(found: list[set[tuple[int, ...]]]) -> Iterable[tuple[int, int]]:
    """Pairs of tunes with enough phrases in common."""
    owners: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for i, own in enumerate(found):
        for phrase in own:
            owners[phrase].append(i)
    common: Counter[tuple[int, int]] = Counter()
    for tunes in owners.values():
        common.update(combinations(tunes, 2))
    for (i, j), count in common.items():
        if count >= SHARED * min(len(found[i]), len(found[j])):
            yield i, j

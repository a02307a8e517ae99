"""Play the material through a model and judge what comes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...models.card import Card
from .figures import TRUE
from .harmonics import harmonics_to_noise
from .levels import gain_db, heard, loudest, rise, sustain
from .lines import NOTHING, OffGrid, off_grid
from .material import (
    BASS_LOWEST,
    BURST,
    BURST_DB,
    DC_DB,
    HISSES,
    HUM_DB,
    PITCHES,
    RELEASED,
    RUN_LOWEST,
    Material,
    material,
    stacked,
)
from .onsets import judge
from .own import Own, owns, truth
from .pitch import share_right
from .play import play
from .sounds import decibels, hertz, power

Rows = npt.NDArray[np.float32]
Player = Callable[[Rows, dict[str, float]], Rows]
CORNER_PITCHES = slice(1, None, 3)  # of the 24, at every corner of a blend
FAINTEST = -200.0  # dB: nothing at all
INAUDIBLE_DB = -100.0  # dBFS: no line below it is counted, whatever it is compared with


@dataclass(frozen=True)
class Played:
    """Everything that came out, in the layout of :class:`Material`."""

    sines: Rows
    partials: Rows
    steady: dict[str, Rows]
    phrases: dict[str, Rows]
    starts: Rows


@dataclass(frozen=True)
class Proof:
    """Figures by name, the lines of every pitch, and the sound that they were measured on.

    Attributes
    ----------
    figures : dict of name to float
        See :data:`realtime.proof.listener.figures.MEASURES`.
    sines, partials : tuple of OffGrid
        One for each of :data:`realtime.proof.listener.material.PITCHES`.
    hisses : tuple of float [dBFS]
        Out, for each of :data:`realtime.proof.listener.material.HISSES`.
    """

    figures: dict[str, float]
    sines: tuple[OffGrid, ...]
    partials: tuple[OffGrid, ...]
    hisses: tuple[float, ...]
    made: Material
    played: Played

    def entry(self) -> dict[str, Any]:
        """What a card keeps under ``proof``: numbers and names only."""
        return {
            "figures": {k: round(v, 3) for k, v in self.figures.items()},
            "keys": list(PITCHES),
            "sines": [[round(t.line_db, 1), round(t.line_hz, 1)] for t in self.sines],
            "partials": [[round(t.line_db, 1), round(t.line_hz, 1)] for t in self.partials],
            "hiss_in": list(HISSES),
            "hiss_out": [round(h, 1) for h in self.hisses],
        }


def prove(path: Path, card: Card) -> Proof:
    """The listener's proof of a model file."""

    def through(x: Rows, controls: dict[str, float]) -> Rows:
        return play(path, x, controls, card.sample_rate)

    proof = prove_player(through, card.sample_rate, corners(card), owns(card))
    beside = {name + TRUE: value for name, value in truth(card).items()}
    return replace(proof, figures=proof.figures | beside)


def corners(card: Card) -> list[dict[str, float]]:
    """Controls of each corner of a blend; none where there is no blend."""
    names = [c.name for c in card.controls if c.kind == "blend"]
    return [{n: float(n == corner) for n in names} for corner in names]


@lru_cache(maxsize=2)
def unchanged(rate: int) -> Proof:
    """The proof of doing nothing: what bounds a style's figures from one side."""
    return prove_player(lambda x, controls: x, rate)


def prove_player(
    player: Player,
    rate: int,
    blends: list[dict[str, float]] | None = None,
    voices: Sequence[Mapping[int, Own]] = (),
) -> Proof:
    """The proof of anything that turns rows ``[channels, n]`` into rows, aligned.

    Parameters
    ----------
    blends : list of dict or None
        Controls of each corner.
    voices : sequence of mapping of key to Own
        Spectra of a player's voices, one for each corner; the first is what plays by default.
    """
    made = material(rate)

    def batch(rows: dict[str, npt.NDArray[np.float64]]) -> dict[str, Rows]:
        out = player(stacked(list(rows.values())), {})
        return {k: y[: len(rows[k])] for k, y in zip(rows, out, strict=True)}

    played = Played(
        player(made.sines.astype(np.float32), {}),
        player(made.partials.astype(np.float32), {}),
        batch(made.steady),
        batch({name: c.samples for name, c in made.phrases.items()}),
        player(made.starts.samples.astype(np.float32), {}),
    )
    mine = voices[0] if voices else {}
    sines, partials = (_tones(made, rows, mine) for rows in (played.sines, played.partials))
    hisses = tuple(_hiss(made, played.steady[f"hiss {db:.0f}"]) for db in HISSES)
    figures = {
        "line_sine": max(t.line_db for t in sines),
        "line_partials": max(t.line_db for t in partials),
        "noise_sine": max(t.noise_db for t in sines),
        "silent_sine": float(np.mean([t.noise_db == NOTHING for t in sines])),
        "silent_partials": float(np.mean([t.noise_db == NOTHING for t in partials])),
        **_steady(made, played),
        **_phrases(made, played),
    }
    own = float(np.median([figures[f"level_{name}"] for name in ("bass", "run", "chords")]))
    dry = (_hiss(made, made.steady[f"hiss {db:.0f}"]) for db in HISSES)
    figures["hiss_raw"] = max(out - db for out, db in zip(hisses, dry, strict=True))
    figures["hiss"] = figures["hiss_raw"] - max(0.0, own)
    if blends:
        there = [*voices, *({} for _ in blends[len(voices) :])]
        figures["line_corners"] = max(
            _corner(made, player, corner, of) for corner, of in zip(blends, there, strict=False)
        )
    starts = judge(played.starts, made.starts)
    figures |= {
        "onset_late": starts.late_ms,
        "onset_jitter": starts.jitter_ms,
        "onset_missed": starts.missed,
    }
    figures = {k: round(max(v, FAINTEST), 3) for k, v in figures.items()}
    return Proof(figures, sines, partials, hisses, made, played)


def _tones(made: Material, rows: Rows, own: Mapping[int, Own]) -> tuple[OffGrid, ...]:
    return tuple(
        off_grid(made.settled(y), made.rate, [hertz(key)], own=own.get(key))
        for key, y in zip(PITCHES, rows, strict=True)
    )


def _corner(
    made: Material, player: Player, controls: dict[str, float], own: Mapping[int, Own]
) -> float:
    """Worst line over some pitches at one corner of a blend."""
    rows = np.concatenate([made.sines[CORNER_PITCHES], made.partials[CORNER_PITCHES]])
    keys = PITCHES[CORNER_PITCHES] * 2
    out = player(rows.astype(np.float32), controls)
    return max(
        off_grid(made.settled(y), made.rate, [hertz(k)], own=own.get(k)).line_db
        for k, y in zip(keys, out, strict=True)
    )


def _hiss(made: Material, y: npt.NDArray[np.floating]) -> float:
    return decibels(heard(made.settled(y), made.rate))


def _line_from(y: npt.NDArray[np.floating], rate: int, pitches: list[float], db: float) -> float:
    """Strongest line over an input of `db`, as if nothing sounded below what ears can hear."""
    found = off_grid(y, rate, pitches, 1.0).line_db
    return -120.0 if found < INAUDIBLE_DB else found - db


def _steady(made: Material, played: Played) -> dict[str, float]:
    """DC, hum, silence."""
    rows = {name: made.settled(y) for name, y in played.steady.items()}
    quiet = [rows["silence"], rows["after sound"][-round(0.4 * made.rate) :]]
    return {
        "line_dc": _line_from(rows["dc"], made.rate, [], DC_DB),
        "line_hum": max(
            _line_from(rows[f"hum {hz}"], made.rate, [float(hz)], HUM_DB) for hz in (50, 60)
        ),
        "silence": max(decibels(heard(y, made.rate)) for y in quiet),
        "silence_dc": max(decibels(float(np.mean(y, dtype=np.float64)) ** 2) for y in quiet),
        "offset": decibels(float(np.mean(rows["offset"], dtype=np.float64)) ** 2),
    }


def _phrases(made: Material, played: Played) -> dict[str, float]:
    rate, clips, out = made.rate, made.phrases, played.phrases
    held, struck = (
        sustain(out[name], rate, clips[name].notes[0], (1.0, 2.0, 4.0))
        for name in ("held", "struck")
    )
    after = [round((RELEASED + s) * rate) for s in BURST]
    spoken = out["speech"]
    return {
        "burst": loudest(out["released"][slice(*after)], rate) - BURST_DB,
        "held_4": held[2],
        "struck_1": struck[0],
        "struck_2": struck[1],
        "struck_4": struck[2],
        "pitch_bass": share_right(out["bass"], rate, clips["bass"].notes, BASS_LOWEST),
        "pitch_run": share_right(out["run"], rate, clips["run"].notes, RUN_LOWEST),
        "hnr_run": harmonics_to_noise(out["run"], rate, clips["run"].notes),
        "hnr_chords": harmonics_to_noise(out["chords"], rate, clips["chords"].notes),
        "repeat_rise": rise(out["repeated"], rate, clips["repeated"].notes),
        **{
            f"level_{name}": gain_db(out[name], clips[name].samples)
            for name in ("bass", "run", "chords", "speech")
        },
        "rumble": decibels(heard(spoken, rate, 20.0, 80.0)) - decibels(power(spoken)),
    }

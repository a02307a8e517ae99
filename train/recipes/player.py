"""Players: an ear and one voice or several; assembled, not trained."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from realtime.models.card import Card, State
from realtime.parameters.parameter import Parameter
from realtime.proof.listener.own import KEY as OWN
from realtime.proof.listener.own import TRUTH, own

from ..data.pairs import Pair, PairSet, Voice, program_pair, program_pairs
from ..data.scores.render import SAMPLE_RATE
from ..data.scores.scores import compose
from ..judging.judges.memo import remembered
from ..networks.ear import HOP, Ear
from ..networks.layers import Streamable
from ..networks.player import Player
from ..voices.known import rows_of, sound_of
from ..voices.tables import About, Tables, levelled, load
from ..voices.truth import figures, spectra, worst_line
from .base import JUDGED_SECONDS
from .ear import GLIDING
from .instrument import UNSEEN, Instrument

Array = npt.NDArray[np.float32]
VOICES = Path(__file__).parents[2] / "exported" / "players"
GUITAR = Voice(24, UNSEEN.font)
FEW, REFERENCE = 4, 993_000  # recordings of a test set; the first score of the references
LATE, VELOCITY = 0.02, 0.6  # of the voice that is given the right notes


def references(target: Voice, recordings: int = 12) -> PairSet:
    """Scores played by the true patch, that judges compare with; no training hears them."""
    made = program_pairs(round(1.25 * recordings), 24.0, (UNSEEN,), target, seed=REFERENCE)
    return PairSet(made.train[:recordings], (), made.test)


class Played(Instrument):
    """A player of some voice files; `ear` is an untrained one until it is given weights."""

    limits = (
        "It plays what its ear hears, a few hundredths of a second later: a wrong note of the ear"
        " sounds as a wrong note. Dense low chords lose notes; drums, speech and strong distortion"
        " give silence or stray notes. Every note has the voice's own course: how a note is let go"
        " or damped is heard, how it is coloured is not."
    )
    warm_up, latency, unseen = 0, 0, FEW
    target: Voice
    programmes: tuple[int, ...] = ()  # the voices' true patches, where they are known

    def __init__(self, name: str, title: str, summary: str, files: Sequence[Path]) -> None:
        self.name, self.title, self.summary = name, title, summary
        self.files = tuple(files)
        known = [load(file) for file in self.files]
        self.tables: list[Tables] = [levelled(tables) for tables, _ in known]
        self.about: list[About] = [about for _, about in known]
        self.ear: Streamable = Ear()

    def network(self) -> Streamable:
        """The ear that it was given, and the voices."""
        return Player(self.ear, self.tables, [a.lead for a in self.about])

    def data(self) -> PairSet:
        """What judges compare with; nothing is trained."""
        return references(self.target)

    def outside(self) -> dict[str, tuple[Pair, ...]]:
        """Inputs that no ear and no voice has learnt from: a soundfont's piano and nylon guitar,
        a real piano where its set was fetched.
        """
        found = super().outside()
        scores = [compose(992_000 + i, 24.0, 43, 79) for i in range(FEW)]
        nylon = [program_pair(i, s, GUITAR, self.target) for i, s in enumerate(scores)]
        return {name: pairs[:FEW] for name, pairs in found.items()} | {"nylon": tuple(nylon)}

    def rivals(self, pair: Pair) -> dict[str, Array]:
        """The voices given the right notes: what the ear costs."""
        notes = [(a, b, p, VELOCITY) for a, b, p in pair.notes]
        n = min(len(pair.dry), round(JUDGED_SECONDS * SAMPLE_RATE))
        rows = rows_of(notes, (n + HOP) / SAMPLE_RATE, LATE)
        voices = hashlib.sha256(b"".join(file.read_bytes() for file in self.files)).hexdigest()
        (y,) = remembered(f"voices {voices[:16]}", rows, lambda: (sound_of(rows, self.tables),))
        y = y[:n]
        level = np.sqrt(np.mean(np.square(pair.wet[:n])) / (np.mean(np.square(y)) + 1e-12))
        return {"known_notes": y * np.float32(level)}

    def of_the_voice(self) -> dict[str, Any]:
        """What a card's proof says of the voices: their partials, and of a true patch the judges'
        figures where there is one.
        """
        known = {a.name: t for a, t in zip(self.about, self.tables, strict=True)}
        found: dict[str, Any] = {OWN: spectra(known)}
        if self.programmes:
            mine = [{int(k): own(rows) for k, rows in keys.items()} for keys in found[OWN].values()]
            found[TRUTH] = figures(self.programmes[0], mine[0])
            if len(mine) > 1:
                lines = [worst_line(p, o) for p, o in zip(self.programmes, mine, strict=True)]
                found[TRUTH]["line_corners"] = max(lines)
        return found

    def sources(self) -> list[dict[str, Any]]:
        """Notes that the voices were learnt from; the ear's are the ear recipe's."""
        return [{"source": f"notes of {a.origin}", "licence": a.licence} for a in self.about]

    def convert(self, network: Streamable, dry: Tensor, controls: Tensor) -> Tensor:
        """Hop by hop, what does not fill a hop left out; the controls are the defaults."""
        card = self.card(network, {}, {})
        knobs = torch.tensor([[c.default for c in card.controls]])
        whole = dry.shape[1] // HOP * HOP
        return network.offline(dry[:, None, :whole], None, knobs)[:, 0]

    def example(self, steps: int) -> Tensor:
        """One hop of noise: a player takes no more at once."""
        return 0.1 * torch.randn(2, 1, HOP)

    def card(
        self, network: Streamable, metrics: dict[str, Any], provenance: dict[str, Any]
    ) -> Card:
        """A player: the voice's controls, and weights where there are several voices.

        Raises
        ------
        TypeError
            Another network.
        """
        if not isinstance(network, Player):
            raise TypeError(f"a player needs a Player, got {type(network).__name__}")
        ear = [f"ear{k}" for k in range(network.heard)]
        voice = ("slots", "bends", "phases", "chance", "amplitudes", "bands", "counter")
        names = (*ear, "lately", *voice)
        blend = [
            Parameter(a.name, default=float(k == 0), kind="blend") for k, a in enumerate(self.about)
        ]
        return Card(
            name=self.name,
            title=self.title,
            summary=self.summary,
            domain="waveform",
            kind="player",
            sample_rate=SAMPLE_RATE,
            hop_length=HOP,
            latency=0,
            licence="GPL-3.0-or-later",
            states=tuple(State(n, s) for n, s in zip(names, network.state_shapes, strict=True)),
            controls=(
                *network.parameters_of_voice,
                *(blend if len(blend) > 1 else ()),
                *([GLIDING] if network.ear.n_controls else []),
            ),
            metrics=metrics,
            provenance=provenance,
        )


class Bundled(Played):
    """A player of :data:`PLAYERS`."""

    def __init__(self, name: str) -> None:
        voices, summary, programme = PLAYERS[name]
        title = name.replace("-", " ").capitalize()
        super().__init__(name, title, summary, [VOICES / f"{v}.npz" for v in voices])
        self.target = Voice(programme)
        alone = {v[0]: p for v, _, p in PLAYERS.values() if len(v) == 1}
        self.programmes = tuple(alone[v] for v in voices)
        self.tags = TAGS.get(programme, ())


PLAYERS: dict[str, tuple[tuple[str, ...], str, int]] = {  # voices, what it does, the true patch
    "string-player": (("strings",), "hears notes and plays them on a string ensemble", 48),
    "choir-player": (("choir",), "hears notes and lets a choir sing them", 52),
    "square-player": (("square",), "hears notes and plays them on a square-lead synth", 80),
    "organ-player": (("organ",), "hears notes and plays them on a church organ", 19),
    "horn-player": (("horns",), "hears notes and plays them on French horns", 60),
    "flute-player": (("flute",), "hears notes and plays them on a flute", 73),
    "epiano-player": (("epiano",), "hears notes and plays them on an electric piano", 4),
    "marimba-player": (("marimba",), "hears notes and plays them on a marimba", 12),
    "blend-player": (
        ("choir", "strings", "organ", "flute"),
        "hears notes and plays them on choir, strings, organ and flute, to blend",
        52,
    ),
}
TAGS = {
    48: ("strings", "violin", "cello"),
    52: ("choir", "choral", "opera", "voice", "vocal", "singing"),
    80: ("synth", "electronic", "techno"),
    19: ("synth", "classical"),
    60: ("violin", "strings", "cello", "flute"),  # by musicnn, which knows no horn
    73: ("flute",),
    4: ("piano", "synth"),
    12: ("harp",),
}

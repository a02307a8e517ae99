"""A TorchScript file taken apart: its graph, its first states, and how it sounds.

Runs in the helper's child (:mod:`realtime.proof.helper`), which has limits and ends afterwards.
What it writes is believed by nobody: :mod:`realtime.models.foreign.script` reads it with care.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np

from realtime.models.foreign.script import ARRAYS, FACTS, GRAPH, SETTLING, STEPS, Facts
from realtime.proof.impulse import answer, typical

from .lift import RESULT, SOUND, Lifted
from .script import Script, followable


def unfold(path: Path, folder: Path) -> None:
    """Write graph, facts and arrays of one file into a folder.

    Raises
    ------
    ModelError
        It cannot be run, or its states cannot be lifted out.
    """
    with followable():
        _unfold(path, folder)


def _unfold(path: Path, folder: Path) -> None:
    script = Script(path)
    rate = script.sample_rate or 48000
    lifted = Lifted(script, int(SETTLING * rate / script.hop))
    graph, states, begin = lifted.graph()
    rng = np.random.default_rng(5)
    level = rng.uniform(0.02, 0.3, (STEPS, 1))
    x = (level * rng.standard_normal((STEPS, script.hop))).astype(np.float32)
    rest = script.at_rest().numpy()
    knobs = np.array([rng.uniform(k.minimum, k.maximum) for k in script.knobs], dtype=np.float32)
    first, most = answer(lifted.play, script.hop)
    facts = Facts(
        script.make,
        script.sample_rate,
        script.hop,
        SOUND,
        RESULT,
        tuple(states),
        script.knobs,
        max(first, typical(lifted.play, script.hop, most)),
        script.words,
        script.stated_delay,
        bool(lifted.draws),
    )
    np.savez(
        folder / ARRAYS,
        x=x,
        knobs=np.stack([rest, knobs]),
        y=np.stack([lifted.play(x, rest), lifted.play(x, knobs)]),
        **{f"begin_{name}": value for name, value in begin.items()},
    )
    (folder / GRAPH).write_bytes(graph)
    (folder / FACTS).write_bytes(msgspec.json.encode(facts))

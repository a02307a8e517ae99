"""``restyle live --source model``: music without input, the same live and offline."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pytest

from realtime.models.catalog import find_model
from realtime.models.load import open_model

from ..signals import Array
from .conftest import Run, heard

GENERATE = (
    "--source",
    "model",
    "--model",
    "endless-keys",
    "--simulate-out",
    "out.wav",
    "--fast",
    "--force",
)


def offline(seed: int, samples: int) -> Array:
    with closing(open_model(find_model("endless-keys"))) as player:
        player.controls[0, -2] = seed
        hops = -(-samples // player.card.hop_length)
        return np.concatenate([player.step(player.x)[0, 0] for _ in range(hops)])[:samples]


@pytest.mark.parametrize(
    ("block", "lane", "late"), [("64", "inline", 64), ("128", "inline", 0), ("64", "worker", 192)]
)
def test_live_is_offline_late_by_what_is_declared(
    run: Run, block: str, lane: str, late: int
) -> None:
    code, said, error = run(
        "live", *GENERATE, "--seed", "11", "--seconds", "2", "--block", block, "--lane", lane
    )
    assert code == 0, error
    y = heard("out.wav")[0]
    declared = next(line for line in (said + error).splitlines() if line.startswith("declared"))
    assert int(declared.split()[1]) == late
    assert len(y) == 96_000 + late
    wanted = offline(11, 96_000)
    assert np.abs(wanted).max() > 0.05
    np.testing.assert_array_equal(y[late:], wanted)
    assert not y[:late].any()


def test_a_preset_keeps_the_seed(run: Run) -> None:
    code, _, error = run("preset", "save", "night", "--model", "endless-keys", "--set", "seed=42")
    assert code == 0, error
    code, said, _ = run("preset", "list", "--json")
    assert code == 0 and "night" in said
    code, said, _ = run("preset", "show", "night")
    assert code == 0 and "seed = 42" in said


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--source", "radio"), "--source must be one of input, model, got 'radio'"),
        (("--source", "model"), "name it with --model"),
        (("--source", "model", "--model", "tape"), "'tape' restyles what comes in"),
        (("--model", "tape", "--seed", "3"), "--seed is for generators"),
        (("--seed", "3"), "--seed is for generators: name one with --model"),
        ((*GENERATE, "--seed", "10000", "--seconds", "1"), "--seed must be within 0..9999"),
        ((*GENERATE, "--loop", "-1", "--seconds", "1"), "--loop must be within 0..600"),
        (GENERATE, "say how long it plays with --seconds"),
        ((*GENERATE, "--seconds", "1", "--simulate", "in.wav"), "leave --simulate out"),
        ((*GENERATE, "--seconds", "1", "--input", "mic"), "leave --input out"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(
    run: Run, clip: Array, words: tuple[str, ...], says: str
) -> None:
    code, _, error = run("live", *words)
    assert code == 2 and says in error and error.count("\n") == 1, error

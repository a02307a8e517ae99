import numpy as np
import pedalboard as pb
import pytest

from train.like.blend import fit_blend
from train.like.search import search
from train.like.space import decode, play
from train.like.statistics import Likeness

from ..personal.sounds import Ticks, tune


def hidden(x: np.ndarray) -> np.ndarray:
    board = pb.Pedalboard([pb.Distortion(24), pb.LowpassFilter(1500), pb.Gain(-12)])
    return np.asarray(board(x[None], 48000)[0])


@pytest.fixture(scope="module")
def sounds() -> tuple[Likeness, list[np.ndarray]]:
    dry = [tune(1, 2.0)]
    return Likeness([hidden(tune(3, 12.0))], dry), dry


def test_a_low_pass_behind_a_drive_is_found_by_statistics_of_other_notes(sounds) -> None:
    likeness, dry = sounds
    truth = likeness([hidden(x) for x in dry])
    found = search(dry, likeness, 300, clock=Ticks())
    assert found.nothing > 0.8
    assert found.distance < max(0.35 * found.nothing, 1.2 * truth)
    names = [s.effect for s in found.chain]
    assert "Distortion" in names
    assert likeness([play(found.chain, x) for x in dry]) == pytest.approx(found.distance)


def test_the_same_seed_finds_the_same_chain(sounds) -> None:
    likeness, dry = sounds
    first, second = (search(dry[:1], likeness, 60, clock=Ticks(), seed=5) for _ in range(2))
    assert first.chain == second.chain and first.tried == second.tried


def test_ctrl_c_keeps_the_best_so_far(sounds) -> None:
    likeness, dry = sounds
    asked: list[int] = []

    def stopped() -> bool:
        asked.append(1)
        return len(asked) > 60

    found = search(dry[:1], likeness, 1e9, stopped=stopped)
    assert found.interrupted and found.tried == 60
    assert found.distance < found.nothing
    assert found.chain == decode(found.point)


def test_the_nearest_blend_is_the_one_that_made_the_reference() -> None:
    from realtime.models.catalog import find_model
    from train.player import play as through_player

    path, dry = find_model("amp-blend"), tune(1, 2.0)
    reference = through_player(path, tune(4, 8.0), {"fuzz": 1.0, "warm": 0.0})
    weights, distance = fit_blend(path, [dry], Likeness([reference]), 14, clock=Ticks())
    assert max(weights, key=lambda k: weights[k]) == "fuzz"
    assert sum(weights.values()) == pytest.approx(1.0, abs=0.01)
    assert np.isfinite(distance)

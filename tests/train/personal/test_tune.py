from pathlib import Path

import numpy as np
import pytest
import torch

from realtime.models.catalog import find_model
from realtime.models.streaming import load_model
from train.data.pairs import Pair
from train.own.keep import Origin, check_out, renamed
from train.own.material import split
from train.own.progress import Progress
from train.own.rebuild import rebuild
from train.own.run import Worse, check_better, personalise
from train.own.tune import all_layers, last_layers, loss_over, tune
from train.player import play
from train.recipes import get_recipe

from ..tiny import sealed
from .sounds import Ticks, bent, folders, stop_at_once, write
from .sounds import tune as melody

pytestmark = pytest.mark.usefixtures("without_listener")


def material():
    x = melody(5, 14.0)
    return split((Pair("a", x, bent(x)),), 2000)


def test_stopping_keeps_the_best_so_far() -> None:
    recipe, network = rebuild(find_model("tube-amp"))
    steps: list[int] = []

    def stopped() -> bool:
        steps.append(1)
        return len(steps) > 12

    found = tune(
        recipe,
        network,
        material(),
        1e9,
        moving=all_layers,
        learning_rate=6e-3,
        batch=2,
        clock=Ticks(),
        stopped=stopped,
    )
    assert found.ended == "interrupted" and found.steps == 12
    assert found.after < found.before
    assert found.after == pytest.approx(loss_over(recipe, found.network, material().validation))


def test_only_the_last_layers_move_when_asked() -> None:
    network = get_recipe("square-synth").network()
    assert sum(w.numel() for w in last_layers(network)) < 0.4 * 820_736
    moving = {n for n, w in network.named_parameters() if w.requires_grad}
    assert {"decode.weight", "encode.bias", "blocks.0.norm.weight", "blocks.6.mix.weight"} <= moving
    assert not moving & {"encode.weight", "blocks.0.mix.weight"}


def test_frozen_weights_stay_and_what_was_never_heard_comes_nearer() -> None:
    recipe, network = rebuild(find_model("tube-amp"))
    data = material()
    base = loss_over(recipe, network, data.test)
    found = tune(recipe, network, data, 60, learning_rate=6e-3, batch=2, clock=Ticks())
    assert loss_over(recipe, found.network, data.test) < 0.7 * base
    assert base == loss_over(recipe, network, data.test)  # the one that came in is untouched
    before, after = network.state_dict(), found.network.state_dict()
    same = {name for name in before if torch.equal(before[name], after[name])}
    last = len(network.layers) - 2
    assert found.after < found.before
    assert same == {f"layers.{k}.conv.weight" for k in range(last)}
    moved = sum(before[name].numel() for name in before.keys() - same)
    assert (found.moved, found.weights) == (moved, sum(w.numel() for w in before.values()))


def test_a_training_that_gets_no_better_ends_early() -> None:
    recipe, network = rebuild(find_model("tube-amp"))
    found = tune(
        recipe,
        network,
        material(),
        300,
        learning_rate=3.0,
        batch=1,
        patience=3,
        clock=Ticks(),
    )
    assert found.ended == "no better" and found.history[-1][0] < 200
    assert found.after == min(loss for _, loss in found.history)


def test_a_file_is_written_and_says_what_it_is(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("train.own.compare.judges_are_here", lambda: False)
    out = tmp_path / "mine.onnx"
    dry, wet = folders(tmp_path)
    x = melody(1, 24.0)
    write(wet / "riff.wav", 0.9 * np.tanh(40 * x))  # hard: no equaliser does that
    done = personalise(
        dry, wet, "tube-amp", out, minutes=1.0, origin=Origin("Ada", "CC-BY-4.0"), clock=Ticks()
    )
    assert done.rows["personal"]["loss"] < done.rows["base"]["loss"]
    model = load_model(out.read_bytes())
    model.close()
    card = model.card
    assert card.name == "mine" and card.provenance["base"] == "tube-amp"
    assert card.provenance["data"] == [
        {"source": "recordings of Ada: folders 'dry' and 'wet'", "licence": "CC-BY-4.0"}
    ]
    assert card.metrics["sets"]["held-out"]["rows"]["base"]["esr"] > 0
    assert card.proof["streaming_error"] < 1e-5


def test_what_gets_no_better_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    base = find_model("tube-amp")
    x = melody(1, 24.0)
    write(tmp_path / "dry" / "riff.wav", x)
    write(tmp_path / "wet" / "riff.wav", play(base, x))  # it sounds like that already
    with pytest.raises(Worse, match="nothing was written"):
        personalise(
            tmp_path / "dry",
            tmp_path / "wet",
            "tube-amp",
            tmp_path / "mine.onnx",
            minutes=0.2,
            clock=Ticks(),
        )
    assert not (tmp_path / "mine.onnx").exists()
    assert torch.get_num_threads() >= 1 and np.isfinite(x).all()


MILD = {  # 72 s of a mild overdrive, as they once were written
    "copy": {"loss": 1.2, "esr": 0.27, "embedding": 1.1},
    "matched EQ": {"loss": 1.1, "esr": 0.21, "embedding": 1.2},
    "base": {"loss": 2.4, "esr": 2.1, "embedding": 3.0},
    "personal": {"loss": 1.0, "esr": 1.79, "embedding": 1.5},
    "target": {"loss": 0.0, "esr": 0.0, "embedding": 0.4},
}


@pytest.mark.parametrize(
    ("personal", "said"),
    [
        ({}, "no better than the dry sound.*esr 1.79, copy 0.27"),
        ({"esr": 0.24}, "no better than an equaliser.*esr 0.24, matched EQ 0.21"),
        ({"esr": 0.1}, "no better than the dry sound.*embedding 1.5, copy 1.1"),
        ({"esr": 0.1, "embedding": 0.9, "loss": 2.5}, "got worse"),
        ({"esr": 0.1, "embedding": 0.9}, None),
        ({"esr": 0.1, "embedding": 0.3}, None),  # the target is not first: it cannot tell
    ],
)
def test_what_is_no_better_than_doing_nothing_or_an_equaliser_is_refused(personal, said) -> None:
    rows = {**MILD, "personal": {**MILD["personal"], **personal}}
    if said is None:
        check_better(rows, "mine", "esr")
        return
    with pytest.raises(Worse, match=said):
        check_better(rows, "mine", "esr")


def test_ctrl_c_before_anything_was_found_says_so(tmp_path: Path, monkeypatch) -> None:
    stop_at_once(monkeypatch)
    with pytest.raises(Worse, match="before anything better was found; nothing was written"):
        personalise(*folders(tmp_path), "tube-amp", tmp_path / "mine.onnx", progress=Progress())
    assert not (tmp_path / "mine.onnx").exists()


def test_a_name_that_no_card_can_hold_is_refused_before_the_work(tmp_path: Path) -> None:
    for name, sentence in (("a b.onnx", "cannot be a model's name"), ("a.wav", "end it in .onnx")):
        with pytest.raises(Exception, match=sentence):
            check_out(tmp_path / name)
    with pytest.raises(Exception, match="make it first"):
        check_out(tmp_path / "none" / "a.onnx")
    recipe, network = rebuild(sealed(get_recipe("choir"), tmp_path))
    assert renamed(recipe, "my-choir", "x").card(network, {}, {}).title == "My choir"

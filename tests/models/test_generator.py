"""A generator: noise of a seed, the same at any cut, loops, and what the proof finds."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import onnxruntime
import pytest
from scipy import stats

from realtime.errors import CardError
from realtime.models.catalog import find_model, read_entry
from realtime.models.load import open_model
from realtime.models.noise import fill
from realtime.models.streaming import load_model
from realtime.models.tagger import Tagger
from realtime.proof.soak import soak
from realtime.proof.verify import verify
from realtime.stages.model import model_path

from ..signals import Array, noise

WORD = 2**64


def reference(seed: int, n: int) -> int:
    """SplitMix64 after the paper, in whole numbers of Python."""

    def mixed(z: int) -> int:
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % WORD
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB % WORD
        return z ^ (z >> 31)

    gamma = 0x9E3779B97F4A7C15
    return mixed((mixed((seed + gamma) % WORD) + (n + 1) * gamma) % WORD)


def made(settings: dict[str, float], hops: int, name: str = "endless-keys") -> Array:
    with closing(open_model(find_model(name))) as player:
        names = [c.name for c in player.card.controls]
        for key, value in settings.items():
            player.controls[0, names.index(key)] = value
        return np.concatenate([player.step(player.x)[0, 0] for _ in range(hops)])


@pytest.mark.parametrize("seed", [0, 1, 9999])
def test_noise_is_the_published_sequence_from_any_place(seed: int) -> None:
    whole = np.zeros(1000, dtype=np.float32)
    fill(whole, seed, 5)
    wanted = [(reference(seed, n) >> 40) * 2.0**-23 - 1.0 for n in range(5, 1005)]
    assert np.array_equal(whole, np.array(wanted, dtype=np.float32))
    part = np.zeros(100, dtype=np.float32)
    fill(part, seed, 305)
    assert np.array_equal(part, whole[300:400])
    far = np.zeros(1, dtype=np.float32)
    fill(far, seed, 10**15)
    assert far[0] == np.float32((reference(seed, 10**15) >> 40) * 2.0**-23 - 1.0)


def test_noise_is_even_and_streams_know_nothing_of_each_other() -> None:
    a, b = np.zeros((2, 200_000), dtype=np.float32)
    fill(a, 1, 0)
    fill(b, 2, 0)
    assert -1.0 <= a.min() < a.max() < 1.0
    assert stats.kstest(a, "uniform", args=(-1, 2)).pvalue > 1e-3
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.01
    assert abs(np.corrcoef(a[1:], a[:-1])[0, 1]) < 0.01


def test_the_bundled_generator_proves_itself() -> None:
    path = find_model("endless-keys")
    assert [c.name for c in verify(path) if not c.passed] == []
    entry = read_entry(path)
    assert entry.plays and not entry.converts
    with closing(open_model(path)) as player:
        assert soak(player, 0.3).passed


def test_what_comes_in_is_not_heard_and_all_channels_are_one_music() -> None:
    runs = []
    for level in (0.0, 0.5):
        with closing(open_model(find_model("endless-keys"), 2)) as player:
            path = model_path(player)
            next(path.slots()).placed.set("seed", 5)
            path.reset()
            runs.append(path.process_hops(level * noise(96_000, channels=2)))
    assert np.abs(runs[0]).max() > 0.05
    assert np.array_equal(runs[0], runs[1])
    assert np.array_equal(runs[0][0], runs[0][1])


def test_a_seed_is_its_music_and_a_loop_begins_again() -> None:
    one = made({"seed": 7}, 2000)
    assert np.array_equal(one, made({"seed": 7}, 2000))
    assert not np.array_equal(one, made({"seed": 8}, 2000))
    looped = made({"seed": 7, "loop": 2}, 2000)
    n = 2 * 48000
    assert np.array_equal(looped[:n], looped[n : 2 * n])
    assert np.array_equal(looped[: n - 480], one[: n - 480])
    assert abs(looped[n - 1]) < 1e-6  # the end is faded, not cut


def ticks(**settings: float) -> tuple[int, int]:
    """Ticks in 16 s, and those on which anything begins, by the graph's own states."""
    path = find_model("endless-keys")
    with closing(load_model(path, kinds=("generator",))) as model:
        card, states = model.card, model.initial_states()
    controls = [[settings.get(c.name, c.default) for c in card.controls]]
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [f"{k}_out" for k in states]
    rng, clock, all_, busy = np.random.default_rng(0), 1.0, 0, 0
    for _ in range(6000):
        x = rng.uniform(-1, 1, (1, 1, card.hop_length)).astype(np.float32)
        feed = {"x": x, "controls": np.array(controls, dtype=np.float32), **states}
        states = dict(zip(states, session.run(names, feed), strict=True))
        now = float(states["state_clock"][0, 0])
        if now < clock:
            all_ += 1
            busy += bool(states["state_before"].any())
        clock = now
    return all_, busy


def test_density_and_tempo_are_obeyed() -> None:
    count, full = ticks(density=0.9, tempo=120.0)
    assert count == pytest.approx(16 * 120 / 60 * 4, abs=1)
    _, sparse = ticks(density=0.2, tempo=120.0)
    assert full > 0.6 * count
    assert sparse < 0.4 * count
    assert ticks(tempo=60.0)[0] == pytest.approx(64, abs=1)


def test_it_is_neither_a_converter_nor_a_tagger() -> None:
    path = find_model("endless-keys")
    with pytest.raises(CardError, match="'generator' is no converter"):
        load_model(path)
    with pytest.raises(CardError, match="'generator' is no tagger"):
        Tagger(path, 48000)


def test_its_card_gains_seed_and_loop_as_played() -> None:
    card = read_entry(find_model("endless-keys")).card
    assert card is not None
    assert [c.name for c in card.as_played().controls[-2:]] == ["seed", "loop"]
    tube = read_entry(find_model("tube-amp")).card
    assert tube is not None and tube.as_played() == tube

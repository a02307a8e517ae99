"""Unmatched recordings: what is put together, where the network begins, what its opponent hears."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.optim import AdamW

from train.data.examples import unpaired as unmatched
from train.data.pairs import Pair, PairSet, Voice
from train.fit.batches import whole
from train.judging.baselines import apply_eq, matched_eq
from train.losses.adversarial import mean_matching
from train.networks.mel import LogMel, MelDiscriminator
from train.networks.unpaired import UnpairedAdversary
from train.recipes import RECIPES, get_recipe
from train.recipes.base import Batch, random_colour
from train.recipes.unpaired import StringsUnpaired

from .tiny import plucked

LOW, HIGH = Voice(0), Voice(48)


def test_no_score_is_heard_from_both_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: dict[str, set[int]] = {"dry": set(), "wet": set()}

    def fake_render(midi: bytes, seconds: float, font: str) -> np.ndarray:
        score, program = midi
        calls["wet" if program == HIGH.program else "dry"].add(score.seed)
        return plucked(score.seed, 48000)

    class Score:
        def __init__(self, seed: int) -> None:
            self.seed, self.seconds = seed, 0.0

        def timed(self) -> tuple[()]:
            return ()

    monkeypatch.setattr(unmatched, "compose", lambda seed, *rest: Score(seed))
    monkeypatch.setattr(unmatched, "to_midi", lambda score, program: (score, program))
    monkeypatch.setattr(unmatched, "render", fake_render)
    monkeypatch.setattr(
        unmatched, "program_pair", lambda i, s, v, t: Pair(f"true{i}", plucked(1), plucked(1))
    )
    data = unmatched.unmatched_programs(40, 1.0, [LOW], HIGH, seed=100)
    assert not calls["dry"] & calls["wet"]
    assert calls["dry"] | calls["wet"] == set(range(100, 136)), "train and validation"
    assert [len(s) for s in (data.train, data.validation, data.test)] == [16, 2, 4]
    pair = data.train[0]
    assert len(pair.dry) == len(pair.wet)
    for x in (pair.dry, pair.wet):
        assert np.sqrt(np.mean(x**2)) == pytest.approx(0.1, rel=1e-4)


def noise_pairs() -> PairSet:
    """Noise, and other noise with its treble 12 dB up."""
    rng = np.random.default_rng(0)

    def bright(x: np.ndarray) -> np.ndarray:
        spectrum = np.fft.rfft(x)
        spectrum[len(spectrum) // 4 :] *= 4.0
        return np.fft.irfft(spectrum, len(x)).astype(np.float32)

    def pair(i: int) -> Pair:
        a, b = (0.05 * rng.standard_normal((2, 48000))).astype(np.float32)
        return Pair(f"noise{i}", a, bright(b))

    made = [pair(i) for i in range(4)]
    return PairSet(tuple(made[:2]), (made[2],), (made[3],))


def test_a_fresh_network_is_the_matched_equaliser() -> None:
    recipe, data = StringsUnpaired(), noise_pairs()
    torch.manual_seed(0)
    network = recipe.network().eval()
    with torch.no_grad():
        network.decode.weight.zero_()  # the small random part aside
        recipe.prepare(network, data)
        y, _ = recipe.aligned(network, whole(data.test[0], 47 * 1024))
    reference = apply_eq(data.test[0].dry, matched_eq(data.train))
    part = reference[recipe.warm_up : recipe.warm_up + y.shape[1]]
    powers = []
    for x in (y[0].numpy(), part):
        spectrum = np.abs(np.fft.rfft(x)) ** 2
        edges = np.linspace(0.02, 0.98, 9) * len(spectrum)
        powers.append(
            [spectrum[int(a) : int(b)].mean() for a, b in zip(edges, edges[1:], strict=False)]
        )
    assert np.abs(10 * np.log10(np.divide(*powers))).max() < 1.0  # dB in every band


@pytest.mark.parametrize("identity", [0.0, 0.5])
def test_what_the_losses_are_given(identity: float) -> None:
    recipe = StringsUnpaired()
    recipe.config = type(recipe.config)(identity=identity)
    data, n = noise_pairs(), 40 * 1024
    rows = [whole(p, n) for p in data.train]
    batch = Batch(*(torch.cat(part) for part in zip(*rows, strict=True)))
    network = recipe.network().eval()
    with torch.no_grad():
        y, target = recipe.practise(network, batch)
        alone, _ = recipe.aligned(network, batch)
        loss = float(recipe.loss(y, target))
    assert len(y) == (4 if identity else 2) and len(target) == 4
    assert torch.allclose(y[:2], alone, atol=1e-5)
    assert torch.equal(target[2:], batch.wet[:, recipe.warm_up : n - recipe.latency])
    assert np.isfinite(loss)
    adversary = recipe.adversary()
    assert isinstance(adversary, UnpairedAdversary)
    reply = adversary(torch.cat([target, y]))
    expected = [d(target[2:])[0] for d in adversary.discriminators]
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(reply.real, expected, strict=True))
    assert reply.slope > 0, "R1 on the first step"
    assert adversary(torch.cat([target, y])).slope == 0, "and not on the next"


def test_colour_is_an_equaliser_within_its_bounds() -> None:
    x = torch.zeros(4, 32768)
    x[:, 16384] = 1.0
    y = random_colour(x, np.random.default_rng(3), 5.0)
    db = 20 * torch.log10(torch.fft.rfft(y).abs())
    assert db.abs().max() <= 5.001 and db.std(dim=1).min() > 0.5
    assert (db[0] - db[1]).abs().max() > 2.0, "each row its own"
    assert y.argmax(dim=1).tolist() == [16384] * 4, "no delay"


def test_matching_joins_the_game() -> None:
    torch.manual_seed(0)
    x, real, fake = torch.randn(3, 2, 16384)
    plain, matched = (UnpairedAdversary(channels=2, matching=m) for m in (0.0, 2.0))
    matched.load_state_dict(plain.state_dict())
    terms = [a.generator_terms(fake, torch.cat([x, real]))[0] for a in (plain, matched)]
    inner = ([d(s)[1] for d in plain.discriminators] for s in (real, fake))
    assert (terms[1] - terms[0]).item() == pytest.approx(2 * mean_matching(*inner).item(), rel=1e-4)


def test_the_opponent_learns_to_tell_and_to_know_content() -> None:
    torch.manual_seed(0)
    adversary = UnpairedAdversary(channels=4, gamma=0.1)
    optimiser = AdamW(adversary.parameters(), lr=2e-3, betas=(0.5, 0.9))
    x = torch.from_numpy(np.stack([plucked(i) for i in range(3)]))
    told = []
    for _ in range(25):
        real = 0.3 * torch.randn_like(x)
        reply = adversary(torch.cat([x, real, torch.tanh(2 * x)]))
        loss = adversary.discriminator_loss(reply)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        told.append((float(adversary.rivals[0]), reply.contrast.item()))
    assert told[-1][0] > 0.95 and told[-1][1] < 0.5 * told[0][1]
    fake = adversary.generator_terms(torch.tanh(2 * x), torch.cat([x, real]))
    like = adversary.generator_terms(real, torch.cat([x, real]))
    assert like[0] < fake[0], "noise passes for the wanted sound"
    assert like[1] > fake[1] + 0.5, "and has nothing of the input"


def test_pictures_are_free_of_level_and_finite_on_silence() -> None:
    picture, x = LogMel(1024, 512, 64), torch.from_numpy(plucked(3))[None]
    assert torch.allclose(picture(x), picture(0.1 * x), atol=0.05)
    quiet = torch.zeros(1, 8192, requires_grad=True)
    MelDiscriminator(1024, 512, 64, 4)(quiet)[0].sum().backward()
    assert quiet.grad is not None and torch.isfinite(quiet.grad).all()


def norm_of_convolution(layer: torch.nn.Conv2d, size: int = 24, rounds: int = 60) -> float:
    """Largest singular value of the convolution as a linear map, by power iteration."""
    torch.manual_seed(1)
    x = torch.randn(1, layer.in_channels, size, size)
    for _ in range(rounds):
        x = (x / x.norm()).detach().requires_grad_()
        y = layer(x) - layer.bias[None, :, None, None]
        (x,) = torch.autograd.grad(0.5 * y.square().sum(), x)
    return float(x.norm().sqrt())


def test_spectral_norm_bounds_kernels_and_not_quite_convolutions() -> None:
    torch.manual_seed(0)
    d = MelDiscriminator(512, 256, 32, 4, norm="spectral")
    for _ in range(30):  # power iteration
        d(torch.randn(1, 4096))
    d.eval()
    norms = []
    for layer in [*d.layers, d.head]:
        largest = torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2)
        assert largest.item() == pytest.approx(1.0, abs=0.05)
        k, s = layer.kernel_size, layer.stride
        covered = math.prod(-(-a // b) for a, b in zip(k, s, strict=True))
        norms.append(norm_of_convolution(layer) / math.sqrt(covered))
        assert norms[-1] <= 1.05, "Tsuzuku et al., 2018"
    assert 3 * norms[0] > 1.2, "one layer alone is steeper than 1"


def test_the_ablation_is_known_but_not_listed() -> None:
    name = RECIPES["strings-unpaired"].ablations["no_adversary"]
    assert name not in RECIPES
    alone = get_recipe(name)
    assert alone.name == name and alone.config.adversarial == 0  # type: ignore[attr-defined]

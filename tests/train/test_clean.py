"""Clean: its network streams, its mixtures are what they say, its loss guards speech."""

from __future__ import annotations

import warnings

import numpy as np
import onnxruntime
import pytest
import torch
from torch import Tensor

from realtime.models.catalog import find_model
from realtime.proof.listener.play import play
from train.data.examples import noisy
from train.losses.speech import speech_distance
from train.networks.cleaner import N_FFT, Cleaner, Heard, centres
from train.networks.gtcrn import BANDS, BINS, GTCRN, PHASES, taking_turns
from train.networks.layers import Streamable
from train.networks.recurrent import Recurrent
from train.own.rebuild import begin_with
from train.recipes.clean import Clean, quieter

RATE = 48000


@pytest.fixture(scope="module")
def network() -> Cleaner:
    torch.manual_seed(0)
    made = Clean().network().eval()
    assert isinstance(made, Cleaner)
    with torch.no_grad():
        made.decode.weight.normal_(std=0.1)  # masks that move
    return made


def test_a_fresh_network_can_begin_with_the_weights_of_the_bundled_file() -> None:
    """What a step of the file's graph gives, the network gives."""
    path = find_model("clean")
    begun = Clean().network().eval()
    begin_with(begun, path)
    generator = torch.Generator().manual_seed(0)
    states = begun.initial_state(1)
    session = onnxruntime.InferenceSession(str(path))
    for _ in range(8):
        x = 0.1 * torch.randn(1, 2, 1, N_FFT // 2 + 1, generator=generator)
        given = (x, torch.ones(1, 1), *states)
        with torch.no_grad():
            expected = begun(*given)
        feed = {i.name: v.numpy() for i, v in zip(session.get_inputs(), given, strict=True)}
        for a, b in zip(session.run(None, feed), expected, strict=True):
            assert np.abs(a - b.numpy()).max() < 1e-5
        states = list(expected[1:])


def by_numpy(cell: torch.nn.GRU, x: np.ndarray, h: np.ndarray) -> np.ndarray:
    """One step of a gated recurrent unit (Cho et al., 2014): ``x [inputs], h [hidden]``."""
    own = {k: v.detach().numpy().astype(np.float64) for k, v in cell.named_parameters()}
    a = own["weight_ih_l0"] @ x + own["bias_ih_l0"]
    b = own["weight_hh_l0"] @ h + own["bias_hh_l0"]
    (ra, za, na), (rb, zb, nb) = np.split(a, 3), np.split(b, 3)
    r, z = 1 / (1 + np.exp(-ra - rb)), 1 / (1 + np.exp(-za - zb))
    return (1 - z) * np.tanh(na + r * nb) + z * h


@pytest.mark.parametrize("t", [1, 5, PHASES, 2 * PHASES + 1])
def test_networks_that_take_turns_are_so_many_networks(t: int) -> None:
    torch.manual_seed(1)
    unit = Recurrent(4, 6)
    x, queue = torch.randn(2, t, 4), torch.randn(2, PHASES, 6)
    with torch.no_grad():
        y, after = taking_turns(unit, x, queue)
    for row in range(2):
        memory = [q.numpy().astype(np.float64) for q in queue[row]]
        for k in range(t):
            memory.append(by_numpy(unit.cell, x[row, k].numpy(), memory.pop(0)))
            assert np.abs(y[row, k].numpy() - memory[-1]).max() < 1e-5
        assert np.abs(after[row].numpy() - np.stack(memory)).max() < 1e-5


def test_gtcrn_takes_one_frame_in_six_as_the_published_network_takes_every_one() -> None:
    """Frames of one turn alone, as its makers run it, give what they give among all others."""
    torch.manual_seed(2)
    ear = Clean().network().ear.eval()  # type: ignore[union-attr]
    assert isinstance(ear, GTCRN)
    x = torch.randn(1, 2, 4 * PHASES, BINS)
    first = [torch.zeros(1, *s) for s in ear.state_shapes]
    with torch.no_grad():
        whole, _ = ear(x, first)
        others = torch.randn_like(x)
        others[:, :, ::PHASES] = x[:, :, ::PHASES]
        again, _ = ear(others, first)
    assert whole.shape == (1, 2, 4 * PHASES, BANDS)
    assert torch.allclose(whole[:, :, ::PHASES], again[:, :, ::PHASES], atol=1e-5)
    assert not torch.allclose(whole, again, atol=1e-2)


def test_the_other_windows_spectrum_is_that_of_numpy() -> None:
    rng, transform = np.random.default_rng(3), Clean().transform
    x = np.convolve(rng.standard_normal(N_FFT), np.hanning(32), "same").astype(np.float32)
    mine = torch.fft.rfft(torch.from_numpy(x) * transform.analysis)
    heard = Heard(transform.analysis)(torch.view_as_real(mine).permute(1, 0)[None, :, None])[
        0, :, 0
    ]
    window = np.sqrt(np.hanning(1537)[:-1])
    wanted = np.fft.rfft(x[-1536:] * window)[:BINS] / 3
    error = np.abs(heard[0].numpy() + 1j * heard[1].numpy() - wanted)
    assert error.max() < 0.005 * np.abs(wanted).max()


def by_gain(network: Cleaner, x: np.ndarray) -> np.ndarray:
    """What the network makes of a sound ``[n]``, aligned."""
    transform = Clean().transform
    with torch.no_grad():
        frames = transform.forward(torch.from_numpy(x.astype(np.float32))[None])
        y = transform.inverse(network.offline(frames, controls=torch.ones(1, 1)))
    return y[0, transform.latency :].numpy()


@pytest.mark.parametrize(
    "hz", [[82.4], [987.8], [110.0, 138.6, 164.8], [220.0 * k for k in range(1, 9)]]
)
def test_what_has_nothing_between_its_partials_passes_as_it_is(
    network: Cleaner, hz: list[float]
) -> None:
    t = np.arange(RATE // 2 // 128 * 128) / RATE
    x = 0.05 * sum(np.sin(2 * np.pi * f * t + f) for f in hz)
    y = by_gain(network, x)
    part = slice(RATE // 4, len(y))
    assert np.abs(y[part] - x[part]).max() < 1e-4 * np.abs(x).max()


def test_hiss_is_turned_down_and_a_tone_in_hiss_is_no_tone_alone(network: Cleaner) -> None:
    rng, t = np.random.default_rng(4), np.arange(RATE // 128 * 128) / RATE
    hiss = 0.01 * rng.standard_normal(len(t))
    transform = Clean().transform
    for x in (hiss, hiss + 0.05 * np.sin(2 * np.pi * 440 * t)):
        heard = network.heard(transform.forward(torch.from_numpy(x.astype(np.float32))[None]))
        assert float(network.noisy(heard)[:, 20:].min()) == 1.0
    fresh = Clean().network().eval()
    y = by_gain(fresh, hiss)  # type: ignore[arg-type]
    power = 10 * np.log10(np.square(y[RATE // 2 :]).mean() / np.square(hiss).mean())
    assert power < -10.0


def test_bands_rise_from_bin_to_bin_and_then_by_what_an_ear_resolves() -> None:
    middle = centres().numpy()
    assert (np.diff(middle) > 0).all() and middle[64] == 2000.0
    assert middle[-1] == pytest.approx(24000.0)
    assert middle[BANDS - 1] == pytest.approx(8000.0, rel=1e-4)


def draw(seed: int = 0) -> noisy.Draw:
    return noisy.Draw(torch.Generator().manual_seed(seed))


def pools() -> noisy.Pools:
    music = torch.sin(torch.arange(RATE) * 0.05) * 0.1
    engine = torch.randn(3, RATE // 4, generator=torch.Generator().manual_seed(1))
    return noisy.Pools(music, noisy.made_strokes(draw(), 6, 2400), engine)


def test_steps_are_the_same_as_the_whole(network: Cleaner) -> None:
    x, one = torch.randn(2, 2, 9, N_FFT // 2 + 1), torch.full((1, 1), 0.7)
    with torch.no_grad():
        whole = network.offline(x, controls=one)
        states = [s.expand(2, *s.shape[1:]) for s in network.initial_state(1)]
        parts = []
        for k in range(9):
            y, states = network.step(x[:, :, k : k + 1], states, one)
            parts.append(y)
    assert torch.allclose(torch.cat(parts, dim=2), whole, atol=1e-5)


def test_strength_0_is_the_input_and_1_the_most(network: Cleaner) -> None:
    transform = Clean().transform
    x = 0.2 * torch.randn(1, 12800)
    with torch.no_grad():
        made = [
            transform.inverse(
                network.offline(transform.forward(x), controls=torch.full((1, 1), s))
            )[:, transform.latency :]
            for s in (0.0, 0.5, 1.0)
        ]
    dry = x[:, : made[0].shape[1]]
    assert (made[0] - dry).square().mean() < 1e-12 * dry.square().mean()
    power = [float(y.square().mean()) for y in made]
    assert power[0] > power[1] > power[2]


def test_the_recurrent_layer_is_onnxs_operator() -> None:
    class Alone(Streamable):
        def __init__(self) -> None:
            super().__init__()
            self.cell = Recurrent(6)

        def forward(self, x: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
            y, state = self.cell(x[:, 0], states[0])
            return y.unsqueeze(1), state

    torch.manual_seed(1)
    network, auto = Alone().eval(), torch.export.Dim.AUTO
    program = torch.export.export(
        network, (torch.randn(2, 1, 3, 6), torch.zeros(2, 6)),
        dynamic_shapes={"x": {0: auto, 2: auto}, "states": ({0: auto},)}, strict=False,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exported = torch.onnx.export(program, (), dynamo=True, verbose=False)
    assert exported is not None
    session = onnxruntime.InferenceSession(exported.model_proto.SerializeToString())
    names = [i.name for i in session.get_inputs()]
    for batch, steps in ((1, 1), (3, 7)):
        x, state = torch.randn(batch, 1, steps, 6), torch.randn(batch, 6)
        found = session.run(None, dict(zip(names, (x.numpy(), state.numpy()), strict=True)))
        with torch.no_grad():
            expected = network(x, state)
        for a, b in zip(found, expected, strict=True):
            assert np.abs(a - b.numpy()).max() < 1e-5


def test_mixtures_come_again_with_the_same_seed_and_differ_with_another() -> None:
    speech = 0.1 * torch.randn(3, 9600)
    one, same, other = (noisy.mixtures(draw(s), speech, pools()) for s in (4, 4, 5))
    assert all(torch.equal(a, b) for a, b in zip(one, same, strict=True))
    assert not torch.equal(one[0], other[0])
    for part in (*one, *other):
        assert part.shape == speech.shape and part.isfinite().all() and part.abs().max() <= 1.0


@pytest.mark.parametrize("kind", ["coloured", "fan", "machine", "hum", "wind"])
def test_noises_have_unit_power_and_are_not_alike(kind: str) -> None:
    y = getattr(noisy, kind)(draw(1), 4, RATE)
    power = y.square().mean(dim=1)
    assert ((power > 0.5) & (power < 2.5)).all()
    assert (y @ y.T / RATE - torch.diag(power)).abs().max() < 0.5


def test_recorded_noise_goes_on_at_another_speed_where_its_recording_ends() -> None:
    t = torch.arange(RATE // 2) / RATE
    pool = torch.sin(2 * np.pi * 1000 * t)[None]
    y = noisy.recorded(draw(3), 6, 2 * RATE, pool)
    assert torch.allclose(y.square().mean(dim=1), torch.ones(6), atol=1e-3)
    hz = torch.fft.rfft(y * torch.hann_window(2 * RATE)).abs().argmax(dim=1) / 2  # bins of 0.5 Hz
    assert (hz > 650).all() and (hz < 1525).all() and hz.std() > 50
    parts = y.reshape(6, 8, -1).square().mean(dim=2)  # as loud all along
    assert (parts > 0.9).all() and (parts < 1.1).all()


def test_in_training_a_row_goes_on_from_a_state_of_the_step_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("train.recipes.clean.ANEW", 0.0)
    recipe, one = Clean(), torch.ones(1, 1)
    network = recipe.network().train()
    first, second = (0.1 * torch.randn(1, 128 * k) for k in (12, 9))
    with torch.no_grad():
        recipe.convert(network, first, one)
        y = recipe.convert(network, second, one)
        states = [s.repeat(1, *[1] * (s.dim() - 1)) for s in network.initial_state(1)]
        _, states = network.step(recipe.transform.forward(first), states, one)
        expected, states = network.step(recipe.transform.forward(second), states, one)
        assert torch.allclose(y, recipe.transform.inverse(expected), atol=1e-5)
        alone = recipe.convert(network.eval(), second, one)
    assert recipe.carried is not None and torch.allclose(recipe.carried[1], states[1], atol=1e-5)
    assert not torch.allclose(alone, y, atol=1e-5)


@pytest.mark.parametrize("before", [0.0, 20.0], ids=["at once", "after silence"])
def test_the_bundled_cleaner_does_the_same_in_its_second_minute(before: float) -> None:
    """Its memory neither fills up while it runs nor sticks to what silence left in it."""
    rng = np.random.default_rng(0)
    t = np.arange(3 * RATE) / RATE
    pitch = 120 * (1 + 0.1 * np.sin(2 * np.pi * 0.7 * t))
    voice = sum(np.sin(2 * np.pi * k * np.cumsum(pitch) / RATE) / k for k in range(1, 20))
    said = 0.05 * voice * np.clip(np.sin(2 * np.pi * 1.5 * t), 0, 1)
    x = np.concatenate([np.zeros(int(before * RATE)), np.tile(said, 24)])
    x[int(before * RATE) :] += 0.003 * rng.standard_normal(24 * len(t))
    y = play(find_model("clean"), x[None].astype(np.float32))[0]
    turns = np.square(y[int(before * RATE) :], dtype=np.float64).reshape(24, -1)
    levels = 10 * np.log10(turns.mean(axis=1))
    assert np.ptp(levels[1:]) < 1.0, levels.round(1)
    assert abs(levels[1] - 10 * np.log10(np.mean(said**2))) < 3.0


def test_a_machine_is_mostly_noise_whatever_its_tones() -> None:
    """No bin of 1 Hz holds most of its power: what tells it from a note that is to be kept."""
    y = noisy.machine(draw(4), 16, RATE)
    spectrum = torch.fft.rfft(y * torch.hann_window(RATE)).abs().square()
    assert (spectrum.amax(dim=1) / spectrum.sum(dim=1)).median() < 0.2


def test_hum_is_where_the_mains_are() -> None:
    y = noisy.hum(draw(2), 6, RATE).double()
    spectrum = torch.fft.rfft(y * torch.hann_window(RATE, dtype=y.dtype)).abs()  # bins of 1 Hz
    for row in spectrum:
        peak = int(row[:400].argmax())
        assert any(abs(peak - base * round(peak / base)) <= 3 for base in (50, 60))


def test_a_room_only_adds_what_comes_later() -> None:
    x = torch.zeros(4, RATE // 2)
    x[:, 1000] = 1.0
    y = noisy.rooms(draw(3), x, share=1.0)
    assert (y[:, :1000].abs() < 1e-5).all() and torch.allclose(y[:, 1000], x[:, 1000], atol=0.05)
    late = y[:, 1100:].square().sum(dim=1)
    assert (late > 0.01).all() and (late < 0.8).all()


def test_the_loss_is_0_for_what_was_wanted_and_holes_weigh_more_than_noise() -> None:
    torch.manual_seed(2)
    target = 0.1 * torch.randn(2, 9600)
    assert float(speech_distance(target, target)) == 0.0
    less, more = (float(speech_distance(g * target, target)) for g in (0.5, 2.0**0.5))
    # as far away in the compressed magnitudes, or nearly
    assert abs((1 - 0.5**0.3) - (2**0.15 - 1)) < 0.08
    assert less > 2.0 * more
    quiet = [float(speech_distance(s * 0.5 * target, s * target)) for s in (1.0, 0.3)]
    assert quiet[0] == pytest.approx(quiet[1], rel=1e-2)  # rows weigh alike at any level


def test_a_recordings_own_noise_is_lowered_and_its_length_kept() -> None:
    rng = np.random.default_rng(0)
    hiss = 0.002 * rng.standard_normal(4 * RATE).astype(np.float32)
    voice = 0.2 * np.sin(2 * np.pi * 220 * np.arange(RATE) / RATE).astype(np.float32)
    x = hiss.copy()
    x[RATE : 2 * RATE] += voice
    first, second = quieter([x[: 3 * RATE], x[3 * RATE :]])
    assert (len(first), len(second)) == (3 * RATE, RATE)
    assert np.std(second[4800:-4800]) < 0.25 * np.std(hiss)
    inside = slice(RATE + 4800, 2 * RATE - 4800)
    assert np.std(first[inside] - x[inside]) < 0.1 * np.std(x[inside])


def test_its_card_says_what_is_turned_and_how_late_it_is() -> None:
    recipe = Clean()
    card = recipe.card(recipe.network(), {}, {})
    assert [(c.name, c.default) for c in card.controls] == [("strength", 1.0)]
    assert (card.latency + card.hop_length) / RATE <= 0.008

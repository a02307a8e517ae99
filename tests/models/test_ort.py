from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnxruntime
import pytest

from realtime.models.streaming import StreamingModel, load_model

from ..graphs import fir_model, identity_spectrum
from ..networks import brittle_model, controlled_model, failing_model, gru_model, mask_model

TAPS = np.random.default_rng(7).standard_normal(33).astype(np.float32) / 8
MODELS: dict[str, Callable[[], bytes]] = {
    "fir": lambda: fir_model(TAPS, initial=np.linspace(-1, 1, 32, dtype=np.float32)[None]),
    "gru": gru_model,
    "mask": mask_model,
    "identity": identity_spectrum,
    "controls": controlled_model,
    "brittle": brittle_model,
}


def random_steps(model: StreamingModel, count: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.uniform(-0.4, 0.4, (count, *model.x.shape)).astype(np.float32)


def reference(data: bytes, model: StreamingModel, steps: np.ndarray) -> list[np.ndarray]:
    """The steps through ``InferenceSession.run``, states carried by hand."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    names = [o.name for o in session.get_outputs()]
    states = model.initial_states()
    controls = {"controls": model.controls} if model.card.controls else {}
    result = []
    for x in steps:
        out = dict(zip(names, session.run(names, {"x": x, **states, **controls}), strict=True))
        states = {k: out[f"{k}_out"] for k in states}
        result.append(out["y"])
    return result


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("name", MODELS)
def test_the_c_api_lane_equals_inference_session_bit_for_bit(name: str, channels: int) -> None:
    data = MODELS[name]()
    model = load_model(data, channels, tape=False)
    steps = random_steps(model, 200)
    for x, expected in zip(steps, reference(data, model, steps), strict=True):
        assert np.array_equal(model.step(x).view(np.int32), expected.view(np.int32))


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("before", [4, 5])
def test_rewinding_repeats_the_same_bits(name: str, before: int) -> None:
    model = load_model(MODELS[name](), 2)
    steps = random_steps(model, before + 10)
    for x in steps[:before]:
        model.step(x)
    saved = model.snapshot()
    first = [model.step(x) for x in steps[before:]]
    model.restore(saved)
    second = [model.step(x) for x in steps[before:]]
    assert np.array_equal(first, second)


@pytest.mark.parametrize("name", MODELS)
def test_reset_returns_to_the_first_step(name: str) -> None:
    model = load_model(MODELS[name]())
    steps = random_steps(model, 7)
    first = [model.step(x) for x in steps]
    model.reset()
    assert np.array_equal(first, [model.step(x) for x in steps])


def test_channels_keep_states_of_their_own() -> None:
    pair = load_model(gru_model(), 2)
    alone = [load_model(gru_model()) for _ in range(2)]
    for x in random_steps(pair, 20):
        both = pair.step(x)
        for c, model in enumerate(alone):
            assert np.allclose(both[c], model.step(x[c : c + 1])[0], atol=1e-7)


def test_the_initial_state_comes_from_the_file() -> None:
    past = np.linspace(-1, 1, 32, dtype=np.float32)[None]
    model = load_model(fir_model(TAPS, initial=past), 2)
    y = model.step(np.zeros_like(model.x))
    expected = np.convolve(np.concatenate([past[0], np.zeros(64)]), TAPS)[32:96]
    assert np.allclose(y[:, 0], expected, atol=1e-6)
    assert np.array_equal(model.initial_states()["state_past"], np.stack([past, past]))


@pytest.mark.parametrize("tape", [True, False])
def test_loading_leaves_no_trace_in_the_state(tape: bool) -> None:
    data = gru_model()
    model = load_model(data, tape=tape)
    assert model.test_error <= 1e-6
    steps = random_steps(model, 3)
    expected = reference(data, model, steps)[0]
    assert np.abs(model.step(steps[0]) - expected).max() <= (1e-6 if tape else 0.0)


@pytest.mark.parametrize("tape", [True, False])
def test_a_failing_step_says_why_and_a_later_step_works(tape: bool) -> None:
    model = load_model(failing_model(), tape=tape)
    assert model.on_tape == tape
    with pytest.raises(Exception, match="out of data bounds"):
        model.step(np.full_like(model.x, 2.0))
    model.reset()
    assert np.array_equal(model.step(np.full_like(model.x, 0.5)), np.full_like(model.x, 0.25))


def test_closing_twice_is_harmless() -> None:
    model = load_model(gru_model())
    model.close()
    model.close()


@pytest.mark.parametrize("name", MODELS)
def test_channels_that_hear_the_same_are_run_once_until_one_hears_something_else(
    name: str,
) -> None:
    data = MODELS[name]()
    pair, alone = load_model(data, 3), [load_model(data) for _ in range(3)]
    steps = random_steps(pair, 60)
    steps[:40, 1:] = steps[:40, :1]
    states = [s for one in pair._graph.states for s in one.values()]
    for k, x in enumerate(steps):
        before = [s[1:].copy() for s in states]
        got = pair.step(x)
        expected = np.concatenate([m.step(x[c : c + 1]) for c, m in enumerate(alone)])
        np.testing.assert_allclose(got, expected, rtol=0, atol=2e-7 * np.abs(expected).max())
        if k < 40:
            np.testing.assert_array_equal(got[1], got[0])
            assert all(np.array_equal(s[1:], b) for s, b in zip(states, before, strict=True))

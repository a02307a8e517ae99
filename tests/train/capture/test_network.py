"""The network, its files, and knobs: the player, the reference library and torch play the same."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from realtime.errors import ModelError  # noqa: E402
from realtime.models.nam.build import Variant  # noqa: E402
from realtime.models.nam.convert import make_player, null_db, open_capture, to_onnx  # noqa: E402
from realtime.models.nam.file import parse_capture, read_capture  # noqa: E402
from realtime.models.nam.knobs import KNOBS, read_knobs, turned  # noqa: E402
from realtime.parameters.parameter import Parameter  # noqa: E402
from realtime.proof.verify import verify  # noqa: E402
from train.capture.make import read_model, write_nam  # noqa: E402
from train.capture.network import SIZES, CaptureNet  # noqa: E402

Array = np.ndarray
GAIN = Parameter("gain", 2.0, 8.0, 5.0)
TONE = Parameter("tone", -1.0, 1.0, 0.0)
X = (0.3 * np.random.default_rng(3).standard_normal(64 * 120)).astype(np.float32)


def net(size: str = "nano", *knobs: Parameter) -> CaptureNet:
    """A network that is loud and bent enough to tell apart."""
    torch.manual_seed(4)
    made = CaptureNet(size, knobs, 0.7)
    with torch.no_grad():
        for weights in made.parameters():
            weights.mul_(1.5)
    return made


def by_torch(made: CaptureNet, x: torch.Tensor, knobs: torch.Tensor) -> torch.Tensor:
    """The network layer by layer, ``x [batch, time]``, ``knobs [batch, knobs]``."""

    def array(one: torch.nn.Module, x: torch.Tensor, head: torch.Tensor | None) -> tuple:
        x = one.enter(x)
        for conv, mixer, inner in zip(one.convs, one.mixers, one.ones, strict=True):
            z = conv(x)
            term = torch.tanh(z + mixer(heard[..., -z.shape[-1] :]))
            head = term if head is None else head[..., -z.shape[-1] :] + term
            x = x[..., -z.shape[-1] :] + inner(term)
        return x, one.head(head)

    heard = torch.cat([x[:, None], knobs[:, :, None].expand(-1, -1, x.shape[1])], dim=1)
    y, head = array(made.first, x[:, None], None)
    _, head = array(made.second, y, head)
    return made.scale * head[:, 0]


def expected(made: CaptureNet, values: tuple[float, ...] = ()) -> Array:
    x = torch.from_numpy(np.concatenate([np.zeros(made.reach, np.float32), X]))
    with torch.no_grad():
        return by_torch(made, x[None], made.place(values)[None])[0].numpy()


@pytest.mark.parametrize("size", list(SIZES))
@pytest.mark.parametrize("threads", [1, 2])
def test_the_kernel_plays_and_learns_as_torch_does(size: str, threads: int, monkeypatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    made = net(size, GAIN, TONE)
    x, knobs = 0.3 * torch.randn(3, made.reach + 2500), torch.rand(3, 2)
    weight, found = torch.randn(3, 2500), {}
    for way in (lambda: made(x, knobs), lambda: by_torch(made, x, knobs)):
        made.zero_grad()
        y = way()
        (y * weight).sum().backward()
        here = {n: p.grad for n, p in made.named_parameters() if p.grad is not None}
        for name, grad in found.pop("gradients", {}).items():
            want = here.get(name, torch.zeros_like(grad))  # the last layer's 1x1 leads nowhere
            assert (grad - want).abs().max() <= 1e-4 * want.abs().max() + 1e-6, name
        if "y" in found:
            assert (found["y"] - y).abs().max() <= 1e-5 * y.abs().max()
        found = {"y": y.detach(), "gradients": {n: g.clone() for n, g in here.items()}}
    with torch.no_grad():  # another length, and room that is used again
        for n in (100, 2500):
            part = x[:, : made.reach + n]
            assert torch.allclose(made(part, knobs), by_torch(made, part, knobs), atol=1e-5)


def streamed(player: object, controls: dict[int, float] | None = None) -> Array:
    for at, value in (controls or {}).items():
        player.controls[0, at] = value  # type: ignore[attr-defined]
    blocks = X.reshape(-1, 1, 1, 64)
    return np.concatenate([player.step(b).ravel() for b in blocks])  # type: ignore[attr-defined]


@pytest.mark.parametrize("size", list(SIZES))
def test_the_player_plays_the_written_file_as_torch_does(size: str, tmp_path: Path) -> None:
    made = net(size)
    write_nam(made.capture({"loudness": -20.0}), tmp_path / "x.nam")
    player = make_player(Variant("", read_capture(tmp_path / "x.nam")), "x", 1, 64)
    got, want = streamed(player)[made.reach :], expected(made)[made.reach :]
    assert np.std(want) > 0.01 and null_db(got, want) <= -100


def test_the_reference_library_plays_the_written_file_as_torch_does(tmp_path: Path) -> None:
    from ...nam.library import a1, forward  # skips where the library is not installed

    made = net("feather")
    write_nam(made.capture({"name": "x"}), tmp_path / "x.nam")
    written = json.loads((tmp_path / "x.nam").read_text())
    theirs = a1(SIZES["feather"])
    taken = theirs._net.import_weights(torch.tensor(written["weights"]))
    assert taken in (None, len(written["weights"]))
    got, want = forward(theirs, X)[made.reach :], expected(made)[made.reach :]
    assert null_db(got, want) <= -100


def test_knobs_turn_the_model_as_they_turn_the_network(tmp_path: Path) -> None:
    made = net("nano", GAIN, TONE)
    path = tmp_path / "two.onnx"
    path.write_bytes(to_onnx(Variant("", made.capture({"loudness": -20.0})), "two")[1])
    assert all(check.passed for check in verify(path))
    model = open_capture(Variant("", read_model(path)), "two", 1, 64)
    names = [c.name for c in model.card.controls]
    assert names[:4] == ["input_db", "match", "gain", "tone"]
    sounds = []
    for values in ((5.0, 0.0), (2.0, -1.0), (8.0, 0.5)):
        model.reset()
        got = streamed(model, {2: values[0], 3: values[1]})[made.reach :]
        want = expected(made, values)[made.reach :]
        assert null_db(got, want) <= -100
        write_nam(made.capture({}, values), tmp_path / "x.nam")
        plain = make_player(Variant("", read_capture(tmp_path / "x.nam")), "x", 1, 64)
        assert null_db(streamed(plain)[made.reach :], want) <= -100
        sounds.append(want)
    assert null_db(sounds[0], sounds[1]) > -20  # they do something


def test_a_knob_covers_its_range_evenly_in_powers_of_two() -> None:
    assert [turned(GAIN, v) for v in (2, 5, 8)] == pytest.approx([0, 2**0.5 - 1, 1])


GOOD = {"name": "gain", "low": 0, "high": 10, "default": 5}


@pytest.mark.parametrize(
    ("knobs", "said"),
    [
        ([], "1..8"),
        ("gain", "must be a list"),
        ([1], "must be an object"),
        ([{**GOOD, "name": "match"}], "cannot be a knob's name"),
        ([{**GOOD, "name": "../x"}], "cannot be a knob's name"),
        ([{**GOOD, "low": 10}], "low < high"),
        ([{**GOOD, "default": 11}], "low < high"),
        ([{**GOOD, "high": float("nan")}], "needs the numbers"),
        ([{**GOOD, "high": "10"}], "needs the numbers"),
        ([GOOD, GOOD], "one name"),
    ],
)
def test_knobs_that_are_none_are_refused(knobs: object, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        read_knobs({KNOBS: knobs})


def test_knobs_that_the_layers_do_not_hear_are_refused() -> None:
    data = net("nano").capture({})
    text = {"version": data.version, "architecture": "WaveNet", "weights": data.weights.tolist()}
    capture = parse_capture(json.dumps({**text, "config": {**data.config, KNOBS: [GOOD]}}))
    with pytest.raises(ModelError, match="condition_size 1 but the condition has 2"):
        to_onnx(Variant("", capture), "x")

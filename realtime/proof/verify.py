"""Run a model file's proof again: card, test vector, streaming = offline, causality, latency.

Nothing is believed: each check runs the file and compares with what its card declares.  The
reference is ``onnxruntime.InferenceSession``, which sees the whole signal in one call.
"""

from __future__ import annotations

from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..dsp.fft import twiddles
from ..dsp.stft import analyse, synthesise
from ..dsp.windows import asymmetric_windows
from ..errors import ModelError, RestyleError
from ..models.card import KINDS, Spectrum
from ..models.load import open_model, plays_in_kernel
from ..models.nam.convert import null_db
from ..models.streaming import (
    StreamingModel,
    load_model,
    paired_output,
    relative_error,
)
from ..models.streaming import answers as streamed
from ..stages.model import model_path
from .checks import Check, endless, hard_signals, possible_notes, probabilities, prompt, repeats
from .impulse import answer, typical
from .players import answers, quiet, struck

Array = npt.NDArray[np.float32]
STREAM_TOLERANCE = 1e-5  # relative to the peak
VECTOR_TOLERANCE = 1e-4
STEPS = 48
OWN = {  # checks of models that convert nothing, or play themselves
    "tagger": (probabilities, prompt),
    "generator": (endless, repeats),
    "ear": (possible_notes, prompt),
    "player": (quiet, answers),
}
GROWN = 1e5  # times as loud as what came in: nothing that is stable
KERNEL_DB = -90.0  # two float32 sums in different order, on any inner levels


def verify(path: str | Path) -> list[Check]:
    """Check a model file; the first entry fails when it cannot be loaded at all."""
    checks: list[Check] = []
    try:
        model = load_model(path, kinds=KINDS)
    except RestyleError as error:
        return [Check("loads", False, str(error))]
    try:
        card, extra = model.card, _extra(model, Path(path))
        checks.append(
            Check(
                "loads",
                True,
                f"card {card.format_version}, {card.domain}, {_played_by(model, bool(extra))}",
            )
        )
        expected, got = model.run_test_vector()
        off = relative_error(got, expected)
        checks.append(Check("test vector", off <= VECTOR_TOLERANCE, f"relative error {off:.1e}"))
        own = OWN.get(card.kind, (_silence, _latency))
        also = (_silence,) if card.kind == "player" else ()
        for check in (_streaming, _rewind, _causality, *also, *own, *extra):
            try:
                checks.append(check(model, Path(path)))
            except RestyleError as problem:
                checks.append(Check(check.__name__.strip("_"), False, str(problem)))
    finally:
        model.close()
    return checks


def _played_by(model: StreamingModel, in_kernel: bool) -> str:
    if in_kernel:
        return "the kernel of captures plays it"
    return "a tape plays it" if model.on_tape else f"ONNX Runtime plays it ({model.off_tape})"


def _noise(model: StreamingModel, steps: int, seed: int = 0) -> Array:
    shape = (steps, *model.card.step_shape(model.channels))
    if model.card.kind == "player":
        return struck(model.card, steps, seed)
    if model.card.kind == "generator":
        return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)
    scale = 0.1 if model.card.spectrum is None else 1.0
    return (scale * np.random.default_rng(seed).standard_normal(shape)).astype(np.float32)


def _offline(model: StreamingModel, path: Path, x: Array) -> Array:
    """One run over all steps at once from the initial state, by the reference session."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1  # more of them wait for each other at small steps, spinning
    session = onnxruntime.InferenceSession(
        path.read_bytes(), options, providers=["CPUExecutionProvider"]
    )
    time_axis = 2
    whole = np.concatenate(list(x), axis=time_axis)
    feed = {"x": whole, **model.initial_states()}
    if model.card.controls:
        feed["controls"] = model.controls
    steps = next(i.shape for i in session.get_inputs() if i.name == "x")[time_axis]
    if model.card.one_hop or steps == x.shape[1 + time_axis]:  # a graph of one step
        return _one_by_one(session, feed, x)
    try:
        result = session.run(["y"], feed)[0]
    except Exception as error:
        raise ModelError(
            f"the graph does not take several steps at once: {str(error).splitlines()[0][:120]}"
        ) from None
    return np.stack(np.split(result, len(x), axis=time_axis))


def _one_by_one(session: Any, feed: dict[str, Array], x: Array) -> Array:
    names = [o.name for o in session.get_outputs()]
    states = [k for k in feed if k.startswith("state_")]
    wanted = ["y", *(str(paired_output(k, names)) for k in states)]
    found = []
    for frame in x:
        y, *new = session.run(wanted, {**feed, "x": frame})
        feed = {**feed, **dict(zip(states, new, strict=True))}
        found.append(y)
    return np.stack(found)


def _steps(model: StreamingModel) -> int:
    """What decides a few times in a second must be looked at for longer."""
    return 12 * STEPS if model.card.one_hop else STEPS


def _streaming(model: StreamingModel, path: Path) -> Check:
    steps = _steps(model)
    x = _noise(model, steps)
    model.reset()
    streamed = np.stack([model.step(f) for f in x])
    rng = np.random.default_rng(1)
    cuts = np.unique(np.r_[0, rng.integers(1, steps, 6), steps])
    error = relative_error(streamed, _offline(model, path, x))
    for start, end in zip(cuts[:-1], cuts[1:], strict=True):
        if start == 0:
            error = max(error, relative_error(streamed[:end], _offline(model, path, x[:end])))
    return Check(
        "streaming = offline",
        error <= STREAM_TOLERANCE,
        f"relative error {error:.1e}, {steps} steps",
    )


def _rewind(model: StreamingModel, path: Path) -> Check:
    x = _noise(model, 12, seed=2)
    model.reset()
    for frame in x[:6]:
        model.step(frame)
    saved = model.snapshot()
    first = [model.step(f) for f in x[6:]]
    model.restore(saved)
    again = [model.step(f) for f in x[6:]]
    same = all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    return Check("rewind", same, "all state is explicit" if same else "hidden state was found")


def _causality(model: StreamingModel, path: Path) -> Check:
    x = _noise(model, _steps(model), seed=3)
    other = x.copy()
    change = len(x) // 2
    other[change:] += 0.1 if model.card.kind != "player" else -other[change:]  # it plays no DC
    a, b = _offline(model, path, x), _offline(model, path, other)
    before = relative_error(b[:change], a[:change])
    after = relative_error(b[change:], a[change:])
    good = before <= 1e-6 and after > 1e-6
    return Check("causality", good, f"past changed by {before:.1e}, present by {after:.1e}")


def _silence(model: StreamingModel, path: Path) -> Check:
    """Silence, a full-scale square and noise must give finite, bounded output."""
    played = model_path(model)
    raw_peak = 0.0
    for signal in hard_signals(model.card.hop_length * 96):
        played.reset()
        y = played.process_hops(signal[None])
        raw_peak = max(raw_peak, float(np.abs(y).max()))
    clean = played.counters()["resets"] == 0 and raw_peak <= 1.0
    x = _noise(model, 96, seed=4)
    model.reset()
    grown = float(np.abs(streamed(model, x)).max() / np.abs(x).max())
    if not grown <= GROWN:
        return Check("bounded", False, f"noise comes out {grown:.0e} times as loud and grows")
    return Check("bounded", clean, f"silence, full-scale square, noise: peak {raw_peak:.3f}")


def _latency(model: StreamingModel, path: Path) -> Check:
    """Measure the delay by impulse, not by reading the card.

    Waveform models: the first output sample an impulse changes, or where that is earlier than is
    declared, the one that most impulses change most.  Spectrum models: the delay of the
    STFT geometry (frames returned as they came), plus by how many frames the network itself lags.
    """
    card, hop = model.card, model.card.hop_length
    if card.spectrum is None:
        found, most = answer(partial(_played, model), hop)
        text = f"first sample changed by an impulse after {found}, declared {card.latency}"
        if found < card.latency:  # frames overlap: what is before an impulse changes a little, too
            found = typical(partial(_played, model), hop, most)
            text = (
                f"most changed by an impulse is the sample after {found}, declared {card.latency}"
            )
        return Check("latency", found == card.latency, text)
    identity = _transform_delay(card.spectrum, hop)
    lag = _frame_lag(model)
    found = identity + lag * hop
    text = (
        f"transform {identity} + network {lag} frame(s) = {found} samples, declared {card.latency}"
    )
    return Check("latency", found == card.latency, text)


def _played(model: StreamingModel, x: Array) -> Array:
    """A sound ``[hops, hop]`` from the initial state."""
    model.reset()
    return np.stack([model.step(block).ravel() for block in x[:, None, None]])


def _extra(model: StreamingModel, path: Path) -> tuple[Any, ...]:
    return (_kernel,) if model.card.kind == "converter" and plays_in_kernel(path) else ()


def _kernel(model: StreamingModel, path: Path) -> Check:
    """The kernel that plays a capture or a small network, against the graph."""
    x = _noise(model, STEPS, seed=8)
    model.reset()
    with closing(open_model(path, 1, model.card.hop_length)) as player:
        pairs = [(player.step(f), model.step(f)) for f in x]
    got, expected = (np.stack(side) for side in zip(*pairs, strict=True))
    error = null_db(got, expected)
    return Check("kernel = graph", error <= KERNEL_DB, f"null {error:.1f} dB")


def _transform_delay(geometry: Spectrum, hop: int) -> int:
    """Delay of an impulse through analysis and synthesis, frames returned as they came."""
    n_fft, n = geometry.n_fft, 40 * hop
    analysis, synthesis = asymmetric_windows(n_fft, geometry.synthesis_length, hop, geometry.fall)
    history, ola = np.zeros(n_fft, np.float32), np.zeros(geometry.synthesis_length, np.float32)
    re, im = np.zeros((2, geometry.n_bins), np.float32)
    frame, work = np.zeros(n_fft, np.float32), np.zeros((4, n_fft // 2), np.float32)
    table = twiddles(n_fft)
    x, y, at = np.zeros(n, np.float32), np.zeros(n, np.float32), 5 * hop + hop // 3
    x[at] = 1.0
    for start in range(0, n, hop):
        analyse(x[start : start + hop], history, analysis, re, im, frame, work, table)
        synthesise(re, im, ola, synthesis, y[start : start + hop], frame, work, table)
    return int(np.argmax(np.abs(y))) - at


def _frame_lag(model: StreamingModel) -> int:
    """Frames by which the network's output envelope trails its input's (least squares)."""
    frames = 240
    rng = np.random.default_rng(6)
    envelope = np.repeat(rng.uniform(0.02, 1.0, frames // 6), 6)
    x = _noise(model, frames, seed=7) * envelope[:, None, None, None, None].astype(np.float32)
    model.reset()
    y = np.stack([model.step(f) for f in x])

    def onset(a: Array) -> npt.NDArray[np.float64]:
        level = np.log10(np.square(a, dtype=np.float64).sum(axis=(1, 2, 3, 4)) + 1e-9)
        rise: npt.NDArray[Any] = np.diff(level)
        return rise - rise.mean()

    source, result = onset(x), onset(y)
    scores = [float(source[: len(source) - k] @ result[k:]) for k in range(8)]
    return int(np.argmax(scores))

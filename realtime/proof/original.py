"""A graph of another make run as its maker runs it, to hold what was made of it against it.

The reference is ``onnxruntime.InferenceSession`` on the original files, one frame after the other,
between numpy's Fourier transforms in float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ModelError
from ..models.card import KINDS
from ..models.foreign.description import Description, Graph
from ..models.foreign.seal import bursts
from ..models.foreign.wrap import windows
from ..models.streaming import StreamingModel, relative_error

TOLERANCE = 1e-4  # relative to the peak; transforms in float32 on one side, in float64 on the other
STEPS = 48


class Original:
    """The originals, run frame by frame; for proofs, not for audio.

    Parameters
    ----------
    files : sequence of bytes
    description : Description
    """

    def __init__(self, files: Sequence[bytes], description: Description) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = 1
        self.description = d = description
        self._sessions = [
            onnxruntime.InferenceSession(f, options, providers=["CPUExecutionProvider"])
            for f in files
        ]
        length = d.transform.length if d.transform else d.hop_length
        self._heard, self._sum = np.zeros(length), np.zeros(length)
        self._states: list[dict[str, Any]] = [{} for _ in files]

    def step(self, samples: npt.NDArray[Any], knobs: Sequence[float] = ()) -> npt.NDArray[Any]:
        """What follows on the next hop: samples ``[hop]``, or probabilities ``[labels]``."""
        d, hop = self.description, self.description.hop_length
        self._heard = np.concatenate([self._heard[hop:], samples])
        window, back, sums = windows(d.transform, hop) if d.transform else (np.ones(hop),) * 3
        sound: npt.NDArray[Any] = self._heard * window
        spectral = False
        if d.graph[0].takes == "samples":
            sound = samples
        for number, graph in enumerate(d.graph):
            if graph.takes in ("spectrum", "magnitude") and not spectral:
                sound, spectral = np.fft.rfft(sound), True
            elif graph.takes == "frame" and spectral:
                sound, spectral = np.fft.irfft(sound), False
            found = self._run(number, graph, sound, knobs)
            if graph.gives == "mask":
                sound = sound * found.ravel()
            elif graph.gives == "spectrum":
                rows = found.reshape(-1, 2).T if found.shape[-1] == 2 else found.reshape(2, -1)
                sound, spectral = rows[0] + 1j * rows[1], True
            else:
                sound = found.ravel()
        if spectral:
            sound = np.fft.irfft(sound)
        if d.graph[-1].gives in ("samples", "labels"):
            return sound
        self._sum = np.concatenate([self._sum[hop:], np.zeros(hop)]) + sound * back
        return np.asarray(self._sum[:hop] / sums)

    def _run(
        self, number: int, graph: Graph, sound: npt.NDArray[Any], knobs: Sequence[float]
    ) -> npt.NDArray[Any]:
        session, states = self._sessions[number], self._states[number]
        given = np.abs(sound) if graph.takes == "magnitude" else sound
        if graph.takes == "spectrum":
            given = np.stack([sound.real, sound.imag])
        values = {c.input: v for c, v in zip(self.description.control, knobs, strict=False)}
        values |= graph.constants
        feed: dict[str, Any] = {}
        for i in session.get_inputs():
            shape = [n if isinstance(n, int) else 1 for n in i.shape]
            kind = {"tensor(int64)": np.int64, "tensor(int32)": np.int32, "tensor(bool)": np.bool_,
                    "tensor(double)": np.float64}.get(i.type, np.float32)  # fmt: skip
            if i.name == graph.input:
                if given.size != np.prod(shape):
                    shape[-1] = -1
                if graph.takes == "spectrum" and shape[-1] == 2:
                    given = given.T
                feed[i.name] = given.reshape(shape).astype(kind)
            elif i.name in graph.states:
                feed[i.name] = states.get(i.name, np.zeros(shape, kind))
            elif i.name in values:
                feed[i.name] = np.full(shape, values[i.name], kind)
        found, *new = session.run([graph.output, *graph.states.values()], feed)
        states.update(zip(graph.states, new, strict=True))
        return np.asarray(found)


def prove_against(files: Sequence[bytes], description: Description, model: bytes) -> float:
    """Largest difference of a model from its originals, relative to the peak.

    Raises
    ------
    ModelError
        It is more than :data:`TOLERANCE`, or the originals do not run.
    """
    made = StreamingModel(model, 1, description.name, KINDS)
    try:
        x = bursts(made.card, STEPS, seed=4)
        knobs = [c.default for c in made.card.controls]
        made.reset()
        got = np.stack([made.step(step).ravel() for step in x])
    finally:
        made.close()
    try:
        original = Original(files, description)
        expected = np.stack([original.step(step.ravel(), knobs) for step in x])
    except Exception as error:  # ONNX Runtime has many kinds, all of the graph
        reason = str(error).splitlines()[:1]
        raise ModelError(f"the original does not run: {''.join(reason)[:160]}") from None
    worst = relative_error(got, expected)
    if not worst <= TOLERANCE:
        raise ModelError(
            f"the model differs from its original by {worst:.1g} (allowed {TOLERANCE:g});"
            " does the card say what the graph takes and gives?"
        )
    return worst

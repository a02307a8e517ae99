"""A network of another make becomes a proven model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ...errors import ModelError
from ...parameters.parameter import Parameter
from ..card import Card
from ..nam.convert import model_name
from ..nam.limits import plain_text
from ..streaming import StreamingModel, relative_error
from .layers import Network, Recurrent, run
from .seal import bursts, seal

HOP = 64
SETTLING = 0.5  # [s] of silence before it begins, as plug-ins give it
IMPORTED = "imported"  # in a card's provenance: of what make the original is
PROOF = 1e-4  # largest error against float64, relative to the peak; high gain doubles it often
STEPS = 48
OWN_SKIPPED = 1024  # samples of a file's own batch in which states settle
_LICENCES = ("license", "licence")
_WORDS = ("name", "author", "source", "style", "based", "dataset", "esr", "date", "url")


def make_card(network: Network, name: str) -> Card:
    """The card of a network; what its file does not state is ``unknown``."""
    m = network.metadata
    said = {k: plain_text(m[k])[:200] for k in _WORDS if isinstance(m.get(k), str | int | float)}
    licence = next((plain_text(m[k]) for k in _LICENCES if m.get(k)), "unknown")
    words = [said.get("style", ""), said.get("based", ""), f"from a file of {network.make}"]
    if "author" in said:
        words.append(f"by {said['author']}")
    kinds = [layer.kind for layer in network.layers if isinstance(layer, Recurrent)]
    weights = sum(
        int(np.size(value))
        for layer in network.layers
        for value in vars(layer).values()
        if isinstance(value, np.ndarray)
    )
    return Card(
        name=model_name(name),
        title=said.get("name") or plain_text(name),
        summary=" ".join(w for w in words if w),
        domain="waveform",
        sample_rate=network.sample_rate,
        hop_length=HOP,
        latency=0,
        licence=licence[:200],
        controls=tuple(Parameter(f"knob_{i}", 0.0, 1.0, 0.5) for i in range(1, network.inputs)),
        provenance={
            **said,
            IMPORTED: network.make,
            "architecture": " + ".join(kinds) or "convolutions",
            "weights": weights,
        },
    )


def to_onnx(network: Network, name: str) -> tuple[Card, bytes]:
    """Write a network as a streaming ``.onnx`` that proves itself.

    Raises
    ------
    ModelError
        It cannot be built, or its proof fails.
    """
    from .graph import write_graph  # onnx is for writing; playing does without

    graph, states = write_graph(network)
    card = replace(make_card(network, name), states=states)
    card = replace(card, proof={"reference": "float64", **_prove(network, card, graph)})
    return card, seal(graph, card, settling=SETTLING)


def _prove(network: Network, card: Card, graph: bytes) -> dict[str, Any]:
    """Stream from zeros, knobs at rest and anywhere, against the layers in float64."""
    file = seal(graph, card)
    model = StreamingModel(file, 1, card.name)
    worst = 0.0
    try:
        for k in range(2 if card.controls else 1):
            x = bursts(card, STEPS, seed=7 + k)
            if k:
                model.controls[0] = np.random.default_rng(k).uniform(0, 1, len(card.controls))
            model.reset()
            got = np.concatenate([model.step(step).ravel() for step in x])
            knobs = [float(v) for v in model.controls[0]]
            expected = run(network, x.ravel().astype(np.float64), knobs, {})
            worst = max(worst, relative_error(got, expected))
    finally:
        model.close()
    if not worst <= PROOF:
        raise ModelError(
            f"the graph misses the layers in float64 by {worst:.1g} (allowed {PROOF:g})"
        )
    return {"streaming_error": float(f"{worst:.2g}"), "steps": STEPS}

"""The export gate: a checkpoint becomes one ``.onnx`` file that proves itself, or nothing.

The file is written under a temporary name, loaded again by the player's own loader, streamed over
random partitions against torch offline, and takes its final name only if every check passes.
"""

from __future__ import annotations

import json
import logging
import subprocess
import tempfile
import warnings
from dataclasses import replace
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxscript
import torch
from torch import Tensor

from realtime.audio_files import whole_file
from realtime.errors import ConfigError, ModelError
from realtime.models.card import CARD_KEY, KINDS, STATE_KEY, TEST_KEY, Card
from realtime.models.metadata import pack_array, write_metadata
from realtime.models.streaming import load_model
from realtime.models.strip import stripped
from realtime.proof.players import struck
from realtime.proof.verify import verify

from ..data.pairs import PairSet
from ..fit import run as fit
from ..judging.distances import evaluate
from ..judging.results import kept
from ..networks.layers import Streamable
from ..networks.weights import fingerprint
from ..recipes.base import Recipe
from .listener import heard

TOLERANCE = 1e-5  # streaming against torch offline, relative to the louder of input and output
VECTOR_STEPS = 12
PROOF_STEPS = 200
SILENT_STEPS = 400
EXPORTED = Path("exported")


def to_onnx(recipe: Recipe, network: Streamable) -> bytes:
    """Trace a network with dynamic batch and, where it takes more than a hop, time axes.

    Raises
    ------
    ModelError
        The graph lost a state (a state that is not an explicit argument vanishes silently).
    """
    network = network.eval()
    x = recipe.example(1 if network.hop_by_hop else 3)
    auto = torch.export.Dim.AUTO
    axes_of_x = {0: auto} if network.hop_by_hop else {0: auto, 2: auto}
    states = [s + 0.0 for s in network.initial_state(2)]
    card = recipe.card(network, {}, {})
    controls = [default_controls(card)] if card.controls else []
    axes: list[dict[int, Any]] = [{} for _ in controls] + [{0: auto} for _ in states]
    names = [*("controls" for _ in controls), *(f"state_{s.name}" for s in card.states)]
    rest = next(
        n for n, p in signature(network.forward).parameters.items() if p.kind == p.VAR_POSITIONAL
    )
    # it tells every time that torchvision, which nobody here needs, is not installed
    logging.getLogger("torch.onnx._internal.exporter._registration").setLevel(logging.ERROR)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        program = torch.export.export(
            network,
            (x, *controls, *states),
            dynamic_shapes={"x": axes_of_x, rest: tuple(axes)},
            strict=False,
        )
        exported = torch.onnx.export(
            program,
            (),
            dynamo=True,
            external_data=False,
            verbose=False,
            input_names=["x", *names],
            output_names=["y", *(f"state_{s.name}_out" for s in card.states)],
        )
    if exported is None:
        raise ModelError("the exporter returned nothing")
    model = exported.model_proto
    found = [i.name for i in model.graph.input]
    if found != ["x", *names]:
        raise ModelError(f"the exported graph has inputs {found}: a state was lost")
    onnx.checker.check_model(model)
    return stripped(model.SerializeToString())


def default_controls(card: Card) -> Tensor:
    """The controls' defaults ``[1, n_controls]``."""
    return torch.tensor([[c.default for c in card.controls]], dtype=torch.float32)


def settled(recipe: Recipe, network: Streamable) -> list[Tensor]:
    """States after silence: from zeros a network would begin with a thump of its biases."""
    silence = torch.zeros_like(recipe.example(SILENT_STEPS))[:1]
    return network.settled_state(silence, default_controls(recipe.card(network, {}, {})))


def _offline(
    network: Streamable, steps: npt.NDArray[np.float32], states: list[Tensor], controls: Tensor
) -> Tensor:
    """Torch on all steps at once, from `states` ``[steps, 1, ...] -> [steps, 1, ...]``."""
    with torch.no_grad():
        whole = torch.cat(list(torch.from_numpy(steps)), dim=2)
        y = network.offline(whole, states, controls)
    return torch.stack(torch.chunk(y, len(steps), dim=2))


def _stepwise(
    network: Streamable, steps: npt.NDArray[np.float32], states: list[Tensor], controls: Tensor
) -> Tensor:
    """Torch one step at a time, handing the states on; differs where memory is hidden."""
    out = []
    with torch.no_grad():
        for step in torch.from_numpy(steps):
            y, states = network.step(step, states, controls)
            out.append(y)
    return torch.stack(out)


def _signal(recipe: Recipe, card: Card, steps: int, seed: int) -> npt.NDArray[np.float32]:
    """Noise bursts, then silence, then noise: one array of steps ``[steps, *step_shape(1)]``."""
    rng = np.random.default_rng(seed)
    if card.kind == "player":
        return struck(card, steps, seed)
    if card.kind == "generator":
        return rng.uniform(-1, 1, (steps, *card.step_shape(1))).astype(np.float32)
    level = np.where(np.arange(steps) % 8 < 5, 1.0, 0.0) * rng.uniform(0.05, 0.6, steps)
    shape = card.step_shape(1)
    x = rng.standard_normal((steps, *shape)) * level.reshape(-1, *[1] * len(shape))
    return np.asarray(x * (1.0 if card.spectrum is None else 8.0), dtype=np.float32)


def seal(
    recipe: Recipe,
    network: Streamable,
    card: Card,
    graph: bytes,
    states: list[Tensor] | None = None,
) -> bytes:
    """Put card, test vector and settled states (`states`, where they are known) into the file."""
    x = _signal(recipe, card, VECTOR_STEPS, seed=11)
    states = settled(recipe, network) if states is None else states
    y = _offline(network, x, states, default_controls(card)).numpy()
    vector = {"steps": VECTOR_STEPS, "x": pack_array(x), "y": pack_array(y)}
    entries = {CARD_KEY: card.to_json(), TEST_KEY: json.dumps(vector)}
    for state, value in zip(card.states, states, strict=True):
        entries[STATE_KEY + state.name] = pack_array(value[0].numpy())
    return write_metadata(graph, entries)


def prove(
    recipe: Recipe, network: Streamable, file: bytes, states: list[Tensor], seed: int = 12
) -> dict[str, Any]:
    """Stream the file through the player, controls anywhere, and compare with torch offline.

    `states` are the settled ones that it begins with.

    Raises
    ------
    ModelError
        The difference is above :data:`TOLERANCE`.
    """
    model = load_model(file, kinds=KINDS)
    try:
        steps = PROOF_STEPS * {"generator": 10, "player": 3}.get(
            model.card.kind, 1
        )  # seldom decide
        x = _signal(recipe, model.card, steps, seed)
        model.reset()
        low, high = ([getattr(c, k) for c in model.card.controls] for k in ("minimum", "maximum"))
        model.controls[0] = np.random.default_rng(seed).uniform(low, high)
        controls = torch.from_numpy(model.controls.copy())
        got = np.stack([model.step(step) for step in x])
        expected = _offline(network, x, states, controls).numpy()
        peak = max(float(np.abs(expected).max()), float(np.abs(x).max()), 1e-6)
        stepwise = _stepwise(network, x, states, controls).numpy()
        error = max(float(np.abs(y - expected).max()) for y in (got, stepwise)) / peak
    finally:
        model.close()
    if not error <= TOLERANCE:
        raise ModelError(
            f"the exported '{recipe.name}' streams with a relative error of {error:.2g} against"
            f" torch offline (allowed {TOLERANCE:g}); nothing was written"
        )
    return {
        "streaming_error": float(f"{error:.2g}"),
        "steps": steps,
        "seed": seed,
        "reference": f"torch {torch.__version__} offline",
    }


def export(
    recipe: Recipe,
    network: Streamable,
    card: Card,
    target: Path,
    *,
    held: bool = False,
    graph: bytes | None = None,
) -> Path:
    """Write `target` if the model passes every check of the gate and of ``restyle verify``.

    The listener's proof goes into the card, and with `held` all its bounds must hold.  `graph` is
    the network by :func:`to_onnx`, where that was done already.

    Raises
    ------
    ModelError
        A check failed; nothing is left behind.
    ConfigError
        A listener's bound is broken.
    """
    graph = to_onnx(recipe, network) if graph is None else graph
    states = settled(recipe, network)
    proof = card.proof | prove(recipe, network, seal(recipe, network, card, graph, states), states)
    with tempfile.TemporaryDirectory() as folder:
        sealed = Path(folder) / target.name
        sealed.write_bytes(seal(recipe, network, replace(card, proof=proof), graph, states))
        checks = verify(sealed)
        proof["verify"] = {c.name: c.found for c in checks}
        bad = [f"{c.name} ({c.found})" for c in checks if not c.passed]
        if bad:
            raise ModelError(f"the exported '{recipe.name}' fails: {'; '.join(bad)}")
        proof = heard(sealed, replace(card, proof=proof), held)
    with whole_file(target) as partial:
        partial.write_bytes(seal(recipe, network, replace(card, proof=proof), graph, states))
    return target


def trial(recipe: Recipe, network: Streamable, folder: Path, graph: bytes | None = None) -> Path:
    """The network as a file in `folder` that is only to be judged: no proof, no figures."""
    file = folder / f"{recipe.name}.onnx"
    graph = to_onnx(recipe, network) if graph is None else graph
    file.write_bytes(seal(recipe, network, recipe.card(network, {}, {}), graph))
    return file


def revision() -> str:
    """Git revision of the recipe, or ``unknown``."""
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"


def tools() -> str:
    """Versions of what made the file."""
    return (
        f"torch {torch.__version__}, onnx {onnx.__version__}, onnxscript {onnxscript.__version__}"
    )


def metrics(recipe: Recipe, network: Streamable, data: PairSet) -> dict[str, Any]:
    """What ``restyle train evaluate`` found for these weights, or at least the distances."""
    try:
        return kept(recipe, fingerprint(network))
    except ConfigError:
        return evaluate(recipe, network, data)


def export_recipe(recipe: Recipe) -> Path:
    """Evaluate and export the best checkpoint of a recipe into ``exported/``."""
    network, checkpoint = fit.load(recipe)
    data = recipe.data()
    provenance = {
        "data": recipe.sources(),
        "limits": recipe.limits,
        "recordings": len(data.manifest()),
        "recipe": f"{type(recipe).__module__.replace('.', '/')}.py",
        "seed": checkpoint["schedule"]["seed"],
        "steps": checkpoint["step"],
        "cpu_minutes": round(checkpoint["cpu_minutes"], 1),
        **({"device": checkpoint["device"]} if "device" in checkpoint else {}),  # instead of a CPU
        "revision": revision(),
        "parameters": sum(p.numel() for p in network.parameters()),
        "tools": tools(),
    }
    card = recipe.card(network, metrics(recipe, network, data), provenance)
    return export(recipe, network, card, EXPORTED / f"{recipe.name}.onnx", held=True)

"""The same network, hop by hop, the way each peer runs it; rounds take turns."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.measures import stages
from benchmarks.rig.child import ChildError, run_child
from realtime.models.load import open_model

from ..rig.worker import Worker
from .cost import WARM_UP, WAYS, Section
from .plan import Plan
from .rounds import Rounds, ratio, rotated
from .yardstick import Yardstick

OWN = "restyle"
ON_NETWORKS = ("onnxruntime InferenceSession", "torch eager", "TorchScript")


def note_peer(peers: list[dict[str, Any]], name: str, remark: str) -> None:
    """Say something about a peer in the list."""
    for row in peers:
        if row["name"] == name:
            row["remark"] = remark


def _available(peers: list[dict[str, Any]]) -> set[str]:
    return {row["name"] for row in peers if row["installed"]}


def _start(
    models: list[tuple[str, Path]],
    chosen: list[str],
    peers: list[dict[str, Any]],
    stack: ExitStack,
    tell: Callable[[str], None],
) -> dict[tuple[str, str], Worker]:
    """One process for each peer, all of them prepared at the same time."""
    started = {}
    for peer in [*chosen, *({"pedalboard"} & _available(peers))]:
        wanted = models[:1] if peer == "pedalboard" else models
        job = {"peer": peer, "models": {name: str(path) for name, path in wanted}}
        started[peer] = (stack.enter_context(Worker("benchmarks.rig.peers.steps", job)), wanted)
    tell(f"starting {len(started)} processes of peers")
    ready = {}
    for peer, (worker, wanted) in started.items():
        try:
            worker.wait_ready()
            ready.update({(name, peer): worker for name, _ in wanted})
        except ChildError as error:
            note_peer(peers, peer, f"could not be measured: {error}")
    return ready


def peers_section(
    models: list[tuple[str, Path]],
    peers: list[dict[str, Any]],
    plan: Plan,
    tell: Callable[[str], None],
) -> Section:
    """One row for each model and peer: restyle's network step beside theirs."""
    found, reference, rows = Rounds(), Yardstick(), list[dict[str, Any]]()
    chosen = [n for n in ON_NETWORKS if n in _available(peers)]
    with ExitStack() as stack:
        workers = _start(models, chosen, peers, stack, tell)
        opened = {name: open_model(path) for name, path in models}
        keys = [(name, OWN) for name, _ in models] + list(workers)
        for r in range(plan.rounds):
            tell(f"peers, round {r + 1} of {plan.rounds}")
            reference.begin_round()
            for key in rotated(keys, r * max(1, len(keys) // plan.rounds)):
                for way in WAYS:
                    if key in workers:
                        wish = {"model": key[0], "seconds": plan.peer_s, "paced": way == "paced"}
                        found.add((*key, way), workers[key].ask(wish))
                    else:
                        times = stages.sample(
                            opened[key[0]], plan.peer_s, paced=way == "paced", warm_up=WARM_UP
                        )
                        found.add((*key, way), times[:, stages.MODEL])
                reference.measure()
        for model in opened.values():
            model.close()
    for name, _ in models:
        card = opened[name].card
        own = found.figure((name, OWN, "paced"))
        for peer in (OWN, *ON_NETWORKS, "pedalboard"):
            if (name, peer, "paced") not in found:
                continue
            paced = found.figure((name, peer, "paced"))
            rows.append(
                {
                    "model": name if peer != "pedalboard" else "four effects, no network",
                    "peer": peer,
                    "hop": card.hop_length,
                    "hop_ms": round(1000.0 * card.hop_length / card.sample_rate, 3),
                    "hot_us": found.figure((name, peer, "hot")),
                    "paced_us": paced,
                    "against_restyle": None if peer == "pedalboard" else ratio(paced, own),
                }
            )
    return {"reference": reference.figures(), "rows": rows, "notes": []}


def look_for_devices(peers: list[dict[str, Any]]) -> None:
    """Whether pedalboard's own stream could be opened here."""
    if "pedalboard" in _available(peers):
        try:
            note_peer(peers, "pedalboard", run_child("benchmarks.rig.peers.devices", {})["remark"])
        except ChildError as error:
            note_peer(peers, "pedalboard", f"its AudioStream cannot be asked: {error}")

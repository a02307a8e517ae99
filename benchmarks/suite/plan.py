"""How much a run measures: ``--quick`` in under two minutes, ``--full`` in under twenty."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """Sizes of the sections of one run; seconds are of sound or of the clock, as named.

    Attributes
    ----------
    rounds : int
        Of everything that takes turns.
    timer_wakes : int
        Per round, one a millisecond.
    hot_s, paced_s : float
        Sound per model and round.
    blocks : tuple of int
        Device blocks of the latency table [samples].
    round_trip_blocks : tuple of int
        Those that also go through PortAudio.
    glitch_s, glitch_rounds, loads
        Of the table of missed callbacks.
    peer_s : float
        Sound per peer, model and round, paced.
    captures : tuple of str
        Shapes of the NAM table, see :data:`benchmarks.rig.captures.SHAPES`.
    render_s : float
        Sound rendered per model and round.
    warm_starts, cold_starts : int
        Per model; cold ones of the first model alone.
    memory_s : float
        Sound per model, in virtual time.
    limit_s : float
        What the whole run may take; what would not fit any more is left out, and said.
    most_models : int
        Of the start-up, memory and round-trip tables, which cost seconds a model.
    """

    name: str
    rounds: int
    timer_wakes: int
    hot_s: float
    paced_s: float
    blocks: tuple[int, ...]
    round_trip_blocks: tuple[int, ...]
    glitch_s: float
    glitch_rounds: int
    loads: tuple[str, ...]
    peer_s: float
    captures: tuple[str, ...]
    capture_s: float
    render_s: float
    cold_starts: int
    warm_starts: int
    memory_s: float
    most_models: int
    limit_s: float


QUICK = Plan(
    name="quick", rounds=3, timer_wakes=1000, hot_s=0.5, paced_s=0.4,
    blocks=(64,), round_trip_blocks=(64,),
    glitch_s=0.8, glitch_rounds=1, loads=("gil",),
    peer_s=0.3, captures=("A1 standard",), capture_s=0.4, render_s=1.0,
    cold_starts=1, warm_starts=3, memory_s=10.0, most_models=2, limit_s=120.0,
)  # fmt: skip
FULL = Plan(
    name="full", rounds=7, timer_wakes=4000, hot_s=4.0, paced_s=2.0,
    blocks=(64, 128, 256), round_trip_blocks=(64, 128, 256),
    glitch_s=3.0, glitch_rounds=2, loads=("none", "gil", "gc", "cpu"),
    peer_s=1.5, captures=("A1 standard", "A1 nano", "A2 full", "A2 lite"), capture_s=1.0,
    render_s=5.0, cold_starts=1, warm_starts=4, memory_s=90.0, most_models=99, limit_s=1200.0,
)  # fmt: skip
PLANS = {plan.name: plan for plan in (QUICK, FULL)}

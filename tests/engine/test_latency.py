from __future__ import annotations

import pytest

from realtime.engine.latency import LatencyBudget, LatencyPart, adapter_latency
from realtime.errors import ConfigError


def shortage(hop: int, block: int) -> int:
    """Largest number of samples the converter is behind, by counting callbacks."""
    worst = made = due = taken = 0
    for _ in range(hop + 1):
        taken += block
        due += block
        made = taken // hop * hop
        worst = max(worst, due - made)
    return worst


@pytest.mark.parametrize("hop", [1, 2, 7, 32, 64, 100, 128])
def test_prefill_is_the_least_that_never_runs_dry(hop: int) -> None:
    for block in range(1, 3 * hop + 2):
        assert adapter_latency(hop, block) == shortage(hop, block)


@pytest.mark.parametrize("hop", [1, 2, 7, 32])
def test_prefill_for_varying_sizes_is_the_worst_of_all_sizes(hop: int) -> None:
    worst = max(shortage(hop, block) for block in range(1, 3 * hop))
    assert adapter_latency(hop, None) == worst


@pytest.mark.parametrize(("hop", "block"), [(0, 1), (-1, None), (64, 0), (64, -3)])
def test_sizes_below_one_are_refused(hop: int, block: int | None) -> None:
    with pytest.raises(ConfigError, match="at least 1 sample"):
        adapter_latency(hop, block)


def test_a_budget_adds_its_parts_by_kind() -> None:
    budget = LatencyBudget(
        48000,
        (
            LatencyPart("device input", 64, "device"),
            LatencyPart("block adapter", 28, "buffering"),
            LatencyPart("model", 128, "algorithmic"),
            LatencyPart("device output", 100, "device"),
        ),
    )
    assert (budget.declared, budget.total(), budget.total("device")) == (156, 320, 164)
    data = budget.to_dict()
    assert data["declared_samples"] == 156
    assert data["total_ms"] == pytest.approx(1000 * 320 / 48000, abs=1e-4)

"""A small share of the siege: hostile files by every way in, while a session plays on JACK."""

from __future__ import annotations

import pytest

from benchmarks.measures.siege import WAYS, apart
from benchmarks.rig.jack import unavailable


def test_hostile_offers_by_every_way_change_no_sample_and_restart_nothing() -> None:
    if (missing := unavailable()) is not None:
        pytest.skip(missing)
    ways, (session, _) = apart(offers=4, seed=3)
    assert {r["what"]: r["offers"] for r in ways} == dict.fromkeys(WAYS, 1)
    assert all(r["verdict"] == "ok" for r in (*ways, session)), (ways, session)
    assert session["seconds"] > session["left_out"] and session["silent"] == 0

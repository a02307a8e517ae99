"""How often an engine looks up by itself."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from realtime.host import engine_process
from realtime.host.engine_process import CALM_SECONDS, IDLE_SECONDS, Server


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    now = SimpleNamespace(time=100.0)
    monkeypatch.setattr(engine_process, "time", SimpleNamespace(monotonic=lambda: now.time))
    return now


def server(plugin: Any, calls: dict[str, int]) -> Server:
    made = Server.__new__(Server)
    made.plugin, made._calls, made._called = plugin, -1, 0.0
    made.session = SimpleNamespace(  # type: ignore[assignment]
        stream=SimpleNamespace(memory=SimpleNamespace(record=calls))
    )
    return made


def test_an_engine_rests_while_its_daw_brings_nothing(clock: SimpleNamespace) -> None:
    """With sixty plug-ins in a project, what each looks at for nothing adds up."""
    calls = {"callbacks": 0}
    engine = server(object(), calls)
    assert engine._pause(0.02) == 0.02
    clock.time += 0.9
    assert engine._pause(0.02) == 0.02  # it may be between two blocks
    clock.time += 0.2
    assert engine._pause(0.02) == CALM_SECONDS
    calls["callbacks"] += 1
    assert engine._pause(0.02) == 0.02


def test_an_engine_of_a_card_never_rests_and_one_that_stands_by_does(
    clock: SimpleNamespace,
) -> None:
    """A card that has stopped calling is told of soon."""
    engine = server(None, {"callbacks": 7})
    for _ in range(3):
        assert engine._pause(0.02) == 0.02
        clock.time += 10.0
    engine.session = None
    assert engine._pause(0.02) == IDLE_SECONDS

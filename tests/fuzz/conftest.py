"""How much is tried: a share that is always the same with the tests, more by ``make fuzz``.

``RESTYLE_FUZZ`` is the number of examples of each format, which are then drawn at random, while an
engine plays beside them where there is JACK.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from benchmarks.rig import jack
from benchmarks.rig.sounds import one_model
from realtime.host.host import Host
from realtime.models.catalog import find_model
from realtime.session.sound import Device, Setup

from .ledger import HANG_SECONDS, ROWS

MANY = int(os.environ.get("RESTYLE_FUZZ", 0))
PERIOD = 256
PLAYED: dict[str, int] = {}
FUZZ_PROFILE = "fuzz"
settings.register_profile(
    FUZZ_PROFILE,
    max_examples=MANY or 25,
    derandomize=not MANY,
    deadline=None,
    database=None,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="session", autouse=bool(MANY))
def engine() -> Iterator[None]:
    """An engine that plays on a JACK server meanwhile, and a bare copy beside it.

    What the copy misses, which has no model and is offered nothing, the machine lost.
    """
    if jack.unavailable() is not None:
        yield
        return
    card = Device(input="system JACK", output="system JACK", clocks="one", preferred_rate=48_000)
    with jack.dummy_server(PERIOD) as environment, pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        with (
            Host(Setup(device=card), standby=False) as bare,
            Host(Setup(one_model(find_model("tape")), card)) as host,
        ):
            host.wait(5.0)
            before = [h.stats()["callbacks_missed"] for h in (host, bare)]
            yield
            found = [h.stats() for h in (host, bare)]
            PLAYED["callbacks"] = found[0]["callbacks_seen"]
            PLAYED["missed"] = found[0]["callbacks_missed"] - before[0]
            PLAYED["bare"] = found[1]["callbacks_missed"] - before[1]
            PLAYED["restarts"] = found[0]["restarts"]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The table of what was tried."""
    if not MANY:
        return
    say = terminalreporter.write_line
    say("")
    say("| format | inputs | refused | longest s (processor) | hangs | helper's MiB above idle |")
    say("|---|---|---|---|---|---|")
    for name, row in ROWS.items():
        memory = f"{row.memory / 2**20:.0f}" if row.memory else "0"
        say(
            f"| {name} | {row.inputs} | {row.refused or '–'} | {row.longest:.2f} | {row.hangs} |"
            f" {memory} |"
        )
    failed = len(terminalreporter.stats.get("failed", ()))
    said = f"{sum(r.inputs for r in ROWS.values())} inputs; tests that failed (a traceback, a file"
    say(f"{said} left, a long message): {failed}; a hang is more than {HANG_SECONDS:.0f} s.")
    if PLAYED:
        say(
            f"An engine played meanwhile on JACK's dummy server ({PERIOD} samples):"
            f" {PLAYED['callbacks']} callbacks, {PLAYED['missed']} missed (a bare copy beside it:"
            f" {PLAYED['bare']}), {PLAYED['restarts']} restarts."
        )

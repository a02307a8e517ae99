"""A signal at any moment of a command's start is one line and exit code 2."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator

import pytest
import typer

from realtime import cli
from realtime.commands import mount


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(n) for n in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.parametrize("inside", [True, False])
def test_a_signal_ends_in_one_line(
    name: str,
    inside: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    app = typer.Typer()

    @app.command()
    def command() -> None:
        signal.raise_signal(getattr(signal, name))  # where Typer answers an interrupt by itself

    def command_line(word: str | None) -> typer.core.TyperCommand:
        if not inside:
            signal.raise_signal(getattr(signal, name))
        return typer.main.get_command(app)  # type: ignore[return-value]

    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # as where no nohup is
    monkeypatch.setattr(mount, "command_line", command_line)
    monkeypatch.setattr(sys, "argv", ["restyle"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 2
    assert capsys.readouterr().err.strip() == "restyle: interrupted"

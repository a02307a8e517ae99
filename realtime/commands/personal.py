"""``restyle personalise`` and ``restyle like``: the work is the trainer's, which needs torch."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from ..controllers.osc_packet import decode, encode
from ..errors import ConfigError, ControlError
from ..presets.chains import read_chain
from ..presets.files import save_preset
from ..presets.format import Preset
from ..session.sound import Sound, Stage
from .common import trainer

OutOption = Annotated[Path, typer.Option(help="The model to write, NAME.onnx.")]
ThreadsOption = Annotated[int, typer.Option(help="CPU threads.")]
OwnerOption = Annotated[str | None, typer.Option(help="Whose recordings they are, for the card.")]
LicenceOption = Annotated[
    str, typer.Option(help="Of the recordings: SPDX, or own-recording; for the card.")
]
ANSWER = 10.0  # seconds until a running restyle must have answered


def personalise(
    base: Annotated[str, typer.Option(help="A converter, by name or file.")],
    out: OutOption,
    audio: Annotated[
        Path | None,
        typer.Option(help="Folder with folders dry and wet; with --mine: of the target alone."),
    ] = None,
    pairs: Annotated[
        tuple[Path, Path] | None, typer.Option(help="Folders DRY WET, paired by file name.")
    ] = None,
    mine: Annotated[
        Path | None, typer.Option(help="Dry playing, where --audio holds the target alone.")
    ] = None,
    owner: OwnerOption = None,
    licence: LicenceOption = "own-recording",
    minutes: Annotated[float, typer.Option(help="In all.")] = 6.0,
    threads: ThreadsOption = 1,
) -> None:
    """Bend a model to three minutes of your own recordings."""
    run, origin = trainer("train.own.run"), _origin(owner, licence)
    timing: dict[str, Any] = {"origin": origin, "minutes": minutes, "threads": threads}
    if mine is not None:
        if audio is None or pairs is not None:
            raise ConfigError("--mine goes with --audio FOLDER and without --pairs")
        done = trainer("train.like.target_alone").fit_unpaired(audio, mine, base, out, **timing)
        typer.echo(f"wrote {done}; play it: restyle live --model {done}")
        return
    if pairs is None and audio is None:
        raise ConfigError("name recordings: --pairs DRY WET, or --audio FOLDER")
    if pairs is None:
        pairs = run.inside(audio)
    elif audio is not None:
        dry, wet = (place if place.exists() else audio / place for place in pairs)
        pairs = dry, wet
    done = run.personalise(*pairs, base, out, **timing)
    typer.echo(
        f"wrote {done.path} after {done.seconds / 60:.1f} minutes"
        f" ({done.cpu_seconds / 60:.1f} of CPU); play it: restyle live --model {done.path}"
    )


def like(
    reference: Annotated[Path, typer.Argument(help="A recording of the sound, or a folder.")],
    mine: Annotated[Path, typer.Option(help="Your dry playing, a file or a folder.")],
    out: OutOption,
    owner: OwnerOption = None,
    licence: LicenceOption = "own-recording",
    minutes: Annotated[float, typer.Option(help="In all.")] = 5.0,
    osc: Annotated[
        str | None, typer.Option(help="HOST:PORT of a running restyle, to play it at once.")
    ] = None,
    threads: ThreadsOption = 1,
    seed: Annotated[int, typer.Option(help="Of the search.")] = 1,
) -> None:
    """Make your playing sound like a record: a chain of effects, and a model taught by it."""
    target = _target(osc) if osc is not None else None
    run = trainer("train.like.run")
    origin = _origin(owner, licence)
    result = run.like(
        reference, mine, out, origin=origin, minutes=minutes, threads=threads, seed=seed
    )
    page = trainer("train.like.report")
    typer.echo(trainer("train.like.judge").table(result.rows))
    typer.echo(page.verdict(result))
    typer.echo(f"report: {result.files['report']}")
    for command in page.commands(result, out):
        typer.echo(f"play: {command}")
    if target is not None and result.offer != "nothing":
        typer.echo(_swap(target, result, out.stem))
    if "model" not in result.files:
        raise run.NotCloser(f"no model was written; see {result.files['report']}")


def _origin(owner: str | None, licence: str) -> Any:
    made = trainer("train.own.keep").Origin
    return made(licence=licence) if owner is None else made(owner, licence)


def _target(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ConfigError(f"--osc is HOST:PORT, e.g. 127.0.0.1:9000, got '{text}'")
    return host, int(port)


def _swap(target: tuple[str, int], result: Any, name: str) -> str:
    """Keep model and effects as a preset and have the running restyle load it.

    Raises
    ------
    ControlError
        It refused; files and preset stay.
    """
    model = result.files.get("model")
    chain = result.files.get("around" if model is not None else "chain")
    played = None if model is None else Stage(model=str(model.resolve()))
    if chain is not None:
        stages = read_chain(chain, played)
    else:
        stages = () if played is None else (played,)
    made = Preset(name, "made by restyle like", Sound(stages))
    save_preset(name, made, replace_old=True)
    return swap(target, name)


def swap(target: tuple[str, int], preset: str, patience: float = ANSWER) -> str:
    """Ask a running restyle for a preset by OSC; returns what happened, in words.

    Raises
    ------
    ControlError
        It refused, with its own sentence.
    """
    where = f"{target[0]}:{target[1]}"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as port:
        port.settimeout(0.25)
        try:
            port.connect(target)
            port.send(encode("/restyle/preset", [preset]))
        except OSError as error:
            raise ControlError(f"cannot reach {where}: {error.strerror or error}") from None
        end = time.monotonic() + patience
        while time.monotonic() < end:
            try:
                port.send(encode("/restyle/status"))
                for address, arguments in decode(port.recv(4096)):
                    if address == "/restyle/error":
                        raise ControlError(f"the restyle at {where} refused: {arguments[0]}")
                    if address == "/restyle/status" and arguments[1] == preset:
                        return f"now playing at {where}: {preset}"
            except TimeoutError:
                continue
            except OSError:
                break
            time.sleep(0.1)
    return f"no answer from {where}; the preset '{preset}' is kept: restyle live --preset {preset}"

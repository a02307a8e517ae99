"""A graph in restyle's own form, and its card: the states are read off the graph."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ...errors import CardError, ModelError
from ..card import Card, State
from ..nam.limits import shown
from ..strip import stripped
from .wrap import read_graph

PREFIX = "state_"


def graph_and_card(data: bytes, name: str, card: Card) -> tuple[bytes, Card]:
    """The graph without what it says of its maker's machine, and the card with its states.

    Parameters
    ----------
    data : bytes
        A graph as docs/model-format.md has it, without metadata.
    name : str
        Of the file.
    card : Card
        Its states are passed over.

    Raises
    ------
    ModelError, CardError
        The graph cannot be read, or has another form.
    """
    try:
        return _read(data, name, card)
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        raise ModelError(f"{name}: the graph is malformed ({shown(error)})") from None


def _read(data: bytes, name: str, card: Card) -> tuple[bytes, Card]:
    graph = read_graph(data, name).graph
    kept = {i.name for i in graph.initializer}
    inputs = {i.name: i for i in graph.input if i.name not in kept}
    expected = {"x", *(["controls"] if card.controls else [])}
    strange = sorted(n for n in inputs if n not in expected and not n.startswith(PREFIX))
    if strange or not expected <= set(inputs):
        raise CardError(
            f"{name} has the inputs {', '.join(sorted(inputs))}; expected"
            f" {', '.join(sorted(expected))} and states called state_NAME, or a card with [[graph]]"
            " that says what they are: see docs/import.md"
        )
    for tensor, value in inputs.items():
        first = next(iter(value.type.tensor_type.shape.dim), None)
        if tensor != "controls" and first is not None and first.dim_value:
            raise CardError(
                f"{name}: the first axis of '{tensor}', that of channels, is fixed at"
                f" {first.dim_value}; export it open (dynamic_axes), or write a card with"
                " [[graph]], which plays a fixed graph once for each channel: see docs/import.md"
            )
    states = tuple(_state(n, i, name) for n, i in inputs.items() if n.startswith(PREFIX))
    return stripped(data), replace(card, states=states)


def _state(name: str, value: Any, file: str) -> State:
    shape = tuple(int(d.dim_value) for d in value.type.tensor_type.shape.dim)[1:]
    if not shape or not all(shape):
        raise CardError(
            f"{file}: the state '{name}' has an axis without a number after its first, which is"
            " that of channels; export it with a fixed shape"
        )
    return State(name.removeprefix(PREFIX), shape)

"""Bodies of requests and messages, as types: checked and described from the same text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta

from ..errors import ControlError
from ..session.sound import Decibels

BINARY = "application/octet-stream"  # the media type of a file that is sent
Text = Annotated[str, Meta(max_length=4096)]
Whole = Annotated[int, Meta(ge=-(1 << 31), le=1 << 31)]
ChannelNumbers = Annotated[
    tuple[Annotated[int, Meta(ge=0, le=1024)], ...], Meta(min_length=1, max_length=1024)
]
Numbers = Annotated[dict[str, float], Meta(max_length=1024)]


class NotFound(ControlError):
    """What a path names is not there: 404."""


class Conflict(ControlError):
    """It cannot be done as things stand: 409."""


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A JSON object; this one has no keys."""


class Model(Body, frozen=True):
    """`name` is as GET /api/models lists it; null takes the first model out."""

    name: Text | None


class Values(Body, frozen=True):
    """Parameters by name."""

    values: Numbers


class Weights(Body, frozen=True):
    """Weights of one stage that blends; those not named become 0; scaled to sum to 1."""

    weights: Numbers


class Flag(Body, frozen=True):
    """On or off."""

    on: bool


class Gain(Body, frozen=True):
    """Of the monitor [dB]."""

    gain_db: Decibels


class Replacement(Body, frozen=True):
    """`stage` is a table as in a preset's ``[[stage]]``."""

    stage: dict[str, Any]


class Insertion(Body, frozen=True):
    """Where: before the stage at `index` (from 0; null for the end) of the path or of a group.

    `group` is the id of a group, 0 for the path; `branch` counts from 1.
    """

    stage: dict[str, Any]
    index: Whole | None = None
    group: Whole = 0
    branch: Whole = 1


class Place(Body, frozen=True):
    """`index` is the new place in the stage's own list, from 0."""

    index: Whole


class Upload(NamedTuple):
    """A file that was sent, in a folder that is gone once the request is answered."""

    path: Path


class Keep(Body, frozen=True):
    """`replace` says whether a preset of that name may be replaced."""

    note: Text = ""
    replace: bool = False


class Yes(Body, frozen=True):
    """`trust` is the word that came with 409 and the list of what a preset asks for: yes to it."""

    trust: Text = ""


class Cards(Body, frozen=True):
    """Names or indices of devices, null for the system's own; `block` in samples.

    `inputs` and `outputs` are the device's channels, from 1 (0 for none), that are heard and played
    on; null for the first ones.
    """

    input: Text | Whole | None = None
    output: Text | Whole | None = None
    block: Whole | None = None
    inputs: ChannelNumbers | None = None
    outputs: ChannelNumbers | None = None


class Record(Body, frozen=True):
    """`dry` records what comes in, too; `format` is flac or wav."""

    dry: bool = False
    format: Text = "flac"


class Learn(Body, frozen=True):
    """What the controller will do: exactly one is given; an action is one of the API's."""

    parameter: Text | None = None
    preset: Text | None = None
    scene: Text | Whole | None = None
    action: Text | None = None


class Channels(Body, frozen=True):
    """MIDI channels (1..16) that are listened to; all where the list is empty."""

    channels: Annotated[tuple[Whole, ...], Meta(max_length=16)] = ()


class ListOfPresets(Body, frozen=True):
    """`name` is as GET /api/setlists lists it; null lets go of the setlist there is."""

    name: Text | None


class Compared(Body, frozen=True):
    """`preset` is what the sound that plays is compared with; null turns to the other one."""

    preset: Text | None = None

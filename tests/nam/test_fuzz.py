"""Thousands of damaged captures, always the same ones: each plays or is refused in a sentence."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from realtime.errors import ModelError
from realtime.models.nam.build import variants
from realtime.models.nam.convert import make_player, pack_capture, unpack_capture
from realtime.models.nam.file import read_capture

from .core.kinds import kinds

DOCUMENTS = [json.loads(v) for k, v in kinds().items() if "document" not in k and "mark" not in k
             and "space" not in k and "deep" not in k]  # fmt: skip
VALUES: list[Any] = [
    None, True, False, 0, 1, 2, 3, -1, 0.5, 2.0, 16, 4097, 2**31, 2**64, 10**400, 1e300, -1e300,
    1e-320, float("nan"), float("inf"), "", "x", "Tanh", "48000", "gated", "blended", "\ud800",
    "\x1b[2J", [], [1], [1, 2], [None], ["a"], [[1]], {}, {"active": True}, {"active": "false"},
    {"type": "PReLU", "negative_slopes": []}, {"type": None}, {"model": None},
]  # fmt: skip
NAMES = (
    "activation", "active", "architecture", "batchnorm", "bias", "bottleneck", "condition_dsp",
    "config", "conv_pre_film", "dilations", "gated", "gating_mode", "groups", "groups_input",
    "head", "head1x1", "head_dilation", "head_size", "hidden_size", "in_channels", "kernel_size",
    "kernel_sizes", "layer1x1", "layer1x1_post_film", "layers", "max_value", "metadata",
    "negative_slope", "out_channels", "sample_rate", "secondary_activation", "shift", "slimmable",
    "submodels", "version", "weights",
)  # fmt: skip


def containers(value: Any) -> Iterator[Any]:
    """Every object and every short list of a document."""
    if isinstance(value, dict) or (isinstance(value, list) and len(value) < 12):
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from containers(inner)


def damaged(rng: random.Random) -> Any:
    """A document with one or two things changed, put in, doubled or taken out."""
    data = copy.deepcopy(rng.choice(DOCUMENTS))
    for _ in range(rng.choice((1, 1, 2))):
        place = rng.choice(list(containers(data)))
        value = copy.deepcopy(rng.choice([*VALUES, *DOCUMENTS[:3]]))
        if isinstance(place, list):
            if place and rng.random() < 0.6:
                place[rng.randrange(len(place))] = value
            elif place and rng.random() < 0.5:
                place.append(place.pop(rng.randrange(len(place))))
                place.append(copy.deepcopy(place[0]))
            else:
                place.append(value)
        elif place and rng.random() < 0.3:
            place.pop(rng.choice(list(place)))
        else:
            place[rng.choice([*place, *NAMES])] = value
    return data


def play(path: Path) -> bool:
    """Read, play and pack every size; False where it is refused in one sentence."""
    try:
        for variant in variants(read_capture(path)):
            player = make_player(variant, "x", 1, 16)
            player.step(np.ones((1, 1, 16), dtype=np.float32))
            json.loads(player.card.to_json()), player.card.title.encode()
            unpack_capture(pack_capture(variant.capture))
    except ModelError as error:
        text = str(error)
        assert text.isprintable() and 10 < len(text) < 300 and text.encode()
        return False
    return True


@pytest.mark.parametrize("seed", range(4))
def test_damaged_documents(seed: int, tmp_path: Path) -> None:
    rng, path, played = random.Random(seed), tmp_path / "x.nam", 0
    for _ in range(750):
        path.write_text(json.dumps(damaged(rng)))
        played += play(path)
    assert 100 < played < 700


def test_damaged_bytes(tmp_path: Path) -> None:
    rng, path, played = random.Random(5), tmp_path / "x.nam", 0
    whole = list(kinds().values())
    for _ in range(1000):
        data = bytearray(rng.choice(whole))
        for _ in range(rng.choice((1, 2, 8))):
            at = rng.randrange(len(data))
            part = bytes(
                rng.choice(b'"{}[],:.-+eE09\\\x00\xff\xc3 ') for _ in range(rng.choice((0, 1, 3)))
            )
            data[at : at + rng.choice((0, 1, 50))] = part
        path.write_bytes(data[: rng.choice((len(data), len(data), rng.randrange(len(data) + 1)))])
        played += play(path)
    assert 10 < played < 900


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":', '"\\"', "[" * 99 + "1,"])
def test_documents_of_nothing_but_depth(opening: str, tmp_path: Path) -> None:
    path = tmp_path / "x.nam"
    path.write_text(opening * 20_000)
    assert not play(path)

from __future__ import annotations

import numpy as np
import pytest

from realtime.errors import ConfigError
from realtime.stream.maps import engine_channels, heard_columns, played_channels


def test_a_map_says_how_many_channels_the_engine_has() -> None:
    assert engine_channels(None, None) is None
    assert engine_channels(2, None) == 2
    assert engine_channels(None, (4,)) == 1
    assert engine_channels(None, (4, -1)) == 2


def test_without_maps_each_has_its_own_or_the_last() -> None:
    assert heard_columns(None, 2, 1).tolist() == [0, 0]
    assert heard_columns(None, 2, 8).tolist() == [0, 1]
    assert played_channels(None, 1, 2).tolist() == [0, 0]
    assert played_channels(None, 2, 4).tolist() == [0, 1, 1, 1]


def test_maps_name_the_cards_channels() -> None:
    assert heard_columns((4,), 1, 8).tolist() == [4]
    assert heard_columns((1, -1), 2, 2).tolist() == [1, -1]
    assert played_channels((6, 7), 1, 8).tolist() == [-1] * 6 + [0, 0]  # mono on both
    assert played_channels((7, 6), 2, 8).tolist() == [-1] * 6 + [1, 0]
    assert played_channels((-1, 0), 2, 2).tolist() == [1, -1]


@pytest.mark.parametrize(
    ("make", "given", "says"),
    [
        (
            heard_columns,
            ((2,), 1, 2),
            "names channel 3; the device has 2 channels, numbered from 1",
        ),
        (heard_columns, ((0,), 1, 0), "names channel 1; the device has 0 channels"),
        (heard_columns, ((0,), 2, 2), "names 1 channel, and the engine has 2"),
        (played_channels, ((0, 0), 2, 2), "names channel 1 twice"),
        (played_channels, ((0, 1, 2), 2, 4), "names 3 channels, and the engine has 2"),
        (played_channels, ((8,), 1, 8), "names channel 9; the device has 8 channels"),
    ],
)
def test_what_is_not_there_is_refused_in_numbers_from_1(make, given, says) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ConfigError, match=says):
        make(*given)


def test_a_map_is_memory_for_compiled_code() -> None:
    assert heard_columns((0,), 1, 1).dtype == np.int64

from __future__ import annotations

from typing import Any

import pytest

from realtime.errors import ConfigError, RestyleError
from realtime.session.config import StreamConfig


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"lane": "inlin"}, "did you mean 'inline'"),
        ({"mix": 1.5}, "mix must be within 0..1, got 1.5"),
        ({"mix": float("nan")}, "mix must be within"),
        ({"input_gain_db": 30}, "input_gain_db must be within"),
        ({"output_gain_db": float("-inf")}, "output_gain_db must be within"),
        ({"worker_blocks": 0}, "worker_blocks must be within"),
    ],
)
def test_values_out_of_range_are_refused_with_the_range(
    settings: dict[str, Any], says: str
) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        StreamConfig(**settings)
    assert isinstance(caught.value, RestyleError)


def test_gains_are_given_in_decibels() -> None:
    config = StreamConfig(input_gain_db=-20.0, output_gain_db=20.0)
    assert config.input_gain == pytest.approx(0.1)
    assert config.output_gain == pytest.approx(10.0)

"""How much is tried: a share that is always the same with the tests, more by ``make fuzz``.

``RESTYLE_FUZZ`` is the number of examples of each format, which are then drawn at random.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

MANY = int(os.environ.get("RESTYLE_FUZZ", 0))
settings.register_profile(
    "fuzz",
    max_examples=MANY or 25,
    derandomize=not MANY,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)

"""All native effects by name."""

from __future__ import annotations

from .delay import DELAY
from .dynamics import DYNAMICS
from .filters import FILTERS
from .ladder import LADDER
from .levels import LEVELS
from .modulation import MODULATION
from .reverb import REVERB

KINDS = {**LEVELS, **FILTERS, **LADDER, **DYNAMICS, **DELAY, **MODULATION, **REVERB}

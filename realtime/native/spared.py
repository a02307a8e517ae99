"""What a process that only plays is spared: SciPy, which Numba would import to look for a BLAS.

That takes as long as Numba itself, wherever SciPy is installed.  No kernel here multiplies
matrices, and where SciPy is missing they run as well.
"""

from __future__ import annotations

import sys


def without_scipy() -> None:
    """Have every import of SciPy fail in this process, as if it were not installed.

    To be called before the first kernel, and only where nobody else's code runs.
    """
    sys.modules.setdefault("scipy", None)  # type: ignore[arg-type]

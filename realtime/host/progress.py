"""That a change is not wanted any more."""

from __future__ import annotations

from ..errors import RestyleError


class Cancelled(RestyleError):
    """A change that was called off; nothing has changed."""

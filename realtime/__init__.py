"""restyle's host: live sound restyled by a streaming neural network, with declared latency.

Importing this package starts no thread, opens no device and pulls in neither torch nor
sounddevice.  Start reading at :mod:`realtime.engine`.
"""

from .cache import use_own_cache

__version__ = "0.1.0"

use_own_cache()

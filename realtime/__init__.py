"""restyle's host: live sound restyled by a streaming neural network, with declared latency.

Importing this package starts no thread, opens no device and pulls in neither torch nor
sounddevice.  Start reading at :mod:`realtime.engine.engine`.
"""

import os

from .native.cache import use_own_cache

__version__ = "0.1.0"

use_own_cache()

# ONNX Runtime's wheels report usage to their maker unless told otherwise before they are loaded;
# what is played here stays here.
for _variable in ("ORT_DISABLE_TELEMETRY", "ORT_TELEMETRY_DISABLED"):
    os.environ.setdefault(_variable, "1")

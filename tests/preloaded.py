"""What the process that engines are forked from has done beforehand, see :mod:`tests.forked`."""

from realtime.host import engine_process
from realtime.native.spared import without_scipy

without_scipy()
engine_process.stream_callback()

"""``restyle``: the entry point.  Errors meant for people are one sentence and exit code 2.

Everything heavy is imported inside :func:`main`, so that Ctrl-C ends even the start in one line.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
from typing import Any

from .errors import RestyleError, is_text, printable

UNWRITABLE = (errno.ENOSPC, errno.EIO, errno.EFBIG)
INTERRUPTED = 130  # Typer's own exit code, without a word


def main() -> None:
    """Run the ``restyle`` command with the arguments of the process."""
    asked: list[int] = []

    def interrupt(number: int, frame: Any) -> None:
        asked.append(number)
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)
    for name in ("SIGTERM", "SIGHUP"):  # a closed terminal ends it as Ctrl-C does, but for nohup
        if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) != signal.SIG_IGN:
            signal.signal(getattr(signal, name), interrupt)
    if bad := next((w for w in sys.argv[1:] if not is_text(w)), None):
        _fail(f"'{bad}' holds bytes that are no UTF-8; give the file another name")
    try:
        from .commands.mount import PLAYING, command_line
        from .native.spared import without_scipy

        word = next(iter(sys.argv[1:]), None)
        if word in PLAYING:
            without_scipy()
        command_line(word)(standalone_mode=True)
    except RestyleError as error:
        _fail(str(error))
    except KeyboardInterrupt:
        _fail("interrupted")
    except SystemExit as end:
        if asked and end.code == INTERRUPTED:
            _fail("interrupted")
        if (unsaid := _flushed()) is not None:
            _unwritable(unsaid)
        raise
    except Exception as error:
        if asked:  # an interrupt inside the compiler comes out as another error
            _fail("interrupted")
        if isinstance(error, OSError) and error.errno in UNWRITABLE:
            _unwritable(error)
        raise


def _flushed() -> OSError | None:
    """Write what was said; why it cannot be, if so, after which it is not tried again."""
    if sys.stdout is None:  # it was closed before the start
        return None
    try:
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return error
    return None


def _unwritable(error: OSError) -> None:
    """End in a sentence."""
    if error.errno == errno.EPIPE:  # whoever read has gone
        sys.exit(1)
    _fail(f"cannot write {error.filename or 'what there is to say'}: {error.strerror}")


def _fail(sentence: str) -> None:
    with contextlib.suppress(OSError, AttributeError, ValueError):  # standard error is closed
        sys.stderr.write(f"restyle: {printable(sentence)}\n")
    _flushed()
    sys.exit(2)


if __name__ == "__main__":
    main()

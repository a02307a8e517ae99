"""``restyle``: the entry point.  Errors meant for people are one sentence and exit code 2.

Everything heavy is imported inside :func:`main`, so that Ctrl-C ends even the start in one line.
"""

from __future__ import annotations

import signal
import sys
from typing import Any

from .errors import RestyleError, printable

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
    if bad := next((w for w in sys.argv[1:] if not _is_text(w)), None):
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
        raise
    except Exception:
        if not asked:  # an interrupt inside the compiler comes out as another error
            raise
        _fail("interrupted")


def _is_text(word: str) -> bool:
    try:
        word.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _fail(sentence: str) -> None:
    sys.stderr.write(f"restyle: {printable(sentence)}\n")
    sys.exit(2)


if __name__ == "__main__":
    main()

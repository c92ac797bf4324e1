"""``python -m clv_core COMMAND``, or ``clv COMMAND``: see :mod:`clv_core.cli`."""

import os
import signal
import sys
from io import TextIOWrapper
from typing import NoReturn

os.environ.setdefault("OMP_NUM_THREADS", "1")
"""Read by numpy and torch when they are imported: sums are the same on any machine, and no thread waits for another."""

handler = signal.getsignal(signal.SIGINT)
if handler is signal.default_int_handler:  # Ctrl-C during imports ends the process without a trace
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from clv_core.cli import main  # noqa: E402

signal.signal(signal.SIGINT, handler)


def run() -> NoReturn:
    """Run the command that this process was started with, and exit with its code."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed: its descriptor could be reused by another file
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
    if isinstance(sys.stdout, TextIOWrapper):  # JSON is UTF-8 whatever the terminal is
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    code = main(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:  # Python would flush again at exit, and fail
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    sys.exit(code)


if __name__ == "__main__":
    run()

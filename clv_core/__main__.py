"""``python -m clv_core COMMAND``: see :mod:`clv_core.cli`."""

import os
import signal
import sys
from io import TextIOWrapper

os.environ.setdefault("OMP_NUM_THREADS", "1")
"""Read by numpy and torch as they are imported: sums are the same on any machine, and nobody waits for a thread."""

heard = signal.getsignal(signal.SIGINT)
if heard is signal.default_int_handler:  # Ctrl-C while the modules are read ends it, without a trace of where it was
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from clv_core.cli import main  # noqa: E402

signal.signal(signal.SIGINT, heard)

if __name__ == "__main__":
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed: what is printed there would go to the other one
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
    if isinstance(sys.stdout, TextIOWrapper):  # JSON is UTF-8 whatever the terminal is; `\udcff` says what is no letter
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    code = main(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:  # Python would try once more as it ends, and complain
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    sys.exit(code)

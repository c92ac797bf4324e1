"""``python -m clv_core COMMAND``: see :mod:`clv_core.cli`."""

import os
import sys
from io import TextIOWrapper

os.environ.setdefault("OMP_NUM_THREADS", "1")
"""Read by numpy and torch as they are imported: sums are the same on any machine, and nobody waits for a thread."""

from clv_core.cli import main  # noqa: E402

if __name__ == "__main__":
    if isinstance(sys.stdout, TextIOWrapper):  # JSON is UTF-8 whatever the terminal is; `\udcff` says what is no letter
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    sys.exit(main(sys.argv[1:]))

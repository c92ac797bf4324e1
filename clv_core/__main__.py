"""``python -m clv_core COMMAND``: see :mod:`clv_core.cli`."""

import os
import sys

os.environ.setdefault("OMP_NUM_THREADS", "1")
"""Read by numpy and torch as they are imported: sums are the same on any machine, and nobody waits for a thread."""

from clv_core.cli import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""``python -m clv_core COMMAND``: see :mod:`clv_core.cli`."""

import sys

from clv_core.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

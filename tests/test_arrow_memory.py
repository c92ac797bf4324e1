"""Arrow takes its memory from the system: its own pool costs a first visit of a page a third more."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

ASK = "import clv_core, pyarrow; print(pyarrow.default_memory_pool().backend_name)"


@pytest.mark.parametrize(("wanted", "taken"), [(None, "system"), ("mimalloc", "mimalloc")])
def test_tables_lie_in_memory_of_the_system_unless_somebody_wants_another_pool(wanted: str | None, taken: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "ARROW_DEFAULT_MEMORY_POOL"}
    environment |= {} if wanted is None else {"ARROW_DEFAULT_MEMORY_POOL": wanted}
    found = subprocess.run(
        [sys.executable, "-c", ASK], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert found.stdout.strip() == taken

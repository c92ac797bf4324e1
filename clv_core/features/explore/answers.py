"""Answers about a whole log, kept in its cube's folder: they take seconds of a large log, and a start forgets them.

``answers/<hash of the query>.parquet``: the rows of a query, by its own words. The cube is of one version of a dataset
and never changes, so an answer is true as long as it is there; it goes with the cube.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from clv_core.disk import ignore_unwritable
from clv_core.features.explore.cube import RECORD
from clv_core.workspace import atomic_path

if TYPE_CHECKING:
    import pandas as pd

ANSWERS: Final = "answers"


def kept_answer(folder: Path, query: str, ask: Callable[[str], pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of a query, read where they are kept, asked for and kept where not.

    Args:
        folder: of the cube.
        query: over the relations of the whole cube.
        ask: returns the rows of a query.
    """
    import pandas as pd

    path = folder / ANSWERS / f"{hashlib.sha256(query.encode()).hexdigest()[:32]}.parquet"
    if path.is_file():
        return pd.read_parquet(path)
    found = ask(query)
    if (folder / RECORD).is_file():  # not of a cube that was removed in the meantime
        with ignore_unwritable(), atomic_path(path) as temporary:
            found.to_parquet(temporary, index=False)
    return found

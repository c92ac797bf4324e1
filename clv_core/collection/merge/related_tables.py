"""Several files of one log are stacked, one below the other; tables that belong side by side are to be joined first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from clv_core.collection.infer.answers import Answers
from clv_core.collection.inspect import inspect_file
from clv_core.collection.vocabulary.column_names import SURE_NAMES, fold
from clv_core.columns import CUSTOMER_ID, ORDER_ID, PRODUCT_ID
from clv_core.errors import ClvError, Refused

KEYS: Final = (ORDER_ID, CUSTOMER_ID, PRODUCT_ID)
"""What tables of a shop's database are joined on, the most telling first."""
LACKING: Final = (
    *("missing_column", "missing_columns", "which_amount", "no_amount", "mapped_column_missing"),
    *("customers_masked", "no_time_column"),
)
"""Codes of errors of a file that lacks what another table may hold."""


def refuse_tables(paths: Sequence[Path], error: ClvError, answers: Answers) -> None:
    """Refuse files of other columns that share ids, where one of them lacks what an event needs.

    Args:
        paths: the files that were to be read as one log.
        error: why one of them cannot be read.
        answers: what was said of all of them.

    Raises:
        Refused: they are tables to be joined.
    """
    if len(paths) < 2 or error.code not in LACKING:
        return
    seen = [inspect_file(path, header=answers.header, encoding=answers.encoding, sheet=answers.sheet) for path in paths]
    tables = [{fold(item.column): item.column for item in one.columns} for one in seen]
    lacking = next((at for at, path in enumerate(paths) if path.name == error.params.get("file")), 0)
    others = [at for at in range(len(paths)) if at != lacking and set(tables[at]) != set(tables[lacking])]
    for key in KEYS:
        for at in others:
            shared = [name for name in tables[lacking] if name in tables[at] and SURE_NAMES.get(name) == key]
            if shared:
                params = {"file": paths[lacking].name, "other": paths[at].name, "column": tables[lacking][shared[0]]}
                raise Refused("files_to_join", **params) from error

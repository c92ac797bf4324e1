"""Find customers by their id, also by its beginning."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from clv_core.errors import NotFound

MOST_HITS: Final = 20
MOST_CONTAINING: Final = 5


def find_customers(ids: pd.Series, text: str, most: int = MOST_HITS) -> list[str]:
    """Return the ids that a text means: the one that it is, else those that begin with it, upper and lower case alike.

    Args:
        ids: of all customers, text [n].
        text: what was typed; blanks around it do not count.
        most: hits at most, in the order of ``ids``.
    """
    wanted = text.strip()
    if not wanted:
        return []
    if (ids == wanted).any():
        return [wanted]
    begins = ids.str[: len(wanted)].str.lower() == wanted.lower()
    return [str(one) for one in ids[begins].head(most)]


def containing(ids: pd.Series, text: str) -> list[str]:
    """Return the first ids that hold a text anywhere (``10053`` is in ``0010053``), upper and lower case alike.

    Args:
        ids: of the customers who may be offered, text [n].
        text: what was typed; blanks around it do not count.
    """
    wanted = text.strip().lower()
    if not wanted:
        return []
    holds = ids.str.lower().str.contains(wanted, regex=False)
    return [str(one) for one in ids[holds].head(MOST_CONTAINING)]


def place_of(ids: pd.Series, customer: str, as_of: str) -> int:
    """Return the position of a customer among ``ids``.

    Raises:
        NotFound: there is none of that id; the error names ids that begin with it, where there are any.
    """
    places = np.flatnonzero((ids == customer).to_numpy())
    if len(places):
        return int(places[0])
    alike = find_customers(ids, customer, 5)
    if alike:
        raise NotFound("customer_unknown_like", customer=customer, cutoff=as_of, known=list(alike))
    raise NotFound("customer_unknown", customer=customer, cutoff=as_of)

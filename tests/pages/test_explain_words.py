"""What the explain page says of reasons follows from their signs and sizes."""

from __future__ import annotations

import pandas as pd
import pytest

from pages.ui.explain.closer import bars_message


@pytest.mark.parametrize(
    ("differences", "said"),
    [
        ((6.0, 4.0), "60%"),
        ((-6.0, -4.0), "60%"),
        ((-6.0, 5.0, 5.0, 4.0), None),  # works against a difference of 8
        ((6.0, -5.0), None),  # six times the whole
        ((6.0, -6.0), None),
    ],
)
def test_a_reason_that_works_against_a_difference_makes_no_share_of_it(
    differences: tuple[float, ...], said: str | None
) -> None:
    parts = ["anchor", "timing", "basket", "spend"][: len(differences)]
    rows = pd.DataFrame({"part": parts, "difference": differences})
    message = bars_message(rows, "Top value", "Low value")
    assert (f"makes {said} of the difference" in message) if said else "%" not in message

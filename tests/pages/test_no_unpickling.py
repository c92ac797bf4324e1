"""No page reads a pickle, which can run code: neither of a file nor of what is kept in memory."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pages.ui.navigation import BY_NAME
from tests.pages.conftest import OPEN

_read: list[str] | None = None


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if _read is not None and event == "pickle.find_class" and not _of_babel():
        _read.append(".".join(map(str, arguments)))


def _of_babel() -> bool:
    """Say whether Babel reads the languages that were installed with it."""
    frame = sys._getframe(2)
    return Path(frame.f_code.co_filename).parts[-2:] == ("babel", "localedata.py")


@pytest.fixture
def unpickled() -> Iterator[list[str]]:
    """Return the list that every reading of a pickle adds to while the test runs."""
    global _read
    sys.addaudithook(_audit)
    _read = []
    pickle.loads(pickle.dumps(date(2024, 1, 1)))
    assert set(_read) == {"datetime.date"}, "the hook hears what is read"
    _read.clear()
    yield _read
    _read = None


def test_no_page_unpickles_anything_the_first_time_or_again(
    open_page: OPEN, with_model: Path, unpickled: list[str]
) -> None:
    for page in [*BY_NAME, *BY_NAME]:
        open_page(with_model, page, dataset="shop")
        assert unpickled == [], page

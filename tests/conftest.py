"""What many tests need."""

import types
import warnings
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def lifetimes() -> Iterator[types.ModuleType]:
    """The lifetimes package, an implementation of BTYD that is not ours; importing it warns on pandas 3."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import lifetimes

        yield lifetimes

"""What can be said about a file, as a whole and as keywords of a call."""

from dataclasses import fields

from clv_core.collection.mapping.answers import Answers, Said


def test_all_that_can_be_said_can_be_said_in_a_call() -> None:
    assert list(Said.__annotations__) == [field.name for field in fields(Answers)]

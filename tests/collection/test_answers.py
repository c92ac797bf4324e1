"""What can be said about a file, as a whole and as keywords of a call."""

from dataclasses import fields

from clv_core.collection.answers import Answers, Said, named_anew


def test_all_that_can_be_said_can_be_said_in_a_call() -> None:
    assert list(Said.__annotations__) == [field.name for field in fields(Answers)]


def test_a_column_that_is_named_anew_is_no_longer_what_it_was() -> None:
    before = {"unit_price": "Price", "quantity": "pieces", "discount": ""}
    after = {"amount": "price", "quantity": "", "discount": ""}
    assert named_anew(before, {"amount": "price", "quantity": ""}) == after

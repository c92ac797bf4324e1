"""A metric is said in its unit, and what is nearly all or nearly nothing is not said to be all or nothing."""

from __future__ import annotations

from clv_core.evaluation.saying import say_metric


def test_a_share_that_is_not_whole_is_not_rounded_to_whole() -> None:
    wrong = 1 / 2500  # one customer of 2,500 did not come out as expected
    assert say_metric("accuracy", 1 - wrong) == "99.96%"
    assert say_metric("recall", wrong) == "0.04%"
    assert (say_metric("capture10", 1.0), say_metric("recall", 0.0)) == ("100.0%", "0.0%")
    assert (say_metric("bias", -0.2056), say_metric("gini", 0.6638), say_metric("mae", 8.87, "USD")) == (
        "−20.6%",
        "0.664",
        "8.87 USD",
    )

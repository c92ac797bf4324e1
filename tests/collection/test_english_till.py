"""A till that says by a type what a line was: a sale, one that was voided, or goods that came back."""

from __future__ import annotations

from pathlib import Path

import pytest

from clv_core.collection.ingest import ingest
from clv_core.workspace import Workspace

pytestmark = pytest.mark.first(2)

KINDS = ("Sale", "Sale", "Sale", "Void", "Return")


@pytest.mark.parametrize("card", ["Loyalty Card", "Membership No"])
def test_a_card_is_the_customer_and_what_was_voided_is_no_sale(tmp_path: Path, card: str) -> None:
    lines = [
        f"{at % 28 + 1:02}-Mar-2024,{at % 12 or 12:02}:05 PM,R{at:05},{KINDS[at % 5]},L-{at % 9:04},S1,{10 + at}.50"
        for at in range(60)
    ]
    file = tmp_path / "till.csv"
    file.write_text("\n".join([f"Date,Time,Receipt No,Type,{card},SKU,Amount", *lines]) + "\n")
    manifest = ingest(Workspace(tmp_path / "ws"), file, "till")
    assert manifest.mapping["customer_id"] == card and manifest.customers == 9
    sold, back = (sum(10.5 + at for at in range(60) if at % 5 in places) for places in ((0, 1, 2), (4,)))
    assert manifest.net_revenue == pytest.approx(sold - back)
    assert "Void" in next(item["params"]["types"] for item in manifest.warnings if "event_types" in item["code"])[0]

"""A marketplace's list of operations: sales and returns told by one word, a unit behind a comma in a column's name."""

from __future__ import annotations

from pathlib import Path

import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.stored.manifest import Manifest
from clv_core.collection.values.currency import in_name
from clv_core.errors import NeedsAnswer
from clv_core.workspace import Workspace

pytestmark = pytest.mark.first(2)

KINDS = {
    "Тип операции": ("продажа", "возврат"),
    "Line": ("Sale", "Return"),
    "Buchung": ("Verkauf", "Retoure"),
    "类型说明": ("销售", "退货"),
    "処理": ("売上", "返品"),
}


def operations(folder: Path, column: str, words: tuple[str, str], money: str = "Сумма, руб.") -> tuple[Path, int]:
    """Write 80 rows, every seventh of them a return, all with positive amounts; return the file and what is left."""
    lines, net = [f"Дата операции;{column};Номер отправления;ID покупателя;{money}"], 0
    for at in range(80):
        back = at % 7 == 3
        lines.append(f"{at % 28 + 1:02}.0{at % 9 + 1}.2024;{words[back]};N{at:05};{880 + at % 19};{1200 + at}")
        net += (1 - 2 * back) * (1200 + at)
    file = folder / "operations.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file, net


def read(folder: Path, file: Path, **said: dict[str, str]) -> Manifest:
    return ingest(Workspace(folder / "ws"), file, "operations", **said)


@pytest.mark.examples(3)
@pytest.mark.parametrize("column", KINDS)
def test_words_for_a_sale_and_a_return_are_kinds_of_rows_whatever_their_column_is_called(
    tmp_path: Path, column: str
) -> None:
    file, net = operations(tmp_path, column, KINDS[column])
    manifest = read(tmp_path, file)
    assert manifest.net_revenue == net and manifest.event_types == {"purchase": 69, "return": 11}
    assert {"canonical": "event_type", "column": column} in [one["params"] for one in manifest.warnings]


def test_words_of_an_order_that_came_back_are_no_kinds_of_rows(tmp_path: Path) -> None:
    file, net = operations(tmp_path, "Line", ("completed", "returned"))
    unused = {"order_status": ""}
    assert read(tmp_path, file, mapping=unused).net_revenue == net + 2 * sum(
        1200 + at for at in range(80) if at % 7 == 3
    )


def test_a_person_who_says_that_there_are_no_kinds_is_believed(tmp_path: Path) -> None:
    file, _ = operations(tmp_path, "Line", ("Sale", "Return"))
    manifest = read(tmp_path, file, mapping={"event_type": ""})
    assert manifest.net_revenue == sum(1200 + at for at in range(80))


@pytest.mark.examples(3)
@pytest.mark.parametrize("name", ["Сумма, руб", "Сумма, ₽", "Сумма руб.", "Сумма, RUB"])
def test_a_unit_behind_a_comma_is_no_part_of_a_name_and_says_the_currency(tmp_path: Path, name: str) -> None:
    file, net = operations(tmp_path, "Тип операции", KINDS["Тип операции"], name)
    manifest = read(tmp_path, file)
    assert manifest.net_revenue == net and manifest.currency == "RUB"


def test_a_word_behind_a_comma_is_a_unit_only_where_it_is_one(tmp_path: Path) -> None:
    assert in_name("Name, first") == in_name("City, USA") == ""
    file, _ = operations(tmp_path, "Тип операции", KINDS["Тип операции"], "Сумма, план")
    with pytest.raises(NeedsAnswer):
        read(tmp_path, file)

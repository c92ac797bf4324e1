"""The log in the shapes that other systems and hands give to a file."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from dataclasses import replace

import pandas as pd
from foreign_log import Foreign, Row, comma, log, table
from foreign_spellings import GERMAN


def shaped() -> dict[str, Foreign]:
    """Shapes that other systems and hands give to a file."""
    rows = log(GERMAN)
    text = table(rows)
    lines = text.splitlines()
    padded = [" | ".join(f" {cell} " for cell in line) for line in csv.reader(lines)]
    chinese = ["会员编号（加密）", "下单时间(北京)", "订单金额（元）", "商品编号", "说明"]
    made = {
        "pipe_padded": Foreign("\n".join(padded).encode(), rows),
        "quoted_all_semicolon": Foreign(table(rows, delimiter=";", quoting=csv.QUOTE_ALL, money=comma).encode(), rows),
        "old_mac": Foreign(table(rows, end="\r").encode(), rows, said=("newlines",)),
        "no_last_line_end": Foreign(text.rstrip("\n").encode(), rows),
        "trailing_delimiter": Foreign("\n".join(f"{line}," for line in lines).encode(), rows, said=("blank_header",)),
        "header_every_page": Foreign(
            "\n".join([*lines[:20], lines[0], *lines[20:40], lines[0], *lines[40:]]).encode(), rows, aside=2
        ),
        "title_and_total": Foreign(
            "\n".join(["Umsatzbericht 2024", "erstellt am 05.02.2024", "", *lines, "", "Total,,,,"]).encode(),
            rows, aside=1, said=("preamble", "no_time"),
        ),
        "hint_and_mark": Foreign(b"\xef\xbb\xbfsep=;\r\n" + table(rows, delimiter=";", end="\r\n").encode(), rows),
        "blank_lines": Foreign("\n\n".join(lines).encode(), rows),
        "units_in_names": Foreign(
            table(rows, header=["Customer ID", "Order Date (UTC)", "Amount [EUR]", "SKU", "Remark"]).encode(), rows
        ),
        "units_in_chinese_names": Foreign(table(rows, header=chinese).encode(), rows),
        "two_line_header": Foreign(
            table(rows, header=["customer\nid", "event time", "amount\n(net)", "product id", "note"]).encode(), rows
        ),
        "shouting_header": Foreign(
            table(rows, header=["CUSTOMER-NO.", "ORDER DATE", "TOTAL AMOUNT", "ITEM CODE", "NOTE"]).encode(), rows
        ),
        "camel_header": Foreign(
            table(rows, header=["customerId", "orderCreatedAt", "totalAmount", "itemId", "note"]).encode(), rows
        ),
        "backslashes": Foreign(
            "\n".join(
                ["customer_id,event_time,amount,product_id,note"]
                + [f'{r.customer},{r.time},{r.amount:.2f},{r.item},"said \\"{r.note}\\", twice"' for r in rows]
            ).encode(),
            [replace(r, note=f'said "{r.note}", twice') for r in rows],
        ),
        "carriage_and_quotes": Foreign(
            table([replace(r, note=f"{r.note}\nsecond line,\n\nfourth") for r in rows], end="\r\n").encode(),
            [replace(r, note=f"{r.note}\nsecond line,\n\nfourth") for r in rows],
        ),
    }  # fmt: skip
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("2024/01.csv", "\r\n".join(lines[:30]) + "\r\n")
        packed.writestr("2024/02.csv", "\r\n".join([lines[0], *lines[30:]]))
        packed.writestr("__MACOSX/2024/._01.csv", b"\0\x05\x16\x07")
        packed.writestr("2024/.DS_Store", b"\0\0\0\1Bud1")
    made["zip_of_months"] = Foreign(archive.getvalue(), rows, "year.zip", said=("joined_files",))
    return made | structured(rows)


def structured(rows: list[Row]) -> dict[str, Foreign]:
    """Files that name their cells: JSON, nested and packed, a workbook, Parquet."""
    flat = [
        {"uid": r.customer, "ts": f"{r.time}", "revenue": float(r.amount), "sku": r.item, "note": r.note} for r in rows
    ]
    nested = [
        {
            "user": {"id": r.customer, "traits": {"country": "DE"}},
            "timestamp": r.time.isoformat() + "Z",
            "event": "purchase" if r.amount >= 0 else "refund",
            "properties": {"amount": float(r.amount), "product_id": r.item, "tags": ["a", "b"]},
            "note": r.note,
        }
        for r in rows
    ]
    made = {
        "json_nested": Foreign("\n".join(map(json.dumps, nested)).encode(), rows, "events.ndjson"),
        "json_gz": Foreign(gzip.compress("\n".join(map(json.dumps, flat)).encode()), rows, "log.jsonl.gz"),
    }
    frame = pd.DataFrame(
        {
            "CustomerID": [float(int(r.customer[1:]) + 12346) for r in rows],
            "InvoiceDate": [r.time for r in rows],
            "Total": [float(r.amount) for r in rows],
            "StockCode": [r.item for r in rows],
            "note": [r.note for r in rows],
        }
    )
    numbered = [replace(r, customer=str(int(r.customer[1:]) + 12346)) for r in rows]
    book = io.BytesIO()
    with pd.ExcelWriter(book, engine="openpyxl") as writer:
        frame.to_excel(writer, sheet_name="orders", index=False, startrow=3)
        writer.sheets["orders"].cell(1, 1, "Orders of the year")
        pd.DataFrame({"rate": [1.0, 2.0]}).to_excel(writer, sheet_name="rates", index=False)
    made["workbook_titled"] = Foreign(book.getvalue(), numbered, "orders.xlsx", said=("sheets_left_out",))
    parquet = io.BytesIO()
    frame.assign(InvoiceDate=frame["InvoiceDate"].dt.tz_localize("UTC")).to_parquet(parquet, index=False)
    made["parquet_floats"] = Foreign(parquet.getvalue(), numbered, "orders.parquet", said=("float_ids",))
    return made

"""Hostile files through the running app: does it go on answering everybody else, and is its memory as before?

``make bench-hostile FILES=200``: so many files of ten kinds are chosen on the Upload page by one browser, while another
session asks for a page every second. Prints how each file ended, the slowest answer to the other session, and the
server's memory before and after.
"""

from __future__ import annotations

import argparse
import copy
import gzip
import io
import json
import os
import random
import shutil
import tempfile
import threading
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from clv_core.reader_process import MAX_SECONDS
from tests.e2e.conftest import BROWSERS, serving, window
from tests.e2e.studio import Studio
from tests.e2e.test_sending import browser

HEADER: Final = "customer_id,event_time,amount"
MAY_GROW_MB: Final = 128
Made = bytes


def rows(many: int = 300) -> list[str]:
    """Return rows of an honest log."""
    return [f"c{at % 37},2024-{at % 12 + 1:02}-{at % 28 + 1:02},{at}.50" for at in range(many)]


def deep_json(chance: random.Random) -> Made:
    """Objects or lists within each other, with and without a record around them."""
    deep = chance.choice((300, 5_000, 20_000, 300_000))
    begin, end = chance.choice((('{"a":', "}"), ("[", "]"), ('{"a":[', "]}")))
    text = begin * deep + "1" + end * chance.choice((deep, deep - 1, 0))
    return chance.choice((text, f'{{"customer_id": 1, "more": {text}}}\n', f"[{text}]")).encode()


def deep_cell(chance: random.Random) -> Made:
    """The same within a cell of a CSV file."""
    text = deep_json(chance).decode().replace('"', '""').strip()
    lines = [f'{row},"{text if at == chance.randrange(300) else "{}"}"' for at, row in enumerate(rows())]
    return "\n".join([f"{HEADER},properties", *lines, f'c1,2024-01-01,1,"{text}"']).encode()


def names(chance: random.Random) -> Made:
    """Column names that are long, many, or made to make a search go round."""
    part = chance.choice(("(", "a.", "(a", "EUR ", "_", " ", "order_date_", "1-", "ａ", "]["))
    many = chance.choice((3_000, 12_000, 60_000))
    wide = chance.random() < 0.3
    head = ",".join(f"{part}{at}" for at in range(3_000)) if wide else part * many
    return "\n".join([f"{HEADER},{head}", *(f"{row},x" for row in rows())]).encode()


def cells(chance: random.Random) -> Made:
    """Cells that are endless, or whose quotes never end."""
    cell = chance.choice(("(", "1,", "1.", "-", "9" * 3, "\\", '""', "=HYPERLINK(", "{", "é")) * 100_000
    quoted = chance.choice((f'"{cell}"', f'"{cell}', cell))
    return "\n".join([HEADER, *rows(100), f"c1,{quoted},3", *rows(100)]).encode()


def noise(chance: random.Random) -> Made:
    """Bytes that are no text, behind the beginning of one."""
    begin = chance.choice((b"", HEADER.encode() + b"\n", b"PAR1", b"\x1f\x8b\x08", b"PK\x03\x04", b"\xff\xfe", b"%PDF"))
    return begin + chance.randbytes(chance.choice((200, 20_000, 2_000_000)))


def shared_zip(chance: random.Random) -> Made:
    """An archive whose entries share their bytes, or unpack to far more than they are."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        many = chance.choice((1, 150))
        text = "\n".join([HEADER, *rows() * (200 if many > 1 else 20_000)])
        archive.writestr(chance.choice(("log.csv", "../log.csv", "a/b.csv")), text)
        archive.filelist += [copy.copy(archive.filelist[0]) for _ in range(many)]
    return made.getvalue()


def bomb(chance: random.Random) -> Made:
    """A gzip file that unpacks to hundreds of times its size."""
    line = chance.choice((b"a", f"{HEADER}\n".encode(), b"0,", b"\n", b'{"a":1}\n'))
    return gzip.compress(line * (200_000_000 // len(line)))


def workbook(chance: random.Random) -> Made:
    """A workbook with entities within entities, a sheet of endless size, or what is no workbook."""
    entities = "".join(f'<!ENTITY e{at} "{f"&e{at - 1};" * 10 if at else "ha"}">' for at in range(12))
    sheets = (
        f"<!DOCTYPE x [{entities}]><worksheet><sheetData><row><c><v>&e11;</v></c></row></sheetData></worksheet>",
        '<worksheet><dimension ref="A1:XFD1048576"/><sheetData><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
        "</sheetData></worksheet>",
        "<worksheet><sheetData>" + "<row>" * 50_000,
    )
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
        archive.writestr(
            "[Content_Types].xml",
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
            f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kind}.worksheet+xml"/></Types>',
        )
        office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
        package = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
        relation = '<Relationships {}><Relationship Id="r1" Type="{}/{}" Target="{}"/></Relationships>'
        main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
        archive.writestr("_rels/.rels", relation.format(package, office, "officeDocument", "xl/workbook.xml"))
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook {main} xmlns:r="{office}"><sheets><sheet name="a" sheetId="1" r:id="r1"/></sheets></workbook>',
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels", relation.format(package, office, "worksheet", "worksheets/sheet1.xml")
        )
        archive.writestr(
            "xl/worksheets/sheet1.xml", chance.choice(sheets).replace("<worksheet>", f"<worksheet {main}>")
        )
    return made.getvalue()


def parquet(chance: random.Random) -> Made:
    """A Parquet file with types within types, damaged bytes, or a long text 200,000 times."""
    made = io.BytesIO()
    kind, value = pa.int64(), 1
    deep = chance.choice((50, 500))
    if chance.random() < 0.4:
        nested: object = value
        for _ in range(deep):
            kind, nested = pa.struct([("a", kind)]), {"a": nested}
        table = pa.table({"customer_id": pa.array(["a"]), "x": pa.array([nested], type=kind)})
    else:
        many = 200_000
        same = pa.DictionaryArray.from_arrays(pa.array([0] * many, pa.int32()), pa.array(["x" * 1_000]))
        table = pa.table({"customer_id": same, "event_time": same, "amount": pa.array([1.5] * many)})
    pq.write_table(table, made)
    data = bytearray(made.getvalue())
    if chance.random() < 0.5:
        for _ in range(20):
            data[chance.randrange(4, len(data))] = chance.randrange(256)
    return bytes(data)


def objects(chance: random.Random) -> Made:
    """JSON with a key of its own in each record, one record of many megabytes, or numbers that overflow."""
    kinds: tuple[Callable[[], str], ...] = (
        lambda: "\n".join(json.dumps({"customer_id": 1, f"k{at}": at}) for at in range(20_000)),
        lambda: json.dumps({"customer_id": 1, "text": "x" * 20_000_000}),
        lambda: "\n".join(f'{{"customer_id": 1e{at}, "amount": {"9" * 400}}}' for at in range(500)),
        lambda: "[" + ",".join(["1"] * 2_000_000) + "]",
    )
    return chance.choice(kinds)().encode()


KINDS: Final[dict[str, tuple[Callable[[random.Random], Made], str]]] = {
    "objects within objects": (deep_json, "json"),
    "objects in a cell": (deep_cell, "csv"),
    "column names": (names, "csv"),
    "cells": (cells, "csv"),
    "noise": (noise, "csv"),
    "zip": (shared_zip, "zip"),
    "gzip": (bomb, "csv.gz"),
    "workbook": (workbook, "xlsx"),
    "parquet": (parquet, "parquet"),
    "json": (objects, "json"),
}


def files(folder: Path, many: int) -> Iterator[tuple[str, Path]]:
    """Yield kinds and files, each gone before the next."""
    for at in range(many):
        kind = list(KINDS)[at % len(KINDS)]
        make, suffix = KINDS[kind]
        path = folder / f"hostile-{at}.{suffix}"
        path.write_bytes(make(random.Random(at)))
        yield kind, path
        path.unlink()


def memory_mb(pid: int) -> int:
    """Return the memory of a process and of those that it began."""
    own = Path(f"/proc/{pid}/status").read_text().split("VmRSS:")[1].split()[0]
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(own) // 1024 + sum(memory_mb(int(child)) for child in children)


def _server(parent: int) -> int:
    """Return the process of the app that this one began."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return next(int(one) for one in children if b"pages.ui" in Path(f"/proc/{one}/cmdline").read_bytes())


def _chromium() -> str:
    return next(path for name in BROWSERS if (path := shutil.which(name)))


def _honest(folder: Path) -> Path:
    path = folder / "honest.csv"
    path.write_text("\n".join([HEADER, *rows()]))
    return path


def _sent(studio: Studio, path: Path) -> str:
    """Choose a file on the Upload page, and return what came of it: how it ended, and the page's words."""
    studio.page.set_input_files("input[type=file]", str(path))
    studio.page.get_by_text(path.name).first.wait_for()
    studio.wait(MAX_SECONDS + 60)
    main = studio.page.get_by_test_id("stMain")
    alerts = main.get_by_test_id("stAlert").all_inner_texts()
    asked = main.get_by_text("help", exact=True).count()
    words = " ".join((alerts[-1] if alerts else studio.text()[-300:]).split())
    outcome = "asked" if asked else "read" if main.get_by_role("button", name="Save").count() else "refused"
    another = studio.page.get_by_role("button", name="Choose another file")
    if another.count():
        studio.click("Choose another file")
    else:
        studio.open("upload")
    return f"{outcome}: {words[:160]}"


def main() -> None:
    """Send the files, and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=200)
    wanted = parser.parse_args()
    ended: Counter[tuple[str, str]] = Counter()
    slowest, failed, over = 0.0, 0, threading.Event()
    with (
        tempfile.TemporaryDirectory() as made,
        serving(Path(made), STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL="5") as address,
    ):
        log = Path(made) / "server.log"

        def others() -> None:
            nonlocal slowest, failed
            while not over.wait(1):
                begun = time.monotonic()
                try:
                    with browser(address):
                        slowest = max(slowest, time.monotonic() - begun)
                except Exception as error:
                    failed += 1
                    print("another session:", type(error).__name__, error, flush=True)

        pid = _server(os.getpid())
        with window(_chromium(), address, locale="en-GB") as studio:
            studio.open("upload")
            for _ in range(2):
                print("honest at the beginning:", _sent(studio, _honest(Path(made))), flush=True)
            before, watching = memory_mb(pid), threading.Thread(target=others, daemon=True)
            watching.start()
            for kind, path in files(Path(made), wanted.files):
                begun = time.monotonic()
                outcome = _sent(studio, path)
                ended[kind, outcome.split(":")[0]] += 1
                print(f"{kind:24}{time.monotonic() - begun:6.1f} s  {memory_mb(pid):5} MB  {outcome}", flush=True)
            print("honest at the end:", _sent(studio, _honest(Path(made))))
            over.set()
            watching.join()
        time.sleep(30)  # what sessions held that have gone is let go of
        after = memory_mb(pid)
        print(*(f"{kind:24}{outcome:12}{count:4}" for (kind, outcome), count in sorted(ended.items())), sep="\n")
        print(f"another session: slowest {slowest:.1f} s, {failed} failed")
        print(f"memory of the server and its readers: {before} MB before, {after} MB after")
        print(f"lines in the server's log: {len(log.read_text(errors='replace').splitlines())}")
    assert not failed and after < before + MAY_GROW_MB


if __name__ == "__main__":
    main()

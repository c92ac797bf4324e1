"""The encoding of a text: as it was said, as the earlier file has it, or as letters and names of columns show."""

from __future__ import annotations

import codecs
import random
from dataclasses import replace
from pathlib import Path

import chardet
import duckdb
import pytest
from babel import Locale

from clv_core.cli import main
from clv_core.collection.check import check_file
from clv_core.collection.ingest import ingest
from clv_core.collection.inspect import inspect_file
from clv_core.collection.merge.append import append
from clv_core.collection.read.encoding import USUAL, encoding_of_words, known_encoding
from clv_core.collection.rows.read_settings import read_settings_of
from clv_core.collection.store.version_store import open_dataset
from clv_core.errors import NeedsAnswer, Refused, UsageError
from clv_core.i18n import catalogue
from clv_core.workspace import Workspace
from tests.collection.small_logs import warnings

pytestmark = pytest.mark.first(8)

KINDS = ("Hüte", "Crème à la carte", "Größe", "Señor", "Tee")


def log(workspace: Workspace, name: str, encoding: str, days: range, kinds: tuple[str, ...] = KINDS) -> Path:
    rows = [f"o{day},c{day % 7},2024-01-{day:02},{day}.50,{kinds[day % len(kinds)]}" for day in days]
    path = workspace.root.parent / name
    path.write_bytes("\n".join(["order_id,customer_id,date,amount,category", *rows, ""]).encode(encoding))
    return path


def kinds_of(workspace: Workspace, name: str = "shop") -> set[str]:
    events = str(open_dataset(workspace, name).events_path)
    return {str(row[0]) for row in duckdb.sql(f"SELECT DISTINCT category FROM '{events}'").fetchall()}


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["cp1252", "cp1250", "utf-8"])
def test_a_night_of_a_western_shop_holds_nothing_new_however_short_it_is(workspace: Workspace, encoding: str) -> None:
    kinds = ("Matěj", "Růžena", "Hüte") if encoding == "cp1250" else KINDS
    made = ingest(workspace, log(workspace, "all.csv", encoding, range(1, 29), kinds), "shop")
    assert (made.parts[0].encoding or "utf-8") == encoding and kinds_of(workspace) == set(kinds)
    for first in range(1, 27):
        night = append(workspace, "shop", log(workspace, "night.csv", encoding, range(first, first + 2), kinds))
        assert (night.rows_kept, night.parts[-1].rows_overlap) == (28, 2)


def test_an_encoding_that_was_said_holds_for_the_next_file_too(workspace: Workspace) -> None:
    first = log(workspace, "a.csv", "iso8859-2", range(1, 10), ("ącki", "śledź", "źle"))
    made = ingest(workspace, first, "shop", encoding="latin2")
    assert made.parts[0].encoding == "iso8859-2" and "encoding" not in warnings(made)
    more = append(workspace, "shop", log(workspace, "b.csv", "iso8859-2", range(10, 13), ("ącki", "śledź", "źle")))
    assert kinds_of(workspace) == {"ącki", "śledź", "źle"} and "encoding" in warnings(more)


BYTES = {"warning.bad_bytes", "warning.mixed_encoding", "warning.encoding"}

HEADS = {
    "gb18030": "客户编号,日期,x",
    "big5": "訂單編號,會員編號,訂單日期,訂單金額",
    "cp932": "注文番号,会員番号,注文日,合計金額",
    "euc_kr": "고객번호,주문일,금액",
    "cp1251": "Номер заказа,Клиент,Дата заказа,Сумма",
    "cp874": "ลูกค้า,วันที่,ยอดรวม",
    "cp1250": "Nr zamówienia,Klient,Data,Wartość",
    "cp1254": "müşteri,tarih,tutar",
    "cp1252": "Bestellnummer,Käufer,Datum,Betrag",
}


def numbers(head: str, encoding: str, path: Path, customer: str = "C{}") -> Path:
    """A log in which nothing but the names of its columns is not ASCII."""
    order = ["o{}"] if head.count(",") == 3 else []
    row = ",".join([*order, customer, "2024-03-{:02}", "{}.5"]) + "\n"
    rows = [row.format(*([n] if order else []), n % 9, n % 28 + 1, n + 10) for n in range(60)]
    path.write_bytes((head + "\n" + "".join(rows)).encode(encoding))
    return path


@pytest.mark.examples(2)
@pytest.mark.parametrize(("encoding", "head"), HEADS.items())
def test_names_of_columns_alone_tell_the_encoding(tmp_path: Path, encoding: str, head: str) -> None:
    mapping = {"amount": "x"} if ",x" in head else {}
    files = (numbers(head, one, tmp_path / f"{one}.csv") for one in (encoding, "utf-8"))
    found, plain = (check_file(file, mapping=mapping) for file in files)
    assert [said.params["encoding"] for said in found.warnings if said.code == "warning.encoding"] == [encoding]
    figures = [(one.manifest.customers, one.manifest.net_revenue) for one in (found, plain)]
    assert figures == [(9, sum(range(10, 70)) + 30)] * 2


def test_one_damaged_line_of_a_text_in_utf_8_does_not_decide_for_all(tmp_path: Path) -> None:
    path = numbers("Клиент,Дата заказа,Сумма", "utf-8", tmp_path / "a.csv", customer="Иван {}")
    path.write_bytes(path.read_bytes() + "Клиент,2024-03-09,5\n".encode("cp1251"))
    found = check_file(path)
    assert found.manifest.customers == 10
    assert {said.code for said in found.warnings} & BYTES == {"warning.bad_bytes"}


def test_names_that_show_no_encoding_are_asked_about_and_not_taken_for_names(tmp_path: Path) -> None:
    path = numbers("πελάτης,ημερομηνία,ποσό", "cp1253", tmp_path / "a.csv")
    with pytest.raises(NeedsAnswer) as found:
        check_file(path)
    assert found.value.code == "names_unreadable" and len(found.value.params["columns"]) == 3
    for option in ("gb18030", "big5", "cp932", "euc_kr"):
        assert option in str(found.value)
    mapping = {"customer_id": "πελάτης", "event_time": "ημερομηνία", "amount": "ποσό"}
    assert check_file(path, encoding="cp1253", mapping=mapping).manifest.customers == 9
    assert [item.column for item in inspect_file(path, encoding="cp1253").columns] == list(mapping.values())


@pytest.mark.parametrize("name", USUAL)
def test_encodings_that_are_offered_are_known_by_their_names(name: str) -> None:
    assert known_encoding(name) == name
    assert {f"upload.encoding.{name.replace('-', '_')}" in catalogue(language) for language in ("en", "zh")} == {True}


PLACES = {
    "cp1252": ("de", "fr", "es", "pt", "it", "nl", "sv", "da", "nb", "fi", "is", "ca"),
    "cp1250": ("pl", "cs", "sk", "hu", "hr", "sl", "ro"),
    "cp1251": ("ru", "uk", "bg"),
    "cp1253": ("el",),
    "cp1254": ("tr",),
}

SHORT = {
    "cp1252": (
        ("Hüte",), ("Größe", "Hüte", "Crème à la carte", "Señor"), ("José", "María", "Ángel", "Muñoz", "Peña"),
        ("Jörg", "Müller", "Köln", "Irène"), ("Zoë", "Noël", "Hélène"), ("São Paulo", "Camões", "sutiã", "Calções"),
        ("Bjørn", "Åse", "Søren", "Færøerne"), ("perché", "così", "più", "città"), ("GRÖSSE", "HÜTE"),
        ("¿Qué tal?", "Nº 5", "20 m²", "Niño"), ("L’été", "5 €"), ("5 €",), ("Çelik", "François", "garçon"),
    ),
    "cp1250": (
        ("Michał", "Łukasz", "Paweł", "Żaneta", "Józef"), ("żona", "żółty", "ręka", "róża"), ("Książki", "Żywność"),
        ("Jiří", "Ondřej", "Matěj", "Zdeněk", "Růžena"), ("Oblečení", "Hračky", "Dům a zahrada"),
        ("Gergő", "Dezső", "Jenő", "László", "Erzsébet"), ("Cipők", "Gyűrű", "Játékok"),
        ("Čevlji", "Hlače", "Šport"), ("Încălţăminte", "Cărţi", "bărbaţi"), ("Ľudmila", "Tomáš", "Štefan"),
        ("Příliš žluťoučký kůň úpěl ďábelské ódy.",), ("Świetna jakość, polecam. Wysyłka bardzo wolna, żal",),
    ),
    "cp1251": (("Обувь",), ("Иван", "Мария", "Сергей"), ("Очень хорошее качество, доставка медленная",), ("Їжа",)),
    "cp1253": (("Παπούτσια", "Βιβλία"), ("Γιώργος", "Ελένη"), ("Πολύ καλή ποιότητα",)),
    "cp1254": (("Ayakkabı", "Kışlık"), ("Ayşe", "Yılmaz", "Gökçe", "İbrahim"), ("Kadın", "Altın", "Şapka")),
}  # fmt: skip


@pytest.mark.examples(4)
@pytest.mark.parametrize(("encoding", "place"), [(one, place) for one, places in PLACES.items() for place in places])
def test_names_in_the_languages_of_an_encoding_are_read_in_it(encoding: str, place: str) -> None:
    words = names(place, encoding)
    assert spelled(words, encoding) == words
    picked = random.Random(7).sample(words, min(60, len(words)))
    assert spelled(picked, encoding) == picked


@pytest.mark.parametrize(
    ("encoding", "words"), [(one, words) for one, several in SHORT.items() for words in several], ids=str
)
def test_a_few_short_cells_are_enough(encoding: str, words: tuple[str, ...]) -> None:
    assert spelled(list(words), encoding) == list(words)


def test_a_file_that_proves_its_encoding_is_read_by_it(workspace: Workspace) -> None:
    ingest(workspace, log(workspace, "a.csv", "cp1252", range(1, 10)), "shop")
    append(workspace, "shop", log(workspace, "b.csv", "utf-8", range(10, 20)))
    append(workspace, "shop", log(workspace, "c.csv", "gb18030", range(20, 29), ("质量很好下次还买", "快递太慢了")))
    assert kinds_of(workspace) == {*KINDS, "质量很好下次还买", "快递太慢了"}
    assert read_settings_of(open_dataset(workspace, "shop").manifest).encoding in ("", "cp1252")


def test_an_older_manifest_tells_its_encoding_by_what_was_said(workspace: Workspace) -> None:
    made = ingest(workspace, log(workspace, "a.csv", "cp1252", range(1, 10)), "shop")
    made = replace(made, parts=[replace(made.parts[0], encoding="")])
    assert read_settings_of(made).encoding == "cp1252"


def test_the_encoding_is_remembered_and_yields_to_utf_8(workspace: Workspace) -> None:
    kinds = ("ącki", "śledź")
    ingest(workspace, log(workspace, "a.csv", "iso8859-2", range(1, 10), kinds), "a", encoding="iso8859-2")
    ingest(workspace, log(workspace, "b.csv", "iso8859-2", range(1, 10), kinds), "b", remembered=True)
    ingest(workspace, log(workspace, "c.csv", "utf-8", range(1, 10), kinds), "c", remembered=True)
    assert kinds_of(workspace, "b") == kinds_of(workspace, "c") == set(kinds)


@pytest.mark.parametrize("name", ["cp125", "base64", "a\0b"])
def test_a_name_that_is_no_encoding_is_refused(workspace: Workspace, name: str) -> None:
    file = log(workspace, "a.csv", "utf-8", range(1, 10))
    with pytest.raises(UsageError) as found:
        ingest(workspace, file, "shop", encoding=name)
    assert found.value.code == "encoding_name"


@pytest.mark.parametrize(("said", "line"), [("utf-8", 3), ("ascii", 3), ("utf-16", 1), ("utf-32", 1)])
def test_bytes_that_are_not_in_the_encoding_that_was_said_are_refused(
    workspace: Workspace, said: str, line: int
) -> None:
    file = log(workspace, "a.csv", "cp1252", range(1, 10), ("Tee", "Hut", "Hüte"))
    with pytest.raises(Refused) as found:
        ingest(workspace, file, "shop", encoding=said)
    where = {"line": line, "encoding": said}
    assert found.value.code == "encoding_said" and found.value.params.items() >= where.items()


def test_the_command_line_takes_an_encoding(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(log(workspace, "a.csv", "iso8859-2", range(1, 10), ("ącki", "śledź")))
    root = ["--workspace", str(workspace.root)]
    assert main(["check", file, "--encoding", "iso8859-2", *root]) == 0
    assert main(["ingest", file, "--name", "shop", "--encoding", "iso8859-2", *root]) == 0
    assert kinds_of(workspace) == {"ącki", "śledź"}
    assert main(["check", file, "--encoding", "utf-8", *root]) == 4
    assert main(["ingest", file, "--name", "shop", "--append", "--encoding", "nope", *root]) == 2
    assert "nope" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("gb18030", "质量很好，下次还买\n女装\n男鞋\nT恤\n手机配件"),
        ("cp1255", "נעליים\nספרים"),
        ("cp1256", "أحذية\nكتب\nملابس"),
        ("cp874", "รองเท้า\nหนังสือ"),
        ("cp1257", "Avalynė\nKnygos ir žaislai\nVaikų prekės"),
    ],
)
def test_a_right_guess_of_another_script_stands(encoding: str, text: str) -> None:
    assert encoding_of_words(text.encode(encoding).split(b"\n"), encoding) == encoding


def test_bytes_that_are_words_nowhere_leave_the_guess() -> None:
    noise = [bytes(random.Random(seed).choices(range(128, 256), k=12)) for seed in range(20)]
    assert [encoding_of_words(noise, guess) for guess in ("", "cp1256")] == ["", "cp1256"]


def names(place: str, encoding: str) -> list[str]:
    """Return names that are not ASCII and can be written in the encoding."""
    about = Locale.parse(place)
    found = [*about.territories.values(), *about.months["format"]["wide"].values(), *about.languages.values()]
    cedilla = str.maketrans("șțȘȚ", "şţŞŢ")  # cp1250 has no commas below
    written = {name.translate(cedilla) for name in found if not name.isascii()}
    return sorted(one for one in written if one == one.encode(encoding, "replace").decode(encoding))


def spelled(words: list[str], encoding: str) -> list[str]:
    lines = [word.encode(encoding) for word in words if not word.isascii()]
    guess = chardet.detect(b"\n".join(lines), encoding_era=chardet.EncodingEra.MODERN_WEB)["encoding"]
    found = encoding_of_words(lines, codecs.lookup(guess).name)
    read = iter([line.decode(found, "replace") for line in lines])
    return [word if word.isascii() else next(read) for word in words]

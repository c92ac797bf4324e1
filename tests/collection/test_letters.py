"""A text in an encoding of one byte a letter is read in the one whose letters make words, whatever a guess says.

The words are those of the Unicode consortium's own lists (CLDR, by babel): names of countries, months and days.
"""

from __future__ import annotations

import random

import pytest
from babel import Locale

from clv_core.collection.files.letters import settled

pytestmark = pytest.mark.first(2)

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
GUESSES = ("", "cp1250", "cp1251", "cp1252", "cp1254")


@pytest.mark.examples(4)
@pytest.mark.parametrize(("encoding", "place"), [(one, place) for one, places in PLACES.items() for place in places])
def test_names_in_the_languages_of_an_encoding_are_read_in_it(encoding: str, place: str) -> None:
    words = names(place, encoding)
    rng = random.Random(7)
    for guess in GUESSES:
        assert spelled(words, encoding, guess) == words
        picked = rng.sample(words, min(60, len(words)))
        assert spelled(picked, encoding, guess) == picked


@pytest.mark.parametrize(
    ("encoding", "words"), [(one, words) for one, several in SHORT.items() for words in several], ids=str
)
def test_a_few_short_cells_are_enough(encoding: str, words: tuple[str, ...]) -> None:
    for guess in GUESSES:
        assert spelled(list(words), encoding, guess) == list(words)


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("koi8-r", "Очень хорошее качество"),
        ("gb18030", "质量很好，下次还买\n女装\n男鞋\nT恤\n手机配件"),
        ("big5", "品質很好\n快遞很慢，下次再說\n女裝"),
        ("cp932", "とても良い商品です\n配送が遅い、残念"),
        ("cp949", "배송이 빨라서 좋아요\n색상이 사진과 달라요"),
        ("cp1255", "נעליים\nספרים"),
        ("cp1256", "أحذية\nكتب\nملابس"),
        ("cp874", "รองเท้า\nหนังสือ"),
        ("cp1257", "Avalynė\nKnygos ir žaislai\nVaikų prekės"),
    ],
)
def test_a_right_guess_of_another_script_stands(encoding: str, text: str) -> None:
    assert settled(text.encode(encoding).split(b"\n"), encoding) == encoding


def test_bytes_that_are_words_nowhere_leave_the_guess() -> None:
    noise = [bytes(random.Random(seed).choices(range(128, 256), k=12)) for seed in range(20)]
    assert [settled(noise, guess) for guess in ("", "cp1256")] == ["", "cp1256"]


def names(place: str, encoding: str) -> list[str]:
    """Return names that are not ASCII and can be written in the encoding."""
    about = Locale.parse(place)
    found = [*about.territories.values(), *about.months["format"]["wide"].values(), *about.languages.values()]
    cedilla = str.maketrans("șțȘȚ", "şţŞŢ")  # cp1250 has no commas below
    written = [name.translate(cedilla) for name in found]
    return sorted(
        {one for one in written if not one.isascii() and one == one.encode(encoding, "replace").decode(encoding)}
    )


def spelled(words: list[str], encoding: str, guess: str) -> list[str]:
    lines = [word.encode(encoding) for word in words if not word.isascii()]
    found = settled(lines, guess)
    read = iter([line.decode(found, "replace") for line in lines])
    return [word if word.isascii() else next(read) for word in words]

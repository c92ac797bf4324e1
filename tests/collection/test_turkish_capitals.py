"""Turkish is written with two letters i, and its money as TL: capitals of either are the words that they stand for."""

from __future__ import annotations

from pathlib import Path

import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.mapping.states.meanings import meaning_of
from clv_core.collection.words.aliases import fold
from clv_core.collection.words.state_words import CANCELLED, SOLD
from clv_core.workspace import Workspace

pytestmark = pytest.mark.first(2)


@pytest.mark.parametrize(
    ("word", "meaning"),
    [("BAŞARISIZ", CANCELLED), ("İPTAL EDİLDİ", CANCELLED), ("TAMAMLANDI", SOLD), ("tamamlandı", SOLD)],
)
def test_states_in_capitals_say_what_they_say_in_small_letters(word: str, meaning: str) -> None:
    assert meaning_of(word) == meaning


def test_either_letter_i_is_the_same_one_in_a_name() -> None:
    assert fold("ALICI") == fold("alıcı") and fold("BİRİM FİYATI") == fold("birim_fiyatı")


@pytest.mark.examples(2)
@pytest.mark.parametrize("money", ["1.234,50 TL", "1.234,50TL", "TL 1.234,50"])
def test_amounts_in_tl_are_lira(tmp_path: Path, money: str) -> None:
    states = ("TAMAMLANDI", "TAMAMLANDI", "BAŞARISIZ")
    lines = [f"S{at};{at % 28 + 1:02}.03.2024;{states[at % 3]};u{at % 9}@x.tr;{money}" for at in range(60)]
    file = tmp_path / "log.csv"
    file.write_text("\n".join(["SİPARİŞ NO;SİPARİŞ TARİHİ;SİPARİŞ DURUMU;E-POSTA;TUTAR", *lines]) + "\n")
    manifest = ingest(Workspace(tmp_path / "ws"), file, "log")
    assert manifest.net_revenue == pytest.approx(40 * 1234.5) and manifest.currency == "TRY"

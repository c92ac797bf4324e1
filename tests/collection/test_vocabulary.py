"""Words by language: the files are checked, and a language is added by a file alone."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from clv_core.collection.vocabulary.language_files import FOLDER, VocabularyError, load_vocabulary

NEW = """
name = "Made-up"

[columns.sure]
customer_id = ["zorbel nak"]
event_time = ["zorbel tik"]
amount = ["zorbel mun"]
order_id = ["zorbel ord"]
order_status = ["zorbel stat"]

[statuses]
cancelled = ["flump"]
sold = ["grell"]

[months]
Jan = ["snowik"]
"""
LOG = """Zorbel-Nak;Zorbel Tik;ZORBEL MUN;zorbel_ord;Zorbel Stat
c1;3 Snowik 2024;10.50;o1;Grell
c2;4 Snowik 2024;20.25;o2;Grell
c1;5 Snowik 2024;99.75;o3;Flump
c3;6 Snowik 2024;30.25;o4;Grell
"""


def test_a_language_is_added_by_a_file_alone(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "words", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    (tmp_path / "words" / "qaa.toml").write_text(NEW, encoding="utf-8")
    (tmp_path / "log.csv").write_text(LOG, encoding="utf-8")
    code = (
        "import pathlib, sys\n"
        "from clv_core.collection.vocabulary import language_files\n"
        "language_files.FOLDER = pathlib.Path(sys.argv[1])\n"
        "from clv_core.cli import main\n"
        "sys.exit(main(sys.argv[2:]))"
    )
    arguments = ["ingest", str(tmp_path / "log.csv"), "--name", "x", "--workspace", str(tmp_path / "ws"), "--quiet"]
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "words"), *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert (found["net_revenue"], found["customers"], found["first_event"][:10]) == (61.0, 3, "2024-01-03")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[statuses]\nsold = ["a"]', "xx.toml: name of the language is missing"),
        ('name = "X"\n[colours]\nred = ["a"]', r"xx.toml: there is no table \[colours\]"),
        ('name = "X"\n[columns.sure]\namont = ["a"]', r"xx.toml: \[columns.sure\] amont: there is no such key"),
        ('name = "X"\n[statuses]\nsold = "a"', r"xx.toml: \[statuses\] sold: should hold words"),
        ('name = "X"\n[status_phrases]\nsold = ["("]', r"\[status_phrases\] sold: should hold regular expressions"),
        ('name = "X"\n[sides]\npaid = ["a"]', r"\[sides\] paid: should hold lists of words"),
        ('name = "X"\n[statuses]\nsold = ["Can-celled"]', r"'Can-celled' is cancelled in en.toml"),
        ("name = ", "xx.toml: Invalid value"),
    ],
)
def test_a_wrong_file_is_refused_with_file_table_and_key(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "en.toml").write_text('name = "English"\n[statuses]\ncancelled = ["cancelled"]\n', encoding="utf-8")
    (tmp_path / "xx.toml").write_text(text, encoding="utf-8")
    with pytest.raises(VocabularyError, match=message):
        load_vocabulary(tmp_path)

"""Both catalogues against each other, and against every key that the code names."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from clv_core.commands.parser import COMMANDS
from clv_core.config import TrainConfig
from clv_core.features.behaviour import FEATURES
from clv_core.features.labels import group_label, label, meaning
from clv_core.i18n import LANGUAGES, LOCALE_FOLDER, catalogue, without_options

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted([*(ROOT / "clv_core").rglob("*.py"), *(ROOT / "pages").rglob("*.py"), ROOT / "app.py"])

KEY = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+")
PREFIX_OF_CALL = {
    "translate": "", "t": "", "has": "", "Message": "", "report": "stage.", "Cancelled": "error.",
    "ClvError": "error.", "UsageError": "error.", "NeedsAnswer": "error.", "Refused": "error.",
    "NotFound": "error.", "NotEnoughData": "error.", "ChainFailed": "error.",
}  # fmt: skip
ANY = "[a-z0-9_.-]+"
GENERIC = {f"error.{ANY}", f"stage.{ANY}", f"{ANY}.{ANY}"}
"""Families that say nothing of what they hold; their members must be named somewhere."""


@dataclass
class Usage:
    """What the code says of keys."""

    keys: dict[str, str] = field(default_factory=dict)  # key named in a call -> where
    families: dict[str, str] = field(default_factory=dict)  # regular expression of an f-string -> where
    texts: set[str] = field(default_factory=set)  # every text constant


def pattern(node: ast.JoinedStr) -> str:
    """Return the regular expression of the texts that an f-string can make."""
    return "".join(re.escape(str(part.value)) if isinstance(part, ast.Constant) else ANY for part in node.values)


def choices(node: ast.expr) -> Iterator[ast.expr]:
    """Yield the expressions that an argument can be: both branches of a conditional, all of an ``or``."""
    if isinstance(node, ast.IfExp):
        yield from choices(node.body)
        yield from choices(node.orelse)
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from choices(value)
    else:
        yield node


def scan(source: str, where: str, usage: Usage) -> None:
    """Add the keys, families and texts of one file to ``usage``."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            usage.texts.add(node.value)
        elif isinstance(node, ast.JoinedStr) and re.match(r"[a-z_]*\\?\.|[a-z0-9_.+\[\]]*\\\.", pattern(node)):
            usage.families[pattern(node)] = f"{where}:{node.lineno}"
        elif isinstance(node, ast.BinOp) and isinstance(node.left, ast.Constant):
            if re.fullmatch(r"[a-z_.]+\.", str(node.left.value)):
                usage.families[re.escape(str(node.left.value)) + ANY] = f"{where}:{node.lineno}"
        elif isinstance(node, ast.Call) and node.args:
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name == "name_of" and isinstance(node.args[0], ast.Constant):
                usage.families[re.escape(f"{node.args[0].value}.") + ANY] = f"{where}:{node.lineno}"
            if name not in PREFIX_OF_CALL:
                continue
            for argument in choices(node.args[0]):
                prefix = PREFIX_OF_CALL[name]
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    usage.keys[prefix + argument.value] = f"{where}:{node.lineno}"
                elif isinstance(argument, ast.JoinedStr) and prefix:
                    usage.families[re.escape(prefix) + pattern(argument)] = f"{where}:{node.lineno}"


@pytest.fixture(scope="module")
def usage() -> Usage:
    found = Usage()
    for path in SOURCES:
        scan(path.read_text(encoding="utf-8"), str(path.relative_to(ROOT)), found)
    return found


@pytest.fixture(scope="module")
def keys() -> set[str]:
    return set(catalogue("en"))


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def used(key: str, usage: Usage) -> bool:
    """Say whether the code names ``key``: in full, by the part after ``error.`` or ``stage.``, or through a family."""
    prefix, _, rest = key.partition(".")
    if key in usage.keys or key in usage.texts or (prefix in ("error", "stage") and rest in usage.texts):
        return True
    return any(re.fullmatch(family, key) for family in usage.families if family.replace("\\", "") not in GENERIC)


def test_both_languages_hold_the_same_keys_and_fill_the_same_placeholders() -> None:
    english, chinese = catalogue("en"), catalogue("zh")
    assert set(english) ^ set(chinese) == set()
    assert {key for key, text in english.items() if placeholders(text) != placeholders(chinese[key])} == set()
    assert [key for words in (english, chinese) for key, text in words.items() if not text.strip()] == []


def test_english_sentences_are_short() -> None:
    """At most 25 words, but for help; the choices of singular and plural count once."""
    words = {
        key: len(re.sub(r"\{(\w+):[^{}|]*\|[^{}]*\}", r"{\1}", text).split()) for key, text in catalogue("en").items()
    }
    assert {key: many for key, many in words.items() if many > 25 and not key.endswith(".help")} == {}
    assert max(words.values()) <= 30


def test_chinese_sentences_are_chinese() -> None:
    """A Chinese sentence has a Chinese character, unless it is a name or a figure that both languages share."""
    english = catalogue("en")
    foreign = {
        key: text
        for key, text in catalogue("zh").items()
        if re.search("[A-Za-z]", re.sub(r"\{.*?\}", "", text))
        and not re.search(r"[\u4e00-\u9fff]", text)
        and text != english[key]
    }
    assert foreign == {}


def test_no_chinese_mark_has_a_space_behind_it() -> None:
    behind = re.compile(r"[：，。；！？（“](?:\s|\{in_currency\})")  # what is said of a currency begins with a space
    assert not [key for key, sentence in catalogue("zh").items() if behind.search(sentence)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_can_show_every_warning_without_its_command_line_options(language: str) -> None:
    """Pages drop the sentences about options; what is left must not be empty and must name none."""
    warnings = [text for key, text in catalogue(language).items() if key.startswith("warning.")]
    assert [text for text in warnings if re.search(r"(^|\W)--[a-z]", without_options(text))] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_key_stands_twice_in_any_file(language: str) -> None:
    """Counted in the raw text too: a reader may merge two entries of one key in silence."""
    seen: dict[str, str] = {}
    twice = []
    for path in sorted((LOCALE_FOLDER / language).glob("*.po")):
        for key in re.findall(r'^msgid "(.+)"$', path.read_text(encoding="utf-8"), re.MULTILINE):
            twice += [(key, seen[key], path.name)] if key in seen else []
            seen[key] = path.name
    assert twice == []
    assert set(seen) == set(catalogue(language))
    names = [{path.name for path in (LOCALE_FOLDER / one).iterdir()} for one in LANGUAGES]
    assert names[0] == names[1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_files_say_their_language(language: str) -> None:
    for path in (LOCALE_FOLDER / language).glob("*.po"):
        with path.open("rb") as file:
            assert str(read_po(file).locale_identifier or "").startswith(language), path.name


def test_every_key_that_the_code_names_exists(usage: Usage, keys: set[str]) -> None:
    missing = {key: where for key, where in usage.keys.items() if KEY.fullmatch(key) and key not in keys}
    assert not missing, missing


def test_every_family_that_the_code_names_has_members(usage: Usage, keys: set[str]) -> None:
    prefixes = {key.partition(".")[0] for key in keys} | {"reason", "warning"}
    dotted = {family: where for family, where in usage.families.items() if family.partition("\\.")[0] in prefixes}
    empty = {family: where for family, where in dotted.items() if not any(re.fullmatch(family, key) for key in keys)}
    assert dotted and empty == {}


def test_every_row_of_the_tables_has_its_words(keys: set[str]) -> None:
    needed = {f"cli.{command}" for command in COMMANDS}
    needed |= {f"config.{item.name}{end}" for item in fields(TrainConfig) for end in ("", ".help")}
    assert needed - keys == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_feature_has_its_own_words(language: str) -> None:
    for words in (label, meaning):
        said = [words(name, language) for name in FEATURES]
        assert len(set(said)) == len(said) == len(FEATURES)
    assert all(group_label(feature.group, language) for feature in FEATURES.values())


def test_no_sentence_is_left_over(usage: Usage, keys: set[str]) -> None:
    tables = re.compile(r"(config|feature)\.")
    left = sorted(key for key in keys if not tables.match(key) and not used(key, usage))
    assert not left, left
    known = {item.name for item in fields(TrainConfig)} | {item.family or item.name for item in FEATURES.values()}
    assert {key for key in keys if tables.match(key) and key.split(".")[1] not in known | {"group"}} == set()


def test_sentences_do_not_shout_or_name_libraries() -> None:
    libraries = re.compile(
        r"\b(pandas|numpy|duckdb|ibis|torch|pytorch|pyarrow|streamlit|traceback|NoneType|KeyError)\b", re.I
    )
    offences = {
        (language, key)
        for language in LANGUAGES
        for key, text in catalogue(language).items()
        if libraries.search(text) or re.search(r"[!！](?!=)", text)
    }
    assert offences == set()


def test_the_scan_sees_calls_conditionals_and_families() -> None:
    found = Usage()
    source = 't("a.b" if x else "a.c"); progress.report("load", 0, 1); raise Refused(f"bad_{kind}"); t(f"need.{x}.why")'
    scan(source + '; t("job." + x)', "x", found)
    assert set(found.keys) == {"a.b", "a.c", "stage.load"}
    assert used("error.bad_name", found) and used("need.data.why", found) and used("job.train", found)
    assert not used("stage.other", found) and not used("need.data.how", found) and not used("error.worse", found)


def test_every_choice_of_a_setting_has_words_in_each_language() -> None:
    for item in fields(TrainConfig):
        for choice in () if item.name == "rnn" else item.metadata["choices"] or ():  # an encoder brings its words
            for language in LANGUAGES:
                words = catalogue(language).get(f"choice.{item.name}.{choice}", "")
                assert words and words != choice, (item.name, choice, language)

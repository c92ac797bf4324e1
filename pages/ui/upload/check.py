"""What a file would become, before anything is saved: figures, horizons, warnings, rejected rows, its own words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import pandas as pd
import streamlit as st

from clv_core.collection import Check
from clv_core.collection.store import ColumnAccount, Manifest
from clv_core.collection.vocabulary import MEANINGS, SOLD, fold
from clv_core.columns import EVENT_TYPES
from clv_core.errors import Message
from clv_core.i18n import DEFAULT_LANGUAGE, has, translate, without_options
from clv_core.scratch import temporary_folder
from clv_core.strategy.audiences import header, write_csv
from pages.ui import cells, i18n, page_files, session, widgets
from pages.ui.i18n import percent, t
from pages.ui.upload import uploading

LONG_GAP_DAYS: Final = 14
"""A gap without rows gets a warning from this many days on: shorter ones may be holidays. A guess."""
LONG_GAP_SHARE: Final = 0.04
"""It must also be this share of the log: two weeks in a year. A guess."""
MAX_UNKNOWN_WORDS: Final = 20
"""A table of words opens by itself where at most so many of them are unknown. More would push the rest of the page
out of sight; a guess."""
MIN_ROWS_TO_PACK: Final = 200_000
"""From here on a file of rows is gzipped: the browser gets a tenth, and the server holds a tenth while it sends."""
REJECT_COLUMNS: Final = {"line": "line", "reason": "reason_code", "column": "column", "value": "value"}
"""Our columns among rejected rows, and their names in the file, which has the reason next to its code."""

HEEDED: Final = frozenset(
    f"warning.{code}"
    for code in (
        *("mixed_currency", "currency_contradicted", "constant_amount", "zero_purchases", "running_totals"),
        *("returns_only", "unreadable_numbers", "decimal_mixed", "maybe_cents", "maybe_percent", "minor_unknown"),
        *("large_units_mixed", "many_in_one", "rounded_ids", "float_ids"),
        *("epoch_mixed", "unknown_states", "purchases_end", "bad_bytes", "mixed_encoding"),
        *("sheets_left_out", "filled_down", "joined_cells"),
        *("grown", "fallen"),
    )
)
"""What, as it was read, may make every figure of the dataset wrong: money, customers or days that are not as meant."""

MARKS: Final = {
    "measured": "green[:material/check_circle:",
    "unmeasured": "orange[:material/warning:",
    "too_short": "gray[:material/block:",
}


def show_result(check: Check, like: str) -> None:
    """Show what a file would become, how far ahead it can predict, and what may make its figures wrong.

    ``like``: the dataset that it goes on with, "" where there is none.
    """
    st.markdown(widgets.accounting(check.manifest))
    widgets.figures(_figures(check))
    show_horizons(check, like)
    for message in _messages(check):
        if message.code in HEEDED:
            st.markdown(f":orange[:material/warning:] {plain_message(message)}")


def show_details(check: Check, rejected: Path) -> None:
    """Show the rejected rows, the file's own words, what else was noticed, and the first rows."""
    _show_problems(check, rejected)
    _show_event_types(check)
    _show_order_states(check)
    _show_columns(check)
    show_gap(check)
    for message in _messages(check):
        if message.code not in HEEDED:
            st.markdown(f":gray[:material/info:] {plain_message(message)}")
    with st.expander(t("upload.first_rows"), icon=":material/table_rows:"):
        rows = check.first_rows
        kinds = {kind: i18n.name_of("event", kind) for kind in rows["event_type"].dropna().unique()}
        heads = {name: st.column_config.Column(i18n.name_of("canonical", name)) for name in rows.columns}
        cells.table(rows.assign(event_type=rows["event_type"].map(kinds)), t("upload.first_rows"), heads)


def _messages(check: Check) -> list[Message]:
    """Return the warnings of the read, except those that the table of rejected rows shows."""
    grouped = {f"warning.{item.reason}" for item in check.problems}
    return [message for message in check.warnings if message.code not in grouped]


def plain_message(message: Message) -> str:
    """Return a message of the reader for a page: no option names, nothing read as formatting."""
    sentence = i18n.message_text(replace(message, params=i18n.named_params(message.params)))
    return widgets.escape(without_options(sentence))


def headline(check: Check, name: str) -> str:
    """Return whom and how much a file holds."""
    facts = check.manifest
    return t(
        "upload.headline.checked",
        file=widgets.escape(name),
        customers=i18n.count(facts.customers),
        revenue=widgets.escape(i18n.money(facts.net_revenue, facts.currency)),
    )


def _orders(facts: Manifest) -> widgets.Figure:
    """Return the number of orders, with their lines."""
    number = "–" if facts.orders is None else f"{facts.orders:,}"
    lines = t("count.lines", lines=f"{facts.lines:,}")
    return widgets.Figure(t("column.orders"), number, t("column.orders.help"), lines)


def _figures(check: Check) -> list[widgets.Figure]:
    facts = check.manifest
    first, end = date.fromisoformat(facts.log_start), date.fromisoformat(facts.log_end)
    revenue, days = i18n.money(facts.net_revenue, facts.currency), t("unit.days", n=f"{(end - first).days:,}")
    span = i18n.days(first, end - timedelta(days=1))
    return [
        widgets.Figure(t("column.customers"), f"{facts.customers:,}", t("upload.customers.help")),
        _orders(facts),
        widgets.Figure(t("column.net_revenue"), revenue, t("upload.revenue.help")),
        widgets.Figure(t("upload.span"), days, t("look.span.help"), span),
    ]


def show_gap(check: Check) -> None:
    """Say how long the log falls silent; a long silence is often a missing file."""
    if not check.gap_start:
        st.caption(t("look.gap.none"))
        return
    days, start = check.longest_gap_days, date.fromisoformat(check.gap_start)
    key = "look.gap" if days > 1 else "look.gap.one"
    sentence = t(key, days=f"{days:,}", first=i18n.day(start), last=i18n.day(start + timedelta(days=days - 1)))
    span = date.fromisoformat(check.manifest.log_end) - date.fromisoformat(check.manifest.log_start)
    if days >= max(LONG_GAP_DAYS, LONG_GAP_SHARE * span.days):
        st.markdown(f":orange[:material/warning:] {i18n.join_sentences([sentence, t('look.gap.long')])}")
    else:
        st.caption(sentence)


def show_horizons(check: Check, like: str) -> None:
    """Say which forecast period is recommended, and why none longer.

    For a file that goes on with a dataset, ``like``, that is said of both together, once it is saved.
    """
    if check.manifest.brings_nothing:
        st.error(t("error.no_value"), icon=":material/block:")
        return
    verdicts = {item.horizon_days: item.verdict for item in check.horizons}
    usable = any(verdict != "too_short" for verdict in verdicts.values())
    if like:
        key = "look.horizons.adds" if usable else "look.horizons.adds.short"
        st.info(t(key, name=widgets.escape(like)), icon=":material/playlist_add:")
        return
    kind = "too_short"
    if not usable:
        st.error(t("look.horizons.too_short"), icon=":material/block:")
    elif check.recommended:
        kind = verdicts.get(check.recommended.days, "unmeasured")
        banner = st.success if kind == "measured" else st.warning
        banner(plain_message(check.recommended.reason), icon=MARKS[kind].partition("[")[2])
    reasons: dict[str, str] = {}
    for item in check.horizons:
        if item.verdict != kind or kind == "too_short":
            reason = widgets.escape(item.reason.text(session.language()))
            reasons.setdefault(item.reason.code, f":{MARKS[item.verdict]}] {reason}")
    st.caption("  \n".join(reasons.values()))


def _show_problems(check: Check, rejected: Path) -> None:
    """Show the rejected rows by reason, with examples and what to do, and offer them all."""
    if not check.problems:
        return
    rows: list[dict[str, Any]] = [
        {
            t("upload.problems"): t(f"reason.{item.reason}"),
            t("upload.problems.rows"): item.rows,
            t("upload.problems.share"): percent(item.rows / max(1, check.manifest.rows_read), 1),
            t("upload.problems.column"): item.source_column,
            t("upload.problems.first"): "; ".join(
                f"{line}: {text[:40]}" if text else str(line) for line, text in item.examples
            ),
            t("upload.problems.fix"): t(f"fix.{item.reason}"),
        }
        for item in check.problems
    ]
    cells.table(pd.DataFrame(rows), t("upload.problems"))
    name = f"{check.manifest.source.split('.')[0]}_set-aside"
    download_rejects(rejected, check.manifest.rows_set_aside, name, key="set_aside_preview")


def download_rejects(parquet: Path, rows: int, name: str, key: str) -> None:
    """Offer the rejected rows of ``parquet`` with line number and reason; written in blocks at the download."""
    language = session.language()
    ending = ".csv.gz" if rows > MIN_ROWS_TO_PACK else ".csv"
    write = partial(_rejects_file, parquet, ending, language)
    page_files.download(t("upload.set_aside"), write, name + ending, key=key)


def _rejects_file(parquet: Path, ending: str, language: str = DEFAULT_LANGUAGE) -> bytes:
    with temporary_folder("clv-aside-") as folder:
        target = folder / f"rows{ending}"
        write_csv(parquet, target, "line", partial(with_reasons, language=language))
        return target.read_bytes()


def with_reasons(rows: pd.DataFrame, language: str) -> pd.DataFrame:
    """Return rows with the text of their reason next to its code, and our columns named in the page's language."""
    if "reason" not in rows:
        return rows
    keys = {code: f"reason.{code}" for code in rows["reason"].unique()}
    words = {code: translate(key, language) if has(key, language) else code for code, key in keys.items()}
    worded = rows.rename(columns={name: header(title, language) for name, title in REJECT_COLUMNS.items()})
    place, reasons = list(rows.columns).index("reason") + 1, rows["reason"].map(words).astype("str")
    worded.insert(place, header("reason", language), reasons, allow_duplicates=True)  # the file may have such a column
    return worded


@dataclass(frozen=True)
class Word:
    """One of the file's words.

    Args:
        word: as in the file.
        rows: how many rows carry it.
        usual: its meaning without an answer; empty where it has no meaning of its own.
        column: its source column; empty where there is only one.
    """

    word: str
    rows: int
    usual: str
    column: str = ""


def _show_event_types(check: Check) -> None:
    """Show what each name of an event is taken for, and keep what the person changes."""
    listed = [item for item in check.event_names if item.name]
    unchanged = t("look.events.as_it_is")
    words = {t(f"event.{kind}"): kind for kind in EVENT_TYPES} | {unchanged: ""}
    unknown = sum(item.event_type not in EVENT_TYPES for item in listed)
    changed = _words_table(
        "events",
        check,
        [Word(item.name, item.rows, item.usual if item.usual in EVENT_TYPES else "") for item in listed],
        words,
        {name: kind if kind in EVENT_TYPES else "" for name, kind in uploading.answers().events.items()},
        unknown,
    )
    _keep("events", {name: kind or name for name, kind in changed.items()} if listed else None)


def _show_order_states(check: Check) -> None:
    """Show what each state of an order is taken for, and keep what the person changes."""
    several = len({item.column for item in check.states}) > 1
    listed = [Word(item.word, item.rows, item.usual, item.column if several else "") for item in check.states]
    words = {t(f"look.states.{meaning or 'unknown'}"): meaning for meaning in (*MEANINGS, "")}
    answers = {item.word: item.meaning for item in check.states if item.known}
    changed = _words_table("states", check, listed, words, answers, sum(not item.known for item in check.states))
    file_words = {fold(item.word) for item in check.states}
    elsewhere = {word: meaning for word, meaning in uploading.answers().states.items() if fold(word) not in file_words}
    _keep("states", elsewhere | {word: meaning or SOLD for word, meaning in changed.items()} if listed else None)


def _show_columns(check: Check) -> None:
    """Show what became of each column of the file: used as what, harmless and why, or in doubt."""
    columns = [column for part in check.manifest.parts for column in part.columns]
    doubted = sum(column.state == "doubted" for column in columns)
    if not columns:
        return
    label = t("ledger.title.doubted" if doubted else "ledger.title", doubted=doubted, columns=len(columns))
    with st.expander(label, icon=":material/view_column:", expanded=doubted > 0):
        st.caption(t("ledger.why"))
        rows = [
            {
                t("upload.problems.column"): column.column,
                t("ledger.state"): t(f"ledger.state.{column.state}"),
                t("ledger.what"): _what(column),
            }
            for column in columns
        ]
        cells.table(pd.DataFrame(rows), label)
        row_answers = uploading.answers().rows
        for column in columns:
            mine = {key for key in row_answers if key.startswith(f"{column.column}=")}
            again = t("ledger.ask_again", column=column.column)
            if mine and st.button(again, icon=":material/help:", key=f"ask_again_{column.column}", type="tertiary"):
                uploading.answer(rows={key: meaning for key, meaning in row_answers.items() if key not in mine})
                st.rerun()


def _what(column: ColumnAccount) -> str:
    """Return as what a column is used, or why it is not."""
    if column.state != "used":
        return t(f"ledger.{column.what}")
    names = (
        t(f"ledger.role.{role}") if has(f"ledger.role.{role}") else i18n.name_of("canonical", role)
        for role in column.what.split(", ")
    )
    return i18n.join_names(names)


def _words_table(
    kind: str, check: Check, listed: Sequence[Word], words: Mapping[str, str], answers: Mapping[str, str], unknown: int
) -> dict[str, str]:
    """Return word -> meaning for the words that are given another than the usual one.

    Args:
        kind: ``events`` or ``states``, in keys of texts and widgets.
        check: what the file would become.
        listed: the words; where there are none, nothing is shown.
        words: what the person reads -> the meaning.
        answers: word -> meaning, as answered so far.
        unknown: how many of the words are unknown.
    """
    if not listed:
        return {}
    shown_as = {meaning: shown for shown, meaning in words.items()}
    table = pd.DataFrame(
        {
            **({"column": [item.column for item in listed]} if any(item.column for item in listed) else {}),
            "word": [item.word for item in listed],
            "rows": [item.rows for item in listed],
            "meaning": [shown_as[answers.get(item.word, item.usual)] for item in listed],
        }
    )
    label = t(f"look.{kind}" if unknown else f"look.{kind}.known", names=len(listed), unknown=unknown)
    config = st.column_config
    with st.expander(label, icon=":material/swap_horiz:", expanded=0 < unknown <= MAX_UNKNOWN_WORDS):
        st.caption(t(f"look.{kind}.why"))
        edited = st.data_editor(
            table,
            key=f"{kind}_{check.manifest.source}_{session.language()}_{st.session_state.get(uploading.ROUND, 0)}",
            hide_index=True,
            disabled=["column", "word", "rows"],
            column_config={
                "column": config.TextColumn(t("upload.problems.column")),
                "word": config.TextColumn(t("look.events.name")),
                "rows": cells.integer(t("upload.problems.rows")),
                "meaning": config.SelectboxColumn(t("upload.column.ours"), options=list(words), required=True),
            },
            placeholder="–",
            alt=label,
        )
    meanings = [words[shown] for shown in edited["meaning"]]
    return {item.word: meaning for item, meaning in zip(listed, meanings, strict=True) if meaning != item.usual}


def _keep(kind: str, meanings: dict[str, str] | None) -> None:
    """Store the answers about a kind of words, and check the file again where they changed."""
    if meanings is not None and meanings != getattr(uploading.answers(), kind):
        uploading.answer(**{kind: meanings})
        st.rerun()

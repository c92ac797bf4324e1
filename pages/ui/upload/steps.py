"""The steps of the upload page before the check: file, columns, settings, and the answers about an earlier file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final
from zoneinfo import available_timezones

import pandas as pd
import streamlit as st

from clv_core.collection import CHOICES, Answers
from clv_core.collection.infer.columns import Proposal
from clv_core.collection.parse import LocaleHint, propose
from clv_core.collection.read import USUAL
from clv_core.collection.recipes import NONE, shipped_recipes
from clv_core.collection.rows import remembered_settings as remembered
from clv_core.collection.vocabulary import CURRENCY
from clv_core.columns import READ
from clv_core.errors import UsageError
from pages.ui import access, i18n, page_files, session, widgets
from pages.ui.i18n import t
from pages.ui.upload import uploading
from pages.ui.upload.uploading import FilesInHand

STEPS: Final = ("file", "columns", "check", "save")
MAX_ROWS: Final = 20
"""A table of columns shows all of so many, and scrolls beyond."""
LEFT: Final = "upload_recall_left"
"""Folder of the files for which earlier answers were left or taken."""
WAYS: Final = ("upload", "path", "sample")
TEMPLATE: Final = (
    "customer_id,event_time,event_type,amount,product_id,category,rating\r\n"
    "C001,2024-01-05 10:12:00,view,,P10,Tea,\r\n"
    "C001,2024-01-05 10:20:00,purchase,24.90,P10,Tea,\r\n"
    "C001,2024-01-19 08:02:00,rating,,P10,Tea,5\r\n"
    "C002,2024-02-11 19:45:00,purchase,13.50,P07,Mugs,\r\n"
    "C002,2024-02-20 09:30:00,return,-13.50,P07,Mugs,\r\n"
)
SETTINGS: Final = {
    **{
        name: (None, *CHOICES[name])
        for name in ("date_order", "decimal", "amount_unit", "amount_scope", "similar_ids", "duplicates")
    },
    "encoding": (None, *USUAL),
}


def show_steps(at: int) -> None:
    """Show the four steps, and how far the person is; past the last one all are done."""
    with st.container(horizontal=True, gap="medium"):
        for place, step in enumerate(STEPS):
            colour = "blue" if place <= at else "gray"
            icon = ":material/check_circle:" if place < at else f":material/counter_{place + 1}:"
            words = t(f"upload.step.{step}")
            st.markdown(f":{colour}[{icon} {f'**{words}**' if place == at else words}]", width="content")


def choose_file() -> None:
    """Step 1: an upload, a path on the server, or the sample; for those who may save what comes of it."""
    may = access.if_may("change")
    if may["disabled"]:
        st.info(access.ask_for("change"), icon=":material/lock:")
    with st.container(border=True):
        way = st.segmented_control(
            t("upload.way"),
            WAYS,
            format_func=lambda way: t(f"upload.way.{way}"),
            default=WAYS[0],
            required=True,
            key="upload_way",
        )
        if way == "upload":
            key = f"uploader_{st.session_state.get('upload_round', 0)}"
            most = st.get_option("server.maxUploadSize")
            about = {"help": t("upload.drop.help", size=most), **may}
            files = st.file_uploader(t("upload.drop"), key=key, accept_multiple_files=True, **about)
            if files:
                access.require("change")
                uploading.take_uploads(files)
                st.rerun()
            st.caption(t("upload.larger", size=most))
        elif way == "path":
            with st.form("path", border=False):
                text = st.text_input(t("upload.path"), key="upload_path", help=t("upload.path.help"))
                if st.form_submit_button(t("upload.path.open"), type="primary", **may):
                    uploading.take_path(text)
                    st.rerun()
        elif st.button(t("upload.sample.open"), type="primary", icon=":material/science:", key="open_sample"):
            uploading.take_shipped()
            st.rerun()
        if way == "sample":
            st.caption(t("upload.sample.card"))
    st.caption(t("upload.needs"))
    page_files.download(t("upload.template"), TEMPLATE, "clv-studio-template.csv", key="template", type="tertiary")


def file_line(file: FilesInHand) -> None:
    """Say which files are in hand, and let the person take others."""
    with st.container(border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        more = f" {t('upload.more_files', n=len(file.paths) - 1)}" if len(file.paths) > 1 else ""
        size = i18n.size(file.size)
        st.markdown(f":material/description: **{widgets.escape(file.path.name)}**{more} · {size}", width="content")
        st.button(t("upload.another"), icon=":material/close:", key="another_file", on_click=uploading.drop)
    if uploading.is_restored():
        st.caption(t("upload.restored"))


def which(file: FilesInHand) -> Path:
    """Return the file to look at, where there are several; all are read with the same settings."""
    if len(file.paths) == 1:
        return file.path
    st.caption(t("upload.several"))
    path = st.selectbox(t("upload.which"), file.paths, format_func=lambda path: path.name, key="upload_which")
    expected = uploading.columns(file.path)
    strangers = [other.name for other in file.paths[1:] if uploading.columns(other) != expected]
    if strangers:
        stranger_names = widgets.escape(i18n.join_names(strangers)[:300])
        st.warning(
            t("upload.strangers", files=stranger_names, first=widgets.escape(file.path.name)), icon=":material/warning:"
        )
    return path


def offer_without(file: FilesInHand, path: Path) -> None:
    """Offer to go on without one of several files."""
    if len(file.paths) > 1:
        word, icon = t("upload.leave_out", file=widgets.escape(path.name)), ":material/playlist_remove:"
        st.button(word, icon=icon, key="leave_out", on_click=uploading.leave_out, args=[file, path])


def choose_sheet(file: FilesInHand) -> None:
    """Offer the sheets of a workbook that has several."""
    titles = uploading.sheets(file.path)
    if len(titles) < 2:
        return
    current = uploading.answers().sheet
    names = {"": t("upload.sheet.auto"), **{title: title for title in titles}}
    index, key = 1 + titles.index(current) if current in titles else 0, f"upload_sheet_{file.folder.name}_{current}"
    sheet = widgets.select(t("upload.sheet"), names, key, index=index, help=t("upload.sheet.help"))
    if sheet != current:
        uploading.answer(sheet=sheet)
        st.rerun()


def choose_recipe(file: FilesInHand) -> None:
    """Say by which recipe a file is read, and offer the others that know its columns, or none; nothing without one."""
    columns, current = uploading.columns(file.path), uploading.answers().recipe
    recipe_titles = {name: recipe.title for name, recipe in shipped_recipes().items() if recipe.recognises(columns)}
    if not recipe_titles:
        return
    read_by = uploading.inspection(file.path).recipe or NONE
    names = {name: t("upload.recipe.read_as", name=title) for name, title in recipe_titles.items()}
    names[NONE] = t("upload.recipe.none")
    index, key = list(names).index(read_by), f"upload_recipe_{file.folder.name}_{current}"
    selected = widgets.select(t("upload.recipe"), names, key, index=index, help=t("upload.recipe.help"))
    if selected != read_by:
        uploading.answer(recipe=selected)
        st.rerun()


def choose_columns(file: FilesInHand) -> None:
    """Step 2: the meaning of each column; edits outrank the proposal."""
    current, proposals = uploading.answers(), uploading.inspection(file.path).columns
    st.header(t("upload.step.columns"), anchor=False)
    words = {name: i18n.name_of("canonical", name) for name in READ}
    extra = t("upload.extra")
    named = {source: canonical for canonical, source in current.mapping.items() if source}
    proposed = {item.column: item.canonical for item in proposals if item.canonical not in current.mapping}
    table = pd.DataFrame(
        {
            "column": [item.column for item in proposals],
            "meaning": [
                words.get(named.get(item.column) or proposed.get(item.column) or "", extra) for item in proposals
            ],
            "samples": [" · ".join(item.samples[:3]) for item in proposals],
            "sure": [round(100 * item.confidence) if item.canonical in words else None for item in proposals],
        }
    )
    config = st.column_config
    read_settings = (
        current.header,
        current.encoding,
        current.sheet,
        current.recipe,
        st.session_state.get(uploading.ROUND, 0),
    )
    read_as = "_".join(map(str, read_settings))
    edited = st.data_editor(
        table,
        key=f"columns_{file.folder.name}_{session.language()}_{read_as}",
        hide_index=True,
        height="content" if len(table) <= MAX_ROWS else "auto",
        disabled=["column", "samples", "sure"],
        column_config={
            "column": config.TextColumn(t("upload.column.yours")),
            "meaning": config.SelectboxColumn(
                t("upload.column.ours"), options=[*words.values(), extra], required=True, help=t("upload.column.help")
            ),
            "samples": config.TextColumn(t("upload.column.samples"), width=300),
            "sure": config.ProgressColumn(t("upload.column.sure"), min_value=0, max_value=100, format="%.0f%%"),
        },
        placeholder="–",
        alt=t("upload.step.columns"),
    )
    _keep_mapping(proposals, edited["meaning"].tolist(), {word: name for name, word in words.items()})
    with st.expander(t("upload.settings"), icon=":material/tune:"):
        hint = _hint(proposals)
        settings(hint)
    current = uploading.answers()
    if hint.why is not None and (current.timezone, current.currency) == (
        hint.timezone or current.timezone,
        hint.currency,
    ):
        st.caption(t(hint.why.code, **hint.why.params))


def _hint(proposals: Sequence[Proposal]) -> LocaleHint:
    """Return the likely currency and time zone of a file that names no currency."""
    if any(item.canonical == CURRENCY for item in proposals):
        return LocaleHint()
    samples = [sample for item in proposals for sample in item.samples]
    return propose([item.column for item in proposals], samples, st.context.timezone)


def _keep_mapping(proposals: Sequence[Proposal], meanings: list[str], names: dict[str, str]) -> None:
    """Keep what would not be taken without a word: columns that were changed, one of several, a guess that the person
    confirmed, or none at all.

    Raises:
        UsageError: two columns were given one meaning.
    """
    current = uploading.answers().mapping
    proposed = Counter(item.canonical for item in proposals)
    given = Counter(names.get(meaning) for meaning in meanings)
    mapping = {}
    for item, meaning in zip(proposals, meanings, strict=True):
        canonical = names.get(meaning)
        settled = proposed[canonical] > 1 and given[canonical] == 1
        confirmed = canonical is not None and current.get(canonical) == item.column
        if canonical is not None and (canonical != item.canonical or settled or confirmed):
            mapping[canonical] = item.column
        elif canonical is None and item.canonical in names.values() and not given[item.canonical]:
            mapping[str(item.canonical)] = ""
    twice = next((canonical for canonical, column in mapping.items() if column and given[canonical] > 1), None)
    if twice is not None:
        same = [item.column for item, word in zip(proposals, meanings, strict=True) if names.get(word) == twice]
        raise UsageError("meaning_twice", columns=same, meaning=i18n.name_of("canonical", twice))
    if mapping != current:
        uploading.answer(mapping=mapping)
        st.rerun()


def settings(hint: LocaleHint) -> None:
    """Ask how dates, amounts and repeated rows are to be read, and where and in what money the log was kept.

    ``hint`` is preselected while there is no answer.
    """
    current, round_number = uploading.answers(), st.session_state.get(uploading.ROUND, 0)
    if not uploading.is_answered("timezone") and not uploading.is_answered("currency"):
        current = replace(
            current, timezone=hint.timezone or current.timezone, currency=hint.currency or current.currency
        )
    with st.grid(3, min_column_width=200):
        for name, choices in SETTINGS.items():
            words = {choice: t(f"upload.{name}.{(choice or 'auto').replace('-', '_')}") for choice in choices}
            before = getattr(current, name) or None
            key, how = f"setting_upload_{name}_{before}", {"help": t(f"upload.{name}.help")}
            value = widgets.select(t(f"upload.{name}"), words, key, index=choices.index(before), **how)
            if name == "encoding" and value != before:
                uploading.answer(encoding=value or "")
                st.rerun()  # the columns above were read in the other one
            elif value != before:
                uploading.answer(**{name: value})
        zones = list(dict.fromkeys(["UTC", st.context.timezone or "UTC", *sorted(available_timezones())]))
        zone = st.selectbox(
            t("upload.timezone"),
            zones,
            index=zones.index(current.timezone),
            help=t("upload.timezone.help"),
            key=f"zone_{round_number}",
        )
        currency = st.text_input(
            t("upload.currency"),
            current.currency,
            max_chars=12,
            help=t("upload.currency.help"),
            key=f"currency_{round_number}",
        )
    uploading.answer(timezone=zone, currency=currency.strip())


def offer_earlier_answers(file: FilesInHand) -> None:
    """Offer to read the file as the last one of its shape was read, where there are answers about that one."""
    if _has_answered() or st.session_state.get(LEFT) == file.folder.name:
        return
    columns = [item.column for item in uploading.inspection(file.path, header=True).columns]
    earlier = remembered.recall(session.workspace(), columns)
    if earlier is None or not (words := _in_words(earlier)):
        return
    with st.container(border=True):
        st.markdown(f":material/history: {t('recall.offer')}  \n{widgets.escape(' · '.join(words))}")
        with st.container(horizontal=True):
            if st.button(t("recall.use"), type="primary", key="recall_use"):
                uploading.revise_answers(**earlier.to_json())
                st.session_state[LEFT] = file.folder.name
                st.rerun()
            if st.button(t("recall.leave"), key="recall_leave"):
                st.session_state[LEFT] = file.folder.name
                st.rerun()
            if st.button(t("recall.forget"), key="recall_forget", type="tertiary", **access.if_may("change")):
                access.require("change")
                remembered.forget(session.workspace(), columns)
                st.rerun()


def _has_answered() -> bool:
    """Return whether there are answers about the file other than time zone and currency, which the page proposes."""
    none = Answers()
    return replace(uploading.answers(), timezone=none.timezone, currency=none.currency) != none


def _in_words(answers: Answers) -> list[str]:
    """Return the answers in words."""
    named = {canonical: column or t("recall.none") for canonical, column in answers.mapping.items()}
    words = [f"{column} = {i18n.name_of('canonical', canonical)}" for canonical, column in named.items()]
    words += [f"{name} = {i18n.name_of('event', kind)}" for name, kind in answers.events.items()]
    words += [f"{word} = {t(f'look.states.{meaning}')}" for word, meaning in answers.states.items()]
    for name in ("date_order", "decimal", "amount_unit", "amount_scope", "similar_ids", "duplicates"):
        value = getattr(answers, name)
        words += [_setting(name, t(f"upload.{name}.{value}"))] if value else []
    words += [_setting("currency", answers.currency)] if answers.currency else []
    return words + ([_setting("timezone", answers.timezone)] if answers.timezone != "UTC" else [])


def _setting(name: str, value: str) -> str:
    return i18n.with_label(t(f"upload.{name}"), value)

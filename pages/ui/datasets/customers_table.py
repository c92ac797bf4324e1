"""The customers table of a dataset: its contents, and adding one without leaking the future into training."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import pandas as pd
import streamlit as st

from clv_core import jobs, reader_process
from clv_core.collection import Answers, option_words
from clv_core.collection.customers import RoleProposal, inspect_customers
from clv_core.collection.store import CustomersTable, Dataset
from clv_core.collection.vocabulary import CONSENT, FIELDS, IMPERSONAL
from clv_core.errors import ClvError, NeedsAnswer
from clv_core.scratch import temporary_folder
from pages.ui import access, confirmation, flash, i18n, progress, received, session, widgets
from pages.ui.cache import cached
from pages.ui.confirmation import Confirmation
from pages.ui.i18n import t
from pages.ui.upload import questions

FILE: Final = "customers_file"
HEADER: Final = "customers_header"
ROUND: Final = "customers_round"
ID, OFF, STATIC, DATED = "id", "off", "static", "dated"
LEAKS: Final = ("leaks_by_name", "leaks_by_evidence", "leaks_both", "leaks_untested")


@dataclass(frozen=True)
class CustomersFile:
    """A customers file that a person is adding.

    Args:
        path: where it lies.
        folder: our own folder for it, removed afterwards.
    """

    path: Path
    folder: Path


def follow(dataset: Dataset) -> None:
    """Watch a run on the customers table, and say how it ended; a leak is put as a question."""
    job = progress.followed_run("customers", dataset.name)
    failure = None if job is None else job.status().failure
    if failure is not None and failure.code in (*LEAKS, *questions.CHOICES):
        return
    done = flash.follow("customers", dataset.name)
    if done is not None:
        _drop_file()
        result = done.status().result
        if result.get("removed"):
            flash.say(t("customers.removed"))
        else:
            flash.say(t("customers.done", matched=f"{result['matched']:,}", customers=f"{result['customers']:,}"))
        st.rerun()


def show(dataset: Dataset) -> None:
    """Show the table that the dataset has, and offer to add one."""
    table = dataset.manifest.customers_table
    if table is not None:
        _describe(dataset, table)
    st.markdown(f"**{t('customers.replace' if table else 'customers.headline')}**")
    st.caption(t("customers.why"))
    job = progress.followed_run("customers", dataset.name)
    failure = None if job is None else job.status().failure
    if job is not None and failure is not None and failure.code in LEAKS:
        _ask_about_leak(dataset, job, failure)
        return
    if job is not None and failure is not None and failure.code in questions.CHOICES:
        questions.ask_for_run(job, partial(_answer, job))
        st.button(t("leak.back"), key="customers_back", type="tertiary", on_click=session.unfollow, args=[job])
        return
    file = _file_in_hand()
    if file is None:
        _choose_file()
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f":material/description: **{widgets.escape(file.path.name)}**", width="content")
        st.button(t("upload.another"), icon=":material/close:", key="another_customers", on_click=_drop_file)
    _choose_uses(dataset, file)


def _describe(dataset: Dataset, table: CustomersTable) -> None:
    share = table.matched / max(1, dataset.manifest.customers)
    st.markdown(
        t(
            "customers.held",
            file=widgets.escape(table.file),
            matched=f"{table.matched:,}",
            share=i18n.percent(share),
            log=f"{dataset.manifest.customers:,}",
        )
    )
    attributes = [
        t("customers.dated", column=item.name, date=item.dated_by) if item.dated_by else item.name
        for item in table.attributes
    ]
    lines = {
        "customers.attributes": attributes,
        "customers.contacts": [i18n.name_of("contact", name) for name in table.contacts],
        "customers.off": table.off,
        "customers.accepted": table.accepted,
    }
    for key, names in lines.items():
        if names:
            st.caption(t(key, names=widgets.escape(i18n.join_names(names))))
    question = Confirmation(
        question=t("customers.remove.sure"),
        consequence=t("customers.remove.why", name=widgets.escape(dataset.name)),
        label=t("customers.remove"),
        act=partial(progress.start_job, ["customers", "--dataset", dataset.name, "--remove"], dataset.name),
    )
    icon, may = ":material/delete:", access.if_may("change")
    confirmation.button(question, t("customers.remove"), "customers_remove", icon=icon, **may)


def _file_in_hand() -> CustomersFile | None:
    """Return the file in hand; one that has vanished is forgotten."""
    file: CustomersFile | None = st.session_state.get(FILE)
    return file if file is not None and file.path.exists() else None


def _choose_file() -> None:
    with st.container(border=True):
        key = f"customers_uploader_{st.session_state.get(ROUND, 0)}"
        upload = st.file_uploader(t("customers.drop"), key=key, **access.if_may("change"))
        if upload is not None:
            folder = received.new_folder()
            (path,) = received.copy([upload], folder)
            st.session_state[ROUND] = st.session_state.get(ROUND, 0) + 1
            _take(CustomersFile(path, folder))
        with st.form("customers_path", border=False):
            text = st.text_input(t("customers.path"), key="customers_path_text")
            if st.form_submit_button(t("upload.path.open"), **access.if_may("change")):
                try:
                    path = received.checked_path(text)
                except ClvError as error:
                    widgets.show_error(error)
                    return
                _take(CustomersFile(path, received.new_folder()))


def _take(file: CustomersFile) -> None:
    _drop_file()
    st.session_state[FILE] = file
    st.rerun()


def _drop_file() -> None:
    """Forget the file; our copy of an upload is removed."""
    file: CustomersFile | None = st.session_state.pop(FILE, None)
    st.session_state.pop(HEADER, None)
    run = session.followed("customers")
    if run is not None:
        session.unfollow(run)
    if file is not None:
        shutil.rmtree(file.folder, ignore_errors=True)


@cached(8)
def _proposals(path: Path, header: bool | None, events: Path) -> list[RoleProposal]:
    """Return what each column of a file seems to be.

    Args:
        path: the file.
        header: whether it names its columns; None looks.
        events: of the log whose customers they are.

    Raises:
        NeedsAnswer: the file may or may not name its columns.
        Refused: it holds no table.
    """
    with temporary_folder("clv-customers-") as folder:
        return reader_process.run(
            session.workspace(), path, inspect_customers, path, folder, header=header, events=events
        )


def _choose_uses(dataset: Dataset, file: CustomersFile) -> None:
    """Ask what each column is used as; attributes are off unless they are switched on."""
    header = st.session_state.get(HEADER)
    try:
        proposals = _proposals(file.path, header, dataset.events_path)
    except NeedsAnswer as error:
        questions.ask(error.code, error.params, file.path, _keep_header)
        return
    words = {ID: t("customers.use.id"), OFF: t("customers.use.off")}
    dates = [item.column for item in proposals if item.kind == "date"]
    words |= {STATIC: t("customers.use.static")} | ({DATED: t("customers.use.dated")} if dates else {})
    words |= {name: i18n.name_of("contact", name) for name in (*FIELDS, CONSENT)}
    table = pd.DataFrame(
        {
            "column": [item.column for item in proposals],
            "samples": [" · ".join(item.samples[:3]) for item in proposals],
            "use": [{"id": ID, "contact": item.field}.get(item.role, OFF) for item in proposals],
            "since": ["" for _ in proposals],
        }
    )
    config = st.column_config
    key = f"customers_columns_{file.folder.name}_{header}"
    edits = st.session_state.get(key, {}).get("edited_rows", {})
    is_dated = dates and any(row.get("use") == DATED for row in edits.values())  # only then is a date column needed
    edited = st.data_editor(
        table,
        key=key,
        hide_index=True,
        disabled=["column", "samples"],
        column_order=["column", "samples", "use", *(["since"] if is_dated else [])],
        column_config={
            "column": config.TextColumn(t("upload.column.yours")),
            "samples": config.TextColumn(t("upload.column.samples"), width="medium"),
            "use": config.SelectboxColumn(
                t("customers.use"),
                options=list(words),
                format_func=lambda use: words.get(str(use), str(use)),
                required=True,
            ),
            "since": config.SelectboxColumn(t("customers.since"), options=["", *dates], help=t("customers.since.help")),
        },
        placeholder="–",
        alt=t("customers.headline"),
    )
    st.caption(t("customers.explain"))
    uses = {row["column"]: (row["use"], row["since"]) for row in edited.to_dict("records")}
    undated = [column for column, (use, since) in uses.items() if use == DATED and not since]
    if undated:
        st.warning(t("customers.undated", columns=widgets.escape(i18n.join_names(undated))), icon=":material/event:")
    hidden = dataset.manifest.pseudonymised or st.toggle(t("customers.pseudonymise"), key="customers_pseudonymise")
    more = [*(["--pseudonymise"] if hidden else []), *option_words(Answers(header=header))]
    command = ["customers", str(file.path), "--dataset", dataset.name, *_uses(proposals, uses), *more]
    _offer_adding(dataset, file, command, disabled=bool(undated))


def _offer_adding(dataset: Dataset, file: CustomersFile, command: list[str], *, disabled: bool) -> None:
    """Offer to add the file; a dialog lists what is lost where it replaces another."""
    label, before = t("customers.add", name=widgets.escape(dataset.name)), dataset.manifest.customers_table
    may = access.if_may("change", disabled=disabled)
    if before is None:
        if st.button(label, type="primary", key="customers_add", **may):
            progress.start_job(command, dataset.name)
            st.rerun()
        return
    files = {"file": widgets.escape(file.path.name), "old": widgets.escape(before.file)}
    question = Confirmation(
        question=t("customers.replace.sure"),
        consequence=t("customers.replace.why", **files),
        label=label,
        act=partial(progress.start_job, command, dataset.name),
    )
    confirmation.button(question, label, "customers_add", type="primary", **may)


def _keep_header(header: bool | None) -> None:
    st.session_state[HEADER] = header


def _uses(proposals: list[RoleProposal], uses: dict[str, tuple[str, str]]) -> list[str]:
    """Return what the columns are used as, in words of the command line; a column that begins with a hyphen stays one.

    A contact that was proposed and not taken is left out in so many words. A place can be an attribute and stay in the
    lists too.
    """
    contacts = {use: column for column, (use, _) in uses.items() if use in (*FIELDS, CONSENT)}
    dropped = {
        item.field: ""
        for item in proposals
        if item.field
        and item.field not in contacts
        and not (item.field in IMPERSONAL and uses[item.column][0] in (STATIC, DATED))
    }
    return [
        *[f"--id={column}" for column, (use, _) in uses.items() if use == ID][:1],
        *(f"--static={column}" for column, (use, _) in uses.items() if use == STATIC),
        *(f"--dated={column}={since}" for column, (use, since) in uses.items() if use == DATED and since),
        *(f"--contact={name}={column}" for name, column in {**contacts, **dropped}.items()),
    ]


def _answer(job: jobs.Job, **given: Any) -> None:
    status = job.status()
    progress.start_job([*status.args, *option_words(Answers(**given))], status.label)


def _ask_about_leak(dataset: Dataset, job: jobs.Job, leak: jobs.JobError) -> None:
    """Show which attribute leaks the future and why, and offer to leave it out or, explicitly, to use it."""
    args, params = job.status().args, leak.params
    named = {*params["named"], *params["untested"], *(item.rpartition(" (")[0] for item in params["measured"])}
    columns = [column for word in args if (column := _attribute(word)) and column in named]
    names = widgets.escape(i18n.join_names(columns))
    without = [word for word in args if _attribute(word) not in columns]
    accepting = [*args, *(f"--accept={column}" for column in columns)]
    with st.container(border=True):
        widgets.show_error(leak)
        label, may = t("leak.without", columns=names), access.if_may("change")
        st.button(label, type="primary", key="leak_without", on_click=_start, args=[without, dataset.name], **may)
        sure = st.checkbox(t("leak.sure", columns=names), key="leak_sure")
        may = access.if_may("change", disabled=not sure)
        st.button(t("leak.use"), key="leak_use", on_click=_start, args=[accepting, dataset.name], **may)
        st.button(t("leak.back"), key="leak_back", type="tertiary", on_click=session.unfollow, args=[job])


def _start(command: list[str], label: str) -> None:
    progress.start_job(command, label)


def _attribute(word: str) -> str | None:
    """Return the attribute that a word of the command line switches on, None for any other word."""
    option, _, value = word.partition("=")
    return {"--static": value, "--dated": value.rpartition("=")[0]}.get(option)

"""The customers table of a dataset: what it holds, and how one is added without letting the future in."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import pandas as pd
import streamlit as st

from clv_core import jobs
from clv_core.collection.customers import RoleProposal
from clv_core.collection.mapping.answers import Answers
from clv_core.collection.questions import option_words
from clv_core.collection.store.version_store import Dataset
from clv_core.collection.words.contact_fields import CONSENT, FIELDS, PLACES
from clv_core.errors import ClvError, NeedsAnswer
from pages.ui import by_role, outcomes, progress, saying, state, widgets
from pages.ui.datasets import customers_file
from pages.ui.datasets.customers_file import DATED, ID, OFF, STATIC, CustomersFile, Uses
from pages.ui.saying import t
from pages.ui.upload import questions

LEAKS: Final = ("leaks_by_name", "leaks_by_evidence", "leaks_both", "leaks_untested")


def follow(dataset: Dataset) -> None:
    """Watch a run on the customers table, and say how it ended; a leak is put as a question."""
    job = progress.current("customers", dataset.name)
    if job is not None and (_leaked(job) or _asks(job)):
        return
    done = outcomes.follow("customers", dataset.name)
    if done is not None:
        customers_file.drop()
        result = done.status()["result"]
        if result.get("removed"):
            outcomes.say(t("customers.removed"))
        else:
            outcomes.say(t("customers.done", matched=f"{result['matched']:,}", customers=f"{result['customers']:,}"))
        st.rerun()


def show(dataset: Dataset) -> None:
    """Show the table that the dataset has, and offer to add one."""
    table = dataset.manifest.customers_table
    if table is not None:
        _held(dataset, table)
    st.markdown(f"**{t('customers.replace' if table else 'customers.headline')}**")
    st.caption(t("customers.why"))
    job = progress.current("customers", dataset.name)
    if job is not None and _leaked(job):
        _leak(dataset, job)
        return
    if job is not None and _asks(job):
        questions.of_run(job, partial(_answered, job))
        st.button(t("leak.back"), key="customers_back", type="tertiary", on_click=state.unfollow, args=[job])
        return
    file = customers_file.chosen()
    if file is None:
        _choose()
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f":material/description: **{widgets.plain(file.path.name)}**", width="content")
        st.button(t("upload.another"), icon=":material/close:", key="another_customers", on_click=customers_file.drop)
    _columns(dataset, file)


def _held(dataset: Dataset, table: dict[str, Any]) -> None:
    known = {"file": widgets.plain(table["file"]), "matched": f"{table['matched']:,}"}
    share = table["matched"] / max(1, dataset.manifest.customers)
    st.markdown(t("customers.held", share=saying.percent(share), log=f"{dataset.manifest.customers:,}", **known))
    on = [
        t("customers.dated", column=item["name"], date=item["dated_by"]) if item["dated_by"] else item["name"]
        for item in table["attributes"]
    ]
    lines = {
        "customers.attributes": on,
        "customers.contacts": [saying.name_of("contact", name) for name in table["contacts"]],
        "customers.off": table["off"],
        "customers.accepted": table["accepted"],
    }
    for key, names in lines.items():
        if names:
            st.caption(t(key, names=widgets.plain(saying.listed(names))))
    may = by_role.if_may("change")
    if st.button(t("customers.remove"), icon=":material/delete:", key="customers_remove", **may):
        state.start_job(["customers", "--dataset", dataset.name, "--remove"], dataset.name)
        st.rerun()


def _choose() -> None:
    with st.container(border=True):
        key = f"customers_uploader_{st.session_state.get('customers_round', 0)}"
        upload = st.file_uploader(t("customers.drop"), key=key, **by_role.if_may("change"))
        if upload is not None:
            customers_file.take_upload(upload)
            st.rerun()
        with st.form("customers_path", border=False):
            text = st.text_input(t("customers.path"), key="customers_path_text")
            if st.form_submit_button(t("upload.path.open"), **by_role.if_may("change")):
                try:
                    customers_file.take_path(text)
                except ClvError as error:
                    widgets.error_box(error)
                    return
                st.rerun()


def _columns(dataset: Dataset, file: CustomersFile) -> None:
    """Ask what each column is used as; attributes are off unless they are switched on."""
    header = st.session_state.get(customers_file.HEADER)
    try:
        found = customers_file.proposals(file.path, header, dataset.events_path)
    except NeedsAnswer as error:
        questions.ask(error.code, error.params, file.path, customers_file.answer)
        return
    words = {ID: t("customers.use.id"), OFF: t("customers.use.off")}
    dates = [item.column for item in found if item.kind == "date"]
    words |= {STATIC: t("customers.use.static")} | ({DATED: t("customers.use.dated")} if dates else {})
    words |= {name: saying.name_of("contact", name) for name in (*FIELDS, CONSENT)}
    table = pd.DataFrame(
        {
            "column": [item.column for item in found],
            "samples": [" · ".join(item.samples[:3]) for item in found],
            "use": [_proposed(item) for item in found],
            "since": ["" for _ in found],
        }
    )
    config = st.column_config
    key = f"customers_columns_{file.folder.name}_{header}"
    edited = st.data_editor(
        table,
        key=key,
        hide_index=True,
        disabled=["column", "samples"],
        column_order=["column", "samples", "use", *(["since"] if dates and _any_dated(key) else [])],
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
        st.warning(t("customers.undated", columns=widgets.plain(saying.listed(undated))), icon=":material/event:")
    hidden = dataset.manifest.pseudonymised or st.toggle(t("customers.pseudonymise"), key="customers_pseudonymise")
    may = by_role.if_may("change", disabled=bool(undated))
    if st.button(t("customers.add", name=widgets.plain(dataset.name)), type="primary", key="customers_add", **may):
        more = [*(["--pseudonymise"] if hidden else []), *option_words(Answers(header=header))]
        command = ["customers", str(file.path), "--dataset", dataset.name, *_uses(found, uses).words(), *more]
        state.start_job(command, dataset.name)
        st.rerun()


def _any_dated(key: str) -> bool:
    """Say whether a column was said to be dated in the table of this key: only then is asked since when."""
    edits = st.session_state.get(key, {}).get("edited_rows", {})
    return any(row.get("use") == DATED for row in edits.values())


def _proposed(item: RoleProposal) -> str:
    return ID if item.role == "id" else item.field if item.role == "contact" else OFF


def _uses(found: list[RoleProposal], uses: dict[str, tuple[str, str]]) -> Uses:
    contacts = {use: column for column, (use, _) in uses.items() if use in (*FIELDS, CONSENT)}
    dropped = {item.field: "" for item in found if item.field and item.field not in contacts and not _both(item, uses)}
    return Uses(
        customer_id=next((column for column, (use, _) in uses.items() if use == ID), ""),
        static=[column for column, (use, _) in uses.items() if use == STATIC],
        dated={column: since for column, (use, since) in uses.items() if use == DATED and since},
        contacts={**contacts, **dropped},
    )


def _both(item: RoleProposal, uses: dict[str, tuple[str, str]]) -> bool:
    """Say whether a place is an attribute and stays in the lists too."""
    return item.field in PLACES and uses[item.column][0] in (STATIC, DATED)


def _leaked(job: jobs.Job) -> bool:
    status = job.status()
    return status["state"] == jobs.FAILED and status["error"]["code"] in LEAKS


def _asks(job: jobs.Job) -> bool:
    """Say whether the run ended with a question of a few words, such as the order of dates."""
    status = job.status()
    return status["state"] == jobs.FAILED and status["error"]["code"] in questions.CHOICES


def _answered(job: jobs.Job, **given: Any) -> None:
    status = job.status()
    state.start_job([*status["args"], *option_words(Answers(**given))], status["label"])


def _leak(dataset: Dataset, job: jobs.Job) -> None:
    """Say which attribute knows the future and why, and offer to leave it out or, in so many words, to use it."""
    status = job.status()
    params = status["error"]["params"]
    columns = _leaking(status["args"], params)
    names = widgets.plain(saying.listed(columns))
    with st.container(border=True):
        widgets.error_box(status["error"])
        start, leave = partial(_again, dataset, status["args"]), t("leak.without", columns=names)
        may = by_role.if_may("change")
        st.button(leave, type="primary", key="leak_without", on_click=start, args=[columns], **may)
        sure = st.checkbox(t("leak.sure", columns=names), key="leak_sure")
        may = by_role.if_may("change", disabled=not sure)
        st.button(t("leak.use"), key="leak_use", on_click=start, args=[[], columns], **may)
        st.button(t("leak.back"), key="leak_back", type="tertiary", on_click=state.unfollow, args=[job])


def _leaking(args: list[str], params: dict[str, Any]) -> list[str]:
    """Return the attributes on the command line that the error names."""
    on = [column for word in args if (column := _attribute(word))]
    named = {*params["named"], *params["untested"], *(one.rpartition(" (")[0] for one in params["measured"])}
    return [column for column in on if column in named]


def _again(dataset: Dataset, args: list[str], without: list[str], accept: Sequence[str] = ()) -> None:
    """Start the run again without some attributes, or with some that were refused."""
    kept = [word for word in args if _attribute(word) not in without]
    state.start_job([*kept, *(f"--accept={column}" for column in accept)], dataset.name)


def _attribute(word: str) -> str | None:
    """Return the attribute that a word of the command line switches on, None for any other word."""
    option, _, value = word.partition("=")
    return {"--static": value, "--dated": value.rpartition("=")[0]}.get(option)

"""Sources: where does my log come from, and is it up to date?"""

from __future__ import annotations

import secrets
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import streamlit as st

from clv_core import audit, jobs, reader_process
from clv_core.collection import Check
from clv_core.collection.sources import (
    APPEND,
    KINDS,
    REPLACE,
    Source,
    add_source,
    change_source,
    changes_of,
    list_sources,
    load_state,
    remove_source,
    update_source,
)
from clv_core.errors import ClvError
from clv_core.i18n import without_options
from clv_core.preprocessing import check_sample, comparison, note_role, said_of, sample, with_order_column
from pages.ui import access, cells, confirmation, flash, i18n, progress, received, session, widgets
from pages.ui.confirmation import Confirmation
from pages.ui.i18n import t
from pages.ui.upload import questions

PREVIEW: Final = "source_preview"
"""Session key of the previewed source: its name, and where its first rows lie."""
FIELDS: Final = (
    *("kind", "where", "what", "name", "dataset", "grows", "time_column", "order_column", "look_back"),
    *("secret", "ca", "tls"),
)
"""Fields of the form; each widget's key is ``source_<field>``."""
MAX_QUERY_CHARACTERS: Final = 60
"""Characters of a query that are shown."""


def headline(sources: list[Source]) -> str:
    states = [load_state(session.workspace(), source.name) for source in sources]
    failed = [source.name for source, state in zip(sources, states, strict=True) if state.error]
    if failed:
        return t("sources.headline.failed", names=list(map(widgets.escape, failed)))
    latest = max((state.refreshed for state in states), default="")
    if not latest:
        return t("sources.headline.none" if not sources else "sources.headline.unread", n=len(sources))
    return t("sources.headline", n=len(sources), when=i18n.moment(latest))


def _kind_name(kind: str) -> str:
    return KINDS[kind].title or t("sources.kind.folder")


def show(source: Source) -> None:
    """Show one source: where it is, how its last run ended, and what can be done with it."""
    state = load_state(session.workspace(), source.name)
    with st.container(border=True):
        st.markdown(f"**{widgets.escape(source.name)}** → {widgets.escape(source.dataset)}")
        facts = (source.host, " ".join(source.what.split())[:MAX_QUERY_CHARACTERS], source.time_column)
        where = [widgets.escape(fact) for fact in facts if fact and access.may("connect")]
        way = t(f"sources.grows.{source.grows}")
        st.caption(" · ".join([_kind_name(source.kind), *where, way]))
        if state.refreshed:
            counts = {"rows": state.rows, "new": state.new_rows, "seconds": state.seconds}
            st.write(t("sources.refreshed", when=i18n.moment(state.refreshed), **counts))
        elif not state.error:
            st.write(t("sources.unread"))
        if compared := comparison(source, state):
            st.caption(widgets.escape(compared.display(session.language())))
        if not KINDS[source.kind].dialect:
            st.caption(t("sources.files_only"))
        if state.error:
            st.write(t("sources.failed", when=i18n.moment(state.failed)))
            widgets.show_error(state.error)
        for message in [*state.role, *state.warnings]:
            noticed = without_options(widgets.warning_text(message.coded()))
            st.warning(widgets.escape(noticed), icon=":material/warning:")
        with st.container(horizontal=True):
            may = access.if_may("change")
            label, key = t("sources.run"), f"run_{source.name}"
            if st.button(label, key=key, icon=":material/sync:", type="primary", **may):
                progress.start_job(["source", "run", source.name], source.name)
                st.rerun()
            if any(item.code == "warning.source_late" for item in state.warnings):
                label, key = t("sources.run_all"), f"run_all_{source.name}"
                if st.button(label, key=key, icon=":material/sync_alt:", **may):
                    progress.start_job(["source", "run", source.name, "--all"], source.name)
                    st.rerun()
            label, key = t("sources.preview"), f"preview_{source.name}"
            previewed = st.button(label, key=key, icon=":material/visibility:", **may)
            removing = Confirmation(
                t("sources.remove.sure", name=source.name),
                t("sources.remove.why", dataset=source.dataset),
                t("sources.remove"),
                partial(_remove, source.name),
            )
            confirmation.button(
                removing,
                t("sources.remove"),
                f"remove_{source.name}",
                icon=":material/delete:",
                **access.if_may("connect"),
            )
        if previewed:
            _take_sample(source)
        if st.session_state.get(PREVIEW, ("",))[0] == source.name:
            _show_preview(source, Path(st.session_state[PREVIEW][1]))


def _take_sample(source: Source) -> None:
    uploads = session.workspace().folder("uploads")
    received.sweep(uploads)
    folder = session.workspace().folder("uploads", secrets.token_hex(6))
    try:
        with st.spinner(t("sources.connecting")):
            st.session_state[PREVIEW] = (source.name, str(sample(source, folder)))
    except ClvError as error:
        widgets.show_error(error)


def _show_preview(source: Source, path: Path) -> None:
    """Show how the first rows would be read, or the question that they leave open."""
    try:
        work = session.workspace()
        checked: Check = reader_process.run(work, path, check_sample, work, source, path)
    except ClvError as error:
        question = questions.find_question(error)
        if question:
            questions.ask(*question, path, partial(_say, source))
        else:
            widgets.show_error(error)
        return
    st.markdown(f"**{t('sources.preview.rows', rows=checked.manifest.rows_read)}**")
    mapping = [
        i18n.with_label(i18n.name_of("canonical", name), column) for name, column in checked.manifest.mapping.items()
    ]
    st.caption(widgets.accounting(checked.manifest) + "  \n" + widgets.escape(i18n.join_names(mapping)))
    cells.table(checked.first_rows.head(5), t("sources.preview.rows", rows=checked.manifest.rows_read))


def _say(source: Source, **given: Any) -> None:
    """Keep an answer with the source."""
    access.require("change")
    update_source(session.workspace(), said_of(source, **given))


def _remove(name: str) -> None:
    access.require("connect")
    remove_source(session.workspace(), name)
    audit.set_actor(access.current_user())
    audit.note(session.workspace(), "source remove", source=name, outcome="done")


def form() -> None:
    """Offer to save a source, with the fields that its kind has."""
    kind = st.selectbox(t("sources.kind"), list(KINDS), format_func=_kind_name, key="source_kind")
    about = KINDS[kind]
    if not about.is_tested:
        st.caption(f":material/info: {t('sources.untested')}")
    left, right = st.columns(2)
    with left:
        st.text_input(t("sources.where"), key="source_where", placeholder=about.address, help=t("sources.where.help"))
        if about.dialect:
            st.text_area(t("sources.table"), key="source_what", height=98, help=t("sources.table.help"))
        elif kind in ("folder", "s3"):
            st.text_input(t("sources.pattern"), key="source_what", placeholder="orders-*.csv")
        if not about.is_local:
            reference = "env:SHOP_PASSWORD"
            st.text_input(
                t("sources.secret"), key="source_secret", placeholder=reference, help=t("sources.secret.help")
            )
    with right:
        st.text_input(t("sources.name"), key="source_name")
        st.text_input(t("sources.dataset"), key="source_dataset", help=t("sources.dataset.help"))
        grows = widgets.choose(
            t("sources.grows"), {mode: t(f"sources.grows.{mode}") for mode in (APPEND, REPLACE)}, "source_grows"
        )
        if about.dialect and grows == APPEND:
            st.text_input(t("sources.time_column"), key="source_time_column", help=t("sources.time_column.help"))
            st.number_input(
                t("sources.look_back"), 0, 3650, 3, key="source_look_back", help=t("sources.look_back.help")
            )
            st.text_input(t("sources.order_column"), key="source_order_column", help=t("sources.order_column.help"))
        if about.dialect and not about.is_local and about.is_tested:
            st.toggle(t("sources.tls"), True, key="source_tls")
            st.text_input(t("sources.ca"), key="source_ca", help=t("sources.ca.help"))
    if st.button(
        t("sources.save"), type="primary", icon=":material/save:", key="source_save", **access.if_may("connect")
    ):
        _save(kind)


def _save(kind: str) -> None:
    access.require("connect")
    given = {field: st.session_state.get(f"source_{field}") for field in FIELDS}
    fields = ("where", "what", "name", "time_column", "order_column", "secret", "ca")
    texts: dict[str, Any] = {field: str(given[field] or "").strip() for field in fields}
    try:
        if KINDS[kind].is_local or (kind == "shopify" and "://" not in texts["where"]):
            texts["where"] = str(received.checked_path(texts["where"]))
        look_back, tls = int(given["look_back"] or 0), given["tls"] is not False
        dataset = str(given["dataset"] or "").strip() or texts["name"]
        source = Source(
            kind=kind, dataset=dataset, grows=str(given["grows"]), look_back_days=look_back, tls=tls, **texts
        )
        source.check()
        before = next(
            (existing for existing in list_sources(session.workspace()) if existing.name == source.name), None
        )
        if before is not None:
            source = replace(source, answers=before.answers)
            _ask_to_change(before, source)
            return
        with st.spinner(t("sources.connecting")):
            source = with_order_column(source)
        add_source(session.workspace(), source)
        _finish_saving(source)
    except ClvError as error:
        widgets.show_error(error)
        return
    st.rerun()


def _ask_to_change(before: Source, source: Source) -> None:
    """Open the dialog with the changes to a source, or show that there are none."""
    changes = changes_of(before, source)
    if not changes:
        st.info(t("sources.same", name=widgets.escape(source.name)))
        return
    lines = [f"- {t(f'sources.field.{key}')}: {_value(old)} → {_value(new)}" for key, (old, new) in changes.items()]
    title = t("sources.change.sure", name=widgets.escape(source.name))
    dialog = Confirmation(title, "\n".join(lines), t("sources.change"), partial(_change, source))
    st.session_state[confirmation.OPEN] = dialog
    st.rerun()


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return t("sources.yes" if value else "sources.no")
    return widgets.escape(str(value)) if value not in ("", None) else "–"


def _change(source: Source) -> None:
    access.require("connect")
    change_source(session.workspace(), source)
    _finish_saving(source)


def _finish_saving(source: Source) -> None:
    """Look at what the source's role may do, note that it was saved, and say so."""
    with st.spinner(t("sources.connecting")):
        note_role(session.workspace(), source)
    audit.set_actor(access.current_user())
    audit.note(session.workspace(), "source add", source=source.name, dataset=source.dataset, outcome="done")
    flash.say(t("sources.saved", name=source.name))


done = flash.follow("source")
if done is not None and done.status().state == jobs.DONE:
    result = done.status().result
    flash.say(t("sources.done", dataset=result["dataset"], new=result["rows_new"]))
    session.choose(dataset=result["dataset"])
    st.rerun()
flash.show()
sources = list_sources(session.workspace())
widgets.headline(headline(sources), t("sources.context"))
for each_source in sources:
    show(each_source)
if access.may("connect"):
    with st.expander(t("sources.add"), icon=":material/add:", expanded=not sources):
        form()
elif not sources:
    st.info(access.ask_for("connect"), icon=":material/lock:")

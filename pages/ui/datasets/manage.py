"""The dataset in use on its page: what it holds, its versions, its name and currency, its combination and its end."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd
import streamlit as st

from clv_core.collection.store import LONGEST, Dataset, Manifest
from clv_core.collection.store import version_store as store
from clv_core.errors import ClvError, Refused
from clv_core.i18n import without_options
from clv_core.strategy.audiences import is_cached_scores
from clv_core.upkeep import KEEP, plan_pruning, prune, relabel, remaining
from clv_core.workspace import check_name
from pages.ui import access, cells, confirmation, flash, i18n, progress, session, sidebar, widgets
from pages.ui.confirmation import Confirmation
from pages.ui.i18n import t
from pages.ui.upload import save


def follow() -> None:
    """Watch a run that combines, renames or deletes, and say how it ended."""
    for command in ("combine", "rename", "delete"):
        job = flash.follow(command)
        if job is None:
            continue
        result = job.status().result
        name = str(result.get("dataset", ""))
        params = {"name": widgets.escape(name or job.status().label)}
        if command == "combine":
            params["rows"] = f"{result['rows_kept']:,}"
        sentence = t(f"manage.{command}.done", **params)
        if result.get("remains"):
            sentence += f" {t('manage.delete.holds')}  \n{_places(result['remains'])}"
        flash.say(sentence)
        sidebar.forget_replacement()
        if command != "delete":
            session.choose(dataset=name)
        st.rerun()


def about(dataset: Dataset) -> None:
    """Say what the dataset holds, where it comes from, and what was noticed while reading."""
    facts = dataset.manifest
    made = _made(facts)
    if facts.pseudonymised:
        made = f"{made}; {t('datasets.pseudonymised')}"
    dates = {"first": i18n.day(dataset.log_start), "last": i18n.day(dataset.last_day)}
    when = i18n.moment(facts.created)
    source = t("datasets.from", source=widgets.escape(_source(facts)), when=when, made=made, **dates)
    widgets.headline(
        t(
            "datasets.headline",
            name=widgets.escape(dataset.name),
            revenue=i18n.money(facts.net_revenue, facts.currency),
            customers=i18n.count(facts.customers),
            bought=i18n.orders(facts),
            days=f"{(dataset.log_end - dataset.log_start).days:,}",
        ),
        source,
    )
    st.markdown(widgets.accounting(facts))
    if facts.messages:
        with st.expander(t("datasets.noticed", n=len(facts.messages)), icon=":material/info:"):
            for message in facts.messages:
                sentence = i18n.message_text(replace(message, params=i18n.named_params(message.params)))
                st.markdown(f"- {widgets.escape(without_options(sentence))}")
    with st.container(horizontal=True):
        save.offer_adding("to_upload")
        if facts.rows_set_aside:
            save.download_rejected(dataset)


def _made(facts: Manifest) -> str:
    """Return how a version came about; one made by cleaning with no rule on is cleaning undone."""
    return t("made.uncleaned" if facts.made == "clean" and not facts.rules else f"made.{facts.made}")


def _source(facts: Manifest) -> str:
    """Return the files that a dataset is made of, in a row."""
    files = [part.source for part in facts.parts]
    return i18n.join_names(files) if files and facts.source == ", ".join(files) else facts.source


def versions(dataset: Dataset) -> None:
    """List all versions, and offer to return to one or to delete the earliest."""
    all_versions = store.versions(session.workspace(), dataset.name)
    if len(all_versions) == 1:
        st.caption(t("versions.one"))
        return
    st.markdown(f"**{t('versions.headline', n=len(all_versions))}**")
    revenue = t("column.net_revenue")
    table = pd.DataFrame(
        {
            t("versions.when"): [i18n.moment(item.manifest.created) for item in all_versions],
            t("versions.made"): [_made(item.manifest) for item in all_versions],
            t("versions.rows"): [item.manifest.rows_kept for item in all_versions],
            t("column.customers"): [item.manifest.customers for item in all_versions],
            t("column.orders"): pd.array([item.manifest.orders for item in all_versions], "Int64"),
            t("column.lines"): [item.manifest.lines for item in all_versions],
            revenue: [item.manifest.net_revenue for item in all_versions],
            t("versions.version"): [item.version for item in all_versions],
            t("versions.in_use"): [item.version == dataset.version for item in all_versions],
        }
    )
    counts = ("versions.rows", "column.customers", "column.orders", "column.lines")
    columns = {t(key): cells.integer() for key in counts}
    columns[revenue] = cells.money(revenue, dataset.manifest.currency)
    cells.table(table, t("datasets.what.versions"), columns)
    other_versions = {item.version: item for item in all_versions if item.version != dataset.version}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        labels = {version: _version_label(item.manifest) for version, item in other_versions.items()}
        selected_version = widgets.select(t("versions.return"), labels, "return_to")
        question = Confirmation(
            question=t("versions.return.sure", when=i18n.moment(other_versions[selected_version].manifest.created)),
            consequence=t("versions.return.why", name=widgets.escape(dataset.name)),
            label=t("versions.use"),
            act=partial(_restore, dataset.name, selected_version),
        )
        may = access.if_may("change")
        confirmation.button(question, t("versions.use"), "restore", icon=":material/history:", **may)
    _offer_pruning(dataset, len(all_versions))


def _version_label(facts: Manifest) -> str:
    return f"{i18n.moment(facts.created)} · {_made(facts)} · {t('versions.of_rows', rows=facts.rows_kept)}"


def _restore(name: str, version: str) -> None:
    access.require("change")
    restored = store.restore(session.workspace(), name, version)
    flash.say(t("versions.done", name=widgets.escape(name), when=i18n.moment(restored.manifest.created)))


def _offer_pruning(dataset: Dataset, count: int) -> None:
    """Offer to keep only some of a dataset's ``count`` versions, two at least, and free the room of the others."""
    with st.expander(t("older.headline"), icon=":material/delete_sweep:"):
        usual = min(KEEP, count - 1)
        keep = int(st.number_input(t("older.keep"), 1, count - 1, usual, key=f"keep_{dataset.name}_{count}", width=360))
        plan = plan_pruning(session.workspace(), dataset.name, keep)
        if not plan.removed:
            st.caption(t("older.nothing"))
            return
        facts = {"n": len(plan.removed), "all": count, "size": i18n.size(plan.size)}
        last = i18n.moment(plan.removed[0].manifest.created)
        st.markdown(t("older.what", last=last, **facts))
        question = Confirmation(
            question=t("older.sure", **facts),
            consequence=f"{t('older.what', last=last, **facts)}\n\n{t('older.stays')}",
            label=t("older.button"),
            act=partial(_prune, dataset.name, keep, t("older.done", name=widgets.escape(dataset.name), **facts)),
        )
        may = access.if_may("delete")
        confirmation.button(question, t("older.button"), "older_remove", icon=":material/delete_sweep:", **may)


def _prune(name: str, keep: int, done: str) -> None:
    access.require("delete")
    prune(session.workspace(), name, keep=keep)
    flash.say(done)


def combine(dataset: Dataset) -> None:
    """Offer to make one new dataset of several; they stay."""
    names = [item.name for item in session.newest_datasets()]
    st.markdown(f"**{t('combine.headline')}**")
    if len(names) < 2:
        st.caption(t("combine.alone"))
        return
    with st.form("combine", border=True):
        hint = t("streamlit.choose_several")
        selected_names = st.multiselect(
            t("combine.which"), names, default=[dataset.name], key="combine_names", placeholder=hint
        )
        new = st.text_input(t("combine.name"), max_chars=64, key="combine_new", help=t("upload.name.help"))
        st.caption(t("combine.why"))
        may = access.if_may("change")
        if not st.form_submit_button(t("combine.button"), type="primary", icon=":material/join:", **may):
            return
    if len(selected_names) < 2:
        st.warning(t("combine.two"), icon=":material/warning:")
        return
    new = check_name(new)
    if (session.workspace().datasets / new).exists():
        widgets.show_error(Refused("combine_name_taken", new=new))
        return
    progress.start_job(["combine", *selected_names, "--name", new], new)
    st.rerun()


def manage(dataset: Dataset) -> None:
    """Offer another name, another currency, and deletion."""
    _rename(dataset)
    _relabel(dataset)
    _delete(dataset)


def _rename(dataset: Dataset) -> None:
    with st.container(border=True):
        new = st.text_input(t("manage.rename"), dataset.name, max_chars=64, key=f"new_name_{dataset.name}").strip()
        changed = new != dataset.name
        try:
            check_name(new)
        except ClvError as error:
            widgets.show_error(error)
            changed = False
        names = {"name": widgets.escape(dataset.name), "new": widgets.escape(new)}
        question = Confirmation(
            question=t("manage.rename.sure", **names),
            consequence=t("manage.rename.why", **names),
            label=t("manage.rename.button"),
            act=partial(progress.start_job, ["rename", dataset.name, new], dataset.name),
        )
        may = access.if_may("change", disabled=not changed)
        confirmation.button(question, t("manage.rename.button"), "rename", icon=":material/edit:", **may)


def _relabel(dataset: Dataset) -> None:
    before = dataset.manifest.currency
    with st.form("currency", border=True):
        currency = st.text_input(
            t("manage.currency"),
            before,
            max_chars=LONGEST,
            help=t("manage.currency.help"),
            key=f"currency_{dataset.name}_{dataset.version}",
        )
        may = access.if_may("change")
        pressed = st.form_submit_button(t("manage.currency.button"), icon=":material/payments:", **may)
    if not pressed or currency.strip() == before:
        return
    access.require("change")
    try:
        relabelled, _ = relabel(session.workspace(), dataset.name, currency)
    except ClvError as error:
        widgets.show_error(error)
        return
    key = "manage.currency.done" if relabelled.currency else "manage.currency.none"
    flash.say(t(key, name=widgets.escape(dataset.name), currency=widgets.escape(relabelled.currency)))
    st.rerun()


def _delete(dataset: Dataset) -> None:
    name, models = widgets.escape(dataset.name), session.models()
    with st.container(border=True):
        st.markdown(f":red[:material/delete_forever: **{t('manage.delete')}**]  \n{t('manage.delete.why')}")
        also = bool(models) and st.checkbox(t("manage.delete.models", n=len(models)), key="delete_models")
        consequence = [t("manage.delete.why")]
        if models:
            consequence.append(t("manage.delete.with_models" if also else "manage.delete.models_stay", n=len(models)))
        holders = list(remaining(session.workspace(), dataset.name, models=also))
        if holders:
            consequence.append(f":orange[:material/warning:] {t('manage.delete.holds')}  \n{_places(holders)}")
        question = Confirmation(
            question=t("manage.delete.sure", name=name),
            consequence="\n\n".join(consequence),
            label=t("manage.delete.button", name=name),
            act=partial(progress.start_job, ["delete", dataset.name, *(["--models"] if also else [])], dataset.name),
            typed=dataset.name,
        )
        icon, may = ":material/delete_forever:", access.if_may("delete")
        confirmation.button(question, t("manage.delete.button", name=name), "delete_for_good", icon=icon, **may)


def _places(holders: list[dict[str, str]]) -> str:
    return "  \n".join(dict.fromkeys(map(_place, holders)))


def _place(holder: dict[str, str]) -> str:
    """Return what still holds ids: a file by its name, as its path on the server means nothing to the reader."""
    kind, name = holder["kind"], holder["name"]
    if kind == "export":
        name = Path(name).name
        kind = "scores" if is_cached_scores(name) else kind
    return i18n.with_label(t(f"holds.{kind}"), widgets.escape(name))

"""The choices of a browser session: language, dataset, model.

A choice lives in session state under its widget's key and in the address, so that a link opens what its sender saw.
So do the runs that were started here: a page that was loaded anew, or a second tab, goes on with them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from clv_core import jobs
from clv_core.collection.privacy import SuppressionList
from clv_core.collection.sources import list_sources, load_state
from clv_core.collection.store import CURRENT, Dataset, list_datasets
from clv_core.deployment import BACKTEST_FILE, Bundle, Scored, backtest_folder, grades_of, list_bundles, trust_of
from clv_core.deployment.registry import Registry, Version, path_of
from clv_core.errors import ClvError, NotFound
from clv_core.evaluation import Grade, Question, Trust
from clv_core.i18n import DEFAULT_LANGUAGE, LANGUAGES, closest_language
from clv_core.scratch import work_in
from clv_core.upkeep import migrate_old_layout
from clv_core.workspace import Workspace

T = TypeVar("T")
CHOICES: Final = ("lang", "dataset", "model")
RUN: Final = "run"
"""Names a followed run in the address, once for each."""
FOLLOWED: Final = (
    "ingest",
    "source",
    "schedule",
    "demo",
    "combine",
    "rename",
    "delete",
    "models",
    "erase",
    "customers",
    "clean",
    "train",
    "tune",
)
"""Commands whose end a page shows to the person who started them."""


def begin() -> None:
    """Settle language, dataset and model before anything is drawn: what a page requested, then the address.

    Whether dataset and model are there is seen to by :func:`pages.ui.sidebar.resolve`.
    """
    work_in(workspace())
    if "kept" not in st.session_state:
        _follow_address()
    remembered = {**st.query_params.to_dict(), **st.session_state.get("kept", {})}
    for key in CHOICES:
        if key not in st.session_state and key in remembered:
            st.session_state[key] = remembered[key]
        if _went_back(key):
            st.session_state[key] = st.query_params[key]
    for key, value in st.session_state.pop("requested", {}).items():
        st.session_state[key] = value
    if st.session_state.get("lang") not in LANGUAGES:
        st.session_state["lang"] = closest_language(st.context.locale)
    if st.session_state.get("kept", {}).get("lang", language()) != language():
        _relabel_choices()


def publish() -> None:
    """Keep the choices and write them into the address, all at once: each writing is an entry of the browser's history.

    A page switch drops widgets and empties the address. What is written before the menu is drawn costs it no entry
    of its own: the browser opens the page under the address set by then.
    """
    st.session_state["kept"] = {key: st.session_state[key] for key in CHOICES if st.session_state.get(key) is not None}
    other_parameters = {key: st.query_params.get_all(key) for key in st.query_params if key not in (*CHOICES, RUN)}
    target = {**address(), **other_parameters}
    if target != {key: st.query_params.get_all(key) for key in st.query_params}:
        st.query_params.from_dict(target)


def address(**more: str) -> dict[str, list[str]]:
    """Return the address of this session: its choices, also requested ones, its runs, and ``more``."""
    choices = {**st.session_state.get("kept", {}), **st.session_state.get("requested", {}), **more}
    parameters = {key: [value] for key, value in choices.items()}
    runs = [job.id for job in map(followed, FOLLOWED) if job is not None]
    return {**parameters, RUN: runs} if runs else parameters


def choose(**choices: str) -> None:
    """Ask for another dataset or model from the next run on (the widgets of this run are drawn already).

    "" is whichever comes first.
    """
    st.session_state["requested"] = choices


def workspace() -> Workspace:
    """Return the workspace that ``$CLV_WORKSPACE`` names."""
    work = Workspace.default()
    if work.has_old_layout:
        migrate_old_layout(work)
    return work


def once(name: str, make: Callable[[], T], *files: Path) -> T:
    """Return what ``make`` returns, made once in a run of the page, or of a fragment.

    Args:
        name: of the value.
        make: opens files that many parts of a page need.
        files: and folders; if one of them was written since, the value is made again.
    """
    context = get_script_run_ctx()
    if context is None:
        return make()
    values: dict[tuple[object, ...], Any]
    run, values = getattr(context, "clv_values", (None, {}))
    if run is not context.cursors:  # Streamlit begins each run with new cursors
        values = {}
        context.clv_values = (context.cursors, values)  # type: ignore[attr-defined]
    key = (name, *map(_written, files))
    if key not in values:
        values[key] = make()
    value: T = values[key]
    return value


def _written(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def newest_datasets() -> list[Dataset]:
    """Return all datasets, the newest first."""
    work = workspace()
    datasets = once("datasets", lambda: list_datasets(work), *sorted(work.place("datasets").glob(f"*/{CURRENT}")))
    return sorted(datasets, key=lambda item: item.manifest.created, reverse=True)


def refreshed(dataset: Dataset) -> str:
    """Return when a source of a dataset was last read to its end, else when its version was made; ISO UTC."""
    work = workspace()
    read = (load_state(work, source.name).refreshed for source in list_sources(work) if source.dataset == dataset.name)
    return max((dataset.manifest.created, *read))


def dataset() -> Dataset | None:
    """Return the dataset in use."""
    name = st.session_state.get("dataset")
    return next((item for item in newest_datasets() if item.name == name), None)


def models() -> list[Bundle]:
    """Return the models of the dataset in use that are not archived, the newest first."""
    name, versions = st.session_state.get("dataset"), versions_by_model()
    work = workspace()
    bundles = [] if name is None else once("bundles", lambda: list_bundles(work), work.place("models"))
    return [
        item
        for item in bundles
        if item.record.dataset.name == name and not (item.id in versions and versions[item.id].archived)
    ]


def versions_by_model() -> dict[str, Version]:
    """Return all versions by their model's id; none if the registry cannot be read.

    The models page shows what is wrong with it; models can be used without it.
    """
    work = workspace()
    return once("versions", _registered, path_of(work), work.place("models"))


def _registered() -> dict[str, Version]:
    try:
        versions = Registry(workspace()).versions()
    except ClvError:
        return {}
    return {version.bundle: version for version in versions}


def model() -> Bundle | None:
    """Return the model in use."""
    return next((item for item in models() if item.id == st.session_state.get("model")), None)


def scored(dataset: Dataset, bundle: Bundle) -> Scored:
    """Return a dataset as a model scores it, as of the log's end, for the trained horizon."""
    return Scored.of(workspace(), dataset, bundle)


def trust(bundle: Bundle) -> Trust:
    """Return whether a model may be trusted, by its training and the comparison made since."""
    work = workspace()
    return once(f"trust {bundle.id}", lambda: trust_of(work, bundle), backtest_folder(work, bundle) / BACKTEST_FILE)


def grades(bundle: Bundle) -> dict[Question, Grade]:
    """Return how a model's ranking, total and probabilities hold, each by itself."""
    return grades_of(workspace(), bundle)


def follow(job: jobs.Job) -> None:
    """Make a run this session's last of its kind: its pages show it, and tell how it ends."""
    st.session_state[f"job_{job.status().command}"] = job.id


def followed(command: str) -> jobs.Job | None:
    """Return the run of ``command`` that this session follows."""
    return _job(st.session_state.get(f"job_{command}", ""))


def unfollow(job: jobs.Job) -> None:
    """Follow a run no more; one that is over is put away."""
    job.dismiss()
    if followed(job.status().command) == job:
        del st.session_state[f"job_{job.status().command}"]


def suppression_list() -> SuppressionList:
    """Return the suppression list, with those in the dataset in use whom it names by address; no page shows them."""
    return SuppressionList.of(workspace(), dataset())


def language() -> str:
    """Return the language of the page."""
    selected = st.session_state.get("lang", DEFAULT_LANGUAGE)
    return selected if selected in LANGUAGES else DEFAULT_LANGUAGE


def _relabel_choices() -> None:
    """Set every choice anew, so that the browser gets its label in the language that the page is in now.

    A browser sends labels, not values, and keeps the one that was chosen: in another language it is no option, and the
    choice would be lost. What was sent is read here by the labels of the run before. Streamlit refuses to set buttons
    (bool), tables (mappings) and uploads; an empty choice has no label.
    """
    for key, value in st.session_state.items():
        first = value[0] if isinstance(value, list) and value else value
        if not isinstance(first, bool | list | Mapping | UploadedFile | None):
            st.session_state[key] = value


def _went_back(key: str) -> bool:
    """Return whether the browser went back or forward to an address that names another choice than was given last.

    Any other run may come from a browser that does not know the latest address yet.
    """
    context, given = get_script_run_ctx(), st.session_state.get("kept", {}).get(key)
    went = context is not None and context.is_history_navigation
    return went and given is not None and st.query_params.get(key, given) != given


def _follow_address() -> None:
    """Follow the runs that the address names, except those whose end was shown."""
    for job in map(_job, st.query_params.get_all(RUN)):
        if job is not None and not job.status().put_away:
            follow(job)


def _job(job_id: str) -> jobs.Job | None:
    """Return a run, None where its folder was deleted."""
    try:
        return jobs.find(workspace(), job_id)
    except NotFound:
        return None

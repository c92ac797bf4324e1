"""A person's file: what a workspace holds of one customer, where each part came from, and when it goes.

It describes what it can read (:class:`PersonFile`) and names whatever else an erasure would find her in
(:func:`~clv_core.erasure.erase.search_workspace`). Of one who objected to profiling it has the data that are held: she
has no features, scores or segments.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from clv_core import audit
from clv_core.collection import connect_memory, file_text, local_time, one
from clv_core.collection.privacy import (
    CUSTOMERS,
    EVENTS,
    SET_ASIDE,
    VOIDED,
    LogSearch,
    SuppressionList,
    card_views,
    has_objected,
    note_card,
    objection_list,
    versions_in_use,
)
from clv_core.collection.store import MADE, Dataset, Manifest, list_datasets, open_dataset, versions
from clv_core.columns import AMOUNT, CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, PRODUCT_ID, QUANTITY
from clv_core.deployment import Bundle, Scored, find_explanation, list_bundles, saved_score_files
from clv_core.deployment.registry import Registry
from clv_core.erasure.certificate import certificates, salted
from clv_core.erasure.data_subjects import DataSubjects, find_data_subjects
from clv_core.erasure.erase import search_workspace
from clv_core.erasure.file_erasure import search
from clv_core.erasure.file_texts import id_place, read_table
from clv_core.erasure.version_erasure import versions_holding
from clv_core.errors import ClvError, NotFound
from clv_core.evaluation.explain import of_customer, reading
from clv_core.features import FEATURES, SOURCES, TEXTS, Engine, EventLog, LogContents, day_of, decoded
from clv_core.features import label as feature_label
from clv_core.i18n import has, say_day, say_money, say_number, say_share, translate
from clv_core.jobs import NoProgress, Progress
from clv_core.records import JsonObject
from clv_core.scratch import UPLOADS
from clv_core.strategy.audiences import LOG, Exported, ExportRecord, Side, export_log, log_export
from clv_core.strategy.campaigns import GroupsEnd, campaigns_of, groups_ends
from clv_core.strategy.destinations import Ledger, list_destinations
from clv_core.strategy.report import Report, Section, Table, html_page
from clv_core.strategy.segments import (
    DEFAULT_SCHEME,
    SEGMENT_NAME,
    TIER,
    load_rules,
    load_scored_customers,
    saved_rules,
    tier_labels,
)
from clv_core.upkeep import load_retention
from clv_core.workspace import Workspace, write_text

FORMAT: Final = "person"
"""Of a person's file in the export log, and its action in the audit log."""
NO_END: Final = "no_end"
"""When something goes of which no clock is set."""
WITH_MODEL: Final = "with_model"
"""When something goes that the current model or the one before it needs."""
CLOCKS: Final = {UPLOADS: "raw", "jobs": "jobs", "exports": "exports", "audit": "audit"}
"""Clocks of files, by the folder that they are in; what was made from a dataset has the one of scores."""
GROUP: Final = "group"
"""Column of an exported list that says who is in a control group."""
SCORE: Final = ("predicted_clv", "clv_p10", "clv_p90", "p_purchase", "horizon_days")
"""What is told of a score."""
TABLES: Final = {SET_ASIDE: "rejected", VOIDED: "withdrawn", CUSTOMERS: "customers_table"}
"""Tables of a version beside its events, and what the file calls her rows of each."""


@dataclass(frozen=True)
class PersonFile:
    """What is held of a person.

    Args:
        workspace: by which.
        subjects: the person, under all names.
        datasets: those that hold her, of the version in use.
        facts: everything that is the same in all languages, as JSON types.
    """

    workspace: Workspace
    subjects: DataSubjects
    datasets: tuple[Dataset, ...]
    facts: JsonObject

    def to_json(self, language: str) -> JsonObject:
        """Return all of it as JSON types; names of features, tiers and segments, and reasons, are in a language."""
        words = [_profile(self.workspace, dataset, self.subjects, language) for dataset in self.datasets]
        parts = zip(self.facts["datasets"], words, strict=True)
        return {**self.facts, "datasets": [{**facts, **profile} for facts, profile in parts]}

    def page(self, language: str) -> str:
        """Return it as an HTML page to read."""
        return html_page(_report(self.to_json(language), language))


def make_person_file(workspace: Workspace, customer: str, progress: Progress) -> PersonFile:
    """Return what a workspace holds of a person.

    Args:
        workspace: the workspace.
        customer: the id, as the person who asks writes it.
        progress: receives the progress.

    Raises:
        UsageError: no id.
        NotFound: nothing is held of her; or she was erased, and the certificate says what is left.
        Refused: a dataset holds pseudonyms and the key is not there.
    """
    names = [dataset.name for dataset in list_datasets(workspace)]
    progress.report("person_find", 0, 1)
    subjects = find_data_subjects(workspace, [customer], [item for name in names for item in versions(workspace, name)])
    held = {name: found for name in names if (found := versions_holding(workspace, name, subjects))}
    current = tuple(dataset for dataset in list_datasets(workspace) if dataset.name in held)
    clock = _Clock(workspace)
    progress.report("person_search", 0, 1)
    remains, unsure = search_workspace(workspace, subjects)
    facts: JsonObject = {
        "person": subjects.given[0],
        "also_called": sorted(subjects.ids - {subjects.given[0]}),
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "objected": _is_listed(objection_list, workspace, subjects, current)
        or any(has_objected(workspace, dataset, word) for dataset in current for word in subjects.ids),
        "do_not_contact": _is_listed(SuppressionList.of, workspace, subjects, current),
        "datasets": [_held(dataset, held[dataset.name], subjects, clock) for dataset in current],
        **_lists(workspace, subjects, set(held), clock),
        "card_views": [
            {fact: view.get(fact) for fact in ("at", "who", "dataset")}
            for word in sorted(subjects.ids)
            for view in card_views(workspace, word)
        ],
        "places": [
            {"kind": place.kind, "name": place.name, "goes": clock.of_place(place.kind, place.name)}
            for place in remains
            if place.kind != "process"
        ],
        "perhaps_in": [{"file": place.file, "column": place.column, "cells": place.cells} for place in unsure],
        "erasures": _erasures(workspace, subjects),
        "retention_days": load_retention(workspace).to_json(),
    }
    progress.report("person_search", 1, 1)
    if not any(facts[part] for part in ("objected", "do_not_contact", "datasets", "exports", "pushes", "places")):
        if facts["erasures"]:
            raise NotFound("person_erased", certificates=facts["erasures"])
        raise NotFound("person_unknown")
    return PersonFile(workspace, subjects, current, facts)


def write_person_file(found: PersonFile, folder: Path, languages: Sequence[str], language: str) -> tuple[Path, ...]:
    """Write a person's file as JSON and as a page in each language, and note it in both logs.

    Args:
        found: the file.
        folder: where; names of files do not name her.
        languages: of the pages.
        language: of the words in the JSON file.

    Returns:
        The files, the JSON first.
    """
    name = f"{FORMAT}-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
    folder.mkdir(parents=True, exist_ok=True)
    content = {folder / f"{name}.json": json_text(found, language)}
    content |= {folder / f"{name}.{each}.html": found.page(each) for each in languages}
    for path, written in content.items():
        write_text(path, written)
    files = tuple(content)
    log_export(found.workspace, Exported(files, folder / "none", 1, 1), FORMAT, side_of_person(found))
    note_person_file(found)
    return files


def json_text(found: PersonFile, language: str) -> str:
    """Return a person's file as the text of a JSON file."""
    return json.dumps(found.to_json(language), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def side_of_person(found: PersonFile) -> Side:
    """Return what the export log says of a person's file; it names nobody."""
    first = next(iter(found.datasets), None)
    if first is None:
        return Side("", "", "", "", 0, "")
    return Side(first.name, first.version, "", first.log_end.isoformat(), 0, first.manifest.currency)


def note_person_file(found: PersonFile) -> None:
    """Note in the audit log that a person's file was made, by the pseudonym that views of her card are noted by."""
    names = [dataset.name for dataset in found.datasets]
    held = found.facts["datasets"]
    rows = (row for part in held for row in (*part["events"], *part[TABLES[CUSTOMERS]]) if CUSTOMER_ID in row)
    as_stored = next((str(row[CUSTOMER_ID]) for row in rows), found.subjects.given[0])
    note_card(found.workspace, ", ".join(names), "", as_stored, FORMAT)


class _Clock:
    """When something goes, by the clocks of :mod:`clv_core.upkeep.retention`."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace, self.retention = workspace, load_retention(workspace)

    def after(self, kind: str, made: datetime) -> str:
        """Return the day on which something of a kind is due, ISO; or :data:`NO_END`."""
        days = self.retention.days(kind)
        return (made + timedelta(days=days)).date().isoformat() if days else NO_END

    def of_campaign(self, end: GroupsEnd) -> str:
        """Return the same of who was in a campaign."""
        return self.after("campaigns", datetime.combine(end.due, datetime.min.time(), UTC))

    def of_file(self, kind: str, path: Path) -> str:
        """Return the same of a file."""
        return self.after(kind, datetime.fromtimestamp(path.stat().st_mtime, UTC))

    def of_made(self, path: Path) -> str:
        """Return the same of what a model made; what the current one and the one before it need stays with them."""
        name, _, version, model = path.relative_to(self.workspace.datasets).parts[:4]
        with suppress(ClvError):  # a dataset that was deleted
            registry = Registry(self.workspace)
            needed = {item.bundle for item in (registry.champion(name), *registry.earlier(name)[:1]) if item}
            if model in needed and version in versions_in_use(self.workspace, open_dataset(self.workspace, name)):
                return WITH_MODEL
        return self.of_file("scores", path)

    def of_place(self, kind: str, name: str) -> str:
        """Return the same of what a search names."""
        path, parts = self.workspace.place(name), Path(name).parts
        if kind != "file" or not path.exists():
            return NO_END
        if path.match(f"datasets/*/{MADE}/*/*/*") or path.match(f"datasets/*/{MADE}/*/*/*/*"):
            return self.of_made(path)
        return self.of_file(CLOCKS[parts[0]], path) if parts[0] in CLOCKS else NO_END


def _is_listed(
    list_of: Callable[[Workspace, Dataset | None], SuppressionList],
    workspace: Workspace,
    subjects: DataSubjects,
    datasets: tuple[Dataset, ...],
) -> bool:
    """Return whether a person is on a list of people, by an id or by an address that a dataset has of her."""
    people = [list_of(workspace, dataset) for dataset in datasets] or [list_of(workspace, None)]
    return any(some.holds(word) for some in people for word in subjects.ids)


def _held(dataset: Dataset, stored: list[Dataset], subjects: DataSubjects, clock: _Clock) -> JsonObject:
    """Return what a dataset holds of a person: events, rows of its other tables, where they came from."""
    manifest = dataset.manifest
    with connect_memory() as connection:
        log = LogSearch(connection, manifest, subjects.ids, dataset.events_path)
        time = f"{local_time(EVENT_TIME, manifest.timezone)} AS {EVENT_TIME}, {EVENT_TIME} AS utc"
        query = f"SELECT * EXCLUDE ({EVENT_TIME}), {time} FROM {file_text(dataset.events_path)}"
        hers = f"WHERE {CUSTOMER_ID} IN (SELECT id FROM erased) ORDER BY utc"
        events = list(_rows(connection.execute(f"{query} {hers}").df()))
        tables = {SET_ASIDE: dataset.rejected_path, VOIDED: dataset.voided_path, CUSTOMERS: dataset.customers_path}
        rows = {
            TABLES[table]: list(
                _rows(connection.execute(f"FROM {file_text(path)} WHERE {log.tests(table, path).any}").df())
            )
            for table, path in tables.items()
            if path is not None and path.exists()
        }
        text = log.tests(EVENTS, dataset.events_path).cells.values()
        others = f"NOT {CUSTOMER_ID} IN (SELECT id FROM erased) AND ({' OR '.join(text) or 'false'})"
        mentions = one(connection, f"SELECT count(*) FROM {file_text(dataset.events_path)} WHERE {others}")[0]
    for event in events:
        event["goes"] = clock.after("events", datetime.fromisoformat(event.pop("utc")).replace(tzinfo=UTC))
    ends = {end.campaign.name: clock.of_campaign(end) for end in groups_ends(dataset)}
    return {
        "dataset": dataset.name,
        "version": dataset.version,
        "timezone": manifest.timezone,
        "currency": manifest.currency,
        "came_from": _sources(manifest),
        "columns_in_source": manifest.mapping,
        "events": events,
        **{table: rows.get(table, []) for table in TABLES.values()},
        "campaigns": [
            {
                "campaign": member.campaign.name,
                "group": member.group,
                "joined": member.joined,
                "segment": member.segment,
                "predicted_clv": _plain(member.value),
                "goes": ends[member.campaign.name],
            }
            for word in sorted(subjects.ids)
            for member in campaigns_of(dataset, word)
        ],
        "rows_of_others_that_name_the_person": int(mentions),
        "stored_versions": [
            {
                "version": version.version,
                "made": version.manifest.made,
                "created": version.manifest.created,
                "in_use": version.version == dataset.version,
                "goes": NO_END
                if version.version in (dataset.version, manifest.raw_version)
                else clock.after("raw", datetime.fromisoformat(version.manifest.created)),
            }
            for version in stored
        ],
    }


def _sources(manifest: Manifest) -> list[JsonObject]:
    """Return the files that a dataset came from, and when this version of it was stored."""
    files = [(part.source, "events") for part in manifest.parts] or [(manifest.source, "events")]
    if manifest.customers_table is not None:
        files.append((manifest.customers_table.file, "customers_table"))
    return [{"file": file, "of": what, "loaded": manifest.created} for file, what in dict.fromkeys(files)]


def _rows(frame: pd.DataFrame) -> Iterator[JsonObject]:
    """Yield rows as JSON types, without what they do not have."""
    for row in frame.to_dict("records"):
        yield {str(name): _plain(value) for name, value in row.items() if not pd.isna(value)}


def _plain(value: Any) -> Any:
    """Return a cell as a JSON type."""
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, float) and not math.isfinite(plain):
        return None
    return plain if isinstance(plain, str | int | float | bool) else str(plain)


def _lists(workspace: Workspace, subjects: DataSubjects, datasets: set[str], clock: _Clock) -> JsonObject:
    """Return the lists and pushes in which a person was, and those that left no file in which to look for her."""
    exports: dict[Path, JsonObject] = {}
    unseen = []
    for entry in export_log(workspace):
        there = [path for path in entry.paths if path.is_file()]
        for path in there:
            if path not in exports and search(path, subjects, any_column=True).named:
                exports[path] = _exported(entry, path, subjects, clock)
        if not there and entry.customers and entry.dataset in datasets:
            unseen.append({**_about(entry), "customers": entry.customers})
    pushes = [
        {"destination": destination.name, "kind": destination.kind, "purpose": destination.purpose, "dataset": name}
        for destination in list_destinations(workspace)
        for name in sorted(datasets)
        if Ledger.holds(workspace, destination, name, subjects.ids)
    ]
    return {"exports": list(exports.values()), "pushes": pushes, "lists_without_a_file": unseen}


def _about(entry: ExportRecord) -> JsonObject:
    facts = {"made": entry.made, "who": entry.who, "format": entry.format, "dataset": entry.dataset}
    destination = entry.settings.get("destination")
    return {**facts, "destination": str(destination)} if destination else facts


def _exported(entry: ExportRecord, path: Path, subjects: DataSubjects, clock: _Clock) -> JsonObject:
    inside = path.resolve().is_relative_to(clock.workspace.place(LOG).parent.resolve())
    rows = list(_rows_of(path, subjects)) if entry.format != FORMAT else []
    groups = sorted({str(row[GROUP]) for row in rows if GROUP in row})
    goes = clock.of_file("exports", path) if inside else NO_END
    return {**_about(entry), "file": str(path), "rows": rows, "groups": groups, "goes": goes}


def _rows_of(path: Path, subjects: DataSubjects) -> Iterator[JsonObject]:
    """Yield a person's rows of a list in CSV or Parquet, by its column of ids; of a hashed one by her contacts."""
    if path.suffix == ".parquet":
        frame = pd.read_parquet(path)
        if CUSTOMER_ID in frame:
            yield from _rows(frame[frame[CUSTOMER_ID].astype("str").isin(subjects.ids)])
    elif path.suffix == ".csv":
        rows, _ = read_table(path.read_text(encoding="utf-8-sig", errors="replace"))
        place = id_place(rows)
        for row in rows[1:]:
            by_id = place is not None and place < len(row) and subjects.names_cell(row[place])
            if by_id or any(map(subjects.contact_matcher.within, row)):
                yield dict(zip(rows[0], row, strict=False))


def _erasures(workspace: Workspace, subjects: DataSubjects) -> list[str]:
    """Return the certificates of erasures of a person."""
    return [
        certificate.id
        for certificate in certificates(workspace)
        if any(salted(workspace, certificate.salt, word) in certificate.customers for word in subjects.given)
    ]


def _profile(workspace: Workspace, dataset: Dataset, subjects: DataSubjects, language: str) -> JsonObject:
    """Return what was made of a person from a dataset: features, latest scores and segments; nothing of objectors."""
    nothing: JsonObject = {"features": [], "scores": [], "segments": []}
    if any(has_objected(workspace, dataset, word) for word in subjects.ids):
        return nothing
    scores, segments = [], []
    for bundle in list_bundles(workspace, dataset.name):
        files = saved_score_files(workspace, bundle.id, dataset.name)
        for _, path in sorted(files, key=lambda pair: (pair[0], pair[1].stat().st_mtime), reverse=True):
            frame = pd.read_parquet(path)
            mine = frame[frame[CUSTOMER_ID].isin(subjects.ids)]
            if len(mine):
                told, placed = _score(workspace, dataset, bundle, path, mine.iloc[0], language)
                scores.append(told)
                segments += placed
                break
    return {"features": _features(dataset, subjects, language), "scores": scores, "segments": segments}


def _score(
    workspace: Workspace, dataset: Dataset, bundle: Bundle, path: Path, row: pd.Series[Any], language: str
) -> tuple[JsonObject, list[JsonObject]]:
    """Return a saved score with its range and the reasons that are stored; and the segments that it puts her in."""
    customer, version = str(row[CUSTOMER_ID]), path.parent.parent.name
    scored = Scored.of(workspace, dataset, bundle)
    is_current = version == scored.dataset.version and path == scored.trained.scores_path
    explanation = find_explanation(scored, customer) if is_current else None
    horizon, currency = int(row["horizon_days"]), bundle.record.currency
    reasons: tuple[str, ...] = ()
    if explanation is not None:
        reasons = of_customer(explanation, customer, horizon, currency=currency, language=language)
    told: JsonObject = {
        "model": bundle.id,
        "dataset_version": version,
        "as_of": str(row["as_of"])[:10],
        "currency": currency,
        **{name: _plain(row[name]) for name in SCORE},
        "reasons": list(reasons),
        "made": datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds"),
        "goes": _Clock(workspace).of_made(path),
    }
    placed: list[JsonObject] = []
    if is_current:
        tiers = load_scored_customers(scored, DEFAULT_SCHEME, progress=NoProgress()).frame
        tier = int(tiers.loc[tiers[CUSTOMER_ID].eq(customer), TIER].iloc[0])
        told |= {"tier": tier, "tier_name": tier_labels(dataset, DEFAULT_SCHEME.tiers, language)[tier - 1]}
        for name in saved_rules(dataset):
            with suppress(ClvError):  # rules on a column that the log has no more put nobody anywhere
                rules = load_rules(dataset, name)
                members = load_scored_customers(scored, rules, language=language, progress=NoProgress()).frame
                segment = str(members.loc[members[CUSTOMER_ID].eq(customer), SEGMENT_NAME].iloc[0])
                by_hand = any(customer in (rule.by_hand or ()) for rule in rules.rules)
                placed.append({"rules": name, "segment": segment, "by_hand": by_hand, "model": bundle.id})
    return told, placed


def _features(dataset: Dataset, subjects: DataSubjects, language: str) -> list[JsonObject]:
    """Return the features of a person's events at the log's end, with their names and values in words."""
    engine = Engine()
    try:
        events = dataset.events(engine.connection)
        events = events.filter(events[CUSTOMER_ID].isin(sorted(subjects.ids)))
        contents = LogContents(attributes=False, review_text=False)
        log = EventLog.from_table(events, engine.connection, contents=contents)
        store, day = log.store, day_of(dataset.log_end)
        people = store.seen(day)
        values = {name: np.empty(len(people)) for name in FEATURES if FEATURES[name].source in SOURCES}
        store.features(day, 1, people, values)
        told = []
        for name, column in values.items():
            value = decoded(column, store.texts(TEXTS[name]))[0] if name in TEXTS else _plain(column[0])
            if value is not None:
                words = reading(value, language, name, dataset.manifest.currency)
                told.append({"feature": name, "name": feature_label(name, language), "value": value, "words": words})
        return told
    except ClvError:  # she is in the customers table alone
        return []
    finally:
        engine.close()


def _report(held: JsonObject, language: str) -> Report:
    """Return a person's file as a document."""
    t = partial(translate, language=language)
    sections = [_states(held, language)]
    for dataset in held["datasets"]:
        sections += _sections_of(dataset, language)
    sections += [_where(held, language), *_other_places(held, language)]
    events = sum(len(dataset["events"]) for dataset in held["datasets"])
    finding = t("person.finding", datasets=len(held["datasets"]), events=events)
    made = t("person.made", when=_moment(held["made"]), who=audit.actor())
    numbered = tuple(replace(section, id=f"{section.id}-{place}") for place, section in enumerate(sections, 1))
    return Report(t("person.title", person=held["person"]), finding, made, language, numbered)


def _states(held: JsonObject, language: str) -> Section:
    """Return whether she objected, and is on the do-not-contact list; how else she is called; erasures so far."""
    t = partial(translate, language=language)
    points = [
        t("person.objected" if held["objected"] else "person.objected.not"),
        t("person.suppressed" if held["do_not_contact"] else "person.suppressed.not"),
        *([t("person.names", names=held["also_called"])] if held["also_called"] else []),
        *([t("person.erasures", names=held["erasures"])] if held["erasures"] else []),
        t("person.clocks"),
    ]
    return Section("states", t("person.states"), points[0], tuple(points[1:]))


def _sections_of(dataset: JsonObject, language: str) -> Iterator[Section]:
    """Yield the sections on one dataset."""
    t = partial(translate, language=language)
    about = {"dataset": dataset["dataset"]}
    sources = [
        t("person.source", file=source["file"], when=_moment(source["loaded"])) for source in dataset["came_from"]
    ]
    sources += [
        t("person.version", version=version["version"], when=_moment(version["created"]), goes=_goes(version, language))
        for version in dataset["stored_versions"]
    ]
    if mentions := dataset["rows_of_others_that_name_the_person"]:
        sources.append(t("person.mentions", n=mentions))
    head = ("when", "what", "product", "quantity", "amount", "goes")
    rows = tuple(_event_cells(event, dataset["currency"], language) for event in dataset["events"])
    finding = t("person.events.n", n=len(rows), timezone=dataset["timezone"])
    shown = _table(head, rows, language) if rows else None
    yield Section("events", t("person.events", **about), finding, tuple(sources), table=shown)
    for table in TABLES.values():
        if dataset[table]:
            cells = tuple((name, str(cell)) for row in dataset[table] for name, cell in row.items())
            finding = t("person.rows.n", n=len(dataset[table]))
            shown = _table(("name", "value"), cells, language)
            yield Section(table, t(f"person.table.{table}", **about), finding, table=shown)
    if dataset["features"]:
        cells = tuple((feature["name"], feature["words"]) for feature in dataset["features"])
        shown = _table(("name", "value"), cells, language)
        yield Section("features", t("person.features", **about), t("person.features.n", n=len(cells)), table=shown)
    for score in dataset["scores"]:
        yield _score_section(score, dataset, language)


def _event_cells(event: JsonObject, currency: str, language: str) -> tuple[str, ...]:
    kind = str(event.get(EVENT_TYPE, ""))
    words = translate(f"event.{kind}", language) if has(f"event.{kind}", language) else kind
    amount = say_money(event[AMOUNT], currency, language, 12) if AMOUNT in event else ""
    quantity = say_number(event[QUANTITY], language, 12) if QUANTITY in event else ""
    return (_moment(event[EVENT_TIME]), words, str(event.get(PRODUCT_ID, "")), quantity, amount, _goes(event, language))


def _score_section(score: JsonObject, dataset: JsonObject, language: str) -> Section:
    """Return one model's score with range, tier, segments and reasons."""
    t = partial(translate, language=language)

    def money(name: str) -> str:
        return say_money(score[name], score["currency"], language)

    finding = t(
        "person.score",
        value=money("predicted_clv"),
        low=money("clv_p10"),
        high=money("clv_p90"),
        days=score["horizon_days"],
        day=score["as_of"],
    )
    points = [t("person.score.chance", share=say_share(score["p_purchase"])), *score["reasons"]]
    points += [t("person.score.no_reasons")] if not score["reasons"] else []
    points += [t("person.tier", tier=score["tier_name"])] if "tier_name" in score else []
    points += [
        t("person.segment.by_hand" if placed["by_hand"] else "person.segment", **placed)
        for placed in dataset["segments"]
        if placed["model"] == score["model"]
    ]
    goes = _goes(score, language)
    points.append(t("person.score.from", model=score["model"], when=_moment(score["made"]), goes=goes))
    return Section("score", t("person.scores", dataset=dataset["dataset"]), finding, tuple(points))


def _where(held: JsonObject, language: str) -> Section:
    """Return the exports and pushes in which she was, and those of which nobody can tell."""
    t = partial(translate, language=language)
    points = [
        t(
            "person.export",
            what=t(f"export.{entry['format']}") if has(f"export.{entry['format']}", language) else entry["format"],
            when=_moment(entry["made"]),
            file=entry["file"],
            goes=_goes(entry, language),
        )
        for entry in held["exports"]
    ]
    points += [t("person.group", group=group) for entry in held["exports"] for group in entry["groups"]]
    points += [t("person.push", **push) for push in held["pushes"]]
    points += [
        t(f"person.campaign.{member['group']}", campaign=member["campaign"], day=member["joined"])
        for dataset in held["datasets"]
        for member in dataset["campaigns"]
    ]
    if unseen := held["lists_without_a_file"]:
        points.append(t("person.unseen", n=len(unseen)))
    count = len(held["exports"]) + len(held["pushes"])
    return Section("lists", t("person.lists"), t("person.lists.n", n=count), tuple(points))


def _other_places(held: JsonObject, language: str) -> Iterator[Section]:
    """Yield every place that a search finds her in, and who looked at her card."""
    t = partial(translate, language=language)
    head = ("kind", "name", "goes")
    cells = tuple(
        (t(f"person.place.{place['kind']}"), place["name"], _goes(place, language)) for place in held["places"]
    )
    shown = _table(head, cells, language) if cells else None
    perhaps = (t("person.perhaps", n=len(held["perhaps_in"])),) if held["perhaps_in"] else ()
    yield Section("places", t("person.places"), t("person.places.n", n=len(cells)), perhaps, table=shown)
    if held["card_views"]:
        views = tuple((_moment(view["at"]), str(view["who"])) for view in held["card_views"])
        shown = _table(("when", "who"), views, language)
        yield Section("views", t("person.views"), t("person.views.n", n=len(views)), table=shown)


def _table(head: tuple[str, ...], rows: tuple[tuple[str, ...], ...], language: str) -> Table:
    return Table(tuple(translate(f"person.column.{name}", language) for name in head), rows)


def _goes(part: JsonObject, language: str) -> str:
    """Return when something goes, in words."""
    goes = str(part["goes"])
    if goes in (NO_END, WITH_MODEL):
        return translate(f"person.goes.{goes}", language)
    return say_day(goes, language)


def _moment(time: str) -> str:
    """Return an ISO time as a person reads it, to the second."""
    return time.removesuffix("+00:00").replace("T", " ")

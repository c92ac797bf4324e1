"""Manifests, reports and export records of tests: what a test does not name is empty."""

from __future__ import annotations

from typing import Any

from clv_core.collection.store import CustomersTable, Manifest
from clv_core.collection.store.manifest import Attribute, Roles
from clv_core.monitoring.monitoring_report import ReferenceFacts, ReportFacts
from clv_core.strategy.audiences.export import ExportRecord

COUNTED = ("rows_read", "rows_kept", "rows_set_aside", "rows_duplicate", "customers", "purchases")
TEXTS = ("created", "source", "currency", "first_event", "last_event", "log_start", "log_end")


def manifest(**known: Any) -> Manifest:
    """Return a manifest; what is not known of it is empty."""
    facts: dict[str, Any] = {"name": "x", "version": "0" * 12, "timezone": "UTC", "columns": [], "mapping": {}}
    facts |= dict.fromkeys(COUNTED, 0) | dict.fromkeys(TEXTS, "") | {"net_revenue": 0.0, "event_types": {}}
    return Manifest(**facts | known)


def customers_table(*attributes: Attribute, **known: Any) -> CustomersTable:
    """Return what a manifest says of a customers table with these attributes."""
    counts = dict.fromkeys(("rows_read", "rows", "rows_set_aside", "customers", "matched"), 0)
    lists = dict.fromkeys(("date_columns", "contacts", "off", "accepted", "warnings"), ())
    other: dict[str, Any] = {"file": "customers.csv", "pseudonymised": False, "roles": Roles()}
    return CustomersTable(**{**counts, **lists, **other, "attributes": attributes, **known})


def report_facts(**known: Any) -> ReportFacts:
    """Return what a monitoring report is about."""
    texts = dict.fromkeys(("model", "dataset", "version", "cutoff", "currency", "as_of", "made", "kind"), "")
    return ReportFacts(**{**texts, "horizon_days": 90, "reference": ReferenceFacts("training", "", 0), **known})


def export_record(**known: Any) -> ExportRecord:
    """Return a line of the export log: five customers of a dataset at the trained horizon."""
    texts = dict.fromkeys(("dataset", "dataset_version", "model", "cutoff", "currency", "made"), "")
    counts: dict[str, Any] = {"rows": 5, "customers": 5, "asked": 5, "left_out": {}, "files": [], "horizon_days": 90}
    return ExportRecord(**{**texts, **counts, "format": "csv", **known})

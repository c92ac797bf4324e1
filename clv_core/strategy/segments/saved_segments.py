"""Saved with a dataset: labels that people gave its segments, sets of rules, and centres of clusters.

datasets/<name>/segments/names.json              {scheme: {segment: {name, description}}}
datasets/<name>/segments/rules/<name>.json       a set of rules
datasets/<name>/segments/clusters/<model>-<k>.json   centres, so that a cluster stays the same when the log grows

They are in the dataset's folder and apply to all its versions.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from clv_core.collection.store import Dataset
from clv_core.errors import NotFound
from clv_core.i18n import DEFAULT_LANGUAGE
from clv_core.locks import writing
from clv_core.strategy.segments.segment_rules import Rule, Rules
from clv_core.strategy.segments.segmentation import Segment
from clv_core.strategy.segments.value_tiers import tier_names
from clv_core.workspace import check_name, read_json, write_json

FOLDER: Final = "segments"
NAMES: Final = "names.json"


@dataclass(frozen=True)
class SegmentLabel:
    """Name and description that a person gave a segment; "" leaves the scheme's own.

    Args:
        name: its name.
        description: who is in it and what to do with them.
    """

    name: str = ""
    description: str = ""


def load_labels(dataset: Dataset, names_key: str) -> dict[str, SegmentLabel]:
    """Return the labels of the segments of a scheme, by their keys."""
    path = _folder(dataset) / NAMES
    saved = read_json(path).get(names_key, {}) if path.exists() else {}
    return {
        str(key): SegmentLabel(str(label.get("name", "")), str(label.get("description", "")))
        for key, label in saved.items()
    }


def save_labels(dataset: Dataset, names_key: str, labels: Mapping[str, SegmentLabel]) -> None:
    """Save the labels of the segments of a scheme, in place of earlier ones."""
    path = _folder(dataset) / NAMES
    stripped = {
        key: {"name": label.name.strip(), "description": label.description.strip()} for key, label in labels.items()
    }
    with writing(path):
        saved = read_json(path) if path.exists() else {}
        saved[names_key] = {key: label for key, label in stripped.items() if any(label.values())}
        write_json(path, {key: label for key, label in saved.items() if label})


def with_labels(segments: Sequence[Segment], labels: Mapping[str, SegmentLabel]) -> tuple[Segment, ...]:
    """Return the segments with the labels that people gave them."""
    segment_labels = [labels.get(segment.key, SegmentLabel()) for segment in segments]
    return tuple(
        replace(segment, title=(label.name,) if label.name else segment.title, about=label.description or segment.about)
        for segment, label in zip(segments, segment_labels, strict=True)
    )


def tier_labels(dataset: Dataset, count: int, language: str = DEFAULT_LANGUAGE) -> list[str]:
    """Return the names of ``count`` value tiers with those that people gave them, the highest first."""
    labels = load_labels(dataset, f"tiers:{count}")
    names = enumerate(tier_names(count, language), 1)
    return [labels.get(str(number), SegmentLabel()).name or name for number, name in names]


def saved_rules(dataset: Dataset) -> list[str]:
    """Return the names of the saved sets of rules."""
    return sorted(path.stem for path in (_folder(dataset) / "rules").glob("*.json"))


def load_rules(dataset: Dataset, name: str) -> Rules:
    """Return a set of rules, a saved one by its name or one in a file.

    Raises:
        NotFound: there is neither.
        UsageError: the file is no set of rules.
    """
    saved = _folder(dataset) / "rules" / f"{name}.json"
    path = saved if Path(name).name == name and saved.is_file() else Path(name)
    if not path.is_file():
        raise NotFound("no_rules", name=name, known=list(saved_rules(dataset)) or "-")
    try:
        value = read_json(path)
    except (json.JSONDecodeError, UnicodeDecodeError):
        value = None
    return Rules.from_json(value, path.stem)


def save_rules(dataset: Dataset, rules: Rules) -> None:
    """Save a set of rules; one of the same name is replaced.

    Raises:
        Refused: its name cannot name a file.
    """
    name = check_name(rules.name)
    write_json(_rules_path(dataset, name), replace(rules, name=name).to_json())


def add_segment(dataset: Dataset, name: str, rule: Rule) -> None:
    """Add a segment to a saved set of rules; a missing set is created, with segments that may overlap.

    Raises:
        Refused: the set's name cannot name a file.
        UsageError: the set has a segment of this name, or too many.
    """
    with writing(_rules_path(dataset, name)):
        rules = load_rules(dataset, name) if name in saved_rules(dataset) else None
        added = Rules(name, (rule,), overlapping=True) if rules is None else replace(rules, rules=(*rules.rules, rule))
        save_rules(dataset, added)


def put_by_hand(dataset: Dataset, name: str, segment: str, customer: str) -> None:
    """Put a customer into a segment of a saved set of rules; a missing set or segment is created.

    Raises:
        Refused: the set's name cannot name a file.
        UsageError: the segment has no name, or the set has too many.
    """
    with writing(_rules_path(dataset, name)):
        if name in saved_rules(dataset):
            made = load_rules(dataset, name).with_customer(segment.strip(), customer)
        else:
            made = Rules(name, (Rule(segment.strip(), (), by_hand=(customer,)),))
        save_rules(dataset, made)


def take_out_by_hand(dataset: Dataset, name: str, segment: str, customer: str) -> None:
    """Remove a customer who was put in by hand from a segment of a saved set of rules.

    Raises:
        NotFound: there is no such set.
    """
    with writing(_rules_path(dataset, name)):
        save_rules(dataset, load_rules(dataset, name).without_customer(customer, segment))


def remove_rules(dataset: Dataset, name: str) -> None:
    """Delete a saved set of rules."""
    _rules_path(dataset, name).unlink(missing_ok=True)


def centres_path(dataset: Dataset, model_id: str, count: int) -> Path:
    """Return the file of the centres of a model's clusters."""
    return _folder(dataset) / "clusters" / f"{model_id}-{count}.json"


def last_written(dataset: Dataset) -> int:
    """Return when anything was last saved here, for caches, in nanoseconds; 0 for never."""
    files = [path for path in _folder(dataset).rglob("*.json") if path.is_file()]
    return max((path.stat().st_mtime_ns for path in files), default=0)


def _rules_path(dataset: Dataset, name: str) -> Path:
    return _folder(dataset) / "rules" / f"{check_name(name)}.json"


def _folder(dataset: Dataset) -> Path:
    return dataset.folder.parent / FOLDER

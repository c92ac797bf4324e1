"""What a person settled about a dataset's segments: names, descriptions, rules; and the centres of clusters.

datasets/<name>/segments/names.json              {scheme: {segment: {name, description}}}
datasets/<name>/segments/rules/<name>.json       a set of rules
datasets/<name>/segments/clusters/<model>-<k>.json   centres, so that a cluster stays the same when the log grows

They lie in the dataset's folder, beside its versions: they hold for all of them, and follow when it is renamed or
deleted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from clv_core.collection.stored.store import Dataset
from clv_core.errors import NotFound
from clv_core.i18n import DEFAULT_LANGUAGE
from clv_core.locks import writing
from clv_core.strategy.schemes.rules import Rule, Rules
from clv_core.strategy.schemes.segmentation import Segment
from clv_core.strategy.tiers import tier_names
from clv_core.workspace import check_name, read_json, write_json

FOLDER: Final = "segments"
NAMES: Final = "names.json"


@dataclass(frozen=True)
class Given:
    """What a person calls a segment; "" keeps what it is called otherwise.

    Args:
        name: its name.
        description: who is in it and what to do with them.
    """

    name: str = ""
    description: str = ""


def given_names(dataset: Dataset, names_key: str) -> dict[str, Given]:
    """Return what a person calls the segments of a scheme, by their keys."""
    path = _folder(dataset) / NAMES
    kept = read_json(path).get(names_key, {}) if path.exists() else {}
    return {str(key): Given(str(one.get("name", "")), str(one.get("description", ""))) for key, one in kept.items()}


def give_names(dataset: Dataset, names_key: str, names: Mapping[str, Given]) -> None:
    """Keep what a person calls the segments of a scheme; those of other schemes stay."""
    path = _folder(dataset) / NAMES
    own = {key: {"name": one.name.strip(), "description": one.description.strip()} for key, one in names.items()}
    with writing(path):
        kept = read_json(path) if path.exists() else {}
        kept[names_key] = {key: one for key, one in own.items() if any(one.values())}
        write_json(path, {key: one for key, one in kept.items() if one})


def with_given(segments: Sequence[Segment], given: Mapping[str, Given]) -> tuple[Segment, ...]:
    """Return the segments as a person calls them."""
    return tuple(
        replace(
            one,
            title=(given[one.key].name,) if one.key in given and given[one.key].name else one.title,
            about=given[one.key].description if one.key in given and given[one.key].description else one.about,
        )
        for one in segments
    )


def names_of_tiers(dataset: Dataset, count: int, language: str = DEFAULT_LANGUAGE) -> list[str]:
    """Return the names of ``count`` value tiers as a person calls them, the highest first."""
    given = given_names(dataset, f"tiers:{count}")
    plain = tier_names(count, language)
    return [(given[str(n)].name if str(n) in given else "") or name for n, name in enumerate(plain, 1)]


def saved_rules(dataset: Dataset) -> list[str]:
    """Return the names of the kept sets of rules."""
    return sorted(path.stem for path in (_folder(dataset) / "rules").glob("*.json"))


def load_rules(dataset: Dataset, name: str) -> Rules:
    """Return a set of rules, a kept one by its name or one in a file.

    Raises:
        NotFound: there is neither.
        UsageError: the file is no set of rules.
    """
    kept = _folder(dataset) / "rules" / f"{name}.json"
    path = kept if Path(name).name == name and kept.is_file() else Path(name)
    if not path.is_file():
        raise NotFound("no_rules", name=name, known=list(saved_rules(dataset)) or "-")
    try:
        value = read_json(path)
    except (json.JSONDecodeError, UnicodeDecodeError):
        value = None
    return Rules.from_json(value, path.stem)


def save_rules(dataset: Dataset, rules: Rules) -> None:
    """Keep a set of rules; one of the same name is replaced.

    Raises:
        Refused: its name cannot name a file.
    """
    name = check_name(rules.name)
    write_json(_rules_path(dataset, name), replace(rules, name=name).to_json())


def put_by_hand(dataset: Dataset, name: str, segment: str, customer: str) -> None:
    """Put a customer into a segment of a kept set of rules; the set and the segment are made where they are not there.

    Raises:
        Refused: the set's name cannot name a file.
        UsageError: the segment has no name, or the set has as many as it may.
    """
    with writing(_rules_path(dataset, name)):
        if name in saved_rules(dataset):
            made = load_rules(dataset, name).with_customer(segment.strip(), customer)
        else:
            made = Rules(name, (Rule(segment.strip(), (), by_hand=(customer,)),))
        save_rules(dataset, made)


def take_out_by_hand(dataset: Dataset, name: str, segment: str, customer: str) -> None:
    """Take a customer who was put in by hand out of a segment of a kept set of rules.

    Raises:
        NotFound: there is no such set.
    """
    with writing(_rules_path(dataset, name)):
        save_rules(dataset, load_rules(dataset, name).without_customer(customer, segment))


def remove_rules(dataset: Dataset, name: str) -> None:
    """Forget a kept set of rules."""
    _rules_path(dataset, name).unlink(missing_ok=True)


def centres_path(dataset: Dataset, model_id: str, count: int) -> Path:
    """Return where the centres of a model's clusters are kept."""
    return _folder(dataset) / "clusters" / f"{model_id}-{count}.json"


def last_written(dataset: Dataset) -> int:
    """Return when a person last settled anything, for caches, in nanoseconds; 0 for never."""
    files = [path for path in _folder(dataset).rglob("*.json") if path.is_file()]
    return max((path.stat().st_mtime_ns for path in files), default=0)


def _rules_path(dataset: Dataset, name: str) -> Path:
    return _folder(dataset) / "rules" / f"{check_name(name)}.json"


def _folder(dataset: Dataset) -> Path:
    return dataset.folder.parent / FOLDER

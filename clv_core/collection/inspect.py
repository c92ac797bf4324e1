"""A first look at a file, in seconds whatever its size: what each of its columns seems to be."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, Unpack

from clv_core.collection.answers import Answers, Said
from clv_core.collection.engine import reading_file
from clv_core.collection.infer.columns.column_choice import resolve_ties
from clv_core.collection.infer.columns.proposal import Proposal
from clv_core.collection.infer.columns.propose import propose
from clv_core.collection.infer.debit_credit import with_sides
from clv_core.collection.infer.profile import SAMPLE_ROWS
from clv_core.collection.read.archives import beginning
from clv_core.collection.read.source import open_source, sample, with_named_columns
from clv_core.collection.recipes import completed_answers, find_recipe
from clv_core.scratch import temporary_folder


class Inspection(NamedTuple):
    """What a file seems to be.

    Args:
        columns: one proposal a source column: name, samples, canonical column or None, confidence 0 to 1.
        recipe: name of the recipe that its columns match; empty where none does.
    """

    columns: tuple[Proposal, ...]
    recipe: str


def inspect_file(source: Path, *, original: str = "", **settings: Unpack[Said]) -> Inspection:
    """Look at the first rows of ``source``; nothing is stored.

    Args:
        source: a file, or a folder of Parquet files.
        original: what the person calls the file, where it is not the path's name.
        settings: the answers given so far.

    Raises:
        NeedsAnswer: it may or may not name its columns, or several sheets could be the log.
        Refused: it holds no table, its bytes show no encoding, or not the one that was named.
    """
    answers, called = Answers(**settings), original or source.name
    with temporary_folder("clv-inspect-") as folder, reading_file(called, folder, reads=source) as connection:
        table = open_source(connection, beginning(source, folder), folder, answers, original=called)
        recipe = find_recipe(answers.recipe, table.columns, called)
        mapping = completed_answers(answers, recipe, table.columns).mapping
        table = with_named_columns(connection, table, mapping.values())
        proposals = with_sides(propose(table.columns, sample(connection, table, SAMPLE_ROWS), mapping), mapping)
    return Inspection(tuple(resolve_ties(proposals)), "" if recipe is None else recipe.name)

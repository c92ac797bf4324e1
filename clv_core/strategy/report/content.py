"""What a report says, as plain data: every writer draws the same sections, and none of them knows a model or a log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from clv_core.errors import Message

PREDICTED: Final = "predicted"
ACTUAL: Final = "actual"
BASELINE: Final = "baseline"
Role = Literal["predicted", "actual", "baseline"]


@dataclass(frozen=True)
class ReportFigure:
    """One figure.

    Args:
        label: what it is.
        value: as a person says it.
        note: what it is held against; "" for nothing.
    """

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Table:
    """A small table.

    Args:
        head: names of the columns; the first holds words, the others figures.
        rows: cells as they are shown.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Series:
    """One kind of bar.

    Args:
        name: in the legend.
        values: one a category.
        role: what it stands for; one role has one colour everywhere.
    """

    name: str
    values: tuple[float, ...]
    role: Role

    @property
    def counts(self) -> bool:
        """Whether its values are numbers of things, which have nothing behind the point."""
        return all(float(value).is_integer() for value in self.values)


@dataclass(frozen=True)
class Chart:
    """A bar chart; its message is the section's finding.

    Args:
        kind: ``columns`` stand, ``bars`` lie, the first category on top.
        categories: what the bars are of.
        series: one or more.
        category_axis: title of the axis of categories.
        value_axis: title of the axis of values, with its unit.
        percent: whether values are shares, 0 to 1.
    """

    kind: Literal["columns", "bars"]
    categories: tuple[str, ...]
    series: tuple[Series, ...]
    category_axis: str
    value_axis: str
    percent: bool = False


@dataclass(frozen=True)
class Section:
    """One slide, or one part of a page; it holds figures, a table, a chart and points in this order, each optional.

    Args:
        id: of :data:`clv_core.strategy.report.make.SECTIONS`.
        title: what it is about.
        finding: what was found, in one sentence.
        points: further sentences.
        figures: figures side by side.
        table: a table.
        chart: a chart.
    """

    id: str
    title: str
    finding: str
    points: tuple[str, ...] = ()
    figures: tuple[ReportFigure, ...] = ()
    table: Table | None = None
    chart: Chart | None = None


@dataclass(frozen=True)
class Report:
    """A whole report.

    Args:
        title: of the report.
        finding: the one sentence that is worth the reader's time.
        context: dataset, cutoff, horizon and model, on each slide.
        made: when it was made, and with what.
        language: of all its sentences.
        sections: in order.
        notes: what has to be known of the plan, for whoever reads the report's result as data.
    """

    title: str
    finding: str
    context: str
    made: str
    language: str
    sections: tuple[Section, ...]
    notes: tuple[Message, ...] = ()

"""Records that are stored as JSON: dataclasses whose JSON is their fields, and what a field may hold."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Self

from annotated_types import Ge, Le, Len, Predicate

from clv_core.errors import Refused

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, TypeAdapter
    from pydantic_core import CoreSchema, SchemaSerializer

JsonObject = dict[str, Any]
"""A JSON object as it is read or written; what is passed on is a class."""


def _is_day(text: str) -> bool:
    return re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) is not None and bool(date.fromisoformat(text))


def _is_time(text: str) -> bool:
    parts = re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[0-9.:Z+-]{0,16}", text)
    return parts is not None and bool(datetime.fromisoformat(text).astimezone())


MAX_NUMBER: Final = 1e18
"""Of any number in a record or a model's state; its square is still a float32."""
Number = Annotated[float, Ge(-MAX_NUMBER), Le(MAX_NUMBER)]
Amount = Annotated[float, Ge(0), Le(MAX_NUMBER)]
Share = Annotated[float, Ge(0), Le(1)]
Count = Annotated[int, Ge(0), Le(10**12)]
"""Of customers, events or days: more than the earth has people."""
Day = Annotated[str, Predicate(_is_day)]
"""An ISO date."""
Time = Annotated[str, Predicate(_is_time)]
"""An ISO time."""
HorizonDays = Annotated[int, Ge(1), Le(3650)]
Currency = Annotated[str, Len(0, 16)]


class BadField(ValueError):
    """A value is missing, of another type, out of its range, or has a name that no field has.

    Args:
        field: where: names and places of lists, between dots; ``{}`` is all of it.
    """

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class JsonRecord:
    """Base of dataclasses whose JSON is an object of their fields, records within records included."""

    OMITTED: ClassVar[frozenset[str]] = frozenset()
    """Fields that are written only where they hold something."""

    def to_json(self) -> JsonObject:
        """Return a JSON-ready dictionary of all fields: tuples and arrays as lists, dates in ISO format."""
        values: JsonObject = _serializer(type(self)).to_python(self, mode="json")  # type: ignore[arg-type]
        return values

    @classmethod
    def from_json(cls, values: JsonObject) -> Self:
        """Return the record of :meth:`to_json`'s dictionary; other keys are ignored, but in :class:`StoredRecord`.

        Raises:
            ValueError: a field without a default is missing, or a value is not of its type.
        """
        record: Self = _adapter(cls).validate_python(values)  # type: ignore[arg-type]
        return record

    @classmethod
    def exactly(cls, values: Mapping[str, Any]) -> Self:
        """Return the record of JSON values that are its fields and nothing else: a text is no number, 1 is no truth.

        Raises:
            BadField: they are not.
        """
        from pydantic import ValidationError

        adapter = _adapter(cls)  # type: ignore[arg-type]
        try:
            record: Self = adapter.validate_json(json.dumps(values), strict=True)
        except ValidationError as error:
            raise BadField(".".join(map(str, error.errors()[0]["loc"])) or "{}") from error
        for place in _unread(values, adapter.dump_python(record, mode="json")):
            raise BadField(place)
        return record

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return how pydantic reads and writes the record."""
        schema = handler(source)
        if not cls.OMITTED:
            return schema
        from pydantic_core import core_schema

        sparse = core_schema.wrap_serializer_function_ser_schema(cls._written)
        return {**schema, "serialization": sparse}

    @classmethod
    def _written(cls, record: Self, write: Callable[[Self], JsonObject]) -> JsonObject:
        return {
            key: value
            for key, value in write(record).items()
            if key not in cls.OMITTED or value not in (None, "", [], {})
        }


class Unreadable(Refused, ValueError):
    """A file holds something else than what was written."""


class StoredRecord(JsonRecord):
    """Base of what a file of the workspace holds, and of the records within it: fields that it lacks are refused.

    A change after which an earlier version could not read the file any more raises :attr:`FORMAT`.
    """

    FILE: ClassVar[str] = ""
    """What the file is called, for messages."""
    FORMAT: ClassVar[int] = 1
    """The latest format that is read."""
    FORMAT_KEY: ClassVar[str] = "format"
    """Key of a file's format; a file without it has the first."""
    __pydantic_config__: ClassVar[Mapping[str, str]] = {"extra": "forbid"}

    @classmethod
    def from_json(cls, values: JsonObject) -> Self:
        """Return the record of what this version or an earlier one wrote.

        Raises:
            Refused: a later version wrote it.
            Unreadable: a field is missing or unexpected, or a value is not of its type.
        """
        from pydantic import ValidationError

        values = dict(values)
        number = values.pop(cls.FORMAT_KEY, 1)
        if isinstance(number, int) and number > cls.FORMAT:
            raise Refused("made_later", file=cls.FILE, format=number, known=cls.FORMAT)
        try:
            return super().from_json(cls.upgrade(values))
        except ValidationError as error:
            place = ".".join(map(str, error.errors()[0]["loc"]))
            raise Unreadable("record_unreadable", file=cls.FILE, field=place) from error

    @classmethod
    def upgrade(cls, raw: JsonObject) -> JsonObject:
        """Return a file's object as this version writes it, whichever earlier one wrote it."""
        return raw


def _unread(given: Any, stored: Any, place: str = "") -> Iterator[str]:
    """Yield the places of JSON values that a record did not keep as they were given."""
    if isinstance(given, dict | list) and type(given) is type(stored):
        for key, value in given.items() if isinstance(given, dict) else enumerate(given):
            at = f"{place}.{key}" if place else str(key)
            if isinstance(given, dict) and key not in stored:
                yield at
            else:
                yield from _unread(value, stored[key], at)
    elif given != stored:
        yield place


@cache
def _adapter(kind: type[JsonRecord]) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter  # a tenth of a second that most commands do without

    return TypeAdapter(kind)


@cache
def _serializer(kind: type[JsonRecord]) -> SchemaSerializer:
    """Return what writes records; figures that are not finite stay what they are, also in arrays and in objects."""
    from pydantic_core import SchemaSerializer

    return SchemaSerializer(_adapter(kind).core_schema, {"ser_json_inf_nan": "constants"})  # type: ignore[arg-type]

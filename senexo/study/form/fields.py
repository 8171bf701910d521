"""The kinds of values that a key of a study file may have, as annotations of pydantic fields.

Each says in one place what is accepted, what a message expects, and its JSON Schema. None passes every check: it
stands for a value with a fault, once that fault is noted (`senexo.study.structure`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from senexo.base.errors import InvalidInput
from senexo.base.units import NUMBER, UNIT, Kind, parse, shown
from senexo.study.cursor import named

Json = dict[str, Any]
HIDDEN = "<unknown>"  # the tag of a form of a union that the JSON Schema leaves out
EXPECTED = "expected"  # the type of error that carries its own words
MAX_TEXT, MAX_SENTENCE = 500, 2000  # characters


def unexpected(expected: str, found: str | None = None) -> PydanticCustomError:
    """The error of a value; found: what a message quotes instead of the value."""
    return PydanticCustomError(EXPECTED, "expected {expected}", {"expected": expected, "found": found})


class Scalar:
    """A value without parts."""

    @property
    def says(self) -> str:
        """What a table of keys says of the value."""
        raise NotImplementedError

    def check(self, value: Any) -> Any:
        raise NotImplementedError

    def json(self) -> Json:
        raise NotImplementedError

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(lambda value: None if value is None else self.check(value))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> Json:
        return self.json()


@dataclass(frozen=True)
class Text(Scalar):
    """One line of text; `may_be_empty` allows ""."""

    expected: str = "a text"
    max_length: int = MAX_TEXT
    may_be_empty: bool = False

    def check(self, value: Any) -> str:
        filled = isinstance(value, str) and (value.strip() or (self.may_be_empty and not value))
        if filled and len(value) <= self.max_length and value.isprintable():
            return str(value)
        raise unexpected(self.expected)

    @property
    def says(self) -> str:
        return self.expected

    def json(self) -> Json:
        return {"type": "string"} if self.may_be_empty else {"type": "string", "minLength": 1}


@dataclass(frozen=True)
class Whole(Scalar):
    """A whole number from low to high."""

    low: int
    high: int
    example: int

    def check(self, value: Any) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and self.low <= value <= self.high:
            return value
        raise unexpected(f"a whole number from {self.low} to {self.high}, e.g. {self.example}")

    @property
    def says(self) -> str:
        return f"a whole number from {self.low} to {self.high}"

    def json(self) -> Json:
        return {"type": "integer", "minimum": self.low, "maximum": self.high}


@dataclass(frozen=True)
class OneOf(Scalar):
    """One of several words; `what` they are, in the plural; former: words of the last version -> words of this one."""

    words: tuple[str, ...]
    what: str
    former: Mapping[str, str] = field(default_factory=dict)

    def check(self, value: Any) -> str:
        if isinstance(value, str) and value in self.words:
            return value
        raise unexpected(named(value, self.words, self.what))

    @property
    def says(self) -> str:
        return ", ".join(f"`{word}`" for word in self.words)

    def json(self) -> Json:
        return {"enum": [*self.words, *self.former]}


@dataclass(frozen=True)
class Quantity(Scalar):
    """A number with its unit, converted to the unit of its kind. `not_a_list`: what is expected instead of a list."""

    kind: Kind
    not_a_list: str = ""

    def check(self, value: Any) -> float:
        if self.not_a_list and isinstance(value, list):
            raise unexpected(self.not_a_list)
        try:
            return parse(value, self.kind)
        except InvalidInput as error:
            raise unexpected(self.kind.expected) from error

    @property
    def says(self) -> str:
        return self.kind.expected

    def json(self) -> Json:
        return quantity_json(self.kind)


@dataclass(frozen=True)
class Unparsed(Scalar):
    """A quantity that is parsed against the model, whose handle says of what kind it is; `usual`: its usual kind.

    per: units after a slash that it may have too, as in "2 mg/kg".
    """

    usual: Kind
    per: tuple[str, ...] = ()

    def check(self, value: Any) -> Any:
        return value

    @property
    def says(self) -> str:
        return self.usual.expected

    def json(self) -> Json:
        found = quantity_json(self.usual)
        if not self.per:
            return found
        pattern = rf"^\s*{NUMBER}\s*[µμumn]?g/({'|'.join(self.per)})\s*$"
        return {"anyOf": [found, {"type": "string", "pattern": pattern}]}


def quantity_json(kind: Kind) -> Json:
    """A text of a number and a unit, or, where the kind allows it, a plain number in range."""
    text = {"type": "string", "pattern": rf"^\s*{NUMBER}\s*({UNIT}){'?' if kind.bare else ''}\s*$"}
    if not kind.bare:
        return text
    low = {"minimum": kind.low} if kind.low > -1e300 else {}
    high = {"maximum": kind.high} if kind.high < 1e300 else {}
    return {"anyOf": [text, {"type": "number", **low, **high, **({"multipleOf": 1} if kind.whole else {})}]}


@dataclass(frozen=True)
class Constant(Scalar):
    """One value, and what a message expects instead of any other."""

    value: Any
    expected: str

    def check(self, value: Any) -> Any:
        if type(value) is type(self.value) and value == self.value:
            return value
        raise unexpected(self.expected)

    @property
    def says(self) -> str:
        return self.expected

    def json(self) -> Json:
        return {"const": self.value}


class _Parts:
    """A value with parts: checked here, then its parts by their own annotations."""

    expected: str

    @property
    def says(self) -> str:
        return self.expected

    def before(self, value: Any) -> Any:
        raise NotImplementedError

    def json(self, inner: Json) -> Json:
        return inner

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        check: Callable[[Any], Any] = lambda value: None if value is None else self.before(value)  # noqa: E731
        return core_schema.no_info_before_validator_function(check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> Json:
        return self.json(handler(schema))


@dataclass(frozen=True)
class Listed(_Parts):
    """A list; with something in it unless `may_be_empty`."""

    expected: str
    may_be_empty: bool = False

    def before(self, value: Any) -> Any:
        if not isinstance(value, list) or not (value or self.may_be_empty):
            raise unexpected(self.expected, "an empty list" if value == [] else None)
        return value

    def json(self, inner: Json) -> Json:
        return inner if self.may_be_empty else {**inner, "minItems": 1}


@dataclass(frozen=True)
class OneOrMore(_Parts):
    """A list, or its only element by itself; read as a list, with something in it unless `may_be_empty`."""

    expected: str
    may_be_empty: bool = False

    def before(self, value: Any) -> Any:
        if value == [] and not self.may_be_empty:
            raise unexpected(self.expected, "an empty list")
        return value if isinstance(value, list) else [value]

    def json(self, inner: Json) -> Json:
        return {"anyOf": [inner["items"], inner if self.may_be_empty else {**inner, "minItems": 1}]}


@dataclass(frozen=True)
class Named(_Parts):
    """A table of free names; `empty`: (found, expected) where it must not be empty."""

    expected: str
    empty: tuple[str, str] | None = None

    def before(self, value: Any) -> Any:
        if not isinstance(value, dict):
            raise unexpected(self.expected)
        if not value and self.empty:
            raise unexpected(self.empty[1], self.empty[0])
        return value

    def json(self, inner: Json) -> Json:
        return {**inner, "minProperties": 1} if self.empty else inner


@dataclass(frozen=True)
class Either:
    """One of several forms, chosen by the kind of value: a table, a list, or `one` for any other.

    A form is an annotation. It is chosen by the kind of value alone, so that a fault is that of the form meant; a kind
    without a form of its own is refused by the first form.
    """

    one: Any = None
    several: Any = None
    table: Any = None

    @property
    def says(self) -> str:
        found = [one.says for form in (self.one, self.table) if (one := _kind_of(form)) is not None]
        return ", or ".join([*found[:1], *(["a list of them"] if self.several else []), *found[1:]])

    @property
    def forms(self) -> dict[str, Any]:
        forms = {"<one>": self.one, "<list>": self.several, "<table>": self.table}
        return {tag: form for tag, form in forms.items() if form is not None}

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        forms = self.forms
        first = next(iter(forms))

        def choose(value: Any) -> str:
            tag = "<table>" if isinstance(value, dict) else "<list>" if isinstance(value, list) else "<one>"
            return tag if tag in forms else first

        choices = {tag: handler.generate_schema(form) for tag, form in forms.items()}
        return core_schema.nullable_schema(core_schema.tagged_union_schema(choices, choose))


@dataclass(frozen=True)
class Key:
    """The name of an entry of a table: one of `words`, or any that has the form of `pattern`."""

    words: tuple[str, ...] = ()
    pattern: str = ""
    expected: str = ""
    what: str = "unknown key"

    def check(self, value: Any) -> str:
        fits = value in self.words if self.words else re.fullmatch(self.pattern, value, re.ASCII) is not None
        if fits:
            return str(value)
        raise unexpected(
            named(value, self.words, "keys") if self.words else self.expected, f"the {self.what} {shown(value)}"
        )

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.check)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> Json:
        return {"enum": list(self.words)} if self.words else {"type": "string", "pattern": f"^{self.pattern}$"}


def says(about: FieldInfo) -> str:
    """What a table of keys says of the values of a key."""
    return next((kind.says for kind in about.metadata if hasattr(kind, "says")), "a table")


def _kind_of(form: Any) -> Any:
    """What has `says` of an annotation."""
    found = [kind for kind in getattr(form, "__metadata__", ()) if hasattr(kind, "says")]
    return found[0] if found else None

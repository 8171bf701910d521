"""The `[[assays]]` of a study file: one table per assay, chosen by its name, made from the assay's specification."""

from __future__ import annotations

from keyword import iskeyword
from typing import Annotated, Any, ClassVar, assert_never

from pydantic import ConfigDict, GetCoreSchemaHandler, create_model
from pydantic_core import CoreSchema, core_schema

from senexo.assays.spec import Key, Request
from senexo.assays.specs import REQUESTS
from senexo.base.units import TIME
from senexo.study.form.fields import (
    HIDDEN,
    Constant,
    Json,
    Listed,
    OneOf,
    OneOrMore,
    Quantity,
    Scalar,
    Text,
    Whole,
    unexpected,
)
from senexo.study.form.kinds import HOURS
from senexo.study.form.table import Table, key

EXPECTED_PAIRS = 'two arms, e.g. ["mimic", "scrambled"], or a list of such pairs'
Name = Annotated[str | None, Text()]
Names = Annotated[list[Name] | None, OneOrMore("a list of names")]
NamesOrNone = Annotated[list[Name] | None, OneOrMore("a list of names", may_be_empty=True)]


class _Pair(Scalar):
    """An arm and what it is compared with."""

    def check(self, value: Any) -> list[str]:
        names = isinstance(value, list) and len(value) == 2 and all(isinstance(name, str) and name for name in value)
        if not names or value[0] == value[1]:
            raise unexpected(EXPECTED_PAIRS)
        return list(value)

    @property
    def says(self) -> str:
        return EXPECTED_PAIRS

    def json(self) -> Json:
        return {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 2, "maxItems": 2}


class _Pairs:
    """One pair, or a list of pairs."""

    says = EXPECTED_PAIRS

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def choose(value: Any) -> str:
            several = isinstance(value, list) and value and all(isinstance(pair, list) for pair in value)
            return "<pairs>" if several else "<pair>"

        pair = Annotated[list[str] | None, _Pair()]
        pairs = Annotated[list[pair], Listed(EXPECTED_PAIRS)]
        forms = {"<pair>": handler.generate_schema(pair), "<pairs>": handler.generate_schema(pairs)}
        return core_schema.nullable_schema(core_schema.tagged_union_schema(forms, choose))


def _annotation(entry: Key) -> Any:
    """What a key of an [[assays]] table may hold."""
    match entry.entry:
        case "pairs of arms or families" | "pairs of arms":
            return Annotated[Any, _Pairs()]
        case "arm" | "family" | "cell type" | "read-out" | "RNA":
            return Name
        case "arms":
            return Annotated[list[Name] | None, Listed("a list of arms")]
        case "RNAs" | "species of the media" | "names":
            return NamesOrNone if entry.default == () else Names
        case "whole number":
            return Annotated[
                int | None, Whole(*entry.limits, entry.limits[0] if entry.default is None else entry.default)
            ]
        case "quantity":
            assert entry.quantity is not None
            return Annotated[float | None, Quantity(entry.quantity)]
        case "time":
            return Annotated[float | None, Quantity(TIME, not_a_list="one time")]
        case "times":
            return Annotated[
                list[Annotated[float | None, Quantity(TIME)]] | None, OneOrMore("a time, or a list of times")
            ]
        case _:
            assert_never(entry.entry)


def _table(name: str, request: Request) -> type[Table]:
    """The [[assays]] table of one assay."""
    found: dict[str, Any] = {
        "name": (Annotated[Any, Constant(name, f'"{name}"')], key("the assay", example=name)),
    }
    for entry in request.keys:
        attribute = f"{entry.name}_" if iskeyword(entry.name) else entry.name
        default = ... if entry.needed else entry.default
        about = key(entry.says, default, otherwise=entry.default_says, alias=entry.name, was=entry.was)
        found[attribute] = (_annotation(entry), about)
        if entry.entry == "time":
            found["time_h"] = (Annotated[float | None, Quantity(HOURS)], key("the same, in hours", None))
        elif entry.entry == "times":
            several = Annotated[list[Annotated[float | None, Quantity(HOURS)]] | None, OneOrMore("hours, or a list")]
            found["time_h"] = (several, key("the same, in hours", None))
    return create_model(f"Assay_{name}", __base__=Table, __doc__=f"A request of the assay {name}.", **found)


TABLES: dict[str, type[Table]] = {name: _table(name, request) for name, request in REQUESTS.items()}


class _Unknown(Table):
    """A table whose name is no assay; its other keys cannot be checked."""

    model_config = ConfigDict(extra="allow")
    EXPECTED: ClassVar[str] = 'a table, e.g. name = "senescence"'
    name: Annotated[str | None, OneOf(tuple(REQUESTS), "assays")] = key(
        f"the assay ({', '.join(REQUESTS)})", example=next(iter(REQUESTS))
    )


class Assay:
    """The annotation of an [[assays]] table: that of the assay it names."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def choose(value: Any) -> str:
            name = value.get("name") if isinstance(value, dict) else None
            return f"<{name}>" if isinstance(name, str) and name in TABLES else HIDDEN

        forms = {f"<{name}>": handler.generate_schema(table) for name, table in TABLES.items()}
        return core_schema.nullable_schema(
            core_schema.tagged_union_schema({**forms, HIDDEN: handler.generate_schema(_Unknown)}, choose)
        )

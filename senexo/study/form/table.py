"""The base of every table of a study file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, ValidationInfo, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema

from senexo.study.form.fields import Json, OneOf, unexpected

FORMER = "x-was"  # what the JSON Schema of a key calls the names it had in the last version


def key(
    says: str,
    default: Any = ...,
    *,
    otherwise: str = "",
    example: Any = None,
    alias: str | None = None,
    was: Sequence[str] = (),
) -> Any:
    """A key of a table.

    says: its meaning. default: its value where it is not there (none: the key is needed); otherwise: the same in words.
    example: a value, as a message shows it where the key is missing. was: names that it had in the last version.
    """
    extra: Json = {"x-default": otherwise} if otherwise else {}
    if was:
        extra[FORMER] = list(was)
    examples = None if example is None else [example]
    return Field(default, description=says, json_schema_extra=extra or None, examples=examples, alias=alias)


class Table(BaseModel):
    """A table of fixed keys. None stands for a value with a fault, also where a key is needed.

    EXPECTED: what a message expects instead of what is no table. ONE_OF: two keys of which exactly one is needed.
    EMPTY: (found, expected) where the table must have a key.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())
    EXPECTED: ClassVar[str] = "a table"
    ONE_OF: ClassVar[tuple[str, str] | None] = None
    EMPTY: ClassVar[tuple[str, str] | None] = None

    @model_validator(mode="before")
    @classmethod
    def _note(cls, data: Any, info: ValidationInfo) -> Any:
        """Refuse what is no table, and note which class reads one: messages about its keys need to know."""
        if not isinstance(data, dict):
            raise unexpected(cls.EXPECTED)
        if not data and cls.EMPTY:
            raise unexpected(cls.EMPTY[1], cls.EMPTY[0])
        if info.context is not None:
            info.context[id(data)] = cls
        return data

    @classmethod
    def keys(cls) -> dict[str, FieldInfo]:
        """The keys as a file has them."""
        return {field.alias or name: field for name, field in cls.model_fields.items()}

    def get(self, key: str) -> Any:
        """The value of a key, by its name in a file."""
        names = {field.alias or name: name for name, field in type(self).model_fields.items()}
        return getattr(self, names[key])

    @classmethod
    def renamed(cls) -> dict[str, str]:
        """Names of the last version -> names of this one."""
        found: dict[str, str] = {}
        for name, about in cls.keys().items():
            extra = about.json_schema_extra
            former: Any = extra.get(FORMER, ()) if isinstance(extra, dict) else ()
            found |= dict.fromkeys(former, name)
        return found

    @classmethod
    def former_words(cls) -> dict[str, Mapping[str, str]]:
        """Key -> words of the last version -> words of this one, where a key has such."""
        words = {name: [one for one in about.metadata if isinstance(one, OneOf)] for name, about in cls.keys().items()}
        return {name: found[0].former for name, found in words.items() if found and found[0].former}

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> Json:
        found = handler.resolve_ref_schema(handler(schema))
        if cls.ONE_OF:
            found["oneOf"] = [{"required": [name]} for name in cls.ONE_OF]
        if cls.EMPTY:
            found["minProperties"] = 1
        return found


def example_of(table: type[Table] | None, name: str) -> str:
    """The example of a key, as a message goes on with it; "" where it has none."""
    about = table.keys().get(name) if table else None
    return f", e.g. {toml(about.examples[0])}" if about is not None and about.examples else ""


def toml(value: Any) -> str:
    """A value as a study file has it."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {toml(below)}" for name, below in value.items()) + " }"
    return f'"{value}"' if isinstance(value, str) else str(value)

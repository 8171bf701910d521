"""The study file as a JSON Schema, for editors and other programs: made from the tables of `senexo.study.form`.

    python -m senexo.study.json_schema > spec/study.schema.json

It sees the shape of a file (keys, types, ranges, the form of quantities). What needs the model (is there such a gene,
arm, parameter, time) only `resolve` sees.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from senexo.study.form.fields import HIDDEN
from senexo.study.form.file import StudyFile
from senexo.study.form.table import FORMER

Schema = dict[str, Any]


class _Generator(GenerateJsonSchema):
    """pydantic's generator, for files without null."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """None stands for a value with a fault, and no file holds it."""
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        if schema.get("default", ...) is None:
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)

    def tagged_union_schema(self, schema: core_schema.TaggedUnionSchema) -> JsonSchemaValue:
        """Any of the forms: an empty arm is of both."""
        forms = [form for tag, form in schema["choices"].items() if tag != HIDDEN]
        return {"anyOf": [self.generate_inner(form) for form in forms]}

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        found: JsonSchemaValue = {"type": "object"}
        names = self.generate_inner(schema["keys_schema"]) if "keys_schema" in schema else {}
        if names.keys() & {"pattern", "enum"}:
            found["propertyNames"] = names
        values = self.generate_inner(schema["values_schema"]) if "values_schema" in schema else {}
        return {**found, "additionalProperties": values} if values else found

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def generate(self, schema: CoreSchema, mode: Any = "validation") -> JsonSchemaValue:
        found = super().generate(schema, mode)
        for table in (found, *found["$defs"].values()):
            _finish(table)
        head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "senexo study file"}
        return {**head, **{key: value for key, value in found.items() if key not in head}}


def _finish(table: Schema) -> None:
    """One table: without the name of its class, and with the names that its keys had in the last version."""
    table.pop("title", None)
    for name, about in list(table.get("properties", {}).items()):
        about.pop("x-default", None)
        for former in about.pop(FORMER, ()):
            kept = {key: value for key, value in about.items() if key not in ("default", "description")}
            table["properties"][former] = {**kept, "description": f"former name of {name}", "deprecated": True}


def schema() -> Schema:
    """The schema of study files, short and resolved form alike.

    >>> schema()["properties"]["seed"]["maximum"] == 2**63 - 1
    True
    """
    return StudyFile.model_json_schema(schema_generator=_Generator)


if __name__ == "__main__":
    json.dump(schema(), sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")

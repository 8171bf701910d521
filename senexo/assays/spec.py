"""What an assay reads, which options it takes, what it returns, and what a study may request of it.

Every assay has one `Spec` (`senexo/assays/_NAME/spec.py`). The command line, the reader and JSON Schema of study files,
the report and the data dictionary in `docs/assays` are made from it. No numerical library is imported here.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from senexo.base.table import Column
from senexo.base.units import Kind as Quantity

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["column", "columns", "formula", "formulas", "name", "names", "number", "numbers", "pairs", "factors"]
_METAVARS: dict[Kind, str] = {
    "column": "COLUMN", "columns": "COLUMN,...", "formula": "FORMULA", "formulas": "FORMULA", "name": "NAME",
    "names": "NAME,...", "number": "NUMBER", "numbers": "NUMBER,...", "pairs": "NAME,NAME", "factors": "[NAME=]NUMBER",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Option:
    """One keyword of an assay's function.

    says: its meaning, as the command line prints it; more: what the data dictionary adds. choices: the words it takes.
    was: names that it had in the last version. part_of: the keyword of the function that holds it, a mapping of option
    names. everywhere: on the command line an option of all assays.
    """

    name: str
    kind: Kind
    says: str
    needed: bool = False
    default: str = ""
    choices: tuple[str, ...] = ()
    metavar: str = ""
    more: str = ""
    was: tuple[str, ...] = ()
    part_of: str = ""
    everywhere: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "metavar", self.metavar or "|".join(self.choices) or _METAVARS[self.kind])

    @property
    def several(self) -> bool:
        """Whether the option holds several values and may be repeated."""
        return self.kind in ("columns", "formulas", "names", "numbers", "pairs", "factors")

    @property
    def flag(self) -> str:
        return flag(self.name)


def flag(name: str) -> str:
    """The option of the command line for a keyword: min_reads -> --min-reads."""
    return "--" + name.replace("_", "-")


@dataclass(frozen=True, slots=True)
class Input:
    """A column of the table that an assay reads; `when` it is there (empty: always)."""

    name: str
    kind: Literal["text", "number", "whole", "flag"]
    says: str
    when: str = ""
    unit: str = ""
    may_be_empty: bool = False
    low: float | None = None
    high: float | None = None
    empty_words: tuple[str, ...] = ()

    def column(self, *, required: bool | None = None) -> Column:
        """The column as `senexo.base.table.check` wants it."""
        needed = not self.when if required is None else required
        return Column(self.name, self.kind, needed, self.may_be_empty, self.low, self.high, self.empty_words)


@dataclass(frozen=True, slots=True)
class Field:
    """A column of a result table, or a setting: its meaning and its unit."""

    name: str
    says: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A result table and its columns; `when` it is there (empty: always)."""

    name: str
    says: str
    fields: tuple[Field, ...]
    when: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A kind of finding: the pattern of its id (names in capitals vary), its unit, and what it says."""

    id: str
    unit: str
    says: str


# what an entry of an [[assays]] table in a study file may be
Entry = Literal[
    "pairs of arms or families", "pairs of arms", "arm", "arms", "family", "time", "times", "cell type", "read-out",
    "RNA", "RNAs", "species of the media", "names", "whole number", "quantity",
]  # fmt: skip
Need = Literal["a shared medium", "mice", "patients", "mice or patients"]


@dataclass(frozen=True, slots=True)
class Key:
    """A key of an [[assays]] table of a study file.

    says: its meaning; default: the value where the key is not there (None: the assay's own). A whole number has limits;
    a quantity has a unit and limits (`quantity`). was: names that it had in the last version.
    """

    name: str
    entry: Entry
    says: str
    needed: bool = False
    default: Any = None
    default_says: str = ""
    limits: tuple[int, int] = (0, 2**53)
    quantity: Quantity | None = None
    was: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """What a study may request of an assay.

    title: heading in a report, a pattern of the result's settings. keys: of the [[assays]] table, besides `name`.
    needs: what the model must have, or that the study has mice or patients. tables: the tables of a run from which the
    bench's table is made. apart: pairs of keys that must name different cells.
    """

    title: str
    keys: tuple[Key, ...]
    tables: tuple[str, ...]
    needs: tuple[Need, ...] = ()
    apart: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Spec:
    """One assay. See the fields of `senexo/assays/_colonies/spec.py` for an example.

    title: one line; answers, reads: its entry in the list of assays. row: what one row of the table is. key: columns in
    which no two rows may agree. settings: those that are no option. verdicts: words, with commas between -> when a
    finding has them (docs/assays.md has those of all assays). example: options that read the example table. request:
    None where a study cannot request it.
    """

    name: str
    title: str
    answers: str
    reads: str
    row: str
    options: tuple[Option, ...]
    tables: tuple[Table, ...]
    findings: tuple[Answer, ...]
    example: Mapping[str, Any]
    columns: tuple[Input, ...] = ()
    key: tuple[str, ...] = ()
    settings: tuple[Field, ...] = ()
    verdicts: Mapping[str, str] = field(default_factory=dict)
    request: Request | None = None
    needs_table: bool = True

    @property
    def function(self) -> Callable[..., Any]:
        """The public function; its module is imported now."""
        found: Callable[..., Any] = getattr(importlib.import_module(f"senexo.assays._{self.name}.assay"), self.name)
        return found

    def example_table(self) -> pd.DataFrame:
        """A small made-up table, which `function(table, **spec.example)` reads."""
        table: pd.DataFrame = importlib.import_module(f"senexo.assays._{self.name}.example").example()
        return table

    def checks(self, names: Iterable[str] | None = None) -> list[Column]:
        """The columns of the table, or those named, as `senexo.base.table.check` wants them."""
        return [one.column() for one in self.columns if names is None or one.name in names]

    def option(self, name: str) -> Option:
        return next(option for option in self.options if option.name == name)

    @property
    def help(self) -> str:
        """Title, rows and columns, as `senexo assay NAME --help` prints them."""
        needed = ", ".join(one.name for one in self.columns if not one.when)
        more = ", ".join(one.name for one in self.columns if one.when)
        columns = [f"Columns: {needed}" if needed else "", f"where they apply: {more}" if more else ""]
        listed = "; ".join(part for part in columns if part)
        return f"{self.title}\n\n{self.row}{f' {listed}.' if listed else ''}"

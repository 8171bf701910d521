"""The data dictionary of every assay, in Markdown, from its specification.

    python -m senexo.assays.dictionary docs/assays

writes the parts of `docs/assays/NAME.md` between `<!-- columns -->`, `<!-- options -->` or `<!-- fields -->` and the
closing `<!-- / -->` anew. What stands outside of them is written by hand.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from senexo.assays.spec import Field, Option, Spec
from senexo.assays.specs import SPECS


def columns(spec: Spec) -> str:
    """The columns of the table that the assay reads."""
    rows = [(f"`{one.name}`", one.when or "required", one.unit, one.says) for one in spec.columns]
    return f"{_table(('column', '', 'unit', 'holds'), rows)}\n\n{spec.row}"


def options(spec: Spec) -> str:
    """The options, and what the parts of a mapping are."""
    whole = [(f"`{one.name}`", _says(one)) for one in spec.options if not one.part_of]
    parts: dict[str, list[Option]] = {}
    for one in spec.options:
        if one.part_of:
            parts.setdefault(one.part_of, []).append(one)
    for name, entries in parts.items():
        keys = ", ".join(f"`{one.name}` ({one.says.rpartition(': ')[2]})" for one in entries)
        flags = f"{entries[0].flag}, {entries[1].flag}, ..."
        whole.append((f"`{name}`", f"names in the {name} table, a mapping; on the command line `{flags}`: {keys}"))
    return _table(("option", "says"), whole)


def fields(spec: Spec) -> str:
    """The tables of the result with their columns, the settings, the findings and the verdicts."""
    parts = []
    for table in spec.tables:
        when = f" ({table.when})" if table.when else ""
        parts.append(f"**`{table.name}`**{when}: {table.says}.\n\n{_fields(table.fields)}")
    settings = _marked(dict.fromkeys(one.part_of or one.name for one in spec.options))
    more = f"\n\n{_fields(spec.settings, head='setting')}" if spec.settings else ""
    parts.append(f"**`settings`**: the options as they were used ({settings}), and{more}")
    found = [(f"`{one.id}`", one.unit, one.says) for one in spec.findings]
    parts.append(f"**Findings**\n\n{_table(('id', 'unit', 'says'), found)}")
    if spec.verdicts:
        verdicts = [
            (", ".join(f"`{word}`" for word in words.split(", ")), says) for words, says in spec.verdicts.items()
        ]
        common = "Besides the [common verdicts](../assays.md#verdicts):"
        parts.append(f"{common}\n\n{_table(('verdict', 'says'), verdicts)}")
    return "\n\n".join(parts)


PARTS: Mapping[str, Callable[[Spec], str]] = {"columns": columns, "options": options, "fields": fields}


def written(page: str, spec: Spec) -> str:
    """The page with all its generated parts as the specification says.

    >>> written("<!-- options -->\\nold\\n<!-- / -->\\nkept", SPECS["colonies"]).splitlines()[-1]
    'kept'
    """

    def part(found: re.Match[str]) -> str:
        return f"<!-- {found[1]} -->\n{PARTS[found[1]](spec)}\n<!-- / -->"

    return re.sub(rf"<!-- ({'|'.join(PARTS)}) -->\n.*?<!-- / -->", part, page, flags=re.DOTALL)


def _marked(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _says(option: Option) -> str:
    choices = f" ({_marked(option.choices)})" if option.choices and not option.more else ""
    more = f"; {option.more}" if option.more else ""
    needed = "; needed" if option.needed else f"; default: {option.default}" if option.default else ""
    return f"{option.says}{choices}{more}{needed}"


def _fields(rows: Iterable[Field], head: str = "column") -> str:
    return _table((head, "unit", "holds"), [(f"`{one.name}`", one.unit, one.says) for one in rows])


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; a bar inside a cell is escaped."""
    lines = [head, ["---"] * len(head), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join("|" + "|".join(f" {cell} " if cell else " " for cell in line) + "|" for line in lines)


def main(folder: Path) -> None:
    for name, spec in SPECS.items():
        page = folder / f"{name}.md"
        page.write_text(written(page.read_text(encoding="utf-8"), spec), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

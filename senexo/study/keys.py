"""Every key of a study file as Markdown, made from the tables of `senexo.study.form`.

    python -m senexo.study.keys docs/study-file.md     # writes them anew between the two marks in that file

A test holds docs/study-file.md to it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from senexo.study.form import arms, assays, cohort, culture, evidence, measured, mouse, worlds
from senexo.study.form.fields import says
from senexo.study.form.file import StudyFile
from senexo.study.form.table import FORMER, Table, toml

BEGIN, END = "<!-- keys -->", "<!-- / -->"
SECTIONS: tuple[tuple[str, type[Table]], ...] = (
    ("(top)", StudyFile),
    ("`[model]`", culture.Model),
    ("`[model.targets.GENE]`, resolved form", culture.SequenceTable),
    ("`[cells.TYPE]`", culture.CellType),
    ("`[donors]`", culture.Donors),
    ("`[donors.draws.NAME]`", culture.Draw),
    ("`[culture]`", culture.Culture),
    ("`[arms.NAME]`", arms.ArmTable),
    ("`dose`", arms.Dose),
    ("`wash_out`", arms.WashOut),
    ("`medium_change`", arms.MediumChange),
    ("`medium_from`", arms.MediumFrom),
    ("`branch`", arms.Branch),
    ("`actions`, `genotype`, `schedule`", arms.Action),
    ("`[arms.NAME]`, resolved form", arms.ResolvedArm),
    ("`body_doses`, resolved form", arms.BodyDose),
    ("`[mouse]`", mouse.Mouse),
    ("`[secondary]`", mouse.Secondary),
    ("`[cohort]`", cohort.Cohort),
    ("`[readouts]`", measured.Readouts),
    ("`[replicates]`", measured.Replicates),
    ("`[replicates.about.NAME]`", measured.About),
    *((f"`[[assays]]` of {name}", table) for name, table in assays.TABLES.items()),
    ("`[claim]`", measured.Claim),
    ("`[claim.null]`", measured.Null),
    ("`[worlds.NAME]`", worlds.World),
    ("`[[evidence]]`", evidence.Evidence),
    ("`[[candidates]]`", evidence.Candidate),
)


def markdown() -> str:
    """One table of keys for each table of a study file."""
    return "\n".join(line for title, table in SECTIONS for line in _section(title, table))


def written_anew(text: str) -> str:
    """The text of a page with its keys as they are now."""
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n{markdown()}\n{END}{rest.split(END)[1]}"


def _section(title: str, table: type[Table]) -> Iterator[str]:
    yield f"\n**{title}**\n"
    yield "| key | meaning | written as | default |"
    yield "|---|---|---|---|"
    for name, about in table.keys().items():
        cells = (f"`{name}`{_former(about)}", about.description or "", says(about), _default(table, name, about))
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _extra(about: FieldInfo) -> dict[str, Any]:
    return about.json_schema_extra if isinstance(about.json_schema_extra, dict) else {}


def _former(about: FieldInfo) -> str:
    former = _extra(about).get(FORMER, ())
    return f" (before: {', '.join(f'`{name}`' for name in former)})" if former else ""


def _default(table: type[Table], name: str, about: FieldInfo) -> str:
    if about.is_required():
        return "needed"
    if table.ONE_OF and name in table.ONE_OF:
        return f"one of `{table.ONE_OF[0]}` and `{table.ONE_OF[1]}` is needed"
    default = about.get_default()
    shown = "" if default is None or default == () else f"`{toml(default)}`"
    return str(_extra(about).get("x-default", shown)) or "none"


if __name__ == "__main__":
    for page in map(Path, sys.argv[1:]):
        page.write_text(written_anew(page.read_text(encoding="utf-8")), encoding="utf-8")

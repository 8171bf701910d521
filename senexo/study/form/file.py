"""A whole study file."""

from __future__ import annotations

from typing import Annotated, Any

from senexo.study.form.arms import Arm
from senexo.study.form.assays import Assay
from senexo.study.form.cohort import Cohort
from senexo.study.form.culture import CellType, Culture, Donors, Model
from senexo.study.form.evidence import Candidate, Evidence
from senexo.study.form.fields import Constant, Key, Listed, Named, Text, Whole
from senexo.study.form.kinds import DEFAULT_SEED, MAX_SEED
from senexo.study.form.measured import Claim, Readouts, Replicates
from senexo.study.form.mouse import Mouse, Secondary
from senexo.study.form.table import Table, key
from senexo.study.form.worlds import World
from senexo.study.schema import SCHEMA_VERSION

ARM_NAME = r"[A-Za-z0-9]([A-Za-z0-9 _.+-]{0,58}[A-Za-z0-9_.+-])?( ?\[[^\[\]\"\\]{1,30}\])?"  # no space at the end

WORLD_NAME = r"[A-Za-z0-9]([A-Za-z0-9 _.,+-]{0,38}[A-Za-z0-9_.+-])?"


class StudyFile(Table):
    """A study file, in the form that people write or in the resolved form."""

    schema_version: Annotated[Any, Constant(SCHEMA_VERSION, f"{SCHEMA_VERSION}, the form this senexo reads")] = key(
        "version of the file's form", SCHEMA_VERSION
    )
    title: Annotated[str | None, Text("a title")] = key("one line")
    seed: Annotated[int | None, Whole(0, MAX_SEED, DEFAULT_SEED)] = key("of all random numbers", DEFAULT_SEED)
    model: Model | None = key("what is simulated")
    cells: Annotated[
        dict[str, CellType | None] | None,
        Named("a table of cell types, e.g. [cells.LSC]", ("no cell type", "a cell type, e.g. [cells.LSC]")),
    ] = key("the types of cells")
    donors: Donors | None = key("the donors", None, otherwise="20 donors that differ as the parameter table says")
    culture: Culture | None = key("how cells are cultured")
    arms: Annotated[
        dict[
            Annotated[
                str,
                Key(
                    pattern=ARM_NAME, what="arm name",
                    expected='a name of letters, digits, _ . + - and spaces between them, e.g. "mimic"',
                ),
            ],
            Annotated[Any, Arm()],
        ]
        | None,
        Named("a table of arms, e.g. [arms.mock]", ("no arm", "at least one arm, e.g. [arms.mock]")),
    ] = key("what is done to cells, by the name of the arm")  # fmt: skip
    mouse: Mouse | None = key("mice that get the cells of each arm", None, otherwise="none")
    secondary: Secondary | None = key("secondary transplantation of their marrow", None, otherwise="none")
    cohort: Cohort | None = key("patients who get 7+3 and what each arm says", None, otherwise="none")
    readouts: Readouts | None = key("what is read, and when", None)
    replicates: Replicates | None = key("technical replicates and their noise", None)
    assays: Annotated[
        list[Annotated[Any, Assay()]] | None, Listed("a list of tables, [[assays]]", may_be_empty=True)
    ] = key("the assays", None, otherwise="none")
    claim: Claim | None = key("what the study claims", None, otherwise="none")
    worlds: Annotated[
        dict[
            Annotated[
                str,
                Key(
                    pattern=WORLD_NAME, what="name of a world",
                    expected="a name of letters, digits, _ . , + - and spaces",
                ),
            ],
            World | None,
        ]
        | None,
        Named("a table of worlds, e.g. [worlds.tight]"),
    ] = key("named worlds in which the claim is judged too (`senexo worlds`)", None, otherwise="none")  # fmt: skip
    evidence: Annotated[list[Evidence | None] | None, Listed("a list of tables, [[evidence]]", may_be_empty=True)] = (
        key("measurements by which `senexo worlds` weights the draws", None, otherwise="none")
    )
    candidates: Annotated[
        list[Candidate | None] | None, Listed("a list of tables, [[candidates]]", may_be_empty=True)
    ] = key("experiments that `senexo worlds` ranks by what they would tell", None, otherwise="none")

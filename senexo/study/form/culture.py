"""Who is cultured and how: the tables `[model]`, `[cells]`, `[donors]` and `[culture]` of a study file."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from senexo.base.evidence import FORMER_STATUSES, STATUSES
from senexo.base.units import AMOUNT, NUMBER_KIND, PERCENT, SPAN, TIME
from senexo.study import methods
from senexo.study.claims import MAX_LENGTH
from senexo.study.form.fields import MAX_SENTENCE, Constant, Either, Named, OneOf, Quantity, Text, Whole
from senexo.study.form.kinds import (
    DEFAULT_DONORS,
    DEFAULT_RARE_CELLS,
    DEFAULT_WELL_CAPACITY,
    HOURS,
    MAX_CELLS_PER_TYPE,
    MAX_DONORS,
    MAX_WELL_CAPACITY,
    PERCENT_H,
    SPAN_H,
    STEP,
    STEP_H,
    VARIATION,
)
from senexo.study.form.table import Table, key

LAWS = ("fixed", "uniform", "log-uniform")
STAND_FOR = ("worlds", "patients")
WELLS = ("twins", "independent")
STATUS = "`seen` in its source, `unverified` (cited from recall), `assumed`, or `derived` from other numbers"
MAX_BASES = 100_000  # of one 3'UTR

Word = Annotated[str | None, Text()]
Label = Annotated[str | None, Text(may_be_empty=True)]
Number = Annotated[float | None, Quantity(NUMBER_KIND)]
Status = Annotated[str | None, OneOf(STATUSES, "statuses", former=FORMER_STATUSES)]


class SequenceTable(Table):
    """A 3'UTR in the resolved form."""

    sequence: Annotated[str | None, Text(max_length=MAX_BASES)] = key("its bases")
    source: Word = key("file and record it was read from")


class Model(Table):
    """What is simulated."""

    ONE_OF: ClassVar[tuple[str, str]] = ("circuit", "file")
    circuit: Annotated[str | None, Text("the name of a shipped circuit or a circuit folder")] = key(
        "a shipped circuit, or a circuit folder", None, example="mir34c-rab27b"
    )
    file: Annotated[str | None, Text("a path of a model file (.ant, .txt, .xml, .sbml)")] = key(
        "an Antimony or SBML file; paths are relative to the study", None
    )
    digest: Word = key("if given, the model must still be this one", None)
    prior: Word = key("the table that donors draw from: `shipped` or `evidence`", None, otherwise="`shipped`")
    reading: Word = key("how affinity is read: `relative` or `tight`", None, otherwise="`relative`")
    targets: Annotated[
        dict[
            str, Annotated[Any, Either(one=Annotated[str | None, Text("a path of a FASTA file")], table=SequenceTable)]
        ]
        | None,
        Named('a table of genes, e.g. { RAB27B = "rab27b_utr3.fa" }'),
    ] = key(
        "gene = FASTA file of its 3'UTR, which then sets its sites", None, otherwise="the parameter table sets them"
    )


class CellType(Table):
    """One type of cells."""

    n: Annotated[int | None, Whole(0, MAX_CELLS_PER_TYPE, 100)] = key(
        "cells per donor and arm; 0 for a type that only some arms have", example=100
    )
    variation: Annotated[
        dict[str, Annotated[float | None, Quantity(VARIATION)]] | None,
        Named('a table of parameters, e.g. { Td = "20 %" }'),
    ] = key(
        "parameter = coefficient of variation between the cells of a donor (lognormal)", None,
        otherwise="the circuit's own",
    )  # fmt: skip


class Draw(Table):
    """How donors differ in one parameter."""

    law: Annotated[str | None, OneOf(LAWS, "laws")] = key(
        "fixed, uniform or log-uniform", None, otherwise="the table's"
    )
    value: Number = key("the central value", None, otherwise="the table's, or the middle of the range")
    low: Number = key("lower end of the range", None, otherwise="the table's")
    high: Number = key("upper end of the range", None, otherwise="the table's")
    unit: Label = key("unit, a label", None, otherwise="the table's")
    source: Label = key("where the numbers come from", None, otherwise="this study")
    status: Status = key(STATUS, None, otherwise="assumed")


class Donors(Table):
    """The donors and how they differ."""

    n: Annotated[int | None, Whole(1, MAX_DONORS, DEFAULT_DONORS)] = key("number of donors", DEFAULT_DONORS)
    draws: Annotated[
        Any,
        Either(
            one=Annotated[Any, Constant("central", '"central", or a table of parameters, e.g. { K8 = 1250 }')],
            table=dict[str, Annotated[Any, Either(one=Number, table=Draw)]],
        ),
    ] = key(
        "parameter = a number, or what departs from the parameter table; or `\"central\"`: every donor at the central "
        "values", None, otherwise="the parameter table",
    )  # fmt: skip
    stand_for: Annotated[str | None, OneOf(STAND_FOR, "meanings of a donor")] = key(
        "`worlds` (draws of what is not known) or `patients` (who differ within one world)", None,
        otherwise="`worlds` where a parameter is drawn, else `patients`",
    )  # fmt: skip


class Culture(Table):
    """How cells are cultured."""

    ONE_OF: ClassVar[tuple[str, str]] = ("duration", "duration_h")
    duration: Annotated[float | None, Quantity(SPAN)] = key("how long", None, example="7 d")
    duration_h: Annotated[float | None, Quantity(SPAN_H)] = key("how long, in hours", None)
    serum: Annotated[float | None, Quantity(PERCENT)] = key("of the medium", None, otherwise="the circuit's own")
    serum_percent: Annotated[float | None, Quantity(PERCENT_H)] = key("serum, as a number", None)
    growth_factors: Annotated[float | None, Quantity(AMOUNT)] = key(
        "of the medium", None, otherwise="the circuit's own"
    )
    preequilibration: Annotated[float | None, Quantity(TIME)] = key(
        "time the cells settle before hour 0", None, otherwise="the circuit's own"
    )
    preequilibration_h: Annotated[float | None, Quantity(HOURS)] = key("the same, in hours", None)
    commitment_rule: Annotated[str | None, Text(max_length=MAX_SENTENCE)] = key(
        "the rule in words, for the report", None, otherwise="the circuit's own"
    )
    wells: Annotated[str | None, OneOf(WELLS, "kinds of wells")] = key(
        "of cells that are each alone: `twins` (the same virtual cells in every arm) or `independent` (cells of their "
        "own in every arm, as in a laboratory)", None, otherwise="`twins`",
    )  # fmt: skip
    method: Annotated[str | None, OneOf(methods.NAMES, "methods")] = key(
        "of coupled cells: how they are simulated", None, otherwise=f"`{methods.DEFAULT}`"
    )
    window: Annotated[float | None, Quantity(STEP)] = key(
        "of coupled cells: how long pools are held constant", None, otherwise='`"15 min"`'
    )
    window_h: Annotated[float | None, Quantity(STEP_H)] = key("the same, in hours", None)
    most_cells: Annotated[int | None, Whole(2, MAX_WELL_CAPACITY, DEFAULT_WELL_CAPACITY)] = key(
        "of coupled cells: so many cells of a well are followed; where there are more, each represents several "
        "(`exact`: the well ends there)", None, otherwise=str(DEFAULT_WELL_CAPACITY),
    )  # fmt: skip
    rare_cells: Annotated[int | None, Whole(1, MAX_WELL_CAPACITY, DEFAULT_RARE_CELLS)] = key(
        "of coupled cells: of a type with fewer cells every one is followed, also beyond `most_cells`", None,
        otherwise=str(DEFAULT_RARE_CELLS),
    )  # fmt: skip
    window_check_wells: Annotated[int | None, Whole(0, MAX_WELL_CAPACITY, 8)] = key(
        "of coupled cells: wells that are simulated again with half the window, to estimate its error; 0: none", None,
        otherwise="a quarter of all, at most 8",
        was=("halving",),
    )  # fmt: skip
    stop_when: Annotated[str | None, Text(max_length=MAX_LENGTH)] = key(
        "of coupled cells: a condition that ends a well", None
    )

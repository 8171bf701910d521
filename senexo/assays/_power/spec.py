"""Options, tables and findings of `power`."""

from __future__ import annotations

from senexo.assays import fields as f
from senexo.assays.spec import Answer, Field, Kind, Option, Spec, Table

_ROLES: tuple[tuple[str, Kind, str], ...] = (
    ("arm", "name", "the treated arm"), ("control", "name", "the control arm or group"),
    ("target", "name", "the RNA that is measured"), ("reference", "names", "the reference RNAs"),
    ("time", "column", "the column of times"), ("event", "column", "the column of events"),
    ("dose", "column", "the column of doses"), ("tested", "column", "the column of numbers tested"),
    ("response", "column", "the column of responses"), ("value", "column", "the column of levels"),
    ("group", "column", "the column of groups"), ("blank", "name", "the arm that is medium without cells"),
)  # fmt: skip

SPEC = Spec(
    name="power",
    title="How many donors, mice or patients an effect needs, by simulation through the assay's own code.",
    answers="how many donors, mice or patients does an effect need?",
    reads="nothing, or a pilot table",
    row="TABLE is a pilot table of that assay, or nothing. This takes a minute or some; fewer --sets are quicker.",
    options=(
        Option("assay", "name", "the assay that is to show the effect", needed=True),
        Option("effect", "number", "the size of the effect, in the assay's unit (docs: power)", needed=True),
        Option("n", "numbers", "the numbers to judge; without it the number needed is sought", more="up to 2,000"),
        Option("power", "number", "the power wanted", default="0.8"),
        Option("alpha", "number", "level of the two-sided test", default="0.05",
               more="write 0.05 / 6 where six comparisons are planned"),
        Option("design", "name", "where the assay knows both", default="paired", choices=("paired", "unpaired")),
        Option("given", "factors", "an assumption, such as sd=0.4", metavar="NAME=NUMBER",
               more="they replace what the pilot says"),
        Option("sets", "number", "simulated tables at each number that is reported", default="400",
               more="gives power to about 4 points; the search uses a quarter of it"),
        Option("seed", "number", "of the simulated tables", default="1", more="the same seed gives the same answer"),
        *(Option(name, kind, f"of the pilot: {says}", part_of="pilot") for name, kind, says in _ROLES),
    ),
    tables=(
        Table("curve", "power at every number that was simulated", (
            Field("n", "units"), Field("power", "share of simulated tables with p below alpha", "share"),
            Field("low", "lower end of its exact 95 % interval: the Monte-Carlo error", "share"),
            Field("high", "upper end of it", "share"), Field("sets", "simulated tables"),
            Field("not_testable", "tables in which the assay could test nothing; they count as not shown"),
            Field("fitted", "the curve drawn", "share"),
        )),
        Table("assumptions", "the numbers that power rests on", (
            Field("name", "name"), Field("value", "value"), Field("source", "`given`, `pilot` or `assumed`"),
            Field("says", "what it is"),
        )),
    ),
    settings=(
        Field("effect_is", "what kind of number the effect is"), Field("claim", "the effect in words"),
        Field("n", "the number needed, or those judged"), Field("unit", "what n counts"), f.LEVEL,
        Field("given", "all assumptions"),
    ),
    findings=(
        Answer("n:ASSAY", "donors, patients, ...", "the number needed"),
        Answer("power:ASSAY:N", "power", "the power of a number that was given"),
    ),
    verdicts={
        "estimated": "the number needed",
        "not reached": "2,000 units do not reach the power wanted",
        "enough, not enough": "the whole Monte-Carlo interval lies above, or below, the power wanted",
        "about enough": "the interval holds the power wanted: more `sets` would decide",
    },
    example={
        "assay": "senescence", "effect": 0.15, "sets": 60, "pilot": {"arm": "mimic", "control": "scrambled"},
    },
    needs_table=False,
)  # fmt: skip

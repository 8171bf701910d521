"""Options, tables and findings of `dilution`."""

from __future__ import annotations

from senexo.assays import fields as f
from senexo.assays.spec import Answer, Field, Key, Option, Request, Spec, Table

SPEC = Spec(
    name="dilution",
    title="Limiting dilution: how frequent are the cells that grow out or engraft, 1 in N; groups compared (as ELDA).",
    answers="how frequent are the active cells (extreme limiting dilution)?",
    reads="one row per dose and group",
    row="One row for each dose and group: cells per well or mouse, how many were tested, how many responded. Or one "
    "row per well or mouse with 1 tested. Rows of one dose are summed.",
    options=(
        Option("dose", "column", "cells per well or mouse", default="dose"),
        Option("tested", "column", "number of wells or mice", default="tested"),
        Option("response", "column", "how many of them grew out or engrafted", default="response",
               more="above the threshold chosen for engraftment; also `4/6` (then `tested` may be absent) or `50%` of "
               "`tested`"),
        Option("group", "column", "the groups to compare", default="all rows are one group"),
    ),
    tables=(
        Table("frequencies", "the frequency of every group", (
            f.GROUP,
            Field("one_in", "1 in so many cells responds; infinite (in JSON `null`) where no unit responded", "cells"),
            *f.interval("one_in", "cells"), Field("frequency", "frequency of responding cells", "share"),
            *f.interval("frequency", "share"), Field("n_tested", "wells or mice"),
            Field("n_response", "those that responded"), Field("n_doses", "doses"),
            Field("one_in_low_elda", "lower end without overdispersion, as elda has it", "cells"),
            Field("one_in_high_elda", "upper end of the same", "cells"),
            Field("dispersion", "that the interval allows for; 1 unless the fit is contradicted"),
        )),
        Table("single_hit", "tests of the single-hit model", (
            Field("test", "likelihood ratio, Wald, score of log dose, score of dose"),
            Field("slope", "of log(cells), 1 for single hit; the same in each row"), *f.interval("slope"),
            Field("z", "the statistic, standard normal under single hit"), f.P_VALUE,
        )),
        Table("fit", "does one frequency fit at every dose? A row per group, and one for all", (
            f.GROUP, Field("deviance", "of the single-hit model"), Field("pearson", "Pearson's chi-squared"),
            Field("degrees_of_freedom", "doses less one"), Field("p_value", "of the deviance, uncorrected"),
            Field("dispersion", "Pearson's chi-squared over its degrees of freedom"),
            Field("against", "`chi-squared`, or `simulated plates` where few units are expected"),
        )),
        Table("groups", "the test that all groups have one frequency", (
            Field("chi_square", "likelihood ratio"), Field("degrees_of_freedom", "groups less one"),
            Field("p_value", "uncorrected; of an F test where the fit is contradicted"),
        ), when="of two groups or more"),
        Table("pairs", "pairs of groups", (
            f.GROUP, Field("other", "the other group"), Field("fold", "frequency of the group over that of the other"),
            *f.interval("fold"), Field("chi_square", "likelihood ratio"), f.P_VALUE, f.P_HOLM,
        ), when="of two groups or more"),
        Table("units", "the wells or mice of each group and dose together", (
            f.GROUP, Field("dose", "cells per well or mouse", "cells"), Field("tested", "wells or mice"),
            Field("response", "those that responded"),
        )),
    ),
    settings=(
        f.LEVEL, Field("small_fold", "ratio up to which a difference is small"),
        Field("large_fold", "ratio from which a difference is large"),
    ),
    findings=(
        Answer("frequency:GROUP", "1 in N cells", "the frequency; GROUP is `all` without groups"),
        Answer("single_hit:all", "slope", "the single-hit model: its slope, and a verdict of slope and fit"),
        Answer("fit:all", "deviance", "the fit of one frequency at every dose"),
        Answer("groups:all", "chi-square", "of three groups or more: have all one frequency?"),
        Answer("fold:GROUP:OTHER", "fold", "the ratio of two frequencies"),
    ),
    verdicts={
        "large, moderate, small": "frequencies differ: below 1.5-fold small, from 4-fold large",
        "shown": "they differ by an unknown factor (a group in which no unit, or every unit, responded); of three "
        "groups or more: not all are alike",
        "upper bound only": "no unit responded: the frequency is below the bound, and is not zero",
        "lower bound only": "every unit responded: the frequency is above the bound",
        "agrees with single hit, contradicts single hit": "slope and fit both have p from 0.05; one is below 0.05",
    },
    example={"dose": "cells", "tested": "wells", "response": "positive", "group": "arm"},
    request=Request(
        title="Limiting dilution of secondary mice",
        keys=(
            Key("donor", "whole number", "one sample alone; samples differ in their frequency, which contradicts one "
                "frequency for all", default_says="all samples together", limits=(1, 10_000)),
        ),
        tables=("secondary",),
        needs=("mice",),
    ),
)  # fmt: skip

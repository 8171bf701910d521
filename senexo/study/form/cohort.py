"""Patients: the table `[cohort]` of a study file."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from senexo.base.units import SPAN
from senexo.study.form.culture import Draw, Number
from senexo.study.form.fields import Constant, Either, Listed, OneOf, Quantity, Whole
from senexo.study.form.kinds import MAX_PATIENTS, SPAN_H
from senexo.study.form.table import Table, key

STEM_KINETICS = ("own", "blasts")
APL = ("left out", "drawn")
SEVERAL = 'a list of times above 0, e.g. ["60 d", "2 years"]'
Times = Annotated[list[Annotated[float | None, Quantity(SPAN)]] | None, Listed(SEVERAL, may_be_empty=True)]
TimesH = Annotated[list[Annotated[float | None, Quantity(SPAN_H)]] | None, Listed(SEVERAL, may_be_empty=True)]
Span = Annotated[float | None, Quantity(SPAN)]
SpanH = Annotated[float | None, Quantity(SPAN_H)]


class Cohort(Table):
    """Patients who get 7+3 and what each arm says; every donor is a world with a cohort of its own."""

    EXPECTED: ClassVar[str] = 'a table, e.g. { patients = 300, follow_up = "1825 d" }'
    patients: Annotated[int | None, Whole(1, MAX_PATIENTS, 300)] = key(
        "patients of a cohort: the same in all arms", example=300
    )
    follow_up: Span = key("from the beginning of treatment", None, example="1825 d")
    follow_up_h: SpanH = key("the same, in hours", None)
    reads: Times = key("when a claim can read, besides the end", None, otherwise="at the end")
    reads_h: TimesH = key("the same, in hours", None)
    consolidations: Annotated[int | None, Whole(0, 6, 3)] = key("courses of cytarabine in remission", 3)
    stem_kinetics: Annotated[str | None, OneOf(STEM_KINETICS, "kinetics of stem cells")] = key(
        "`own`, or `blasts`: no stem cell rests or becomes senescent, and chemotherapy kills them as it kills blasts",
        "own",
    )
    apl: Annotated[str | None, OneOf(APL, "ways to treat acute promyelocytic leukaemia")] = key(
        "acute promyelocytic leukaemia, which has another therapy: `left out`, or `drawn` (flagged, and given 7+3)",
        "left out",
    )
    draws: Annotated[
        Any,
        Either(
            one=Annotated[Any, Constant("central", '"central", or a table of numbers, e.g. { level_sd = 1.0 }')],
            table=dict[str, Annotated[Any, Either(one=Number, table=Draw)]],
        ),
    ] = key(
        "number of the cohort = a value, or what departs from the table; or `\"central\"`: every world at the central "
        "values", None, otherwise="the table of docs/patient.md",
    )  # fmt: skip

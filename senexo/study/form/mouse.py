"""Mice: the tables `[mouse]` and `[secondary]` of a study file."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from senexo.base.units import SHARE, SPAN, TIME
from senexo.study.agents import CHEMOTHERAPY
from senexo.study.form.culture import Draw, Number
from senexo.study.form.fields import Constant, Either, Listed, Named, OneOf, Quantity, Text, Whole
from senexo.study.form.kinds import HOURS, INJECTED, MAX_DONORS, MAX_MICE, SPAN_H
from senexo.study.form.table import Table, key

STRAINS = ("NSG", "NRGS", "NOD/SCID")
ROUTES = ("iv", "intrafemoral")
KINETICS = ("xenograft", "slow", "intermediate", "fast")
ONE = 'a time with its unit, e.g. "28 d"'
SEVERAL = 'a list of times, e.g. ["4 weeks", "8 weeks"]'

Times = Annotated[list[Annotated[float | None, Quantity(TIME)]] | None, Listed(SEVERAL, may_be_empty=True)]
TimesH = Annotated[list[Annotated[float | None, Quantity(HOURS)]] | None, Listed(SEVERAL, may_be_empty=True)]
Time = Annotated[float | None, Quantity(TIME)]
TimeH = Annotated[float | None, Quantity(HOURS)]
Span = Annotated[float | None, Quantity(SPAN)]
SpanH = Annotated[float | None, Quantity(SPAN_H)]
ArmName = Annotated[str | None, Text("the name of an arm")]


class Mouse(Table):
    """Mice that get the cells of each arm; every donor is a sample of leukaemia."""

    EXPECTED: ClassVar[str] = 'a table, e.g. { strain = "NSG", cells = 1e6, end = "16 weeks" }'
    strain: Annotated[str | None, OneOf(STRAINS, "strains")] = key("of the mice", "NSG")
    route: Annotated[str | None, OneOf(ROUTES, "routes")] = key("of the injection", "iv")
    kinetics: Annotated[str | None, OneOf(KINETICS, "classes of growth")] = key(
        "growth of the stem cells: as measured in mice, or a class of human marrow", "xenograft"
    )
    cells: Annotated[float | None, Quantity(INJECTED)] = key(
        "cells per mouse before the treatment of the arm; those that live are injected", example=1_000_000
    )
    mice: Annotated[int | None, Whole(1, MAX_MICE, 6)] = key("mice of each arm and sample", 6)
    injected_at: Time = key(
        "ex vivo treatment: time in culture at which cells are injected", None, otherwise="0 h, unless `treated_from`"
    )
    injected_at_h: TimeH = key("the same, in hours", None)
    treated_from: Time = key(
        "treatment of the mouse: time after injection at which hour 0 of the arms is", None,
        otherwise="cells are treated ex vivo",
    )  # fmt: skip
    treated_from_h: TimeH = key("the same, in hours", None)
    bleeds: Times = key("when blood is taken, after injection", None, otherwise="never")
    bleeds_h: TimesH = key("the same, in hours", None)
    marrow: Times = key("when marrow is aspirated, after injection", None, otherwise="at the end")
    marrow_h: TimesH = key("the same, in hours", None)
    end: Span = key(
        "when mice that live are killed and their marrow is read, after injection", None, example="16 weeks"
    )
    end_h: SpanH = key("the same, in hours", None)
    threshold: Annotated[float | None, Quantity(SHARE)] = key(
        "share of hCD45+ cells in marrow from which a mouse counts as engrafted", 0.001
    )
    splitting: Annotated[int | None, Whole(0, MAX_DONORS, 2)] = key(
        "samples, the first that engraft, for which the probability of no stem cell is also found by splitting",
        0,
    )
    viability_matched: Annotated[
        dict[Annotated[str, Text()], ArmName] | None,
        Named('a table of arms, e.g. { control = "mimic" }'),
    ] = key("arm = the arm whose number of living cells it gets", None, otherwise="none")  # fmt: skip
    chemotherapy: Annotated[
        dict[Annotated[str, Text()], Annotated[str | None, OneOf(tuple(CHEMOTHERAPY), "regimens")]] | None,
        Named('a table of arms, e.g. { chemotherapy = "5+3" }'),
    ] = key("arm = the regimen that its mice get from `treated_from` on", None, otherwise="none")  # fmt: skip
    draws: Annotated[
        Any,
        Either(
            one=Annotated[Any, Constant("central", '"central", or a table of numbers, e.g. { seeding = 0.06 }')],
            table=dict[str, Annotated[Any, Either(one=Number, table=Draw)]],
        ),
    ] = key(
        "number of the mouse = a value, or what departs from the table; or `\"central\"`: every sample at the central "
        "values", None, otherwise="the table of docs/mouse.md",
    )  # fmt: skip


class Secondary(Table):
    """Secondary transplantation: marrow of living mice, pooled by arm and sample, in a ladder of doses."""

    EXPECTED: ClassVar[str] = "a table, e.g. { cells = [1e4, 1e5, 1e6], mice = 5 }"
    arms: Annotated[list[ArmName] | None, Listed("a list of arms")] = key(
        "arms whose marrow is taken", None, otherwise="all"
    )
    at: Time = key("when marrow is taken, after injection", None, otherwise="the end")
    at_h: TimeH = key("the same, in hours", None)
    cells: Annotated[
        list[Annotated[float | None, Quantity(INJECTED)]] | None, Listed("a list of numbers of cells, e.g. [1e4, 1e5]")
    ] = key("human cells per mouse, a ladder of doses", example=[10_000, 100_000, 1_000_000])
    mice: Annotated[int | None, Whole(1, MAX_MICE, 5)] = key("mice of each dose", 5)
    read: Span = key("when marrow is read, after the second injection", None, otherwise="12 weeks")
    read_h: SpanH = key("the same, in hours", None)
    threshold: Annotated[float | None, Quantity(SHARE)] = key(
        "share of hCD45+ cells in marrow from which a mouse counts as engrafted", None, otherwise="that of [mouse]"
    )

"""The `[arms]` of a study file: what is done to the cells of an arm, who is in its well, and its resolved form."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from senexo.base.units import AMOUNT, NUMBER_KIND, PERCENT, SHARE, SPAN, TIME, Kind
from senexo.study.agents import DOSE_UNITS, OLIGO_ROUTES
from senexo.study.form.fields import (
    MAX_SENTENCE,
    Either,
    Listed,
    Named,
    OneOf,
    OneOrMore,
    Quantity,
    Text,
    Unparsed,
    Whole,
)
from senexo.study.form.kinds import HOURS, MAX_CELLS_PER_TYPE
from senexo.study.form.table import Table, key

OPERATIONS = ("set", "multiply", "add")
ONE_TIME = 'one time; for several, a list of tables, e.g. [{ ..., at = "0 h" }, { ..., at = "2 d" }]'
RUNGS = Listed("a list with at least one value")

Name = Annotated[str | None, Text()]
Hour = Annotated[float | None, Quantity(TIME, not_a_list=ONE_TIME)]
HourBare = Annotated[float | None, Quantity(HOURS, not_a_list=ONE_TIME)]
Number = Annotated[float | None, Quantity(NUMBER_KIND)]
Genes = Annotated[list[Name] | None, Listed('a list of genes, e.g. ["p53"]')]
Edges = Annotated[
    list[Annotated[str | None, Text('an edge, e.g. "miR-34c-5p -| RAB27B", with * for any name')]] | None,
    Listed('a list of edges, e.g. ["miR-34c-5p -| *"]'),
]
CellNumbers = Annotated[
    dict[str, Annotated[int | None, Whole(0, MAX_CELLS_PER_TYPE, 100)]] | None,
    Named("a table, e.g. { LSC = 200 }", ("no cells", "at least one type with its number, e.g. { LSC = 200 }")),
]


def ladder(usual: Kind, per: tuple[str, ...] = ()) -> Either:
    """A quantity, or a list of them: one arm each. per: units after a slash that it may have too."""
    item = Annotated[Any, Unparsed(usual, per)]
    return Either(one=item, several=Annotated[list[item], RUNGS])


class Timed(Table):
    """A quantity from a time on."""

    value: Any
    at: Hour = key("from when on", None, otherwise="as the quantity alone")


class TimedNumber(Timed):
    """A number from a time on."""

    value: Annotated[Any, ladder(NUMBER_KIND)] = key("the number")


class TimedShare(Timed):
    """A share from a time on."""

    value: Annotated[Any, ladder(SHARE)] = key("the share")


class TimedAmount(Timed):
    """An amount from a time on."""

    value: Annotated[Any, ladder(AMOUNT)] = key("the amount")


class PercentFrom(Timed):
    """A percentage of the medium from a time on."""

    value: Annotated[Any, Unparsed(PERCENT)] = key("the percentage")


class AmountFrom(Timed):
    """An amount in the medium from a time on."""

    value: Annotated[Any, Unparsed(AMOUNT)] = key("the amount")


def _or_timed(usual: Kind, table: type[Timed]) -> Either:
    """A ladder, or a table of it and a time."""
    both = ladder(usual)
    return Either(both.one, both.several, table=table)


class Action(Table):
    """A change of one quantity of the model, in the resolved form."""

    at: Hour = key("when; none: from the start", None)
    time_h: HourBare = key("when, in hours", None)
    target: Name = key("the id of a species or parameter")
    operation: Annotated[str | None, OneOf(OPERATIONS, "operations")] = key("set, multiply or add")
    value: Number = key("the number that the operation uses")
    verb: Name = key("label: the verb it comes from", None, otherwise="the operation")
    of: Name = key("label: what that verb was done to", None, otherwise="the target")


class Dose(Table):
    """An agent added to every cell: once, several times, or over some hours."""

    EXPECTED: ClassVar[str] = 'a table, e.g. { what = "miR-34c-5p", amount = 300, at = "0 h" }'
    ONE_OF: ClassVar[tuple[str, str]] = ("amount", "events")
    what: Name = key("an agent of the circuit; in a model file the id of a species or parameter")
    amount: Annotated[Any, ladder(AMOUNT, ("kg", "m2", "m²"))] = key(
        'of an oligo: active copies per cell (`300`), a fold over the cell\'s own level (`"10-fold"`) or a '
        'concentration in the medium (`"20 nM"`); into mice (`treated_from`) also `"2 mg/kg"` or `"6 mg/m2"`; a list: '
        "one arm each",
        None,
        example=300,
        was=("copies",),
    )
    at: Hour = key("when the first is given", None, otherwise="0 h")
    every: Annotated[float | None, Quantity(SPAN)] = key("time from one to the next", None, otherwise="given once")
    count: Annotated[int | None, Whole(1, 1000, 7)] = key(
        "how many are given", None, otherwise="1; with `every` as many as there is time for"
    )
    over: Annotated[float | None, Quantity(SPAN)] = key(
        "how long each takes, at a steady rate", None, otherwise="at once"
    )
    events: Annotated[str | None, Text("a path of a table of doses (CSV)")] = key(
        "into mice: a table of doses with NONMEM's columns (docs/pharmacokinetics.md); hour 0 is that of the arm", None
    )
    unit: Annotated[str | None, OneOf(DOSE_UNITS, "units")] = key(
        "of AMT, and with /h of RATE, in `events`", None, otherwise="`mg`"
    )
    route: Annotated[str | None, OneOf(OLIGO_ROUTES, "routes")] = key(
        "into mice: intravenous, or into the peritoneum", None, otherwise="`iv`"
    )


class BodyDose(Table):
    """A record of an oligo given to mice, in the resolved form."""

    of: Name = key("the agent of the circuit")
    targets: Annotated[list[Name] | None, Listed("a list of ids")] = key("quantities that its copies are added to")
    route: Annotated[str | None, OneOf(OLIGO_ROUTES, "routes")] = key("iv or ip", "iv")
    time_h: HourBare = key("TIME")
    evid: Annotated[int | None, Whole(0, 4, 1)] = key("EVID", 1)
    amt_mg: Annotated[float | None, Quantity(AMOUNT)] = key("AMT, in mg", 0.0)
    rate_mg_h: Annotated[float | None, Quantity(AMOUNT)] = key("RATE, in mg/h", 0.0)
    cmt: Annotated[int | None, Whole(0, 2, 0)] = key("CMT", 0)
    ii_h: HourBare = key("II, in hours", 0.0)
    addl: Annotated[int | None, Whole(0, 100_000, 0)] = key("ADDL", 0)
    ss: Annotated[int | None, Whole(0, 2, 0)] = key("SS", 0)


class WashOut(Table):
    """An agent removed at one time."""

    EXPECTED: ClassVar[str] = 'a table, e.g. { what = "miR-34c-5p", at = "2 d" }'
    what: Name = key("an agent of the circuit")
    at: Hour = key("when")


class MediumChange(Table):
    """Fresh medium at one time."""

    EXPECTED: ClassVar[str] = 'a table, e.g. { at = "2 d" }'
    at: Hour = key("when")
    share: Annotated[float | None, Quantity(SHARE)] = key("the part that is exchanged", None, otherwise="all of it")


class Interventions(Table):
    """What acts from the start."""

    knock_out: Genes = key("genes without a product", None)
    mutate: Annotated[dict[str, Name] | None, Named('a table, e.g. { RAB27B = "site" } or { RAB27B = "1234:G" }')] = (
        key("gene = the part that is mutated, or bases of its sequence", None)
    )
    cut: Edges = key("edges of the circuit that are cut; * stands for any text", None)
    connect: Edges = key("edges that are not there otherwise", None)
    set: Annotated[
        dict[str, Annotated[Any, _or_timed(NUMBER_KIND, TimedNumber)]] | None,
        Named("a table of quantities of the model, e.g. { S = 5 }"),
    ] = key("id of a species or parameter = its value; from the start, or from its `at` on", None)


class Verbs(Interventions):
    """What is done to the cells of an arm; verbs are applied in this order, and at one time in the order of actions."""

    knock_down: Annotated[
        dict[str, Annotated[Any, _or_timed(SHARE, TimedShare)]] | None, Named('a table, e.g. { RAB27B = "90 %" }')
    ] = key("gene = share of its product that is lost", None)
    inhibit: Annotated[
        dict[str, Annotated[Any, _or_timed(SHARE, TimedShare)]] | None,
        Named('a table, e.g. { exosome_release = "60 %" }'),
    ] = key("process = share of its rate that is lost", None)
    express: Annotated[
        dict[str, Annotated[Any, _or_timed(AMOUNT, TimedAmount)]] | None, Named("a table, e.g. { p21 = 2 }")
    ] = key("gene = level that is expressed in addition", None)
    serum: Annotated[
        list[Annotated[Any, Either(one=Annotated[Any, Unparsed(PERCENT)], table=PercentFrom)]] | None,
        OneOrMore("a percentage, or a list of tables"),
    ] = key("serum of the medium, or a list with times", None)
    growth_factors: Annotated[
        list[Annotated[Any, Either(one=Annotated[Any, Unparsed(AMOUNT)], table=AmountFrom)]] | None,
        OneOrMore("a number, or a list of tables"),
    ] = key("growth factors of the medium, or a list with times", None)
    dose: Annotated[list[Dose | None] | None, OneOrMore(Dose.EXPECTED)] = key(
        "an agent added, or a list of doses", None
    )
    wash_out: Annotated[list[WashOut | None] | None, OneOrMore(WashOut.EXPECTED)] = key(
        "an agent removed, or a list", None
    )
    medium_change: Annotated[list[MediumChange | None] | None, OneOrMore(MediumChange.EXPECTED)] = key(
        "fresh medium, or a list of changes", None
    )
    actions: Annotated[
        list[Action | None] | None,
        Listed('a list of actions, e.g. [{ target = "S", operation = "set", value = 5 }]'),
    ] = key("changes of quantities of the model by their ids", None)


class Insert(Verbs):
    """The upper half of a Transwell, with any verb done there."""

    EXPECTED: ClassVar[str] = "a table, e.g. { cells = { LSC = 200 } }"
    cells: CellNumbers = key("cells of each type above the membrane", example={"LSC": 200})


class MediumFrom(Table):
    """Conditioned medium of another arm's well."""

    EXPECTED: ClassVar[str] = 'a table, e.g. { arm = "mimic", taken = "2 d", at = "0 h" }'
    arm: Annotated[str | None, Text("the name of an arm")] = key("the arm that gives it")
    taken: Hour = key("when it is taken", None)
    taken_h: HourBare = key("when it is taken, in hours", None)
    share: Annotated[float | None, Quantity(SHARE)] = key("the part of the giver's medium that is poured in", 1.0)
    at: Hour = key("when it is poured in", None, otherwise="0 h")
    time_h: HourBare = key("when it is poured in, in hours", None)


class Branch(Table):
    """The past that an arm shares with another."""

    EXPECTED: ClassVar[str] = 'a table, e.g. { arm = "mimic", at = "3 d" }'
    arm: Name = key("the arm whose past it is")
    at: Hour = key("until when", None)
    time_h: HourBare = key("until when, in hours", None)


class ArmTable(Verbs):
    """One arm: verbs, and of cells that share a medium also who is in the well."""

    cells: CellNumbers = key("cells of each type in the well", None, otherwise="the numbers of [cells]")
    insert: Insert | None = key("the upper half of a Transwell", None)
    medium_from: Annotated[list[MediumFrom | None] | None, OneOrMore(MediumFrom.EXPECTED)] = key(
        "conditioned medium, or a list", None
    )
    branch: Branch | None = key("the arm that this one is identical to until a time", None)


Actions = Annotated[list[Action | None] | None, Listed("a list of actions", may_be_empty=True)]


class ResolvedInsert(Table):
    """The upper half of a Transwell, in the resolved form."""

    EXPECTED: ClassVar[str] = Insert.EXPECTED
    cells: CellNumbers = key("cells of each type above the membrane", example={"LSC": 200})
    genotype: Actions = key("actions from the start", None)
    schedule: Actions = key("actions at times", None)


class ResolvedArm(Table):
    """One arm in the resolved form: its actions, with labels that no simulation reads."""

    family: Name = key("label: the arm's name without its rung", None, otherwise="the arm's name")
    agent: Name = key("label: what is dosed", None)
    dose_copies: Annotated[float | None, Quantity(AMOUNT)] = key("label: copies dosed in all", None)
    dose_label: Annotated[str | None, Text(may_be_empty=True)] = key("label: the rung of a ladder", None)
    summary: Annotated[str | None, Text(max_length=MAX_SENTENCE)] = key("label: what is done, in words", None)
    genotype: Actions = key("actions from the start", None)
    schedule: Actions = key("actions at times", None)
    body_doses: Annotated[list[BodyDose | None] | None, Listed("a list of records", may_be_empty=True)] = key(
        "doses given to mice", None
    )
    cells: CellNumbers = key("cells of each type in the well", None, otherwise="the numbers of [cells]")
    insert: ResolvedInsert | None = key("the upper half of a Transwell", None)
    medium_from: Annotated[list[MediumFrom | None] | None, OneOrMore(MediumFrom.EXPECTED)] = key(
        "conditioned medium, or a list", None
    )


RESOLVED = tuple(name for name in ResolvedArm.model_fields if name not in ArmTable.model_fields)
VERBS = tuple(Verbs.model_fields)


class Arm:
    """The annotation of an arm: its resolved form where it has a key of that form alone."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def choose(value: Any) -> str:
            return "<resolved>" if isinstance(value, dict) and any(name in value for name in RESOLVED) else "<verbs>"

        forms = {"<verbs>": handler.generate_schema(ArmTable), "<resolved>": handler.generate_schema(ResolvedArm)}
        return core_schema.nullable_schema(core_schema.tagged_union_schema(forms, choose))

"""What has been measured elsewhere: the tables `[[evidence]]` of a study file."""

from __future__ import annotations

from typing import Annotated, ClassVar

from senexo.study.form.culture import STATUS, Number, Status, Word
from senexo.study.form.fields import Listed, Named, OneOf, Quantity, Text
from senexo.study.form.kinds import LEVEL
from senexo.study.form.table import Table, key

# kind of measurement -> the columns of its table
COLUMNS: dict[str, tuple[str, ...]] = {
    "figure": (),
    "senescence": ("positive", "counted"),
    "fates": ("with_fate", "cells"),
    "qpcr": ("ct",),
    "particles": ("particles", "exposure"),
    "dilution": ("cells", "wells", "positive"),
}
# kind of measurement -> what the design of a candidate experiment states of its wells
DESIGNS: dict[str, tuple[str, ...]] = {
    "figure": (),
    "senescence": ("counted",),
    "fates": ("cells",),
    "qpcr": ("reactions",),
    "particles": ("exposure",),
    "dilution": ("cells", "wells"),
}
LAWS = ("log-normal", "normal")
COLUMN = "a list of numbers, e.g. [12, 9, 15]"


class Evidence(Table):
    """One measurement, by which draws are weighted in `senexo worlds`."""

    EXPECTED: ClassVar[str] = 'a table, e.g. { figure = "aml-mir34c" }'
    name: Word = key("its name", None, otherwise="the figure's")
    figure: Word = key("a published figure that ships with senexo, by name", None)
    kind: Annotated[str | None, OneOf(tuple(COLUMNS), "kinds of measurement")] = key(
        "what was measured, and how", "figure"
    )
    parameter: Word = key("the parameter of the circuit that it is about", None, otherwise="the figure's")
    observable: Annotated[str | None, Text('what of the study it is about, e.g. "senescence(mimic, 7 d)"', 2000)] = key(
        "or what of the study it is about, in the language of claims, without a comparison",
        None,
        otherwise="the figure's",
    )
    value: Number = key("of a figure: the estimate", None)
    low: Number = key("of a figure: lower end of its interval", None)
    high: Number = key("of a figure: upper end of its interval", None)
    level: Annotated[float | None, Quantity(LEVEL)] = key("of a figure: level of the interval", 0.95)
    law: Annotated[str | None, OneOf(LAWS, "laws")] = key(
        "of a figure: how the estimate varies around the truth", "log-normal"
    )
    data: Annotated[
        dict[str, Annotated[list[Number] | None, Listed(COLUMN)]] | None,
        Named("a table of columns, e.g. { positive = [12, 9], counted = [200, 200] }"),
    ] = key("of a measured table: its columns (by kind: [evidence](claims.md#evidence))", None)
    file: Word = key("or the CSV file that holds them; paths are relative to the study", None)
    dispersion: Number = key("of particles: variance between wells beyond Poisson, over the squared mean", 0.0)
    source: Word = key("where it comes from", None, otherwise="this study")
    status: Status = key(STATUS, None, otherwise="assumed")


class Candidate(Table):
    """One experiment that could be done, which `senexo worlds` ranks by what it would tell about the claim."""

    EXPECTED: ClassVar[str] = 'a table, e.g. { name = "load", parameter = "E", sd = 0.3 }'
    name: Word = key("its name", example="load of vesicles")
    kind: Annotated[str | None, OneOf(tuple(COLUMNS), "kinds of measurement")] = key(
        "what is measured, and how", "figure"
    )
    parameter: Word = key("the parameter of the circuit that it measures", None)
    observable: Annotated[str | None, Text('what of the study it measures, e.g. "senescence(mimic, 7 d)"', 2000)] = key(
        "or what of the study it measures, in the language of claims, without a comparison", None
    )
    design: Annotated[
        dict[str, Annotated[list[Number] | None, Listed(COLUMN)]] | None,
        Named("a table of columns, e.g. { counted = [200, 200, 200] }"),
    ] = key("its wells, by kind ([the next experiment](claims.md#the-next-experiment))", None)
    sd: Number = key("of a figure: standard deviation of its error, on the scale of its law", 0.0)
    law: Annotated[str | None, OneOf(LAWS, "laws")] = key("of a figure: how it varies around the truth", "log-normal")
    dispersion: Number = key("of particles: as of evidence", 0.0)
    cost: Number = key("what it costs, in any unit", None)

"""Named worlds: the tables `[worlds.NAME]` of a study file."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from senexo.study.form.arms import Arm, Interventions, Name
from senexo.study.form.culture import WELLS, Draw, Label, Number, Word
from senexo.study.form.fields import Either, Listed, Named, OneOf
from senexo.study.form.table import key


class World(Interventions):
    """One world: what differs in it from the study as it stands. Its interventions act from the start, in every arm."""

    EXPECTED: ClassVar[str] = 'a table, e.g. { prior = "evidence" } or { cut = ["p53 -> *"] }'
    EMPTY: ClassVar[tuple[str, str]] = ("nothing that differs", 'what differs, e.g. { reading = "tight" }')
    says: Label = key("what the world is, in words", None, otherwise="its name")
    prior: Word = key("the table that donors draw from there", None, otherwise="that of the study")
    reading: Word = key("how affinity is read there", None, otherwise="as in the study")
    wells: Annotated[str | None, OneOf(WELLS, "kinds of wells")] = key(
        "`twins` or `independent` there", None, otherwise="as in the study"
    )
    draws: Annotated[
        dict[str, Annotated[Any, Either(one=Number, table=Draw)]] | None,
        Named("a table of parameters, e.g. { Tbg = { low = 3000, high = 150000 } }"),
    ] = key("parameter = a number, or what departs from the prior of that world", None)
    anew: Annotated[list[Name] | None, Listed('a list of parameters, e.g. ["E"]')] = key(
        "parameters that are drawn anew there, for total-order indices; nothing else differs in such a world",
        None,
    )
    arms: Annotated[
        dict[str, Annotated[Any, Arm()]] | None,
        Named('a table of arms, e.g. { mimic = { express = { "miR-34c-5p" = "10-fold" } } }'),
    ] = key("arm of the study = what is done in it there", None)

"""What is measured and claimed: the tables `[readouts]`, `[replicates]` and `[claim]` of a study file."""

from __future__ import annotations

from typing import Annotated, ClassVar

from senexo.base.units import AMOUNT, SHARE, TIME
from senexo.study.claims import MAX_LENGTH
from senexo.study.form.arms import Interventions
from senexo.study.form.culture import STATUS, Status, Word
from senexo.study.form.fields import Key, Listed, Named, Quantity, Text, Whole
from senexo.study.form.kinds import CELLS, CYCLES, EFFICIENCY, HOURS, LEVEL, STEP, STEP_H
from senexo.study.form.table import Table, key

TIMES = 'a list of times, e.g. ["0 d", "1 d", "7 d"]'
REFERENCE_COPIES = {"U6": 200_000.0, "GAPDH": 1_000.0}


class Readouts(Table):
    """When wells are read, and what is read."""

    times: Annotated[list[Annotated[float | None, Quantity(TIME)]] | None, Listed(TIMES)] = key(
        "when wells are read, increasing", None, otherwise="start and end"
    )
    times_h: Annotated[list[Annotated[float | None, Quantity(HOURS)]] | None, Listed(TIMES)] = key(
        "the same, in hours", None
    )
    grid: Annotated[float | None, Quantity(STEP)] = key(
        "step on which arrest and fates are followed", None, otherwise='`"1 h"`'
    )
    grid_h: Annotated[float | None, Quantity(STEP_H)] = key("the same, in hours", None)
    names: Annotated[list[Word] | None, Listed("a list of read-outs")] = key(
        "read-outs", None, otherwise="all of the circuit, or all species of a model file"
    )


class About(Table):
    """Where a number comes from."""

    source: Word = key("where it comes from", None, otherwise="this study")
    status: Status = key(STATUS, None, otherwise="assumed")


class Noise(Table):
    """The noise of measuring."""

    false_positive: Annotated[float | None, Quantity(SHARE)] = key(
        "chance that a growing cell is read as stained", 0.02
    )
    false_negative: Annotated[float | None, Quantity(SHARE)] = key("chance that a stained cell is overlooked", 0.05)
    lysed_cells: Annotated[float | None, Quantity(CELLS)] = key("cells whose RNA enters one PCR reaction", 100.0)
    ct_sd: Annotated[float | None, Quantity(CYCLES)] = key("standard deviation of a Ct", 0.3)
    ct_one_copy: Annotated[float | None, Quantity(CYCLES)] = key("Ct of a single template", 38.0)
    ct_cutoff: Annotated[float | None, Quantity(CYCLES)] = key("cycles run", 40.0)
    efficiency: Annotated[float | None, Quantity(EFFICIENCY)] = key("gain per cycle; 1 is doubling", 1.0)
    reference_copies: Annotated[
        dict[str, Annotated[float | None, Quantity(AMOUNT)]] | None, Named("a table of RNAs, e.g. { U6 = 200000 }")
    ] = key("reference RNA = copies per cell", REFERENCE_COPIES)


class Replicates(Noise):
    """Technical replicates and the noise of measuring."""

    n: Annotated[int | None, Whole(1, 100, 3)] = key("replicate wells", 3)
    cells_counted: Annotated[int | None, Whole(1, 100_000, 200)] = key("cells looked at per stained well", 200)
    about: Annotated[
        dict[Annotated[str, Key(tuple(Noise.model_fields))], About | None] | None,
        Named('a table of these numbers, e.g. { ct_sd = { source = "our plates", status = "seen" } }'),
    ] = key("source and status of each of these numbers", None, otherwise="assumed")


class Null(Interventions):
    """What is done in every compared arm of the null."""

    EXPECTED: ClassVar[str] = 'a table, e.g. { cut = ["miR-34c-5p -| *"] }'
    EMPTY: ClassVar[tuple[str, str]] = (
        "nothing cut", f"at least one of {', '.join(Interventions.model_fields)}"
    )  # fmt: skip


class Claim(Table):
    """What a study claims, and the null that it is judged against."""

    id: Word = key("its name")
    holds_when: Annotated[str | None, Text(max_length=MAX_LENGTH)] = key("what must hold")
    given: Annotated[str | None, Text(max_length=MAX_LENGTH)] = key("in which donors", None, otherwise="all donors")
    possible_when: Annotated[str | None, Text(max_length=MAX_LENGTH)] = key(
        "what shows that a donor could support the claim: a condition on a positive control", None,
        otherwise="not known",
    )  # fmt: skip
    level: Annotated[float | None, Quantity(LEVEL)] = key("of the intervals", 0.95)
    share: Annotated[float | None, Quantity(SHARE)] = key(
        "the claim must hold in more than this share of the donors", None
    )
    null: Null | None = key("what is cut so that the claim must not hold")

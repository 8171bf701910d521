"""Columns, options and keys that several assays share, described once."""

from __future__ import annotations

from collections.abc import Sequence

from senexo.assays.spec import Field, Input, Key, Option

ARM = Field("arm", "the arm")
CONTROL = Field("control", "the arm it is compared with")
DONOR = Field("donor", "the donor")
TIME = Field("time_h", "time since treatment", "h")
N_DONORS = Field("n_donors", "donors of the arm; paired: donors in both arms")
N_DONORS_CONTROL = Field("n_donors_control", "donors of the control; paired: donors in both arms")
LOW, HIGH = Field("low", "lower end of the 95 % interval"), Field("high", "upper end of the 95 % interval")
P_VALUE = Field("p_value", "two-sided p-value, uncorrected")
P_HOLM = Field("p_holm", "p-value after Holm's correction for the tests of this kind in the call")
P_BH = Field("p_bh", "false discovery rate (Benjamini-Hochberg) among the tests of this kind in the call")
VERDICT = Field("verdict", "the verdict of the finding")
VALUE = Field("value", "the level, or the column of groups, as the call names it")
GROUP = Field("group", "the group")

LEVEL = Field("level", "of the intervals: 0.95")

DETECTION = (
    VALUE, Field("n", "samples with a value"), Field("n_zero", "samples with a value of zero"),
    Field("n_detected", "samples in which the RNA counts as measured"),
    Field("share_detected", "their share of all samples", "share"),
    Field("min_reads", "reads with which an RNA counts as measured", "reads"),
    Field("depth", "median number of reads of a sample, where it is known", "reads"), VERDICT,
)  # fmt: skip

IN_ARM = Input("arm", "text", "what was done to the cells")
IN_DONOR = Input("donor", "text", "who the cells are from; the same name in two arms makes a pair")


def in_time(says: str = "time since treatment") -> Input:
    return Input("time_h", "number", says, when="where there are several", unit="h", low=0)


def interval(name: str, unit: str = "") -> tuple[Field, Field]:
    """The fields NAME_low and NAME_high."""
    return Field(f"{name}_low", f"lower end of the 95 % interval of {name}", unit), Field(
        f"{name}_high", f"upper end of the 95 % interval of {name}", unit
    )


def compare(says: str = "two arms to compare, the control second", *, needed: bool = False) -> Option:
    return Option("compare", "pairs", says, needed=needed, more="may be repeated")


def design(default: str = "paired", says: str = "are arms of the same donors?") -> Option:
    return Option(
        "design", "name", says, default=default, choices=("paired", "unpaired"),
        more="`paired`: both hold the same donors; `unpaired`: they hold different donors (LSC of patients against HSC "
        "of healthy donors)",
    )  # fmt: skip


def min_reads() -> Option:
    return Option(
        "min_reads", "number", "reads with which an RNA counts as measured", default="3",
        more="a mean of 3 reads gives none in 5 % of samples", was=("least",),
    )  # fmt: skip


def levels(what: str, cuts: str, metavar: str) -> tuple[Option, ...]:
    """The options of a level that is compared with an outcome of patients."""
    return (
        Option("value", "formulas", f"the level to compare with {what}, such as 'log2(COL + 1)'",
               more="one or several, each a column or a [computation](../assays.md#values-computed-from-columns); "
               "several are corrected together"),
        Option("cut", "name", "cut the level into low and high", metavar=metavar, more=cuts),
        Option("adjust", "columns", "what the second model holds constant", more="columns of numbers or of names"),
    )  # fmt: skip


UNKNOWN = Option(
    "unknown", "name", "words that mean not known, of the column of the outcome", metavar="WORD|WORD",
    more="besides empty cells, `unknown`, `missing`, `?`; their rows are left out and counted",
)  # fmt: skip
PATIENT = Option("patient", "column", "a column that names each patient once", more="a repeated name is a fault")
RNA_KIND = Option(
    "kind", "name", "what columns of RNAs hold", default="as their numbers say", choices=("counts", "rpm", "other"),
    more="`other`: detection is not judged",
)  # fmt: skip
EXCLUDE = Option("exclude", "names", "rows to leave out: COLUMN=VALUE|VALUE", metavar="COLUMN=VALUE", everywhere=True)


def pairs(entry: str = "every arm of a family is compared with the control", *, needed: bool = False) -> Key:
    return Key("compare", "pairs of arms", f"a pair (arm, control) or a list of pairs; {entry}", needed=needed)


def time(default: str) -> Key:
    return Key("time", "time", "one of the times of the read-outs", default_says=default)


def named(fields: Sequence[tuple[str, str] | tuple[str, str, str]]) -> tuple[Field, ...]:
    return tuple(Field(*one) for one in fields)

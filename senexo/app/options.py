"""The options of every assay on the command line, and how their text becomes the keywords of the function."""

from __future__ import annotations

import csv
import math
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from senexo.base.errors import Fault, InvalidInput

Kind = Literal["column", "columns", "formula", "formulas", "name", "names", "number", "numbers", "pairs", "factors"]
_METAVARS: dict[Kind, str] = {
    "column": "COLUMN", "columns": "COLUMN,...", "formula": "FORMULA", "formulas": "FORMULA", "name": "NAME",
    "names": "NAME,...", "number": "NUMBER", "numbers": "NUMBER,...", "pairs": "NAME,NAME", "factors": "[NAME=]NUMBER",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Option:
    """One keyword of the assay's function."""

    name: str
    kind: Kind
    help: str
    needed: bool = False
    default: str = ""
    metavar: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "metavar", self.metavar or _METAVARS[self.kind])

    @property
    def several(self) -> bool:
        return self.kind in ("columns", "formulas", "names", "numbers", "pairs", "factors")

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")


@dataclass(frozen=True, slots=True)
class Assay:
    name: str
    help: str
    options: tuple[Option, ...]
    needs_table: bool = True


ASSAYS = (
    Assay(
        "survival",
        "Survival of patients or mice: Kaplan-Meier, log-rank, Cox alone and adjusted, restricted mean survival.\n\n"
        "One row per patient: a time, whether the event came, and the groups or levels to hold against it.",
        (
            Option("time", "column", "follow-up times, above 0", needed=True),
            Option("event", "name", "did the event come: yes or no, or COLUMN=VALUE", needed=True,
                   metavar="COLUMN[=VALUE]"),
            Option("group", "column", "the groups to compare"),
            Option("control", "name", "the group that ratios refer to", default="the first"),
            Option("value", "formulas", "the level to hold against survival, such as 'log2(COL + 1)'"),
            Option("cut", "name", "cut the level into low and high", metavar="median|optimal|NUMBER"),
            Option("adjust", "columns", "what the second model holds constant"),
            Option("strata", "columns", "columns whose groups have hazards of their own"),
            Option("until", "number", "the time to which mean survival is restricted",
                   default="the longest that all groups were followed"),
            Option("unit", "name", "of the times", default="as the column's name says"),
            Option("patient", "column", "a column that names each patient once"),
            Option("kind", "name", "what columns of RNAs hold", default="as their numbers say",
                   metavar="counts|rpm|other"),
            Option("least", "number", "reads with which an RNA counts as measured", default="3"),
            Option("ties", "name", "of event times", default="efron", metavar="efron"),
        ),
    ),
    Assay(
        "dilution",
        "Limiting dilution: how frequent are the cells that grow out or engraft, 1 in N; groups compared (as ELDA).\n\n"
        "One row for each dose and group: cells per well or mouse, how many were tested, how many responded.",
        (
            Option("dose", "column", "cells per well or mouse", default="dose"),
            Option("tested", "column", "number of wells or mice", default="tested"),
            Option("response", "column", "how many of them grew out or engrafted", default="response"),
            Option("group", "column", "the groups to compare"),
        ),
    ),
    Assay(
        "senescence",
        "Counts of positive cells (SA-beta-gal, or any other yes or no): shares, differences, dose-response.\n\n"
        "Columns: arm, donor, n_positive, n_total; where there are any replicate, field, time_h, family, dose_copies.",
        (
            Option("compare", "pairs", "two arms or families to compare, the control second"),
            Option("design", "name", "are arms of the same donors?", default="paired", metavar="paired|unpaired"),
            Option("washout", "pairs", "an arm washed out and the arm kept: what share of the effect remains"),
            Option("control", "name", "with --washout: the arm that is the background of both"),
            Option("time_h", "number", "the time to judge, in hours", default="the last"),
            Option("washout_h", "number", "with --washout: the time of the kept arm", default="as --time-h"),
            Option("reference", "name", "the family whose EC50 divides the EC50s of the others"),
            Option("readout", "name", "a short name of what was counted", default="senescent"),
            Option("label", "name", "what was counted, for the figure", default="SA-β-gal positive cells"),
        ),
    ),
    Assay(
        "qpcr",
        "Threshold cycles: was it detected, and the fold change against a control arm (ddCt, by donor).\n\n"
        "Columns: arm, donor, target, ct (empty or 'undetected'); where there are any replicate, time_h, detected, "
        "family; quantity in the wells of a dilution series.",
        (
            Option("target", "name", "the RNA asked for, as column target names it", needed=True),
            Option("reference", "names", "the reference RNAs it is measured against", needed=True),
            Option("control", "name", "the arm that fold changes refer to", needed=True),
            Option("arms", "names", "the arms or families to compare", default="all others"),
            Option("design", "name", "are arms of the same donors?", default="paired", metavar="paired|unpaired"),
            Option("time_h", "numbers", "the times to judge, in hours", default="the last"),
            Option("cutoff", "number", "the Ct beyond which a well counts as undetected", default="40"),
            Option(
                "efficiency", "factors", "of amplification, 1 is doubling; for all RNAs or for one",
                default="as the table's dilution series says, else 1",
            ),
            Option("min_detected", "number", "share of wells an arm must have detected to be tested", default="0.5"),
        ),
    ),
    Assay(
        "expression",
        "Which RNAs differ between two groups of samples (LSC and HSC, patients and controls): detection first.\n\n"
        "One row per sample, one column per RNA, and a column that says which group the sample is of.",
        (
            Option("group", "column", "which group a sample is of", needed=True),
            Option("control", "name", "the group that folds refer to", needed=True),
            Option("case", "name", "the other group, where there are more than two"),
            Option("donor", "column", "who a sample is from"),
            Option("design", "name", "are both groups of the same donors?", default="unpaired",
                   metavar="paired|unpaired"),
            Option("kind", "name", "what the numbers are", default="counts", metavar="counts|rpm|intensities"),
            Option("scale", "name", "of intensities", default="log2", metavar="log2|linear"),
            Option("features", "columns", "the columns that are RNAs, by name or pattern (hsa-*)",
                   default="all that hold numbers"),
            Option("target", "names", "RNAs asked for in advance, corrected among themselves"),
            Option("sample", "column", "the name of each sample"),
            Option("depth", "column", "all reads of a sample, where the table holds too few RNAs to tell"),
            Option("least", "number", "reads with which an RNA counts as measured", default="3"),
            Option("background", "number", "intensity up to which it does not"),
        ),
    ),
    Assay(
        "particles",
        "Nanoparticle tracking: particles per cell and hour, less the blank, and ratios between arms by donor.\n\n"
        "Columns: arm, donor, particles_per_ml (or particles_per_frame and frame_volume_nl), dilution, volume_ml, "
        "n_cells, hours; where there are any replicate, batch, n_cells_start.",
        (
            Option("compare", "pairs", "two arms to compare, the control second"),
            Option("blank", "name", "the arm that is medium without cells"),
            Option("design", "name", "are arms of the same donors?", default="paired", metavar="paired|unpaired"),
        ),
    ),
    Assay(
        "fates",
        "Fates of followed cells (time-lapse): which share divides, dies, commits by a time (competing risks).\n\n"
        "Columns: arm, donor, cell, time_h, fate (a name, or censored); entry_h where not followed from 0 h.",
        (
            Option("compare", "pairs", "two arms to compare, the control second"),
            Option("cause", "names", "the fates told", default="all"),
            Option("time_h", "number", "the time judged, in hours", default="the last that all donors reach"),
            Option("censored", "name", "the word for a fate that was not seen", default="censored"),
            Option("design", "name", "are arms of the same donors?", default="paired", metavar="paired|unpaired"),
        ),
    ),
    Assay(
        "colonies",
        "Colonies per cell plated: plating efficiency of arms, and surviving fractions against a control, by donor.\n\n"
        "Columns: arm, donor, colonies, cells_plated, and replicate where a donor has several dishes.",
        (Option("compare", "pairs", "two arms to compare, the control second"),),
    ),
    Assay(
        "balance",
        "Mass balance of copies: do recipients gain what donor cells lose (transfer), or is it merely lost?\n\n"
        "Columns: arm, donor, donor_cells, recipient_cells (copies per well); where there are any replicate, time_h, "
        "vesicular, free, degraded, made, donor_cells_sd, recipient_cells_sd.",
        (
            Option("compare", "pairs", "an arm, and the control in which transfer is prevented", needed=True),
            Option("time_h", "number", "the time judged, in hours", default="the last"),
            Option("least", "number", "gain / loss below which a loss is no transfer", default="0.1"),
        ),
    ),
    Assay(
        "response",
        "Response (remission, MRD) against groups or levels: shares, Fisher's test, odds ratios, ROC curve.\n\n"
        "One row per patient: a column that says who responded, and the groups or levels to hold against it.",
        (
            Option("response", "name", "who responded: yes or no, or COLUMN=VALUE|VALUE", needed=True,
                   metavar="COLUMN[=VALUE]"),
            Option("group", "column", "the groups to compare"),
            Option("control", "name", "the group that odds ratios refer to", default="the first"),
            Option("value", "formulas", "the level to hold against response, such as 'log2(COL + 1)'"),
            Option("cut", "name", "cut the level into low and high", metavar="median|NUMBER"),
            Option("adjust", "columns", "what the second model holds constant"),
            Option("patient", "column", "a column that names each patient once"),
            Option("kind", "name", "what columns of RNAs hold", default="as their numbers say",
                   metavar="counts|rpm|other"),
            Option("least", "number", "reads with which an RNA counts as measured", default="3"),
            Option("method", "name", "of logistic regression", default="auto", metavar="auto|firth"),
        ),
    ),
    Assay(
        "power",
        "How many donors, mice or patients an effect needs, by simulation through the assay's own code.\n\n"
        "TABLE is a pilot table of that assay, or nothing. This takes a minute or some; fewer --sets are quicker.",
        (
            Option("assay", "name", "the assay that is to show the effect", needed=True),
            Option("effect", "number", "the size of the effect, in the assay's unit (docs: power)", needed=True),
            Option("n", "numbers", "the numbers to judge; without it the number needed is sought"),
            Option("power", "number", "the power wanted", default="0.8"),
            Option("alpha", "number", "level of the two-sided test", default="0.05"),
            Option("design", "name", "where the assay knows both", default="paired", metavar="paired|unpaired"),
            Option("given", "factors", "an assumption, such as sd=0.4", metavar="NAME=NUMBER"),
            Option("sets", "number", "simulated tables at each number that is told", default="400"),
            Option("seed", "number", "of the simulated tables", default="1"),
            Option("arm", "name", "of the pilot: the treated arm"),
            Option("control", "name", "of the pilot: the control arm or group"),
            Option("target", "name", "of the pilot: the RNA asked for"),
            Option("reference", "names", "of the pilot: the reference RNAs"),
            Option("time", "column", "of the pilot: the column of times"),
            Option("event", "column", "of the pilot: the column of events"),
            Option("dose", "column", "of the pilot: the column of doses"),
            Option("tested", "column", "of the pilot: the column of numbers tested"),
            Option("response", "column", "of the pilot: the column of responses"),
            Option("value", "column", "of the pilot: the column of levels"),
            Option("group", "column", "of the pilot: the column of groups"),
            Option("blank", "name", "of the pilot: the arm that is medium without cells"),
        ),
        needs_table=False,
    ),
)  # fmt: skip


def keywords(assay: Assay, given: Mapping[str, Any]) -> dict[str, Any]:
    """The keywords of the assay's function from the texts on the command line; what was not given is left out.

    InvalidInput lists what is needed and missing, and what is no number.
    """
    found, faults = {}, []
    for option in assay.options:
        text = given[option.name]
        if text in (None, []):
            if option.needed:
                faults.append(Fault(option.flag, "nothing", option.help))
            continue
        try:
            found[option.name] = _read(option, text)
        except ValueError as error:
            faults.append(Fault(option.flag, f"'{error}'", f"{option.metavar} ({option.help})"))
    if faults:
        raise InvalidInput(faults)
    return found


def arguments(assay: Assay, options: Mapping[str, object]) -> str:
    """The other way round: keywords as one would type them.

    >>> [senescence] = [assay for assay in ASSAYS if assay.name == "senescence"]
    >>> arguments(senescence, {"compare": [("mimic 3000", "mock")], "time_h": 72.0})
    "--compare 'mimic 3000,mock' --time-h 72"
    """
    words = []
    for option in assay.options:
        if option.name in options:
            for text in _texts(option, options[option.name]):
                words += [option.flag, shlex.quote(text)]
    return " ".join(words)


def _read(option: Option, text: Any) -> Any:
    """One option's value; ValueError names the text that cannot be one."""
    match option.kind:
        case "column" | "formula" | "name" | "formulas":
            if not all(part.strip() for part in ([text] if isinstance(text, str) else text)):
                raise ValueError("")
            return text
        case "number":
            return _number(text)
        case "columns" | "names":
            return [name for line in text for name in _split(line)]
        case "numbers":
            return [_number(name) for line in text for name in _split(line)]
        case "pairs":
            return [_pair(line) for line in text]
        case "factors":
            return _factors(text)


def _split(line: str) -> list[str]:
    """Names between commas; a name with a comma stands in quotation marks."""
    names = [name.strip() for name in next(csv.reader([line], skipinitialspace=True), [])]
    if not all(names):
        raise ValueError(line)
    return names


def _pair(line: str) -> tuple[str, str]:
    names = _split(line)
    if len(names) != 2:
        raise ValueError(line)
    return names[0], names[1]


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(text)
    return int(number) if re.fullmatch(r"[+-]?\d{1,15}", text) else number


def _factors(texts: Sequence[str]) -> float | dict[str, float]:
    """One number for all, or NAME=NUMBER for each of several."""
    if len(texts) == 1 and "=" not in texts[0]:
        return _number(texts[0])
    named = {}
    for text in texts:
        name, equals, number = text.rpartition("=")
        if not equals or not name.strip():
            raise ValueError(text)
        named[name.strip()] = _number(number)
    return named


def _texts(option: Option, value: Any) -> Iterable[str]:
    """How often the option is typed, and with what."""
    if option.kind == "pairs":
        return [_joined(pair) for pair in ([value] if isinstance(value[0], str) else value)]
    if isinstance(value, Mapping):
        return [f"{name}={number:g}" for name, number in value.items()]
    if option.kind in ("columns", "names", "numbers") and not isinstance(value, str | int | float):
        return [_joined(value)]
    if option.kind == "formulas" and not isinstance(value, str):
        return list(value)
    return [f"{value:g}" if isinstance(value, float) else str(value)]


def _joined(values: Iterable[Any]) -> str:
    texts = [f"{value:g}" if isinstance(value, float) else str(value) for value in values]
    return ",".join('"' + text.replace('"', '""') + '"' if re.search('[,"]', text) else text for text in texts)

"""From a site to its dissociation constant, from free miRNA to occupancy, from occupancy to repression.

theta = a / (a + KD); mRNA left = 1 / (1 + b sum theta). Source: McGeary, Lin et al. 2019, doi
10.1126/science.aav1741. Every constant with range, source and status is in constants.csv.

Two readings of affinity exist and are never mixed: "relative" takes the model's free concentrations and KDs as uM in
a cell of 300 fL, "tight" the absolute KD measured on purified AGO2. They differ 270-fold.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import Fault, InvalidInput
from senexo.base.evidence import current_status
from senexo.targets.sites import CANONICAL, Site

Reading = Literal["relative", "tight"]
Level = Literal["transfected", "endogenous", "endogenous-high", "copies"]
Values = NDArray[np.float64]
FLANK = 2  # bases on either side of the eight that a 12-mer has besides


@dataclass(frozen=True, slots=True)
class Constant:
    """A number of constants.csv with its range, unit, source and status."""

    name: str
    value: float
    low: float | None
    high: float | None
    unit: str
    source: str
    status: str
    note: str


@lru_cache(maxsize=1)
def constants() -> Mapping[str, Constant]:
    """The shipped constants by name.

    >>> constants()["b"].value
    2.376
    """
    text = files("senexo.targets").joinpath("constants.csv").read_text(encoding="utf-8")
    return {
        row["name"]: Constant(
            row["name"], float(row["value"]), _number(row["low"]), _number(row["high"]),
            row["unit"], row["source"], current_status(row["status"]), row["note"],
        )
        for row in csv.DictReader(text.splitlines())
    }  # fmt: skip


def interval(name: str) -> tuple[float, float]:
    """Low and high of a constant that has a range."""
    one = constants()[name]
    if one.low is None or one.high is None:
        raise ValueError(f"{name} has no range")
    return one.low, one.high


def _number(text: str) -> float | None:
    return float(text) if text else None


@dataclass(frozen=True, slots=True)
class Affinity:
    """ln KD of a site relative to no site, with its uncertainty.

    Attributes
    ----------
    log_kd
        Central value (natural logarithm).
    sd_mirna
        Standard deviation of the part that all sites of one type share.
    sd_context
        Standard deviation of the part of each site alone, independent of the other.
    source
        "type" or "12-mer table".
    """

    log_kd: float
    sd_mirna: float
    sd_context: float
    source: str


def window(utr: str, site: Site) -> str:
    """The 12 bases of a site: two, the eight opposite miRNA nucleotides 8 to 1, two; X beyond the ends."""
    first, last = site.opposite_1 - 7 - FLANK, site.opposite_1 + FLANK
    return "".join(utr[k - 1] if 1 <= k <= len(utr) else "X" for k in range(first, last + 1))


def affinity(utr: str, site: Site, table: Mapping[str, float] | None = None) -> Affinity:
    """ln KD of a site, from a 12-mer table where it has the site, else from its type and flanks.

    By type: ln KD = ln kd_type + flank_slope (A or U among the four flanking bases - 2). Variants without a 12-mer
    have the affinity of no site (ln KD = 0): nothing measured says otherwise.

    Parameters
    ----------
    utr
        The sequence in RNA letters.
    site
        A site in it.
    table
        12-mer -> ln KD relative to no site (`read_kd_table`).
    """
    twelve = window(utr, site)
    if table is not None and (found := table.get(twelve)) is not None:
        return Affinity(found, 0.0, constants()["sd_context"].value, "12-mer table")
    if site.type not in CANONICAL:
        return Affinity(0.0, 0.0, 0.0, "type")
    flanks = twelve[:FLANK] + twelve[-FLANK:]
    weak = sum(base in "AU" for base in flanks) + sum(base in "XN" for base in flanks) / 2
    kind = constants()["kd_" + site.type.replace("-", "_")].value
    log_kd = math.log(kind) + constants()["flank_slope"].value * (weak - 2.0)
    return Affinity(log_kd, constants()["sd_mirna"].value, constants()["sd_context"].value, "type")


def read_kd_table(path: str | Path) -> dict[str, float]:
    """Read measured or predicted affinities of 12-mers.

    Parameters
    ----------
    path
        A table with the columns 12mer (DNA or RNA letters) and log_kd (natural logarithm of KD relative to no site), as
        `generate_12mer_kds.py` of kslin/miRNA_models writes it; .gz too.

    Returns
    -------
    dict
        12-mer in RNA letters -> ln KD.

    Raises
    ------
    InvalidInput
        With file, line and what was found.
    """
    from senexo.targets.fasta import text_lines

    table, name = dict[str, float](), Path(path).name
    lines = text_lines(path)
    head = next(lines, "")
    separator = "\t" if "\t" in head else ","
    columns = head.split(separator)
    if missing := {"12mer", "log_kd"} - set(columns):
        raise InvalidInput([Fault(f"{name}, line 1", repr(head[:80]), f"the columns {' and '.join(sorted(missing))}")])
    word, value = columns.index("12mer"), columns.index("log_kd")
    for number, line in enumerate(lines, start=2):
        cells = line.split(separator)
        try:
            twelve, log_kd = cells[word].upper().replace("T", "U"), float(cells[value])
            if len(twelve) != 12 or not set(twelve) <= set("ACGUX") or not math.isfinite(log_kd):
                raise ValueError
        except (ValueError, IndexError):
            expected = "12 letters A, C, G, U or X and a finite ln KD"
            raise InvalidInput([Fault(f"{name}, line {number}", repr(line[:60]), expected)]) from None
        table[twelve] = log_kd
    return table


def kd_draws(
    affinities: Sequence[Affinity], types: Sequence[str], keys: Sequence[tuple[str, int]], n: int, seed: int
) -> Values:
    """Draws [n, sites] of the relative KD: one deviation per draw and type, one per draw and site (gene, start)."""
    from senexo.base.streams import generator

    out = np.empty((n, len(affinities)))
    shared = {kind: generator(seed, "KD of a type", kind).normal(size=n) for kind in set(types)}
    for k, (one, kind, (gene, start)) in enumerate(zip(affinities, types, keys, strict=True)):
        own = generator(seed, "KD of a site", gene, start).normal(size=n)
        out[:, k] = np.exp(one.log_kd + one.sd_mirna * shared[kind] + one.sd_context * own)
    return out


@dataclass(frozen=True, slots=True)
class Exposure:
    """Free AGO-miRNA in units of the relative KD.

    Attributes
    ----------
    free
        Its concentration relative to the KD of no site.
    level, reading
        What it was computed from.
    statement
        How, in one sentence.
    """

    free: float
    level: Level
    reading: Reading
    statement: str


def exposure(level: Level | None = None, copies: float | None = None, reading: Reading = "relative") -> Exposure:
    """Free AGO-miRNA of a level in words, or of loaded copies per cell after titration by other sites.

    Titration: a = ((m - T - K) + sqrt((m - T - K)^2 + 4 K m)) / 2 with m copies, T background sites (8mer
    equivalents), K the copies that half-fill an 8mer.

    Parameters
    ----------
    level
        "transfected", "endogenous" or "endogenous-high" (TargetScan's free AGO-miRNA), or "copies". None: "copies"
        where copies are given, else "transfected".
    copies
        Loaded copies per cell, with the level "copies" alone.
    reading
        "relative" or "tight" (see the module); "tight" needs copies.

    Raises
    ------
    InvalidInput
        For an unknown level or reading, or for a level, copies and reading that do not go together.
    """
    known = constants()
    level = level or ("transfected" if copies is None else "copies")
    faults = [
        Fault(name, repr(given), f"one of {', '.join(map(repr, there))}")
        for name, given, there in (("level", level, get_args(Level)), ("reading", reading, get_args(Reading)))
        if given not in there
    ]
    if faults:
        raise InvalidInput(faults)
    if level != "copies" and copies is not None:
        raise InvalidInput([Fault("level and copies", f"{level!r} and {copies:g} copies", "one of the two")])
    if level != "copies":
        if reading == "tight":
            expected = "'relative', or a number of copies"
            raise InvalidInput([Fault("reading", f"'tight' with the level {level!r}", expected)])
        free = known["free_" + level.replace("-", "_")].value
        return Exposure(free, level, reading, f"free AGO-miRNA {free:g} relative to the KD of no site ({level})")
    if copies is None or not math.isfinite(copies) or copies < 0:
        raise InvalidInput([Fault("copies", repr(copies), "loaded copies per cell, 0 or more")])
    kd8 = known["kd_8mer"].value
    half = kd8 * known["copies_per_unit"].value if reading == "relative" else known["kd_absolute_8mer"].value
    sites = known["sites_background"].value
    excess = copies - sites - half
    # the form that does not cancel where excess is negative
    root = math.sqrt(excess * excess + 4.0 * half * copies)
    free = 0.5 * (excess + root) if excess > 0 else 2.0 * half * copies / (root - excess) if copies else 0.0
    regime = "copies outnumber sites" if copies > sites else "copies do not outnumber sites: titrated"
    statement = (
        f"{copies:,.0f} loaded copies against {sites:,.0f} background sites (8mer equivalents, assumed; "
        f"100-10,000): {free:,.3g} free; {regime}; reading '{reading}' (half-filling an 8mer takes {half:,.3g} copies)"
    )
    return Exposure(free * kd8 / half, "copies", reading, statement)


def repression(kds: Values, free: float, b: float | Values | None = None) -> Values:
    """Share of the mRNA that is left: 1 / (1 + b sum a / (a + KD)).

    Parameters
    ----------
    kds
        Relative KDs [..., sites]; the sum is over the last axis.
    free
        Free AGO-miRNA a, in the same unit (`Exposure.free`).
    b
        Repression by an occupied site, one number or one per row; the shipped constant by default.

    Examples
    --------
    >>> round(float(repression(np.array([0.0069]), 4.1e-3)), 3)  # one 8mer, transfected
    0.53
    """
    factor = constants()["b"].value if b is None else b
    occupied = np.sum(free / (free + kds), axis=-1) if kds.shape[-1] else np.zeros(kds.shape[:-1])
    return np.asarray(1.0 / (1.0 + factor * occupied))

"""What every assay gives back: findings in plain words, tables, JSON and a figure."""

from __future__ import annotations

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from senexo.assays.stats.estimate import ALPHA, Estimate, significant

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Finding:
    """One answer: `estimate` with its 95 % interval `low`..`high` in `unit`, and the sentence that says it.

    `id` is unique among the findings of one result. `request`: the number of the study's [[assays]] table that it
    answers, from 1; None where an assay was called by itself.
    `p_value` is corrected for all tests of the assay call (Holm); None where nothing was tested. Values that do not
    exist (not estimable, open interval) are None. `verdict` is one of ``large``, ``moderate``, ``small``, ``absent``
    (an effect that is not small is excluded), ``not shown``, ``estimated``, ``beyond the ladder``, ``not reached``,
    ``no dose response shown``, ``reversible``, ``partly reversible``, ``held``, ``transfer``,
    ``loss without transfer``, ``not decided``, ``not testable``, ``below detection:
    not testable``; of a detection report ``detected``, ``partly below detection``, ``below detection``.
    """

    assay: str
    id: str
    sentence: str
    estimate: float | None
    low: float | None
    high: float | None
    unit: str
    p_value: float | None
    verdict: str
    request: int | None = None

    @classmethod
    def of(
        cls, assay: str, id: str, sentence: str, estimate: Estimate, *, unit: str, p_holm: float, verdict: str
    ) -> Finding:
        """The finding of an estimate; numbers that are nan or infinite become None."""
        value, low, high = finite(estimate.value), finite(estimate.low), finite(estimate.high)
        return cls(assay, id, sentence, value, low, high, unit, finite(p_holm), verdict)


@dataclass(frozen=True)
class AssayResult(ABC):
    """What every assay returns: findings in plain words, tables, JSON and a figure.

    Attributes
    ----------
    assay : str
        Name of the assay.
    method : str
        What was computed, as a methods section says it.
    settings : mapping
        Every option and every threshold that was used.
    findings : tuple of Finding
        The answers, each with estimate, 95 % interval, p-value after correction and verdict.
    tables : mapping of str to pandas.DataFrame
        All tables by name; the first one is `.table`. Their columns: docs/assays.
    notes : tuple of str
        What was left out of the input, and why.
    cautions : tuple of str
        What numerical libraries warned of, such as a fit that did not converge. Filled where the assay was run by the
        command line or for a study; otherwise Python shows these warnings.

    Examples
    --------
    >>> from senexo.assays import colonies
    >>> from senexo.assays.specs import example
    >>> table, options = example("colonies")
    >>> result = colonies(table, **options)
    >>> print(result)
    colonies: 1 finding (95 % intervals; p after Holm)
    ratio:mimic:scrambled  0.349 [0.314, 0.389]  ratio  p < 0.0001  large
    >>> list(result.tables)
    ['fractions', 'efficiencies', 'samples', 'dishes']
    """

    assay: str
    method: str
    settings: Mapping[str, Any]
    findings: tuple[Finding, ...]
    tables: Mapping[str, pd.DataFrame] = field(repr=False)
    notes: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()

    @property
    def table(self) -> pd.DataFrame:
        """The first table, which answers the question."""
        return next(iter(self.tables.values()))

    @property
    def correction(self) -> str:
        """The correction for multiple testing that the p-values of the findings carry."""
        return "Holm"

    @property
    def sentence(self) -> str:
        """The sentences of all findings."""
        return " ".join(finding.sentence for finding in self.findings)

    def to_json(self) -> str:
        """The result as one JSON object (docs/assays.md): the fields of `to_dict`, tables as lists of rows."""
        return json.dumps(self.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)

    def to_dict(self) -> dict[str, Any]:
        """The result as plain lists, numbers and text; what is not a finite number is None.

        Returns
        -------
        dict
            assay, method, settings, notes, cautions, findings, and a list of rows for each table.
        """
        plain: dict[str, Any] = _plain_value({
            "assay": self.assay, "method": self.method, "settings": self.settings, "notes": self.notes,
            "cautions": self.cautions,
            "findings": [asdict(finding) for finding in self.findings],
            **{name: table.to_dict("records") for name, table in self.tables.items()},
        })  # fmt: skip
        return plain

    @abstractmethod
    def figure(self) -> Figure:
        """Draw the figure for a paper.

        Returns
        -------
        matplotlib.figure.Figure
            Unknown to pyplot; save it with `.savefig` as SVG, PDF or PNG.
        """

    def __str__(self) -> str:
        n = len(self.findings)
        head = f"{self.assay}: {n} finding{'' if n == 1 else 's'} (95 % intervals; p after {self.correction})"
        rows = [(f.id, span(f), f.unit, p_text(f.p_value), f.verdict) for f in self.findings]
        widths = [max(len(row[i]) for row in rows) for i in range(5)] if rows else []
        lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join([head, *lines])


def finite(value: float | None) -> float | None:
    """The number, or None where there is none (nan, infinite)."""
    return None if value is None or not math.isfinite(value) else float(value)


def p_text(p: float | None) -> str:
    """A p-value as a journal prints it."""
    if p is None or math.isnan(p):
        return ""
    return "p < 0.0001" if p < 1e-4 else f"p = {p:.2g}" if p < 0.995 else "p = 1"


def interval_text(
    low: float,
    high: float,
    p: float,
    n_donors: int,
    *,
    scale: float = 1.0,
    sign: str = "",
    n_control: int | None = None,
) -> str:
    """The bracket of a comparison: "95 % CI -1.2 to +3.4; p = 0.03; 20 donors, paired".

    n_control: how many other donors the first are compared with, where they are not the same.
    """
    if sign:
        limits = f"{scale * low:{sign}} to {scale * high:{sign}}"
    else:
        limits = f"{significant(scale * low)} to {significant(scale * high)}"
    donors = f"{n_donors} donors, paired" if n_control is None else f"{n_donors} and {n_control} donors, unpaired"
    return f"95 % CI {limits}; {p_text(p)}; {donors}"


def before_holm(row: Mapping[str, Any]) -> str:
    """What to add to "not shown" where it is only the correction that makes it so."""
    return " after correction for all comparisons" if row["p_value"] < ALPHA <= row["p_holm"] else ""


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table."""
    return table.to_dict("records")  # type: ignore[return-value]


def span(finding: Finding) -> str:
    """Estimate and interval, short; "-" where there is none."""
    return f"{significant(finding.estimate)} [{significant(finding.low)}, {significant(finding.high)}]"


def day(time_h: float) -> str:
    """A time as a reader says it: "day 7", or hours below a day."""
    return f"day {time_h / 24:g}" if time_h == 0 or time_h >= 24 else f"{time_h:g} h"


def judge(estimate: Estimate, p_holm: float, *, small: float, large: float) -> str:
    """The verdict of a difference on a scale where zero is no effect: below `small` it is small, from `large` large.

    Not significant: ``absent`` where the interval excludes an effect of `small` or more, else ``not shown``.
    """
    if math.isnan(p_holm):
        return "not testable"
    if p_holm < ALPHA:
        size = abs(estimate.value)
        return "small" if size < small else "moderate" if size < large else "large"
    return "absent" if max(abs(estimate.low), abs(estimate.high)) < small else "not shown"


def _plain_value(value: Any) -> Any:
    """Built-in types only; what is not a finite number becomes None."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Mapping):
        return {str(key): _plain_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain_value(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value

"""Before a level is held against survival or response: were the RNAs it is computed from measured at all?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from senexo.assays.detection import MIN_PANEL, Detection, detect, one_read, reads_of, verdict_of
from senexo.assays.transform import columns_used
from senexo.base.errors import Fault, InvalidInput
from senexo.base.table import Column, check

if TYPE_CHECKING:
    import pandas as pd

KINDS = ("counts", "rpm", "other")
RNA = re.compile(r"(?i)^([a-z]{3}-)?(mir|let|lin)-?\d")  # hsa-mir-34c, miR-34c-5p, MIR34C, let-7a
_RANK = ("detected", "partly below detection", "below detection")


@dataclass(frozen=True, slots=True)
class Measured:
    """What was found of each formula (None where nothing was asked), and what could not be judged."""

    detections: dict[str, Detection | None]
    notes: list[str]


def measured(
    table: pd.DataFrame, formulas: Sequence[str], *, kind: str | None, min_reads: float, where: str = "table"
) -> Measured:
    """The detection report of the columns in each formula; a formula is as good as its worst column.

    kind: what these columns hold: ``counts`` (reads), ``rpm`` (reads per million, from which reads are recovered with
    all columns named like miRNAs as the panel) or ``other`` (nothing is judged). None: columns that are named like
    miRNAs are taken for reads where all are whole numbers, for RPM where reads can be recovered; where neither holds,
    only zeros are counted, and a note says so.

    InvalidInput: an unknown kind, cells that are no reads, a panel from which they cannot be recovered.
    """
    if kind is not None and kind not in KINDS:
        raise InvalidInput([Fault(f"{where}: kind", f"'{kind}'", f"one of {', '.join(KINDS)}")])
    if not min_reads >= 1.0:
        raise InvalidInput([Fault(f"{where}: min_reads", f"{min_reads:g}", "a number of reads >= 1")])
    judge = _Judge(table, kind, min_reads, where)
    return Measured({text: judge.formula(text) for text in formulas}, judge.notes)


class _Judge:
    """Looks at columns, each once."""

    def __init__(self, table: pd.DataFrame, kind: str | None, min_reads: float, where: str) -> None:
        self.table, self.kind, self.min_reads, self.where = table, kind, min_reads, where
        self.notes: list[str] = []
        self._known: dict[str, Detection | None] = {}
        self._panel: pd.DataFrame | None = None

    def formula(self, text: str) -> Detection | None:
        if self.kind == "other":
            return None
        names = columns_used(self.table, text)
        asked = [name for name in names if self.kind is not None or RNA.match(name)]
        for name in asked:
            if name not in self._known:
                self._known[name] = self._column(name)
        found = [one for one in (self._known[name] for name in asked) if one is not None]
        if not found:
            return None
        worst = max(found, key=lambda one: (_RANK.index(one.verdict), -one.share_detected))
        return replace(worst, sentence=" ".join(one.sentence for one in found))

    def _column(self, name: str) -> Detection | None:
        kind = "whole" if self.kind == "counts" else "number"
        low = None if self.kind is None else 0
        values = check(self.table, [Column(name, kind, may_be_empty=True, low=low)], where=self.where)[name]  # type: ignore[arg-type]
        values = values.set_axis(self.table.index).dropna()
        if values.empty:
            return None
        panel = self._numbers(name).loc[values.index]
        wide = panel.shape[1] >= MIN_PANEL
        if self.kind == "counts" or (self.kind is None and (values % 1 == 0).all() and (values >= 0).all()):
            depth = panel.sum(axis=1) if wide and bool((panel.fillna(0) % 1 == 0).all(axis=None)) else None
            return detect(values, min_reads=self.min_reads, depth=depth, name=name)
        if (values < 0).any():
            self.notes.append(f"{name} holds negative values, so it was not judged whether it was measured")
            return None
        try:
            reads, unit = reads_of(values, panel, where=self.where), one_read(panel, where=self.where)
        except InvalidInput:
            if self.kind == "rpm":
                raise
            return self._zeros(name, values.to_numpy())
        return detect(reads, min_reads=self.min_reads, depth=1e6 / unit, name=name)

    def _zeros(self, name: str, values: np.ndarray) -> Detection:
        """All that can be said where values cannot be turned into reads: zero or not."""
        self.notes.append(f"{name} holds no reads that could be counted: only its zeros tell whether it was measured")
        n, n_zero = len(values), int(np.count_nonzero(values == 0.0))
        verdict = verdict_of(1.0 - n_zero / n)
        sentence = f"{name} is zero in {n_zero} of {n} samples: {verdict}."
        return Detection(n, n_zero, n - n_zero, 1.0 - n_zero / n, self.min_reads, None, verdict, sentence)

    def _numbers(self, name: str) -> pd.DataFrame:
        """All columns named like miRNAs, and the one asked for."""
        if self._panel is None:
            names = [str(column) for column in self.table.columns if RNA.match(str(column))]
            columns = [Column(column, "number", may_be_empty=True) for column in dict.fromkeys(names)]
            self._panel = (
                check(self.table, columns, where=self.where).set_axis(self.table.index)
                if columns
                else self.table.iloc[:, :0]
            )
        if name in self._panel:
            return self._panel
        own = check(self.table, [Column(name, "number", may_be_empty=True)], where=self.where)
        return self._panel.assign(**{name: own[name].to_numpy()})

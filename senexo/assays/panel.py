"""Samples x RNAs from a table of the bench: which columns are what, one row per donor and group."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from senexo.assays.comparisons import DESIGNS
from senexo.assays.detection import one_read
from senexo.base.errors import MOST_SHOWN, Fault, InvalidInput
from senexo.base.table import Column, as_number, as_text, at, check, is_number, likely, numbered

if TYPE_CHECKING:
    import pandas as pd

KINDS = ("counts", "rpm", "intensities")
SCALES = ("log2", "linear")
HIGHEST_LOG2 = 40.0  # no instrument counts to 10^12
COPIED = 10  # so many RNAs never agree in two samples by chance


@dataclass(frozen=True)
class Layout:
    """What the columns of the table are; see `expression`."""

    group: str
    control: str
    case: str | None = None
    donor: str | None = None
    design: str = "unpaired"
    kind: str = "counts"
    scale: str = "log2"
    features: Sequence[str] | None = None
    sample: str | None = None
    depth: str | None = None


@dataclass(frozen=True)
class Panel:
    """One row per donor and group: `values` are reads, or log2 intensities (nan = not measured).

    Paired: rows of cases first, then those of the controls, donors in the same order.
    """

    values: pd.DataFrame
    group: pd.Series
    donor: pd.Series
    depth: pd.Series | None
    case: str
    control: str
    notes: tuple[str, ...]

    @property
    def is_case(self) -> np.ndarray:
        return (self.group == self.case).to_numpy()


def read(table: pd.DataFrame, layout: Layout, where: str) -> Panel:
    """The table as a panel, or InvalidInput with every fault."""
    _check_words(layout, where)
    table = numbered(table)
    roles, case, notes = _roles(table, layout, where)
    kept = table.loc[roles.index]
    names, more = _features(kept, layout, where)
    notes += more
    if layout.kind == "intensities":
        values = _intensities(kept, names, layout.scale, where)
    else:
        values, more = _counts(kept, names, layout.kind, where)
        notes += more
    _refuse_copies(values, where)
    rows, donor_notes = _per_donor(roles, layout, case, where)
    notes += donor_notes
    by = [rows["donor"], rows["group"]]
    chosen = values.loc[rows.index].groupby(by, sort=False)
    together = chosen.mean() if layout.kind == "intensities" else chosen.sum()
    depth = rows["depth"].groupby(by, sort=False).sum() if layout.depth else None
    if len(together) < len(rows):
        how = "averaged" if layout.kind == "intensities" else "summed"
        notes.append(f"{len(rows)} samples of {len(together)} donors and groups: those of one donor were {how}")
    order = _order(together.index.to_frame(index=False), layout, case)
    together = together.iloc[order].reset_index()
    return Panel(
        together.drop(columns=["donor", "group"]), together["group"], together["donor"],
        None if depth is None else depth.iloc[order].reset_index(drop=True), case, layout.control, tuple(notes),
    )  # fmt: skip


def _check_words(layout: Layout, where: str) -> None:
    faults = [
        Fault(f"{where}: {name}", f"'{word}'", f"one of {', '.join(known)}")
        for name, word, known in (
            ("kind", layout.kind, KINDS), ("scale", layout.scale, SCALES), ("design", layout.design, DESIGNS),
        )
        if word not in known
    ]  # fmt: skip
    if layout.design == "paired" and not layout.donor:
        faults.append(Fault(f"{where}: donor", "nothing", "the column that names the donor, as the design is paired"))
    if layout.kind == "intensities" and layout.depth:
        faults.append(Fault(f"{where}: depth", f"'{layout.depth}'", "nothing: intensities have no depth"))
    named = [name for name in (layout.group, layout.donor, layout.sample, layout.depth) if name]
    if len({*named}) < len(named):
        again = next(name for name in named if named.count(name) > 1)
        faults.append(Fault(f"{where}: group, donor, sample, depth", f"'{again}' twice", "a column for each"))
    if faults:
        raise InvalidInput(faults)


def _roles(table: pd.DataFrame, layout: Layout, where: str) -> tuple[pd.DataFrame, str, list[str]]:
    """group, donor, sample and depth of the rows of the two groups, the name of the cases, and notes."""
    columns = [Column(layout.group, "text", may_be_empty=True)]
    columns += [Column(name, "text") for name in (layout.donor, layout.sample) if name]
    columns += [Column(name, "number", low=0) for name in [layout.depth] if name]
    given = check(table, columns, where=where, key=[layout.sample] if layout.sample else [])
    groups = [name for name in dict.fromkeys(given[layout.group]) if name]
    others = [name for name in groups if name != layout.control]
    faults = []
    if layout.control not in groups:
        faults.append(Fault(f"{where}: control", f"'{layout.control}'", f"a group: {likely(layout.control, groups)}"))
    if layout.case is not None and layout.case not in others:
        found = f"'{layout.case}'"
        faults.append(Fault(f"{where}: case", found, f"a group other than the control: {likely(layout.case, others)}"))
    if layout.case is None and len(others) != 1 and not faults:
        found = f"{len(others)} groups besides {layout.control}" if others else f"only the group {layout.control}"
        expected = f"the one to compare: {likely('', others)}" if others else "two groups in this column"
        faults.append(Fault(f"{where}: {'case' if others else f'column {layout.group}'}", found, expected))
    if faults:
        raise InvalidInput(faults)
    case = layout.case if layout.case is not None else others[0]
    kept = given[given[layout.group].isin([case, layout.control])]
    notes = [
        f"{n} sample{'s' if n > 1 else ''} left out: {layout.group} is {name or 'empty'}"
        for name, n in given.loc[given.index.difference(kept.index), layout.group].value_counts(sort=False).items()
    ]
    if layout.depth:
        empty = kept[kept[layout.depth] == 0.0]
        if len(empty):
            raise InvalidInput([Fault(at(where, row, layout.depth), "'0'", "a number > 0") for row in empty.index])
    numbers = (kept.index + 2).astype(str)
    roles = kept[[layout.group]].set_axis(["group"], axis=1)
    names = kept[layout.donor] if layout.donor else kept[layout.sample] if layout.sample else numbers
    return roles.assign(donor=names, depth=kept[layout.depth] if layout.depth else np.nan), case, notes


def _features(table: pd.DataFrame, layout: Layout, where: str) -> tuple[list[str], list[str]]:
    """The columns that hold RNAs, and which others were passed over."""
    roles = {layout.group, layout.donor, layout.sample, layout.depth}
    others = [str(name) for name in table.columns if name not in roles]
    if not layout.features:
        passed = [name for name in others if not _any_number(table[name])]
        note = f"columns without any number passed over: {likely('', passed)}"
        found = [name for name in others if name not in passed]
        if not found:
            raise InvalidInput([Fault(where, "no column of numbers besides group, donor and sample", "RNAs")])
        return found, [note] if passed else []
    chosen: dict[str, None] = {}
    faults = []
    for pattern in layout.features:
        fits = [pattern] if pattern in others else fnmatch.filter(others, pattern)
        if not fits:
            expected = f"a column or a pattern: {likely(pattern, others)}"
            faults.append(Fault(f"{where}: features", f"'{pattern}'", expected))
        chosen |= dict.fromkeys(fits)
    if faults:
        raise InvalidInput(faults)
    return list(chosen), []


def _any_number(cells: pd.Series | pd.DataFrame) -> bool:
    if cells.ndim > 1 or cells.dtype.kind in "iuf":  # a name that is there twice is refused later
        return True
    return any(is_number(as_text(cell)) for cell in cells)


def _counts(table: pd.DataFrame, names: list[str], kind: str, where: str) -> tuple[pd.DataFrame, list[str]]:
    """Reads of every sample and RNA."""
    if kind == "rpm":
        scaled = check(table, [Column(name, "number", low=0) for name in names], where=where)
        reads = scaled.div(one_read(scaled, where=where), axis=0).round()
        return reads, ["reads were recovered from reads per million: one read is the smallest positive value"]
    try:
        reads = check(table, [Column(name, "whole", low=0) for name in names], where=where).astype(float)
    except InvalidInput as error:
        fractions = [fault for fault in error.faults if as_number(fault.found.strip("'")) % 1 > 0]
        if len(fractions) <= MOST_SHOWN // 2:
            raise
        expected = "whole read counts (kind rpm for reads per million, kind intensities for other values)"
        found = f"{fractions[0].found}, and fractions in many other cells"
        raise InvalidInput([Fault(fractions[0].where, found, expected)]) from None
    silent = reads.index[reads.sum(axis=1) == 0]
    if len(silent):
        sequenced = "a sample with reads"
        raise InvalidInput([Fault(f"{where}: row {row + 2}", "no read of any RNA", sequenced) for row in silent])
    return reads, []


def _intensities(table: pd.DataFrame, names: list[str], scale: str, where: str) -> pd.DataFrame:
    """log2 intensities."""
    values = check(table, [Column(name, "number", may_be_empty=True) for name in names], where=where)
    wrong = values > HIGHEST_LOG2 if scale == "log2" else values <= 0.0
    expected = {
        "log2": f"a log2 intensity, at most {HIGHEST_LOG2:g} (scale linear for intensities themselves)",
        "linear": "a number > 0 (an empty cell where nothing was measured)",
    }[scale]
    faults = [
        Fault(at(where, row, name), f"'{values.at[row, name]:g}'", expected)
        for name in values.columns[wrong.any()]
        for row in values.index[wrong[name]]
    ]
    if faults:
        raise InvalidInput(faults)
    return values.map(np.log2) if scale == "linear" else values


def _refuse_copies(values: pd.DataFrame, where: str) -> None:
    """Two samples that agree in every RNA are one sample entered twice."""
    if values.shape[1] < COPIED:
        return
    first: dict[bytes, int] = {}
    faults = []
    for row, numbers in zip(values.index, values.to_numpy(float), strict=True):
        if np.isnan(numbers).all():
            continue
        earlier = first.setdefault(numbers.tobytes(), row)
        if earlier != row:
            found = f"the values of row {earlier + 2} in all {values.shape[1]} RNAs"
            faults.append(Fault(f"{where}: row {row + 2}", found, "each sample once"))
    if faults:
        raise InvalidInput(faults)


def _per_donor(roles: pd.DataFrame, layout: Layout, case: str, where: str) -> tuple[pd.DataFrame, list[str]]:
    """The rows that the design can use, and notes on the others."""
    n_groups = roles.groupby("donor")["group"].transform("nunique")
    if layout.design == "unpaired":
        if not layout.donor:
            return roles, []
        both = list(dict.fromkeys(roles.loc[n_groups > 1, "donor"]))
        faults = [
            Fault(f"{where}: donor {name}", f"samples in both {case} and {layout.control}",
                  "design paired, or donors of one group each")
            for name in both
        ]  # fmt: skip
        if faults:
            raise InvalidInput(faults)
        return roles, []
    alone = roles.loc[n_groups < 2, "donor"].nunique()
    if not (n_groups > 1).any():
        found = f"no donor with samples of both {case} and {layout.control}"
        raise InvalidInput([Fault(f"{where}: design", found, "the same donors in both groups, or design unpaired")])
    note = f"{alone} donor{'s' if alone > 1 else ''} with samples of one group only left out of the paired comparison"
    return roles[n_groups > 1], [note] if alone else []


def _order(rows: pd.DataFrame, layout: Layout, case: str) -> np.ndarray:
    """Cases first, then controls; donors as they come, so that paired rows correspond."""
    place = {name: i for i, name in enumerate(dict.fromkeys(rows["donor"]))}
    return np.lexsort((rows["donor"].map(place).to_numpy(), (rows["group"] != case).to_numpy()))

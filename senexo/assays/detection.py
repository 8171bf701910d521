"""Was a low-copy RNA measured at all? Read numbers first, statistics after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from senexo.assays.stats.estimate import significant
from senexo.base.errors import Fault, InvalidInput

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

LEAST_READS = 3.0  # Poisson: a mean of 3 reads gives none in exp(-3) = 5 % of samples
MEASURED = 0.5  # share of samples below which an RNA was not measured
WHOLLY = 0.95  # share of samples from which it was measured throughout
NOT_TESTABLE = "below detection: not testable"  # the verdict that stands instead of a p-value

MIN_PANEL = 20  # positive values a sample needs before its smallest can pass for one read
SMALL = 10.5  # reads up to which rounded values still tell multiples of one read
OFF = 0.1  # how far from a whole number of reads a value may lie


@dataclass(frozen=True, slots=True)
class Detection:
    """How often an RNA was measured. `depth`: median of all reads of a sample, None where it is not known."""

    n: int
    n_zero: int
    n_detected: int
    share_detected: float
    min_reads: float
    depth: float | None
    verdict: str
    sentence: str

    @property
    def testable(self) -> bool:
        return self.verdict != "below detection"

    def row(self, name: str) -> dict[str, object]:
        """The row of the table `detection` for the level `name`; its columns: `senexo.assays.fields.DETECTION`."""
        return {"value": name, **{key: value for key, value in asdict(self).items() if key != "sentence"}}


def detect(
    reads: pd.Series | Floats | Sequence[float],
    *,
    min_reads: float = LEAST_READS,
    depth: pd.Series | Floats | Sequence[float] | float | None = None,
    name: str = "The RNA",
) -> Detection:
    """Say in how many samples an RNA was measured, and whether that is enough to ask anything else of it.

    A sample counts as measured with at least `min_reads` reads: reads are Poisson, and a mean of 3 gives no read at all
    in 5 % of samples, so fewer than 3 may be none. ``below detection`` when fewer than half of the samples are
    measured; ``detected`` from 95 % on; ``partly below detection`` between. A read-out that is below detection gets
    the verdict ``below detection: not testable`` instead of a p-value.

    reads: number of reads of this RNA per sample (see `reads_of` for normalised values); nan = no such sample.
    depth: all reads of each sample, or one number; reported, not used. name: what the sentence calls the RNA.
    InvalidInput for negative numbers and where there is no sample.

    >>> detect([0, 0, 1, 0, 2, 14, 0], name="miR-34c").sentence
    'miR-34c has 3 reads or more in 1 of 7 samples (14 %), none in 4, at most 2 in 6: below detection.'
    """
    numbers = np.asarray(reads, dtype=float).ravel()
    numbers = numbers[~np.isnan(numbers)]
    if not numbers.size:
        raise InvalidInput([Fault(f"reads of {name}", "no sample", "at least one")])
    if not (np.isfinite(numbers) & (numbers >= 0.0)).all():
        wrong = numbers[~(np.isfinite(numbers) & (numbers >= 0.0))][0]
        raise InvalidInput([Fault(f"reads of {name}", f"{wrong:g}", "a number of reads >= 0 (no logarithms)")])
    n, n_zero = numbers.size, int(np.count_nonzero(numbers == 0.0))
    n_detected = int(np.count_nonzero(numbers >= min_reads))
    share = n_detected / n
    verdict = verdict_of(share)
    median = None if depth is None else float(np.nanmedian(np.asarray(depth, dtype=float)))
    few = int(np.ceil(min_reads)) - 1
    whole = n_detected == n
    measured = f"all {n} samples" if whole and n > 1 else f"{n_detected} of {n} samples ({100 * share:.0f} %)"
    parts = [
        f"{name} has {min_reads:g} reads or more in {measured}",
        *([] if whole else [f"none in {n_zero}"]),
        *([] if whole or few < 1 else [f"at most {few} in {int(np.count_nonzero(numbers <= few))}"]),
        *([f"median depth {significant(median)} reads"] if median is not None else []),
    ]
    return Detection(n, n_zero, n_detected, share, min_reads, median, verdict, f"{', '.join(parts)}: {verdict}.")


def verdict_of(share: float) -> str:
    """What the share of samples in which an RNA was measured means."""
    return "below detection" if share < MEASURED else "detected" if share >= WHOLLY else "partly below detection"


def reads_of(values: pd.Series, panel: pd.DataFrame, *, where: str = "table") -> pd.Series:
    """Reads recovered from values that were scaled to the depth of their sample (RPM, CPM).

    One read is the smallest positive value of that sample over all columns of `panel` (in a sequenced small-RNA panel
    some RNA always has exactly one read); reads are the values divided by it, rounded. Numbers that are reads already
    come back as they are.

    values: one number per sample, a column of the panel or a sum of some; same rows as `panel` (samples x RNAs).
    InvalidInput where that cannot work: negative values (logarithms), fewer than 20 positive values in a sample, or
    small values that are no multiples of the smallest (scaled by length or background-corrected: TPM, intensities).

    >>> import pandas as pd
    >>> reads = pd.DataFrame({f"miR-{i}": [i, 2 * i + 1] for i in range(24)})
    >>> per_million = reads.mul(1e6 / reads.sum(axis=1), axis=0).round(4)
    >>> reads_of(per_million["miR-3"], per_million).to_list()
    [3.0, 7.0]
    """
    unit = one_read(panel, where=where)
    scaled = (values.to_numpy(dtype=float) / unit.to_numpy()).round()
    return values.astype(float).where(values.isna(), scaled)


def one_read(panel: pd.DataFrame, *, where: str = "table") -> pd.Series:
    """The value that one read has in each sample of a panel (samples x RNAs); see `reads_of`."""
    import pandas as pd

    numbers = panel.to_numpy(dtype=float)
    positive = np.where(numbers > 0.0, numbers, np.nan)
    faults = []
    for row, all_values, some in zip(panel.index, numbers, positive, strict=True):
        found = _unlike_reads(all_values, some[~np.isnan(some)])
        if found:
            faults.append(Fault(f"{where}: row {_row(row)}", found, "reads scaled to the depth of their sample (RPM)"))
    if faults:
        raise InvalidInput(faults)
    return pd.Series(np.nanmin(positive, axis=1), index=panel.index)


def _unlike_reads(values: Floats, positive: Floats) -> str:
    """Why these values of one sample cannot be turned into reads; empty where they can."""
    if (values < 0.0).any():
        return f"the negative value {values[values < 0.0][0]:g}"
    if positive.size < MIN_PANEL:
        return f"{positive.size} positive values, of which the smallest need not be one read"
    few = positive / positive.min()
    few = few[few < SMALL]
    if np.mean(np.abs(few - few.round()) > OFF) > 0.05:
        return "values that are no multiples of the smallest one"
    return ""


def _row(label: Any) -> Any:
    """A row as a spreadsheet numbers it, or the sample's name where the index holds names."""
    return int(label) + 2 if isinstance(label, int | np.integer) else label

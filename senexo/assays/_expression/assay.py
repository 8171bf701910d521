"""Which RNAs differ between two groups of samples: read counts or intensities, after a detection report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from senexo.assays import panel
from senexo.assays._expression import sentences as rna_words
from senexo.assays._expression import tables as rna_tables
from senexo.assays.detection import LEAST_READS, verdict_of
from senexo.assays.result import AssayResult
from senexo.assays.stats.estimate import LEVEL
from senexo.base.errors import Fault, InvalidInput
from senexo.base.table import capped, likely

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

SHOWN = 10  # RNAs that get a sentence where none was named in advance

EXAMPLE_OPTIONS: dict[str, object] = {
    "group": "cell", "control": "HSC", "donor": "donor", "design": "paired", "target": ["miR-34a-5p", "miR-34c-5p"],
}  # fmt: skip

_METHOD = (
    "{unit} Before any test, an RNA counted as detected where at least half of the samples of one group {measured}; "
    "the others were not tested and are no part of the multiple testing. {model} P-values of the screen were adjusted "
    "by Benjamini and Hochberg's method (false discovery rate){targets}."
)
_UNIT = {
    "unpaired": "Samples of one donor were {together}.",
    "paired": "Samples of one donor and group were {together}; the groups were compared within donors.",
}
_COUNTS = (
    "Counts were compared by negative binomial generalised linear models with dispersions shared between RNAs "
    "(PyDESeq2) and {factors} size factors; log2 fold changes are maximum likelihood estimates, tested by Wald "
    "statistics on Student's t with residual plus {df:.1f} prior degrees of freedom."
)
_INTENSITIES = (
    "Log2 intensities were compared by moderated t-tests (empirical Bayes variances; prior variance {s2:.3g} with "
    "{df:.1f} degrees of freedom)."
)


@dataclass(frozen=True)
class ExpressionResult(AssayResult):
    """Tables: features (every RNA, smallest p first), detection, samples, values (of the RNAs that are drawn).

    Columns: docs/assays/expression.md.
    """

    @property
    def correction(self) -> str:
        return str(self.settings["correction"])

    def figure(self) -> Figure:
        from senexo.assays._expression.figure import expression_figure

        return expression_figure(self.tables, self.settings)


def expression(
    table: pd.DataFrame,
    *,
    group: str,
    control: str,
    case: str | None = None,
    donor: str | None = None,
    design: str = "unpaired",
    kind: str = "counts",
    scale: str = "log2",
    features: str | Sequence[str] | None = None,
    target: str | Sequence[str] | None = None,
    sample: str | None = None,
    depth: str | None = None,
    least: float = LEAST_READS,
    background: float | None = None,
    where: str = "table",
) -> ExpressionResult:
    """Fold change of every detected RNA between two groups of samples, donors as the unit.

    Counts: log2 E[count / size factor] = intercept + fold (+ donor), negative binomial, see `negative_binomial.wald`.
    Intensities: mean difference of log2 intensities with moderated t, see `moderated`.

    table: one row per sample, one column per RNA (reads, or intensities), and a column that says which group the sample
    is of. group: that column; control: the group that folds refer to; case: the other one, where there are several.
    donor: the column that names who a sample is from; samples of one donor and group are summed (intensities averaged).
    design: ``unpaired`` (other donors in each group) or ``paired`` (both groups of the same donors). kind: ``counts``
    (whole reads), ``rpm`` (reads per million, from which the reads are recovered) or ``intensities``, whose scale is
    ``log2`` or ``linear``. features: the columns that are RNAs, by name or pattern (``hsa-*``); all that hold numbers
    by default. target: RNAs asked for in advance, which are corrected (Holm) among themselves. sample: a column that
    names each sample once. depth: a column with all reads of a sample, used as its size where the table holds too few
    RNAs to find it. least: the reads with which an RNA counts as measured. background: the intensity, on the scale of
    the table, up to which it does not.

    InvalidInput lists every fault of the table (row, column) and unknown names. An RNA that is below detection in both
    groups gets the verdict ``below detection: not testable`` instead of a p-value; fewer than two donors in a group
    ``not testable``.

    >>> found = expression(example(), **EXAMPLE_OPTIONS)
    >>> [(finding.id, finding.verdict) for finding in found.findings[-2:]]  # doctest: +NORMALIZE_WHITESPACE
    [('fold:miR-34a-5p:LSC:HSC', 'moderate'), ('fold:miR-34c-5p:LSC:HSC', 'below detection: not testable')]
    """
    layout = panel.Layout(
        group, control, case, donor, design, kind, scale, [features] if isinstance(features, str) else features,
        sample, depth,
    )  # fmt: skip
    if not least >= 1.0:
        raise InvalidInput([Fault(f"{where}: least", f"{least:g}", "a number of reads >= 1")])
    data = panel.read(table, layout, where)
    targets = _targets(data, target, where)
    measured = rna_tables.is_measured(data, layout, least, background)
    detection = rna_tables.detected(data, measured)
    seen = detection.groupby("feature", sort=False)["share_detected"].max().reindex(data.values.columns)
    tested = [str(name) for name, share in seen.items() if verdict_of(share) != "below detection"]
    found, fit = rna_tables.compared(data, layout, tested)
    settings = {
        "group": group, "control": control, "case": data.case, "donor": donor, "design": design, "kind": kind,
        "scale": scale, "features": len(seen), "target": targets, "sample": sample, "depth": depth, "least": least,
        "background": background, "level": LEVEL, **rna_tables.SETTINGS,
        "n_case": int(data.is_case.sum()), "n_control": int((~data.is_case).sum()), "n_tested": len(tested),
        "df_prior": None, "s2_prior": None, "size_factor_type": None, "problem": None,
        "correction": "Holm" if targets else "Benjamini-Hochberg", **fit,
    }  # fmt: skip
    rows = rna_tables.judged(found, detection, targets)
    samples = rna_tables.samples(data, measured, settings.pop("size_factors", None))
    tables = {"features": rows, "detection": detection, "samples": samples}
    told = rna_words.told(rows, targets, SHOWN)
    tables["values"] = rna_tables.drawn(data, samples, told[:4] or list(rows["feature"][:4]))
    notes = [*data.notes, *_notes(layout, background, settings)]
    findings = rna_words.findings(tables, settings, told, _reads(data, layout))
    return ExpressionResult("expression", _method(layout, settings, background), settings, tuple(findings), tables,
                            tuple(notes))  # fmt: skip


def example() -> pd.DataFrame:
    """Made-up reads of 30 RNAs in LSC and HSC of six donors; miR-34a-5p is lower in LSC, miR-34c-5p hardly there.

    >>> example().shape
    (12, 32)
    """
    import pandas as pd

    rng = np.random.default_rng(20180515)
    names = ["miR-34a-5p", "miR-34c-5p", *(f"miR-{n}" for n in (
        "16-5p", "21-5p", "22-3p", "23a-3p", "24-3p", "25-3p", "26a-5p", "27a-3p", "29a-3p", "30d-5p", "92a-3p",
        "99b-5p", "101-3p", "103a-3p", "125b-5p", "126-3p", "142-5p", "146a-5p", "148a-3p", "150-5p", "155-5p",
        "181a-5p", "182-5p", "191-5p", "196b-5p", "221-3p", "223-3p", "486-5p",
    ))]  # fmt: skip
    level = np.exp(rng.uniform(4.0, 8.5, len(names)))
    level[:2] = 300.0, 0.6
    change = np.ones(len(names))
    change[[0, names.index("miR-126-3p"), names.index("miR-155-5p")]] = 0.35, 2.5, 3.0
    rows = []
    for donor in range(6):
        own = level * rng.lognormal(0.0, 0.4, len(names))
        for cell, factor in (("HSC", 1.0), ("LSC", change)):
            mean = own * factor * rng.lognormal(0.0, 0.25)
            rows.append([f"donor {donor + 1}", cell, *rng.negative_binomial(15.0, 15.0 / (15.0 + mean))])
    return pd.DataFrame(rows, columns=["donor", "cell", *names])


def _targets(data: panel.Panel, target: str | Sequence[str] | None, where: str) -> list[str]:
    names = [target] if isinstance(target, str) else list(dict.fromkeys(target or []))
    there = list(data.values.columns)
    faults = [
        Fault(f"{where}: target", f"'{name}'", f"one of the RNAs: {likely(name, there)}")
        for name in names
        if name not in there
    ]
    if faults:
        raise capped(faults, where)
    return names


def _reads(data: panel.Panel, layout: panel.Layout) -> panel.Panel | None:
    return None if layout.kind == "intensities" else data


def _notes(layout: panel.Layout, background: float | None, settings: Mapping[str, Any]) -> list[str]:
    if layout.kind == "intensities" and background is None:
        return ["no background was given: every value counts as measured, and only empty cells as below detection"]
    if settings["size_factor_type"] == "poscounts":
        return ["every RNA has a zero somewhere: sizes of samples are from positive counts, and less certain"]
    return []


def _method(layout: panel.Layout, settings: Mapping[str, Any], background: float | None) -> str:
    counts = layout.kind != "intensities"
    above = "had a value" if background is None else f"were above {background:g}"
    if settings["problem"]:
        model = "Nothing could be tested."
    elif counts:
        factors = {"ratio": "median-of-ratios", "poscounts": "positive-count", "depth": "total-depth"}
        model = _COUNTS.format(factors=factors[settings["size_factor_type"]], df=settings["df_prior"])
    else:
        model = _INTENSITIES.format(s2=settings["s2_prior"], df=settings["df_prior"])
    return _METHOD.format(
        unit=_UNIT[layout.design].format(together="summed" if counts else "averaged"),
        measured=f"had {settings['least']:g} reads or more" if counts else above, model=model,
        targets="; RNAs named in advance were corrected among themselves by Holm's" if settings["target"] else "",
    )  # fmt: skip

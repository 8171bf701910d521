"""Which RNAs differ between two groups of samples: read counts or intensities, after a detection report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from senexo.assays import panel
from senexo.assays._expression import sentences as rna_words
from senexo.assays._expression import tables as rna_tables
from senexo.assays.detection import LEAST_READS, verdict_of
from senexo.assays.result import AssayResult
from senexo.assays.stats.estimate import LEVEL
from senexo.base.deprecation import former_keywords
from senexo.base.errors import Fault, InvalidInput
from senexo.base.table import likely

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

SHOWN = 10  # RNAs that get a sentence where none was named in advance

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


@former_keywords({"least": "min_reads"})
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
    min_reads: float = LEAST_READS,
    background: float | None = None,
    where: str = "table",
) -> ExpressionResult:
    """Estimate the fold change of every detected RNA between two groups of samples, with the donor as the unit.

    Counts: log2 E[count / size factor] = intercept + fold (+ donor), negative binomial
    (`senexo.assays.stats.negative_binomial`). Intensities: mean difference of log2 intensities with moderated t
    (`senexo.assays.stats.moderated`).

    Parameters
    ----------
    table : pandas.DataFrame
        One row per sample, one column per RNA (reads, or intensities), and a column that says which group the sample is
        of.
    group : str
        Column of groups.
    control : str
        The group that folds refer to.
    case : str, optional
        The other group; needed where there are more than two.
    donor : str, optional
        Column that names who a sample is from. Samples of one donor and group are summed (intensities: averaged).
    design : {"unpaired", "paired"}, default "unpaired"
        Different donors in each group, or the same donors in both.
    kind : {"counts", "rpm", "intensities"}, default "counts"
        Whole reads, reads per million (from which the reads are recovered), or intensities.
    scale : {"log2", "linear"}, default "log2"
        Scale of intensities.
    features : str or sequence of str, optional
        Columns that are RNAs, by name or pattern (``hsa-*``); by default all that hold numbers.
    target : str or sequence of str, optional
        RNAs named in advance, which are corrected (Holm) among themselves.
    sample : str, optional
        Column that names each sample once.
    depth : str, optional
        Column with all reads of a sample, its size where the table holds too few RNAs to find it.
    min_reads : float, default 3
        Reads with which an RNA counts as measured.
    background : float, optional
        Intensity, on the scale of the table, up to which an RNA does not count as measured.
    where : str, default "table"
        What messages call the table.

    Returns
    -------
    ExpressionResult
        Tables features, detection, samples, values. An RNA below detection in both groups has the verdict ``below
        detection: not testable`` instead of a p-value; fewer than two donors in a group ``not testable``.

    Raises
    ------
    InvalidInput
        Every fault of the table (row, column) and unknown names, together.

    References
    ----------
    DESeq2: Love MI, Huber W, Anders S, Genome Biol 2014;15:550, doi 10.1186/s13059-014-0550-8. limma: Smyth GK, Stat
    Appl Genet Mol Biol 2004;3:3, doi 10.2202/1544-6115.1027.

    Examples
    --------
    >>> from senexo.assays.specs import example
    >>> table, options = example("expression")
    >>> result = expression(table, **options)
    >>> [(finding.id, finding.verdict) for finding in result.findings[-2:]]  # doctest: +NORMALIZE_WHITESPACE
    [('fold:miR-34a-5p:LSC:HSC', 'moderate'), ('fold:miR-34c-5p:LSC:HSC', 'below detection: not testable')]
    """
    layout = panel.Layout(
        group, control, case, donor, design, kind, scale, [features] if isinstance(features, str) else features,
        sample, depth,
    )  # fmt: skip
    if not min_reads >= 1.0:
        raise InvalidInput([Fault(f"{where}: min_reads", f"{min_reads:g}", "a number of reads >= 1")])
    data = panel.read(table, layout, where)
    targets = _targets(data, target, where)
    measured = rna_tables.is_measured(data, layout, min_reads, background)
    detection = rna_tables.detected(data, measured)
    seen = detection.groupby("feature", sort=False)["share_detected"].max().reindex(data.values.columns)
    tested = [str(name) for name, share in seen.items() if verdict_of(share) != "below detection"]
    found, fit = rna_tables.compared(data, layout, tested)
    settings = {
        "group": group, "control": control, "case": data.case, "donor": donor, "design": design, "kind": kind,
        "scale": scale, "features": len(seen), "target": targets, "sample": sample, "depth": depth,
        "min_reads": min_reads,
        "background": background, "level": LEVEL, **rna_tables.SETTINGS,
        "n_case": int(data.is_case.sum()), "n_control": int((~data.is_case).sum()), "n_tested": len(tested),
        "df_prior": None, "s2_prior": None, "size_factor_type": None, "problem": None,
        "correction": "Holm" if targets else "Benjamini-Hochberg", **fit,
    }  # fmt: skip
    rows = rna_tables.judged(found, detection, targets)
    samples = rna_tables.samples(data, measured, settings.pop("size_factors", None))
    tables = {"features": rows, "detection": detection, "samples": samples}
    reported = rna_words.reported(rows, targets, SHOWN)
    tables["values"] = rna_tables.drawn(data, samples, reported[:4] or list(rows["feature"][:4]))
    notes = [*data.notes, *_notes(layout, background, settings)]
    findings = rna_words.findings(tables, settings, reported, _reads(data, layout))
    return ExpressionResult("expression", _method(layout, settings, background), settings, tuple(findings), tables,
                            tuple(notes))  # fmt: skip


def _targets(data: panel.Panel, target: str | Sequence[str] | None, where: str) -> list[str]:
    names = [target] if isinstance(target, str) else list(dict.fromkeys(target or []))
    there = list(data.values.columns)
    faults = [
        Fault(f"{where}: target", f"'{name}'", f"one of the RNAs: {likely(name, there)}")
        for name in names
        if name not in there
    ]
    if faults:
        raise InvalidInput(faults)
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
        measured=f"had {settings['min_reads']:g} reads or more" if counts else above, model=model,
        targets="; RNAs named in advance were corrected among themselves by Holm's" if settings["target"] else "",
    )  # fmt: skip

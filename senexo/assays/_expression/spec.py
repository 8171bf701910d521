"""Options, tables and findings of `expression`."""

from __future__ import annotations

from senexo.assays import fields as f
from senexo.assays.spec import Answer, Field, Option, Spec, Table

_FEATURE = Field("feature", "the RNA")

SPEC = Spec(
    name="expression",
    title="Which RNAs differ between two groups of samples (LSC and HSC, patients and controls): detection first.",
    answers="which RNAs differ between groups (counts or intensities)?",
    reads="one row per sample",
    row="One row per sample, one column per RNA, and a column that says which group the sample is of.",
    options=(
        Option("group", "column", "which group a sample is of", needed=True,
               more="rows of other groups are left out, and counted"),
        Option("control", "name", "the group that folds refer to", needed=True),
        Option("case", "name", "the other group, where there are more than two"),
        Option("donor", "column", "who a sample is from",
               more="several samples of one donor and group are summed (intensities: averaged)"),
        f.design("unpaired", "are both groups of the same donors?"),
        Option("kind", "name", "what the numbers are", default="counts", choices=("counts", "rpm", "intensities"),
               more="`counts`: whole reads; `rpm`: reads per million of a whole panel; `intensities`: empty where "
               "nothing was measured"),
        Option("scale", "name", "of intensities", default="log2", choices=("log2", "linear")),
        Option("features", "columns", "the columns that are RNAs, by name or pattern (hsa-*)",
               default="all that hold numbers",
               more="name them where a joined table brings other numbers, such as ages"),
        Option("target", "names", "RNAs named in advance, corrected among themselves",
               more="each gets a sentence, and is corrected (Holm) among the targets alone"),
        Option("sample", "column", "the name of each sample", more="once each"),
        Option("depth", "column", "all reads of a sample, where the table holds too few RNAs to tell"),
        f.min_reads(),
        Option("background", "number", "intensity up to which an RNA does not count as measured",
               more="on the scale of the table"),
    ),
    tables=(
        Table("features", "every RNA, smallest p first", (
            _FEATURE, Field("detection", "`detected` in both groups, in neither, or partly"),
            Field("target", "whether it was named in advance"),
            Field("mean_case", "mean of the cases", "size-corrected reads, or log2 intensity"),
            Field("mean_control", "mean of the controls", "size-corrected reads, or log2 intensity"),
            Field("fold", "fold change"), f.LOW, f.HIGH, Field("log2_fold", "its logarithm", "log2"),
            Field("log2_low", "lower end of its 95 % interval", "log2"),
            Field("log2_high", "upper end of its 95 % interval", "log2"),
            Field("statistic", "t or Wald statistic"), Field("df", "its degrees of freedom"), f.P_VALUE,
            Field("p_bh", "false discovery rate (Benjamini-Hochberg) among the tested RNAs"),
            Field("p_holm", "p-value after Holm's correction among the targets"),
            Field("p_wald", "of counts: DESeq2's own p-value, of a normal reference"), f.VERDICT,
        )),
        Table("detection", "how often each RNA was measured in each group", (
            _FEATURE, f.GROUP, Field("n", "samples"), Field("n_zero", "samples without a read or a value"),
            Field("n_detected", "samples in which it counts as measured"),
            Field("share_detected", "their share", "share"), f.VERDICT,
        )),
        Table("samples", "the samples, one row per donor and group", (
            f.DONOR, f.GROUP, Field("depth", "all reads", "reads"),
            Field("size_factor", "depth relative to the others"), Field("n_measured", "RNAs measured"),
        )),
        Table("values", "the values of the RNAs that are drawn", (
            _FEATURE, f.DONOR, f.GROUP, Field("value", "size-corrected reads, or log2 intensity"),
        )),
    ),
    settings=(
        Field("features", "number of RNAs"), f.LEVEL, Field("small_fold", "fold change up to which an effect is small"),
        Field("large_fold", "fold change from which an effect is large"), Field("n_case", "samples of the cases"),
        Field("n_control", "samples of the controls"), Field("n_tested", "RNAs tested"),
        Field("df_prior", "degrees of freedom borrowed from the other RNAs"),
        Field("s2_prior", "variance borrowed from the other RNAs", "log2^2"),
        Field("size_factor_type", "`ratio` or `poscounts`, as DESeq2 calls them"),
        Field("problem", "why nothing could be tested"), Field("correction", "which correction the findings carry"),
    ),
    findings=(
        Answer("detection", "share of RNAs below detection", "comes first: how many RNAs were measured"),
        Answer("detection:TARGET", "share of samples below detection", "was this RNA measured?"),
        Answer("screen:CASE:CONTROL", "share of tested RNAs", "how many differ at a false discovery rate of 5 %"),
        Answer("fold:RNA:CASE:CONTROL", "fold", "the fold change of a target; without targets of the first ten RNAs "
               "that differ, with the p-value of Benjamini-Hochberg"),
    ),
    verdicts={
        "large, moderate, small": "below 1.5-fold small, from 4-fold large",
        "below detection: not testable": "below detection in both groups",
    },
    example={
        "group": "cell", "control": "HSC", "donor": "donor", "design": "paired", "target": ["miR-34a-5p", "miR-34c-5p"],
    },
)  # fmt: skip

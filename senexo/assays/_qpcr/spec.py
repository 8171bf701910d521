"""Columns, options, tables and findings of `qpcr`."""

from __future__ import annotations

from senexo.assays import fields as f
from senexo.assays.spec import Answer, Field, Input, Key, Option, Request, Spec, Table
from senexo.base.units import SHARE

UNDETECTED = ("undetected", "undetermined", "not detected", "n.d.", "nd", "no ct", "no cq", "no signal")
_TARGET = Field("target", "the RNA")

SPEC = Spec(
    name="qpcr",
    title="Threshold cycles: was it detected, and the fold change against a control arm (ddCt, by donor).",
    answers="was an RNA detected, and how did it change?",
    reads="one row per well",
    row="One row for each arm, donor, time, target and replicate.",
    columns=(
        f.IN_ARM,
        f.IN_DONOR,
        Input("target", "text", "the RNA of this well, reference RNAs included"),
        Input("ct", "number",
              f"threshold cycle, 1 to 60, or {', '.join(f'`{word}`' for word in UNDETECTED)} where nothing was "
              "detected; empty (or `NA`) where the well has no reading", unit="cycles", may_be_empty=True, low=1,
              high=60, empty_words=UNDETECTED),
        Input("replicate", "text", "technical replicate", when="where there are several"),
        f.in_time(),
        Input("detected", "flag",
              "true or false; a Ct in a well that is not detected is ignored, an empty one is undetected",
              when="optional"),
        Input("family", "text", "lets `arms` name several arms at once", when="optional", may_be_empty=True),
        Input("quantity", "number",
              "relative input of the wells of a dilution series, 0 in no-template controls; these wells need no arm "
              "and no donor", when="optional", may_be_empty=True, low=0),
    ),
    key=("arm", "donor", "time_h", "target", "replicate"),
    options=(
        Option("target", "name", "the RNA that is measured, as column target names it", needed=True),
        Option("reference", "names", "the reference RNAs it is measured against", needed=True,
               more="one or several, whose mean Ct of the same sample is subtracted"),
        Option("control", "name", "the arm that fold changes refer to", needed=True),
        Option("arms", "names", "the arms or families to compare", default="all others"),
        f.design(),
        Option("time_h", "numbers", "the times to judge, in hours", default="the last"),
        Option("cutoff", "number", "the Ct beyond which a well counts as undetected", default="40",
               more="where one molecule comes up earlier, its Ct is the better cut-off"),
        Option("undetected", "name", "further words of column ct that mean undetected", metavar="WORD|WORD",
               more="`empty` stands for empty cells and `NA`, which otherwise are wells without a reading, left out "
               "and counted; `0`, where an instrument writes that"),
        Option("efficiency", "factors", "of amplification, 1 is doubling; for all RNAs or for one",
               default="as the table's dilution series says, else 1"),
        Option("min_detected", "number", "share of wells an arm must have detected to be tested", default="0.5"),
    ),
    tables=(
        Table("fold_changes", "the fold change of every arm and time", (
            _TARGET, f.ARM, f.CONTROL, f.TIME, f.N_DONORS, f.N_DONORS_CONTROL,
            Field("n_censored", "samples below detection"), Field("fold", "fold change, 2^-ddct"), f.LOW, f.HIGH,
            Field("ddct", "mean difference of dCt to the control", "log2"), *f.interval("ddct", "log2"), f.P_VALUE,
            f.P_HOLM, Field("n_detected", "donors of the arm with a detected sample"),
            Field("n_detected_control", "donors of the control with a detected sample"),
            Field("n_only_arm", "paired: donors detected in the arm alone"),
            Field("n_only_control", "paired: donors detected in the control alone"),
            Field("p_detection", "exact McNemar test of detection, unpaired Fisher's; uncorrected"), f.VERDICT,
        )),
        Table("detection", "how often each RNA was detected", (
            _TARGET, f.ARM, f.TIME, Field("n_wells", "wells"), Field("n_undetected", "wells without a Ct"),
            Field("share_undetected", "their share", "share"), Field("n_donors", "donors"),
            Field("n_donors_detected", "donors with a detected well"),
            Field("median_ct", "median Ct of the detected wells", "cycles"), f.VERDICT,
        )),
        Table("dct", "the dCt of every sample", (
            f.ARM, f.TIME, f.DONOR, Field("dct", "Ct less the mean of the references, efficiency included", "log2"),
            Field("censored", "whether no well was detected; then dct is that of the cut-off, the true one is higher"),
        )),
        Table("replicates", "the technical replicates of every sample and RNA", (
            f.ARM, f.TIME, f.DONOR, _TARGET, Field("n_wells", "wells"), Field("n_detected", "wells with a Ct"),
            Field("mean_ct", "mean Ct", "cycles"), Field("sd_ct", "standard deviation of the Ct", "cycles"),
            Field("spread", "largest less smallest Ct", "cycles"),
            Field("outlying", "whether they spread more than those of other samples; none is left out for it"),
        )),
        Table("stability", "the stability of several reference RNAs", (
            _TARGET, Field("m", "geNorm's M, unstable above 1", "log2"), Field("n_samples", "samples"),
        )),
        Table("efficiency", "the amplification efficiency of every RNA", (
            _TARGET, Field("efficiency", "gain per cycle, 1 is doubling"),
            Field("source", "`dilution series`, `given` or `assumed`"), f.LOW, f.HIGH,
            Field("slope", "of the dilution series", "cycles per tenfold input"),
            Field("intercept", "Ct at a quantity of 1", "cycles"), Field("r_squared", "of the line"),
            Field("n_dilutions", "dilutions used"), Field("n_wells", "their wells"),
        )),
    ),
    settings=(
        f.LEVEL, Field("small_fold", "fold change up to which an effect is small"),
        Field("large_fold", "fold change from which an effect is large"),
        Field("timed", "whether the table has times"),
    ),
    findings=(
        Answer("detection:TARGET", "share of wells undetected", "comes first: was the RNA detected?"),
        Answer("fold:TARGET:ARM:CONTROL", "fold", "the fold change, with the time at the end where there is one"),
    ),
    verdicts={
        "large, moderate, small": "below 1.5-fold small, from 4-fold large",
        "detected, partly below detection, below detection": "the report that precedes every answer: all arms "
        "have enough detected wells, some, or none",
    },
    example={"target": "miR-34c-5p", "reference": ["U6", "RNU48"], "control": "mock"},
    request=Request(
        title="{target} by qPCR",
        keys=(
            Key("target", "RNA", "the read-out that is measured", needed=True),
            Key("reference", "RNAs", "the reference RNA, or several", needed=True),
            Key("control", "arm", "the arm that fold changes refer to", needed=True),
            Key("arms", "arms", "the arms or families to compare", default_says="all others"),
            Key("time", "times", "one or several times of the read-outs", default_says="the last"),
            Key("min_detected", "quantity", "share of wells an arm must have detected to be tested",
                default_says="50 %", quantity=SHARE),
        ),
        tables=("qpcr",),
    ),
)  # fmt: skip

"""Columns, options, tables and findings of `particles`."""

from __future__ import annotations

from senexo.assays import fields as f
from senexo.assays.spec import Answer, Field, Input, Key, Option, Request, Spec, Table
from senexo.base.units import Kind

RATE = "particles per cell and hour"
PER_ML = "particles per mL"
DENSITY = Kind("dimensionless", "cells per mL above 0, e.g. 1e6", low=1.0, high=1e12, bare=True)
CV = Kind("dimensionless", 'a coefficient of variation from 0 to 1, e.g. "10 %"', high=1.0, bare=True)

SPEC = Spec(
    name="particles",
    title="Nanoparticle tracking: particles per cell and hour, less the blank, and ratios between arms by donor.",
    answers="how many particles per cell and hour (nanoparticle tracking)?",
    reads="one row per measurement",
    row="One row for each arm, donor, replicate and batch.",
    columns=(
        Input("arm", "text", "what was done to the cells; the blank is an arm too"),
        Input("donor", "text", "who the cells are from; empty for the blank", may_be_empty=True),
        Input("particles_per_ml", "number", "concentration as read, that is of the diluted sample", unit=PER_ML, low=0),
        Input("dilution", "number", "factor, 20 for 1:20, 1 for none; the blank has its own", low=1),
        Input("volume_ml", "number", "conditioned medium on the cells; empty for the blank", unit="mL",
              may_be_empty=True, low=0),
        Input("n_cells", "number", "cells in that volume at its end; empty for the blank", may_be_empty=True, low=0),
        Input("hours", "number", "how long the medium was on the cells; empty for the blank", unit="h",
              may_be_empty=True, low=0),
        Input("particles_per_frame", "number", "mean particles in view", when="instead of particles_per_ml", low=0),
        Input("frame_volume_nl", "number", "volume in view", when="instead of particles_per_ml", unit="nL", low=0),
        Input("replicate", "text", "readings or runs of a sample, averaged", when="where there are several",
              may_be_empty=True),
        Input("batch", "text", "samples that share a blank, such as a day or a donor", when="where there are several"),
        Input("n_cells_start", "number",
              "cells at the start: then their mean over time counts, with exponential growth", when="optional",
              may_be_empty=True, low=0),
    ),
    key=("arm", "donor", "replicate", "batch"),
    options=(
        f.compare(),
        Option("blank", "name", "the arm that is medium without cells",
               more="treated alike; without it nothing is subtracted, and a note says so"),
        f.design(),
    ),
    tables=(
        Table("ratios", "the ratio of rates for every pair of arms", (
            f.ARM, f.CONTROL, f.N_DONORS, f.N_DONORS_CONTROL, Field("n_below", "donors of the arm below the blank"),
            Field("n_below_control", "donors of the control below the blank"),
            Field("ratio", "ratio of the geometric mean rates"), f.LOW, f.HIGH, f.P_VALUE, f.P_HOLM,
            Field("ratio_mixed", "ratio by the mixed model of all arms"),
            Field("low_mixed", "lower end of its interval"), Field("high_mixed", "upper end of its interval"),
            Field("df_mixed", "its degrees of freedom (Satterthwaite)"), Field("p_mixed", "its p-value, uncorrected"),
            f.VERDICT,
        )),
        Table("rates", "the rate of every arm", (
            f.ARM, Field("n_donors", "donors of the arm"), Field("n_below", "donors below the blank"),
            Field("rate", "geometric mean of donors", RATE), f.LOW, f.HIGH, f.VERDICT,
        )),
        Table("samples", "the rate of every donor", (
            f.ARM, f.DONOR, Field("batch", "the batch"), Field("n_readings", "readings averaged"),
            Field("medium", "particles in the medium, undiluted", PER_ML),
            Field("blank", "mean of the blank, undiluted", PER_ML),
            Field("limit", "limit of the blank: its one-sided 95 % prediction limit", PER_ML),
            Field("below", "whether the sample lies below that limit"),
            Field("rate", "rate; below the blank that of the limit", RATE),
            Field("by_blank", "relative error of the rate by one standard error of the blank"),
        )),
        Table("blanks", "the blank of every batch", (
            Field("batch", "the batch"), Field("n_readings", "readings"), Field("mean", "mean", PER_ML),
            Field("sd", "standard deviation of one reading", PER_ML), Field("df", "its degrees of freedom"),
        )),
    ),
    settings=(
        f.LEVEL, Field("small_ratio", "ratio up to which an effect is small"),
        Field("large_ratio", "ratio from which an effect is large"),
        Field("donor_sd", "standard deviation between donors in the mixed model", "log"),
        Field("residual_sd", "residual standard deviation of the mixed model", "log"),
    ),
    findings=(
        Answer("blank", "share of samples below blank", "comes first: were the samples above the blank?"),
        Answer("ratio:ARM:CONTROL", "ratio", "the ratio of rates"),
        Answer("rate:ARM", RATE, "the rate, where nothing was compared"),
    ),
    verdicts={
        "large, moderate, small": "below 1.25-fold small, from 2-fold large",
        "below blank: not testable": "fewer than half of the donors of an arm lie above the limit of the blank",
        "above blank, partly below blank, below blank": "the report that precedes every answer",
    },
    example={"blank": "medium", "compare": [("RAB27B knock-down", "control"), ("GW4869", "control")]},
    request=Request(
        title="Particles",
        keys=(
            Key("what", "species of the media", "species of the media that are particles", needed=True),
            f.pairs(),
            f.time("the last"),
            Key("cells_per_ml", "quantity", "cells plated per mL of medium", default=1e6, default_says="1e6",
                quantity=DENSITY),
            Key("reading_cv", "quantity", "coefficient of variation of a reading", default=0.1, default_says="10 %",
                quantity=CV),
        ),
        tables=("counts",),
        needs=("a shared medium",),
    ),
)  # fmt: skip

"""Columns, options, tables and findings of `fates`."""

from __future__ import annotations

from senexo.assays import fields as f
from senexo.assays.spec import Answer, Field, Input, Key, Option, Request, Spec, Table

_FATE = Field("fate", "the fate")
_INCIDENCE = Field("incidence", "cumulative incidence by the time judged", "share")

SPEC = Spec(
    name="fates",
    title="Fates of followed cells (time-lapse): which share divides, dies, commits by a time (competing risks).",
    answers="which share of followed cells divides, dies, commits (competing risks)?",
    reads="one row per cell",
    row="One row per cell.",
    columns=(
        f.IN_ARM,
        Input("donor", "text", "who the cells are from"),
        Input("cell", "text", "a name of each followed cell, its own within arm and donor"),
        Input("time_h", "number", "hour of the fate, or when the cell was last seen", unit="h", low=0),
        Input("fate", "text", "what happened, or `censored`"),
        Input("entry_h", "number", "hour from which the cell was followed; 0 without this column",
              when="where cells are followed late", unit="h", low=0),
    ),
    key=("arm", "donor", "cell"),
    options=(
        f.compare(),
        Option("cause", "names", "the fates reported and compared", default="all",
               more="the others still count as competing risks"),
        Option("time_h", "number", "the time judged, in hours", default="the last that all donors reach"),
        Option("censored", "name", "the word for a fate that was not observed", default="censored"),
        f.design(),
    ),
    tables=(
        Table("differences", "the difference of incidences for every pair of arms and fate", (
            f.ARM, f.CONTROL, _FATE, f.N_DONORS, f.N_DONORS_CONTROL, _INCIDENCE,
            Field("incidence_control", "the same of the control", "share"),
            Field("difference", "incidence less that of the control", "share"), f.LOW, f.HIGH, f.P_VALUE, f.P_HOLM,
            Field("p_log_rank", "p-value of the cause-specific log-rank scores over the whole time, uncorrected"),
            f.VERDICT,
        )),
        Table("fractions", "the incidence of every arm and fate", (
            f.ARM, _FATE, Field("n_donors", "donors of the arm, each as long as followed"),
            Field("n_cells", "their cells"),
            Field("incidence", "cumulative incidence, mean of donors", "share"), f.LOW, f.HIGH,
        )),
        Table("donors", "the incidence of every donor; empty where it was not followed so long", (
            f.ARM, f.DONOR, _FATE, Field("n_cells", "cells followed"),
            Field("n_events", "cells with this fate by the time judged"), _INCIDENCE,
            Field("std_error", "standard error of the incidence, by the infinitesimal jackknife", "share"),
        )),
        Table("curves", "the incidence over time of the cells of each donor", (
            f.ARM, f.DONOR, _FATE, Field("time_h", "time of an event", "h"),
            Field("n_at_risk", "cells followed and without a fate just before"),
            Field("n_events", "cells with this fate then"), Field("incidence", "cumulative incidence", "share"),
            Field("std_error", "its standard error", "share"), f.LOW, f.HIGH,
        )),
    ),
    settings=(
        f.LEVEL, Field("small_difference", "difference below which an effect is small", "share"),
        Field("large_difference", "difference from which an effect is large", "share"),
    ),
    findings=(
        Answer("difference:FATE:ARM:CONTROL", "share", "the difference of incidences"),
        Answer("incidence:FATE:ARM", "share", "the incidence, where nothing was compared"),
    ),
    verdicts={"large, moderate, small": "below 5 points small, from 20 points large"},
    example={"compare": [("mimic", "scrambled")]},
    request=Request(
        title="Fates of cells",
        keys=(
            f.pairs(),
            Key("cell_type", "cell type", "the cells that are followed", default_says="all"),
            Key("cause", "names", "the fates reported", default_says="all"),
            f.time("the end"),
        ),
        tables=("fates", "lineage", "counts"),
        needs=("a shared medium",),
    ),
)  # fmt: skip

"""Columns, options, tables and findings of `colonies`."""

from __future__ import annotations

from senexo.assays import fields as f
from senexo.assays.spec import Answer, Field, Input, Key, Request, Spec, Table

DISPERSION = "variance over that of counting, 1 where counting alone explains it"

SPEC = Spec(
    name="colonies",
    title="Colonies per cell plated: plating efficiency of arms, and surviving fractions against a control, by donor.",
    answers="plating efficiency and surviving fraction",
    reads="one row per dish",
    row="One row for each arm, donor and replicate.",
    columns=(
        f.IN_ARM,
        Input("donor", "text", "who the cells are from"),
        Input("colonies", "whole", "colonies counted, 0 included", low=0),
        Input("cells_plated", "number", "cells put on that dish", unit="cells", low=1),
        Input("replicate", "text", "dishes of a donor and arm", when="where there are several", may_be_empty=True),
    ),
    key=("arm", "donor", "replicate"),
    options=(f.compare("two arms of the same donors to compare, the control second"),),
    tables=(
        Table("fractions", "the surviving fraction of every pair of arms", (
            f.ARM, f.CONTROL, Field("n_donors", "donors in both arms"),
            Field("n_colonies", "colonies of the arm"), Field("n_colonies_control", "colonies of the control"),
            Field("ratio", "surviving fraction: plating efficiency over that of the control"), f.LOW, f.HIGH,
            f.P_VALUE, f.P_HOLM, Field("dispersion", f"between donors: {DISPERSION}"),
            Field("low_exact", "lower end of the exact interval of counting alone"),
            Field("high_exact", "upper end of the exact interval of counting alone"),
            Field("p_exact", "exact p-value of counting alone"),
            Field("ratio_nb", "ratio by the negative binomial model of single dishes"),
            Field("low_nb", "lower end of its interval"), Field("high_nb", "upper end of its interval"),
            Field("p_nb", "its p-value"), Field("theta_nb", "its size parameter (variance = mean + mean^2 / theta)"),
            f.VERDICT,
        )),
        Table("efficiencies", "the plating efficiency of every arm", (
            f.ARM, Field("n_donors", "donors of the arm"), Field("n_colonies", "colonies of the arm"),
            Field("efficiency", "mean over donors", "colonies per cell"), f.LOW, f.HIGH,
        )),
        Table("samples", "the dishes of each arm and donor together", (
            f.ARM, f.DONOR, Field("n_dishes", "dishes"), Field("colonies", "colonies of all its dishes"),
            Field("cells_plated", "cells plated on all its dishes", "cells"),
            Field("efficiency", "plating efficiency", "colonies per cell"),
        )),
        Table("dishes", "the scatter of dishes within donors", (
            f.ARM, Field("n_dishes", "dishes of donors with several"), Field("dispersion", DISPERSION),
            Field("p_value", "of the hypothesis that counting alone explains it"),
        )),
    ),
    settings=(
        f.LEVEL, Field("small_ratio", "ratio up to which an effect is small"),
        Field("large_ratio", "ratio from which an effect is large"),
    ),
    findings=(
        Answer("ratio:ARM:CONTROL", "ratio", "the surviving fraction"),
        Answer("efficiency:ARM", "colonies per cell", "the plating efficiency, where nothing was compared"),
    ),
    verdicts={"large, moderate, small": "below 1.25-fold small, from 2-fold large"},
    example={"compare": [("mimic", "scrambled")]},
    request=Request(
        title="Colonies",
        keys=(
            f.pairs(needed=True),
            Key("cell_type", "cell type", "which founders count", default_says="all"),
            Key("min_colony_size", "whole number", "living descendants that make a colony", default=50,
                default_says="50", limits=(2, 1_000_000), was=("least",)),
        ),
        tables=("lineage", "counts"),
        needs=("a shared medium",),
    ),
)  # fmt: skip

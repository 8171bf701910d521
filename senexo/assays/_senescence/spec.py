"""Columns, options, tables and findings of `senescence`."""

from __future__ import annotations

from senexo.assays import fields as f
from senexo.assays.spec import Answer, Field, Input, Key, Option, Request, Spec, Table

_READOUT, _FAMILY = Field("readout", "what was counted, short name"), Field("family", "arms that differ in dose alone")
_DOSE = "active copies per cell"
_SENTENCE = Field("sentence", "the sentence of the finding")

SPEC = Spec(
    name="senescence",
    title="Counts of positive cells (SA-beta-gal, or any other yes or no): shares, differences, dose-response.",
    answers="which share of cells is positive, what changes it, at which dose?",
    reads="one row per well or field",
    row="One row for each arm, donor, replicate, field and time.",
    columns=(
        Input("arm", "text", "what was done to the well"),
        f.IN_DONOR,
        Input("n_positive", "whole", "positive cells counted", low=0),
        Input("n_total", "whole", "cells counted; wells with 0 are left out, and that is noted", low=0),
        Input("replicate", "text", "wells of a donor and arm", when="where there are several"),
        Input("field", "text", "fields of a well", when="where there are several"),
        f.in_time(),
        Input("family", "text", "name that arms share which differ in dose alone", when="for a ladder of doses",
              may_be_empty=True),
        Input("dose_copies", "number", "dose; empty for controls", when="for a ladder of doses", unit=_DOSE,
              may_be_empty=True, low=0),
    ),
    key=("arm", "donor", "replicate", "field", "time_h"),
    options=(
        f.compare("two arms or families to compare, the control second"),
        f.design(),
        Option("washout", "pairs", "an arm washed out and the arm kept: what share of the effect remains",
               more="may be repeated"),
        Option("control", "name", "with --washout: the arm that is the background of both",
               more="without it the background is 0"),
        Option("time_h", "number", "the time to judge, in hours", default="the last"),
        Option("washout_h", "number", "with --washout: the time of the kept arm", default="as --time-h"),
        Option("reference", "name", "the family whose EC50 divides the EC50s of the others"),
        Option("readout", "name", "a short name of what was counted", default="senescent"),
        Option("label", "name", "what was counted, for the figure", default="SA-β-gal positive cells"),
    ),
    tables=(
        Table("shares", "the share of positive cells of every arm and time", (
            f.ARM, _FAMILY, Field("dose_copies", "dose", _DOSE), f.TIME, Field("n_donors", "donors of the arm"),
            Field("n_positive", "positive cells of all donors"), Field("n_total", "cells of all donors"),
            Field("share", "mean over donors", "share"), f.LOW, f.HIGH,
        )),
        Table("differences", "the difference of shares for every pair of arms", (
            f.ARM, f.CONTROL, f.N_DONORS, f.N_DONORS_CONTROL, Field("share", "mean over donors", "share"),
            Field("share_control", "the same of the control", "share"),
            Field("difference", "share less that of the control", "share"), f.LOW, f.HIGH, f.P_VALUE, f.P_HOLM,
            Field("p_sign_flip", "exact permutation test of the same differences, uncorrected"),
            Field("odds_ratio", "odds ratio of positive cells"), *f.interval("odds_ratio"),
            Field("p_odds_ratio", "its p-value, uncorrected"), f.VERDICT,
        )),
        Table("washouts", "what remains of an effect after wash-out", (
            Field("washed", "the arm washed out"), Field("kept", "the arm kept"),
            Field("control", "the arm of the background"), f.TIME, Field("kept_time_h", "time of the kept arm", "h"),
            Field("n_donors", "donors in all of these arms"), Field("share_washed", "share of the washed arm", "share"),
            Field("share_kept", "share of the kept arm", "share"),
            Field("share_control", "share of the background at time_h", "share"),
            Field("share_control_kept", "share of the background at kept_time_h", "share"),
            Field("remaining", "share of the effect that remains", "share"), f.LOW, f.HIGH,
            Field("p_value", "of the hypothesis that all of it remains"), f.P_HOLM,
            Field("p_effect", "of the hypothesis that the kept arm has no effect"), f.VERDICT,
        )),
        Table("ec50", "the dose-response of every family with three doses or more", (
            _READOUT, _FAMILY, Field("estimate", "EC50, geometric median over donors", _DOSE), f.LOW, f.HIGH,
            Field("reached", "donors that reach half effect, of all, in words"),
            Field("n_reached", "donors that reach half effect within the ladder"),
            Field("n_above", "donors that do not reach it at the highest dose"),
            Field("n_below", "donors beyond it at the lowest dose already"), Field("n_donors", "donors"),
            Field("bottom", "share without effect", "share"), Field("top", "share at full effect", "share"),
            Field("plateau_shown", "whether a plateau at full effect was observed"),
            Field("half_level", "share at half effect", "share"), Field("lowest_dose", "lowest dose", _DOSE),
            Field("highest_dose", "highest dose", _DOSE),
            Field("slope", "rise of the share per tenfold dose, mean of donors", "share"),
            *f.interval("slope", "share"), Field("p_value", "of the trend with dose"), f.P_HOLM, f.VERDICT, _SENTENCE,
        )),
        Table("ec50_ratios", "the EC50 of every family over that of the reference", (
            _READOUT, _FAMILY, Field("reference", "the family of reference"), Field("ratio", "ratio of the EC50s"),
            f.LOW, f.HIGH, Field("n_donors", "donors with both"), f.P_VALUE, f.P_HOLM, f.VERDICT, _SENTENCE,
        )),
        Table("donor_ec50", "the EC50 of every donor", (
            _READOUT, _FAMILY, f.DONOR,
            Field("ec50", "dose at which the donor's curve crosses half effect; beyond the ladder its end", _DOSE),
            Field("crossed", "`within`, `above the ladder` or `below the ladder`"),
        )),
        Table("curves", "the curve through the mean of donors, for drawing", (
            _READOUT, _FAMILY, Field("bottom", "share at dose 0", "share"),
            Field("top", "share at an infinite dose", "share"),
            Field("ec50", "dose at which the mean of donors is half-way; not the typical donor's", _DOSE),
            Field("hill", "Hill's coefficient"),
        )),
        Table("fields", "the scatter of wells and fields within donors", (
            f.ARM, Field("n_donors", "donors"), Field("n_fields", "wells or fields"),
            Field("dispersion", "variance within donors over that of counting; 1 where cells are independent"),
            Field("p_value", "of the hypothesis that counting alone explains it"),
        )),
    ),
    settings=(
        Field("title", "label and time, as sentences begin"), f.LEVEL,
        Field("gone", "share of the effect up to which it counts as reversible", "share"),
        Field("held", "share of the effect from which it counts as held", "share"),
        Field("small_difference", "difference below which an effect is small", "share"),
        Field("large_difference", "difference from which an effect is large", "share"),
        Field("small_ratio", "ratio of EC50s up to which a difference is small"),
        Field("large_ratio", "ratio of EC50s from which a difference is large"),
    ),
    findings=(
        Answer("READOUT:difference:ARM:CONTROL", "share", "the difference of shares"),
        Answer("READOUT:washout:WASHED:KEPT", "share of the effect that remains", "what remains after wash-out"),
        Answer("READOUT:ec50:FAMILY", "copies", "the EC50"),
        Answer("READOUT:ec50_ratio:FAMILY:REFERENCE", "ratio", "the ratio of EC50s"),
        Answer("READOUT:share:ARM", "share", "the share, where nothing was compared"),
    ),
    verdicts={
        "large, moderate, small": "shares: below 5 points small, from 20 large; EC50 ratios: below 1.5-fold "
        "small, from 4-fold large",
        "held": "at least 80 % of the effect remains after wash-out (lower end of the interval)",
        "reversible": "at most 20 % of it remains (upper end)",
        "partly reversible": "a loss is shown, but neither of these",
        "estimated": "an EC50 inside the ladder; a share",
        "beyond the ladder": "the EC50 is extrapolated beyond the doses given",
        "not reached": "a dose-response, but fewer than two donors reach half effect",
        "no dose response shown": "no rise with dose",
    },
    example={
        "compare": [("mimic 3000", "scrambled")], "washout": [("mimic 3000 washed out", "mimic 3000")],
        "control": "scrambled", "reference": "mimic",
    },
    request=Request(
        title="{label}",
        keys=(
            Key("compare", "pairs of arms or families",
                "a pair (arm, control) or a list of pairs; families are compared dose by dose"),
            f.time("the last"),
            Key("reference", "family", "the family whose EC50 divides the EC50s of the others", default_says="none"),
        ),
        tables=("senescence",),
    ),
)  # fmt: skip

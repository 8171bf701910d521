"""Options, tables and findings of `survival`."""

from __future__ import annotations

from senexo.assays import fields as f
from senexo.assays.spec import Answer, Field, Key, Option, Request, Spec, Table

_MODEL = Field("model", "`alone`, `stratified` or `adjusted`")
_ESTIMAND = Field("estimand", "what was held constant: unadjusted, stratified by ..., adjusted for ...")
_OUTCOME = Field("outcome", "the kind of event, by its column or word")
_N, _EVENTS = Field("n", "patients"), Field("n_events", "events")
_UNIT = "of the times"
_RATIOS = (
    f.VALUE, _MODEL, _ESTIMAND, _OUTCOME, Field("term", "the term of the model"),
    Field("role", "`asked` or `adjusted for`"), _N, _EVENTS, Field("hazard_ratio", "for one unit of the term"), f.LOW,
    f.HIGH, Field("coefficient", "log hazard ratio", "log"), Field("std_error", "its standard error", "log"),
    Field("p_value", "Wald's p-value, uncorrected"), f.P_HOLM, f.P_BH, Field("sd", "standard deviation of the term"),
    Field("hazard_ratio_sd", "hazard ratio for one standard deviation of the term"),
    Field("low_sd", "lower end of its 95 % interval"), Field("high_sd", "upper end of its 95 % interval"),
)  # fmt: skip
_COMPETING = "with competing events"

SPEC = Spec(
    name="survival",
    title="Survival of patients or mice: Kaplan-Meier, log-rank, Cox alone and adjusted, restricted mean survival.",
    answers="do groups or levels differ in survival? Kaplan-Meier, log-rank, Cox, cut-points",
    reads="one row per patient",
    row="One row per patient: a time, whether the event occurred, and the groups or levels to compare. With neither a "
    "group nor a value the answer is the survival of all.",
    options=(
        Option("time", "column", "follow-up times, above 0", needed=True,
               more="rows with time 0 are left out and counted"),
        Option("event", "name", "did the event occur: yes or no, or COLUMN=VALUE", needed=True,
               metavar="COLUMN[=VALUE]", more="1, true, yes; 0, false, no where follow-up ended; or COLUMN=VALUE of "
               "one or several words (VALUE\\|VALUE). Words that differ by case, blanks or punctuation are "
               "one; a note says what all others were taken for"),
        Option("group", "column", "the groups to compare", more="at most 12"),
        Option("control", "name", "the group that ratios refer to", default="the first by name or number"),
        *f.levels("survival", "`median`, a number, or `optimal`: the level becomes low (up to it) and high. Without it "
                  "the hazard ratio is for each unit, and a figure is split at the median for the eye alone",
                  "median|optimal|NUMBER"),
        Option("strata", "columns", "columns whose groups have hazards of their own",
               more="the log-rank test is then stratified too, and curves, medians and restricted means are "
               "standardised to the strata; the unadjusted hazard ratio stands beside"),
        f.EXCLUDE,
        Option("until", "number", "the time to which mean survival is restricted",
               default="the longest that all groups were followed", more="at most that"),
        Option("at", "numbers", "times at which survival is given, such as 24,60",
               more="in the unit of the times; with log-log intervals, and each group compared with the control"),
        Option("order", "names", "all groups in the order to show them, the control first", more="a log-rank test for "
               "trend over that order is added"),
        Option("unit", "name", "of the times", default="as the column's name says", more="`days`, `months`, ..."),
        Option("since", "column", "the date from which time runs; `time` is then a column of dates",
               more="and `entry` too; the unit is that of `unit`: `days` (default), `weeks`, `months` (365.25 / 12 "
               "days) or `years`. A date is 2020-04-03, 03.04.2020, or one of the spreadsheet; 03/04/2020 where "
               "another date of the column shows whether the day is first"),
        Option("entry", "column", "when each patient came under observation (left truncation)", more="below the time; "
               "without it all are followed from time 0"),
        Option("competing", "name", "the event that precludes the one asked for", metavar="COLUMN[=VALUE]",
               more="as `event`: cumulative incidences, Gray's test, cause-specific and subdistribution hazard ratios"),
        f.UNKNOWN,
        f.PATIENT,
        f.RNA_KIND,
        f.min_reads(),
    ),
    tables=(
        Table("cox", "hazard ratios of Cox's model; without a question the table `groups` comes first", (
            *_RATIOS, Field("method", "`Efron` (Cox's likelihood) or `Firth`"), Field("problem", "why there is no fit"),
            f.VERDICT,
        )),
        Table("groups", "survival of every group", (
            f.VALUE, f.GROUP, Field("estimand", "of the curve: unadjusted, or standardised to the strata"), _N, _EVENTS,
            Field("n_expected", "events expected by the log-rank test"),
            Field("median", "median survival", _UNIT), *f.interval("median", _UNIT),
            Field("until", "time to which the mean is restricted", _UNIT),
            Field("mean", "restricted mean survival", _UNIT), *f.interval("mean", _UNIT),
            Field("follow_up", "median follow-up (reverse Kaplan-Meier)", _UNIT),
        )),
        Table("logrank", "tests that all groups survive alike", (
            f.VALUE, Field("test", "`log-rank` or `Peto-Peto`"), _ESTIMAND, _OUTCOME,
            Field("chi_square", "the statistic"), Field("degrees_of_freedom", "groups less one"), f.P_VALUE, f.P_HOLM,
            f.P_BH, f.VERDICT,
        )),
        Table("means", "differences of restricted mean survival", (
            f.VALUE, f.GROUP, Field("control", "the group it is compared with"),
            Field("estimand", "of the curves: unadjusted, or standardised to the strata"),
            Field("until", "time to which the means are restricted", _UNIT),
            Field("difference", "mean less that of the control", _UNIT), f.LOW, f.HIGH, f.P_VALUE, f.P_HOLM, f.VERDICT,
        )),
        Table("models", "every fitted model", (
            f.VALUE, _MODEL, _ESTIMAND, _OUTCOME, _N, _EVENTS, Field("method", "`Efron` or `Firth`"),
            Field("log_likelihood", "log partial likelihood"), Field("null_log_likelihood", "the same without terms"),
            Field("chi_square", "likelihood ratio"), Field("degrees_of_freedom", "terms"), f.P_VALUE,
            Field("concordance", "Harrell's C"), *f.interval("concordance"),
            Field("concordance_error", "its standard error"),
        )),
        Table("proportional", "score tests of proportional hazards (Schoenfeld residuals)", (
            f.VALUE, _MODEL, _ESTIMAND, _OUTCOME, Field("term", "the term; `all`: the whole model"),
            Field("chi_square", "the statistic"),
            Field("degrees_of_freedom", "coefficients tested"), f.P_VALUE, f.P_HOLM,
        )),
        Table("cuts", "the cuts of levels", (
            f.VALUE, Field("how", "`median`, `optimal` or the number given"), Field("cut", "low is up to it"),
            Field("n_low", "patients with a low level"), Field("n_high", "patients with a high level"),
            Field("statistic", "of a searched cut: largest standardised log-rank statistic"),
            Field("p_value", "of a searched cut: its p-value, which counts the search"),
        )),
        Table("detection", "was the RNA of a level measured?", f.DETECTION),
        Table("curves", "Kaplan-Meier curves", (
            f.VALUE, f.GROUP, Field("time", "time", _UNIT), Field("n_at_risk", "patients at risk just before"),
            Field("n_events", "events then"), Field("n_censored", "patients censored then"),
            Field("survival", "share alive", "share"), Field("std_error", "standard error of its logarithm", "log"),
            f.LOW, f.HIGH,
        )),
        Table("at_risk", "who is followed at round times", (
            f.VALUE, f.GROUP, Field("time", "time", _UNIT), Field("n_at_risk", "patients at risk"),
            Field("n_events", "events up to then"),
        )),
        Table("subdistribution", "hazard ratios of Fine and Gray's model", (
            *_RATIOS, Field("method", "`Fine-Gray`"), Field("problem", "why there is no fit"), f.VERDICT,
        ), when=_COMPETING),
        Table("incidence", "cumulative incidences of both kinds of event (Aalen-Johansen)", (
            f.VALUE, f.GROUP, _OUTCOME, _N, Field("n_events", "events in the whole follow-up"),
            Field("time", "the time judged", _UNIT), Field("incidence", "cumulative incidence by then", "share"),
            Field("std_error", "its standard error", "share"), f.LOW, f.HIGH,
        ), when=_COMPETING),
        Table("gray", "Gray's tests that groups have one cumulative incidence", (
            f.VALUE, _OUTCOME, _ESTIMAND, Field("chi_square", "the statistic"),
            Field("degrees_of_freedom", "groups less one"), f.P_VALUE, f.P_HOLM, f.P_BH, f.VERDICT,
        ), when=_COMPETING),
        Table("incidence_curves", "cumulative incidences over time, unadjusted", (
            f.VALUE, f.GROUP, _OUTCOME, Field("time", "time of an event", _UNIT),
            Field("n_at_risk", "patients at risk just before"), Field("n_events", "events of this kind then"),
            Field("incidence", "cumulative incidence", "share"), Field("std_error", "its standard error", "share"),
            f.LOW, f.HIGH,
        ), when=_COMPETING),
        Table("fixed_times", "survival at the times asked for (log-log intervals)", (
            f.VALUE, f.GROUP, Field("estimand", "of the curve: unadjusted, or standardised to the strata"),
            Field("time", "the time", _UNIT), Field("n_at_risk", "patients at risk"),
            Field("n_events", "events up to then"),
            Field("survival", "share alive; empty where no patient was followed so long", "share"), f.LOW, f.HIGH,
        ), when="with fixed times"),
        Table("fixed_differences", "differences of survival at these times (tests on the log-log scale)", (
            f.VALUE, f.GROUP, Field("control", "the group it is compared with"),
            Field("estimand", "of the curves: unadjusted, or standardised to the strata"),
            Field("time", "the time", _UNIT),
            Field("difference", "survival less that of the control", "share"), f.LOW, f.HIGH, f.P_VALUE, f.P_HOLM,
            f.VERDICT,
        ), when="with fixed times and groups"),
        Table("pairwise", "log-rank tests of every two groups", (
            f.VALUE, f.GROUP, Field("control", "the group it is compared with"), _ESTIMAND, _OUTCOME,
            Field("chi_square", "the statistic"), Field("degrees_of_freedom", "1"), f.P_VALUE, f.P_HOLM, f.VERDICT,
        ), when="with three groups or more"),
        Table("trend", "log-rank test for trend over ordered groups", (
            f.VALUE, Field("order", "the groups in order"), _ESTIMAND, _OUTCOME, Field("chi_square", "the statistic"),
            Field("degrees_of_freedom", "1"), f.P_VALUE,
            Field("direction", "`rises` or `falls`: the hazard along the order"), f.VERDICT,
        ), when="with an order"),
    ),
    settings=(
        f.LEVEL, Field("small_ratio", "hazard ratio below which an effect is small"),
        Field("large_ratio", "hazard ratio from which an effect is large"),
        Field("searched_share", "share of the patients that either side of a searched cut keeps", "share"),
        Field("shuffles", "permutations of a searched cut"), _N, _EVENTS, Field("n_strata", "strata"),
        Field("outcomes", "what event and competing event are called"),
    ),
    findings=(
        Answer("detection:LEVEL", "share of samples below detection", "was the RNA measured?"),
        Answer("screen", "share of levels", "of several levels: how many go with survival; the ten with the smallest "
               "p-values follow"),
        Answer("median:COLUMN:GROUP", "the unit of the times", "median survival"),
        Answer("logrank:COLUMN", "chi-square", "the log-rank test"),
        Answer("survival:COLUMN:GROUP:TIME", "share", "survival at a fixed time"),
        Answer("survival_difference:COLUMN:GROUP:CONTROL:TIME", "share", "the same compared with the control"),
        Answer("pairwise:COLUMN:GROUP:CONTROL", "chi-square", "log-rank test of two of several groups"),
        Answer("pairwise:COLUMN", "share of pairs", "of more than six pairs: how many differ"),
        Answer("trend:COLUMN", "chi-square", "log-rank test for trend"),
        Answer("incidence:COLUMN:GROUP", "share", "with competing events: cumulative incidence of the event"),
        Answer("incidence_competing:COLUMN:GROUP", "share", "the same of the competing event"),
        Answer("gray:COLUMN", "chi-square", "Gray's test of the event"),
        Answer("gray_competing:COLUMN", "chi-square", "the same of the competing event"),
        Answer("hazard_ratio:MODEL:COLUMN", "hazard ratio", "the hazard ratio; of groups with `:TERM` at the end"),
        Answer("hazard_ratio_competing:MODEL:COLUMN", "hazard ratio", "the cause-specific one of the competing event"),
        Answer("subdistribution_ratio:MODEL:COLUMN", "hazard ratio", "the subdistribution hazard ratio of the event"),
        Answer("proportional:MODEL:COLUMN", "chi-square", "are hazards proportional?"),
        Answer("mean_difference:COLUMN:GROUP:CONTROL", "the unit of the times", "restricted means compared"),
        Answer("concordance:MODEL:COLUMN", "C-index", "the discrimination of the model"),
    ),
    verdicts={
        "large, moderate, small": "the hazard ratio, of a level that for one standard deviation: below 1.25 "
        "small, from 2 large, either way",
        "shown, not shown": "of the log-rank test (also of pairs and of a trend), of restricted means, of differences "
        "at fixed times and of Gray's test",
        "searched cut": "the cut was searched for: only the log-rank p counts the search, the others and the "
        "interval of the C-index are withheld",
        "agrees with proportional hazards, contradicts proportional hazards": "p from 0.05, below 0.05",
        "not reached": "half of the group is still alive: no median",
        "below detection: not testable, absent, not testable, estimated": "[as everywhere](../assays.md"
        "#verdicts)",
    },
    example={
        "time": "os_months", "event": "dead", "value": ["log2(miR-34a-5p + 1)"], "cut": "median", "adjust": ["age"],
    },
    request=Request(
        title="Survival",
        keys=(
            Key("control", "arm", "the arm that ratios refer to", default_says="the first by name"),
            Key("value", "names", "of patients: levels, columns of the table `patients`", default_says="arms compared"),
            Key("adjust", "names", "of patients: columns that are held constant", default_says="none"),
            Key("arm", "arm", "of patients: the arm whose levels are compared", default_says="the first"),
            Key("world", "whole number", "of patients: the donor whose cohort is read", default_says="the first",
                limits=(1, 10_000)),
            Key("relapse", "whole number", "of patients: 1: relapse in remission, death competing",
                default_says="death", limits=(0, 1)),
        ),
        tables=("mice", "patients"),
        needs=("mice or patients",),
    ),
)  # fmt: skip

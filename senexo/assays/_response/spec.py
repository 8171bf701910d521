"""Options, tables and findings of `response`."""

from __future__ import annotations

from senexo.assays import fields as f
from senexo.assays.spec import Answer, Field, Key, Option, Request, Spec, Table

_N, _RESPONDED = Field("n", "patients"), Field("n_response", "patients who responded")
_ONE = "of one level that is not cut"

SPEC = Spec(
    name="response",
    title="Response (remission, MRD) against groups or levels: shares, Fisher's test, odds ratios, ROC curve.",
    answers="does response go with a level?",
    reads="one row per patient",
    row="One row per patient: a column that says who responded, and the groups or levels to compare.",
    options=(
        Option("response", "name", "who responded: yes or no, or COLUMN=VALUE|VALUE", needed=True,
               metavar="COLUMN[=VALUE]",
               more="yes (1, true) and no (0, false); with values, as `remission=CR|CRi`, all others are no, and a "
               "note says which. Words that differ by case, blanks or punctuation are one"),
        Option("group", "column", "the groups to compare", more="at most 12; each is compared with `control`"),
        Option("control", "name", "the group that odds ratios refer to", default="the first by name or number"),
        *f.levels("response", "`median` or a number: the level becomes low (up to it) and high, compared as groups "
                  "are. A cut that is searched for is refused: it would be fitted to the answer", "median|NUMBER"),
        f.EXCLUDE,
        f.UNKNOWN,
        f.PATIENT,
        f.RNA_KIND,
        f.min_reads(),
        Option("method", "name", "of logistic regression", default="auto", choices=("auto", "firth"),
               more="`auto`: maximum likelihood, and Firth's where that has no maximum; `firth`: always Firth's"),
    ),
    tables=(
        Table("fisher", "every group against the control, by Fisher's exact test; the first table there", (
            f.VALUE, f.GROUP, Field("control", "the group it is compared with"),
            Field("odds_ratio", "conditional odds ratio"), f.LOW, f.HIGH, f.P_VALUE, f.P_HOLM, f.P_BH, f.VERDICT,
        ), when="where groups are compared"),
        Table("models", "odds ratios of logistic regression", (
            f.VALUE, Field("model", "`alone` or `adjusted`"),
            Field("estimand", "what was held constant: unadjusted, adjusted for ..."),
            Field("term", "the term of the model"),
            Field("role", "`asked` or `adjusted for`"), _N, _RESPONDED,
            Field("odds_ratio", "for one unit of the term"), f.LOW, f.HIGH, f.P_VALUE, f.P_HOLM, f.P_BH,
            Field("sd", "standard deviation of the term"),
            Field("odds_ratio_sd", "odds ratio for one standard deviation of the term"),
            Field("low_sd", "lower end of its 95 % interval"), Field("high_sd", "upper end of its 95 % interval"),
            Field("method", "`logistic` or `firth`"), Field("problem", "why there is no fit"), f.VERDICT,
        )),
        Table("shares", "the share of every group that responded", (
            f.VALUE, f.GROUP, _N, _RESPONDED, Field("share", "share that responded", "share"), f.LOW, f.HIGH,
        )),
        Table("areas", "areas under the ROC curve", (
            f.VALUE, _N, _RESPONDED, Field("area", "area under the ROC curve"), f.LOW, f.HIGH,
        )),
        Table("cuts", "the cuts of levels", (
            f.VALUE, Field("how", "`median` or the number given"), Field("cut", "low is up to it"),
            Field("n_low", "patients with a low level"), Field("n_high", "patients with a high level"),
        )),
        Table("detection", "was the RNA of a level measured?", f.DETECTION),
        Table("curve", "the fitted chance of a response, of the model alone", (
            f.VALUE, Field("level", "the level"), Field("share", "fitted chance", "share"), f.LOW, f.HIGH,
        ), when=_ONE),
        Table("roc", "the ROC curve", (
            f.VALUE, Field("threshold", "a level from there on is called a responder"),
            Field("false_positive", "share of the others called responders", "share"),
            Field("true_positive", "share of the responders called so", "share"),
        ), when=_ONE),
        Table("patients", "the patients of the model alone", (
            f.VALUE, Field("level", "the level"), Field("response", "1 where the patient responded"),
        ), when=_ONE),
    ),
    settings=(
        f.LEVEL, Field("small_ratio", "odds ratio below which an effect is small"),
        Field("large_ratio", "odds ratio from which an effect is large"), _N, _RESPONDED,
    ),
    findings=(
        Answer("detection:LEVEL", "share of samples below detection", "was the RNA measured?"),
        Answer("screen", "share of levels", "of several levels: how many go with response; the ten with the smallest "
               "p-values follow"),
        Answer("share:COLUMN:GROUP", "share", "the share of a group that responded"),
        Answer("fisher:COLUMN:GROUP:CONTROL", "odds ratio", "Fisher's exact test of a group"),
        Answer("odds_ratio:MODEL:LEVEL", "odds ratio", "the odds ratio; of groups with `:TERM` at the end"),
        Answer("area:LEVEL", "area under the ROC curve", "the area under the ROC curve"),
    ),
    verdicts={
        "large, moderate, small": "the odds ratio, of a level that for one standard deviation: below 1.5 small, "
        "from 4 large, either way",
        "absent, not shown, estimated, not testable, below detection: not testable": "[as everywhere]"
        "(../assays.md#verdicts)",
    },
    request=Request(
        title="Response",
        keys=(
            Key("control", "arm", "the arm that odds ratios refer to", default_says="the first by name"),
            Key("value", "names", "levels, columns of the table `patients`", default_says="arms are compared"),
            Key("adjust", "names", "columns that are held constant", default_says="none"),
            Key("arm", "arm", "the arm whose levels are compared", default_says="the first"),
            Key("world", "whole number", "donor whose cohort is read", default_says="the first", limits=(1, 10_000)),
        ),
        tables=("patients",),
        needs=("patients",),
    ),
    example={"response": "remission=CR|CRi", "value": ["log2(miR-34a-5p + 1)"], "adjust": ["age"]},
)  # fmt: skip

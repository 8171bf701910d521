"""Columns, options, tables and findings of `balance`."""

from __future__ import annotations

from senexo.assays import fields as f
from senexo.assays.spec import Answer, Field, Input, Key, Option, Request, Spec, Table

COPIES = "copies per well"
_PLACES = (
    Field("donor_cells", "copies in all donor cells of the well", COPIES),
    Field("recipient_cells", "copies in all recipient cells of the well", COPIES),
    Field("vesicular", "copies in the medium inside vesicles", COPIES),
    Field("free", "copies in the medium outside of vesicles", COPIES),
    Field("degraded", "copies degraded since the start", COPIES),
    Field("made", "copies made since the start", COPIES),
)

SPEC = Spec(
    name="balance",
    title="Mass balance of copies: do recipients gain what donor cells lose (transfer), or is it merely lost?",
    answers="do recipients gain what donor cells lose, or is it mere loss?",
    reads="one row per well",
    row="One row for each arm, donor, replicate and time.",
    columns=(
        Input("arm", "text", "what was done to the wells"),
        Input("donor", "text", "who the cells are from"),
        Input("replicate", "text", "wells of a donor, averaged", when="where there are several", may_be_empty=True),
        f.in_time(),
        Input("donor_cells", "number", "copies in all donor cells of the well", unit=COPIES, low=0),
        Input("recipient_cells", "number", "copies in all recipient cells; empty where there are none", unit=COPIES,
              may_be_empty=True, low=0),
        *(Input(one.name, "number", one.says, when="optional", unit=COPIES, may_be_empty=True, low=0)
          for one in _PLACES[2:]),
        *(Input(f"{name}_sd", "number", f"standard error of measuring {name} (qPCR replicates)", when="optional",
                unit=COPIES, may_be_empty=True, low=0) for name in ("donor_cells", "recipient_cells")),
    ),
    key=("arm", "donor", "replicate", "time_h"),
    options=(
        f.compare("an arm, and the control in which transfer is prevented", needed=True),
        Option("time_h", "number", "the time judged, in hours", default="the last"),
        Option("min_recovery", "number", "gain / loss below which a loss is no transfer", default="0.1",
               was=("least",)),
    ),
    tables=(
        Table("transfers", "loss, gain and their ratio for every pair of arms", (
            f.ARM, f.CONTROL, Field("n_donors", "donors with donor cells and recipients in both arms"),
            Field("loss", "copies that donor cells lose against the control, mean of donors", COPIES),
            *f.interval("loss", COPIES),
            Field("gain", "copies that recipients gain against the control, mean of donors", COPIES),
            *f.interval("gain", COPIES), Field("index", "transfer index: mean gain over mean loss"),
            *f.interval("index"),
            Field("recovered", "share of the loss found in recipients, medium and `degraded`", "share"),
            *f.interval("recovered", "share"), Field("p_loss", "p-value of the loss, uncorrected"),
            Field("p_gain", "p-value of the gain, uncorrected"), Field("p_loss_holm", "p_loss after Holm's correction"),
            Field("p_gain_holm", "p_gain after Holm's correction"), f.VERDICT,
        )),
        Table("changes", "the changes of every donor against the control", (
            f.ARM, f.CONTROL, f.DONOR, Field("loss", "loss of donor cells", COPIES),
            Field("gain", "gain of recipients", COPIES), Field("medium", "gain of the medium", COPIES),
            Field("degraded_more", "copies degraded beyond those of the control", COPIES),
            Field("loss_variance", "variance of measuring the loss", "copies^2"),
            Field("gain_variance", "variance of measuring the gain", "copies^2"),
        )),
        Table("wells", "the wells of the time judged", (
            f.ARM, f.DONOR, Field("replicate", "the well"), f.TIME, *_PLACES,
            Field("donor_cells_sd", "standard error of measuring donor_cells", COPIES),
            Field("recipient_cells_sd", "standard error of measuring recipient_cells", COPIES),
            Field("total", "copies in all places", COPIES), Field("unaccounted", "`made` less `total`", COPIES),
        )),
    ),
    settings=(f.LEVEL,),
    findings=(Answer("transfer:ARM:CONTROL", "gain / loss", "the transfer index"),),
    verdicts={
        "transfer": "recipients gain, donor cells lose, and the gain is not shown to exceed the loss",
        "loss without transfer": "donor cells lose, and an index of `min_recovery` is excluded",
        "not decided": "anything else; the sentence says what is missing",
    },
    example={"compare": [("together", "apart")]},
    request=Request(
        title="Transfer or loss",
        keys=(
            f.pairs(needed=True),
            Key("what", "read-out", "the read-out that is balanced", needed=True),
            Key("from", "cell type", "the cells that lose", needed=True),
            Key("to", "cell type", "the cells that gain", needed=True),
            Key("medium", "species of the media", "species of the media that count", default=(), default_says="none"),
            f.time("the last"),
        ),
        tables=("timecourse", "counts"),
        needs=("a shared medium",),
        apart=(("from", "to"),),
    ),
)  # fmt: skip

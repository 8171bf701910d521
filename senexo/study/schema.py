"""The resolved form of a study: complete, frozen, and the only form the rest of senexo ever sees.

Every default stands in it, every parameter's law, every treatment as an action on a quantity of the model. Written
as TOML (`Study.to_toml`) it is itself a valid study file and resolves to an equal Study. Times are hours.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from senexo.assays.specs import REQUESTS
from senexo.base.evidence import FORMER_STATUSES, Status
from senexo.study.methods import MethodName

SCHEMA_VERSION = 1
# Names of this version -> those with which they go into a digest: a renamed key changes the digest of no study.
FIRST_NAMES = {"window_check_wells": "halving", "min_colony_size": "least"}
# Table -> its keys that came later; where they say nothing, no digest knows them
LATER_KEYS = {"culture": ("rare_cells", "wells"), "donors": ("stand_for",), "claim": ("possible_when",)}
LATER_TABLES = ("mouse", "secondary", "cohort")  # the same for whole tables
FIRST_STATUSES = {now: first for first, now in FORMER_STATUSES.items()}


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class _Extended(_Frozen):
    """With fields that came after the first version: at their default they are not written, so that no digest knows."""

    LATER: ClassVar[tuple[str, ...]] = ()

    @model_serializer(mode="wrap")
    def _without_later(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content: dict[str, Any] = written(self)
        for name in self.LATER:
            if getattr(self, name) == type(self).model_fields[name].default:
                del content[name]
        return content


class UtrSequence(_Frozen):
    """A gene's 3'UTR in RNA letters; `source`: the file and record it was read from."""

    sequence: str
    source: str


class ModelRef(_Frozen):
    """What is simulated: a circuit (a shipped name or a folder) or a model file, pinned by the digest of its bytes.

    targets: gene -> the sequence that sets the number and affinity of its sites (None of them: the parameter table
    does). reading: how affinity is read where the circuit knows more than one way. prior: which of the circuit's tables
    the donors draw from; None: `parameters.csv`.
    """

    circuit: str | None = None
    file: str | None = None
    digest: str
    reading: str | None = None
    prior: str | None = None
    targets: dict[str, UtrSequence] = Field(default_factory=dict)


class CellType(_Frozen):
    """`n` cells per donor and arm; `variation`: parameter -> coefficient of variation between the cells of a donor."""

    n: int
    variation: dict[str, float]


class Draw(_Extended):
    """How donors differ in one parameter: by `law` over [low, high] (`fixed`: all have `value`), and its source.

    anew: drawn from a second stream, as a named world asks (`anew`); all other parameters keep their values.
    """

    LATER = ("anew",)
    law: Literal["fixed", "uniform", "log-uniform"]
    value: float
    low: float
    high: float
    unit: str
    source: str
    status: Status
    anew: bool = False

    @property
    def varies(self) -> bool:
        """Whether donors differ in it."""
        return self.law != "fixed" and self.low < self.high


class Donors(_Frozen):
    """`n` donors; `draws`: parameter -> how they differ in it.

    stand_for: `worlds` (draws of what is not known, of which one is ours) or `patients` (who differ within one world).
    None: worlds where any parameter is drawn, patients where all donors have the same parameters.
    """

    n: int
    draws: dict[str, Draw]
    stand_for: Literal["worlds", "patients"] | None = None

    @property
    def are_worlds(self) -> bool:
        """Whether donors are draws of a prior, so that a claim is true in a share of them and "holds" in none."""
        drawn = any(draw.varies for draw in self.draws.values())
        return self.stand_for == "worlds" or (self.stand_for is None and drawn)


class Action(_Frozen):
    """One change of one quantity: set it to `value`, multiply it by it, or add it.

    `time_h` is the hour of a treatment, and None for what is in the cell from the start (a genotype). `verb` and
    `of` say what the study's author called it: labels, never read by the simulation.
    """

    time_h: float | None = None
    target: str
    operation: Literal["set", "multiply", "add"]
    value: float
    verb: str
    of: str


class BodyDose(_Frozen):
    """One record of an oligo given to the body of a mouse, in NONMEM's words (`senexo.base.dose_records.Event`).

    of: the agent of the circuit; targets: the quantities that its copies are added to.
    """

    of: str
    targets: tuple[str, ...]
    route: Literal["iv", "ip"] = "iv"
    time_h: float
    evid: int = 1
    amt_mg: float = 0.0
    rate_mg_h: float = 0.0
    cmt: int = 0
    ii_h: float = 0.0
    addl: int = 0
    ss: int = 0


class CultureSettings(_Frozen):
    """How cells are cultured.

    wells: of cells that are each alone, whether all arms have the same virtual cells (twins; None) or each its own.
    medium: the actions that make the culture medium, before the cells settle (from `serum_percent` and
    `growth_factors`). Of cells that share a medium alone: method (how they are simulated), window_h (how long pools are
    held constant), most_cells (cells followed per well; where there are more, each represents several), rare_cells (a
    type with fewer is followed cell by cell), window_check_wells (so many wells are simulated again with half the
    window), stop_when (a well ends when this condition is true).
    """

    duration_h: float
    wells: Literal["twins", "independent"] | None = None
    serum_percent: float | None = None
    growth_factors: float | None = None
    preequilibration_h: float
    commitment_rule: str
    method: MethodName | None = None
    window_h: float | None = None
    most_cells: int | None = None
    rare_cells: int | None = None
    window_check_wells: int | None = None
    stop_when: str | None = None
    medium: tuple[Action, ...] = Field(default=(), exclude=True)


class Conditioned(_Frozen):
    """Medium of another arm's well as it was at `taken_h`: the `share` of it poured in at `time_h`."""

    arm: str
    taken_h: float
    share: float
    time_h: float


class Insert(_Frozen):
    """The upper half of a Transwell: its cells, type -> number, and what is done to them and to their medium."""

    cells: dict[str, int]
    genotype: tuple[Action, ...] = ()
    schedule: tuple[Action, ...] = ()


class Arm(_Extended):
    """What is done to the cells of one arm.

    cells: type -> number, those of the study if empty; conditioned: medium that is poured in; insert: cells behind a
    membrane; genotype and schedule: of the well; body_doses: given to the mice. All else are labels.
    """

    LATER = ("body_doses",)
    family: str
    agent: str | None = None
    dose_copies: float | None = None
    dose_label: str
    summary: str
    cells: dict[str, int] = Field(default_factory=dict)
    insert: Insert | None = None
    medium_from: tuple[Conditioned, ...] = ()
    genotype: tuple[Action, ...] = ()
    schedule: tuple[Action, ...] = ()
    body_doses: tuple[BodyDose, ...] = ()

    def cut(self, cuts: tuple[Action, ...]) -> Arm:
        """This arm with further actions on the genotype, last of all, in either half of a well."""
        above = self.insert and self.insert.model_copy(update={"genotype": (*self.insert.genotype, *cuts)})
        return self.model_copy(update={"genotype": (*self.genotype, *cuts), "insert": above})


class Readouts(_Frozen):
    """`times_h`: when wells are read; `grid_h`: step of the fine grid on which fates and arrest are followed."""

    times_h: tuple[float, ...]
    grid_h: float
    names: tuple[str, ...]


class About(_Frozen):
    """Where a number comes from."""

    source: str
    status: Status


class Replicates(_Frozen):
    """Technical replicates and the noise of measuring.

    n: replicate wells; cells_counted: cells looked at per stained well; false_positive, false_negative: chance that
    a cell is misread; lysed_cells: cells in one PCR reaction; ct_sd: standard deviation of a Ct; ct_one_copy: Ct of
    one template; ct_cutoff: last cycle; efficiency: gain per cycle (1 = doubling); reference_copies: reference RNA
    -> copies per cell. `about` holds source and status of each of these numbers.
    """

    n: int
    cells_counted: int
    false_positive: float
    false_negative: float
    lysed_cells: float
    ct_sd: float
    ct_one_copy: float
    ct_cutoff: float
    efficiency: float
    reference_copies: dict[str, float]
    about: dict[str, About]


def _known_assay(name: str) -> str:
    if name not in REQUESTS:
        raise ValueError(f"no study can request the assay '{name}' ({', '.join(REQUESTS)})")
    return name


class AssayRequest(_Frozen):
    """An assay by name, and the options of the request (`senexo.assays.specs.REQUESTS`)."""

    name: Annotated[str, AfterValidator(_known_assay), Field(json_schema_extra={"enum": list(REQUESTS)})]
    options: dict[str, Any]


class Claim(_Frozen):
    """A claim to be judged (docs/claims.md). `null`: the verbs that cut what it rests on, `cuts`: their actions.

    given: in which donors it must hold, all by default; possible_when: in which it could hold, by a positive control;
    level: of the intervals; share: it must hold in more than this share of the donors.
    """

    id: str
    holds_when: str
    given: str | None = None
    possible_when: str | None = None
    level: float = 0.95
    share: float | None = None
    null: dict[str, Any]
    cuts: tuple[Action, ...] = Field(default=(), exclude=True)


class Evidence(_Frozen):
    """A measurement by which draws are weighted: of a parameter, or of an observable (docs/claims.md).

    value, low, high, level, law: of a figure; data: column -> numbers of a measured table, by kind.
    """

    name: str
    kind: Literal["figure", "senescence", "fates", "qpcr", "particles", "dilution"]
    parameter: str | None = None
    observable: str | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    level: float = 0.95
    law: Literal["log-normal", "normal"] = "log-normal"
    data: dict[str, tuple[float, ...]] = Field(default_factory=dict)
    dispersion: float = 0.0
    source: str
    status: Status


class Candidate(_Frozen):
    """An experiment that could be done: what it measures, by which observation model, how large it is, what it costs.

    design: column -> numbers of its wells (docs/claims.md); sd: of a figure, on the scale of its law.
    """

    name: str
    kind: Literal["figure", "senescence", "fates", "qpcr", "particles", "dilution"]
    parameter: str | None = None
    observable: str | None = None
    design: dict[str, tuple[float, ...]] = Field(default_factory=dict)
    sd: float = 0.0
    law: Literal["log-normal", "normal"] = "log-normal"
    dispersion: float = 0.0
    cost: float | None = None


class World(_Frozen):
    """A named world of a study. `written`: what differs, as the file says it; `cuts`: actions added to every arm."""

    written: dict[str, Any]
    cuts: tuple[Action, ...] = Field(default=(), exclude=True)


class Mouse(_Frozen):
    """Mice that get the cells of each arm; every donor is a sample. Times are hours after injection.

    cells: per mouse, before treatment; mice: of each arm and sample; injected_at_h: hour of the culture at which cells
    are injected (ex vivo treatment), or treated_from_h: when hour 0 of the arms is, after injection (treatment of the
    mouse); bleeds_h, marrow_h: when blood and marrow are read; threshold: share of human cells in marrow of an
    engrafted mouse; viability_matched: arm -> the arm whose number of living cells it gets; chemotherapy: arm -> the
    regimen that its mice get from treated_from_h on; draws: the numbers of `study/mouse.csv`, and of the regimens'
    agents.
    """

    strain: str
    route: str
    kinetics: str
    cells: float
    mice: int
    injected_at_h: float | None = None
    treated_from_h: float | None = None
    bleeds_h: tuple[float, ...]
    marrow_h: tuple[float, ...]
    end_h: float
    threshold: float
    splitting: int = 0
    viability_matched: dict[str, str] = Field(default_factory=dict)
    chemotherapy: dict[str, str] = Field(default_factory=dict)
    draws: dict[str, Draw]

    @property
    def times_h(self) -> tuple[float, ...]:
        """When anything is read of a mouse, in order."""
        return tuple(sorted({*self.bleeds_h, *self.marrow_h}))


class Secondary(_Frozen):
    """Secondary transplantation: at `at_h` after injection, doses of `cells` human cells, read at `read_h` after
    that."""

    arms: tuple[str, ...]
    at_h: float
    cells: tuple[float, ...]
    mice: int
    read_h: float
    threshold: float


class Cohort(_Frozen):
    """Patients under 7+3 and what each arm says; every donor is a world with a cohort of its own. Times are hours.

    patients: of a cohort, the same in all arms; follow_up_h: from the beginning of treatment, which is hour 0 of the
    arms; reads_h: when a claim can read; consolidations: courses of cytarabine in remission; stem_kinetics: `blasts`
    where no stem cell rests or becomes senescent and chemotherapy kills all alike; draws: the numbers of
    `study/cohort.csv`.
    """

    patients: int
    follow_up_h: float
    reads_h: tuple[float, ...]
    consolidations: int
    stem_kinetics: Literal["own", "blasts"] = "own"
    apl: Literal["left out", "drawn"] = "left out"
    draws: dict[str, Draw]


class Study(_Frozen):
    """One experiment, complete and frozen. Read one with `senexo.read_study`.

    Attributes
    ----------
    schema_version, title, seed
        Version of the form, one line of text, and the seed of all random numbers.
    model
        The circuit or model file, pinned by its digest.
    cells
        Cell type -> cells per donor and arm, and their variation.
    donors
        Number of donors, and the law of every parameter that they draw.
    culture
        Duration (h), medium, and how cells with a shared medium are simulated.
    arms
        Arm -> its actions, in the order of the result tables.
    mouse, secondary
        Mice that get the cells of the arms, and secondary transplantation of their marrow; None without mice.
    cohort
        Patients who get 7+3 and what each arm says; None without patients.
    readouts, replicates, assays, claim
        What is read and when (h), the noise of measuring, the assays requested, and the claim to be judged.
    worlds
        Named worlds in which the claim is judged too (`senexo worlds`); a run does not look at them.
    evidence, candidates
        Measurements by which `senexo worlds` weights the draws, and experiments that it ranks; a run looks at neither.
    notices
        What the file says in words of the last version; no part of the study's content.

    Examples
    --------

    >>> from senexo import read_study
    >>> study = read_study("mir34c-exvivo")
    >>> study.culture.duration_h, study.arms["mimic[300]"].dose_copies
    (168.0, 300.0)
    """

    schema_version: Literal[1] = 1
    title: str
    seed: int
    model: ModelRef
    cells: dict[str, CellType]
    donors: Donors
    culture: CultureSettings
    arms: dict[str, Arm]
    mouse: Mouse | None = None
    secondary: Secondary | None = None
    cohort: Cohort | None = None
    readouts: Readouts
    replicates: Replicates
    assays: tuple[AssayRequest, ...] = ()
    claim: Claim | None = None
    worlds: dict[str, World] = Field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    notices: tuple[str, ...] = Field(default=(), exclude=True)

    @property
    def assumed(self) -> tuple[str, ...]:
        """The parameters and noise numbers that are assumed, by name."""
        parameters = [name for name, draw in self.donors.draws.items() if draw.status == "assumed"]
        return (*parameters, *(name for name, about in self.replicates.about.items() if about.status == "assumed"))

    @property
    def digest(self) -> str:
        """SHA-256 of everything that shapes the results, labels included.

        The order of parameters does not count, the order of arms does (it is the order of the tables). A model
        counts by its content, not by where its file lies.
        """
        content = self.model_dump(mode="json")
        del content["worlds"], content["evidence"], content["candidates"]
        content["arms"] = list(content["arms"].items())
        content["model"] = content["model"]["digest"]
        content["culture"] = _first_names(content["culture"])
        for table in LATER_TABLES:
            if content[table] is None:
                del content[table]
        for table, keys in LATER_KEYS.items():
            for key in keys:
                if content[table] is not None and content[table][key] is None:
                    del content[table][key]
        content["assays"] = [{**one, "options": _first_names(one["options"])} for one in content["assays"]]
        for about in (*content["donors"]["draws"].values(), *content["replicates"]["about"].values()):
            about["status"] = FIRST_STATUSES.get(about["status"], about["status"])
        text = json.dumps(content, sort_keys=True, ensure_ascii=True, allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """The study as nested tables of a TOML file."""
        content: dict[str, Any] = _without_nothing(self.model_dump(mode="json"))
        for draw in content["donors"]["draws"].values():
            draw.pop("anew", None)  # of a named world, which is no study file of its own
        if not self.model.targets:
            del content["model"]["targets"]
        for arm in content["arms"].values():
            for key in ("cells", "medium_from"):  # what most arms do without
                if not arm[key]:
                    del arm[key]
        for key in ("viability_matched", "chemotherapy"):
            if self.mouse is not None and not content["mouse"][key]:
                del content["mouse"][key]
        content["assays"] = [{"name": request.name, **request.options} for request in self.assays]
        for key in ("evidence", "candidates"):
            if not content[key]:
                del content[key]
        for one in content.get("evidence", ()):
            if not one["data"]:
                del one["data"]
        del content["worlds"]
        if self.worlds:
            content["worlds"] = {name: world.written for name, world in self.worlds.items()}
        return content

    def to_toml(self) -> str:
        """The study as a TOML file that resolves to an equal Study."""
        import tomli_w

        head = "# Resolved by senexo: every default, every law and every action of this study. Times in hours.\n"
        return head + tomli_w.dumps(self.to_dict())


def _first_names(table: dict[str, Any]) -> dict[str, Any]:
    return {FIRST_NAMES.get(name, name): value for name, value in table.items()}


def _without_nothing(value: Any) -> Any:
    """Nested data without its None entries, which TOML cannot write."""
    if isinstance(value, dict):
        return {key: _without_nothing(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nothing(item) for item in value]
    return value

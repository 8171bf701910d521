"""Claims of one or several studies, each judged in its named worlds on the same keyed draws: the table claim x world.

Of a study only the arms that its claim reads are simulated, in its own world and in its null. Donors are keyed by seed
and number, so where studies share seed, circuit and prior, donor 7 is the same world in all of them, and claims can be
joined draw by draw: in how many they are true at once, and which exclude each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from senexo.base.errors import Fault, InvalidInput
from senexo.lab import judging, provenance
from senexo.lab.batches import Batches
from senexo.lab.claim import null
from senexo.lab.claim.rule import Bools
from senexo.lab.claim.sweep import Share, Sweep
from senexo.lab.donors import donor_values
from senexo.lab.evidence.information import Information, open_bits, ranked
from senexo.lab.evidence.weighting import ShareAfter, Truths, Weighted, read_by, sentence, share_after, weigh
from senexo.lab.evidence.weighting import columns as columns_after
from senexo.lab.experiment import World
from senexo.lab.registry import experiment_of
from senexo.lab.scenario.conditions import Conditions, sought

if TYPE_CHECKING:
    from collections.abc import Callable

    from senexo.base.store import Store
    from senexo.lab.claim.verdict import Verdict
    from senexo.lab.experiment import Experiment, Unit
    from senexo.study.schema import Candidate, Study

Said = Mapping[str, Mapping[str, "Study"]]  # name of a study -> (name of a world -> the study there)
SHARES = ("true", "possible", "true_where_possible", "null", "beyond_null")
TOGETHER = "all at once"


@dataclass(frozen=True)
class Judged:
    """A claim in one named world."""

    study: str
    world: str
    says: str
    verdict: Verdict
    resolved: Study
    evidence: Weighted | None = None
    measures: Mapping[str, str] = field(default_factory=dict)
    n_wells: int = 0
    candidates: tuple[tuple[Candidate, Information], ...] = ()

    def after(self) -> dict[str, ShareAfter]:
        """The shares of worlds after the evidence, by the names of those before; none without evidence."""
        if self.evidence is None:
            return {}
        found, cut, level = self.verdict.found, self.verdict.null, self.verdict.claim.level
        possible = self.possible
        pairs = {"true": (found.true, found.kept), "null": (cut.true, cut.kept)}
        pairs["beyond_null"] = (found.true & ~cut.true, found.kept & cut.kept)
        if self.sweep.possible is not None:
            pairs |= {"possible": (possible, found.kept), "true_where_possible": (found.true, found.kept & possible)}
        return {name: share_after(self.evidence, *pair, level=level) for name, pair in pairs.items()}

    @property
    def possible(self) -> Bools:
        """In which draws the claim could be true, by the positive control; all where it has none."""
        own = self.verdict.tables["claim_draws"]
        first = own[(own["world"] == "claim") & (own["comparison"] == own["comparison"].iloc[0])]
        return first["possible"].to_numpy() if "possible" in first else np.ones(len(first), dtype=bool)

    @property
    def sweep(self) -> Sweep:
        """The shares of worlds."""
        assert self.verdict.sweep is not None, "checked before anything was simulated"
        return self.verdict.sweep


def check(studies: Said) -> None:
    """Refuse studies that have no claim, or donors that are patients.

    Raises
    ------
    InvalidInput
        With one fault for each.
    """
    faults = []
    for name, worlds in studies.items():
        study = next(iter(worlds.values()))
        if study.claim is None:
            faults.append(Fault(name, "a study without a claim", "a [claim], which is judged in every world"))
        for world, there in worlds.items():
            if not there.donors.are_worlds:
                expected = 'draws of parameters (donors.stand_for = "worlds")'
                faults.append(Fault(f"{name}, {world}", "donors that are patients of one world", expected))
    ids = [worlds_of.claim.id for worlds in studies.values() if (worlds_of := next(iter(worlds.values()))).claim]
    faults += [
        Fault(id, "this claim twice", "studies with different claims") for id in {i for i in ids if ids.count(i) > 1}
    ]
    if faults:
        raise InvalidInput(faults)


def identity(studies: Said) -> dict[str, str]:
    """Everything that the results of a folder of worlds depend on."""
    found: dict[str, str] = {}
    for name, worlds in studies.items():
        for world, study in worlds.items():
            found |= {f"{name}, {world}: {key}": value for key, value in provenance.identity(study).items()}
            found[f"{name}, {world}: actions"] = study.digest
    return found


def work(experiment: Experiment) -> list[Unit]:
    """The units that a claim needs: the arms it reads, and those it compares again in the null."""
    study = experiment.study
    assert study.claim is not None
    names, read = list(study.arms), {found.arm for found in [*null.read_by(study.claim), *read_by(study)]}
    own = [unit for unit in experiment.units() if unit.world is World.STUDY and names[unit.arm] in read]
    return [*own, *null.units(experiment)]


def judge(studies: Said, store: Store, *, workers: int, say: Callable[[str, int, int], None]) -> list[Judged]:
    """Every claim in every world of its study, simulated where the store does not have it yet."""
    found: list[Judged] = []
    compiled: dict[str, Experiment] = {}
    for number, (name, worlds) in enumerate(studies.items(), start=1):
        for place, (world, study) in enumerate(worlds.items()):
            digest = study.model.digest
            experiment = compiled[digest].of_study(study) if digest in compiled else experiment_of(study)
            null.check(experiment)
            if digest not in compiled:
                say("compiling the model", 0, 0)
                experiment.compile()
                compiled[digest] = experiment
            own = Batches(store, f"study{number:02d}-world{place:02d}-", work(experiment))
            own.simulate(experiment, workers=workers, say=partial(say, world))
            verdict = judging.claim(experiment, own.get)
            assert verdict is not None
            written = next(iter(worlds.values())).worlds
            says = written[world].written.get("says", world) if world in written else study.title
            measures = experiment.circuit.measures if experiment.circuit else {}
            truths, one = Truths.of(experiment, own.get), verdict.found
            telling = tuple(ranked(study, truths, one.true & one.kept, one.kept))
            weighed, n = weigh(truths), len(own.units)
            found.append(Judged(name, world, says, verdict, study, weighed, measures, n, telling))
    return found


def table(judged: Sequence[Judged]) -> pd.DataFrame:
    """One row per claim and world: counts, shares and their intervals."""
    rows = []
    for one in judged:
        row: dict[str, Any] = {
            "study": one.study, "claim": one.verdict.claim.id, "world": one.world, "says": one.says,
            "verdict": one.verdict.verdict, "n_draws": len(one.verdict.found.kept),
        }  # fmt: skip
        for name in SHARES:
            row |= _columns(name, getattr(one.sweep, name))
        after = one.after()
        if after:
            row |= {"effective_draws": after["true"].effective}
            for name in SHARES:
                row |= columns_after(name, after.get(name))
        rows.append(row)
    return pd.DataFrame(rows)


def _after(one: Judged, evidence: Weighted) -> dict[str, Any]:
    """A claim before and after the evidence, as a finding."""
    after, true = one.after()["true"], one.sweep.true
    low, high = after.interval
    before = f"{100 * true.value:.1f} %" if true.n else "no draw"
    return {
        "assay": "evidence", "id": f"evidence:{one.verdict.claim.id}:{one.world}",
        "sentence": f"{one.world}: {sentence(one.verdict.claim.id, before, after, evidence)}",
        "estimate": after.value if after.enough else None, "low": low, "high": high, "unit": "share of worlds",
        "p_value": None, "verdict": "share of worlds" if after.enough else "not tested", "request": None,
    }  # fmt: skip


def _columns(name: str, share: Share | None) -> dict[str, float]:
    """k, n, share and interval of one share; without a number where there is no such share."""
    if share is None or not share.n:
        return dict.fromkeys((f"{name}_k", f"{name}_n", name, f"{name}_low", f"{name}_high"), float("nan"))
    low, high = share.interval
    return {
        f"{name}_k": float(share.k), f"{name}_n": float(share.n), name: share.value, f"{name}_low": low,
        f"{name}_high": high,
    }  # fmt: skip


def draws(judged: Sequence[Judged]) -> pd.DataFrame:
    """One row per claim, world and draw: whether the claim is true there, could be, and is in the null."""
    frames = []
    for one in judged:
        found, cut = one.verdict.found, one.verdict.null
        weight = {} if one.evidence is None else {"weight": one.evidence.weights(found.kept).values}
        frames.append(
            pd.DataFrame({
                "claim": one.verdict.claim.id, "world": one.world, "donor": np.arange(1, len(found.kept) + 1),
                "kept": found.kept, "claim_is_true": found.true & found.kept, "possible": one.possible & found.kept,
                "true_in_null": cut.true & cut.kept, **weight,
            })
        )  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def experiments(judged: Sequence[Judged]) -> pd.DataFrame:
    """The candidate experiments of every claim and world, the most telling first, in bits."""
    rows = []
    for one in judged:
        still_open = open_bits(one.verdict.found.true[one.verdict.found.kept]) if one.candidates else 0.0
        for rank, (candidate, found) in enumerate(one.candidates, start=1):
            rows.append({
                "claim": one.verdict.claim.id, "world": one.world, "rank": rank, "experiment": candidate.name,
                "bits": found.value, "se": found.se, "bits_all_draws": found.all_draws,
                "bits_half_of_them": found.half_of_them, "open_bits": still_open,
                "cost": candidate.cost if candidate.cost is not None else float("nan"),
                "bits_per_cost": found.value / candidate.cost if candidate.cost else float("nan"),
            })  # fmt: skip
    return pd.DataFrame(rows)


def _telling(one: Judged) -> dict[str, Any]:
    """The candidate experiment that would tell most about a claim, as a finding."""
    (best, found), still_open = one.candidates[0], open_bits(one.verdict.found.true[one.verdict.found.kept])
    others = "".join(f"; {other.name} {about.value:.2f} (SE {about.se:.2f})" for other, about in one.candidates[1:5])
    return {
        "assay": "experiments", "id": f"experiments:{one.verdict.claim.id}:{one.world}",
        "sentence": f"{one.world}: of {len(one.candidates)} candidate experiments {best.name} would tell most about "
        f"{one.verdict.claim.id}: {found.value:.2f} of {still_open:.2f} bits (SE {found.se:.2f}{others}).",
        "estimate": found.value, "low": found.value - 1.96 * found.se, "high": found.value + 1.96 * found.se,
        "unit": "bits", "p_value": None, "verdict": "estimated", "request": None,
    }  # fmt: skip


def ranks(judged: Sequence[Judged]) -> pd.DataFrame:
    """Of every claim in every world: rank correlation and first-order index of every parameter with every margin."""
    frames = [
        one.verdict.tables["claim_ranks"].assign(claim=one.verdict.claim.id, world=one.world)
        for one in judged
        if len(one.verdict.tables["claim_ranks"])
    ]
    found = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
    return found[["claim", "world", *(name for name in found if name not in ("claim", "world"))]] if frames else found


def parameters(judged: Sequence[Judged]) -> pd.DataFrame:
    """What every draw drew, by world; claims of one world draw alike."""
    rows, known = [], set()
    for one in judged:
        if one.world in known:
            continue
        known.add(one.world)
        donors = one.resolved.donors
        varying = {name: draw for name, draw in donors.draws.items() if draw.varies}
        for number in range(1, donors.n + 1):
            values = donor_values(varying, one.resolved.seed, number)
            rows += [
                {"world": one.world, "donor": number, "parameter": name, "value": value}
                for name, value in values.items()
            ]
    return pd.DataFrame(rows, columns=["world", "donor", "parameter", "value"])


def joint(judged: Sequence[Judged]) -> pd.DataFrame:
    """Of worlds in which several claims were judged on the same draws: how many are true in both of a pair, and in all.

    Counted are draws in which all claims of the row have a value. `expected`: the share if claims were independent.
    `exclude`: they are true together in no draw, although each is true in some and independence would give 3 draws or
    more (0 of 3 expected has a chance below 5 %).
    """
    rows = []
    for world, claims in _by_world(judged).items():
        groups = [list(pair) for pair in combinations(claims, 2)]
        groups += [claims] if len(claims) > 2 else []
        for group in groups:
            rows.append(_together(world, group))
    columns = ["world", "claims", "k", "n", "share", "low", "high", "expected", "exclude"]
    return pd.DataFrame(rows) if rows else pd.DataFrame(columns=columns)


def conditions(judged: Sequence[Judged]) -> list[Conditions]:
    """The box of parameters of every claim in every world, and of all claims of a world at once."""
    found = []
    for one in judged:
        true, kept = one.verdict.found.true, one.verdict.found.kept
        found.append(sought(one.world, one.verdict.claim.id, one.resolved, true, kept, dict(one.measures)))
    for world, claims in _by_world(judged).items():
        kept = np.asarray(np.all([one.verdict.found.kept for one in claims], axis=0))
        true = np.asarray(np.all([one.verdict.found.true for one in claims], axis=0)) & kept
        name = " and ".join(one.verdict.claim.id for one in claims)
        found.append(sought(world, name, claims[0].resolved, true, kept, dict(claims[0].measures)))
    return found


def _by_world(judged: Sequence[Judged]) -> dict[str, list[Judged]]:
    """Worlds with more than one claim whose studies draw the same."""
    found: dict[str, list[Judged]] = {}
    for one in judged:
        found.setdefault(one.world, []).append(one)
    return {world: claims for world, claims in found.items() if len(claims) > 1 and _draw_alike(claims)}


def _draw_alike(claims: Sequence[Judged]) -> bool:
    first = claims[0].resolved
    return all(
        (one.resolved.seed, one.resolved.donors.draws, one.resolved.donors.n)
        == (first.seed, first.donors.draws, first.donors.n)
        for one in claims
    )


def _together(world: str, claims: Sequence[Judged]) -> dict[str, Any]:
    kept = np.all([one.verdict.found.kept for one in claims], axis=0)
    true = np.array([one.verdict.found.true & kept for one in claims])
    n, k = int(kept.sum()), int(true.all(axis=0).sum())
    share = Share(k, n)
    expected = float(np.prod(true.sum(axis=1) / n)) if n else float("nan")
    low, high = share.interval
    name = " and ".join(one.verdict.claim.id for one in claims)
    measured = [one.evidence for one in claims if one.evidence is not None]
    every = Weighted({name: log for one in measured for name, log in one.log_likelihood.items()}, {})
    after = (
        columns_after("share", share_after(every, np.asarray(true.all(axis=0)), np.asarray(kept))) if measured else {}
    )
    return {
        "world": world, "claims": name if len(claims) == 2 else f"{TOGETHER}: {name}", "k": k, "n": n,
        "share": share.value, "low": low, "high": high, "expected": expected,
        "exclude": bool(k == 0 and n and expected * n >= 3.0), **after,
    }  # fmt: skip


def sentences(
    judged: Sequence[Judged], together: pd.DataFrame, boxes: Sequence[Conditions]
) -> Iterator[dict[str, Any]]:
    """Every claim in every world, claims together, and what must be true for them, as findings."""
    for one in judged:
        finding = one.verdict.finding()
        yield {**finding, "id": f"{finding['id']}:{one.world}", "sentence": f"{one.world}: {finding['sentence']}"}
        if one.evidence is not None:
            yield _after(one, one.evidence)
        if one.candidates:
            yield _telling(one)
    for row in together.to_dict("records"):
        said = f"{row['world']}: {row['claims']} are true in {Share(int(row['k']), int(row['n']))}"
        said += f"; {100 * row['expected']:.1f} % if they were independent."
        yield {
            "assay": "worlds", "id": f"joint:{row['world']}:{row['claims']}",
            "sentence": said + (" They exclude each other." if row["exclude"] else ""),
            "estimate": None if row["share"] != row["share"] else row["share"], "low": row["low"], "high": row["high"],
            "unit": "share of worlds", "p_value": None, "verdict": "share of worlds", "request": None,
        }  # fmt: skip
    yield from (one.finding() for one in boxes)

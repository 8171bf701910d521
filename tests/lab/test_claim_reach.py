"""Can a null act on what a claim reads: by hand, and against what the simulated cells do."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from senexo import workflow
from senexo.engine.formula.lower import lower
from senexo.lab.claim import judge, reach
from senexo.lab.claim.dependence import Dependencies
from senexo.lab.lone.experiment import IndependentCells
from senexo.lab.registry import experiment_of
from senexo.model.loading import load
from senexo.study.read import read_study, shipped_studies
from senexo.study.resolve import resolve
from senexo.study.schema import Study

# a -> b -> c and d alone; e needs f, which is nowhere made; r is a rule of d; k1 is a dead end where edge is 0
CHAIN = """
model chain()
  compartment v = 1;
  species a in v, b in v, c in v, d in v, e in v, f in v, g in v;
  a = 1; b = 0; c = 0; d = 2; e = 0; f = 0; g = 1;
  k1 = 1; k2 = 1; kd = 0.1; ke = 1; edge = 0; kf = 1; kg = 0.5; start = 3;
  J1: a -> b; k1*a;
  J2: b -> c; k2*b;
  Jd: -> d; kd;
  Je: -> e; ke*f*a;
  Jf: f -> ; kf*f;
  Jg: -> g; kg*(1 + edge*c);
  r := 2*d + edge*b;
  h := start/2;
end
"""
READ = ("a", "b", "c", "d", "e", "f", "g", "r", "h")


def study(folder: Path, claim: dict[str, Any], **arms: Any) -> Study:
    (folder / "chain.ant").write_text(CHAIN)
    return resolve({
        "title": "chain", "seed": 1, "model": {"file": str(folder / "chain.ant")},
        "cells": {"cell": {"n": 1, "variation": {}}}, "donors": {"n": 3}, "culture": {"duration": "2 h"},
        "arms": {"one": {}, "edged": {"set": {"edge": 1}}, **arms},
        "readouts": {"times": ["0 h", "1 h", "2 h"], "names": list(READ)}, "claim": {"id": "T", **claim},
    }, where="chain")  # fmt: skip


def acts(folder: Path, reads: str, arm: str = "one", **null_of: Any) -> bool:
    asked = study(folder, {"holds_when": f"mean({reads}, {arm}, 2 h) > 0", "null": {"set": null_of}})
    return reach.null_acts(asked, None, [lower(load(folder / "chain.ant").network)])


@pytest.mark.parametrize(
    ("cut", "arm", "reached"),
    [
        ({"k1": 0}, "one", "abc"), ({"k2": 0}, "one", "bc"), ({"kd": 0}, "one", "dr"), ({"a": 5}, "one", "abc"),
        ({"k1": 0}, "edged", "abcgr"), ({"k2": 0}, "edged", "bcgr"), ({"edge": 0}, "one", ""),
        ({"edge": 0}, "edged", "gr"), ({"edge": 2}, "one", "gr"), ({"k1": 1}, "one", ""), ({"ke": 0}, "one", ""),
        ({"kf": 0}, "one", ""), ({"f": 1}, "one", "ef"), ({"f": 1, "ke": 0}, "one", "ef"), ({"start": 0}, "one", "h"),
    ],
)  # fmt: skip
def test_a_chain_by_hand(tmp_path: Path, cut: dict[str, float], arm: str, reached: str) -> None:
    assert {name for name in READ if acts(tmp_path, name, arm, **cut)} == set(reached)


def test_what_is_raised_later_is_not_zero(tmp_path: Path) -> None:
    """f is 0 until it is dosed: from then on e depends on ke."""
    late = {"dose": {"what": "f", "amount": 3, "at": "1 h"}}
    for arms, expected in (({}, False), ({"late": late}, True)):
        asked = study(
            tmp_path,
            {"holds_when": f"mean(e, {'late' if arms else 'one'}, 2 h) > 0", "null": {"set": {"ke": 0}}},
            **arms,
        )
        assert reach.null_acts(asked, None, [lower(load(tmp_path / "chain.ant").network)]) is expected


def test_a_reaction_of_whole_molecules_needs_its_reactants(tmp_path: Path) -> None:
    """J: x + y -> z at a constant rate: deterministic z does not feel y, with whole molecules it ends with y."""
    (tmp_path / "m.ant").write_text(
        "model m()\n compartment v = 1; species x in v, y in v, z in v; x = 5; y = 5; z = 0; k = 1;\n"
        " J: x + y -> z; k;\nend\n"
    )
    found = Dependencies([lower(load(tmp_path / "m.ant").network)])
    assert found.reached(["y"], found.stay_zero(())) >= {"x", "y", "z"}


def test_a_structural_statement_stands_whatever_the_numbers_are(tmp_path: Path) -> None:
    """`edge` is 0 in the arm already, so cutting it is no test; the run says so, with 3 donors as with 300."""
    text = study(tmp_path, {"holds_when": "mean(c, one, 2 h) > 0", "null": {"set": {"edge": 0}}}).to_toml()
    (tmp_path / "study.toml").write_text(text)
    found = workflow.run(tmp_path / "study.toml", out=tmp_path / "out", workers=1).findings[0]
    assert found["verdict"] == judge.UNDECIDED
    assert "cannot act on anything it reads" in found["sentence"]


@pytest.mark.parametrize("name", [name for name in shipped_studies() if read_study(name).claim])
def test_every_shipped_claim_has_a_null_that_acts(name: str) -> None:
    made = experiment_of(read_study(name))
    assert reach.null_acts(made.study, made.circuit, made.networks)


@pytest.mark.parametrize(
    ("name", "change", "expected"),
    [
        ("c05-senescence", {"holds_when": "alive(mimic, 7 d) > 0"}, False),  # death is a hazard of its own
        ("c05-coupled", {"holds_when": "alive(mimic, 7 d) > 0"}, True),  # divisions and death share the medium
        ("c13-gain", {"holds_when": "mean(release, site-mutant-mimic, 7 d) > 0"}, False),  # cut in this arm already
        ("c08-p53", {"holds_when": "arrested(p53-null-mimic, 7 d) > 0"}, False),  # no p53 to act
        ("c08-p53", {"holds_when": "arrested(mimic, 7 d) > 0"}, True),
    ],
)
def test_shipped_circuits(name: str, change: dict[str, Any], expected: bool) -> None:
    plain = read_study(name)
    given = plain.to_dict()
    given["claim"] = {**given["claim"], **change}
    given["claim"].pop("given", None)
    made = experiment_of(resolve(given, where=name))
    assert reach.null_acts(made.study, made.circuit, made.networks) is expected


# ---- against simulated cells

EDGES = (
    "miR-34c-5p -| RAB27B", "miR-34c-5p -| CDK6", "miR-34c-5p -| SIRT1", "p53 -> p21", "p53 -> MIR34C",
    "p53 -> exosome release", "RAB27B -> exosome release", "exosome -| miR-34c-5p", "exosome -> miR-34c-5p",
    "p21 -| CDK", "SIRT1 -| acetyl-p53", "senescence -> exosome release",
)  # fmt: skip
GENOTYPES: dict[str, dict[str, Any]] = {"wild": {}, "p53-null": {"knock_out": ["p53"]}}


@cache
def grown() -> tuple[IndependentCells, dict[str, np.ndarray]]:
    """A donor's cell in two genotypes, whole and with each edge cut: read-outs by arm, [times, read-outs]."""
    dose = {"dose": {"what": "miR-34c-5p", "amount": 300, "at": "0 h"}}
    arms = {name: {**how, **dose} for name, how in GENOTYPES.items()}
    arms |= {
        f"{name} {k}": {**how, **dose, "cut": [edge]} for name, how in GENOTYPES.items() for k, edge in enumerate(EDGES)
    }
    made = experiment_of(resolve({
        "title": "edges", "seed": 4, "model": {"circuit": "mir34c-rab27b"},
        "cells": {"LSC": {"n": 1, "variation": {}}}, "donors": {"n": 1},
        "culture": {"duration": "3 d", "serum": "20 %"}, "arms": arms, "readouts": {"times": ["0 d", "3 d"]},
    }, where="edges"))  # fmt: skip
    assert isinstance(made, IndependentCells)
    made.compile()
    found = {name: made.simulator.grow(arm, 1, (1,)).quantities[0] for name, arm in made.study.arms.items()}
    return made, found


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("genotype", GENOTYPES)
def test_what_is_not_reached_does_not_move(edge: str, genotype: str) -> None:
    """Simulated with and without each edge: every read-out that moves is among those reached."""
    made, found = grown()
    k = EDGES.index(edge)
    cuts = made.study.arms[f"wild {k}"].genotype
    reached = reach.Reach(made.study, made.circuit, made.networks, cuts).reached(genotype)
    assert made.circuit is not None
    ids = {readout.name: readout.id for readout in made.circuit.readouts}
    whole, cut = found[genotype], found[f"{genotype} {k}"]
    size = np.abs(whole).max(axis=0)
    moved = np.abs(cut - whole).max(axis=0) > 1e-5 * np.where(size > 0, size, 1.0)
    names = made.study.readouts.names
    assert {name for name, m in zip(names, moved, strict=True) if m} <= {n for n in names if ids[n] in reached}
    if edge != "senescence -> exosome release":  # a way that is there, of no size in cells that go on growing
        assert moved.any() == bool(reached & set(ids.values()))

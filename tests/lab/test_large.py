"""Large networks come to the end, and many calls leave the memory as it was."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import senexo
from senexo.engine.formula.evaluate import initial_values
from senexo.engine.formula.lower import lower
from senexo.engine.ssa.sampler import GENERATED, Sampler
from senexo.lab.simulation import SimulationMethod
from senexo.model.expression import Call, Number, Symbol
from senexo.model.network import Compartment, KineticLaw, Network, Reaction, Species, SpeciesReference

N_SPECIES, N_REACTIONS = 500, 800


def _conversions() -> Network:
    """First-order conversions: a ring through all species, and 300 random ones; every molecule stays."""
    rng = np.random.default_rng(3)
    pairs = [(k, (k + 1) % N_SPECIES) for k in range(N_SPECIES)]
    while len(pairs) < N_REACTIONS:
        a, b = rng.integers(0, N_SPECIES, 2)
        if a != b:
            pairs.append((int(a), int(b)))
    rates = rng.uniform(0.1, 1.0, N_REACTIONS)
    species = tuple(Species(f"s{k}", "c", initial_amount=20.0, has_only_substance_units=True) for k in range(N_SPECIES))
    reactions = tuple(
        Reaction(
            f"r{k}", (SpeciesReference(f"s{a}"),), (SpeciesReference(f"s{b}"),),
            kinetic_law=KineticLaw(Call("times", (Number(float(rate)), Symbol(f"s{a}")))),
        )
        for k, ((a, b), rate) in enumerate(zip(pairs, rates, strict=True))
    )  # fmt: skip
    return Network("large", compartments=(Compartment("c", 1.0),), species=species, reactions=reactions)


@pytest.mark.parametrize("method", ["ode", "ssa"])
def test_500_species_and_800_reactions_come_to_the_end(method: SimulationMethod) -> None:
    """All molecules are kept; means of the exact runs are the ODE's, as every law is linear.

    A count is a sum of independent choices of molecules, so its variance is at most its mean; each of 500 |z| < 5,
    which a right engine fails with probability 3e-4 at most.
    """
    network = _conversions()
    runs = 20 if method == "ssa" else 1
    found = senexo.simulate(network, [0.0, 1.0, 10.0], method=method, runs=runs, seed=1)
    amounts = np.stack([found[f"s{k}"].values for k in range(N_SPECIES)])
    np.testing.assert_allclose(amounts.sum(axis=0), 20.0 * N_SPECIES, rtol=1e-9)
    if method == "ssa":
        exact = senexo.simulate(network, [0.0, 1.0, 10.0])
        expected = np.array([float(exact[f"s{k}"][0, 2]) for k in range(N_SPECIES)])
        z = (amounts[:, :, 2].mean(axis=1) - expected) / np.sqrt(expected / runs)
        assert np.abs(z).max() < 5.0


def test_large_networks_are_not_compiled_for_exact_runs() -> None:
    """However long the runs: the compiler would take minutes, and may not end."""
    lowered = lower(_conversions())
    sampler = Sampler(lowered, initial_values(lowered))
    assert sampler.steady is not None
    assert all(sampler.shape.compilation(sampler.steady, backend) == np.inf for backend in GENERATED)


MANY = """
import gc, sys
import numpy as np
import senexo

def resident():
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 2**20

model, times = senexo.load(sys.argv[1]), np.linspace(0.0, 5.0, 50)
sizes = []
for number in range(1100):
    method = ("ssa", "ode")[number % 2]
    senexo.simulate(model, times, method=method, seed=number, parameters={"k": 1.0 + number / 7}, runs=3)
    if number in (99, 1099):
        sizes.append(resident())
print(*sizes)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_thousand_calls_leave_the_memory_as_it_was(tmp_path: Path) -> None:
    """Resident memory after 1,100 calls, each with values of its own, is at most 10 MiB above that after 100."""
    path = tmp_path / "births.ant"
    path.write_text("model b()\nsubstanceOnly species X = 0; k = 10; => X; k; X => ; X\nend\n")
    done = subprocess.run([sys.executable, "-c", MANY, str(path)], check=True, capture_output=True, text=True)
    first, last = map(float, done.stdout.split())
    assert last - first < 10.0

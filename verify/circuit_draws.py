"""How often a dose arrests for three days, over draws of all uncertain parameters, against an earlier study's draws.

The earlier study (docs/why/circuit.md) drew 800 parameter sets of its own at 20 % serum, left out those whose
untreated cell is off, and counted. Ours are other draws from the same table: the counts are compared by Fisher's
exact test. Four comparisons, each at p >= 0.001: 4 in 1,000 correct circuits would be called wrong.
"""

from __future__ import annotations

from senexo.lab.donors import donor_values
from senexo.model.circuit import load_circuit
from verify import Check
from verify._cell import Wish, grow, longest_off

N_DRAWS, SEED = 300, 20250610
PUBLISHED: dict[str, tuple[int, int, list[Wish], float]] = {
    "mimic1000": (137, 756, [], 1000.0),
    "mimic3000": (276, 756, [], 3000.0),
    "p53null+3000": (104, 756, [("knock_out", "p53")], 3000.0),
}
BAR = 0.001


def main() -> list[Check]:
    from scipy.stats import fisher_exact

    circuit = load_circuit("mir34c-rab27b")
    table = {p.name: p for p in circuit.parameters}
    arrested, on = dict.fromkeys(PUBLISHED, 0), 0
    for donor in range(N_DRAWS):
        parameters = donor_values(table, SEED, donor)
        if longest_off(circuit, grow(circuit, ["EF"], parameters=parameters)) > 0:
            continue
        on += 1
        for arm, (_, _, genotype, copies) in PUBLISHED.items():
            dose: list[Wish] = [("dose", "miR-34c-5p", copies)]
            course = grow(circuit, ["EF"], genotype=genotype, treatment=dose, parameters=parameters)
            arrested[arm] += longest_off(circuit, course) > 72
    checks = []
    for arm, (k, n, _, _) in PUBLISHED.items():
        p = float(fisher_exact([[k, n - k], [arrested[arm], on - arrested[arm]]]).pvalue)
        detail = f"p-value; {arrested[arm]} of {on} draws, then {k} of {n}"
        checks.append(Check(f"{arm} off for more than 72 h", p, BAR, p >= BAR, detail, ">="))
    share = on / N_DRAWS
    p = float(fisher_exact([[756, 44], [on, N_DRAWS - on]]).pvalue)
    checks.append(Check("untreated cell on", p, BAR, p >= BAR, f"p-value; {share:.3f}, then 0.945", ">="))
    return checks

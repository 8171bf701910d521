"""Published stochastic models with timed events, against COPASI's direct method.

BioModels 188 and 287 (Proctor & Gray 2008, doi 10.1186/1752-0509-2-75; Proctor & Gray 2010,
doi 10.1186/1750-1326-5-7): p53 and Mdm2, with a pulse of radiation by two timed events. `RUNS` trajectories of each
program; at every time, means are compared by Z and variances by the difference of their logarithms over its standard
error from the sampled kurtosis. All scores must lie within 5.05.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from senexo.engine.formula.evaluate import initial_values
from senexo.engine.formula.lower import lower
from senexo.engine.formula.network import Lowered
from senexo.engine.ssa.sampler import sample
from senexo.model.loading import load
from verify import Check

FOLDER = Path(__file__).resolve().parents[2] / "shared/data/biomodels"
RUNS, SEED, BAR = 300, 188, 5.05
# 188's pulse comes at 3,600 s and lasts 60 s. 287's comes at 172,800 s: brought forward in both programs.
TIMES = np.array([0.0, 1800.0, 3630.0, 3700.0, 5400.0])
PULSES = {"172800": "3600", "172860": "3660"}

Values = NDArray[np.float64]


def brought_forward(name: str, folder: Path) -> Path:
    """A copy of the model with its pulse at 3,600 s."""
    text = (FOLDER / f"BIOMD0000000{name}.xml").read_text(encoding="utf-8")
    for late, early in PULSES.items():
        text = text.replace(late, early)
    path = folder / f"{name}.xml"
    path.write_text(text, encoding="utf-8")
    return path


def by_copasi(path: Path, ids: list[str], runs: int) -> Values:
    """[runs, n_times, species]: molecules, one call per run."""
    import basico

    model = basico.load_model(str(path))
    basico.set_model_unit(substance_unit="#", model=model)
    names = {row["sbml_id"]: name for name, row in basico.get_species(model=model).iterrows()}
    found = []
    for run in range(runs):
        table = basico.run_time_course(
            values=TIMES.tolist(), start_time=0, use_numbers=True, method="directMethod", use_seed=True, seed=run + 1,
            model=model,
        )  # fmt: skip
        found.append(table[[names[id] for id in ids]].to_numpy()[-len(TIMES) :])
    basico.remove_datamodel(model)
    return np.array(found)


def two_sample(a: Values, b: Values) -> tuple[float, float]:
    """Largest score of the means and of the variances, over all columns that vary."""

    def moments(x: Values) -> tuple[Values, Values, Values]:
        centred = x - x.mean(axis=0)
        variance = np.mean(centred**2, axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            return x.mean(axis=0), variance, np.mean(centred**4, axis=0) / variance**2

    (mean_a, var_a, kurt_a), (mean_b, var_b, kurt_b) = moments(a), moments(b)
    varies = (var_a > 0) & (var_b > 0)
    assert np.array_equal(mean_a[(var_a == 0) & (var_b == 0)], mean_b[(var_a == 0) & (var_b == 0)])
    z = (mean_a - mean_b)[varies] / np.sqrt(var_a / len(a) + var_b / len(b))[varies]
    error = np.sqrt((kurt_a - 1.0) / len(a) + (kurt_b - 1.0) / len(b))[varies]
    return float(np.abs(z).max()), float(np.abs(np.log(var_a[varies] / var_b[varies]) / error).max())


def by_senexo(lowered: Lowered, slots: list[int], runs: int) -> Values:
    return sample(lowered, initial_values(lowered), TIMES, runs=runs, seed=SEED)[:, :, slots]


def main() -> list[Check]:
    """Both models."""
    import tempfile

    checks = []
    with tempfile.TemporaryDirectory() as folder:
        for name in ("188", "287"):
            path = brought_forward(name, Path(folder))
            lowered = lower(load(path).network)
            counted = {change.slot for reaction in lowered.reactions for change in reaction.changes}
            ids = [lowered.slots[slot].id for slot in sorted(counted)]
            slots = [lowered.slot(id) for id in ids]
            z, y = two_sample(by_senexo(lowered, slots, RUNS), by_copasi(path, ids, RUNS))
            detail = f"|Z| {z:.2f} of means, {y:.2f} of variances; {RUNS} runs, {len(ids)} species, COPASI"
            checks.append(Check(f"BioModels {name}", max(z, y), BAR, max(z, y) <= BAR, detail))
    return checks

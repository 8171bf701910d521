"""Batched ODEs against scipy's Radau (through the table machine, which shares only the formulas), and their order.

The bar of each agreement is written down from the tolerances: both sides run at 1e-10 and a global error of a
few thousand local ones is allowed on the switching problems.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from senexo.engine.formula.evaluate import initial_values
from senexo.engine.formula.lower import lower
from senexo.engine.formula.network import Lowered
from senexo.engine.ode.ensemble import BatchODE
from senexo.engine.ode.single import integrate
from senexo.model.loading import load
from verify import Check, not_run
from verify._problems import HIRES, OREGONATOR, ROBERTSON, VAN_DER_POL

ROOT = Path(__file__).resolve().parents[1]
YAO = ROOT.parent / "shared" / "data" / "biomodels" / "BIOMD0000000318.xml"
SEED = 20_318
Case = tuple[str, Lowered, dict[str, NDArray[np.float64]], NDArray[np.float64], float, float]


def main() -> list[Check]:
    checks = []
    for name, network, changed, times, atol, bar in _cases():
        rows = initial_values(network, {network.slot(i): x for i, x in changed.items()}, 8)
        batch = BatchODE(network)
        result = batch.solve(rows, times, rtol=1e-10, atol=atol)
        worst = float(result.status.max()) and np.inf
        for row, found in zip(rows, result.values, strict=True):
            expected = integrate(network, row, times, rtol=1e-10, atol=atol, solver="Radau")
            worst = max(worst, float((np.abs(found - expected) / _sizes(expected)).max()))
        checks.append(Check(f"{name} as Radau", worst, bar, worst < bar, "8 rows, share of each largest value", "<"))
        checks.append(_order(name, batch, rows, times, atol))
    if not YAO.exists():
        checks.append(not_run("Yao switch", "../shared/data is not beside this checkout"))
    return checks


def _cases() -> Iterator[Case]:
    """Name, network, what differs between the 8 rows, times, absolute tolerance, bar."""
    rng = np.random.default_rng(SEED)

    def spread(sd: float = 0.3) -> NDArray[np.float64]:
        return np.exp(sd * rng.standard_normal(8))

    decades = np.r_[0.0, 10.0 ** np.arange(-6, 8)]
    yield "Robertson", ROBERTSON.lowered(), {"k1": 0.04 * spread(), "k3": 1e4 * spread()}, decades, 1e-18, 1e-7
    circle = np.linspace(0.0, 2000.0, 81)
    yield "Van der Pol", VAN_DER_POL.lowered(), {"mu": 1000 * spread(0.1)}, circle, 1e-12, 1e-6
    yield "HIRES", HIRES.lowered(), {"k": 280 * spread()}, np.linspace(0.0, 320.0, 81), 1e-14, 1e-7
    yield "Oregonator", OREGONATOR.lowered(), {"x": spread()}, np.linspace(0.0, 360.0, 91), 1e-12, 1e-6
    reference = lower(load(ROOT / "bench" / "reference.ant").network)
    varied = {"dm": 0.2 * spread(), "kon": 0.004 * spread(), "K21": 200 * spread(), "kcdk": 900 * spread()}
    yield "reference network", reference, varied, np.linspace(0.0, 72.0, 73), 1e-8, 1e-7
    if YAO.exists():
        serum = {"S": np.geomspace(0.1, 20.0, 8)}
        switch = replace(load(YAO).network, events=())  # its one event sets the serum S; here the rows do
        yield "Yao switch", lower(switch), serum, np.linspace(0.0, 100.0, 101), 1e-13, 1e-6
    circuit = lower(load("mir34c-rab27b").network)
    varied = {"th_mir": 24 * spread(), "m0": 40 * spread(), "Td": 48 * spread(), "L": 300 * spread()}
    yield "mir34c-rab27b", circuit, varied, np.linspace(0.0, 168.0, 169), 1e-10, 1e-6


def _order(name: str, batch: BatchODE, rows: NDArray[np.float64], times: NDArray[np.float64], atol: float) -> Check:
    """A hundredth of the tolerance is to lower the error at least twentyfold, on average from 1e-4 to 1e-8."""
    exact = batch.solve(rows, times, rtol=1e-12, atol=atol * 1e-2).values
    errors = []
    for rtol in (1e-4, 1e-6, 1e-8):
        found = batch.solve(rows, times, rtol=rtol, atol=atol * rtol * 1e10).values
        errors.append(float(np.median((np.abs(found - exact) / _sizes(exact)).max(axis=(1, 2)))))
    gain = (errors[0] / errors[2]) ** 0.5
    detail = "errors at 1e-4, 1e-6, 1e-8: " + ", ".join(f"{error:.1e}" for error in errors)
    return Check(f"{name}: tolerance obeyed", gain, 20.0, gain > 20.0 and errors[1] < 1e-4, detail, ">")


def _sizes(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Largest absolute value of each slot over the times; 1 where it is 0 throughout."""
    largest = np.abs(values).max(axis=-2, keepdims=True)
    return np.where(largest > 0, largest, 1.0)

"""The quantities of a study file that have a kind of their own, and the bounds of its whole numbers."""

from __future__ import annotations

from senexo.base.units import SPAN, TIME, Kind

HOURS = Kind("hour", "hours, 0 or more, e.g. 48.0", high=TIME.high, bare=True)
SPAN_H = Kind("hour", "hours above 0, e.g. 168.0", low=SPAN.low, high=SPAN.high, bare=True)
STEP = Kind("hour", 'a time step from 0.01 h on, e.g. "1 h"', low=0.01, high=TIME.high)
STEP_H = Kind("hour", "hours from 0.01 on, e.g. 1.0", low=0.01, high=TIME.high, bare=True)
PERCENT_H = Kind("percent", "percent from 0 to 100, e.g. 20.0", high=100.0, bare=True)
VARIATION = Kind("dimensionless", 'a coefficient of variation from 0 to 3, e.g. 0.2 or "20 %"', high=3.0, bare=True)
CYCLES = Kind("dimensionless", "a number of cycles from 0 to 100, e.g. 38", high=100.0, bare=True)
EFFICIENCY = Kind("dimensionless", "a gain per cycle from 0.1 to 1 (1 = doubling)", low=0.1, high=1.0, bare=True)
LEVEL = Kind("dimensionless", 'a level from 50 to 99.9 %, e.g. "95 %"', low=0.5, high=0.999, bare=True)
CELLS = Kind("dimensionless", "a number of cells above 0, e.g. 100", low=1e-3, high=1e9, bare=True)
INJECTED = Kind("cell", "a number of cells from 1 to 1e9, e.g. 1000000", low=1.0, high=1e9, bare=True)

DEFAULT_SEED, MAX_SEED = 1, 2**63 - 1
DEFAULT_DONORS, MAX_DONORS = 20, 10_000
MAX_CELLS_PER_TYPE = 100_000  # of one type, in a well or of a donor
DEFAULT_WELL_CAPACITY, MAX_WELL_CAPACITY = 20_000, 10_000_000  # cells of a well that are followed
DEFAULT_RARE_CELLS = 50
MAX_MICE = 1000  # of an arm and sample, or of a dose
MAX_PATIENTS = 100_000  # of a cohort
DEFAULT_GRID_H, MAX_GRID_POINTS = 1.0, 20_000
DEFAULT_WINDOW_H = 0.25  # the pools' errors at it: docs/engine.md

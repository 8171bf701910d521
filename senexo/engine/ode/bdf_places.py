"""Where the compiled steps of `senexo.engine.ode.bdf` find what they work on, in flat arrays."""

from __future__ import annotations

# What ends a call.
AT_STOP, CHANGED, AGAIN, FAILED, STALLED = 0, 1, 2, 3, 4

# `places`, whole numbers that stay the same for a model: where programs begin and end, where cells are, and where the
# parts of `whole` begin.
(N, N_SLOTS, TIME_CELL, DERIVE, DERIVE_END, RATES, RATES_END, SLOPES, SLOPES_END, LOOK, LOOK_END, LAWS, LAWS_END,
 TERMS, TERMS_END, RATE_CELL, SLOPE_CELL, TERM_CELL, WATCHED, WATCHED_END, GAPS, GAPS_END, LAW_CELL, N_LAWS, STATES,
 COUNTS, DIAGONAL, ENTRIES, FACTOR,
 SOLVE, BEGINS, EXCHANGED, GUARDED) = range(33)  # fmt: skip
N_PLACES = 33

# `clock`, numbers that a run moves on: its time; the step; the longest; tolerance; when it last looked whether it
# stalls; the share of each size that counts as nothing; the least size as a share of the largest (negative: atol is
# fixed); the end of the run; the end of the last step; c of the factored matrix (0: none), and how fast Newton's
# iterations with it converge (0: not known); the time whose terms have not been added to `moved`.
TIME, STEP, LONGEST, RTOL, CHECKED, ALLOWED, FLOOR, END, STEP_END, FACTORED, CONVERGENCE, UNCOUNTED = range(12)
N_CLOCK = 12
# `counts`: steps of this run, outputs written, is a further floor left, order, steps of equal size and order, steps
# since the Jacobian was computed (-1: never), is the matrix dense, is a part of the last step still to be examined, and
# the number of steps when it last looked whether it stalls.
STEPS, OUTPUTS, FURTHER, ORDER, EQUAL, AGE, FULL, PENDING, LOOKED = range(9)
N_COUNTS = 9

# Rows of `work` [rows, n]: eight backward differences (the first is the state), then others.
PREDICTED, NEW, RATE, PSI, CORRECTION, RIGHT, SCRATCH, TERM, FIRST, AHEAD = range(8, 18)
N_WORK = 18

"""Patients under 7+3: leukaemia, normal marrow, neutrophils and platelets, remission, relapse and death.

Stem cells are one by one when few (`senexo.engine.host.stem_cells`), all other cells numbers per patient, in steps of a
quarter of a day. `PATIENT` names what is known of a patient, `OUTCOME` what becomes of one. All rates are per day.

T_1' = blasts that stem cells make - (k + psi + d) T_1;  T_i' = 2 k T_(i-1) - (k + psi + d) T_i
M' = 2 k T_n - (m + d) M
H_s' = (2 r s - 1) l H_s - (psi_H + d) H_s;  H_m' = 2 (1 - r s) l H_s - (g + d) H_m;  s = 1 / (1 + signal H_m)
d = crowding max(0, cells per kg - 4e9);  psi_H = normal_kill psi

Neutrophils and platelets have the equations of `senexo.engine.blood.transit`, the normal share of the marrow and the
exposure of the course acting on their precursors.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from senexo.engine.formula.kernels import kernel
from senexo.engine.host.stem_cells import step

STEP_D = 0.25
FINE, COARSE = 5, 2  # steps of blasts, normal marrow and blood within one; where neither drug nor blood is followed
WEIGHT_KG = 70.0
ROOM = 4e9  # cells per kg from which marrow is crowded
LAST_REMISSION, FIRST_REMISSION, CHECKED, SECOND = 75.0, 21.0, 16.0, 21.0  # days
BLASTS, NEUTROPHILS, PLATELETS = 0.05, 1.0, 100.0  # remission: below, above, above
RECOVERED = 90.0  # days after the last course in which blood counts are followed
COURSE_D, FIRST_CONSOLIDATION, BETWEEN = 35.0, 10.0, 35.0  # days
GRAFT_DEATH_D = 180.0
ALIVE, IN_COURSE, OF_LEUKAEMIA, OF_TRANSPLANT, OF_OTHERS = range(5)
CAUSES = ("alive", "in a course", "leukaemia", "transplant", "other")

_BLOOD = [f"{cells}_{name}" for cells in ("neutrophils", "platelets")
          for name in ("baseline", "transit", "loss", "feedback", "slope")]  # fmt: skip
PATIENT = np.dtype([(name, float) for name in (
    "active", "quiescent", "division", "renewal", "renewal_escaped", "rest", "wake", "clearance", "escape",
    "kill_resting", "transits", "transit_division", "blast_loss", "blasts", "leukaemic", "normal", "renewal_normal",
    "division_normal", "loss_normal", "signal", "crowding", "normal_kill", *_BLOOD, "second_above", "consolidations",
    "transplant_day", "transplant_cures", "transplant_hazard", "course_hazard", "consolidation_factor",
    "neutropenia_factor", "other_hazard", "salvaged", "later_hazard", "mrd_day", "row", "above",
)])  # fmt: skip
"""active, quiescent: stem cells at diagnosis. leukaemic, normal: cells in marrow then, of which `blasts` are blasts.
row, above: between row and row + 1 of the tables of hazards, the share of the second. later_hazard: of death after
failure or relapse. transplant_day: after remission, inf: none; transplant_cures: whether it removes the leukaemia."""
OUTCOME = np.dtype([(name, float) for name in (
    "remission_day", "relapse_day", "death_day", "cause", "second_course", "blasts_day16", "stem_at_remission",
    "stem_at_relapse", "least_stem", "mrd", "transplant_day", "neutrophils_nadir", "platelets_nadir",
    "neutrophils_grade4_days", "platelets_grade4_days", "courses", "salvaged", "fails_day",
)])  # fmt: skip
"""Days after the beginning, nan where it did not happen (mrd: leukaemic over all marrow cells, nan: not measured)."""
Floats = NDArray[np.float64]

_compile = kernel()


@_compile
def _blood_slopes(b: Any, line: Any, drug: Any, share: float, out: Any) -> None:
    """Derivatives of both lines [2, 5] of blood cells."""
    for i in range(2):
        transit, loss = line[i, 1], line[i, 2]
        answer = (1.0 - drug[i]) * share * (line[i, 0] / max(b[i, 4], 1e-4 * line[i, 0])) ** line[i, 3]
        out[i, 0] = transit * b[i, 0] * (answer - 1.0)
        for j in range(1, 4):
            out[i, j] = transit * (b[i, j - 1] - b[i, j])
        out[i, 4] = transit * b[i, 3] - loss * b[i, 4]


@_compile
def blood_step(b: Any, line: Any, drug: Any, share: float, length: float) -> None:
    """Both lines of blood cells b [2, 5] after `length` days: one step of the classical Runge-Kutta method."""
    k = np.empty((4, 2, 5))
    _blood_slopes(b, line, drug, share, k[0])
    _blood_slopes(b + 0.5 * length * k[0], line, drug, share, k[1])
    _blood_slopes(b + 0.5 * length * k[1], line, drug, share, k[2])
    _blood_slopes(b + length * k[2], line, drug, share, k[3])
    for i in range(2):
        for j in range(5):
            b[i, j] = max(1e-12, b[i, j] + length / 6.0 * (k[0, i, j] + 2.0 * (k[1, i, j] + k[2, i, j]) + k[3, i, j]))


@_compile
def _marrow_slopes(p: Any, t: Any, made: float, kill: float, crowded: float, n: int, out: Any) -> None:
    """Derivatives of t: transit blasts 1 to n, mature ones, normal immature and mature cells (per kg)."""
    k = p.transit_division
    for i in range(n):
        out[i] = (2.0 * k * t[i - 1] if i else made) - (k + kill + crowded) * t[i]
    out[n] = 2.0 * k * t[n - 1] - (p.blast_loss + crowded) * t[n]
    stays = p.renewal_normal / (1.0 + p.signal * t[n + 2])
    out[n + 1] = ((2.0 * stays - 1.0) * p.division_normal - p.normal_kill * kill - crowded) * t[n + 1]
    out[n + 2] = 2.0 * (1.0 - stays) * p.division_normal * t[n + 1] - (p.loss_normal + crowded) * t[n + 2]


@_compile
def marrow_step(p: Any, t: Any, made: float, kill: float, crowded: float, length: float) -> None:
    """Blasts and normal cells t after `length` days: one step of Heun's method."""
    marrow_step_in(p, t, made, kill, crowded, length, np.empty((3, len(t))))


@_compile
def marrow_step_in(p: Any, t: Any, made: float, kill: float, crowded: float, length: float, work: Any) -> None:
    """`marrow_step` with working space [3, len(t)]."""
    n = int(p.transits)
    first, second, ahead = work[0], work[1], work[2]
    _marrow_slopes(p, t, made, kill, crowded, n, first)
    for i in range(len(t)):
        ahead[i] = t[i] + length * first[i]
    _marrow_slopes(p, ahead, made, kill, crowded, n, second)
    for i in range(len(t)):
        t[i] = max(0.0, t[i] + 0.5 * length * (first[i] + second[i]))


@_compile
def balanced(p: Any, growth: float, t: Any) -> float:
    """Put into t the blasts of balanced growth per stem cell; their sum."""
    n, k = int(p.transits), p.transit_division
    active = p.active / (p.active + p.quiescent)
    t[0] = 2.0 * (1.0 - p.renewal) * p.division * active / (k + growth)
    for i in range(1, n):
        t[i] = 2.0 * k * t[i - 1] / (k + growth)
    t[n] = 2.0 * k * t[n - 1] / (p.blast_loss + growth)
    return t[: n + 1].sum()


@_compile
def at_rest(line: Any, share: float) -> Any:
    """Both lines of blood cells [2, 5] at rest beside a normal share of marrow cells."""
    b = np.empty((2, 5))
    for i in range(2):
        b[i, 4] = line[i, 0] * share ** (1.0 / line[i, 3])
        b[i, :4] = line[i, 2] * b[i, 4] / line[i, 1]
    return b


@_compile
def _one(
    k0: Any, k1: Any, p: Any, kills: Any, exposed: Any, added: Any, end: float, limits: Any, out: Any, course: Any
) -> None:
    """One patient to `end` (days). limits [4] the integrated hazards at death, by cause; course [days, 4] or [0, 4]."""
    used = np.zeros(1, np.uint64)
    n = int(p.transits)
    x = np.array([p.active, p.quiescent, 0.0, 0.0, 0.0])
    t, born, h = np.zeros(n + 3), np.zeros(1), np.empty(10)
    growth = (2.0 * p.renewal - 1.0) * p.division * p.active / (p.active + p.quiescent)
    blasts = balanced(p, growth, t)
    t[: n + 1] *= p.leukaemic / blasts
    t[n + 1] = p.normal / WEIGHT_KG * 0.8364  # immature over all normal cells in health
    t[n + 2] = p.normal / WEIGHT_KG * 0.1636
    line = np.array([
        [p.neutrophils_baseline, p.neutrophils_transit, p.neutrophils_loss, p.neutrophils_feedback],
        [p.platelets_baseline, p.platelets_transit, p.platelets_loss, p.platelets_feedback],
    ])  # fmt: skip
    slope = np.array([p.neutrophils_slope, p.platelets_slope])
    b, drug = at_rest(line, p.normal / (p.normal + p.leukaemic)), np.zeros(2)
    begun, kind, courses, last_course = 0, 0, 1, 0.0
    remission, graft = np.nan, np.nan
    risk, work = np.zeros(4), np.empty((3, n + 3))
    row, above = int(p.row), p.above
    out.least_stem = x.sum()
    out.courses = 1.0
    out.neutrophils_nadir = out.platelets_nadir = np.inf
    for i in range(round(end / STEP_D)):
        now = i * STEP_D
        at = i - begun
        kill = kills[kind, at] if at < kills.shape[1] else 0.0
        crowded = p.crowding * max(0.0, (t[: n + 1].sum() + x.sum()) / WEIGHT_KG + t[n + 1] + t[n + 2] - ROOM)
        acts = at < added.shape[2]
        h[0], h[1], h[2], h[3], h[4] = p.division, p.renewal, p.renewal_escaped, p.rest, p.wake
        h[5], h[8], died = 0.0, p.escape, 0.0
        if acts:
            h[5] = added[row, 0, at] + above * (added[row + 1, 0, at] - added[row, 0, at])
            died = added[row, 1, at] + above * (added[row + 1, 1, at] - added[row, 1, at])
            h[8] = added[row, 2, at] + above * (added[row + 1, 2, at] - added[row, 2, at])
            h[0] *= added[row, 3, at] + above * (added[row + 1, 3, at] - added[row, 3, at])
        h[6], h[7], h[9] = kill + died + crowded, p.kill_resting * kill + crowded, p.clearance + crowded
        born[0] = 0.0
        step(k0, k1, used, x, STEP_D, h, born)
        followed = now < last_course + RECOVERED
        if at < exposed.shape[1]:
            drug[:] = slope * exposed[kind, at]
        else:
            drug[:] = 0.0
        fine = FINE if followed or kill > 0.0 else COARSE
        for _ in range(fine):
            marrow_step_in(p, t, born[0] / STEP_D, kill, crowded, STEP_D / fine, work)
            if followed:
                healthy = (t[n + 1] + t[n + 2]) * WEIGHT_KG
                blood_step(b, line, drug, healthy / (healthy + t[: n + 1].sum() + x.sum()), STEP_D / fine)
        leukaemic = t[: n + 1].sum() + x.sum()
        if leukaemic < 1.0:
            t[: n + 1] = 0.0
        healthy = (t[n + 1] + t[n + 2]) * WEIGHT_KG
        share = leukaemic / (leukaemic + healthy)
        if followed:
            out.neutrophils_nadir = min(out.neutrophils_nadir, b[0, 4])
            out.platelets_nadir = min(out.platelets_nadir, b[1, 4])
            out.neutrophils_grade4_days += STEP_D if b[0, 4] < 0.5 else 0.0
            out.platelets_grade4_days += STEP_D if b[1, 4] < 25.0 else 0.0
        out.least_stem = min(out.least_stem, x.sum())
        if i % 4 != 3:
            continue
        day = now + STEP_D
        if len(course):
            course[int(day) - 1, 0], course[int(day) - 1, 1] = leukaemic, x.sum()
            course[int(day) - 1, 2], course[int(day) - 1, 3] = b[0, 4], b[1, 4]
        # ---- death
        if day <= last_course + COURSE_D:
            risk[0] += (
                p.course_hazard * (p.consolidation_factor if kind else 1.0)
                * (p.neutropenia_factor if b[0, 4] < 0.5 else 1.0)
            )  # fmt: skip
        risk[1] += p.other_hazard
        if not np.isnan(graft) and day <= graft + GRAFT_DEATH_D:
            risk[2] += p.transplant_hazard
        for cause, which in ((IN_COURSE, 0), (OF_OTHERS, 1), (OF_TRANSPLANT, 2)):
            if risk[which] >= limits[which]:
                out.death_day, out.cause = day, float(cause)
                return
        # ---- remission, failure, relapse
        if day == CHECKED:
            out.blasts_day16 = share
        if day == SECOND and share > p.second_above:
            begun, kind, courses, last_course = i + 1, 0, courses + 1, day
            out.second_course = 1.0
        if np.isnan(remission):
            if (
                day >= FIRST_REMISSION and day > last_course + 14.0 and share < BLASTS and b[0, 4] > NEUTROPHILS
                and b[1, 4] > PLATELETS
            ):  # fmt: skip
                remission = day
                out.remission_day, out.stem_at_remission = day, x.sum()
            elif day >= LAST_REMISSION:
                out.fails_day = day
        elif share >= BLASTS and x.sum() > 0.0:  # without a stem cell blasts that rise burn out by themselves
            out.relapse_day, out.stem_at_relapse, out.fails_day = day, x.sum(), day
        if not np.isnan(out.fails_day):
            _later(p, day, end, risk, limits, out)
            return
        if np.isnan(remission):
            continue
        since = day - remission
        if since == np.round(p.mrd_day):
            out.mrd = share
        done = courses - 1 - int(out.second_course)
        if np.isnan(graft) and since >= p.transplant_day:
            graft = out.transplant_day = day
            if p.transplant_cures > 0.0:
                x[:] = 0.0
                t[: n + 1] = 0.0
        elif np.isnan(graft) and done < p.consolidations and since >= FIRST_CONSOLIDATION + BETWEEN * done:
            begun, kind, courses, last_course = i + 1, 1, courses + 1, day
        out.courses = float(courses)
        waits = np.isnan(graft) and p.transplant_day < np.inf
        over = done >= p.consolidations or not np.isnan(graft)
        settled = day > last_course + RECOVERED and (np.isnan(graft) or day > graft + GRAFT_DEATH_D)
        if leukaemic < 1.0 and x.sum() == 0.0 and over and not waits and settled:
            _others(p, day, end, risk, limits, out)
            return


@_compile
def _others(p: Any, day: float, end: float, risk: Any, limits: Any, out: Any) -> None:
    """Nothing but other causes of death is left."""
    when = day + (limits[1] - risk[1]) / p.other_hazard if p.other_hazard > 0.0 else np.inf
    if when <= end:
        out.death_day, out.cause = when, float(OF_OTHERS)


@_compile
def _later(p: Any, day: float, end: float, risk: Any, limits: Any, out: Any) -> None:
    """After failure or relapse: cured by later treatment, or death at a constant hazard."""
    out.salvaged = p.salvaged
    _others(p, day, end, risk, limits, out)
    if p.salvaged > 0.0 or p.later_hazard <= 0.0:
        return
    when = day + limits[3] / p.later_hazard
    if when <= end and not out.death_day <= when:
        out.death_day, out.cause = when, float(OF_LEUKAEMIA)


@_compile
def _all(
    keys: Any, patients: Any, kills: Any, exposed: Any, added: Any, end: float, limits: Any, out: Any, courses: Any
) -> None:
    empty = np.zeros((0, 4))
    for i in range(len(patients)):
        course = courses[i] if i < len(courses) else empty
        _one(keys[i, 0], keys[i, 1], patients[i], kills[i], exposed[i], added, end, limits[i], out[i], course)


def follow(
    keys: NDArray[np.uint64], patients: NDArray[Any], kills: Floats, exposed: Floats, added: Floats, end: float,
    limits: Floats, courses: int = 0,
) -> tuple[NDArray[Any], Floats]:  # fmt: skip
    """What becomes of patients, and the daily courses of the first of them.

    Parameters
    ----------
    keys
        [n, 2] of their random numbers.
    patients
        [n] of `PATIENT`.
    kills
        [n, 2, steps] kill hazard per day of cycling cells in each step of induction and of a consolidation.
    exposed
        [n, 2, steps] ln(1 + concentration in uM) in these steps, as it acts on blood cells.
    added
        [rows, 4, steps] what a course adds for stem cells: commitment and death per day, escape per day, factor on
        divisions.
    end
        Days.
    limits
        [n, 4] integrated hazards at which a patient dies in a course, of other causes, of a transplant, of leukaemia.
    courses
        Of so many patients the course is kept: [patients, days, 4] leukaemic cells, stem cells, neutrophils, platelets;
        zero after death, failure, relapse or the certain absence of leukaemia.
    """
    out = np.zeros(len(patients), OUTCOME)
    for name in ("remission_day", "relapse_day", "death_day", "blasts_day16", "stem_at_remission", "stem_at_relapse",
                 "mrd", "transplant_day", "fails_day"):  # fmt: skip
        out[name] = np.nan
    kept = np.zeros((min(courses, len(patients)), round(end), 4))
    _all(keys, patients, kills, exposed, added, end, limits, out, kept)
    return out, kept

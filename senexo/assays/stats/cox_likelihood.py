"""The partial likelihood of Cox's model (Efron's ties, strata): its value, slope, information, and what follows.

Each event contributes x_i b - log(sum over those at risk of exp(x b)); of d events at one time the k-th counts its
peers by 1 - k/d only (Efron). Cox DR, J R Stat Soc B 1972;34:187-202, doi 10.1111/j.2517-6161.1972.tb00899.x;
Efron B, J Am Stat Assoc 1977;72:557-565, doi 10.1080/01621459.1977.10480613.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from senexo.assays.stats.kaplan_meier import Flags, Floats, Labels, curve
from senexo.assays.stats.risk_sets import FromEntry, FromStart, RiskSets

_PLANES = 500  # rounds of cutting planes; each adds the pairs that its solution breaks
_NOTHING = 1e-9  # a slope of standardised covariates; below it a direction is flat


@dataclass(frozen=True, slots=True)
class Moments:
    """Weighted moments of the covariates among those at risk, one entry for every event.

    total: sum of weights; mean: events x p; covariance: events x p x p; third: events x p x p x p, central.
    """

    total: Floats
    mean: Floats
    covariance: Floats
    third: Floats | None


class Partial:
    """Who is at risk at which event, sorted once; x: patients x p covariates, stratum: numbers from 0.

    entry: when each patient came under observation (left truncation): at risk at t are those with entry < t <= time.
    """

    def __init__(self, time: Floats, event: Flags, x: Floats, stratum: Labels, entry: Floats | None = None) -> None:
        order = np.lexsort((-time, stratum))  # by stratum, the longest followed first
        self.time, self.event, self.x, self.stratum = time[order], event[order], x[order], stratum[order]
        self.entry = None if entry is None else entry[order]
        n = len(order)
        new = np.ones(n, dtype=bool)
        new[1:] = (self.time[1:] != self.time[:-1]) | (self.stratum[1:] != self.stratum[:-1])
        moment = np.cumsum(new) - 1  # which (stratum, time) a patient is of
        last = np.append(np.flatnonzero(new)[1:], n) - 1  # the last patient of each
        begin = np.searchsorted(self.stratum, self.stratum)  # where the stratum begins
        deaths = np.flatnonzero(self.event)
        self.cases = self.x[deaths]
        self.case_time = self.time[deaths]
        self._deaths, self._moment = deaths, moment[deaths]
        self._last, self._begin = last[moment[deaths]], begin[deaths]
        count = np.bincount(self._moment, minlength=int(moment[-1]) + 1)
        rank = np.arange(len(deaths)) - np.searchsorted(self._moment, self._moment)
        self._share = rank / count[self._moment]
        self.risk_sets: RiskSets = FromStart(self._begin, self._last)
        if self.entry is not None:
            at, of = self.time[deaths], self.stratum[deaths]
            self.risk_sets = FromEntry(self.entry, self.time, self.stratum, at, of)

    def moments(self, b: Floats, *, third: bool = False) -> tuple[Floats, Moments]:
        """Linear predictors of the events less the shift that keeps exp() finite, and the moments at `b`."""
        linear = self.x @ b
        linear = linear - linear.max()
        weight = np.exp(linear)
        total = self._at_risk(weight)
        mean = self._at_risk(weight[:, None] * self.x) / total[:, None]
        square = self.x[:, :, None] * self.x[:, None, :]
        second = self._at_risk(weight[:, None, None] * square) / total[:, None, None]
        covariance = second - mean[:, :, None] * mean[:, None, :]
        cubes = None
        if third:
            cube = self._at_risk(weight[:, None, None, None] * square[..., None] * self.x[:, None, None, :])
            cubes = cube / total[:, None, None, None]
            cubes = cubes - np.einsum("tab,tc->tabc", second, mean) - np.einsum("tac,tb->tabc", second, mean)
            cubes += 2.0 * np.einsum("ta,tb,tc->tabc", mean, mean, mean) - np.einsum("tbc,ta->tabc", second, mean)
        return linear[self._deaths], Moments(total, mean, covariance, cubes)

    def _at_risk(self, values: Floats) -> Floats:
        """Sums over those at risk at each event, its peers in part."""
        whole = self.risk_sets.sums(values)
        dying = np.zeros((int(self._moment[-1]) + 1, *values.shape[1:]))
        np.add.at(dying, self._moment, values[self._deaths])
        share = self._share.reshape(-1, *[1] * (values.ndim - 1))
        found: Floats = whole - share * dying[self._moment]
        return found

    def log_likelihood(self, b: Floats) -> float:
        linear, moments = self.moments(b)
        return float(np.sum(linear - np.log(moments.total)))

    def score(self, b: Floats) -> tuple[Floats, Floats]:
        """Slope and information at `b`."""
        _, moments = self.moments(b)
        return (self.cases - moments.mean).sum(axis=0), moments.covariance.sum(axis=0)

    def separated(self) -> bool:
        """Is there a direction in which the likelihood rises for ever (monotone likelihood)?

        It does where b exists such that every event has the largest x b of all at risk with it, in one of them truly
        the largest. One covariate: looked at directly. Several: a linear programme whose m is the largest x b of those
        still at risk, maximising the sum of all leads.
        """
        lead = (self.cases - self.moments(np.zeros(self.x.shape[1]))[1].mean).sum(axis=0)
        if self.x.shape[1] == 1:
            return any(sign * lead[0] > _NOTHING and self._leads(sign * self.x[:, 0]) for sign in (1.0, -1.0))
        return (self._programme(lead) if self.entry is None else self._cutting_planes(lead)) > 1e-7

    def _leads(self, linear: Floats) -> bool:
        """Has every event the largest linear predictor of all at risk?"""
        return bool((linear[self._deaths] >= linear[self.risk_sets.highest(linear)]).all())

    def _cutting_planes(self, lead: Floats) -> float:
        """The programme of `separated` where risk sets are not nested: x_j b <= x_i b of pairs that were broken."""
        from scipy.optimize import linprog

        broken = np.zeros((0, len(lead)))
        for _ in range(_PLANES):
            found = linprog(-lead, broken, np.zeros(len(broken)), bounds=[(-1.0, 1.0)] * len(lead))
            if found.status != 0 or -found.fun <= _NOTHING:
                return 0.0
            linear = self.x @ found.x
            above = self.risk_sets.highest(linear)
            wrong = linear[above] > linear[self._deaths] + _NOTHING
            if not wrong.any():
                return float(-found.fun)
            broken = np.unique(np.vstack([broken, (self.x[above] - self.cases)[wrong]]), axis=0)
        return 0.0

    def _programme(self, lead: Floats) -> float:
        from scipy.optimize import linprog
        from scipy.sparse import coo_matrix

        n, p = self.x.shape
        # row by row: x_j b <= m_j, m_(j-1) <= m_j within a stratum; m_last <= x_i b of each event
        same = np.flatnonzero(self.stratum[1:] == self.stratum[:-1]) + 1
        events = len(self._deaths)
        rows = [np.repeat(np.arange(n), p), np.arange(n), n + np.arange(len(same)), n + np.arange(len(same))]
        columns = [np.tile(np.arange(p), n), p + np.arange(n), p + same - 1, p + same]
        values = [self.x.ravel(), -np.ones(n), np.ones(len(same)), -np.ones(len(same))]
        base = n + len(same)
        rows += [base + np.arange(events), np.repeat(base + np.arange(events), p)]
        columns += [p + self._last, np.tile(np.arange(p), events)]
        values += [np.ones(events), -self.cases.ravel()]
        a = coo_matrix(
            (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), (base + events, p + n)
        )
        bounds = [(-1.0, 1.0)] * p + [(None, None)] * n
        found = linprog(np.append(-lead, np.zeros(n)), a.tocsr(), np.zeros(base + events), bounds=bounds)
        return float(-found.fun) if found.status == 0 else 0.0

    def proportional(self, b: Floats, terms: list[list[int]]) -> list[tuple[float, int]]:
        """Score tests that coefficients do not change with 1 - S(t), one per term and one for all: (chi-square, df).

        The model with x g(t) beside x, its score at no change, g centred at its mean over the events; S is the
        Kaplan-Meier curve of all, just before t. Equal to R's `cox.zph` of survival 3 and later (older versions used
        correlations of scaled residuals: Grambsch PM, Therneau TM, Biometrika 1994;81:515-526,
        doi 10.1093/biomet/81.3.515).
        """
        everyone = curve(self.time, self.event, self.entry)
        before = np.concatenate([[1.0], everyone.survival])[np.searchsorted(everyone.time, self.case_time)]
        g = 1.0 - before
        g = g - g.mean()
        _, moments = self.moments(b)
        slope = ((self.cases - moments.mean) * g[:, None]).sum(axis=0)
        plain, crossed, squared = (
            np.einsum("t,tab->ab", weight, moments.covariance) for weight in (np.ones_like(g), g, g**2)
        )
        tests = []
        for term in [*terms, list(range(len(b)))]:
            cross = crossed[:, term]
            left = squared[np.ix_(term, term)] - cross.T @ np.linalg.solve(plain, cross)
            possible = np.linalg.matrix_rank(left, hermitian=True) == len(term)
            chi = float(slope[term] @ np.linalg.solve(left, slope[term])) if possible else float("nan")
            tests.append((chi, len(term)))
        return tests


def concordance(
    time: Floats, event: Flags, linear: Floats, stratum: Labels, entry: Floats | None = None
) -> tuple[float, float]:
    """Harrell's C of a linear predictor and its standard error (infinitesimal jackknife), as R's `concordance`.

    The share of pairs, of whom one certainly died first, in which that one had the higher predictor; equal predictors
    count half, pairs are formed within strata and, of patients who entered late, once both are followed. nan where
    there is no such pair. Harrell FE et al., JAMA
    1982;247:2543-2546, doi 10.1001/jama.1982.03320430047030.
    """
    n = len(time)
    pairs, right = np.zeros(n), np.zeros(n)
    for i in np.flatnonzero(event):
        later = (stratum == stratum[i]) & ((time > time[i]) | ((time == time[i]) & ~event))
        if entry is not None:
            later &= entry < time[i]
        won = np.where(later, (linear[i] > linear) + 0.5 * (linear[i] == linear), 0.0)
        pairs += later
        right += won
        pairs[i] += later.sum()
        right[i] += won.sum()
    total = pairs.sum() / 2.0
    if not total:
        return float("nan"), float("nan")
    share = float(right.sum() / 2.0 / total)
    return share, float(np.sqrt(np.sum(((right - share * pairs) / total) ** 2)))

"""Laws of cells that divide, die and partition their molecules, without a pool: p-values for every engine.

`h(x)` being the hazard of division in state x, A the generator of what happens inside a cell and H that of halving,
the expected number n of a founder's descendants in each state obeys dn/dt = A n + 2 h H n - h n: halving at rate 2 h
and a gain of h (two daughters, each with Binomial(copies, 1/2), take the mother's place). On the line of first
daughters halving goes at rate h, and probability is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from scipy import stats

from senexo.engine.population.model import CellType, Divide, Fate, Leave, Partition, Population, SlotUpdate
from verify._laws import Floats, Ints, Reaction, clones_fit, expectation, fits, halving, network, zero_mean
from verify._population import Engine, Grown, grow

Found = Iterator[tuple[str, float, str]]  # name of the law, p-value, what else there is to say
INERT = "substanceOnly species X in cell = 1; X => X; 0*X;"


def cell(text: str) -> str:
    return f"compartment cell = 1; founder = 1; {text}"


def dividing(
    text: str, *, hazard: str = "b", partition: Mapping[str, Partition] | None = None, line: str = ""
) -> Population:
    """Cells A that divide into two; with `line`, the text of cells B without fates, into A and one that rests as B."""
    effect = Divide("A", "B" if line else "A", partition or {})
    types = [CellType("A", network(cell(text)), (Fate("division", hazard, effect),))]
    return Population((*types, CellType("B", network(cell(line)))) if line else tuple(types))


def sizes(grown: Grown, founders: int) -> Ints:
    return np.bincount(grown.of("founder") - 1, minlength=founders)


def neglected(size: int, made: float, hazard: float, time: float) -> str:
    """How many cells per founder a box of `size` copies misses, at most, starting with none: copies made on a line of
    descent are fewer than Poisson(made t), and there are e^(hazard t) lines or fewer."""
    return f"cells beyond the box < {np.exp(hazard * time) * stats.poisson.sf(size - 1, made * time):.0e}"


def yule(engine: Engine, n: int, seed: int) -> Found:
    """Clones are geometric (Yule 1925, doi 10.1098/rstb.1925.0002); of ages a, e^(bt) e^(-2ba) cells are older."""
    b, time = 0.5, 3.0
    grown = grow(engine, dividing(f"{INERT} b = {b};"), n, time, seed=seed)
    q = np.exp(-b * time)
    yield "Yule growth: size of a clone", fits([sizes(grown, n)], np.append(0.0, q * (1 - q) ** np.arange(300))), ""
    edges = np.linspace(0.0, time, 13)
    law = np.append(-np.diff(np.exp(b * time - 2 * b * edges)), np.exp(-b * time))  # last: founders not yet divided
    place = np.where(grown.born == 0.0, 12, np.minimum((time - grown.born) / time * 12, 11)).astype(np.int64)
    yield "Yule growth: ages", clones_fit(grown.of("founder") - 1, [place], n, law), ""


def birth_and_death(engine: Engine, n: int, seed: int) -> Found:
    """Kendall 1948, doi 10.1214/aoms/1177730285: P(extinct) = d (g - 1) / (b g - d), g = e^((b-d)t)."""
    b, d, time = 0.6, 0.4, 4.0
    fates = (Fate("division", "b", Divide("A", "A")), Fate("death", "d", Leave()))
    population = Population((CellType("A", network(cell(f"{INERT} b = {b}; d = {d};")), fates),))
    size = sizes(grow(engine, population, n, time, seed=seed), n)
    g = np.exp((b - d) * time)
    extinct, rest = d * (g - 1) / (b * g - d), b * (g - 1) / (b * g - d)
    gone = int(np.sum(size == 0))
    detail = f"{gone} of {n}, expected {extinct * n:.0f}"
    yield "birth and death: extinction", float(stats.binomtest(gone, n, extinct).pvalue), detail
    law = np.append(0.0, (1 - rest) * rest ** np.arange(300))
    yield "birth and death: size of survivors", fits([size[size > 0]], law), ""


def erlang(engine: Engine, n: int, seed: int) -> Found:
    """Hazard l^2 a / (1 + l a) of age a: lives are Erlang(2, l), so floor(Poisson(l t) / 2) divisions on a line."""
    rate, time = 2.5, 4.0
    text = cell(f"{INERT} age = 0; done = 0; l = {rate}; h := l^2*age/(1 + l*age);")
    net = network(text)
    effect = Divide("A", "B", each=((SlotUpdate("done", "add", 1.0),), ()))
    types = CellType("A", net, (Fate("division", "h", effect, bound="l"),), age="age"), CellType("B", net, age="age")
    done = grow(engine, Population(types), n, time, seed=seed).of("done", "A")
    law = stats.poisson.pmf(np.arange(80), rate * time).reshape(-1, 2).sum(axis=1)
    yield "lives that are Erlang(2): divisions", fits([done], law), ""


MOST = 24  # copies in a mother


def clustered(k: int, p: float) -> Callable[[int], Floats]:
    def law(n: int) -> Floats:
        """n // k clusters and the rest of the copies as one more."""
        found = np.zeros(MOST + 1)
        for whole in range(n // k + 1):
            chance = stats.binom.pmf(whole, n // k, p)
            found[whole * k] += chance * (1.0 - p)
            found[whole * k + n % k] += chance * p
        return found

    return law


def ordered(p: float) -> Callable[[int], Floats]:
    def law(n: int) -> Floats:
        found, whole = np.zeros(MOST + 2), int(np.floor(n * p))
        found[whole] = whole + 1 - n * p
        found[whole + 1] = n * p - whole
        return found[: MOST + 1]

    return law


PARTITIONS = {
    "binomial": (Partition(), clustered(1, 0.5)),
    "own ratio 0.3": (Partition(p=0.3), clustered(1, 0.3)),
    "ordered": (Partition("ordered"), ordered(0.5)),
    "ordered, own ratio 0.3": (Partition("ordered", p=0.3), ordered(0.3)),
    "clusters of 5": (Partition("clustered", k=5), clustered(5, 0.5)),
    "clusters of 5, own ratio 0.3": (Partition("clustered", p=0.3, k=5), clustered(5, 0.3)),
}


def partitions(engine: Engine, n: int, seed: int, continuous: Sequence[str] = ()) -> Found:
    """Mothers with 0 .. 24 copies, drawn evenly: the joint law of the mother's and the first daughter's, and all sums.

    With X continuous by hand nothing changes it in between, so its law at division is still that of whole copies.
    """
    net = network(cell("substanceOnly species X in cell = 1; X => ; 0*X; b = 1;"))
    copies = np.random.default_rng(seed).integers(0, MOST + 1, n)
    for name, (rule, law) in PARTITIONS.items():
        mother = CellType("A", net, (Fate("division", "b", Divide("first", "second", {"X": rule})),))
        population = Population((mother, CellType("first", net), CellType("second", net)))
        grown = grow(
            engine, population, n, 60.0, seed=seed, window=60.0, each={"X": copies.astype(float)}, continuous=continuous
        )
        both = np.full((2, n), -1)
        for row, type in zip(both, ("first", "second"), strict=True):
            row[grown.of("founder", type) - 1] = grown.of("X", type)
        wrong = int(np.sum(both.sum(axis=0) != copies))
        whole = bool((grown.values == np.round(grown.values)).all())
        joint = np.array([law(of) for of in range(MOST + 1)]) / (MOST + 1)
        p = fits([copies, both[0]], joint) if not wrong and whole else 0.0
        yield f"partition: {name}{', continuous' if continuous else ''}", p, f"{wrong} of {n} pairs not conserved"


def diluted(k: float, b: float, time: float, before: float = 0.0) -> tuple[float, float]:
    """Mean and variance of copies per cell: made at k, halved binomially by divisions at rate b, `before` at time 0.

    From dn/dt above, per cell: m' = k - b m, and for f = E[x (x - 1)]: f' = 2 k m - 3/2 b f. In the end k / b and
    k / b + k^2 / (3 b^2).
    """
    c = 1.5 * b
    m = k / b + (before - k / b) * np.exp(-b * time)
    forced = k / b * (1 - np.exp(-c * time)) / c + (before - k / b) * (np.exp(-b * time) - np.exp(-c * time)) / (c - b)
    f = before * (before - 1) * np.exp(-c * time) + 2 * k * forced
    return float(m), float(f + m - m**2)


def dilution(engine: Engine, n: int, seed: int) -> Found:
    k, b, time, size = 20.0, 0.5, 3.0, 140
    make: list[Reaction] = [((1,), lambda x: k + 0.0 * x)]
    text = f"substanceOnly species X in cell = 0; => X; {k}; b = {b};"
    grown = grow(engine, dividing(text), n, time, seed=seed)
    clone, x = grown.of("founder") - 1, grown.of("X")
    m, v = diluted(k, b, time)
    detail = f"{x.mean():.4f}, expected {m:.4f}"
    yield "dilution: mean", zero_mean(np.bincount(clone, x - m, n)), detail
    detail = f"{np.mean((x - m) ** 2):.3f}, expected {v:.3f}"
    yield "dilution: variance", zero_mean(np.bincount(clone, (x - m) ** 2 - v, n)), detail
    many = expectation(
        (size,), (0,), make + halving(size, 0, 1, lambda x: 2 * b + 0.0 * x), time, lambda x: b + 0.0 * x
    )
    moments = [many @ np.arange(size) / many.sum(), many @ (np.arange(size) - m) ** 2 / many.sum()]
    assert np.allclose(moments, [m, v], rtol=1e-8), "two ways to the same moments"
    yield "dilution: copies in a clone", clones_fit(clone, [x], n, many), neglected(size, k, b, time)
    line = grow(
        engine, dividing(text, line="substanceOnly species X in cell = 0; X => X; 0*X;"), n, time, seed=seed + 1
    )
    law = expectation((size,), (0,), make + halving(size, 0, 1, lambda x: b + 0.0 * x), time)
    yield "dilution: first daughters", fits([line.of("X", "A")], law), f"truncated {abs(1 - law.sum()):.0e}"


ON, OFF, MAKE, DECAY = 0.7, 0.4, 12.0, 0.3


def telegraph(engine: Engine, n: int, seed: int) -> Found:
    """A gene switches on and off, daughters inherit its state, and mRNA is shared out."""
    size, b = 110, 0.5
    text = (
        "substanceOnly species G in cell = 0, M in cell = 0; h := b + s*G;"
        f"=> G; {ON}*(1 - G); G => ; {OFF}*G; => M; {MAKE}*G; M => ; {DECAY}*M;"
    )
    inside: list[Reaction] = [
        ((1, 0), lambda g, m: ON * (1 - g)),
        ((-1, 0), lambda g, m: OFF * g),
        ((0, 1), lambda g, m: MAKE * g),
        ((0, -1), lambda g, m: DECAY * m),
    ]
    copied = {"G": Partition("copied")}
    for place, (name, low, more, time) in enumerate(
        (("telegraph", b, 0.0, 4.0), ("telegraph, gene drives division", 0.2, 0.5, 3.0))
    ):

        def h(g: Floats, m: Floats, low: float = low, more: float = more) -> Floats:
            return low + more * g + 0.0 * m

        rates = f"{text} b = {low}; s = {more};"
        grown = grow(engine, dividing(rates, hazard="h", partition=copied), n, time, seed=seed + 2 * place)
        many = expectation((2, size), (0, 0), inside + halving(size, 1, 2, lambda g, m, h=h: 2 * h(g, m)), time, h)
        p = clones_fit(grown.of("founder") - 1, [grown.of("G"), grown.of("M")], n, many)
        yield f"{name}: gene and mRNA in a clone", p, neglected(size, MAKE, low + more, time)
        resting = "substanceOnly species G in cell = 0, M in cell = 0; M => M; 0*M; G => G; 0*G;"
        population = dividing(rates, hazard="h", partition=copied, line=resting)
        line = grow(engine, population, n, time, seed=seed + 2 * place + 1)
        law = expectation((2, size), (0, 0), inside + halving(size, 1, 2, h), time)
        p = fits([line.of("G", "A"), line.of("M", "A")], law)
        yield f"{name}: first daughters", p, f"truncated {abs(1 - law.sum()):.0e}"


LAWS = (yule, birth_and_death, erlang, partitions, dilution, telegraph)

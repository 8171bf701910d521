"""Populations event by event against the reference implementations in `reference/cells.py` and `cells_split.py`.

The same uniforms, so the same events: `exact` is compared with its twin by the cells' keys, types, births, every
species and the pools, and by the number of events of every reaction and fate; `split`, by tables and by the generated
kernels, also by draws. Small wells, many replicates: the twin computes everything anew after every event.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from reference.cells import Dish, dish
from reference.cells_split import windows
from senexo.engine.population.exact import run_exact
from senexo.engine.population.initial import start
from senexo.engine.population.model import (
    Become,
    Cells,
    CellType,
    Divide,
    Fate,
    Leave,
    Partition,
    Population,
    SlotUpdate,
)
from senexo.engine.population.splitting import run_split
from senexo.engine.population.stepper import Execution
from senexo.engine.population.tables import compile_population
from verify import Check
from verify._problems import lowered

EVENTS_EXACT, EVENTS_SPLIT = 1_000_000, 1_000_000
CELL = """model m()
    compartment cell = 1; compartment medium = 1; compartment blood = 1;
    substanceOnly species X in cell = 10, G in cell = 2, P in cell = 7, E in medium = 30, B in blood = 4;
    k = 5; b = 0.5; age = 0; size = 1; stem = 1;
    hazard := b*X/(X + 5); old := 0.4*age/(age + 2); bound := 0.4; death := 0.01*P;
    make: => X; k*G/2;  decay: X => ; 0.3*X;  release: X => E; 0.5*X;  uptake: E => X; 0.01*E*(1 + P/20);
    lose: E => ; 0.1*E;  cross: E => B; 0.05*E;  back: B => E; 0.2*B;  pump: X => 2 P; 0.05*X*size;
    wear: P => ; 0.1*P;  mutate: => G; 0.01*G;  lapse: G => ; 0.005*G;  sense: => P; 0.002*B*stem;
end
"""
ONCE = {"lose", "cross", "back"}


def population() -> Population:
    """Stem cells and blasts that divide in every way there is, age, die, and share two pools."""
    net = lowered(CELL)
    shares = {"G": Partition("copied"), "P": Partition("clustered", 0.3, 3)}
    each = ((SlotUpdate("stem", "multiply", 0.5),), (SlotUpdate("size", "add", 0.25),))
    both = (SlotUpdate("size", "multiply", 0.8),)
    division = Fate("division", "hazard", Divide("stem", "blast", shares, Partition("binomial", 0.4), both, each))
    ageing = Fate("ageing", "old", Become("blast", (SlotUpdate("stem", "set", "b"),)), bound="bound")
    split = Fate("split", "hazard", Divide("blast", "blast", otherwise=Partition("ordered")))
    death = Fate("death", "death", Leave())
    types = (
        CellType("stem", net, (division, ageing, death), age="age"),
        CellType("blast", net, (split, death), age="age"),
    )
    return Population(types, pools=("medium", "blood"))


def differences(population: Population, now: Cells, twin: Dish, *, draws: bool) -> int:
    """How many things differ: of cells (key, type, birth, each species), pools, and events per reaction or fate."""
    cells = [cell for cell in twin.cells if not cell.medium]
    slots = population.countable[0]
    found = len(now) != len(cells)
    for key, type, born, used, values, cell in zip(
        now.key.tolist(), now.type.tolist(), now.born.tolist(), now.draws.tolist(), now.values, cells, strict=False
    ):
        found += (tuple(key), type, born) != (cell.key, cell.type, cell.born)
        found += sum(values[slot] != cell.v[slot] for slot in slots)
        found += draws and used != cell.draws
    return int(found) + sum(a != b for a, b in zip(now.pools.tolist(), twin.pools.values(), strict=True))


def fired(population: Population, cells: Cells) -> Counter[str]:
    """Events by the name of the reaction or fate."""
    found: Counter[str] = Counter()
    for channel, n in zip(compile_population(population).channels, cells.fired.tolist(), strict=True):
        found[channel.name] += n
    return found


def exact(made: Population, enough: int) -> Iterator[tuple[int, int]]:
    """Wells one after the other: events and differences."""
    events, replicate = 0, 0
    while events < enough:
        now = start(made, {"stem": 2, "blast": 1}, seed=41, replicate=replicate)
        twin, wrong = dish(made, now, ONCE), 0
        for time in (1.0, 2.0, 3.0, 4.0):
            twin.until(time)
            now, _ = run_exact(made, now, time)
            wrong += differences(made, now, twin, draws=False)
        happened = Counter(name for *_, name in twin.happened)
        wrong += sum(((fired(made, now) - happened) + (happened - fired(made, now))).values())
        events, replicate = events + len(twin.happened), replicate + 1
        yield len(twin.happened), wrong


def split(made: Population, enough: int) -> Iterator[tuple[int, int]]:
    """The same in windows, by tables and by generated kernels; what they take up is events too."""
    events, replicate = 0, 0
    while events < enough:
        begin = start(made, {"stem": 60, "blast": 20}, seed=42, replicate=replicate)
        twin, now, wrong = windows(made, begin, ONCE), {"tables": begin, "lanes": begin}, 0
        for window in range(1, 13):
            twin.window(0.25 * window)
            for method in ("tables", "lanes"):
                now[method], _ = run_split(
                    made, now[method], 0.25 * window, window=0.25, threads=1, execution=Execution(method)
                )  # type: ignore[arg-type]
                wrong += differences(made, now[method], twin, draws=True)
            wrong += now["tables"].digest() != now["lanes"].digest()
        happened = Counter(name for *_, name in twin.happened)
        for name, n in fired(made, now["lanes"]).items():
            wrong += abs(n - happened[name]) if name in happened else 0
        wrong += abs(int(now["lanes"].fired.sum()) - len(twin.happened) - twin.settled)
        found = len(twin.happened) + twin.settled
        events, replicate = events + found, replicate + 1
        yield found, wrong


def main() -> list[Check]:
    made, checks = population(), []
    for name, runs, aim in (("exact", exact, EVENTS_EXACT), ("split", split, EVENTS_SPLIT)):
        found = list(runs(made, aim))
        events, wrong = (sum(column) for column in zip(*found, strict=True))
        detail = f"{events} events of {len(found)} wells"
        checks.append(Check(f"{name}: differs from its twin", wrong, 0, wrong == 0 and events >= aim, detail))
    return checks

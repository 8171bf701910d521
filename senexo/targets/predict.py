"""What a miRNA does to a set of 3'UTRs: sites, chance level, repression with its uncertainty, selectivity."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from senexo.base.streams import generator
from senexo.targets.affinity import (
    Affinity,
    Exposure,
    Level,
    Reading,
    affinity,
    constants,
    exposure,
    interval,
    kd_draws,
    repression,
    window,
)
from senexo.targets.chance import chance, composition, words
from senexo.targets.folding import duplex_energies, duplex_energy, missing, openness
from senexo.targets.mutate import Mutation, with_mutants
from senexo.targets.rna import Mirna
from senexo.targets.sites import CANONICAL, Site, cooperative, find_sites

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

Values = NDArray[np.float64]
DRAWS = 2000
# regulators of exosome release, with which RAB27B is compared (claim C11); "unknown" where no sequence is given
PANEL = ("RAB27B", "RAB27A", "RAB11A", "RAB35", "SMPD3", "VPS4B", "SYTL4", "EXPH5")
QUANTILES = (0.025, 0.5, 0.975)
SIXMERS = ("6mer", "6mer-m8", "6mer-A1")
SMALL, NOTHING = 0.2, 0.02  # log2 fold changes below which a predicted repression is called small, none
RT = 0.616  # kcal/mol at 37 degrees C
WORDS = {
    "none": "practically no repression",
    "small": "a small repression",
    "uncertain": "a repression that may be small or considerable",
    "repressed": "a repression",
}
GENE_COLUMNS = [
    "gene", "verdict", "length", "n_8mer", "n_7mer", "n_6mer", "n_variants", "best_site", "p_chance",
    "log2_fold_change", "log2_low", "log2_high", "left", "left_low", "left_high", "specificity", "specificity_low",
    "specificity_high", "p_most_repressed",
]  # fmt: skip
SITE_COLUMNS = [
    "gene", "type", "start", "end", "flaw", "sequence", "supplementary", "cooperative", "log_kd", "kd_source",
    "p_chance", "accessibility", "duplex_energy", "score",
]  # fmt: skip


@dataclass(frozen=True)
class Prediction:
    """The result of `predict`.

    Attributes
    ----------
    mirna, exposure, seed
        What was predicted for.
    genes
        One row per 3'UTR, the most repressed first (columns: docs/targets.md).
    sites
        One row per site.
    sentences
        One per gene.
    notes
        What was left out, and why.
    """

    mirna: Mirna
    exposure: Exposure
    seed: int
    genes: pd.DataFrame = field(repr=False)
    sites: pd.DataFrame = field(repr=False)
    sentences: tuple[str, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain lists, numbers and text; what does not exist is None (docs/targets.md has every field)."""
        return {
            "mirna": asdict(self.mirna), "seed_2_8": self.mirna.seed, "exposure": asdict(self.exposure),
            "draws": DRAWS, "seed": self.seed, "sentences": self.sentences, "notes": self.notes,
            "genes": _rows(self.genes), "sites": _rows(self.sites),
            "constants": [asdict(constant) for constant in constants().values()],
        }  # fmt: skip

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)

    def figure(self) -> Figure:
        """Predicted log2 fold change of every gene with its 95 % interval, the most repressed on top."""
        from senexo.targets.drawing import repressions

        return repressions(self.genes, f"{self.mirna.name}, {self.exposure.level}")

    def __str__(self) -> str:
        head = f"{self.mirna.name} ({self.mirna.sequence}): {len(self.genes)} 3'UTRs; {self.exposure.statement}"
        return "\n".join([head, *self.sentences, *(f"note: {note}" for note in self.notes)])


@dataclass(frozen=True, slots=True)
class _Scanned:
    """One 3'UTR with its sites; those numbered in `binding` count in the sum."""

    name: str
    of: str  # the gene it is a mutant of, else its own name
    utr: str
    sites: list[Site]
    affinities: list[Affinity]
    binding: list[int]
    chances: Mapping[str, float]  # canonical type -> probability of that type or a better one by chance


@dataclass(frozen=True, slots=True)
class _Draws:
    """Draws of the repression of a 3'UTR; computed each time, so that a transcriptome needs no memory for them."""

    free: float
    b: Values
    seed: int

    def shift(self, one: _Scanned) -> Values:
        """-log2 of the share of the mRNA that is left [DRAWS]."""
        keys = [(one.of, one.sites[k].start) for k in one.binding]
        types = [one.sites[k].type for k in one.binding]
        kds = kd_draws([one.affinities[k] for k in one.binding], types, keys, DRAWS, self.seed)
        return np.asarray(-np.log2(repression(kds, self.free, self.b)))


def predict(
    mirna: Mirna,
    utrs: Iterable[tuple[str, str]],
    *,
    level: Level | None = None,
    copies: float | None = None,
    reading: Reading = "relative",
    kd_table: Mapping[str, float] | None = None,
    mutations: Sequence[Mutation] = (),
    expected: Sequence[str] = PANEL,
    seed: int = 0,
) -> Prediction:
    """Sites of a miRNA in 3'UTRs, their probability by chance, and the predicted repression with 95 % intervals.

    Intervals hold the uncertainty of KD (that of the miRNA's site type is shared by all genes, so a comparison of
    genes is more certain than either gene) and of b. McGeary, Lin et al. 2019, doi 10.1126/science.aav1741.

    Parameters
    ----------
    mirna
        The miRNA (`senexo.targets.fasta.find_mirna`).
    utrs
        (name, RNA sequence) of every 3'UTR, as `senexo.targets.fasta.read_fasta` streams them.
    level, copies, reading
        Free AGO-miRNA and the reading of affinity, as for `senexo.targets.affinity.exposure`.
    kd_table
        12-mer -> ln KD relative to no site.
    mutations
        Point mutations; the mutants are listed beside their genes.
    expected
        Genes that are listed as "unknown" where no sequence is given for them.
    seed
        Of the draws of KD and b.

    Returns
    -------
    Prediction
        Tables of genes and sites, sentences and notes.

    Raises
    ------
    InvalidInput
        For a faulty sequence or mutation, or for a level, copies and reading that do not go together.

    Examples
    --------
    >>> from senexo.targets.fasta import find_mirna
    >>> found = predict(find_mirna("hsa-miR-34c-5p"), [("g", "GGGUCCACUGCCAGAGGG")], expected=())
    >>> found.genes["best_site"].item()
    '8mer'
    """
    dose = exposure(level, copies, reading)
    scanned = [_scan(mirna, name, of, utr, kd_table) for name, of, utr in with_mutants(utrs, mutations)]
    given = {one.name for one in scanned}
    draws = _Draws(dose.free, _draws_of_b(seed), seed)
    genes = _genes(scanned, draws, [name for name in expected if name not in given])
    notes = missing()
    return Prediction(mirna, dose, seed, genes, _site_table(mirna, scanned), tuple(_sentences(genes, mirna)), notes)


def _scan(mirna: Mirna, name: str, of: str, utr: str, table: Mapping[str, float] | None) -> _Scanned:
    sites = find_sites(utr, mirna)
    affinities = [affinity(utr, site, table) for site in sites]
    binding = [k for k, (site, one) in enumerate(zip(sites, affinities, strict=True)) if _counts(site, one)]
    base = composition(utr)
    chances = {
        kind: chance(words(mirna, kind), len(utr), base) for kind in CANONICAL if kind in {s.type for s in sites}
    }
    return _Scanned(name, of, utr, sites, affinities, binding, chances)


def _counts(site: Site, one: Affinity) -> bool:
    """A variant without measured affinity binds no better than no site, and is left out of the sum."""
    return site.type in CANONICAL or one.source != "type"


def _draws_of_b(seed: int) -> Values:
    low, high = interval("b")
    return generator(seed, "b").uniform(low, high, DRAWS)


def _genes(scanned: Sequence[_Scanned], draws: _Draws, missing: Sequence[str]) -> pd.DataFrame:
    """The table of genes: one pass over the draws for their sum and largest, a second for each gene's part."""
    import pandas as pd

    total, largest = np.zeros(DRAWS), np.full(DRAWS, -np.inf)
    for one in scanned:
        if one.name == one.of:  # a mutant competes with no gene
            shift = draws.shift(one)
            total += shift
            np.maximum(largest, shift, out=largest)
    rows = []
    for one in scanned:
        shift = draws.shift(one)
        share, most = np.full(DRAWS, np.nan), np.nan
        if one.name == one.of:
            share = np.divide(shift, total, out=np.zeros(DRAWS), where=total > 0)
            most = float(np.mean((shift == largest) & (total > 0)))
        rows.append(_gene(one, shift, share, most))
    rows.sort(key=lambda row: row["log2_fold_change"])
    table = pd.DataFrame([*rows, *({"gene": name, "verdict": "unknown"} for name in missing)], columns=GENE_COLUMNS)
    return table.astype(dict.fromkeys(("length", "n_8mer", "n_7mer", "n_6mer", "n_variants"), "Int64"))


def _gene(one: _Scanned, shift: Values, share: Values, most: float) -> dict[str, Any]:
    types = [site.type for site in one.sites]
    best = next((kind for kind in CANONICAL if kind in types), None)
    shift_low, shift_median, shift_high = np.quantile(shift, QUANTILES)
    specificity_low, specificity, specificity_high = np.quantile(share, QUANTILES)
    return {
        "gene": one.name, "verdict": _verdict(shift_low, shift_median), "length": len(one.utr),
        "n_8mer": types.count("8mer"), "n_7mer": types.count("7mer-m8") + types.count("7mer-A1"),
        "n_6mer": sum(types.count(kind) for kind in SIXMERS),
        "n_variants": sum(kind not in CANONICAL for kind in types),
        "best_site": best, "p_chance": one.chances[best] if best else None,
        "log2_fold_change": 0.0 - shift_median, "log2_low": 0.0 - shift_high, "log2_high": 0.0 - shift_low,
        "left": 2.0**-shift_median, "left_low": 2.0**-shift_high, "left_high": 2.0**-shift_low,
        "specificity": specificity, "specificity_low": specificity_low, "specificity_high": specificity_high,
        "p_most_repressed": most,
    }  # fmt: skip


def _verdict(low: float, median: float) -> str:
    """By size of the median repression; `uncertain` where the interval reaches from nothing to not small."""
    if median < NOTHING:
        return "none"
    if median < SMALL:
        return "small"
    return "repressed" if low >= SMALL / 2 else "uncertain"


def _site_table(mirna: Mirna, scanned: Sequence[_Scanned]) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for one in scanned:
        energies = duplex_energies(mirna, one.utr, one.sites)
        opens = openness(one.utr, one.sites)
        pairs = cooperative(one.sites)
        for k, (site, found) in enumerate(zip(one.sites, one.affinities, strict=True)):
            rows.append({
                "gene": one.name, "type": site.type, "start": site.start, "end": site.end, "flaw": site.flaw,
                "sequence": window(one.utr, site), "supplementary": site.supplementary, "cooperative": pairs[k],
                "log_kd": found.log_kd if _counts(site, found) else None, "kd_source": found.source,
                "p_chance": one.chances.get(site.type), "accessibility": opens[k], "duplex_energy": energies[k],
                "score": score(found.log_kd, energies[k]),
            })  # fmt: skip
    return pd.DataFrame(rows, columns=SITE_COLUMNS)


def score(log_kd: float, duplex_energy: float | None) -> float:
    """How strongly a site should bind, to rank sites: -ln KD - E / (2 RT), without the energy where it is not known.

    The half is chosen, not fitted: weights from 1/4 to 1 rank the CLASH set about as well (docs/targets.md).
    """
    return -log_kd - (0.0 if duplex_energy is None else 0.5 * duplex_energy / RT)


def best_score(utr: str, mirna: Mirna) -> float:
    """The score of a whole sequence: of its strongest canonical site, or of no site, with the best duplex anywhere."""
    strongest = min((affinity(utr, site).log_kd for site in find_sites(utr, mirna, variants=False)), default=0.0)
    return score(min(strongest, 0.0), duplex_energy(mirna, utr))


def _sentences(genes: pd.DataFrame, mirna: Mirna) -> Iterator[str]:
    for row in genes.to_dict("records"):
        if row["verdict"] == "unknown":
            yield f"{row['gene']}: unknown; no sequence was given, and none is invented."
        elif row["best_site"] is None:
            yield f"{row['gene']}: no canonical site of {mirna.name} in {row['length']:,} nt; no repression predicted."
        else:
            yield (
                f"{row['gene']}: {row['n_8mer']} 8mer, {row['n_7mer']} 7mer, {row['n_6mer']} 6mer in "
                f"{row['length']:,} nt; {_met(row)}; predicted mRNA left {row['left']:.0%} "
                f"({row['left_low']:.0%}-{row['left_high']:.0%}): {WORDS[row['verdict']]}."
            )


def _met(row: Mapping[Hashable, Any]) -> str:
    site = "an 8mer" if row["best_site"] == "8mer" else f"a {row['best_site']} or better"
    return f"a random sequence like it has {site} with probability {row['p_chance']:.2g}"


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    import pandas as pd

    return [
        {str(key): None if pd.isna(value) else value for key, value in row.items()}
        for row in table.astype(object).to_dict("records")
    ]

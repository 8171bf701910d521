"""The `model.targets` and `model.reading` of a study: sequences and readings turned into the parameters they set."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from senexo.base.errors import InvalidInput
from senexo.model.circuit import Circuit, Target
from senexo.study.known import Known
from senexo.study.place import Place, named
from senexo.study.schema import Draw, Sequence
from senexo.targets.bridge import Strength, strength
from senexo.targets.fasta import find_mirna, read_fasta
from senexo.targets.mutate import mutated, mutation
from senexo.targets.rna import rna

RESOLVED = ("sequence", "source")
LONGEST = 100_000  # nucleotides of one 3'UTR
DEFAULT_READING = "relative"


def with_targets(known: Known, model: Place, folder: Path) -> Known:
    """What is known of the model once its reading and its sequences have set their parameters."""
    reading, targets = model.get("reading"), model.get("targets")
    if reading is not None:
        known = _read(known, reading)
    if targets is None or not targets.table(expected='a table of genes, e.g. { RAB27B = "rab27b_utr3.fa" }'):
        return known
    genes = {target.gene: target for target in known.circuit.targets} if known.circuit else {}
    for gene, entry in targets.items():
        if gene not in genes:
            entry.fault(named(gene, genes, "genes whose sites a sequence can set"), found=f"the gene {gene}")
            continue
        found = _sequence(gene, entry, folder)
        if found is not None:
            known = _sequenced(known, genes[gene], found)
    return known


def sequence_mutation(known: Known, gene: str, place: Place) -> dict[str, float]:
    """Factor -> value of a genotype whose 3'UTR has other bases, "1234:G" or several after commas.

    A mutation that touches no site gives nothing to do; one that leaves no site gives what "site" gives.
    """
    genes = {target.gene: target for target in known.circuit.targets} if known.circuit else {}
    given = known.model.targets.get(gene)
    if given is None or gene not in genes:
        place.fault(f"the sequence of {gene} in model.targets first", found=f"a base of {gene}")
        return {}
    try:
        changes = [mutation(f"{gene}:{text.strip()}") for text in str(place.value).split(",")]
        after = _strength(known.circuit, gene, mutated(given.sequence, changes, where=gene))
    except InvalidInput as error:
        place.fault(error.faults[0].expected, found=error.faults[0].found)
        return {}
    before, target = _strength(known.circuit, gene, given.sequence), genes[gene]
    if before.n == 0 and after.n > 0:
        place.fault("the sequence with its new site in model.targets", found=f"a site made where {gene} has none")
        return {}
    factors = {}
    if after.n != before.n:
        factors[target.sites_factor] = after.n / before.n
    if after.n and after.k != before.k:
        factors[target.affinity_factor] = after.k / before.k
    return factors


def _read(known: Known, place: Place) -> Known:
    readings = known.circuit.readings if known.circuit else {}
    name = place.one_of((DEFAULT_READING, *readings) if readings else (), "readings of affinity")
    if name is None or name == DEFAULT_READING:
        return known if name is None else _with(known, {}, reading=name)
    chosen = readings[name]
    draw = Draw(
        law=chosen.law, value=chosen.value, low=chosen.low, high=chosen.high, unit=chosen.unit,  # type: ignore[arg-type]
        source=chosen.source, status=chosen.status,  # type: ignore[arg-type]
    )  # fmt: skip
    return _with(known, {chosen.parameter: draw}, reading=name)


def _sequence(gene: str, place: Place, folder: Path) -> Sequence | None:
    """The sequence of a FASTA file (the record of that name, or the only one), or one already in the study."""
    try:
        if isinstance(place.value, dict):
            place.table(RESOLVED)
            letters, source = place.get("sequence"), place.get("source")
            text = None if letters is None else letters.text(most=LONGEST)
            words = None if source is None else source.text()
            if text is None or words is None:
                place.fault("a path of a FASTA file, or a table of sequence and source")
                return None
            return Sequence(sequence=rna(text), source=words)
        name = place.text("a path of a FASTA file")
        return None if name is None else _from_file(gene, folder / name, place)
    except InvalidInput as error:
        for fault in error.faults:
            place.fault(fault.expected, found=f"{fault.found} ({fault.where})")
        return None


def _from_file(gene: str, path: Path, place: Place) -> Sequence | None:
    records = dict(read_fasta(path))
    name = gene if gene in records else next(iter(records)) if len(records) == 1 else None
    if name is None:
        place.fault(f"a record called {gene}, or a file with one record", found=f"{len(records)} other records")
        return None
    letters = records[name]
    if len(letters) > LONGEST:
        place.fault(f"at most {LONGEST:,} nucleotides", found=f"{len(letters):,}")
        return None
    digest = hashlib.sha256(letters.encode()).hexdigest()
    return Sequence(sequence=letters, source=f"{path.name}, record {name}, sha256 {digest[:16]}")


def _sequenced(known: Known, target: Target, found: Sequence) -> Known:
    """The gene's two parameters as its sequence sets them."""
    strong = _strength(known.circuit, target.gene, found.sequence)
    what = ", ".join(f"{site.type} at {site.start}" for site in strong.sites) or "no site"
    source = f"{found.source}: {what}"[:300]
    certain = strong.n == 0
    draws = {
        target.sites: Draw(law="fixed", value=strong.n, low=strong.n, high=strong.n, unit="1", source=source,
                           status="derived"),
        target.affinity: Draw(law="fixed" if certain else "log-uniform", value=strong.k, low=strong.low,
                              high=strong.high, unit="1", source=source, status="derived"),
    }  # fmt: skip
    return _with(known, draws, targets={**known.model.targets, target.gene: found})


def _with(known: Known, draws: dict[str, Draw], **model: object) -> Known:
    return replace(
        known,
        model=known.model.model_copy(update=model),
        draws={**known.draws, **draws},
        adjustable={**known.adjustable, **draws},
    )


def _strength(circuit: Circuit | None, gene: str, utr: str) -> Strength:
    if circuit is None or circuit.mirna is None:
        raise ValueError("a circuit with targets names its miRNA")
    return strength(gene, utr, find_mirna(circuit.mirna))

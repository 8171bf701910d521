"""The `model.prior`, `model.reading` and `model.targets` of a study, turned into the parameters that they set."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from senexo.base.errors import InvalidInput
from senexo.model.circuit import Circuit, Target
from senexo.model.priors import SHIPPED
from senexo.study.cursor import Cursor, named
from senexo.study.form.culture import MAX_BASES, Model, SequenceTable
from senexo.study.names import ModelNames, draw_of
from senexo.study.schema import Draw, UtrSequence
from senexo.targets.bridge import Strength, strength
from senexo.targets.fasta import find_mirna, read_fasta
from senexo.targets.mutate import mutated, mutation
from senexo.targets.rna import rna

DEFAULT_READING = "relative"


def with_targets(names: ModelNames, model: Model, place: Cursor, folder: Path) -> ModelNames:
    """The names of a model once its prior, its reading and its sequences have set their parameters, in this order."""
    if model.prior is not None:
        names = _with_prior(names, place.at("prior"))
    if model.reading is not None:
        names = _with_reading(names, place.at("reading"))
    genes = {target.gene: target for target in names.circuit.targets} if names.circuit else {}
    for gene, given in (model.targets or {}).items():
        entry = place.at("targets").at(gene)
        if gene not in genes:
            entry.fault(named(gene, genes, "genes whose sites a sequence can set"), found=f"the gene {gene}")
            continue
        found = _sequence(gene, given, entry, folder)
        if found is not None:
            names = _sequenced(names, genes[gene], found)
    return names


def sequence_mutation(names: ModelNames, gene: str, bases: str, place: Cursor) -> dict[str, float]:
    """Factor -> value of a genotype whose 3'UTR has other bases, "1234:G" or several after commas.

    A mutation that touches no site gives nothing to do; one that leaves no site gives what "site" gives.
    """
    genes = {target.gene: target for target in names.circuit.targets} if names.circuit else {}
    given = names.model.targets.get(gene)
    if given is None or gene not in genes:
        place.fault(f"the sequence of {gene} in model.targets first", found=f"a base of {gene}")
        return {}
    try:
        changes = [mutation(f"{gene}:{text.strip()}") for text in bases.split(",")]
        after = _strength(names.circuit, gene, mutated(given.sequence, changes, where=gene))
    except InvalidInput as error:
        place.fault(error.faults[0].expected, found=error.faults[0].found)
        return {}
    before, target = _strength(names.circuit, gene, given.sequence), genes[gene]
    if before.n == 0 and after.n > 0:
        place.fault("the sequence with its new site in model.targets", found=f"a site made where {gene} has none")
        return {}
    factors = {}
    if after.n != before.n:
        factors[target.sites_factor] = after.n / before.n
    if after.n and after.k != before.k:
        factors[target.affinity_factor] = after.k / before.k
    return factors


def _with_prior(names: ModelNames, place: Cursor) -> ModelNames:
    priors = names.circuit.priors if names.circuit else {}
    name = place.one_of((SHIPPED, *priors) if priors else (), "priors")
    if name is None:
        return names
    rows = priors.get(name, {})
    return _with(names, {row.name: draw_of(row) for row in rows.values()}, prior=name)


def _with_reading(names: ModelNames, place: Cursor) -> ModelNames:
    readings = names.circuit.readings if names.circuit else {}
    name = place.one_of((DEFAULT_READING, *readings) if readings else (), "readings of affinity")
    if name is None:
        return names
    if name == DEFAULT_READING:  # the table's own rows, whatever the prior says of them
        parameters = names.circuit.parameters if names.circuit else ()
        read = {reading.parameter for reading in readings.values()}
        return _with(names, {row.name: draw_of(row) for row in parameters if row.name in read}, reading=name)
    return _with(names, {readings[name].parameter: draw_of(readings[name])}, reading=name)


def _sequence(gene: str, given: str | SequenceTable | None, place: Cursor, folder: Path) -> UtrSequence | None:
    """The sequence of a FASTA file (the record of that name, or the only one), or one already in the study."""
    try:
        if isinstance(given, str):
            return _from_file(gene, folder / given, place)
        if given is None or given.sequence is None or given.source is None:
            return None
        return UtrSequence(sequence=rna(given.sequence), source=given.source)
    except InvalidInput as error:
        for fault in error.faults:
            place.fault(fault.expected, found=f"{fault.found} ({fault.where})")
        return None


def _from_file(gene: str, path: Path, place: Cursor) -> UtrSequence | None:
    records = dict(read_fasta(path))
    name = gene if gene in records else next(iter(records)) if len(records) == 1 else None
    if name is None:
        place.fault(f"a record called {gene}, or a file with one record", found=f"{len(records)} other records")
        return None
    letters = records[name]
    if len(letters) > MAX_BASES:
        place.fault(f"at most {MAX_BASES:,} nucleotides", found=f"{len(letters):,}")
        return None
    digest = hashlib.sha256(letters.encode()).hexdigest()
    return UtrSequence(sequence=letters, source=f"{path.name}, record {name}, sha256 {digest[:16]}")


def _sequenced(names: ModelNames, target: Target, found: UtrSequence) -> ModelNames:
    """The gene's two parameters as its sequence sets them."""
    strong = _strength(names.circuit, target.gene, found.sequence)
    what = ", ".join(f"{site.type} at {site.start}" for site in strong.sites) or "no site"
    source = f"{found.source}: {what}"[:300]
    certain = strong.n == 0
    draws = {
        target.sites: Draw(law="fixed", value=strong.n, low=strong.n, high=strong.n, unit="1", source=source,
                           status="derived"),
        target.affinity: Draw(law="fixed" if certain else "log-uniform", value=strong.k, low=strong.low,
                              high=strong.high, unit="1", source=source, status="derived"),
    }  # fmt: skip
    return _with(names, draws, targets={**names.model.targets, target.gene: found})


def _with(names: ModelNames, draws: dict[str, Draw], **model: object) -> ModelNames:
    return replace(
        names,
        model=names.model.model_copy(update=model),
        draws={**names.draws, **draws},
        adjustable={**names.adjustable, **draws},
    )


def _strength(circuit: Circuit | None, gene: str, utr: str) -> Strength:
    if circuit is None or circuit.mirna is None:
        raise ValueError("a circuit with targets names its miRNA")
    return strength(gene, utr, find_mirna(circuit.mirna))

"""Probability that a site occurs by chance: exact for a random sequence with the UTR's own dinucleotides.

The UTR is compared with the first-order Markov chain that has its dinucleotide frequencies. The words that make a site
become an automaton (Aho, Corasick 1975, doi 10.1145/360825.360855); running the chain through it gives the
probability of at least one, or of at least k, matches without simulation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
from numpy.typing import NDArray

from senexo.targets.rna import Mirna, reverse_complement

BASES = "ACGU"
_CODES = np.full(128, 4, dtype=np.int64)  # A, C, G, U are 0 to 3, everything else 4
_CODES[[ord(base) for base in BASES]] = range(4)
Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Composition:
    """A first-order Markov chain over A, C, G, U: probabilities of the first base and of each base after another."""

    start: Values  # [4]
    step: Values  # [4, 4], rows sum to 1


def composition(sequence: str) -> Composition:
    """The chain with a sequence's dinucleotide frequencies; each pair is counted once more than seen.

    The one more (Laplace) keeps short sequences from forbidding what they happen not to show. Pairs with N are left
    out.

    >>> bool(composition("ACGU" * 500).step[0, 1] > 0.99)
    True
    """
    codes = _CODES[np.frombuffer(sequence.encode("ascii"), dtype=np.uint8)]
    pairs = 1.0 + np.bincount(5 * codes[:-1] + codes[1:], minlength=25).reshape(5, 5)[:4, :4]
    singles = 1.0 + np.bincount(codes, minlength=5)[:4]
    return Composition(singles / singles.sum(), pairs / pairs.sum(axis=1, keepdims=True))


def uniform(gc: float = 0.5) -> Composition:
    """Independent bases with a share `gc` of G and C."""
    row = np.array([(1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2])
    return Composition(row, np.tile(row, (4, 1)))


def words(mirna: Mirna, kind: str) -> tuple[str, ...]:
    """The words of which any one is a site of this canonical type or a better one.

    >>> words(Mirna("hsa-miR-34c-5p", "AGGCAGUGUAGUUAGCUGAUUGC"), "7mer-A1")
    ('CACUGCC', 'ACUGCCA')
    """
    six, seven = reverse_complement(mirna.sequence[1:7]), reverse_complement(mirna.seed)
    better = {
        "8mer": (seven + "A",),
        "7mer-m8": (seven,),
        "7mer-A1": (seven, six + "A"),
        "6mer": (six,),
        "6mer-m8": (six, seven[:6]),
        "6mer-A1": (six, seven[:6], six[1:] + "A"),
    }
    return better[kind]


def chance(sequences: Sequence[str], length: int, base: Composition, *, at_least: int = 1) -> float:
    """Probability that a random sequence holds at least `at_least` ends of any of these words.

    Parameters
    ----------
    sequences
        Words over A, C, G, U, none within another (a longer word adds nothing to one inside it).
    length
        Of the random sequence (nt).
    base
        Its composition.
    at_least
        Number of matches.

    Examples
    --------
    >>> round(chance(["AC"], 2, uniform()), 4)
    0.0625
    >>> site = words(Mirna("hsa-miR-34c-5p", "AGGCAGUGUAGUUAGCUGAUUGC"), "7mer-A1")
    >>> round(chance(site, 6400, uniform()), 3)  # of the length of RAB27B's 3'UTR
    0.495
    """
    if length <= 0:
        return 0.0
    states, hits = _automaton(sequences)
    n = len(states)
    move = np.zeros((n * at_least + 1, n * at_least + 1))  # state, number of matches; the last is "enough"
    begin = np.zeros(n * at_least + 1)
    move[-1, -1] = 1.0
    for at, (state, count) in enumerate(product(range(n), range(at_least))):
        last = BASES.find(states[state][-1:]) if states[state] else -1
        for code, letter in enumerate(BASES):
            to = _next(states, states[state] + letter)
            seen = count + (states[to] in hits)
            place = to * at_least + seen if seen < at_least else -1
            if last >= 0:
                move[at, place] += base.step[last, code]
            elif at == 0:
                begin[place] += base.start[code]
    return float((begin @ np.linalg.matrix_power(move, length - 1))[-1])


def _automaton(sequences: Sequence[str]) -> tuple[list[str], set[str]]:
    """All beginnings of the words (and every single letter), the empty one first; and which of them end a match."""
    states = sorted(
        {word[:k] for word in (*sequences, *BASES) for k in range(len(word) + 1)}, key=lambda s: (len(s), s)
    )
    return states, {state for state in states if any(state.endswith(word) for word in sequences)}


def _next(states: list[str], text: str) -> int:
    """The longest end of the text that begins a word."""
    return next(states.index(text[k:]) for k in range(len(text)) if text[k:] in states)


def shuffled(sequence: str, rng: np.random.Generator) -> str:
    """The sequence in random order with exactly its dinucleotides (Altschul, Erickson 1985).

    An Euler path through the graph whose edges are the dinucleotides, uniform among all. doi
    10.1093/oxfordjournals.molbev.a040370.
    """
    if len(sequence) < 3:
        return sequence
    following: dict[str, list[str]] = {}
    for first, second in pairwise(sequence):
        following.setdefault(first, []).append(second)
    last = sequence[-1]
    while True:  # the last exits must lead every letter to the end: drawn until they do
        exits = {letter: nexts[rng.integers(len(nexts))] for letter, nexts in following.items() if letter != last}
        if all(_reaches(exits, letter, last) for letter in exits):
            break
    order: dict[str, list[str]] = {}
    for letter, nexts in following.items():
        rest = list(nexts)
        if letter != last:
            rest.remove(exits[letter])
        rest = [rest[k] for k in rng.permutation(len(rest))]
        order[letter] = [*rest, exits[letter]] if letter != last else rest
    path = [sequence[0]]
    places = dict.fromkeys(order, 0)
    while len(path) < len(sequence):
        letter = path[-1]
        path.append(order[letter][places[letter]])
        places[letter] += 1
    return "".join(path)


def _reaches(exits: dict[str, str], letter: str, end: str) -> bool:
    seen = set()
    while letter != end:
        if letter in seen:
            return False
        seen.add(letter)
        letter = exits[letter]
    return True

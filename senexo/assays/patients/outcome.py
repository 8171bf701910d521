"""The column that says who had an event or responded: yes and no, or words of which some mean it.

Words that differ only by case, blanks or punctuation are one word. What every other word was taken for is said with its
count; words for "not known" leave a row out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from senexo.assays.stats.kaplan_meier import Flags
from senexo.base.errors import Fault, InvalidInput
from senexo.base.table import EMPTY, FLAGS, Column, as_number, as_text, likely

if TYPE_CHECKING:
    import pandas as pd

UNKNOWN = ("unknown", "unk", "not known", "not available", "missing", "?")  # besides the words of an empty cell
MOST_WORDS = 8  # that a note lists with their counts
_OPPOSITE = re.compile(
    r"(?i)(^|[\W_])(censor(ed|ing)?|cens|alive|living|surviv(ed|or|ors)|event[-_ ]?free|no[-_ ]?event|lost|ltfu|"
    r"non[-_ ]?respon\w*|no[-_ ]?response)($|[\W_])"
)
_PRECLUDING = re.compile(r"(?i)(^|[\W_])(dead|death|died|deceased|dod|exitus|trm|nrm|transplant(ed)?|hsct)($|[\W_])")


@dataclass(frozen=True, slots=True)
class Asked:
    """An outcome as the call names it: a column of yes and no (`words` empty), or words of a column that mean it."""

    option: str
    column: str
    words: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """What sentences call it: the words, or the column."""
        return " or ".join(self.words) or self.column

    @property
    def noun(self) -> str:
        """What the column tells of: the event, the competing event, the response."""
        return "competing event" if self.option == "competing" else self.option

    def check(self, unknown: Sequence[str]) -> Column:
        """The column as `senexo.base.table.check` wants it."""
        kind = "text" if self.words else "flag"
        return Column(self.column, kind, may_be_empty=True, empty_words=(*UNKNOWN, *unknown))  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Who had it, of whom that is known, and what each word of the column was taken for."""

    asked: Asked
    happened: Flags
    known: Flags
    notes: tuple[str, ...]


def same_word(word: str) -> str:
    """What words have in common that differ by case, blanks or punctuation only; signs and numbers stay apart.

    >>> same_word("Non-Relapse") == same_word("non relapse."), same_word("MRD+") == same_word("MRD-")
    (True, False)
    """
    number = as_number(word)
    if number == number:
        return repr(number)
    joined = re.sub(r"(?<=[^\W\d_])-(?=[^\W\d_])", "", word.casefold())
    return re.sub(r"[\s_;:()'\"]|(?<!\d)[.,/]|[.,/](?!\d)", "", joined)


def words_of(text: str) -> tuple[str, ...]:
    """The words of VALUE|VALUE."""
    return tuple(word.strip() for word in text.split("|") if word.strip())


def asked_outcome(table: pd.DataFrame, text: str, option: str, where: str) -> Asked:
    """The column, and the words where it was given as COLUMN=VALUE or COLUMN=VALUE|VALUE.

    InvalidInput: a column that holds other words than yes and no throughout, none of which was named; a column whose
    name says that it holds the opposite.
    """
    names = [str(name) for name in table.columns if text.startswith(f"{name}=")]
    if text not in table.columns and names:
        name = max(names, key=len)
        return Asked(option, name, words_of(text[len(name) + 1 :]))
    if list(table.columns).count(text) == 1:
        words = [word for word in map(as_text, table[text]) if word.lower() not in EMPTY]
        others = [word for word in words if word.lower() not in FLAGS]
        if len(others) > max(2, len(words) / 3):
            found = ", ".join(f"'{word}'" for word in list(dict.fromkeys(others))[:3])
            expected = f"yes and no, or a value that means yes, as {text}={others[0]}"
            raise InvalidInput([Fault(f"{where}: column {text}", f"{found} in {len(others)} rows", expected)])
        if _OPPOSITE.search(text):
            no, yes = (next((word for word in words if FLAGS.get(word.lower()) is value), default)
                       for value, default in ((False, "0"), (True, "1")))  # fmt: skip
            noun = Asked(option, text).noun
            expected = f"{text}={no} if that means the {noun}, or {text}={yes} to take the column as it stands"
            raise InvalidInput([Fault(f"{where}: {option}", f"column {text}, by its name the opposite", expected)])
    return Asked(option, text)


def decide(table: pd.DataFrame, rows: pd.DataFrame, asked: Asked, unknown: Sequence[str], where: str) -> Outcome:
    """Who had the outcome. rows: the checked table. InvalidInput: a word that is in no row."""
    import pandas as pd

    words = pd.Series([as_text(cell) for cell in table[asked.column]], index=rows.index, dtype=str)
    empty = {same_word(word) for word in (*UNKNOWN, *unknown)}
    keys = words.map(same_word)
    missing = pd.Series([word.lower() in EMPTY for word in words], index=rows.index, dtype=bool)
    known = ~(missing | keys.isin(empty))
    if not asked.words:
        return Outcome(asked, rows[asked.column].to_numpy(bool) & known.to_numpy(), known.to_numpy(), ())
    wanted = {same_word(word) for word in asked.words}
    seen = list(dict.fromkeys(words[~missing]))
    faults = [
        Fault(
            f"{where}: {asked.option}", f"no row with '{word}' in column {asked.column}", f"one of {likely(word, seen)}"
        )
        for word in asked.words
        if same_word(word) not in set(keys)
    ]
    faults += [
        Fault(f"{where}: {asked.option}", f"'{word}', which is a word for not known", "another word")
        for word in asked.words
        if same_word(word) in empty
    ]
    if faults:
        raise InvalidInput(faults)
    happened = keys.isin(wanted) & known
    notes = _joined(asked.column, words[~missing], keys[~missing])
    others = words[known & ~happened]
    meant = words[happened]
    said = f"{asked.column}: {_counted(meant)} {'is' if meant.nunique() == 1 else 'are'} the {asked.noun}"
    said += f"; taken as no {asked.noun}: {_counted(others)}" if len(others) else ""
    left_out = words[~known & (words != "")]
    said += f"; not known, left out: {_counted(left_out)}" if len(left_out) else ""
    return Outcome(asked, happened.to_numpy(bool), known.to_numpy(bool), (said, *notes))


def unknown_words(
    table: pd.DataFrame, given: str | Sequence[str], columns: Sequence[str], where: str
) -> tuple[str, ...]:
    """The words for not known that a call adds; InvalidInput: a word that no row of the columns holds."""
    words = words_of(given) if isinstance(given, str) else tuple(word for one in given for word in words_of(one))
    there = [name for name in dict.fromkeys(columns) if list(table.columns).count(name) == 1]
    cells = list(dict.fromkeys(as_text(cell) for name in there for cell in table[name]))
    keys = {same_word(cell) for cell in cells}
    faults = [
        Fault(
            f"{where}: unknown", f"no row with '{word}' in column {', '.join(there)}", f"one of {likely(word, cells)}"
        )
        for word in words
        if there and same_word(word) not in keys
    ]
    if faults:
        raise InvalidInput(faults)
    return words


def precluded(table: pd.DataFrame, event: Outcome, kept: Flags, used: Sequence[str]) -> list[str]:
    """What to say where an event that precludes the one asked for is censored.

    kept: the rows that are used; used: columns that have a role already.
    """
    asked = event.asked
    if any(_PRECLUDING.search(word) for word in asked.words or (asked.column,)):
        return []
    notes = []
    words = table[asked.column].map(as_text).to_numpy()
    censored = kept & ~event.happened
    first = {same_word(str(word)): str(word) for word in reversed(words[censored])} if asked.words else {}
    for key, word in first.items():
        if _PRECLUDING.search(word):
            n = sum(same_word(str(other)) == key for other in words[censored])
            notes.append(_precludes(f"'{word}' in column {asked.column}", n, asked, f"{asked.column}={word}"))
    for name in table.columns:
        if str(name) in used or not _PRECLUDING.search(str(name)) or list(table.columns).count(name) > 1:
            continue
        yes = table[name].map(lambda cell: FLAGS.get(as_text(cell).lower(), False)).to_numpy(bool)
        if n := int((censored & yes).sum()):
            notes.append(_precludes(f"yes in column {name}", n, asked, str(name)))
    return notes


def _precludes(what: str, n: int, asked: Asked, competing: str) -> str:
    return (
        f"{n} patient{'' if n == 1 else 's'} with {what} {'is' if n == 1 else 'are'} censored; if that precludes "
        f"{asked.label}, it competes with it (competing: {competing}), and 1 - Kaplan-Meier is no share of patients"
    )


def _counted(words: pd.Series) -> str:
    counts = words.value_counts(sort=True)
    shown = ", ".join(f"'{word}' {n}" for word, n in list(counts.items())[:MOST_WORDS])
    rest = len(counts) - MOST_WORDS
    return shown + (f" and {int(counts.iloc[MOST_WORDS:].sum())} of {rest} other words" if rest > 0 else "")


def _joined(column: str, words: pd.Series, keys: pd.Series) -> list[str]:
    """Words that were taken as one."""
    notes = []
    for _, group in words.groupby(keys, sort=False):
        alike = list(dict.fromkeys(group))
        if len(alike) > 1:
            quoted = ", ".join(f"'{word}'" for word in alike)
            notes.append(f"{column}: {quoted} are taken as one word")
    return notes

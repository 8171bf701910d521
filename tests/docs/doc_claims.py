"""The tables of all claims and their shipped results on docs/claims.md, from `senexo.claims()`.

python tests/docs/doc_claims.py
"""

from __future__ import annotations

from pathlib import Path

from senexo.report.claims import cells, groups
from senexo.study.shipped_claims import claims

PAGE = Path(__file__).parents[2] / "docs" / "claims.md"
BEGIN, END = "<!-- all claims -->", "<!-- / -->"


def _row(*words: str) -> str:
    return f"| {' | '.join(word.replace('|', chr(92) + '|') for word in words)} |"


def tables() -> str:
    """What each claim says and rests on; then every result with its shares."""
    said = [_row("claim", "in our words", "it is", "rests on", "would settle it"), "|---|---|---|---|---|"]
    results = [
        _row("claim", "study, world", "what is claimed", "true", "could be", "where it could", "null", "decides; note"),
        "|---|---|---|---|---|---|---|---|",
    ]
    for claim, rows in groups(claims()):
        said.append(_row(*(claim[key] for key in ("claim", "sentence", "kind", "rests_on", "settled_by"))))
        for row in rows:
            study, world, part, *shares = cells(row)
            notes = "; ".join(word for word in (row["decides"], row["note"]) if word)
            results.append(_row(claim["claim"], f"`{study}`, {world}", part, *shares, notes))
    return "\n".join([*said, "", *results])


def drawn(text: str) -> str:
    """A page with the tables drawn anew."""
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n{tables()}\n{END}{rest.split(END, 1)[1]}"


if __name__ == "__main__":
    PAGE.write_text(drawn(PAGE.read_text(encoding="utf-8")), encoding="utf-8")

"""The tables of claims on the page are those of the shipped results."""

from __future__ import annotations

import doc_claims


def test_the_tables_are_those_of_the_shipped_results() -> None:
    page = doc_claims.PAGE.read_text(encoding="utf-8")
    assert doc_claims.drawn(page) == page, "python tests/docs/doc_claims.py"

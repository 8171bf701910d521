"""The walk through TCGA-LAML types what its page says, and reads what its page says."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "tcga-laml.md"
BLOCKS = re.findall(r"^```\n\$ (senexo .*?)\n\n(.*?)\n```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_the_page_has_its_commands() -> None:
    assert len(BLOCKS) == PAGE.read_text(encoding="utf-8").count("$ senexo") == 4


@pytest.mark.parametrize(("typed", "shown"), BLOCKS, ids=["detection", "family", "split", "control"])
def test_what_the_page_shows_is_what_is_said(
    senexo: Callable[..., tuple[int, str, str]], shared_data: Path, tmp_path: Path, typed: str, shown: str
) -> None:
    """Whole paragraphs, in their order; with --out the figure is there too."""
    for name in ("tidy_clinical.csv", "tidy_mirna_rpm.csv.gz"):
        (tmp_path / name).symlink_to(shared_data / "tcga-laml" / name)
    words = shlex.split(typed.replace("\\\n", " "))
    status, said, _ = senexo(*words[1:])
    assert status == 0
    assert [part for part in said.strip().split("\n\n") if part in shown.split("\n\n")] == shown.split("\n\n")
    assert "--out" not in words or (tmp_path / words[-1] / "figure.pdf").is_file()

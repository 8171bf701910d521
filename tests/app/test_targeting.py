"""`senexo targets` and `senexo screen` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from senexo.app import cli
from senexo.base.errors import InvalidInput
from senexo.base.table import read_table

UTR = str(Path(__file__).resolve().parents[2] / "examples" / "synthetic_utr3.fa")


def typed(*words: str) -> str:
    result = CliRunner().invoke(cli.app, list(words), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_targets_tells_writes_and_speaks_json(tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ("targets", UTR, "--mirna", "hsa-miR-34c-5p", "--mutate", "RAB27B:604:G", "--out", str(out))
    text = typed(*words)
    assert "RAB27B: 1 8mer" in text
    assert "SMPD3: unknown" in text
    assert {path.name for path in out.iterdir()} == {
        "genes.csv", "genes.parquet", "sites.csv", "sites.parquet", "result.json", "repression.svg", "repression.png"
    }  # fmt: skip
    genes = read_table(out / "genes.parquet").set_index("gene")
    assert genes.loc["RAB27B", "left"] < 0.7 < genes.loc["RAB27B(604:G)", "left"]
    told = json.loads(typed("targets", UTR, "--mirna", "AGGCAGUGUAGUUAGCUGAUUGC", "--copies", "1000", "--json"))
    assert told["exposure"]["level"] == "copies"
    assert next(site["type"] for site in told["sites"] if site["gene"] == "RAB27B") == "8mer"
    with pytest.raises(InvalidInput, match="there already"):
        typed(*words)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--mirna", "miR-nothing"), "a mature sequence"),
        (("--mirna", "hsa-miR-34c-5p", "--mutate", "x"), "NAME:POSITION:BASE"),
        (("--mirna", "hsa-miR-34c-5p", "--level", "copies"), "--copies"),
        (("--mirna", "hsa-miR-34c-5p", "--reading", "tight"), "a number of copies"),
        (
            ("--mirna", "hsa-miR-34c-5p", "--level", "endogenous", "--copies", "50"),
            "--level and --copies: found --level endogenous --copies 50, expected one of the two",
        ),
        (("--mirna", "hsa-miR-34c-5p", "--panel", "nothing.fa"), "no such file"),
    ],
)
def test_wrong_words_are_told(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        typed("targets", UTR, *words)


def test_a_panel_may_hold_the_gene_again_but_not_otherwise(tmp_path: Path) -> None:
    panel = tmp_path / "panel.fa"
    panel.write_text(Path(UTR).read_text() + ">RAB27A\nACGU\n")
    assert "RAB27A: no canonical site" in typed("targets", UTR, "--mirna", "hsa-miR-34c-5p", "--panel", str(panel))
    panel.write_text(">RAB27B\nACGU\n")
    with pytest.raises(InvalidInput, match="another sequence"):
        typed("targets", UTR, "--mirna", "hsa-miR-34c-5p", "--panel", str(panel))


def test_screen_ranks_a_network_of_ones_own(tmp_path: Path) -> None:
    network, out = tmp_path / "n.csv", tmp_path / "out"
    network.write_text("mirna,gene\nhsa-miR-1,CCND1\nhsa-miR-1,CDK6\nhsa-miR-2,RAB27B\n")
    words = ("screen", "--network", str(network), "--draws", "6", "--watch", "hsa-miR-1", "--out", str(out))
    assert "hsa-miR-1 ranks 1 of 2" in typed(*words)
    assert list(read_table(out / "mirnas.parquet")["mirna"]) == ["hsa-miR-1", "hsa-miR-2"]
    assert json.loads((out / "result.json").read_text())["settings"]["draws"] == 6

"""`senexo assay NAME TABLE`: every assay is a row of options here and a function of the same name in senexo.assays.

The options carry the names of the function's keywords; all of them are read as text, so that whatever is wrong in one
call is told together (`senexo.app.options`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from senexo.app.options import ASSAYS, Assay, Option

app = typer.Typer(
    help="Bench statistics: a table in; estimate, interval, test, figure and a sentence out.",
    no_args_is_help=True,
    epilog="Try one: senexo assay survival --example",
)

TABLE_PANEL, ANSWER_PANEL = "The table", "The answer"
COMMON: dict[str, Any] = {
    "table": Annotated[Path | None, typer.Argument(
        metavar="TABLE", help="a table: .csv, .tsv, .txt, .xlsx or .parquet, also .gz", show_default=False,
    )],
    "sheet": Annotated[str | None, typer.Option(
        metavar="SHEET", help="the sheet, where an .xlsx has several", rich_help_panel=TABLE_PANEL,
    )],
    "join": Annotated[Path | None, typer.Option(
        metavar="OTHER", help="a second table whose columns are added, row by row", rich_help_panel=TABLE_PANEL,
    )],
    "on": Annotated[str | None, typer.Option(
        metavar="COLUMN", help="with --join: the column that names the same patient or sample in both",
        rich_help_panel=TABLE_PANEL,
    )],
    "join_sheet": Annotated[str | None, typer.Option(
        metavar="SHEET", help="with --join: its sheet", rich_help_panel=TABLE_PANEL,
    )],
    "exclude": Annotated[list[str] | None, typer.Option(
        metavar="COLUMN=VALUE", help="leave out the rows that hold this value; may be repeated",
        rich_help_panel=TABLE_PANEL,
    )],
    "example": Annotated[bool, typer.Option(
        "--example", help="write a small example table (to TABLE) and show the command that reads it",
        rich_help_panel=TABLE_PANEL,
    )],
    "out": Annotated[Path | None, typer.Option(
        metavar="DIR", help="write figure (SVG, PDF, PNG), tables (CSV, Parquet), result.json and sentence.txt there",
        rich_help_panel=ANSWER_PANEL,
    )],
    "json": Annotated[bool, typer.Option(
        "--json", help="print one JSON object instead of text", rich_help_panel=ANSWER_PANEL
    )],
}  # fmt: skip


def _annotation(option: Option) -> Any:
    """What typer is to know of one option."""
    kind = list[str] | None if option.several else str | None
    need = " (needed)" if option.needed else ""
    more = "; may be repeated" if option.several else ""
    default = f" (default: {option.default})" if option.default else ""
    return Annotated[kind, typer.Option(
        metavar=option.metavar, help=option.help + more + default + need, rich_help_panel="The question",
    )]  # fmt: skip


def _command(assay: Assay) -> Callable[..., None]:
    """The typer command of one assay, with its own options first."""
    own = {option.name: _annotation(option) for option in assay.options}

    def command(**given: Any) -> None:
        from senexo.app.assaying import answer

        typer.echo(answer(assay, {name: given.pop(name) for name in own}, **given))

    command.__signature__ = inspect.Signature([  # type: ignore[attr-defined]
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation,
            default=False if name in ("example", "json") else None,
        )
        for name, annotation in (own | COMMON).items()
    ])  # fmt: skip
    command.__annotations__ = {}
    return command


for _assay in ASSAYS:
    app.command(_assay.name, help=_assay.help, epilog=f"Try it: senexo assay {_assay.name} --example")(_command(_assay))

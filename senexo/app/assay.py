"""`senexo assay NAME TABLE`: one command per assay, made from its specification (`senexo.assays.specs`).

The options carry the names of the function's keywords; all of them are read as text, so that everything that is wrong
in one call is reported together (`senexo.app.options`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from senexo.app.options import on_command_line
from senexo.assays.spec import Option, Spec
from senexo.assays.specs import SPECS

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
    "decimal": Annotated[str | None, typer.Option(
        metavar=".|,", help="the decimal mark of its numbers, where they can be read in two ways (10.000)",
        rich_help_panel=TABLE_PANEL,
    )],
    "skip": Annotated[int | None, typer.Option(
        metavar="N", min=1, help="lines above the header to pass over", rich_help_panel=TABLE_PANEL,
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
        metavar="COLUMN=VALUE", help="leave out the rows that hold this value (or VALUE|VALUE); may be repeated",
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


def _annotation(option: Option, *, hidden: bool = False) -> Any:
    """What typer is to know of one option; hidden: under an earlier name."""
    kind = list[str] | None if option.several else str | None
    need = " (needed)" if option.needed else ""
    more = "; may be repeated" if option.several else ""
    default = f" (default: {option.default})" if option.default else ""
    return Annotated[kind, typer.Option(
        metavar=option.metavar, help=option.says + more + default + need, rich_help_panel="The question", hidden=hidden,
    )]  # fmt: skip


def _command(spec: Spec) -> Callable[..., None]:
    """The typer command of one assay, with its own options first."""
    own = {option.name: _annotation(option) for option in on_command_line(spec)}
    own |= {name: _annotation(option, hidden=True) for option in on_command_line(spec) for name in option.was}

    def command(**given: Any) -> None:
        from senexo.app.assaying import answer
        from senexo.app.tables import Source

        typer.echo(answer(spec, {name: given.pop(name) for name in own}, Source.taken(given), **given))

    command.__signature__ = inspect.Signature([  # type: ignore[attr-defined]
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation,
            default=False if name in ("example", "json") else None,
        )
        for name, annotation in (own | COMMON).items()
    ])  # fmt: skip
    command.__annotations__ = {}
    return command


for _spec in SPECS.values():
    app.command(_spec.name, help=_spec.help, epilog=f"Try it: senexo assay {_spec.name} --example")(_command(_spec))

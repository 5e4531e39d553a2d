"""``tailrace lake …``: housekeeping."""

import typer

from cli import options as o
from cli.output import Format, write

lake = typer.Typer(no_args_is_help=True, help="Look after a lake.", rich_markup_mode=None)


@lake.callback()
def _group() -> None:
    """Keeps ``stats`` a verb of its own while it is the only one."""


@lake.command()
def stats(lake: o.LakeOption, form: o.FormatOption = Format.TABLE) -> None:
    """Files, rows and bytes of each table, and the time they span."""
    from store.lake import Lake

    write(Lake.open(lake).stats(), form)

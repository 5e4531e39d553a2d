"""``tailrace sql``: the user's own SQL over the views."""

from typing import Annotated

import typer

from cli import options as o
from cli.output import Format, write
from cli.reading import open_lake, tell

# People stop reading before this; programs get every row.
ROWS_FOR_PEOPLE = 1000
TIMEOUT_S = 300.0


def sql(
    query: Annotated[
        str,
        typer.Argument(
            help="One SELECT over flows, connections, edges, dns, dns_records, assignments, coverage.", metavar="QUERY"
        ),
    ],
    lake: o.LakeOption,
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=1, help=f"At most so many rows; {ROWS_FOR_PEOPLE} for a table, else all."),
    ] = None,
    cluster: o.ClusterOption = None,
    timeout: o.TimeoutOption = TIMEOUT_S,
    form: o.FormatOption = Format.TABLE,
) -> None:
    """Read-only SQL (DuckDB's) over the views of the lake."""
    from analysis.questions import run_sql

    most = ROWS_FOR_PEOPLE if limit is None and form is Format.TABLE else limit
    opened = open_lake(lake, cluster)
    answer = run_sql(opened, query, most, timeout, cluster)
    write(answer.table, form)
    if answer.truncated:
        tell(opened, answer, most)

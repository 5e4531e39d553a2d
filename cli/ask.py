"""``tailrace ask``: the named questions."""

from typing import Annotated

import typer

from cli import options as o
from cli.output import Format, write
from cli.reading import TIMEOUT_S, Asked, read, window
from contract.errors import UsageError


def ask(
    name: Annotated[str | None, typer.Argument(help="Name of a question; without one, all are listed.")] = None,
    *,
    parameters: Annotated[
        list[str] | None, typer.Option("--param", "-p", metavar="NAME=VALUE", help="A parameter; repeatable.")
    ] = None,
    lake: o.MaybeLakeOption = None,
    since: o.SinceOption = None,
    until: o.UntilOption = None,
    cluster: o.ClusterOption = None,
    limit: o.LimitOption = 1000,
    timeout: o.TimeoutOption = TIMEOUT_S,
    form: o.FormatOption = Format.TABLE,
) -> None:
    """Ask a named question; alone, list them with their parameters."""
    if name is None:
        _list(form)
        return
    if lake is None:
        raise UsageError("ask: --lake says which lake to ask")
    given = dict(_assignment(text) for text in parameters or ())
    read(lake, Asked(name, given | window(since, until, cluster), limit, timeout), form)


def _assignment(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(f"--param: {text!r} is not NAME=VALUE")
    return name, value


def _list(form: Format) -> None:
    import pyarrow as pa

    from analysis.questions import Question, catalogue

    def row(question: Question) -> dict[str, str]:
        parameters = ", ".join(f"{parameter.name} ({parameter.type})" for parameter in question.parameters)
        return {"name": question.name, "question": question.question, "parameters": parameters}

    columns = pa.schema([("name", pa.string()), ("question", pa.string()), ("parameters", pa.string())])
    write(pa.Table.from_pylist([row(question) for question in catalogue().values()], schema=columns), form)

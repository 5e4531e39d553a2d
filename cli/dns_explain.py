"""``tailrace dns explain``: what became of a name that a client asked for."""

import json
import sys
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from cli import options as o
from cli.printable import json_value
from cli.reading import TIMEOUT_S, open_lake
from cli.times import parse_time


class StoryFormat(StrEnum):
    TABLE = "table"
    JSON = "json"


def explain(
    name: Annotated[str, typer.Argument(help="The name, as the program gave it or as it was asked for.")],
    *,
    client: Annotated[
        str,
        typer.Option(
            "--client", metavar="NAMESPACE/WORKLOAD", help="Who asked; also NAMESPACE/POD, an address, a node."
        ),
    ],
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="The last time before then; the newest, if left out.")
    ] = None,
    lake: o.LakeOption,
    cluster: o.ClusterOption = None,
    timeout: o.TimeoutOption = TIMEOUT_S,
    form: Annotated[StoryFormat, typer.Option("--format", help="A story to read, or json.")] = StoryFormat.TABLE,
) -> None:
    """Why a name was slow, failed, or was never asked for.

    What the client asked in which order, of whom, what came back, what it then connected to, how long that name usually
    takes, and what the doctor has to say of it. Where the client never asked for the name: what it asked for instead,
    and who did ask for it.
    """
    from analysis.dns.explain.asked import Asked, read_client
    from analysis.dns.explain.instead import Instead
    from analysis.dns.explain.story import explain as explained
    from cli import dns_instead, dns_story

    asked = Asked(name, read_client(client), parse_time("--at", at, datetime.now(UTC)), cluster)
    found = explained(open_lake(lake, cluster), asked, timeout)
    if form is StoryFormat.JSON:
        document = dns_instead.document(found) if isinstance(found, Instead) else dns_story.document(found, lake)
        sys.stdout.write(json.dumps(json_value(document), allow_nan=False, indent=1) + "\n")
    elif isinstance(found, Instead):
        dns_instead.show(found)
    else:
        dns_story.show(found, lake)

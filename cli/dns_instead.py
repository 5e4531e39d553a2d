"""What ``tailrace dns explain`` says where a client never asked for a name."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from analysis.dns.finding import Row, client_of
from cli.page import DOUBTFUL, HEADING, QUIET, Page
from viz.humane import instant

if TYPE_CHECKING:
    from analysis.dns.explain.instead import Instead


def document(found: "Instead") -> dict[str, object]:
    return {
        "asked": found.asked.name,
        "client": str(found.asked.client),
        "resolution": None,
        "client_is_known": found.known,
        "client_asked_for": found.names,
        "asked_by": found.clients,
        "others_asked_for": found.elsewhere,
        "clients_spelt_so": found.like,
        "span": found.span,
    }


def show(found: "Instead") -> None:
    page = Page()
    page.paragraph((found.asked.name, HEADING), " for ", (str(found.asked.client), HEADING))
    if found.span is None:
        page.line(("Never asked for", DOUBTFUL), ": the lake is empty.")
        return
    first, last = (instant(end) for end in found.span)
    page.paragraph(("Never asked for", DOUBTFUL), f" between {first} and {last} UTC, which is what the lake has.")
    if found.known:
        _list(page, "The client asked for these instead", found.names, [str(row["asked"]) for row in found.names])
    else:
        _list(
            page, "No such client asked for any name; these did", found.like, [str(row["client"]) for row in found.like]
        )
    _list(page, "These asked for it", found.clients, [client_of(row) for row in found.clients])
    if not found.clients:
        page.blank()
        page.line("Nobody asked for it.")
        names = [str(row["asked"]) for row in found.elsewhere]
        _list(page, "What others asked for that is spelt almost so", found.elsewhere, names)


def _list(page: Page, title: str, rows: Sequence[Row], names: Sequence[str]) -> None:
    if not rows:
        return
    page.blank()
    page.line((title, HEADING))
    widest = max(map(len, names))
    for name, row in zip(names, rows, strict=True):
        count, answered = row["resolutions"], row["answered"]
        times = f"{count:,} time{'' if count == 1 else 's'}, {answered:,} answered, last at {instant(row['last_seen'])}"
        page.line(name.ljust(widest), "  ", (times, QUIET), indent=2)

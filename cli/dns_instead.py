"""What ``tailrace dns explain`` says where a client never asked for a name."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from analysis.clusters import name_of, words
from analysis.dns.finding import Row, client_of
from cli.page import DOUBTFUL, HEADING, QUIET, Page
from viz.humane import instant

if TYPE_CHECKING:
    from analysis.dns.explain.instead import Instead


def document(found: "Instead") -> dict[str, object]:
    return {
        "asked": found.asked.name,
        "client": str(found.asked.client),
        "cluster": found.asked.cluster or None,
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
    cluster = found.asked.cluster
    where = "" if cluster is None else f", {words(cluster)}"
    page.paragraph((found.asked.name, HEADING), " for ", (str(found.asked.client), HEADING), where)
    if found.span is None:
        page.line(("Never asked for", DOUBTFUL), ": the lake is empty.")
        return
    first, last = (instant(end) for end in found.span)
    page.paragraph(("Never asked for", DOUBTFUL), f" between {first} and {last} UTC, which is what the lake has.")
    several = found.several
    if found.known:
        _list(
            page, "The client asked for these instead", found.names, [str(row["asked"]) for row in found.names], several
        )
    else:
        _list(
            page,
            "No such client asked for any name; these did",
            found.like,
            [str(row["client"]) for row in found.like],
            several,
        )
    _list(page, "These asked for it", found.clients, [client_of(row) for row in found.clients], several)
    if not found.clients:
        page.blank()
        page.line("Nobody asked for it." if cluster is None else "Nobody of that cluster asked for it.")
        names = [str(row["asked"]) for row in found.elsewhere]
        _list(page, "What others asked for that is spelt almost so", found.elsewhere, names, several)


def _list(page: Page, title: str, rows: Sequence[Row], names: Sequence[str], several: bool) -> None:
    """Each with its cluster, where they may be of ``several``."""
    if not rows:
        return
    page.blank()
    page.line((title, HEADING))
    widest = max(map(len, names))
    for name, row in zip(names, rows, strict=True):
        count, answered = row["resolutions"], row["answered"]
        times = f"{count:,} time{'' if count == 1 else 's'}, {answered:,} answered, last at {instant(row['last_seen'])}"
        where = f"{words(name_of(row['cluster']))}: " if several else ""
        page.line(name.ljust(widest), "  ", (where + times, QUIET), indent=2)

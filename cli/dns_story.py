"""What ``tailrace dns explain`` says of one resolution."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from analysis.clusters import words
from analysis.dns.doctor import DIAGNOSES
from analysis.dns.explain.story import FOLLOWED, Story
from analysis.dns.finding import Row
from cli.dns_steps import after, show_steps
from cli.findings import Shown, block, brief, told
from cli.page import BAD, DOUBTFUL, GOOD, HEADING, QUIET, Page, Part
from cli.protocols import service
from cli.reading import place
from viz.humane import duration, instant, latency

# What became of a connection, by its state (docs/connection-states.md).
STATES = {
    "S0": "not answered",
    "SH": "not answered",
    "RSTOS0": "not answered, given up",
    "REJ": "refused",
    "RSTRH": "refused",
    "S1": "open",
    "S2": "open, closed by the client",
    "S3": "open, closed by the server",
    "SF": "answered, closed",
    "RSTO": "answered, reset by the client",
    "RSTR": "answered, reset by the server",
}
MOST_ADDRESSES = 4

# How a resolution ended.
ENDED: dict[str, Part] = {
    "answered": ("answered", GOOD),
    "no_data": ("answered: the name has no such record", DOUBTFUL),
    "nxdomain": ("answered: there is no such name", BAD),
    "failed": ("failed", BAD),
    "unanswered": ("never answered", BAD),
}


def document(story: Story, lake: str) -> dict[str, object]:
    shown = _shown(story, lake)
    return {
        "resolution": story.resolution,
        "steps": story.steps,
        "connections": story.connections,
        "asked_again_time": story.again,
        "cut": story.cut,
        "usual": dict(story.usual) | {"since": story.window[0], "until": story.window[1]},
        "findings": [told(one, shown) for one in story.concerns.name],
        "findings_of_the_client": [told(one, shown) for one in story.concerns.client],
        "could_not_judge": [{"diagnosis": one.diagnosis.name, "why": one.why} for one in story.concerns.unjudged],
    }


def show(story: Story, lake: str) -> None:
    page = Page()
    _head(page, story)
    if story.asked.at and story.resolution["start_time"] > story.asked.at:
        page.line((f"The first time after {_moment(story.asked.at)}: it was not asked for before.", DOUBTFUL))
    _heading(page, "What it asked", _of_whom(story.steps))
    show_steps(page, story.steps, story.resolution["asked"])
    _heading(page, "What it connected to", _until(story))
    _connections(page, story)
    _heading(page, "What is usual", f"from {instant(story.window[0])} to {instant(story.window[1])}")
    page.paragraph(*_usual(story), indent=2)
    if story.cut:
        page.line(("There is more of it than is shown; see tailrace dns --resolution.", DOUBTFUL))
    _findings(page, story, lake)


def _head(page: Page, story: Story) -> None:
    one = story.resolution
    types = one["qtypes"].replace(",", ", ")
    page.line((one["asked"], HEADING), f" ({types}) for ", (_client(one), HEADING))
    node = f", on {one['client_node']}" if one["client_node"] else ""
    pod = f"pod {one['client_pod']} ({one['client_ip']}{node})" if one["client_pod"] else f"{one['client_ip']}{node}"
    page.paragraph(f"{_moment(one['start_time'])} UTC, by {pod}{_where(story)}")
    page.paragraph(*_ended(one))
    page.paragraph(*_spent(one, story.steps))


def _where(story: Story) -> str:
    return "" if story.cluster is None else f", {words(story.cluster)}"


def _client(one: Row) -> str:
    return "/".join(filter(None, (one["client_namespace"], one["client_workload"]))) or str(one["client_ip"])


def _moment(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S}.{time.microsecond // 1000:03d}"


def _ended(one: Row) -> Iterator[str | Part]:
    yield ENDED[one["outcome"]]
    if one["outcome"] == "failed":
        yield f" with {one['rcode']}"
    if one["duration_us"] is not None:
        yield f" after {latency(one['duration_us'])}"
    if one["addresses"]:
        more = len(one["addresses"]) - MOST_ADDRESSES
        yield f" with {', '.join(one['addresses'][:MOST_ADDRESSES])}" + (f" and {more} more" if more > 0 else "")
    yield "."


def _spent(one: Row, steps: Sequence[Row]) -> Iterator[str | Part]:
    """On what the queries and the time went."""
    yield _count(one["queries"], "query", "queries")
    if one["wasted_queries"]:
        took = f", which took {latency(one['wasted_us'])}" if one["wasted_us"] else ""
        yield f", {one['wasted_queries']:,} of them needless{took}", DOUBTFUL
    upstream = max((step["upstream_us"] or 0 for step in steps if not step["wasted"]), default=0)
    if upstream:
        yield f"; the server waited {latency(upstream)} for its upstream"
    yield "."


def _count(number: int, one: str, several: str) -> str:
    return f"{number:,} {one if number == 1 else several}"


def _heading(page: Page, title: str, more: str) -> None:
    page.blank()
    page.line((title, HEADING), (f", {more}", QUIET))


def _of_whom(steps: Sequence[Row]) -> str:
    """The Services or addresses that were asked."""
    asked = {
        f"{row['service_namespace']}/{row['service']}" if row["service"] else str(row["server_ip"]) for row in steps
    }
    return f"of {', '.join(sorted(asked))}"


def _until(story: Story) -> str:
    if story.again is None:
        lasted = f"{duration(story.followed)} after"
        return f"in the {lasted}" if story.followed == FOLLOWED else f"until the lake ends, {lasted}"
    return f"until it asked for the name again, {duration(story.again - story.resolution['start_time'])} later"


def _connections(page: Page, story: Story) -> None:
    if not story.resolution["addresses"]:
        page.line("To nothing, as it was given no address.", indent=2)
    elif not story.connections and story.resolution["connections"] is None:
        page.line("Not known: the lake has no flows of that time.", indent=2)
    elif not story.connections:
        page.line(("To none of these addresses.", DOUBTFUL), indent=2)
    for one in story.connections:
        page.line(*_connection(one), indent=4)
        if one["dst_pod"] or one["dst_workload"]:
            page.line((f"→ {_behind(one)}", QUIET), indent=28)


def _connection(one: Row) -> Iterator[Part]:
    name = f" ({one['service_namespace']}/{one['service']})" if one["service"] else ""
    yield f"{after(one):>11}  {service(one['protocol'], one['dst_port']):9}  ", ""
    yield f"{one['dst_ip'] + name:32}  ", ""
    yield _how(one)
    if one["server_handshake_us"] is not None:
        yield f", handshake {latency(one['server_handshake_us'])}", QUIET


def _behind(one: Row) -> str:
    """Who answered, behind a Service too."""
    port = f" port {one['backend_port']}" if one["backend_port"] else ""
    node = f" on {one['dst_node']}" if one["dst_node"] else ""
    return f"{one['dst_namespace']}/{one['dst_pod'] or one['dst_workload']}{port}{node}"


def _how(one: Row) -> Part:
    state = one["connection_state"]
    words = STATES.get(state, "seen")
    return f"{words} ({state})" if state else words, BAD if one["failed"] else GOOD


def _usual(story: Story) -> Iterator[str]:
    usual, took = story.usual, story.resolution["duration_us"]
    count = usual["resolutions"]
    often = f", one in {duration((usual['last_seen'] - usual['first_seen']) / (count - 1))}" if count > 1 else ""
    ends = ", ".join(f"{usual[how]:,} {how.replace('_', ' ')}" for how in ENDED if usual[how])
    yield f"{_count(count, 'resolution', 'resolutions')} by {_count(usual['clients'], 'address', 'addresses')}{often}: {ends}."
    if usual["timed"] > 1:
        times = [latency(usual[name]) for name in ("p50_us", "p95_us", "longest_us")]
        yield f" Half took up to {times[0]}, 95 of 100 up to {times[1]}, the longest {times[2]}"
        yield "." if took is None else f"; this one took {latency(took)}, {_place(usual['sooner'], usual['timed'])}."
    if usual["wasted_queries"]:
        yield f" {usual['wasted_queries']:,} of {usual['queries']:,} queries were needless."


def _place(sooner: int, timed: int) -> str:
    if sooner == timed - 1:
        return "longer than all others"
    return f"longer than {sooner:,} of the others" if sooner else "as short as any"


def _findings(page: Page, story: Story, lake: str) -> None:
    found, shown = story.concerns, _shown(story, lake)
    _heading(page, "What the doctor says", "of this name")
    if not found.name:
        page.line("Nothing.", indent=2)
    for number, finding in enumerate(found.name):
        if number:
            page.blank()
        block(page, finding, shown, indent=2)
    if found.client:
        _heading(page, "And of this client", "whatever it asks for")
    for finding in found.client:
        brief(page, finding, shown, indent=2)
    if found.unjudged:
        names = ", ".join(one.diagnosis.name for one in found.unjudged)
        page.blank()
        page.paragraph((f"Could not judge: {names} (tailrace dns doctor says why).", QUIET))


def _shown(story: Story, lake: str) -> Shown:
    ends = () if story.whole else zip(("since", "until"), story.window, strict=True)
    return Shown({one.name: one.title for one in DIAGNOSES}, place(lake, {**dict(ends), "cluster": story.cluster}))

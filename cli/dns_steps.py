"""The steps of a resolution, as lines of a page."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from analysis.dns.finding import Row
from cli.page import BAD, DOUBTFUL, GOOD, HEADING, QUIET, Page, Part
from contract.resolutions import AS_IT_STANDS
from viz.humane import latency

# Where the server had the answer.
SOURCES = {"zone": "own zone", "cache": "cache", "upstream": "upstream"}

# Records of one answer that are shown.
MOST_RECORDS = 8


def show_steps(page: Page, steps: Sequence[Row], asked: str) -> None:
    """The queries for one name below each other; which server was asked stands behind each."""
    for number, (qname, queries) in enumerate(groupby(steps, lambda step: step["qname"]), 1):
        one = list(queries)
        page.line(f"{number:>2}  ", *_name(qname, one[0], asked))
        for step in one:
            page.line(*_query(step), indent=4)
            for leg in step["upstream"]:
                page.line((f"{'':19}└ upstream {_place(leg)}, {after(leg)}: ", QUIET), _result(leg), indent=4)
            for record in _records(step):
                page.line((record, QUIET), indent=23)


def after(row: Row) -> str:
    """Since the first query, in one unit, so that a column of them reads as one scale."""
    return f"+{row['offset_us'] / 1000:,.2f} ms"


def _name(qname: str | None, step: Row, asked: str) -> Iterator[Part]:
    if step["suffix"] in (None, AS_IT_STANDS):
        yield qname or "(no question)", HEADING
    else:
        yield asked, HEADING
        yield f" + {step['suffix']}", ""
    if step["wasted"]:
        yield "  (needless)", DOUBTFUL


def _query(step: Row) -> Iterator[Part]:
    text, style = _result(step)
    yield f"{after(step):>11}  {step['qtype'] or '?':6}", ""
    yield f"{text:29}  ", style
    yield _by(step), QUIET


def _result(row: Row) -> Part:
    how = _again(row)
    if row["outcome"] == "unanswered":
        return f"no answer{how}", BAD
    if row["latency_us"] is None:
        return f"{row['rcode']}{how}", ""
    text, style = _rcode(row)
    return f"{text} in {latency(row['latency_us'])}{how}", style


def _rcode(row: Row) -> Part:
    if row.get("tc"):
        return "cut short", DOUBTFUL
    if row["rcode"] == "NOERROR":
        return ("NOERROR", GOOD) if row.get("answers") is None or row["answers"] else ("no such record", "")
    return row["rcode"], "" if row["rcode"] == "NXDOMAIN" else BAD


def _again(row: Row) -> str:
    repeated = f", asked {row['attempts']}×" if row["attempts"] > 1 else ""
    return (", TCP" if row["transport"] == "tcp" else "") + repeated


def _by(step: Row) -> str:
    """Which server, and where that had the answer."""
    node = f" on {step['server_node']}" if step["server_node"] else ""
    source = f", {SOURCES[step['answered_from']]}" if step["answered_from"] else ""
    return f"{_server(step)}{node}{source}"


def _server(row: Row) -> str:
    return str(row["server_pod"] or row["server_workload"] or row["server_ip"])


def _place(leg: Row) -> str:
    name = f" ({leg['server_namespace']}/{_server(leg)})" if leg["server_namespace"] else ""
    return f"{leg['server_ip']}{name}"


def _records(step: Row) -> Iterator[str]:
    records = step["answers"] or ()
    for record in records[:MOST_RECORDS]:
        yield f"{record['type']:6}{record['data']}  (TTL {record['ttl']} s)"
    if len(records) > MOST_RECORDS:
        yield f"and {len(records) - MOST_RECORDS} more"

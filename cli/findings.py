"""Findings, as a report for people or as data for programs."""

import json
import shlex
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cli.output import Format, say, write
from cli.page import BAD, COMMAND, DOUBTFUL, GOOD, HEADING, INFO, QUIET, Page
from cli.printable import json_text, json_value

if TYPE_CHECKING:
    import pyarrow as pa

    from analysis.dns.examination import Report
    from analysis.dns.finding import Finding

STYLES = {"critical": BAD, "warning": DOUBTFUL, "info": INFO}

LABEL = 8

# By the question that they ask.
VERBS = {"dns/search": "dns", "flows/search": "flows"}
# Options of these verbs whose names are not those of the parameters.
OPTIONS = {"negate": "not"}


@dataclass(frozen=True)
class Shown:
    """``titles`` of diagnoses by name; ``place``: options that lead to the same rows, as the lake and the window."""

    titles: Mapping[str, str]
    place: Mapping[str, object] = field(default_factory=dict)


def show(report: "Report", shown: Shown, form: Format) -> None:
    if form is Format.JSON:
        sys.stdout.write(json.dumps(json_value(_document(report, shown)), allow_nan=False, indent=1) + "\n")
    elif form is Format.TABLE:
        _page(report, shown)
    else:
        write(_rows(report, shown), form)
        for one in report.unjudged:
            say(f"{one.diagnosis.name} could not judge: {one.why}")


def block(page: Page, finding: "Finding", shown: Shown, indent: int = 0) -> None:
    """One finding: what is wrong, what to change, what that would do, and how to look at it."""
    inner = indent + 2
    brief(page, finding, shown, indent)
    for name, text in (("Fix", finding.fix), ("Effect", finding.effect)):
        if text:
            page.paragraph(text, indent=inner, hang=LABEL, label=(name, GOOD))
    page.line(("See".ljust(LABEL), QUIET), (command(finding, shown), COMMAND), indent=inner)


def brief(page: Page, finding: "Finding", shown: Shown, indent: int = 0) -> None:
    """What is wrong."""
    word = finding.severity.word
    title = shown.titles[finding.diagnosis]
    page.paragraph((word.upper(), STYLES[word]), "  ", (title, HEADING), ": ", finding.subject, indent=indent, hang=2)
    page.paragraph(finding.says, indent=indent + 2)


def command(finding: "Finding", shown: Shown) -> str:
    """The command line that shows the transactions, or connections, behind it."""
    options = [_option(name, value) for name, value in {**shown.place, **finding.look}.items() if value is not None]
    return " ".join(["tailrace", VERBS[finding.question], *options])


def _option(name: str, value: object) -> str:
    option = f"--{OPTIONS.get(name, name).replace('_', '-')}"
    if isinstance(value, bool):
        return option if value else ""
    text = shlex.quote(str(value))
    return f"{option}={text}" if str(value).startswith("-") else f"{option} {text}"


def _page(report: "Report", shown: Shown) -> None:
    page = Page()
    _counts(page, report)
    for finding in report.findings:
        block(page, finding, shown)
        page.blank()
    _closing(page, report)


def _counts(page: Page, report: "Report") -> None:
    """At a glance."""
    counts = Counter(finding.severity.word for finding in report.findings)
    parts = [(f"{counts[word]} {word}", STYLES[word]) for word in STYLES if counts[word]]
    if parts:
        page.line(*[part for one in parts for part in (one, ", ")][:-1])
        page.blank()


def _closing(page: Page, report: "Report") -> None:
    if report.cut:
        page.paragraph("More than is shown was found by ", _names(report.cut), ".", hang=2)
    if report.silent:
        page.paragraph(("Nothing found by ", GOOD), _names(report.silent), ".", hang=2)
    for why in dict.fromkeys(one.why for one in report.unjudged):
        names = _names([one.diagnosis for one in report.unjudged if one.why == why])
        page.paragraph(("Could not judge ", DOUBTFUL), names, ": ", why, ".", hang=2)


def _names(diagnoses: Sequence[Any]) -> str:
    return ", ".join(one.name for one in diagnoses)


def _document(report: "Report", shown: Shown) -> dict[str, object]:
    return {
        "findings": [told(finding, shown) for finding in report.findings],
        "found_nothing": [one.name for one in report.silent],
        "found_more": [one.name for one in report.cut],
        "could_not_judge": [{"diagnosis": one.diagnosis.name, "why": one.why} for one in report.unjudged],
    }


def told(finding: "Finding", shown: Shown) -> dict[str, Any]:
    """A finding as data."""
    return {
        "diagnosis": finding.diagnosis,
        "title": shown.titles[finding.diagnosis],
        "severity": finding.severity.word,
        "subject": finding.subject,
        "says": finding.says,
        "fix": finding.fix,
        "effect": finding.effect,
        "queries": finding.queries,
        "waited_us": finding.waited_us,
        "see": command(finding, shown),
        "evidence": dict(finding.evidence),
    }


def _rows(report: "Report", shown: Shown) -> "pa.Table":
    """The evidence as JSON, as every diagnosis has other columns."""
    import pyarrow as pa

    rows = [told(finding, shown) for finding in report.findings]
    numbers = ("queries", "waited_us")
    columns = ("diagnosis", "title", "severity", "subject", "says", "fix", "effect", *numbers, "see", "evidence")
    schema = pa.schema([(name, pa.int64() if name in numbers else pa.string()) for name in columns])
    return pa.Table.from_pylist([row | {"evidence": json_text(row["evidence"])} for row in rows], schema=schema)

"""What the doctor finds: a list by severity and cost, and of the one that is chosen its evidence, fix and transactions."""

import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import streamlit as st

from analysis.detect.detections import DETECTIONS
from analysis.dns.doctor import DIAGNOSES
from analysis.dns.finding import Diagnosis, Finding, Severity
from viz import data, tables
from viz.dns import evidence
from viz.dns.examined import Examined
from viz.humane import latency, number
from viz.plain import code, lines, visible

# In the address: which finding is open.
IN_URL = "finding"
HEIGHT = 620
# A list that nobody reads to its end; the rest is counted.
MOST = 60
TRANSACTIONS = 100
SHOWN = {
    "dns/search": (
        "transactions",
        ("start_time", "asker", "server", "qname", "qtype", "rcode", "outcome", "latency_us", "attempts"),
    ),
    "flows/search": (
        "connections",
        ("start_time", "src", "dst", "dst_ip", "dst_port", "connection_state", "src_bytes", "dst_bytes"),
    ),
}
SNIPPET = re.compile("`([^`]+)`")

LOOKS = {
    Severity.CRITICAL: ("red", ":material/error:"),
    Severity.WARNING: ("orange", ":material/warning:"),
    Severity.INFO: ("blue", ":material/info:"),
}


@st.fragment
def shown(examined: Examined, window: Mapping[str, Any]) -> None:
    findings = examined.report.findings[:MOST]
    if not findings and not examined.report.silent:
        st.info("Nothing could be judged.", icon=":material/info:")
    elif not findings:
        st.success(f"Nothing found: {_names(examined.report.silent, examined)}.", icon=":material/check:")
    else:
        opened = _opened(findings)
        st.markdown(counts(examined.report.findings))
        left, right = st.columns([2, 3], gap="medium")
        with left.container(height=HEIGHT, border=False, key="findings", gap="small"):
            for number_, finding in enumerate(findings):
                _card(number_, finding, examined.titles, finding is opened)
        with right.container(height=HEIGHT, border=True, key="finding", gap="xsmall"):
            _detail(opened, examined.titles, window)
    looked = f"{len(DIAGNOSES)} diagnoses and {len(DETECTIONS)} detections"
    if examined.judged:
        st.caption(f"Looked at by {looked}: {examined.judged}.")
    _closing(examined)


def counts(findings: Sequence[Finding]) -> str:
    """How many of each severity, in Markdown."""
    told = {severity: sum(finding.severity is severity for finding in findings) for severity in LOOKS}
    return " ".join(f":{LOOKS[severity][0]}-badge[{number(n)} {severity.word}]" for severity, n in told.items() if n)


def identifier(finding: Finding) -> str:
    """Short, and of the characters that an address may have."""
    return sha256(f"{finding.diagnosis}\0{finding.subject}".encode(errors="surrogatepass")).hexdigest()[:12]


def _opened(findings: Sequence[Finding]) -> Finding:
    wanted = st.query_params.get(IN_URL)
    return next((finding for finding in findings if identifier(finding) == wanted), findings[0])


def _open(finding: Finding) -> None:
    st.query_params[IN_URL] = identifier(finding)


def _card(place: int, finding: Finding, titles: Mapping[str, str], opened: bool) -> None:
    state = "open" if opened else "closed"
    with st.container(border=True, gap="xxsmall", key=f"card-{finding.severity.word}-{state}-{place}"):
        st.button(
            titles[finding.diagnosis],
            key=f"finding {identifier(finding)} {place}",
            icon=LOOKS[finding.severity][1],
            type="tertiary",
            on_click=_open,
            args=(finding,),
        )
        st.markdown(code(finding.subject))
        st.text(visible(finding.says))
        if cost := _cost(finding):
            st.caption(cost)


def parts(fix: str) -> list[tuple[bool, str]]:
    """A fix in pieces, and whether each is to be copied: a single word is not, and stays where it is."""
    joined = SNIPPET.sub(lambda found: found[0] if " " in found[1] else found[1], fix)
    pieces = enumerate(SNIPPET.split(joined))
    return [(place % 2 == 1, piece.strip()) for place, piece in pieces if piece.strip()]


def _cost(finding: Finding) -> str:
    waited = f"{latency(finding.waited_us)} waited" if finding.waited_us else ""
    queries = f"{number(finding.queries)} {'query' if finding.queries == 1 else 'queries'}" if finding.queries else ""
    return " · ".join(part for part in (waited, queries) if part)


def _detail(finding: Finding, titles: Mapping[str, str], window: Mapping[str, Any]) -> None:
    colour, icon = LOOKS[finding.severity]
    st.markdown(f":{colour}-badge[{icon} {finding.severity.word}]&ensp;**{titles[finding.diagnosis]}**")
    st.markdown(code(finding.subject))
    st.text(lines(finding.says))
    if cost := _cost(finding):
        st.caption(f"Costs: {cost}")
    st.markdown("**What to change**")
    for copied, text in parts(finding.fix):
        if copied:
            st.code(lines(text), language=None, wrap_lines=True)
        else:
            st.text(lines(text))
    if finding.effect:
        st.markdown("**What that would do**")
        st.text(lines(finding.effect))
    st.markdown("**Evidence**")
    evidence.shown(finding.evidence, identifier(finding))
    _transactions(finding, window)


def _transactions(finding: Finding, window: Mapping[str, Any]) -> None:
    things, columns = SHOWN[finding.question]
    answer = data.first(TRANSACTIONS, finding.question, **{**window, **finding.look})
    title = f"The last {TRANSACTIONS} {things}" if answer.truncated else f"Its {things}"
    st.markdown(f"**{title}**")
    if not answer.table.num_rows:
        st.caption("None of them can be shown alone.")
        return
    renamed = answer.table.rename_columns(["asker" if name == "client" else name for name in answer.table.column_names])
    tables.show(renamed, columns, f"transactions {identifier(finding)}")


def _closing(examined: Examined) -> None:
    report, unlisted = examined.report, len(examined.report.findings) - MOST
    parts = [f"{number(unlisted)} more are not listed; choose a namespace to see its own."] if unlisted > 0 else []
    parts += [f"There is more than is listed of: {_names(report.cut, examined)}."] if report.cut else []
    parts += [f"Not judged: {examined.titles[one.diagnosis.name]} ({code(one.why)})." for one in report.unjudged]
    if parts:
        st.caption(" ".join(parts))
    if report.silent and report.findings:
        with st.expander(f"What was looked for and not found ({len(report.silent)})", type="compact"):
            st.text(_names(report.silent, examined))


def _names(diagnoses: Sequence[Diagnosis], examined: Examined) -> str:
    return "; ".join(examined.titles[one.name] for one in diagnoses)

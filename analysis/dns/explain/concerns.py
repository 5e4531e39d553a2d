"""What the doctor has to say of one name of one client, and of that client besides."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from analysis.dns.doctor import examine
from analysis.dns.examination import Unjudged
from analysis.dns.finding import TRANSACTIONS, Finding, Row
from analysis.dns.services import read_context
from analysis.questions import asking
from store.lake import Lake

# Parameters by which a finding shows the transactions of certain names, and of certain clients.
OF_NAMES = {"domain", "registered_domain"}
WHOSE = {"from_namespace", "from_workload", "from_pod", "from_ip"}


@dataclass(frozen=True)
class Concerns:
    """``name``: findings whose transactions are of this name, or of this resolution; ``client``: those of any name."""

    name: Sequence[Finding] = ()
    client: Sequence[Finding] = ()
    unjudged: Sequence[Unjudged] = ()


def concerns(
    lake: Lake,
    resolution: Row,
    names: Sequence[str],
    window: Mapping[str, object],
    timeout_s: float,
) -> Concerns:
    """Of a client that has no name the doctor knows nothing."""
    if resolution["client_workload"] is None:
        return Concerns()
    whose = {"namespace": resolution["client_namespace"], "workload": resolution["client_workload"]}
    report = examine(lake, {**window, **whose}, read_context(lake, window, timeout_s), timeout_s=timeout_s)
    of_names = [one for one in report.findings if OF_NAMES & one.look.keys()]
    others = [one for one in report.findings if not OF_NAMES & one.look.keys()]
    shows = _shows(lake, others, resolution, window.get("cluster"), timeout_s)
    about = [one for one in of_names if _about(one, names, resolution["registered_domain"])] + shows
    return Concerns(
        name=[one for one in report.findings if one in about],
        client=[one for one in others if one not in shows],
        unjudged=report.unjudged,
    )


def _about(finding: Finding, names: Sequence[str], registered_domain: str | None) -> bool:
    domain, registered = finding.look.get("domain"), finding.look.get("registered_domain")
    return (domain is None or any(_like(name, str(domain)) for name in names)) and (
        registered is None or _like(registered_domain or "", str(registered))
    )


def _shows(
    lake: Lake, findings: Sequence[Finding], resolution: Row, cluster: object, timeout_s: float
) -> list[Finding]:
    """Those that show this resolution, and say more of what they show than whose it is."""
    ends = {"since": resolution["start_time"], "until": resolution["end_time"] + timedelta(microseconds=1)}
    this = {"resolution": resolution["resolution_id"]}
    with asking(lake, {**ends, "cluster": cluster}) as answer:
        return [
            one
            for one in findings
            if one.question == TRANSACTIONS
            and one.look.keys() - WHOSE
            and answer("dns/search", {**one.look, **this}, 1, timeout_s).table.num_rows
        ]


def _like(name: str, glob: str) -> bool:
    pattern = re.escape(glob.lower()).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(pattern, name.lower()) is not None

"""Compare a recording with its truth by tshark alone: ``python -m samples.resolvers.verify DIR``.

Query messages on each client's own veth, in all, and of each incident and benign twin by its names.
"""

import argparse
import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

from samples.cluster.objects import Json
from samples.resolvers.plan import DNS_SERVICE_IP, PUBLIC_IP

FIELDS = ("frame.interface_name", "ip.dst", "dns.qry.name")
ASKED = f"dns.flags.response == 0 and not udp.port == 4789 and ip.dst in {{{DNS_SERVICE_IP}, {PUBLIC_IP}}}"
Asked = Counter[tuple[str, str, str]]


def asked(directory: Path, interfaces: Json) -> Asked:
    """Queries by workload, server and name."""
    found: Asked = Counter()
    for node, owners in interfaces.items():
        words = ["tshark", "-n", "-r", str(directory / f"{node}.pcapng.gz"), "-Y", ASKED, "-T", "fields"]
        for field in FIELDS:
            words += ["-e", field]
        for line in subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines():
            interface, server, name = line.split("\t")
            found[owners[interface], server, name.lower()] += 1
    return found


def compare(truth: Json, found: Asked) -> list[str]:
    totals: Counter[str] = Counter()
    for (client, server, _), count in found.items():
        totals[client] += count if server == DNS_SERVICE_IP else 0
    wrong = [difference("in all", told, totals[name_of(told)]) for told in truth["dns_queries"]]
    for told in [*truth["dns_incidents"], *truth["benign"]]:
        if told["client"] and "queries" in told and told.get("outcome") != "unanswered":
            count = sum(number for (client, _, name), number in found.items() if fits(told, client, name))
            wrong.append(difference(told.get("diagnosis", "benign"), told, count))
    return [text for text in wrong if text]


def difference(what: str, told: Json, count: int) -> str | None:
    if count == told["queries"]:
        return None
    return f"{what}, {name_of(told)}: the truth says {told['queries']} queries, the capture {count}"


def fits(told: Json, client: str, name: str) -> bool:
    wanted = name in told.get("names", ()) or name.endswith("." + told.get("qname_suffix", "\0"))
    return wanted and client == name_of(told)


def name_of(told: Json) -> str:
    return f"{told['client']['namespace']}/{told['client']['workload']}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path, help="where record wrote the captures, objects.json and truth.json")
    directory = parser.parse_args().directory
    if shutil.which("tshark") is None:
        parser.error("tshark is missing: apt-get install --no-install-recommends tshark")
    truth = json.loads((directory / "truth.json").read_text())
    found = asked(directory, truth["interfaces"])
    wrong = compare(truth, found)
    print("\n".join(wrong) or f"{found.total()} queries, {len(truth['dns_incidents'])} incidents, no difference")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())

"""What workloads ask for: every name with the steps that it takes, and what comes back at each."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.past import Past
from benchmarks.past.cluster import RESOLVER, domain_name, name, namespace, service_ip

DOMAIN = "cluster.local"
NAMES = 30  # of each workload
TTL_INSIDE_S, TTL_OUTSIDE_S, NEGATIVE_S = 5, 60, 5
# Latencies in microseconds, about: what CoreDNS knows itself, or has in its cache; what it asks others for.
KNOWN_US, ASKED_US = 300, 12_000
GONE, DEAD, CUT = 0.02, 0.01, 0.005

# How a name is asked for, and how often: the Service of the own namespace, of another one, outside through the search path,
# outside as it stands.
OWN, OTHER, SEARCHED, ABSOLUTE = range(4)
KINDS = (0.4, 0.2, 0.25, 0.15)


@dataclass
class Plan:
    """One workload and name; ``steps``: qname, rcode, address or None, where the answer comes from."""

    workload: int
    asked: str
    suffixes: list[str]
    steps: list[tuple[str, str, str | None, str]]
    registered: str | None = None
    cut: bool = False
    weight: float = 1.0

    @property
    def found(self) -> bool:
        return self.steps[-1][2] is not None


def make(past: Past) -> list[Plan]:
    random = np.random.default_rng(past.seed + 2)
    plans = [plan for workload in range(1, past.workloads) for plan in _of(past, random, workload)]
    for place, plan in enumerate(plans):
        plan.weight = 1 / (1 + (place * 7919) % NAMES)
    return plans


def _of(past: Past, random: np.random.Generator, workload: int) -> Iterator[Plan]:
    own = f"{namespace(past, workload)}.svc.{DOMAIN}"
    search = [own, f"svc.{DOMAIN}", DOMAIN, "."]
    for kind in random.choice(len(KINDS), NAMES, p=KINDS):
        other = int(random.integers(1, past.workloads))
        chance = random.random()
        if kind == OWN:
            yield _inside(workload, f"{name(other)}.{own}", ["."], service_ip(other))
        elif kind == OTHER:
            asked = f"{name(other)}.{namespace(past, other)}"
            yield _inside(workload, asked, search[:2], service_ip(other))
        else:
            number = int(random.integers(past.domains))
            yield _outside(workload, number, search if kind == SEARCHED else ["."], chance)


def _inside(workload: int, asked: str, suffixes: list[str], address: str) -> Plan:
    names = [asked if suffix == "." else f"{asked}.{suffix}" for suffix in suffixes]
    steps = [(one, "NXDOMAIN", None, "zone") for one in names[:-1]] + [(names[-1], "NOERROR", address, "zone")]
    return Plan(workload, asked, suffixes, steps)


def _outside(workload: int, number: int, suffixes: list[str], chance: float) -> Plan:
    asked = domain_name(number) if chance > GONE + DEAD else f"gone-{number}.example.net"
    rcode, address = ("NOERROR", f"198.51.100.{number % 250}") if chance > GONE + DEAD else ("NXDOMAIN", None)
    rcode = "SERVFAIL" if GONE < chance <= GONE + DEAD else rcode
    steps = [(f"{asked}.{suffix}", "NXDOMAIN", None, "zone") for suffix in suffixes[:-1]]
    steps.append((asked, rcode, address, "cache"))
    cut = GONE + DEAD < chance < GONE + DEAD + CUT
    return Plan(workload, asked, suffixes, steps, ".".join(asked.split(".")[-2:]), cut)


def upstream(past: Past) -> list[Plan]:
    """What the cluster's name servers ask others for."""
    names = [domain_name(number) for number in range(past.domains)]
    addresses = [f"198.51.100.{number % 250}" for number in range(past.domains)]
    return [
        Plan(RESOLVER, one, ["."], [(one, "NOERROR", address, "zone")], ".".join(one.split(".")[-2:]))
        for one, address in zip(names, addresses, strict=True)
    ]

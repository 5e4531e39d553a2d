"""Recommendations that are made by hand, and the documents that a dialect makes of them."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import yaml

from analysis.policy.endpoints import Workload
from analysis.policy.history import Window
from analysis.policy.recommend.dialects import Dialect, writer
from analysis.policy.recommend.manifest import text_of
from analysis.policy.recommend.model import (
    PLAIN,
    AddressPeer,
    Allowance,
    Draft,
    Evidence,
    NamespaceDraft,
    Outside,
    Peer,
    PodPeer,
    Port,
    Recommendation,
    Style,
)
from analysis.policy.rules import Direction, PortRange
from analysis.policy.selectors import LabelSelector, Operator, Requirement
from tests.support.history import NOON

# What some reader of YAML, or some terminal, could take for something else.
NASTY = (
    "",
    " ",
    "\n- hostPath: /",
    "a\n---\nkind: Secret",
    "!!python/object:os.system",
    "*alias",
    "&anchor",
    "'",
    '"',
    "%YAML 1.1",
    "yes",
    "NULL",
    "~",
    "0x1f",
    "08",
    "1e3",
    "1:30",
    "2026-11-22",
    ".inf",
    "<<",
    "=",
    "- a",
    "a: b",
    "a #b",
    "\u202ekcatta",
    "\u2028\u2029\x85\x1b[2J\x07\r\t",
    "\ufeffa",
    "ü" * 300,
    "a" * 300,
    "🦊",
    "{a: b}",
    "[a]",
    "|",
    ">",
    "@",
    "`",
)

HTTP = PortRange(6, 80, 80)
WEB = Workload("shop", "web", "Deployment")


def equal(**labels: str) -> LabelSelector:
    return tuple(Requirement(key, Operator.IN, (value,)) for key, value in labels.items())


def pods(app: str, namespace: str = "shop") -> PodPeer:
    return PodPeer(namespace, equal(app=app), (Workload(namespace, app, "Deployment"),))


def addresses(*networks: str, domain: str | None = None) -> AddressPeer:
    return AddressPeer(tuple(map(ip_network, networks)), domain)


def allow(*peers: Peer, ports: Sequence[Port] = (HTTP,)) -> Allowance:
    seen = Evidence(WEB, Outside("198.51.100.7"), 6, 80, 3, 0, 0, 100, NOON, NOON + timedelta(seconds=1))
    return Allowance(peers, tuple(ports), (seen,))


DNS = allow(
    PodPeer("kube-system", (Requirement("k8s-app", Operator.IN, ("kube-dns",)),), ()),
    ports=(PortRange(17, 53, 53), PortRange(6, 53, 53)),
)


def draft(
    *,
    ingress: Sequence[Allowance] = (),
    egress: Sequence[Allowance] = (),
    workload: Workload = WEB,
    selector: LabelSelector | None = None,
) -> Draft:
    allowances = {Direction.INGRESS: tuple(ingress), Direction.EGRESS: tuple(egress)}
    return Draft(workload, equal(app=workload.name) if selector is None else selector, allowances)


def recommendation(*drafts: Draft, dns: Allowance = DNS, **more: Any) -> Recommendation:
    window = Window(NOON, NOON + timedelta(days=1))
    namespaces = sorted({one.workload.namespace for one in drafts} or {"shop"})
    of_each = {name: tuple(one for one in drafts if one.workload.namespace == name) for name in namespaces}
    found = tuple(NamespaceDraft(name, (dns,), of_one) for name, of_one in of_each.items())
    return Recommendation(window, found, (), (), more.pop("taken", {}), **more)


def text(found: Recommendation, dialect: Dialect, style: Style = PLAIN) -> str:
    return text_of(found.words, writer(dialect, style)(found))


def documents(found: Recommendation, dialect: Dialect, style: Style = PLAIN) -> Mapping[str, dict[str, Any]]:
    """By name."""
    loaded = list(yaml.safe_load_all(text(found, dialect, style)))
    by_name = {one["metadata"]["name"]: one for one in loaded}
    assert len(by_name) == len(loaded)
    return by_name


def spec(one: Draft, dialect: Dialect, style: Style = PLAIN, **more: Any) -> dict[str, Any]:
    """Of the policy of one workload."""
    found: dict[str, Any] = documents(recommendation(one, **more), dialect, style)["tailrace-web"]["spec"]
    return found

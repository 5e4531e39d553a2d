"""Small clusters and policy sets out of a random generator, made so that most rules meet some pod."""

import json
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

from analysis.policy.dialects import policies_of
from analysis.policy.documents import read_documents
from analysis.policy.endpoints import Endpoint
from analysis.policy.rules import Policies

Document = dict[str, Any]

NAMESPACES: Mapping[str, Mapping[str, str]] = {
    "front": {"team": "web", "stage": "prod"},
    "back": {"team": "data", "stage": "prod"},
    "lab": {"team": "data"},
}
# Most pods and most policies are where the others are.
HOMES = ("front", "front", "front", "back", "back", "lab")
APPS = ("a", "b", "c")
NODES = ("node-1", "node-2")
PORTS = (53, 80, 443, 8080)
PROTOCOLS = ("TCP", "UDP", "SCTP")
NAMED = {"web": (("TCP", 80), ("TCP", 8080), ("UDP", 80)), "dns": (("UDP", 53), ("TCP", 53)), "peer": (("SCTP", 443),)}
BLOCKS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("0.0.0.0/0", ("10.0.0.0/8", "198.51.100.0/25")),
    ("10.0.0.0/16", ("10.0.1.0/24", "10.0.0.2/32")),
    ("198.51.100.7/24", ("198.51.100.200/32",)),
    ("192.168.1.0/24", ()),
    ("::/0", ("fd00::/8",)),
    ("fd00::/64", ("fd00::1/128",)),
)


def written(folder: Path, documents: list[Document]) -> Policies:
    """As they are read from a file; none of them has to be about pods."""
    file = folder / "policies.json"
    file.write_text(json.dumps({"kind": "List", "apiVersion": "v1", "items": documents}))
    return policies_of(read_documents([str(file)]))


def some(random: Random, values: Any, least: int, most: int) -> list[Any]:
    return random.sample(list(values), min(len(values), random.randint(least, most)))


def cluster(random: Random) -> list[Endpoint]:
    pods = [pod(random, number) for number in range(random.randint(2, 6))]
    nodes = [endpoint("node", None, name, f"192.168.1.{number}", node=name) for number, name in enumerate(NODES)]
    outside = [
        endpoint("external", None, one, one) for one in ("198.51.100.7", "198.51.100.200", "10.0.9.9", "2001:db8::1")
    ]
    return [*pods, *nodes, *outside]


def pod(random: Random, number: int) -> Endpoint:
    namespace = random.choice(HOMES)
    ports = {name: random.choice(NAMED[name]) for name in some(random, NAMED, 0, 2)}
    own = (f"10.0.{number % 2}.{number}", f"fd00::{number}", None)
    host = random.random() < 0.15
    node = random.choice((*NODES, None))
    return endpoint(
        "pod",
        namespace,
        f"pod-{number}",
        "192.168.1.0" if host else random.choice(own),
        labels=labels(random),
        namespace_labels=NAMESPACES[namespace],
        ports=ports,
        host_network=host,
        node=node,
    )


def endpoint(
    kind: str,
    namespace: str | None,
    name: str,
    address: str | None,
    *,
    labels: Mapping[str, str] = {},
    namespace_labels: Mapping[str, str] = {},
    ports: Mapping[str, tuple[str, int]] = {},
    host_network: bool = False,
    node: str | None = None,
    workload: tuple[str, str] | None = None,
) -> Endpoint:
    told = (kind, namespace, name, address, labels, namespace_labels, None, ports, host_network, node)
    return Endpoint(*told, workload=workload)


def labels(random: Random) -> dict[str, str]:
    found = {"app": random.choice(APPS)} if random.random() < 0.9 else {}
    return {**found, "tier": random.choice(("x", "y"))} if random.random() < 0.5 else found


def policy_set(random: Random) -> list[Document]:
    return [policy(random, number) for number in range(random.randint(1, 6))]


def policy(random: Random, number: int) -> Document:
    whole = random.random() < 0.4
    spec: Document = {"podSelector": {} if whole else selector(random, ("app", "tier"), (*APPS, "x"))}
    types = random.choice((None, ["Ingress"], ["Egress"], ["Ingress", "Egress"]))
    if types:
        spec["policyTypes"] = types
    for direction in ("ingress", "egress"):
        if random.random() < 0.7:
            spec[direction] = [rule(random, direction) for _ in range(random.randint(0, 3))]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": f"policy-{number}", "namespace": random.choice(HOMES)},
        "spec": spec,
    }


def rule(random: Random, direction: str) -> Document:
    found: Document = {}
    if random.random() < 0.8:
        found["from" if direction == "ingress" else "to"] = [peer(random) for _ in range(random.randint(0, 3))]
    if random.random() < 0.6:
        found["ports"] = [port(random) for _ in range(random.randint(0, 3))]
    return found


def peer(random: Random) -> Document:
    kind = random.randrange(4)
    if kind == 0:
        cidr, parts = random.choice(BLOCKS)
        excepted = some(random, parts, 0, 2)
        return {"ipBlock": {"cidr": cidr, "except": excepted} if excepted else {"cidr": cidr}}
    found = {}
    if kind in (1, 3):
        found["podSelector"] = selector(random, ("app", "tier"), (*APPS, "x"))
    if kind in (2, 3):
        found["namespaceSelector"] = namespace_selector(random)
    return found


def namespace_selector(random: Random) -> Document:
    if random.random() < 0.3:
        return {"matchLabels": {"kubernetes.io/metadata.name": random.choice(list(NAMESPACES))}}
    return selector(random, ("team", "stage"), ("web", "data", "prod"))


def selector(random: Random, keys: tuple[str, ...], values: tuple[str, ...]) -> Document:
    found: Document = {}
    if random.random() < 0.4:
        found["matchLabels"] = {random.choice(keys): random.choice(values)}
    if random.random() < 0.4:
        found["matchExpressions"] = [requirement(random, keys, values) for _ in range(random.randint(1, 2))]
    return found


def requirement(random: Random, keys: tuple[str, ...], values: tuple[str, ...]) -> Document:
    operator = random.choice(("In", "NotIn", "Exists", "DoesNotExist"))
    found = {"key": random.choice(keys), "operator": operator}
    return {**found, "values": some(random, values, 1, 2)} if operator in ("In", "NotIn") else found


def port(random: Random) -> Document:
    found: Document = {"protocol": random.choice(PROTOCOLS)} if random.random() < 0.7 else {}
    kind = random.randrange(4)
    if kind == 1:
        found["port"] = random.choice(tuple(NAMED))
    elif kind > 1:
        found["port"] = random.choice(PORTS)
        if kind == 3:
            found["endPort"] = found["port"] + random.choice((0, 27, 500))
    return found

"""Cilium's policies out of a random generator, and a cluster that they are about."""

from dataclasses import replace
from random import Random
from typing import Any

from analysis.policy.endpoints import Endpoint
from tests.support import policies as plain
from tests.support.policies import APPS, BLOCKS, HOMES, NAMED, NAMESPACES, NODES, PORTS, some

Document = dict[str, Any]

# Labels that are no part of an identity.
PASSED_OVER = ("pod-template-hash", "failure-domain.beta.kubernetes.io/zone")
DOMAINS = ("www.example.com", "a.b.example.com", "example.com", "Data_1.example.org", None)
PATTERNS = (
    "*",
    "*.example.com",
    "**.example.com",
    "*example*",
    "w*w.ex*mple.com",
    "www.example.com",
    "data_*.example.org.",
)
ENTITIES = (
    "all",
    "world",
    "cluster",
    "host",
    "remote-node",
    "kube-apiserver",
    "health",
    "init",
    "ingress",
    "none",
    "unmanaged",
)
ACCOUNTS = ("default", "web")
NAMESPACE = "io.kubernetes.pod.namespace"
TEAM = "io.cilium.k8s.namespace.labels.team"
ACCOUNT = "io.cilium.k8s.policy.serviceaccount"
CLUSTER = "io.cilium.k8s.policy.cluster"
RESERVED = ("host", "remote-node", "world", "health")
GROUPS: tuple[Document, ...] = tuple(
    {
        "apiVersion": version,
        "kind": "CiliumCIDRGroup",
        "metadata": {"name": name, "labels": {"of": name[0]}},
        "spec": {"externalCIDRs": cidrs},
    }
    for version, name, cidrs in (
        ("cilium.io/v2", "office", ["198.51.100.0/25", "2001:db8::/32"]),
        ("cilium.io/v2alpha1", "partner", ["198.51.100.128/25", "10.0.0.0/8"]),
        ("cilium.io/v2", "nobody", []),
    )
)


def cluster(random: Random) -> list[Endpoint]:
    runs_the_control_plane = random.random() < 0.5
    return [_completed(random, one, runs_the_control_plane) for one in plain.cluster(random)]


def _completed(random: Random, one: Endpoint, master: bool) -> Endpoint:
    if one.kind == "external":
        return replace(one, domain=random.choice(DOMAINS))
    if one.kind == "node":
        role = {"node-role.kubernetes.io/control-plane": ""} if master and one.name == NODES[0] else {}
        return replace(one, labels={"disk": random.choice(("ssd", "hdd")), **role})
    more = {random.choice(PASSED_OVER): "a"} if random.random() < 0.3 else {}
    return replace(one, labels={**one.labels, **more}, service_account=random.choice(ACCOUNTS))


def policy_set(random: Random) -> list[Document]:
    found = [policy(random, number) for number in range(random.randint(2, 6))]
    if random.random() < 0.2:
        found.append(plain.policy(random, 99))
    return [*found, *GROUPS]


def policy(random: Random, number: int) -> Document:
    clusterwide = random.random() < 0.3
    metadata = {"name": f"policy-{number}"} | ({} if clusterwide else {"namespace": random.choice(HOMES)})
    found: Document = {
        "apiVersion": "cilium.io/v2",
        "kind": "CiliumClusterwideNetworkPolicy" if clusterwide else "CiliumNetworkPolicy",
        "metadata": metadata,
    }
    if random.random() < 0.9:
        return found | {"spec": spec(random, clusterwide)}
    return found | {"specs": [spec(random, clusterwide) for _ in range(random.randint(1, 2))]}


def spec(random: Random, clusterwide: bool) -> Document:
    found: Document = {"endpointSelector": {} if random.random() < 0.5 else subject(random)}
    if clusterwide and random.random() < 0.1:
        found = {"nodeSelector": node_selector(random)}
    sections = some(random, ("ingress", "egress"), 1, 2) + some(random, ("ingressDeny", "egressDeny"), 0, 1)
    for section in sections:
        found[section] = [rule(random, section) for _ in range(random.randint(1, 3))]
    if random.random() < 0.15:
        found["enableDefaultDeny"] = {one: random.random() < 0.5 for one in some(random, ("ingress", "egress"), 1, 2)}
    return found


def rule(random: Random, section: str) -> Document:
    word = "from" if section.startswith("ingress") else "to"
    found: Document = {}
    if random.random() < 0.85:
        found |= peers(random, word, section)
    if random.random() < 0.5:
        found["toPorts"] = [entry(random, section) for _ in range(random.randint(0, 2))]
    elif random.random() < 0.15:
        found["icmps"] = [{"fields": [icmp(random) for _ in range(random.randint(0, 2))]}]
    if not section.endswith("Deny") and random.random() < 0.05:
        found["authentication"] = {"mode": random.choice(("required", "disabled"))}
    if not section.endswith("Deny") and random.random() < 0.05:
        found[f"{word}Requires"] = [{"matchLabels": {"app": random.choice(APPS)}}]
    return found


def peers(random: Random, word: str, section: str) -> Document:
    kinds = ["Endpoints"] * 5 + ["Entities", "Entities", "CIDR", "CIDRSet", "Nodes", "Groups"]
    if section == "egress":
        kinds += ["FQDNs", "FQDNs", "Services"]
    kind = random.choice(kinds)
    most = 0 if random.random() < 0.07 and kind not in ("FQDNs", "Services", "Groups") else random.randint(1, 2)
    return {f"{word}{kind}": [PEERS[kind](random) for _ in range(most)]}


def selector(random: Random, subject: bool = False) -> Document:
    if random.random() < 0.15:
        return {}
    found: Document = {}
    if random.random() < 0.7:
        key = random.choice(("app", "app", "tier", "k8s:app", "any:tier", *PASSED_OVER))
        found["matchLabels"] = {key: random.choice((*APPS, "x"))}
    if random.random() < 0.35:
        found.setdefault("matchLabels", {})[random.choice(("", "k8s:", "any:")) + NAMESPACE] = random.choice(
            list(NAMESPACES)
        )
    if random.random() < 0.4:
        found["matchExpressions"] = [requirement(random, subject) for _ in range(random.randint(1, 2))]
    return found


def requirement(random: Random, subject: bool) -> Document:
    """Now and then of what only nodes and addresses outside are called."""
    if random.random() < 0.15:
        return {"key": f"reserved:{random.choice(RESERVED)}", "operator": random.choice(("Exists", "DoesNotExist"))}
    if not subject and random.random() < 0.05:
        return {"key": f"k8s:{CLUSTER}", "operator": "In", "values": ["default"]}
    key, values = random.choice(
        (
            ("app", APPS),
            ("k8s:tier", ("x", "y")),
            (TEAM, ("web", "data")),
            (NAMESPACE, tuple(NAMESPACES)),
            (ACCOUNT, ACCOUNTS),
        )
    )
    operator = random.choice(("In", "NotIn", "Exists", "DoesNotExist"))
    found = {"key": key, "operator": operator}
    return {**found, "values": some(random, values, 1, 2)} if operator in ("In", "NotIn") else found


def subject(random: Random) -> Document:
    return (
        {"matchLabels": {"k8s:app": random.choice(APPS)}} if random.random() < 0.5 else selector(random, subject=True)
    )


def node_selector(random: Random) -> Document:
    return random.choice(
        ({}, {"matchLabels": {"disk": "ssd"}}, {"matchExpressions": [{"key": "k8s:disk", "operator": "Exists"}]})
    )


def cidr_set(random: Random) -> Document:
    kind = random.randrange(4)
    if kind == 0:
        return {"cidrGroupRef": random.choice(GROUPS)["metadata"]["name"], "except": ["198.51.100.7/32"]}
    if kind == 1:
        return {"cidrGroupSelector": {"matchLabels": {"of": random.choice("opn")}}}
    cidr, parts = random.choice(BLOCKS)
    return {"cidr": cidr, "except": some(random, parts, 0, 2)}


def service(random: Random) -> Document:
    if random.random() < 0.5:
        return {"k8sService": {"serviceName": "api", "namespace": random.choice(HOMES)}}
    return {"k8sServiceSelector": {"selector": {"matchLabels": {"app": "a"}}}}


PEERS = {
    "Endpoints": selector,
    "Entities": lambda random: random.choice(ENTITIES),
    "CIDR": lambda random: random.choice(BLOCKS)[0],
    "CIDRSet": cidr_set,
    "Nodes": node_selector,
    "Groups": lambda random: {"aws": {"securityGroupsIds": ["sg-1"]}},
    "FQDNs": lambda random: (
        {"matchPattern": random.choice(PATTERNS)} if random.random() < 0.7 else {"matchName": "WWW.example.com."}
    ),
    "Services": service,
}


def entry(random: Random, section: str) -> Document:
    found: Document = {"ports": [port(random) for _ in range(random.randint(0, 2))]}
    if section.endswith("Deny") or random.random() < 0.75 or not found["ports"]:
        return found
    if section == "egress" and random.random() < 0.5:
        for one in found["ports"]:
            one.pop("endPort", None)
            one["port"] = "53" if one["port"] == "0" else one["port"]
        return found | {"rules": {"dns": [{"matchPattern": random.choice(("*", "*.example.com"))}]}}
    if random.random() < 0.3:
        return found | {"serverNames": ["www.example.com"]}
    found["ports"] = [{"port": "80", "protocol": "TCP"}]
    return found | {"rules": {"http": [random.choice(({}, {"method": "GET"})) for _ in range(random.randint(0, 2))]}}


def port(random: Random) -> Document:
    found: Document = {}
    if random.random() < 0.7:
        found["protocol"] = random.choice(("TCP", "UDP", "SCTP", "ANY"))
    kind = random.randrange(5)
    if kind == 0:
        return found | {"port": random.choice((*NAMED, "WEB"))}
    if kind == 1:
        return found | {"port": "0"}
    number = random.choice(PORTS)
    return found | {"port": str(number)} | ({"endPort": number + random.choice((0, 27, 500))} if kind == 2 else {})


def icmp(random: Random) -> Document:
    return random.choice(({"type": 8}, {"family": "IPv6", "type": "EchoRequest"}, {"family": "IPv4", "type": "0"}))

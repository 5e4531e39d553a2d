"""Calico's documents out of a random generator, for the clusters of ``tests.support.policies``."""

from dataclasses import replace
from random import Random
from typing import Any

from analysis.policy.endpoints import Endpoint
from tests.support import policies as kubernetes
from tests.support.policies import HOMES, NAMESPACES, some

Document = dict[str, Any]

VERSION = "projectcalico.org/v3"
TIERS = ("first", "second")
ACTIONS = ("Allow", "Allow", "Allow", "Deny", "Deny", "Pass", "Log")
PROTOCOLS = ("TCP", "UDP", "SCTP", "TCP", 6)
OTHERS = ("ICMP", "ICMPv6", 47, "UDPLite")
ORDERS = (None, 0, 10, 10.5, 1000, 1000, 2000)
NETS_4 = ("10.0.0.0/16", "10.0.0.0/24", "10.0.0.2/32", "198.51.100.0/25", "0.0.0.0/0", "192.168.1.0/24")
NETS_6 = ("fd00::/64", "fd00::1/128", "2001:db8::/32", "::/0")
DOMAINS = ("db.example.com", "*.example.com", "db.*.com", "example.com", "*.other.org", "DB.Example.com")
ACCOUNTS = ("default", "robot")
ACCOUNT_LABELS = {"default": {}, "robot": {"role": "batch"}}
ATOMS = (
    "app == 'a'",
    'app != "b"',
    "app in {'a', \"c\"}",
    "app not in {'b',}",
    "app in {}",
    "has(tier)",
    "!has(tier)",
    "!!has( tier )",
    "tier contains 'x'",
    "app starts with ''",
    "app ends with 'a'",
    "app startswith'b'",
    "all()",
    "zone == 'out'",
    "has(zone)",
    "projectcalico.org/namespace == 'front'",
    "projectcalico.org/orchestrator == 'k8s'",
    "projectcalico.org/serviceaccount in {'robot'}",
    "pcns.team == 'data'",
)
OF_NAMESPACES = (
    "team == 'data'",
    "team != 'web'",
    "has(stage)",
    "!has(stage)",
    "all()",
    "projectcalico.org/name == 'back'",
    "kubernetes.io/metadata.name in {'front', 'lab'}",
    "team == 'web' || projectcalico.org/name == 'lab'",
)
OF_ACCOUNTS = ("role == 'batch'", "!has(role)", "projectcalico.org/name == 'robot'", "all()")
PORTS = (80, "443", "53:90", "web", "dns", 8080, "1:65535")


def cluster(random: Random) -> list[Endpoint]:
    return [_named(random, one) for one in kubernetes.cluster(random)]


def _named(random: Random, one: Endpoint) -> Endpoint:
    if one.kind == "pod":
        account = random.choice((*ACCOUNTS, None))
        return replace(one, service_account=account, service_account_labels=ACCOUNT_LABELS.get(account or "", {}))
    if one.kind == "external":
        return replace(one, domain=random.choice(("db.example.com", "example.com", "a.b.other.org", None)))
    return one


def policy_set(random: Random, plain: bool = False) -> list[Document]:
    """``plain``: of what a flow record tells, and of open-source Calico alone."""
    tiers = some(random, TIERS, 0, 2)
    found = [tier(random, name) for name in tiers]
    found += [network_set(random, number, plain) for number in range(random.randint(0, 3))]
    found += [policy(random, number, (*tiers, "default"), plain) for number in range(random.randint(1, 5))]
    found += [_kubernetes(random, number, plain) for number in range(random.randint(0, 3))]
    random.shuffle(found)
    return found


def _kubernetes(random: Random, number: int, plain: bool) -> Document:
    """The staged one may be of the name of an enforced one."""
    found = kubernetes.policy(random, number % 2)
    if plain or random.random() < 0.8:
        return found
    spec = {**found["spec"], "stagedAction": random.choice(("Set", "Learn", "Ignore"))}
    return {**found, "apiVersion": VERSION, "kind": "StagedKubernetesNetworkPolicy", "spec": spec}


def tier(random: Random, name: str) -> Document:
    spec: Document = {"order": order} if (order := random.choice((None, 5, 5, 2_000_000))) is not None else {}
    if random.random() < 0.5:
        spec["defaultAction"] = random.choice(("Deny", "Pass"))
    return {"apiVersion": VERSION, "kind": "Tier", "metadata": {"name": name}, "spec": spec}


def network_set(random: Random, number: int, plain: bool) -> Document:
    labels = {"zone": random.choice(("out", "in")), **kubernetes.labels(random)}
    metadata: Document = {"name": f"set-{number}", "labels": labels}
    spec: Document = {"nets": some(random, (*NETS_4, *NETS_6, "198.51.100.7", "10.0.1.1/16"), 0, 3)}
    if random.random() < 0.5 and not plain:
        spec["allowedEgressDomains"] = some(random, DOMAINS, 1, 2)
    if random.random() < 0.5:
        return {"apiVersion": VERSION, "kind": "GlobalNetworkSet", "metadata": metadata, "spec": spec}
    metadata["namespace"] = random.choice(HOMES)
    return {"apiVersion": VERSION, "kind": "NetworkSet", "metadata": metadata, "spec": spec}


def policy(random: Random, number: int, tiers: tuple[str, ...], plain: bool) -> Document:
    tier_name = random.choice(tiers)
    staged = random.choice(("", "", "", "Staged")) if not plain else ""
    kind = staged + random.choice(("NetworkPolicy", "GlobalNetworkPolicy"))
    prefix = f"{tier_name}." if tier_name != "default" or random.random() < 0.3 else ""
    # Names of other kinds may be the same, and a name with "-" stands before the one that it begins with.
    name = f"{prefix}{random.choice(('policy', 'policy-a', 'other'))}-{number % 3}"
    metadata: Document = {"name": name if number < 3 else f"{name}-{number}"}
    spec: Document = {"tier": tier_name} if tier_name != "default" or random.random() < 0.5 else {}
    if (order := random.choice(ORDERS)) is not None:
        spec["order"] = order
    _subject(random, spec, "Global" in kind)
    if "Global" not in kind:
        metadata["namespace"] = random.choice(HOMES)
    if staged and random.random() < 0.6:
        spec["stagedAction"] = random.choice(("Set", "Learn", "Ignore", "Delete"))
    if "Global" in kind and random.random() < 0.05:
        spec |= {random.choice(("doNotTrack", "applyOnForward")): True, "applyOnForward": True}
    if spec.get("stagedAction") == "Delete":
        spec = {key: spec[key] for key in ("stagedAction", "tier") if key in spec}
    else:
        _directions(random, spec, plain)
    return {"apiVersion": VERSION, "kind": kind, "metadata": metadata, "spec": spec}


def _subject(random: Random, spec: Document, is_global: bool) -> None:
    if random.random() < 0.4:
        spec["selector"] = selector(random)
    if random.random() < 0.1:
        spec["serviceAccountSelector"] = random.choice(OF_ACCOUNTS)
    if is_global and random.random() < 0.25:
        spec["namespaceSelector"] = random.choice(OF_NAMESPACES)


def _directions(random: Random, spec: Document, plain: bool) -> None:
    if types := random.choice((None, ["Ingress"], ["Egress"], ["Egress", "Ingress"])):
        spec["types"] = types
    for direction in ("ingress", "egress"):
        if random.random() < 0.8:
            spec[direction] = [rule(random, direction, plain) for _ in range(random.randint(1, 4))]


def rule(random: Random, direction: str, plain: bool) -> Document:
    found: Document = {"action": random.choice(ACTIONS)}
    ported = _protocols(random, found)
    version = random.choice((4, 4, 6))
    if random.random() < 0.15 and found.get("protocol") not in OTHERS and found.get("notProtocol") not in OTHERS:
        found["ipVersion"] = version
    ends = ("source", "destination")
    for side in ends:
        if random.random() < (0.7 if side == ends[direction == "egress"] else 0.2):
            found[side] = entity(random, version)
    if ported:
        _ports(random, found, plain)
    if not plain:
        _unusual(random, found, direction)
    return found


def _protocols(random: Random, found: Document) -> bool:
    chance = random.random()
    if chance < 0.5:
        found["protocol"] = random.choice(PROTOCOLS)
    elif chance < 0.65:
        found["protocol"] = random.choice(OTHERS)
    if random.random() < 0.15:
        found["notProtocol"] = random.choice((*PROTOCOLS, *OTHERS))
    return chance < 0.5


def _ports(random: Random, found: Document, plain: bool) -> None:
    for key, chance in (("ports", 0.5), ("notPorts", 0.2)):
        if random.random() < chance:
            found.setdefault("destination", {})[key] = some(random, PORTS, 1, 2)
    if random.random() < 0.1 and not plain:
        found.setdefault("source", {})["ports"] = [30000]


def _unusual(random: Random, found: Document, direction: str) -> None:
    if found["action"] == "Allow" and direction == "egress" and random.random() < 0.2:
        ports = {key: value for key, value in found.get("destination", {}).items() if "orts" in key}
        found["destination"] = {"domains": some(random, DOMAINS, 1, 2), **ports}
    if found.get("protocol") == "ICMP" and random.random() < 0.3:
        found["icmp"] = {"type": 8}
    other = "source" if direction == "ingress" else "destination"
    if random.random() < 0.05 and not found.get("destination", {}).get("ports"):
        found[other] = {"services": {"name": "db", "namespace": "back"}}
    over_tcp = found["action"] == "Allow" and direction == "ingress" and found.get("protocol") == "TCP"
    if over_tcp and random.random() < 0.15:
        found["http"] = {"methods": ["GET"]}


def entity(random: Random, version: int) -> Document:
    found: Document = {}
    if random.random() < 0.4:
        found["selector"] = selector(random)
    if random.random() < 0.15:
        found["notSelector"] = selector(random)
    if random.random() < 0.2:
        found["namespaceSelector"] = random.choice((*OF_NAMESPACES, "global()"))
    if random.random() < 0.1:
        found["serviceAccounts"] = _accounts(random)
    nets = NETS_4 if version == 4 else NETS_6
    for key, chance in (("nets", 0.2), ("notNets", 0.15)):
        if random.random() < chance:
            found[key] = some(random, nets, 1, 2)
    return found


def _accounts(random: Random) -> Document:
    found: Document = {}
    if random.random() < 0.6:
        found["names"] = some(random, ACCOUNTS, 1, 2)
    if random.random() < 0.5:
        found["selector"] = random.choice(OF_ACCOUNTS)
    return found


def selector(random: Random, depth: int = 2) -> str:
    chance = random.random()
    if depth == 0 or chance < 0.5:
        return random.choice(ATOMS)
    if chance < 0.6:
        return f"!({selector(random, depth - 1)})"
    sign = random.choice((" && ", "||", "&&", " || "))
    parts = [selector(random, depth - 1) for _ in range(2)]
    return sign.join(parts if random.random() < 0.5 else [f"( {part})" for part in parts])


def namespaces() -> dict[str, dict[str, str]]:
    return {name: dict(labels) for name, labels in NAMESPACES.items()}

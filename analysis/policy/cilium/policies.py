"""CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy (cilium.io/v2) → sections. What Cilium would refuse is refused.

What denies is judged first, then what allows, of NetworkPolicies too; last what may allow, as it hangs on what no flow tells.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from analysis.policy.cilium.blocks import Groups, groups
from analysis.policy.cilium.labels import CLUSTER, NAMESPACE, RESERVED, Identity, selector
from analysis.policy.cilium.peers import PODS, NodesWith, Peer, Scope, endpoints, node_labels, peers
from analysis.policy.cilium.ports import Opened, opened
from analysis.policy.cilium.proxied import sees_names
from analysis.policy.endpoints import Selection
from analysis.policy.kubernetes import METADATA, policy_name
from analysis.policy.parts import Part
from analysis.policy.rules import Action, Direction, Nodes, Place, Rule, Section
from analysis.policy.selectors import Either, Every, LabelSelector, Not, Operator, Requirement

GROUP, POLICY, CLUSTERWIDE = "CiliumCIDRGroup", "CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"
KINDS = frozenset(
    {("cilium.io/v2", POLICY), ("cilium.io/v2", CLUSTERWIDE), ("cilium.io/v2", GROUP), ("cilium.io/v2alpha1", GROUP)}
)

OBJECT = ("apiVersion", "kind", "metadata", "spec", "specs", "status")
LISTS = ("ingress", "ingressDeny", "egress", "egressDeny")
SPEC = ("endpointSelector", "nodeSelector", *LISTS, "enableDefaultDeny", "labels", "description", "log")
COMMON = ("Endpoints", "Requires", "CIDR", "CIDRSet", "Entities", "Nodes", "Groups")
LONGEST_LOG = 32
AUTHENTICATION = ("disabled", "required", "test-always-fail")

DENYING, PERHAPS_DENYING, ALLOWING, PERHAPS_ALLOWING = Place(order=0), Place(order=1), Place(), Place(order=2000)

WHETHER_AUTHENTICATED = "mutual authentication"
WHETHER_FIREWALL = "whether the host firewall is on"
WHAT_REQUIRES = "what fromRequires and toRequires limit in this release"


@dataclass(frozen=True)
class Spec:
    """One rule of Cilium's, which is a policy of its own; ``origin`` is what stands before the key of a list."""

    part: Part
    origin: str
    scope: Scope

    def rules(self, key: str) -> Iterator[tuple[Part, str]]:
        for number, rule in enumerate(self.part.items(key)):
            yield rule, f"{self.origin}{key}[{number}] in {self.part.file}"


def sections(documents: Iterable[Part]) -> Iterator[Section]:
    found = list(documents)
    known = groups(one for one in found if one.needed("kind").text == GROUP)
    specs: list[Spec] = []
    for document in found:
        if document.needed("kind").text != GROUP:
            specs.extend(_policy(document, known))
    told = [(spec, *_subject(spec)) for spec in specs]
    seen: dict[str | None, list[Selection]] = {}
    for spec, subject, is_host in told:
        if not is_host and sees_names(spec.part):
            seen.setdefault(spec.scope.namespace, []).append(subject)
    for spec, subject, is_host in told:
        scope = replace(spec.scope, seen=_seen(spec.scope.namespace, subject, seen))
        yield from _spec(replace(spec, scope=scope), subject, is_host)


def _seen(namespace: str | None, subject: Selection, seen: Mapping[str | None, Sequence[Selection]]) -> Selection:
    """Of the pods that a policy is about, those of which some policy lets Cilium read the answers to DNS."""
    near = seen if namespace is None else {namespace, None} & seen.keys()
    found = dict.fromkeys(one for home in sorted(near, key=str) for one in seen[home])
    return Every() if subject in found else Either(tuple(found))


def _policy(document: Part, known: Groups) -> Iterator[Spec]:
    document.fields(OBJECT)
    kind, metadata = document.needed("kind").text, document.needed("metadata")
    metadata.fields(METADATA)
    name, namespace = policy_name(metadata.needed("name")), metadata.get("namespace")
    named = namespace if namespace is not None and namespace.text else None
    if kind == CLUSTERWIDE and named is not None:
        raise named.wrong("is of a policy that is clusterwide", "leave it out")
    home = None if kind == CLUSTERWIDE else policy_name(named) if named is not None else "default"
    origin = f"{kind}/{name}" if home is None else f"{kind}/{home}/{name}"
    for part, where in _specs(document):
        yield _checked(Spec(part, f"{origin} {where}", Scope(home, known)))


def _specs(document: Part) -> Iterator[tuple[Part, str]]:
    """Both may be there."""
    spec, specs = document.get("spec"), document.items("specs")
    if spec is None and not specs:
        raise document.wrong("has neither spec nor specs", "write one of them")
    if spec is not None:
        yield spec, ""
    for number, one in enumerate(specs):
        yield one, f"specs[{number}]."


def _checked(spec: Spec) -> Spec:
    spec.part.fields(SPEC)
    _check_rest(spec.part)
    if not any(spec.part.items(key) for key in LISTS):
        raise spec.part.wrong("has no rule", f"write one of {', '.join(LISTS)}; an empty rule {{}} denies everything")
    return spec


def _spec(spec: Spec, subject: Selection, is_host: bool) -> Iterator[Section]:
    for direction in Direction:
        if spec.part.items(direction) or spec.part.items(f"{direction}Deny"):
            found = _direction(spec, direction, subject)
            yield from [_host_policy(found[0])] if is_host else found


def _subject(spec: Spec) -> tuple[Selection, bool]:
    """Whom it is about, and whether they are nodes."""
    chosen, nodes = spec.part.get("endpointSelector"), spec.part.get("nodeSelector")
    if (chosen is None) == (nodes is None):
        raise spec.part.wrong("needs either an endpointSelector or a nodeSelector", "write {} for every pod")
    if chosen is None:
        return NodesWith(_nodes_of(spec)), True
    wanted = selector(chosen)
    if any(one.key == CLUSTER for one in wanted):
        raise chosen.wrong("selects pods by their cluster, which nobody tells", "leave it out")
    if spec.scope.namespace is not None:
        own = Requirement(NAMESPACE, Operator.IN, (spec.scope.namespace,))
        wanted = (*_without_namespace(chosen, wanted), own)
    return Every((PODS, Identity(wanted))), False


def _nodes_of(spec: Spec) -> tuple[Requirement, ...]:
    nodes = spec.part.needed("nodeSelector")
    if spec.scope.namespace is not None:
        raise nodes.wrong(f"is in a {POLICY}", f"write a {CLUSTERWIDE}")
    return node_labels(nodes)


def _without_namespace(chosen: Part, wanted: LabelSelector) -> Sequence[Requirement]:
    """The policy's own namespace takes the place of another in matchLabels, but not of one in matchExpressions."""
    labels, kept = chosen.get("matchLabels"), list(wanted)
    other = labels.get(NAMESPACE) if labels is not None else None
    if other is not None:
        kept.remove(Requirement(NAMESPACE, Operator.IN, (other.text,)))
    return kept


def _host_policy(section: Section) -> Section:
    """Policies for nodes are in force only with the host firewall, which is off unless somebody turns it on."""
    rule = Rule(section.origin, unsure=WHETHER_FIREWALL)
    return replace(section, rules=(rule,), place=PERHAPS_ALLOWING, isolates=False)


def _direction(spec: Spec, direction: Direction, subject: Selection) -> list[Section]:
    """Every rule is read, whether or not it ever decides; the first section isolates."""
    denies, allows = _read(spec, direction, Action.DENY), _read(spec, direction, Action.ALLOW)
    limits = [one for one in allows if one.action is Action.DENY]
    allows = [one for one in allows if one.action is Action.ALLOW]
    plain, guarded = _split(allows)
    certain, possible = _split(denies)
    section = Section(
        f"{spec.origin}{direction} in {spec.part.file}",
        direction,
        subject,
        plain,
        ALLOWING,
        _isolates(spec.part, direction),
    )
    others = ((certain, DENYING), ((*possible, *limits), PERHAPS_DENYING), (guarded, PERHAPS_ALLOWING))
    return [section, *(replace(section, rules=rules, place=place, isolates=False) for rules, place in others if rules)]


def _read(spec: Spec, direction: Direction, action: Action) -> list[Rule]:
    key = f"{direction}Deny" if action is Action.DENY else direction
    return [
        one
        for rule, at in spec.rules(key)
        for one in (*_rules(rule, at, spec, direction, action), *_required(rule, at, spec, action))
    ]


def _split(rules: Sequence[Rule]) -> tuple[tuple[Rule, ...], tuple[Rule, ...]]:
    """Those that decide, and those of which nobody knows whether they do."""
    return tuple(one for one in rules if not one.unsure), tuple(one for one in rules if one.unsure)


def _isolates(part: Part, direction: Direction) -> bool:
    told = part.get("enableDefaultDeny")
    chosen = told.get(direction) if told is not None else None
    return True if chosen is None else chosen.flag


def _rules(rule: Part, origin: str, spec: Spec, direction: Direction, action: Action) -> Iterator[Rule]:
    denies = action is Action.DENY
    rule.fields(_fields(direction, denies))
    named = peers(rule, direction, spec.scope, denies)
    ports = opened(rule, direction, denies)
    guard = "" if denies else _authentication(rule)
    if named is None:
        # An empty rule names nobody; ports alone name everybody.
        named = (Peer(Every()),) if rule.items("toPorts") or rule.items("icmps") else ()
    for nodes, unsure, own in dict.fromkeys((one.nodes, one.unsure, one.own) for one in named):
        selections = tuple(one.names for one in named if (one.nodes, one.unsure, one.own) == (nodes, unsure, own))
        for one in ports:
            yield replace(_rule(origin, selections, one, action, nodes, (unsure, one.unsure, guard)), own=own)


def _rule(
    origin: str, names: tuple[Selection, ...], ports: Opened, action: Action, nodes: Nodes, unsure: Iterable[str]
) -> Rule:
    told = " and ".join(dict.fromkeys(one for one in unsure if one))
    everybody = names == (Every(),)
    return Rule(origin, () if everybody else names, ports.ports, action, unsure=told, nodes=nodes)


def _required(rule: Part, origin: str, spec: Spec, action: Action) -> Iterator[Rule]:
    """Whoever does not meet it may be denied, whatever allows it: which rules it limits, and that it exists, has changed."""
    for key in ("fromRequires", "toRequires"):
        for one in rule.items(key):
            if action is Action.DENY:
                raise one.wrong("limits what is denied, which cannot be judged", "write it into the selectors")
            if any(wanted.key.startswith(RESERVED) or wanted.key == CLUSTER for wanted in selector(one)):
                raise one.wrong(
                    "limits more than pods by their labels, which cannot be judged", "write it into the selectors"
                )
            (meets,) = endpoints([one], spec.scope)
            yield Rule(origin, (Not(meets.names),), action=Action.DENY, unsure=WHAT_REQUIRES)


def _fields(direction: Direction, denies: bool) -> Sequence[str]:
    word = "from" if direction is Direction.INGRESS else "to"
    found = [f"{word}{kind}" for kind in COMMON] + ["toPorts", "icmps"]
    found += [] if denies else ["authentication"]
    found += ["toServices"] if direction is Direction.EGRESS else []
    return found + (["toFQDNs"] if direction is Direction.EGRESS and not denies else [])


def _authentication(rule: Part) -> str:
    told = rule.get("authentication")
    if told is None:
        return ""
    told.fields(("mode",))
    mode = told.needed("mode")
    if mode.text not in AUTHENTICATION:
        raise mode.wrong(f"{mode.text!r:.60} is no mode", f"write {', '.join(AUTHENTICATION)}")
    return "" if mode.text == AUTHENTICATION[0] else WHETHER_AUTHENTICATED


def _check_rest(part: Part) -> None:
    """What decides nothing has to be right all the same."""
    description, log, default = part.get("description"), part.get("log"), part.get("enableDefaultDeny")
    _ = description.text if description is not None else ""
    for label in part.items("labels"):
        label.fields(("key", "source", "value"))
        label.needed("key")
        _ = [told.text for key in ("key", "source", "value") if (told := label.get(key)) is not None]
    if default is not None:
        default.fields(tuple(Direction))
        _ = [told.flag for key in Direction if (told := default.get(key)) is not None]
    if log is not None:
        log.fields(("value",))
        _check_log(log)


def _check_log(log: Part) -> None:
    value = log.get("value")
    if value is not None and (len(value.text) > LONGEST_LOG or not value.text.isprintable()):
        raise value.wrong(f"is longer than {LONGEST_LOG}, or has characters that cannot be printed", "shorten it")

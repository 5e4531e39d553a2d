"""What Cilium refuses of its policies is refused, in one line that says where."""

from pathlib import Path

import pytest

from analysis.policy.cilium.domains import matches
from analysis.policy.dialects import read_policies
from analysis.policy.rules import Direction, Plugin, Policies
from contract.errors import InputError

HEAD = "apiVersion: cilium.io/v2\nkind: {kind}\nmetadata: {{name: one}}\n"
POLICY, CLUSTERWIDE = "CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"


def read(folder: Path, text: str) -> Policies:
    file = folder / "policy.yaml"
    file.write_text(text)
    return read_policies([str(file)])


def of(spec: str, kind: str = POLICY) -> str:
    return f"{HEAD.format(kind=kind)}spec: {spec}\n"


def ingress(rule: str) -> str:
    return of(f"{{endpointSelector: {{}}, ingress: [{rule}]}}")


def egress(rule: str) -> str:
    return of(f"{{endpointSelector: {{}}, egress: [{rule}]}}")


def ports(entry: str) -> str:
    return egress(f"{{toPorts: [{entry}]}}")


def from_(selector: str) -> str:
    return ingress(f"{{fromEndpoints: [{selector}]}}")


REFUSED = {
    "neither spec nor specs": HEAD.format(kind=POLICY),
    "has no rule": of("{endpointSelector: {}, ingress: [], egress: []}"),
    "either an endpointSelector or a nodeSelector": of("{ingress: [{}]}"),
    "is in a CiliumNetworkPolicy": of("{nodeSelector: {}, ingress: [{}]}"),
    "is of a policy that is clusterwide": of("{endpointSelector: {}, ingress: [{}]}", CLUSTERWIDE).replace(
        "name: one", "name: one, namespace: shop"
    ),
    "has the unknown field 'fromEndpoint'": ingress("{fromEndpoint: []}"),
    "has the unknown field 'fromEndpoints'": egress("{fromEndpoints: [{}]}"),
    "has the unknown field 'toFQDNs'": of("{endpointSelector: {}, egressDeny: [{toFQDNs: []}]}"),
    "has the unknown field 'authentication'": of("{endpointSelector: {}, egressDeny: [{authentication: {}}]}"),
    "has the unknown field 'rules'": of("{endpointSelector: {}, egressDeny: [{toPorts: [{rules: {}}]}]}"),
    "has fromEndpoints and fromEntities": ingress("{fromEndpoints: [{}], fromEntities: [world]}"),
    "has toCIDR and toServices": egress("{toCIDR: [10.0.0.0/8], toServices: [{}]}"),
    "'world-ipv4' is no entity": ingress("{fromEntities: [world-ipv4]}"),
    "'10.0.0.1' is no network": ingress("{fromCIDR: [10.0.0.1]}"),
    "needs either a cidr, a cidrGroupRef": ingress("{fromCIDRSet: [{except: [10.0.0.0/8]}]}"),
    "is no part of 10.0.0.0/16": ingress("{fromCIDRSet: [{cidr: 10.0.0.0/16, except: [10.0.0.0/8]}]}"),
    "'office' is no CiliumCIDRGroup of these files": ingress("{fromCIDRSet: [{cidrGroupRef: office}]}"),
    "these files have none": ingress("{fromCIDRSet: [{cidrGroupSelector: {}}]}"),
    "'a:b:c' is no key of a label": from_('{matchLabels: {"a:b:c": x}}'),
    "labels of the source 'container' cannot be judged": from_('{matchLabels: {"container:a": x}}'),
    "is no reserved label that can be judged": from_('{matchLabels: {"reserved:all": ""}}'),
    "has reserved:kube-apiserver beside others": from_('{matchLabels: {"reserved:kube-apiserver": "", a: b}}'),
    "is no value of a label": from_("{matchLabels: {a: b c}}"),
    "'\\x1b[2J' is no key of a label": from_('{matchLabels: {"\\e[2J": "b c"}}'),
    "is no operator": from_("{matchExpressions: [{key: a, operator: Equals}]}"),
    "In without values": from_("{matchExpressions: [{key: a, operator: In}]}"),
    "selects pods by their cluster": of(
        "{endpointSelector: {matchLabels: {io.cilium.k8s.policy.cluster: a}}, ingress: [{}]}"
    ),
    "has reserved labels": of('{nodeSelector: {matchLabels: {"reserved:host": ""}}, ingress: [{}]}', CLUSTERWIDE),
    "port: is not text": ports("{ports: [{port: 80}]}"),
    "'a_b' is no port": ports('{ports: [{port: "a_b"}]}'),
    "65536 is no port": ports('{ports: [{port: "65536"}]}'),
    "'080' is no port": ports('{ports: [{port: "080"}]}'),
    "79 makes no range with port 80": ports('{ports: [{port: "80", endPort: 79}]}'),
    "'ICMP' cannot be named": ports('{ports: [{port: "80", protocol: ICMP}]}'),
    "has 41 entries, more than 40": ports(f"{{ports: [{', '.join(['{port: a}'] * 41)}]}}"),
    "needs one of http, kafka, dns, l7proto": ports('{ports: [{port: "80"}], rules: {}}'),
    "is not TCP, and has http rules": ports('{ports: [{port: "80"}], rules: {http: [{}]}}'),
    "is every port, and has rules": ports('{ports: [{port: "0", protocol: TCP}], rules: {http: [{}]}}'),
    "has DNS rules without a port": ports('{rules: {dns: [{matchPattern: "*"}]}}'),
    "has DNS rules at ingress": ingress('{toPorts: [{ports: [{port: "53"}], rules: {dns: [{matchPattern: "*"}]}}]}'),
    "makes a range of ports with DNS rules": ports(
        '{ports: [{port: "53", endPort: 54}], rules: {dns: [{matchPattern: "*"}]}}'
    ),
    "has serverNames beside rules": ports(
        '{ports: [{port: "80", protocol: TCP}], serverNames: [a], rules: {http: [{}]}}'
    ),
    "has a role and an apiKey": ports(
        '{ports: [{port: "80", protocol: TCP}], rules: {kafka: [{role: produce, apiKey: fetch}]}}'
    ),
    "is at ingress, or beside rules": ingress(
        '{toPorts: [{ports: [{port: "80"}], listener: {name: a, envoyConfig: {name: b}}}]}'
    ),
    "has toPorts and icmps": egress('{toPorts: [{ports: [{port: "80"}]}], icmps: [{fields: [{type: 8}]}]}'),
    "256 is no ICMP type": egress("{icmps: [{fields: [{type: 256}]}]}"),
    "'IPv5' is no family": egress("{icmps: [{fields: [{type: 8, family: IPv5}]}]}"),
    "either a matchName or a matchPattern": egress("{toFQDNs: [{}]}"),
    "'a..b' is no name of a domain": egress("{toFQDNs: [{matchName: a..b}]}"),
    "'never' is no mode": egress("{authentication: {mode: never}}"),
    "limits what is denied": of("{endpointSelector: {}, ingressDeny: [{fromRequires: [{}]}]}"),
    "is not true or false": of("{endpointSelector: {}, ingress: [{}], enableDefaultDeny: {ingress: 1}}"),
    "is longer than 32": of(f"{{endpointSelector: {{}}, ingress: [{{}}], log: {{value: {'x' * 33}}}}}"),
}


@pytest.mark.parametrize("wrong", REFUSED)
def test_what_cilium_refuses_is_refused(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, REFUSED[wrong])
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'policy.yaml'}: document 1")
    assert message.isprintable()
    assert wrong in message


def test_policies_of_cilium_and_calico_do_not_go_together(tmp_path: Path) -> None:
    calico = "apiVersion: projectcalico.org/v3\nkind: NetworkPolicy\nmetadata: {name: a}\nspec: {selector: all()}\n"
    with pytest.raises(InputError, match="replay each plugin's policies by themselves"):
        read(tmp_path, f"{calico}---\n{ingress('{}')}")


def test_rules_say_where_they_are_from(tmp_path: Path) -> None:
    text = f"{HEAD.format(kind=CLUSTERWIDE)}specs:\n- {{endpointSelector: {{}}, ingressDeny: [{{fromEntities: [world]}}]}}\n"
    policies = read(tmp_path, text)
    file = tmp_path / "policy.yaml"
    assert policies.plugin is Plugin.CILIUM
    assert [rule.origin for rule in policies.rules] == [f"{CLUSTERWIDE}/one specs[0].ingressDeny[0] in {file}"]
    isolating = [(one.origin, one.direction) for one in policies.sections if one.isolates]
    assert isolating == [(f"{CLUSTERWIDE}/one specs[0].ingress in {file}", Direction.INGRESS)]


def test_a_pattern_of_many_stars_is_matched_at_once() -> None:
    pattern = "*a" * 100 + "b"
    assert not matches(pattern, "a" * 250)
    assert matches(pattern, "a" * 250 + "b")


@pytest.mark.parametrize(
    ("pattern", "name", "matched"),
    [
        ("part*ial.com", "partial.com", True),
        ("part*ial.com", "part-extra-ial.com", True),
        ("*.cilium.io", "sub.sub.cilium.io", False),
        ("**.cilium.io", "test.app.cilium.io", True),
        ("**.cilium.io", "cilium.io", False),
        ("a**b.io", "a.b.io", False),
        ("a**b.io", "axb.io", True),
        ("*", "_sip._tcp.example.com", True),
        ("*", "a b", False),
        ("a*a.io", "a.io", False),
        ("*b*b*.io", "abc.io", False),
        ("WWW.example.com.", "www.example.com", True),
    ],
)
def test_stars(pattern: str, name: str, matched: bool) -> None:
    assert matches(pattern, name) is matched

import json
from pathlib import Path
from typing import Any

import pytest

from analysis.policy.calico.selector import parsed
from analysis.policy.calico.tokens import Misread
from analysis.policy.dialects import read_policies
from analysis.policy.rules import Direction, Plugin, Policies
from contract.errors import InputError

VERSION = "projectcalico.org/v3"


def document(kind: str = "NetworkPolicy", name: str = "one", version: str = VERSION, **spec: Any) -> dict[str, Any]:
    metadata = (
        {"name": name, "labels": {}}
        if kind.startswith(("Global", "StagedGlobal", "Tier"))
        else {"name": name, "namespace": "shop"}
    )
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}


def rule(**told: Any) -> dict[str, Any]:
    return document(ingress=[{"action": "Allow", **told}])


def out(**told: Any) -> dict[str, Any]:
    return document(egress=[{"action": "Allow", **told}])


def read(tmp_path: Path, *documents: dict[str, Any]) -> Policies:
    file = tmp_path / "policies.json"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": list(documents)}))
    return read_policies([str(file)])


def refusal(tmp_path: Path, *documents: dict[str, Any]) -> str:
    with pytest.raises(InputError) as caught:
        read(tmp_path, *documents)
    message = str(caught.value)
    assert message.startswith(str(tmp_path / "policies.json"))
    assert message.isprintable()
    return message


def test_policies_of_calico_say_whose_cluster_it_is(tmp_path: Path) -> None:
    assert read(tmp_path, document()).plugin is Plugin.CALICO
    assert read(tmp_path, document("StagedKubernetesNetworkPolicy", podSelector={})).plugin is Plugin.CALICO


def test_the_objects_behind_the_api_are_read_as_well(tmp_path: Path) -> None:
    sections = read(tmp_path, document("GlobalNetworkPolicy", version="crd.projectcalico.org/v1")).sections
    assert [section.origin.split(" ")[0] for section in sections] == ["GlobalNetworkPolicy/one"]


def test_a_rule_says_where_it_is_from(tmp_path: Path) -> None:
    staged = document("StagedGlobalNetworkPolicy", name="two", egress=[{"action": "Log"}, {"action": "Deny"}])
    policies = read(tmp_path, rule(), staged)
    here = tmp_path / "policies.json"
    assert [one.origin for one in policies.rules] == [
        f"NetworkPolicy/shop/one ingress[0] in {here}",
        f"StagedGlobalNetworkPolicy/two egress[1] in {here}",
    ]


def test_a_built_in_tier_need_not_be_given(tmp_path: Path) -> None:
    policies = read(tmp_path, document("GlobalNetworkPolicy", name="kube-admin.one", tier="kube-admin"), document())
    assert [(section.place.tier, section.isolates) for section in policies.sections] == [
        ("kube-admin", False),
        ("default", True),
    ]


def test_rules_of_another_direction_than_types_do_nothing(tmp_path: Path) -> None:
    policies = read(tmp_path, document(types=["Egress"], ingress=[{"action": "Deny"}], egress=[{"action": "Allow"}]))
    assert [section.direction for section in policies.sections] == [Direction.EGRESS]


def test_annotations_of_a_rule_are_read_over(tmp_path: Path) -> None:
    assert len(read(tmp_path, rule(metadata={"annotations": {"from": "a"}})).rules) == 1


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        (document(spec=1), "spec: has the unknown field 'spec'"),
        (document(order="10"), "spec.order: is not a number"),
        (document(order=True), "spec.order: is not a number"),
        (document(types=[]), "spec.types: names no type, or one twice"),
        (document(types=["Ingress", "Ingress"]), "names no type, or one twice"),
        (document(types=["ingress"]), "spec.types[0]: 'ingress' is no policy type"),
        (document(selector=1), "spec.selector: is not text"),
        (document(selector="app = 'a'"), "spec.selector: is no selector: character 5: = is written twice"),
        (document(selector="app == 'a"), "character 8: a quote is not closed"),
        (document(selector="global()"), "spec.selector: has global()"),
        (document(serviceAccountSelector="!(has(a) || global())"), "serviceAccountSelector: has global()"),
        (document(namespaceSelector="all()"), "has the unknown field 'namespaceSelector'"),
        (document(doNotTrack=True), "has the unknown field 'doNotTrack'"),
        (document(performanceHints=["Faster"]), "performanceHints[0]: 'Faster' is no hint"),
        (document(stagedAction="Set"), "has the unknown field 'stagedAction'"),
        (document(tier="platform"), "spec.tier: 'platform' is a tier of which nothing is known"),
        (
            document(name="kube-admin.one"),
            "metadata.name: 'kube-admin.one' has the prefix of another tier than default",
        ),
        (document(name="One"), "metadata.name: 'One' is no name"),
        (document("GlobalNetworkPolicy", namespaceSelector="global()"), "namespaceSelector: has global()"),
        (document("GlobalNetworkPolicy", doNotTrack=1), "spec.doNotTrack: is not true or false"),
        (document("GlobalNetworkPolicy", doNotTrack=True), "doNotTrack or preDNAT without applyOnForward"),
        (
            document("GlobalNetworkPolicy", doNotTrack=True, preDNAT=True, applyOnForward=True),
            "has both doNotTrack and preDNAT",
        ),
        (
            document("GlobalNetworkPolicy", preDNAT=True, applyOnForward=True, types=["Egress"]),
            "has preDNAT and egress",
        ),
        (document("StagedNetworkPolicy", stagedAction="Drop"), "stagedAction: 'Drop' is no staged action"),
        (document("StagedNetworkPolicy", stagedAction="Delete", order=1), "Delete stands beside 'order'"),
        (rule(action="allow"), "ingress[0].action: 'allow' is no action"),
        (document(ingress=[{}]), "ingress[0].action: is absent"),
        (rule(ipVersion=5), "ipVersion: 5 is no IP version"),
        (rule(ipVersion=6, protocol="ICMP"), "ipVersion: 6 is not the version of protocol"),
        (rule(ipVersion=6, source={"nets": ["10.0.0.0/8"]}), "6 is not the version of the rule's networks"),
        (
            rule(source={"nets": ["10.0.0.0/8"]}, destination={"notNets": ["fd00::/8"]}),
            "ingress[0]: has both IPv4 and IPv6 networks",
        ),
        (rule(source={"nets": ["10.0.0.1/8"]}), "nets[0]: '10.0.0.1/8' has bits behind its prefix"),
        (rule(source={"nets": ["10.0.0.0"]}), "nets[0]: '10.0.0.0' is no network"),
        (rule(source={"nets": ["10.0.0.0/255.0.0.0"]}), "is no network"),
        (rule(source={"nets": ["10.0.0.0/8", "10.0.0.0/8"]}), "nets[1]: '10.0.0.0/8' is in the list twice"),
        (rule(source={"nets": ["10.0.0.0/8"] * 257}), "is one of 257 networks"),
        (rule(source={"labels": {}}), "source: has the unknown field 'labels'"),
        (rule(source={"namespaceSelector": "global() && has(a)"}), "namespaceSelector: has global()"),
        (rule(source={"serviceAccounts": {"name": "a"}}), "has the unknown field 'name'"),
        (rule(protocol="tcp"), "protocol: 'tcp' is no protocol"),
        (rule(protocol=0), "protocol: 0 is no protocol"),
        (rule(notProtocol="256"), "notProtocol: '256' is no protocol"),
        (rule(destination={"ports": [80]}), "ports[0]: is a port without a protocol that has ports"),
        (rule(protocol="ICMP", source={"notPorts": [80]}), "is a port without a protocol that has ports"),
        (rule(protocol="TCP", destination={"ports": [0]}), "ports[0]: 0 is no port"),
        (rule(protocol="TCP", destination={"ports": ["90:80"]}), "'90:80' is no port"),
        (rule(protocol="TCP", destination={"ports": ["a b"]}), "'a b' is no name of a port"),
        (rule(protocol="TCP", destination={"ports": [1] * 51}), "is one of 51 ports"),
        (rule(icmp={"type": 8}), "icmp: stands beside another protocol"),
        (rule(protocol="ICMP", icmp={"type": 255}), "icmp.type: 255 is no ICMP type"),
        (rule(protocol="ICMP", notICMP={"code": 1}), "notICMP: has a code without a type"),
        (rule(protocol="UDP", http={}), "http: stands beside another protocol"),
        (rule(action="Deny", http={}), "http: is in a rule that is none of ingress that allows"),
        (out(http={}), "http: is in a rule that is none of ingress that allows"),
        (rule(http={"methods": ["GET", "GET"]}), "http: names a method twice"),
        (rule(http={"paths": [{"exact": "a"}]}), "paths[0]: is no path"),
        (rule(http={"paths": [{"exact": "/a", "prefix": "/"}]}), "paths[0]: is no path"),
        (rule(destination={"services": {"name": "a"}}), "ingress[0]: names a Service at the policy's own end"),
        (out(destination={"services": {"name": "a"}, "ports": [1]}, protocol="TCP"), "is a port beside a Service"),
        (out(destination={"services": {"name": "a"}, "selector": "all()"}), "services: stands beside selector"),
        (out(destination={"services": {}}), "services.name: is absent"),
        (out(destination={"services": {"name": "a", "namespace": 1}}), "services.namespace: is not text"),
        (rule(action="Log", protocol="TCP", destination={"ports": [[80]]}), "ports[0]: is not a whole number"),
        (
            document("GlobalNetworkPolicy", egress=[{"action": "Allow", "destination": {"services": {"name": "a"}}}]),
            "services: has no namespace",
        ),
        (rule(destination={"domains": ["a.com"]}), "domains[0]: is a domain"),
        (out(action="Deny", destination={"domains": ["a.com"]}), "domains[0]: is a domain"),
        (out(destination={"domains": ["a.com"], "nets": ["10.0.0.0/8"]}), "is a domain beside nets"),
        (out(destination={"domains": ["*.*.com"]}), "'*.*.com' is no domain"),
        (out(destination={"domains": ["w*.com"]}), "'w*.com' is no domain"),
        (document("Tier", order="1"), "spec.order: is not a number"),
        (document("Tier", name="a.b"), "metadata.name: 'a.b' has a dot"),
        (document("Tier", defaultAction="Allow"), "'Allow' is no default action"),
        (document("Tier", name="default", order=1), "spec: changes the tier default"),
        (document("GlobalNetworkSet", nets=["10.0.0"]), "nets[0]: '10.0.0' is no network"),
        (document("NetworkSet", allowedEgressDomains=["-"]), "'-' is no domain"),
        (document("HostEndpoint"), "'HostEndpoint' of 'projectcalico.org/v3' is no policy that is known"),
    ],
)
def test_refused(tmp_path: Path, wrong: dict[str, Any], what: str) -> None:
    assert what in refusal(tmp_path, wrong)


def test_an_object_of_no_namespace_has_none(tmp_path: Path) -> None:
    wrong = document("GlobalNetworkSet")
    wrong["metadata"]["namespace"] = "shop"
    assert "metadata.namespace: 'shop' is given to an object of no namespace" in refusal(tmp_path, wrong)


def test_a_network_set_may_not_say_its_namespace(tmp_path: Path) -> None:
    wrong = document("NetworkSet")
    wrong["metadata"]["labels"] = {"projectcalico.org/namespace": "shop"}
    assert "metadata: has the label projectcalico.org/namespace" in refusal(tmp_path, wrong)


def test_annotations_have_a_bound(tmp_path: Path) -> None:
    wrong = document()
    wrong["metadata"]["annotations"] = {"a": "b" * (256 << 10)}
    assert "bytes of annotations" in refusal(tmp_path, wrong)


@pytest.mark.parametrize(
    ("text", "at", "what"),
    [
        ("app == b", 8, "text is expected"),
        ("app", 4, "is expected"),
        ("app b", 5, "an operator is expected behind a label"),
        ("'b' == app", 1, "is expected"),
        ("has(app", 1, "has( is not closed"),
        ("has()", 1, "has no label"),
        ("has (app)", 5, "is expected"),
        ("(app == 'b'", 12, ") is expected"),
        ("()", 2, "is expected"),
        ("app in 'b'", 8, "{ is expected"),
        ("app in {,}", 9, "} is expected"),
        ("app == 'b' &&", 14, "is expected"),
        ("app == 'b' & has(c)", 12, "& is written twice"),
        ("app == 'b' has(c)", 12, "the end is expected"),
        ("app\n== 'b'", 4, "an operator is expected"),
        ("app === 'b'", 7, "= is written twice"),
        ("all() && all(", 10, "all( is not closed"),
        ("app == 'b' # all", 12, "'#' has no meaning here"),
    ],
)
def test_a_mistake_of_a_selector_has_a_place(text: str, at: int, what: str) -> None:
    with pytest.raises(Misread) as caught:
        parsed(text)
    assert (caught.value.at, what in caught.value.what) == (at, True), caught.value.what

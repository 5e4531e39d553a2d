"""What is learned of history, and what is not."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from analysis.policy.dialects import policies_of
from analysis.policy.documents import documents_of
from analysis.policy.recommend.cluster import read_cluster
from analysis.policy.recommend.dialects import WRITERS, Dialect, written
from analysis.policy.recommend.heading import left_out as left_out_words
from analysis.policy.recommend.learning import Learning
from analysis.policy.recommend.model import Allowance, EveryPod, NodePeer, Reason, Recommendation
from analysis.policy.recommend.proof import proved_text, still_open
from analysis.policy.recommend.recommend import recommend
from analysis.policy.replay import Asked
from analysis.policy.rules import Direction, PortRange
from contract.errors import ProofError, QuestionError
from tests.support.history import NODES, NOON, Row, flow, make_history, node, outside, pod

WEB, API, DB = pod("web", "10.0.0.1"), pod("api", "10.0.0.2", node="node-2"), pod("db", "10.0.0.3", namespace="data")
DNS = pod("coredns", "10.0.0.53", namespace="kube-system", labels=[("k8s-app", "kube-dns")], node="node-2")
REFUSED = {"connection_state": "REJ", "dst_packets": 1, "dst_bytes": 40}
PODS = (WEB, API, DB)


def kubernetes(*pods: Row, **services: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        *(
            {
                "apiVersion": "v1",
                "kind": "Node",
                "metadata": {"name": name},
                "spec": {"podCIDR": "10.0.0.0/24"},
                "status": {"addresses": [{"type": "InternalIP", "address": address}]},
            }
            for name, address in NODES.items()
        ),
        *(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {
                    "namespace": one["namespace"],
                    "name": one["pod"],
                    "labels": dict(one["labels"]),
                    "ownerReferences": [{"kind": one["workload_kind"], "name": one["workload"], "controller": True}],
                },
                "spec": {"nodeName": one["node"]},
                "status": {"podIP": one["ip"]},
            }
            for one in pods
        ),
        *(
            {"apiVersion": "v1", "kind": "Service", "metadata": {"namespace": "shop", "name": name}, "spec": spec}
            for name, spec in services.items()
        ),
    ]


def learned(
    folder: Path, flows: list[Row], objects: list[dict[str, Any]] | None = None, namespaces: tuple[str, ...] = ("shop",)
) -> tuple[Recommendation, Learning]:
    file = folder / "objects.json"
    file.write_text(json.dumps({"kind": "List", "items": kubernetes(*PODS) if objects is None else objects}))
    return recommend(make_history(folder / "lake", flows), read_cluster(file), Asked(), namespaces)


def rules(found: Recommendation, workload: str, direction: Direction) -> tuple[Allowance, ...]:
    drafts = {draft.workload.name: draft for namespace in found.namespaces for draft in namespace.drafts}
    return drafts[workload].allowances[direction] if workload in drafts else ()


def left_out(found: Recommendation) -> list[tuple[Reason, str]]:
    return [(one.reason, str(one.evidence.dst)) for one in found.omissions]


@pytest.mark.parametrize(
    "dst, more, reason",
    [
        (API, REFUSED, Reason.UNANSWERED),
        (outside("169.254.169.254"), {}, Reason.METADATA),
        (outside("fd00:ec2::254"), {"src_ip": "fd00::1"}, Reason.METADATA),
        (outside("169.254.170.23"), {}, Reason.METADATA),
        ({"ip": "10.0.0.77"}, {}, Reason.UNNAMED),
        (API, {"opened_by": "first_packet"}, Reason.GUESSED),
    ],
)
def test_what_is_not_learned_is_told(tmp_path: Path, dst: Row, more: Row, reason: Reason) -> None:
    found, _ = learned(tmp_path, [flow(0, WEB, dst, 50051, **more), flow(1, WEB, DB)])
    assert [one for one, _ in left_out(found)] == [reason]
    assert [rule.evidence[0].port for rule in rules(found, "web", Direction.EGRESS)] == [80]


def test_a_resolver_at_the_address_of_metadata_is_learned(tmp_path: Path) -> None:
    resolver = outside("169.254.169.254")
    asked = [flow(0, WEB, resolver, 53, protocol=17, connection_state=None), flow(1, WEB, resolver, 53)]
    found, _ = learned(tmp_path, [*asked, flow(2, WEB, API)])
    assert not found.omissions


def run(number: int, **labels: str) -> Row:
    return pod(f"build-{number}", f"10.0.4.{number}") | {
        "workload_kind": "Job",
        "labels": [("job-name", f"build-{number}"), *labels.items()],
    }


def test_runs_of_a_job_that_ended_are_one_by_their_lasting_labels(tmp_path: Path) -> None:
    found, learning = learned(tmp_path, [flow(n, run(n, app="build"), API) for n in range(5)])
    assert [str(draft.workload) for draft in found.namespaces[0].drafts] == ["shop/api", "shop/build-*"]
    text = proved_text(found, learning, Dialect.KUBERNETES)
    policies = {one["metadata"]["name"]: one["spec"] for one in yaml.safe_load_all(text)}
    selector = {"matchLabels": {"app": "build"}}
    assert policies["tailrace-api"]["ingress"][0]["from"] == [{"podSelector": selector}]
    assert [spec["podSelector"] for name, spec in policies.items() if "build" in name] == [selector]


def test_who_is_gone_and_has_a_policy_is_told(tmp_path: Path) -> None:
    """Nothing but its name tells one run from the other."""
    found, _ = learned(tmp_path, [flow(n, run(n), API) for n in range(2)])
    (line,) = (line for line in found.words if line.startswith("Not in the objects any more"))
    assert "in shop: Job build-0, Job build-1. A next run with other labels gets nothing" in line


def test_of_what_is_left_out_the_answered_edges_are_counted(tmp_path: Path) -> None:
    scan = [flow(n, WEB, API, 9000 + n, **REFUSED) for n in range(25)]
    found, _ = learned(tmp_path, [*scan, flow(25, WEB, API, 22)])
    lines = list(left_out_words(found.omissions))
    assert lines[0] == "Left out, part of a scan: 26 edges, 1 of them answered (26 connections)."
    assert lines[1].startswith("  shop/web → shop/api TCP 22: ")


def test_what_is_left_out_and_open_all_the_same_is_told(tmp_path: Path) -> None:
    """Here because somebody changed the text."""
    found, learning = learned(tmp_path, [flow(0, WEB, API), flow(9, WEB, API, 9000, **REFUSED)])
    closed = written(found, WRITERS[Dialect.KUBERNETES])
    assert list(still_open(closed, learning, ("shop",))) == []
    wide = documents_of(proved_text(found, learning, Dialect.KUBERNETES).replace("port: 80", "port: 9000"), "wide")
    first, second = still_open(policies_of(wide), learning, ("shop",))
    assert first == "Left out, but allowed all the same by a rule for something else: 1 edge."
    assert second.startswith("  shop/web → shop/api TCP 9000: NetworkPolicy/shop/tailrace-web egress[")


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize("port", [0, None])
def test_a_port_that_cannot_be_named_stops_nothing(tmp_path: Path, port: int | None, dialect: Dialect) -> None:
    datagram = flow(0, WEB, API, dst_port=port, protocol=17, connection_state=None)
    found, learning = learned(tmp_path, [datagram, flow(1, WEB, API)])
    assert left_out(found) == [(Reason.UNNAMEABLE, "shop/api")]
    assert proved_text(found, learning, dialect)


def test_an_edge_that_one_pod_got_answered_is_needed_by_all(tmp_path: Path) -> None:
    other = pod("web", "10.0.0.4", number=1)
    found, _ = learned(tmp_path, [flow(0, WEB, API), flow(1, other, API, **REFUSED)], kubernetes(*PODS, other))
    (rule,) = rules(found, "web", Direction.EGRESS)
    assert (rule.evidence[0].connections, rule.evidence[0].failed, found.omissions) == (2, 1, ())


def test_a_scanner_keeps_what_it_did_before(tmp_path: Path) -> None:
    """Its own traffic began earlier, and is tried more often than a door."""
    own = [flow(second, WEB, API) for second in range(0, 400, 40)]
    scan = [flow(500 + port, WEB, API, 9000 + port, **REFUSED) for port in range(25)]
    opened = [flow(530, WEB, DB, 9003), flow(531, WEB, API, 22)]
    found, _ = learned(tmp_path, [*own, *scan, *opened])
    assert {reason for reason, _ in left_out(found)} == {Reason.SCAN}
    assert len(found.omissions) == 27
    assert [rule.evidence[0].dst.name for rule in rules(found, "web", Direction.EGRESS)] == ["api"]  # type: ignore[union-attr]


def test_dead_targets_of_a_scraper_are_no_scan(tmp_path: Path) -> None:
    """They are tried again and again; the living one is one connection all the time."""
    targets = [pod("node-exporter", f"10.0.1.{n}", number=n) for n in range(25)]
    dead = [flow(round * 20 + n, WEB, one, 9100, **REFUSED) for round in range(8) for n, one in enumerate(targets)]
    kept = flow(0, WEB, DB, 9100, end_time=NOON + timedelta(seconds=180))
    found, _ = learned(tmp_path, [*(one | {"connection_id": f"d{n}"} for n, one in enumerate(dead)), kept])
    assert {reason for reason, _ in left_out(found)} == {Reason.UNANSWERED}
    assert [str(rule.evidence[0].dst) for rule in rules(found, "web", Direction.EGRESS)] == ["data/db"]


def test_a_scan_that_comes_back_every_hour_is_a_scan(tmp_path: Path) -> None:
    """Its doors are tried as often as dead targets, but they are many of one address."""
    tries = [(hour * 3600 + n, 1000 + n, REFUSED) for hour in range(6) for n in range(25)]
    tries += [(hour * 3600 + second, port, {}) for hour in range(6) for second, port in ((60, 22), (61, 5432))]
    own = flow(0, WEB, API, end_time=NOON + timedelta(hours=6))
    found, _ = learned(tmp_path, [*(flow(second, WEB, DB, port, **more) for second, port, more in tries), own])
    assert {reason for reason, _ in left_out(found)} == {Reason.SCAN}
    assert len(found.omissions) == 27
    assert [str(rule.evidence[0].dst) for rule in rules(found, "web", Direction.EGRESS)] == ["shop/api"]


DATAGRAM = {"protocol": 17, "connection_state": None, "dst_packets": 0, "dst_bytes": 0}


def test_datagrams_to_many_ports_without_an_answer_are_a_scan(tmp_path: Path) -> None:
    found, _ = learned(tmp_path, [flow(n, WEB, API, 1000 + 53 * n, **DATAGRAM) for n in range(30)])
    assert {reason for reason, _ in left_out(found)} == {Reason.SCAN}
    assert not rules(found, "web", Direction.EGRESS)


def test_a_sweep_of_echo_requests_is_a_scan(tmp_path: Path) -> None:
    echo = DATAGRAM | {"protocol": 1, "dst_port": None, "src_port": None, "icmp_type": 8, "icmp_code": 0}
    swept = [flow(n, WEB, outside(f"203.0.113.{n}"), **echo) for n in range(30)]
    found, _ = learned(tmp_path, [*swept, flow(40, WEB, API)])
    assert len(found.omissions) == 30
    assert {reason for reason, _ in left_out(found)} == {Reason.SCAN}


def test_what_never_answers_by_its_nature_is_learned_and_no_more(tmp_path: Path) -> None:
    """A syslog, and 17 ports of somebody who takes measurements, without a range over them."""
    flows = [flow(n, WEB, DB, 514, **DATAGRAM) for n in range(40)]
    flows += [flow(50 + n, WEB, API, 20000 + 100 * n, **DATAGRAM) for n in range(17)]
    found, _ = learned(tmp_path, flows)
    assert not found.omissions
    db, api = rules(found, "web", Direction.EGRESS)
    assert db.ports == (PortRange(17, 514, 514),)
    assert api.ports == tuple(PortRange(17, 20000 + 100 * n, 20000 + 100 * n) for n in range(17))


def test_no_range_opens_what_was_left_out(tmp_path: Path) -> None:
    seen = [flow(n, WEB, API, 2000 + n * 100) for n in range(17)]
    scan = [flow(500 + n, WEB, API, 3001 + n, **REFUSED) for n in range(30)]
    found, _ = learned(tmp_path, [*seen, *scan])
    for rule in (*rules(found, "web", Direction.EGRESS), *rules(found, "api", Direction.INGRESS)):
        assert rule.ports == (PortRange(6, 2000, 3000), PortRange(6, 3100, 3600))
        assert rule.notes[0] == "TCP 2000-3000 is allowed, of which 990 ports were not seen"


def test_the_own_node_needs_no_rule_and_another_does(tmp_path: Path) -> None:
    flows = [
        flow(0, node("node-1"), WEB, 8080),
        flow(1, node("node-2"), WEB, 8080),
        flow(2, WEB, node("node-1"), 10250),
    ]
    found, _ = learned(tmp_path, flows)
    (into,) = rules(found, "web", Direction.INGRESS)
    (out,) = rules(found, "web", Direction.EGRESS)
    assert [(peer.name, peer.own) for peer in into.peers if isinstance(peer, NodePeer)] == [("node-2", False)]
    assert [(peer.name, peer.own) for peer in out.peers if isinstance(peer, NodePeer)] == [("node-1", True)]
    assert any("No rule is needed for 1 connection" in line for line in found.words)


def test_icmp_is_kept_for_those_who_can_name_it(tmp_path: Path) -> None:
    echo = {"protocol": 1, "dst_port": None, "src_port": None, "connection_state": None, "icmp_type": 8, "icmp_code": 0}
    found, learning = learned(tmp_path, [flow(0, WEB, API, **echo), flow(1, WEB, API)])
    (rule,) = rules(found, "web", Direction.EGRESS)
    assert rule.ports == (PortRange(1), PortRange(6, 80, 80))
    text = proved_text(found, learning, Dialect.KUBERNETES)
    assert "# ICMP cannot be named in a NetworkPolicy: what happens is up to the network plugin." in text


KUBERNETES_API = {"clusterIP": "10.96.0.1", "ports": [{"name": "https", "port": 443, "targetPort": 6443}]}
SLICE = {
    "apiVersion": "discovery.k8s.io/v1",
    "kind": "EndpointSlice",
    "metadata": {"namespace": "shop", "name": "api-x", "labels": {"kubernetes.io/service-name": "apiserver"}},
    "addressType": "IPv4",
    "endpoints": [{"addresses": ["172.18.0.12"]}],
    "ports": [{"name": "https", "port": 6443}],
}


def test_pods_that_nobody_owns_are_one_workload_if_their_labels_are_alike(tmp_path: Path) -> None:
    bare = [pod("web", f"10.0.0.2{n}", number=n) for n in range(3)]
    objects = kubernetes(*PODS[1:], *bare)
    for one in objects:
        if one["kind"] == "Pod" and one["metadata"]["name"].startswith("web"):
            del one["metadata"]["ownerReferences"]
    flows = [flow(n, one | {"workload_kind": "Pod", "workload": one["pod"]}, API) for n, one in enumerate(bare)]
    found, _ = learned(tmp_path, flows, objects)
    assert [(draft.workload.name, draft.notes) for draft in found.namespaces[0].drafts] == [("api", ()), ("web-0", ())]
    template = {"metadata": {"labels": {"app": "web"}}}
    owner = {"kind": "Deployment", "metadata": {"namespace": "shop", "name": "web"}, "spec": {"template": template}}
    (tmp_path / "more").mkdir()
    found, _ = learned(tmp_path / "more", flows, [*objects, owner | {"apiVersion": "apps/v1"}])
    assert [draft.workload.name for draft in found.namespaces[0].drafts] == ["api", "web"]


def test_the_api_server_behind_its_service(tmp_path: Path) -> None:
    """A Service without a selector, seen at its own address: what its slices name."""
    objects = [*kubernetes(*PODS, apiserver=KUBERNETES_API), SLICE]
    service = {"ip": "10.96.0.1", "kind": "service", "namespace": "shop"}
    found, _ = learned(tmp_path, [flow(0, WEB, service, 443)], objects)
    (rule,) = rules(found, "web", Direction.EGRESS)
    (peer,) = rule.peers
    assert isinstance(peer, NodePeer) and (peer.name, str(peer.networks[0])) == ("node-2", "172.18.0.12/32")
    assert (rule.ports, rule.evidence[0].service) == ((PortRange(6, 6443, 6443),), "shop/apiserver")


def test_behind_its_own_service_a_pod_meets_its_replicas(tmp_path: Path) -> None:
    other = pod("web", "10.0.0.4", number=1)
    own = {"clusterIP": "10.96.0.2", "selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]}
    service = {"ip": "10.96.0.2", "kind": "service", "namespace": "shop"}
    found, _ = learned(tmp_path, [flow(0, WEB, service, 80)], kubernetes(*PODS, other, web=own))
    (rule,) = rules(found, "web", Direction.INGRESS)
    assert (rule.evidence[0].src, rule.ports) == (rule.evidence[0].dst, (PortRange(6, 8080, 8080),))


def test_policies_of_before_are_replaced_and_no_other(tmp_path: Path) -> None:
    ours = {"name": "tailrace-api", "namespace": "shop", "labels": {"app.kubernetes.io/managed-by": "tailrace"}}
    theirs = {"name": "tailrace-web", "namespace": "shop"}
    policies = [
        {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": one} for one in (ours, theirs)
    ]
    dns = pod("dns", "10.0.0.5")
    flows = [flow(0, WEB, API), flow(1, WEB, dns)]
    found, learning = learned(tmp_path, flows, [*kubernetes(*PODS, dns), *policies])
    assert (
        "shop has policies already (tailrace-web): what any NetworkPolicy of Kubernetes allows stays allowed."
        in found.words
    )
    text = proved_text(found, learning, Dialect.KUBERNETES)
    names = [one["metadata"]["name"] for one in yaml.safe_load_all(text)]
    assert (names[:2], names[-1]) == (["tailrace-dns", "tailrace-api"], "tailrace-default-deny")
    assert [name.rpartition("-")[0] for name in names[2:-1]] == ["tailrace-dns", "tailrace-web"]


def test_a_service_that_nobody_knows_is_told(tmp_path: Path) -> None:
    service = {"ip": "10.96.0.9", "kind": "service", "namespace": "shop"}
    found, _ = learned(tmp_path, [flow(0, WEB, service, 443), flow(1, WEB, API)])
    assert left_out(found) == [(Reason.UNRESOLVED, "10.96.0.9")]


def dns_peers(found: Recommendation) -> list[Any]:
    return [peer for allowance in found.namespaces[0].dns for peer in allowance.peers]


def test_the_dns_is_found_by_its_labels(tmp_path: Path) -> None:
    found, _ = learned(tmp_path, [flow(0, WEB, API)], kubernetes(*PODS, DNS))
    assert [str(one) for peer in dns_peers(found) for one in peer.workloads] == ["kube-system/coredns"]


def test_the_dns_is_else_who_answered_most(tmp_path: Path) -> None:
    """And what answers on the node itself is a cache of it, for those who never asked as well."""
    named = pod("named", "10.0.0.54", namespace="infra")
    ask = {"protocol": 17, "connection_state": "SF"}
    flows = [flow(0, WEB, named, 53, **ask), flow(1, API, named, 53, **ask), flow(2, API, DB, 53, **ask)]
    flows.append(flow(3, WEB, outside("169.254.20.10"), 53, **ask))
    found, _ = learned(tmp_path, flows, kubernetes(*PODS, named))
    cache, pods = sorted(dns_peers(found), key=lambda peer: hasattr(peer, "workloads"))
    assert (str(cache.networks[0]), [str(one) for one in pods.workloads]) == ("169.254.20.10/32", ["infra/named"])
    assert any("The cluster's DNS is not in the objects; taken for it: infra/named" in line for line in found.words)
    assert [str(rule.evidence[0].dst) for rule in rules(found, "api", Direction.EGRESS)] == ["data/db"]


def test_without_any_sign_of_the_dns_it_is_the_usual(tmp_path: Path) -> None:
    found, _ = learned(tmp_path, [flow(0, WEB, API)])
    (peer,) = dns_peers(found)
    assert (peer.namespace, [one.key for one in peer.selector]) == ("kube-system", ["k8s-app"])


def test_the_dns_may_be_asked_by_every_pod(tmp_path: Path) -> None:
    ask = {"protocol": 17, "connection_state": "SF"}
    flows = [flow(0, WEB, DNS, 53, **ask), flow(1, DB, DNS, 9153)]
    found, _ = learned(tmp_path, flows, kubernetes(*PODS, DNS), ("kube-system",))
    everybody, metrics = rules(found, "coredns", Direction.INGRESS)
    assert (everybody.peers, len(everybody.evidence)) == ((EveryPod(),), 1)
    assert [str(one.src) for one in metrics.evidence] == ["data/db"]


def test_a_pod_that_is_gone_is_as_its_workload_is_now(tmp_path: Path) -> None:
    gone = pod("web", "10.0.0.9", number=7, labels=[("run", "web")])
    found, learning = learned(tmp_path, [flow(0, gone, API), flow(1, WEB, API)])
    text = proved_text(found, learning, Dialect.KUBERNETES)
    of_web = next(one for one in yaml.safe_load_all(text) if one["metadata"]["name"] == "tailrace-web")
    assert of_web["spec"]["podSelector"] == {"matchLabels": {"app": "web"}}
    assert any("pods of shop/web that are gone had other labels" in line for line in found.words)


def test_policies_that_would_deny_what_they_were_learned_from_are_not_printed(tmp_path: Path) -> None:
    found, _ = learned(tmp_path, [flow(0, WEB, API)])
    folder = tmp_path / "more"
    folder.mkdir()
    _, more = learned(folder, [flow(0, WEB, API), flow(1, API, DB)])
    with pytest.raises(ProofError, match=r"would deny 1 of the edges .* shop/api → data/db, protocol 6, port 80"):
        proved_text(found, more, Dialect.KUBERNETES)


def test_a_lake_without_names_teaches_nothing(tmp_path: Path) -> None:
    with pytest.raises(QuestionError, match="no address of the lake has a name"):
        learned(tmp_path, [flow(0, {"ip": "10.0.0.1"}, {"ip": "10.0.0.2"})])

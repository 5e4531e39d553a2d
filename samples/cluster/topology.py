"""The machine's side of a cluster: network namespaces, links, bridges, VXLAN, and Services as DNAT."""

import contextlib
import itertools
import os
import signal
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass

from samples.cluster.plan import FABRIC_IP, VNI, Node, Plan, Pod, ServicePort

LINK_MTU = 1500
POD_MTU = 1450


def run(*words: str, text: str | None = None) -> str:
    done = subprocess.run(words, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def ip(netns: str, *words: str) -> None:
    run("ip", "-n", netns, *words)


def inside(netns: str, *words: str, text: str | None = None) -> str:
    return run("ip", "netns", "exec", netns, *words, text=text)


def leftovers(plan: Plan) -> list[str]:
    names = [line.split()[0] for line in run("ip", "netns", "list").splitlines() if line.strip()]
    return [name for name in names if name.startswith(plan.prefix)]


def build(plan: Plan) -> None:
    """The fabric and what is on it; what is outside, and the nodes' rules, each sample adds itself."""
    add_fabric(plan)
    add_nodes(plan)


def add_fabric(plan: Plan) -> None:
    fabric = plan.netns("fabric")
    add_netns(fabric, forward=True)
    ip(fabric, "link", "add", "br0", "type", "bridge")
    ip(fabric, "link", "set", "br0", "up")
    ip(fabric, "addr", "add", f"{FABRIC_IP}/24", "dev", "br0")


def add_nodes(plan: Plan) -> None:
    """The nodes and the pods' links."""
    for node in plan.nodes.values():
        add_node(plan, node)
    for pod in plan.pods.values():
        add_pod_link(plan, pod)
    join_nodes(plan)


def add_netns(name: str, forward: bool = False) -> None:
    run("ip", "netns", "add", name)
    settings = [f"net.ipv6.conf.{which}.disable_ipv6=1" for which in ("all", "default")]
    for which in ("all", "default"):
        # A router that sends pods' packets back out of the bridge they came from must not call that a detour.
        settings += [f"net.ipv4.conf.{which}.{key}=0" for key in ("send_redirects", "accept_redirects", "rp_filter")]
    settings += [f"net.ipv4.ip_forward={int(forward)}", "net.ipv4.icmp_ratelimit=0", "net.ipv4.icmp_msgs_per_sec=10000"]
    inside(name, "sysctl", "-qw", *available(name, settings))
    ip(name, "link", "set", "lo", "up")


def available(netns: str, settings: list[str]) -> list[str]:
    """Settings this kernel has in a namespace; br_netfilter and the ICMP limits are not always there."""
    settings = [*settings, "net.bridge.bridge-nf-call-iptables=0", "net.bridge.bridge-nf-call-arptables=0"]
    known = inside(netns, "sysctl", "-aN").split()
    return [setting for setting in settings if setting.partition("=")[0] in known]


def add_veth(netns: str, name: str, peer_netns: str, peer: str, mtu: int = LINK_MTU) -> None:
    ip(netns, "link", "add", name, "type", "veth", "peer", "name", peer, "netns", peer_netns)
    for where, what in ((netns, name), (peer_netns, peer)):
        # Without offloads the capture holds packets as a wire would carry them, checksums included.
        inside(where, "ethtool", "-K", what, "tx", "off", "tso", "off", "gso", "off", "gro", "off")
        ip(where, "link", "set", what, "mtu", str(mtu), "up")


def add_link(plan: Plan, near: str, name: str, far: str, mtu: int, line: str | None) -> None:
    """A veth to the eth0 of a namespace, or two of them with a delay line's namespace between."""
    if line is None:
        add_veth(near, name, far, "eth0", mtu)
        return
    middle = plan.netns(line)
    add_netns(middle)
    add_veth(near, name, middle, "near", mtu)
    add_veth(middle, "far", far, "eth0", mtu)


def add_place(plan: Plan, name: str, gateway: str, addresses: Iterable[str], line: str | None = None) -> str:
    """A namespace outside the cluster, behind the fabric, with addresses in the gateway's /24."""
    fabric, place = plan.netns("fabric"), plan.netns(name)
    add_netns(place)
    add_link(plan, fabric, name, place, LINK_MTU, line)
    ip(fabric, "addr", "add", f"{gateway}/24", "dev", name)
    for address in addresses:
        ip(place, "addr", "add", f"{address}/24", "dev", "eth0")
    ip(place, "route", "add", "default", "via", gateway)
    return place


def add_node(plan: Plan, node: Node) -> None:
    fabric, netns = plan.netns("fabric"), plan.netns(node.name)
    add_netns(netns, forward=True)
    add_veth(fabric, node.name, netns, "eth0")
    ip(fabric, "link", "set", node.name, "master", "br0")
    ip(fabric, "route", "add", node.cidr, "via", node.ip)
    ip(netns, "addr", "add", f"{node.ip}/24", "dev", "eth0")
    ip(netns, "route", "add", "default", "via", FABRIC_IP)
    ip(netns, "link", "add", "cni0", "address", mac(node, "c0"), "mtu", str(POD_MTU), "type", "bridge")
    ip(netns, "link", "set", "cni0", "up")
    ip(netns, "addr", "add", f"{node.gateway}/24", "dev", "cni0", "noprefixroute")
    ip(netns, "route", "add", node.cidr, "dev", "cni0", "src", node.ip)
    vxlan = f"type vxlan id {VNI} dstport 4789 dev eth0 nolearning local {node.ip}"
    ip(netns, "link", "add", "flannel.1", "address", mac(node, "f1"), "mtu", str(POD_MTU), *vxlan.split())
    ip(netns, "link", "set", "flannel.1", "up")


def mac(node: Node, what: str) -> str:
    return f"02:00:00:00:{what}:{node.name[-1]:0>2}"


def join_nodes(plan: Plan) -> None:
    """Routes and neighbours that flannel would learn from the API server."""
    for node, other in itertools.permutations(plan.nodes.values(), 2):
        netns, far = plan.netns(node.name), f"{other.pod_prefix}.0"
        inside(netns, "bridge", "fdb", "append", mac(other, "f1"), "dev", "flannel.1", "dst", other.ip, "self")
        ip(netns, "neigh", "replace", far, "lladdr", mac(other, "f1"), "dev", "flannel.1", "nud", "permanent")
        ip(netns, "route", "add", other.cidr, "via", far, "dev", "flannel.1", "onlink", "src", node.ip)


def add_pod_link(plan: Plan, pod: Pod) -> None:
    add_netns(plan.netns(pod.key))
    join_pod(plan, pod)


def join_pod(plan: Plan, pod: Pod) -> None:
    node, netns = plan.netns(pod.node), plan.netns(pod.key)
    add_link(plan, node, pod.veth, netns, POD_MTU, pod.line)
    ip(node, "link", "set", pod.veth, "master", "cni0")
    # Pods reach each other through the node only, so that every reply passes where the request was translated.
    ip(node, "link", "set", pod.veth, "type", "bridge_slave", "isolated", "on", "flood", "off")


def give_address(plan: Plan, pod: Pod) -> None:
    gateway, netns = plan.nodes[pod.node].gateway, plan.netns(pod.key)
    ip(netns, "addr", "add", f"{pod.ip}/32", "dev", "eth0")
    ip(netns, "route", "add", gateway, "dev", "eth0", "scope", "link")
    ip(netns, "route", "add", "default", "via", gateway)


def take_address(plan: Plan, pod: Pod) -> None:
    ip(plan.netns(pod.key), "addr", "flush", "dev", "eth0")
    with contextlib.suppress(RuntimeError):  # the node may have forgotten the neighbour already
        ip(plan.netns(pod.node), "neigh", "del", pod.ip, "dev", "cni0")


@dataclass(frozen=True)
class Losses:
    """Rules of nftables: what NetworkPolicies deny, what is lost before it is translated, and names of counters."""

    denied: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    counters: tuple[str, ...] = ()


def set_rules(plan: Plan, losses: Losses) -> None:
    """Give each node its Services and its losses."""
    for node in plan.nodes.values():
        inside(plan.netns(node.name), "nft", "-f", "-", text=ruleset(plan, node, losses))


def ruleset(plan: Plan, node: Node, losses: Losses) -> str:
    """Services as kube-proxy's nftables mode writes them: one without a ready endpoint is rejected."""
    chains, rules, rejected = [], [], []
    for service, port in plan.service_ports():
        ready = plan.ready_backends(service)
        name = f"svc-{service.namespace}-{service.name}-{port.name}"
        if service.cluster_ip and ready:
            chains += chain_of(name, [pod.ip for pod in ready], port)
            rules.append(match(service.cluster_ip, port.port, port) + f" goto {name}")
        elif service.cluster_ip:
            rejected.append(match(service.cluster_ip, port.port, port) + " reject")
        if port.node_port:
            local = [pod.ip for pod in ready if pod.node == node.name]
            chains += chain_of(f"node-port-{name}", local, port)
            rules.append(match(node.ip, port.node_port, port) + f" goto node-port-{name}")
    return "\n".join(
        [
            "table ip kube {",
            *(f" counter {name} {{ }}" for name in losses.counters),
            *chains,
            *block("lossy", ["type filter hook prerouting priority raw;", *losses.lost]),
            *block("prerouting", ["type nat hook prerouting priority dstnat;", *rules]),
            *block("forward", ["type filter hook forward priority filter;", *rejected, *losses.denied]),
            "}",
        ]
    )


def match(address: str, port: int, service_port: ServicePort) -> str:
    return f"ip daddr {address} {service_port.protocol.lower()} dport {port}"


def chain_of(name: str, ips: list[str], port: ServicePort) -> list[str]:
    """One chain that deals connections out in turn, and one chain for each endpoint."""
    lines, choices = [], []
    for i, address in enumerate(ips):
        goal = f"meta l4proto {port.protocol.lower()} dnat to {address}:{port.target}"
        lines += block(f"{name}-{i}", [goal])
        choices.append(f"{i} : goto {name}-{i}")
    return lines + block(name, [f"numgen inc mod {len(ips)} vmap {{ {', '.join(choices)} }}"])


def block(name: str, lines: list[str]) -> list[str]:
    return [f" chain {name} {{", *(f"  {line}" for line in lines), " }"]


def remove(plan: Plan) -> None:
    """Every namespace of ours, and what still runs in it."""
    for name in leftovers(plan):
        for _ in range(20):
            pids = [int(pid) for pid in run("ip", "netns", "pids", name).split()]
            if not pids:
                break
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
        run("ip", "netns", "del", name)

"""The machine's side of the cluster: network namespaces, links, bridges, VXLAN, and Services as DNAT."""

import contextlib
import os
import signal
import subprocess
import time

from samples.shop import plan
from samples.shop.plan import NODES, PODS, SERVICES, Node, Pod, Service, ServicePort

PREFIX = "tailrace-shop-"
FABRIC, OUTSIDE, OFFICE = PREFIX + "fabric", PREFIX + "outside", PREFIX + "office"
POD_MTU = 1450
OUTSIDE_IPS = (plan.OUTSIDE_IP, plan.DEAD_RESOLVER_IP, plan.PARTNER_IP, plan.CDN_IP, plan.BANK_IP)


def run(*words: str, text: str | None = None) -> str:
    done = subprocess.run(words, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def ip(netns: str, *words: str) -> None:
    run("ip", "-n", netns, *words)


def inside(netns: str, *words: str, text: str | None = None) -> str:
    return run("ip", "netns", "exec", netns, *words, text=text)


def leftovers() -> list[str]:
    names = [line.split()[0] for line in run("ip", "netns", "list").splitlines() if line.strip()]
    return [name for name in names if name.startswith(PREFIX)]


def build() -> None:
    add_netns(FABRIC, forward=True)
    ip(FABRIC, "link", "add", "br0", "type", "bridge")
    ip(FABRIC, "link", "set", "br0", "up")
    ip(FABRIC, "addr", "add", f"{plan.FABRIC_IP}/24", "dev", "br0")
    add_outside()
    for node in NODES.values():
        add_node(node)
    for pod in PODS.values():
        add_pod_link(pod)
    join_nodes()
    for node in NODES.values():
        inside(node.netns, "nft", "-f", "-", text=ruleset(node))


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


def add_veth(netns: str, name: str, peer_netns: str, peer: str, mtu: int = 1500) -> None:
    ip(netns, "link", "add", name, "type", "veth", "peer", "name", peer, "netns", peer_netns)
    for where, what in ((netns, name), (peer_netns, peer)):
        # Without offloads the capture holds packets as a wire would carry them, checksums included.
        inside(where, "ethtool", "-K", what, "tx", "off", "tso", "off", "gso", "off", "gro", "off")
        ip(where, "link", "set", what, "mtu", str(mtu), "up")


def add_outside() -> None:
    add_netns(OUTSIDE)
    add_veth(FABRIC, "outside", OUTSIDE, "eth0")
    ip(FABRIC, "addr", "add", "203.0.113.1/24", "dev", "outside")
    for address in OUTSIDE_IPS:
        ip(OUTSIDE, "addr", "add", f"{address}/24", "dev", "eth0")
    ip(OUTSIDE, "route", "add", "default", "via", "203.0.113.1")
    ip(FABRIC, "route", "add", "198.51.100.0/24", "dev", "outside")
    add_netns(OFFICE)
    add_veth(FABRIC, "office", OFFICE, "eth0")
    ip(FABRIC, "addr", "add", "192.0.2.1/24", "dev", "office")
    ip(OFFICE, "addr", "add", f"{plan.OFFICE_IP}/24", "dev", "eth0")
    ip(OFFICE, "route", "add", "default", "via", "192.0.2.1")


def add_node(node: Node) -> None:
    add_netns(node.netns, forward=True)
    add_veth(FABRIC, node.name, node.netns, "eth0")
    ip(FABRIC, "link", "set", node.name, "master", "br0")
    ip(FABRIC, "route", "add", node.cidr, "via", node.ip)
    ip(node.netns, "addr", "add", f"{node.ip}/24", "dev", "eth0")
    ip(node.netns, "route", "add", "default", "via", plan.FABRIC_IP)
    ip(node.netns, "link", "add", "cni0", "address", mac(node, "c0"), "mtu", str(POD_MTU), "type", "bridge")
    ip(node.netns, "link", "set", "cni0", "up")
    ip(node.netns, "addr", "add", f"{node.gateway}/24", "dev", "cni0", "noprefixroute")
    ip(node.netns, "route", "add", node.cidr, "dev", "cni0", "src", node.ip)
    vxlan = f"type vxlan id {plan.VNI} dstport 4789 dev eth0 nolearning local {node.ip}"
    ip(node.netns, "link", "add", "flannel.1", "address", mac(node, "f1"), "mtu", str(POD_MTU), *vxlan.split())
    ip(node.netns, "link", "set", "flannel.1", "up")


def mac(node: Node, what: str) -> str:
    return f"02:00:00:00:{what}:{node.name[-1]:0>2}"


def join_nodes() -> None:
    """Routes and neighbours that flannel would learn from the API server."""
    for node in NODES.values():
        for other in NODES.values():
            if other is node:
                continue
            far = f"{other.pod_prefix}.0"
            inside(node.netns, "bridge", "fdb", "append", mac(other, "f1"), "dev", "flannel.1", "dst", other.ip, "self")
            ip(node.netns, "neigh", "replace", far, "lladdr", mac(other, "f1"), "dev", "flannel.1", "nud", "permanent")
            ip(node.netns, "route", "add", other.cidr, "via", far, "dev", "flannel.1", "onlink", "src", node.ip)


def add_pod_link(pod: Pod) -> None:
    node = NODES[pod.node]
    add_netns(pod.netns)
    add_veth(node.netns, pod.veth, pod.netns, "eth0", POD_MTU)
    ip(node.netns, "link", "set", pod.veth, "master", "cni0")
    # Pods reach each other through the node only, so that every reply passes where the request was translated.
    ip(node.netns, "link", "set", pod.veth, "type", "bridge_slave", "isolated", "on", "flood", "off")


def give_address(pod: Pod) -> None:
    gateway = NODES[pod.node].gateway
    ip(pod.netns, "addr", "add", f"{pod.ip}/32", "dev", "eth0")
    ip(pod.netns, "route", "add", gateway, "dev", "eth0", "scope", "link")
    ip(pod.netns, "route", "add", "default", "via", gateway)


def take_address(pod: Pod) -> None:
    ip(pod.netns, "addr", "flush", "dev", "eth0")
    with contextlib.suppress(RuntimeError):  # the node may have forgotten the neighbour already
        ip(NODES[pod.node].netns, "neigh", "del", pod.ip, "dev", "cni0")


def ruleset(node: Node) -> str:
    """Services as kube-proxy's nftables mode writes them, and the one NetworkPolicy."""
    chains, rules = [], []
    for service in SERVICES:
        for port in service.ports:
            if service.cluster_ip:
                name = f"svc-{service.name}-{port.name}"
                chains += chain_of(name, [pod.ip for pod in plan.backends(service)], port)
                rules.append(match(service.cluster_ip, port.port, port) + f" goto {name}")
            if port.node_port:
                name = f"node-port-{service.name}-{port.name}"
                chains += chain_of(name, local_ips(node, service), port)
                rules.append(match(node.ip, port.node_port, port) + f" goto {name}")
    return "\n".join(
        [
            "table ip kube {",
            *chains,
            *block("prerouting", ["type nat hook prerouting priority dstnat;", *rules]),
            *block("forward", ["type filter hook forward priority filter;", *denied()]),
            "}",
        ]
    )


def denied() -> list[str]:
    ledger, payments = PODS["ledger-0"].ip, PODS["payments"].ip
    return [
        f"ip daddr {plan.METADATA_IP} drop",
        "ct state established,related accept",
        f"ip daddr {ledger} ip saddr {payments} tcp dport 6379 accept",
        f"ip daddr {ledger} drop",
    ]


def local_ips(node: Node, service: Service) -> list[str]:
    return [pod.ip for pod in plan.backends(service) if pod.node == node.name]


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


def remove() -> None:
    """Every namespace of ours, and what still runs in it."""
    for name in leftovers():
        for _ in range(20):
            pids = [int(pid) for pid in run("ip", "netns", "pids", name).split()]
            if not pids:
                break
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
        run("ip", "netns", "del", name)

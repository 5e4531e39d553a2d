"""The outside of the resolvers cluster, and what is lost on purpose."""

import re

from samples.cluster import topology
from samples.cluster.topology import inside, ip
from samples.resolvers import plan
from samples.resolvers.plan import PODS, RESOLVERS

OUTSIDE_IPS = (plan.PROVIDER_IP, plan.AUTHORITY_IP, plan.PUBLIC_IP, plan.DEAD_IP, plan.WIDGET_IP)
UDP_AND_DNS_HEADERS = 8 + 12  # octets from the UDP header to the name
AAAA = 28
RACE_EVERY = 4  # one AAAA query of so many is lost
COUNTED = re.compile(r"counter (\w+) \{\s*packets (\d+)")


def build() -> None:
    topology.build(RESOLVERS)
    fabric = RESOLVERS.netns("fabric")
    outside = topology.add_place(RESOLVERS, "outside", "203.0.113.1", OUTSIDE_IPS)
    for network in (plan.WEB_NETWORK, plan.FLUX_NETWORK):
        ip(fabric, "route", "add", network, "dev", "outside")
        ip(outside, "route", "add", "local", network, "dev", "lo")  # every address of it answers
    topology.add_place(RESOLVERS, "slow", "192.0.2.1", (plan.SLOW_IP,), plan.SLOW_LINE)
    topology.add_place(RESOLVERS, "office", "10.100.0.1", (plan.CORP_DNS_IP, plan.INTRANET_IP))
    blocked = f"ip saddr {PODS['geo-blocked'].ip} tcp dport 53 drop"
    topology.set_rules(RESOLVERS, topology.Losses((blocked,), (race(),), ("race_lost",)))


def race() -> str:
    """Loses some AAAA queries of one client for one name on its own node, before they are translated."""
    name_octets = len(plan.CATALOG) + 2
    qtype = (UDP_AND_DNS_HEADERS + name_octets) * 8
    lost = f"@th,{qtype},16 {AAAA} numgen inc mod {RACE_EVERY} == 1 counter name race_lost drop"
    return f"iifname cni0 ip saddr {PODS['storefront'].ip} udp dport 53 {lost}"


def silence(clients: tuple[str, ...]) -> None:
    """One replica hears nobody any more; whom it does not hear is counted."""
    counters = [f" counter from_{key.replace('-', '_')} {{ }}" for key in (*clients, "others")]
    rules = [
        f"ip saddr {PODS[key].ip} meta l4proto {{ tcp, udp }} th dport 53 counter name from_{key.replace('-', '_')} drop"
        for key in clients
    ]
    rules.append("meta l4proto { tcp, udp } th dport 53 counter name from_others drop")
    chain = topology.block("silence", ["type filter hook prerouting priority raw;", *rules])
    text = "\n".join(["table ip silence {", *counters, *chain, "}"])
    inside(RESOLVERS.netns(plan.SLOW_REPLICA), "nft", "-f", "-", text=text)


def end_silence() -> dict[str, int]:
    """Packets not heard, by client."""
    netns = RESOLVERS.netns(plan.SLOW_REPLICA)
    counted = counters(netns)
    inside(netns, "nft", "delete", "table", "ip", "silence")
    return {name.removeprefix("from_").replace("_", "-"): count for name, count in counted.items()}


def counters(netns: str) -> dict[str, int]:
    return {name: int(count) for name, count in COUNTED.findall(inside(netns, "nft", "list", "counters"))}


def lost(counter: str) -> int:
    """Packets of a named counter, of both nodes."""
    return sum(counters(RESOLVERS.netns(node)).get(counter, 0) for node in RESOLVERS.nodes)

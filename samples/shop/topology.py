"""The shop's outside, and what its nodes drop."""

from samples.cluster import topology
from samples.cluster.topology import ip
from samples.shop import plan
from samples.shop.plan import PODS, SHOP

OUTSIDE, OFFICE = SHOP.netns("outside"), SHOP.netns("office")
OUTSIDE_IPS = (plan.OUTSIDE_IP, plan.DEAD_RESOLVER_IP, plan.PARTNER_IP, plan.CDN_IP, plan.BANK_IP)


def build() -> None:
    topology.build(SHOP)
    topology.add_place(SHOP, "outside", "203.0.113.1", OUTSIDE_IPS)
    ip(SHOP.netns("fabric"), "route", "add", "198.51.100.0/24", "dev", "outside")
    topology.add_place(SHOP, "office", "192.0.2.1", (plan.OFFICE_IP,))
    topology.set_rules(SHOP, topology.Losses(denied()))


def denied() -> tuple[str, ...]:
    ledger, payments = PODS["ledger-0"].ip, PODS["payments"].ip
    return (
        f"ip daddr {plan.METADATA_IP} drop",
        "ct state established,related accept",
        f"ip daddr {ledger} ip saddr {payments} tcp dport 6379 accept",
        f"ip daddr {ledger} drop",
    )

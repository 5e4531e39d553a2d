"""The zones outside: what the authoritative servers say."""

from samples.resolvers import plan

LONG_TTL_S = 300


def knot_zones() -> dict[str, str]:
    """Zone name to zone file; a flag's absence may be remembered for no time at all."""
    web = f"A {plan.WEB_IP}"
    mail = f'IN TXT "v=spf1 ip4:{plan.WEB_IP} -all"'
    bodies = {
        "partner-api.example": [f"{name} {LONG_TTL_S} {web}" for name in ("toggles", "news", "mail", "files")]
        + [f"rates 5 {web}", f"@ 60 {mail}"],
        "paygate.example": [f"api {LONG_TTL_S} {web}", f"@ 60 {mail}"],
        "payments-gateway.example": [f"@ {LONG_TTL_S} {web}"],
        "payrnents-gateway.example": [f"@ {LONG_TTL_S} A 198.51.100.66"],
        "shop-eu.example": [f"@ {LONG_TTL_S} {web}"],
        "shop-us.example": [f"@ {LONG_TTL_S} {web}"],
        "cdn.example": [f"assets 60 A {ip}" for ip in plan.CDN_IPS] + [f"@ 60 {mail}"],
        "asset-host.example": [f"* {LONG_TTL_S} {web}"],
        "edge-pool.example": [f"geo 60 A {ip}" for ip in plan.MANY_IPS],
        "prices.example": [f"spot 1 {web}"],
        "flags.example": [f"stable 60 {web}"],
        "cdn-sync.example": ['*.t 1 TXT "ack"'],
        "promo-lottery.example": [f"win 3 A {ip}" for ip in plan.FLUX_IPS[:6]],
        "ad-frames.example": [f"widget 1 A {plan.WIDGET_IP}"],
        "google": [f"dns {LONG_TTL_S} A {plan.PUBLIC_IP}"],
    }
    return {zone: head(zone, plan.AUTHORITY_IP) + "\n".join(body) + "\n" for zone, body in bodies.items()}


def head(zone: str, server: str) -> str:
    absence_s = 0 if zone == "flags.example" else LONG_TTL_S
    soa = f"@ 60 SOA ns1 hostmaster 1 7200 1800 86400 {absence_s}"
    return f"$ORIGIN {zone}.\n$TTL 60\n{soa}\n@ NS ns1\nns1 A {server}\n"


def slow_zone() -> str:
    names = [name.partition(".")[0] for name in plan.SLOW_NAMES]
    return head("slow-bank.example", plan.SLOW_IP) + "".join(f"{name} 20 A {plan.WEB_IP}\n" for name in names)


def corp_zone() -> str:
    """The company's own names: private addresses under a name of the public tree, as split horizon has it."""
    return head("corp.example", plan.CORP_DNS_IP) + f"intranet {LONG_TTL_S} A {plan.INTRANET_IP}\n"


def root_zone() -> str:
    """A root of our own, so that nothing asks the real one: it delegates, and denies what is not there."""
    lines = ["$ORIGIN .", "$TTL 300", ". SOA ns.example. hostmaster.example. 1 7200 1800 86400 300"]
    lines += [". NS ns.example.", f"ns.example. A {plan.PROVIDER_IP}"]
    for zone in knot_zones():
        lines += delegation(zone, plan.AUTHORITY_IP)
    lines += delegation("erp-cloud.example", plan.DEAD_IP)
    lines += delegation("tax-office.example", plan.AUTHORITY_IP)  # which does not know it, and refuses
    return "\n".join(lines) + "\n"


def delegation(zone: str, server: str) -> list[str]:
    return [f"{zone}. NS ns1.{zone}.", f"ns1.{zone}. A {server}"]

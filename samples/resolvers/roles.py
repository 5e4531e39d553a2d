"""The clients in the pods: ``python -m samples.resolvers.roles ROLE EVENTS START PROGRAMS``, inside the pod's namespace.

Each waits for its part of the timeline, plays it, and idles until it is stopped. The file START, once it is there, holds the
Unix time when the timeline begins.
"""

import random
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from samples.cluster import wire
from samples.resolvers import plan
from samples.resolvers.clients import Client, ask, command, glibc, go, jvm, musl, visit, visit_all
from samples.resolvers.timeline import STOPPING, begin, every, until

NULL = 10
TUNNEL_QUERIES, TUNNEL_SEED = 120, 41
DGA_NAMES, DGA_SEED = 80, 42
SILENT_TRIES = 4


def repeatedly(client: Client, name: str, at: float = 2) -> None:
    if until(at):
        client(name, 8, 3000)


def at_once(client: Client) -> None:
    """A few clients shortly one after the other: they are dealt out to the replicas, of which one is silent."""
    if not until(plan.SILENT_ASK):
        return
    clients = []
    for _ in range(SILENT_TRIES):
        clients.append(threading.Thread(target=client, args=(plan.GATEWAY + ".", 1, 0)))
        clients[-1].start()
        time.sleep(0.15)
    for thread in clients:
        thread.join()


def billing() -> None:
    repeatedly(glibc, plan.PAYGATE)


def ledger() -> None:
    repeatedly(musl, plan.PAYGATE)


def risk() -> None:
    repeatedly(go, plan.PAYGATE)


def fraud() -> None:
    repeatedly(jvm, plan.PAYGATE)


def billing_ndots() -> None:
    repeatedly(glibc, plan.PAYGATE)


def billing_dot() -> None:
    repeatedly(glibc, plan.PAYGATE + ".")


def checkout() -> None:
    at_once(glibc)


def cart_sync() -> None:
    at_once(musl)


def quotes() -> None:
    at_once(go)


def storefront() -> None:
    """A new process for each lookup: glibc asks one after the other once it has been caught in the race."""
    every(2, lambda: glibc("catalog", 1, 0), (1, 34))


def invoicing() -> None:
    every(6, lambda: visit_all(plan.DEAD_NAME + ".", plan.LAME_NAME + "."), (3, 34))


def exporter() -> None:
    every(4, lambda: visit(plan.MISSPELT), plan.FIRST)


def refunds() -> None:
    every(5, lambda: visit(plan.MISPLACED), plan.FIRST)


def report_viewer() -> None:
    every(4, lambda: visit("reports"), plan.FIRST)


def search_ui() -> None:
    every(4, lambda: visit("search"), plan.FIRST)


def cart_client() -> None:
    every(4, lambda: visit("cart"), plan.FIRST)


def flag_poller() -> None:
    every(1.5, lambda: visit(plan.TOGGLES, port=0), plan.SECOND)


def geo_sync() -> None:
    # IPv4 only: asked for both at once, glibc leaves for TCP before the second answer came, or after it.
    every(12, lambda: visit(plan.MANY_ADDRESSES + ".", family=socket.AF_INET), plan.SECOND)


def geo_blocked() -> None:
    if until(plan.SECOND[0]):
        go(plan.MANY_ADDRESSES + ".", 2, 1000, "ip4")


def geo_musl() -> None:
    if until(plan.SECOND[0] + 1):
        musl(plan.MANY_ADDRESSES + ".", 2, 8000)


def treasury() -> None:
    names = iter(plan.SLOW_NAMES * 3)
    every(2, lambda: visit(next(names) + "."), plan.SECOND)


def legacy_batch() -> None:
    every(3, lambda: ask(plan.PUBLIC_NAME, wire.A, plan.PUBLIC_IP), plan.FIRST)


def dot_agent() -> None:
    """kdig speaks DNS over TLS to the public resolver, whose certificate nobody checks here."""
    words = ["kdig", f"@{plan.PUBLIC_IP}", "+tls", f"+tls-sni={plan.DOH_HOST}", "+short", plan.DOT_NAME, "A"]
    every(8, lambda: command("dot", words), plan.FIRST)


def browser() -> None:
    """curl finds the resolver by the cluster's DNS, and everything else by HTTPS."""
    words = ["curl", "-sk", "-o", "/dev/null", "--max-time", "6", "--doh-insecure", "--ipv4"]
    words += ["--doh-url", f"https://{plan.DOH_HOST}/dns-query", f"http://{plan.DOH_NAME}/"]
    every(8, lambda: command("doh", words), plan.FIRST)


def pricing() -> None:
    """Ten times a second; it connects now and then."""
    turns = iter(range(1000))
    times = (6.0, 21.0)
    every(0.1, lambda: visit(plan.SPOT, 0 if next(turns) % 15 else 80, socket.AF_INET), times)


def launcher() -> None:
    every(2, lambda: visit(plan.ABSENT_FLAG + "."), plan.SECOND)


def encoder() -> None:
    dice = random.Random(TUNNEL_SEED)
    types = iter([wire.TXT, NULL] * TUNNEL_QUERIES)
    times = (70.0, 70.0 + TUNNEL_QUERIES * 0.15)
    every(0.15, lambda: ask(f"{wire.random_labels(dice)}.{plan.TUNNEL_SUFFIX}", next(types)), times)


def thumbnailer() -> None:
    dice = random.Random(DGA_SEED)
    times = (72.0, 72.0 + DGA_NAMES * 0.1)
    every(0.1, lambda: visit(generated(dice) + ".", family=socket.AF_INET), times)


def generated(dice: random.Random) -> str:
    """A registered domain as an algorithm makes them up."""
    label = "".join(dice.choices("abcdefghijklmnopqrstuvwxyz", k=dice.randint(11, 17)))
    return f"{label}.{dice.choice(('example', 'test', 'invalid'))}"


def mailer() -> None:
    every(3, lambda: visit(plan.FLUX, family=socket.AF_INET), plan.SECOND)


def kiosk() -> None:
    every(4, lambda: visit(plan.REBINDING, family=socket.AF_INET), plan.SECOND)


def webhook() -> None:
    """Its name for the gateway is almost right."""
    every(9, lambda: visit(plan.SQUATTED), plan.SECOND)


def storefront_cdn() -> None:
    every(3, lambda: visit(plan.CDN), plan.FIRST)


def image_proxy() -> None:
    names = iter(plan.ASSET_HOSTS)
    every(1.5, lambda: visit(next(names)), (67, 97))


def healthcheck() -> None:
    every(2, lambda: visit("payments.payments.svc.cluster.local."), plan.FIRST)
    every(2, lambda: visit("payments.payments.svc.cluster.local."), plan.SECOND)


def intranet_sync() -> None:
    every(5, lambda: visit(plan.INTRANET), plan.SECOND)


def crawler() -> None:
    every(16, lambda: visit(plan.FORGOTTEN + "."), plan.SECOND)


def regional() -> None:
    every(3, lambda: visit_all(*plan.REGIONS, plan.GATEWAY), plan.SECOND)


def mail_checker() -> None:
    names = iter(plan.MAIL_DOMAINS * 4)
    every(3, lambda: ask(next(names), wire.TXT), plan.SECOND)


def rates_reader() -> None:
    every(10, lambda: visit(plan.RATES), plan.SECOND)


ROLES: dict[str, Callable[[], None]] = {
    role.__name__.replace("_", "-"): role
    for role in (
        *(billing, ledger, risk, fraud, billing_ndots, billing_dot, checkout, cart_sync, quotes, storefront),
        *(invoicing, exporter, refunds, report_viewer, search_ui, cart_client, flag_poller, geo_sync),
        *(geo_blocked, geo_musl, treasury, legacy_batch, dot_agent, browser, pricing, launcher, encoder),
        *(thumbnailer, mailer, kiosk, webhook, storefront_cdn, image_proxy, healthcheck, intranet_sync),
        *(crawler, regional, mail_checker, rates_reader),
    )
}


def main(role: str, events: str, start: str, programs: str) -> None:
    signal.signal(signal.SIGTERM, lambda *_: STOPPING.set())
    wire.log_to(Path(events))
    wire.note("ready")
    if begin(Path(start), Path(programs)):
        ROLES[role]()
        STOPPING.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])

"""What went wrong on purpose: for each diagnosis the client, the names, and what the logs counted of it."""

from collections.abc import Callable

from samples.cluster.objects import Json
from samples.cluster.truth import workload
from samples.cluster.workloads import pod_name
from samples.resolvers import plan
from samples.resolvers.plan import PODS
from samples.resolvers.recorded import Recorded

ANSWERED = {"outcome": "answered", "rcode": "NOERROR"}
ABSENT = {"outcome": "answered", "rcode": "NXDOMAIN"}


def incident(diagnosis: str, client: str, **facts: object) -> Json:
    return {"diagnosis": diagnosis, "client": workload(PODS[client]), **facts}


def search_path(recorded: Recorded) -> list[Json]:
    """Every resolver tries the three suffixes before the name; how it sends the two queries of a step differs."""
    resolvers = {"billing": "glibc", "ledger": "musl", "risk": "Go", "fraud": "JVM"}
    return [
        incident(
            "search_path",
            client,
            resolver=resolver,
            asked=plan.PAYGATE,
            qname_suffix="cluster.local",
            **ABSENT,
            transactions=(wasted := recorded.asked_below(client, "cluster.local")),
            queries=wasted,
            needed=recorded.asked(client, [plan.PAYGATE]),
            calls=len(recorded.resolutions(client)),
        )
        for client, resolver in resolvers.items()
    ]


def unanswered(recorded: Recorded) -> list[Json]:
    """glibc and musl send a query that nobody answers a second time, with the same id; Go sends another one."""
    resolvers = {"checkout": ("glibc", 2), "cart-sync": ("musl", 2), "quotes": ("Go", 1)}
    return [
        incident(
            "unanswered",
            client,
            resolver=resolver,
            names=[plan.GATEWAY],
            server=PODS[plan.SLOW_REPLICA].ip,
            outcome="unanswered",
            rcode=None,
            transactions=recorded.unheard[client] // attempts,
            queries=recorded.unheard[client],
            stalls_s=recorded.stalled(client),
        )
        for client, (resolver, attempts) in resolvers.items()
    ]


def pair_race(recorded: Recorded) -> list[Json]:
    name = plan.CATALOG
    facts = {"lost": recorded.race_lost, "stalls_s": recorded.stalled("storefront")}
    messages = recorded.asked("storefront", [name]) + recorded.race_lost
    return [incident("pair_race", "storefront", resolver="glibc", names=[name], queries=messages, **facts)]


def servfail(recorded: Recorded) -> list[Json]:
    """A zone whose only server is dead, and one whose server refuses; the provider's resolver says SERVFAIL of both."""
    causes = {plan.DEAD_NAME: "nobody listens", plan.LAME_NAME: "refuses"}
    failed = {"outcome": "answered", "rcode": "SERVFAIL", "upstream": plan.PROVIDER_IP}
    return [
        incident(
            "servfail",
            "invoicing",
            names=[name],
            zone=name.partition(".")[2],
            cause=cause,
            **failed,
            queries=recorded.asked("invoicing", [name]),
        )
        for name, cause in causes.items()
    ]


def misspelt(recorded: Recorded) -> list[Json]:
    """The search path is tried in vain, and the name as it stands; the Service payments of payments is what was meant."""
    return [
        incident(
            "misspelt",
            client,
            asked=name,
            meant="payments.payments.svc.cluster.local",
            names=recorded.names_of(client),
            **ABSENT,
            transactions=(messages := recorded.asked(client, recorded.names_of(client))),
            queries=messages,
            calls=len(recorded.resolutions(client)),
        )
        for client, name in {"exporter": plan.MISSPELT, "refunds": plan.MISPLACED}.items()
    ]


def unreachable(recorded: Recorded) -> list[Json]:
    """A Service without a ready endpoint, which the node rejects, and one on whose ready pod nobody listens."""
    return [
        incident(
            diagnosis,
            client,
            names=[f"{service}.shop.svc.cluster.local"],
            service=f"shop/{service}",
            **ANSWERED,
            queries=recorded.asked(client, [f"{service}.shop.svc.cluster.local"]),
            connections=len(recorded.resolutions(client)),
        )
        for diagnosis, client, service in (
            ("no_endpoint", "report-viewer", "reports"),
            ("refused", "search-ui", "search"),
        )
    ]


def never_connected(recorded: Recorded) -> list[Json]:
    """One asks the cluster's name servers, the other a public resolver, so that only its own log tells how often."""
    toggles, calls = recorded.asked("flag-poller", [plan.TOGGLES]), len(recorded.resolutions("flag-poller"))
    files = len(recorded.program("legacy-batch", "query"))
    return [
        incident("never_connected", "flag-poller", names=[plan.TOGGLES], **ANSWERED, queries=toggles, calls=calls),
        incident("never_connected", "legacy-batch", names=[plan.PUBLIC_NAME], **ANSWERED, queries=files, calls=files),
    ]


def truncated(recorded: Recorded) -> list[Json]:
    """A hundred addresses: glibc asks again over TCP, and all of it twice for a larger buffer; Go may not, musl never does."""
    names, found = [plan.MANY_ADDRESSES], []
    for client, resolver in {"geo-sync": "glibc", "geo-blocked": "Go", "geo-musl": "musl"}.items():
        calls, messages = recorded.resolutions(client), recorded.asked(client, names)
        facts = {"queries": messages, "over_tcp": messages // 2 if client == "geo-sync" else 0}
        facts |= {"calls": len(calls), "failed": sum(bool(call["error"]) for call in calls)}
        found.append(incident("truncated", client, resolver=resolver, names=names, **ANSWERED, **facts))
    return found


def slow_upstream(recorded: Recorded) -> list[Json]:
    facts = {"upstream": plan.SLOW_IP, "delay_ms": plan.SLOW_MS, "missed": recorded.missed("treasury", plan.SLOW_NAMES)}
    queries = recorded.asked("treasury", plan.SLOW_NAMES)
    return [incident("slow_upstream", "treasury", names=list(plan.SLOW_NAMES), **ANSWERED, queries=queries, **facts)]


def slow_replica(recorded: Recorded) -> list[Json]:
    """Everything that one replica sends is late, from the first second to the last; whom it serves is anybody."""
    messages = sum(query.server == plan.SLOW_REPLICA for query in recorded.queries)
    pod = PODS[plan.SLOW_REPLICA]
    name = pod_name(pod, recorded.book.lives[pod.key])
    server = {"server": pod.ip, "pod": name, "delay_ms": plan.SLOW_REPLICA_MS}
    return [{"diagnosis": "slow_replica", "client": None, **server, "queries": messages}]


def bypass(recorded: Recorded) -> list[Json]:
    server = {"server": plan.PUBLIC_IP}
    plain = len(recorded.program("legacy-batch", "query"))
    dot, doh = (recorded.program(client, kind) for client, kind in (("dot-agent", "dot"), ("browser", "doh")))
    return [
        incident("bypass", "legacy-batch", **server, port=53, names=[plan.PUBLIC_NAME], queries=plain),
        incident("bypass", "dot-agent", **server, port=853, sni=plan.DOH_HOST, connections=len(dot)),
        incident("bypass", "browser", **server, port=443, sni=plan.DOH_HOST, connections=len(doh)),
    ]


def low_ttl(recorded: Recorded) -> list[Json]:
    facts = {"ttl_s": 1, "upstream_queries": recorded.asked_upstream(plan.SPOT)}
    return [incident("low_ttl", "pricing", names=[plan.SPOT], **ANSWERED, queries=asked(recorded, "pricing"), **facts)]


def negative_cache(recorded: Recorded) -> list[Json]:
    """Its zone lets nobody remember that a name is absent."""
    facts = {"soa_minimum_s": 0, "upstream_queries": recorded.asked_upstream(plan.ABSENT_FLAG)}
    names = [plan.ABSENT_FLAG]
    return [incident("negative_cache", "launcher", names=names, **ABSENT, queries=asked(recorded, "launcher"), **facts)]


def tunnelling(recorded: Recorded) -> list[Json]:
    messages = recorded.asked_below("encoder", plan.TUNNEL_SUFFIX)
    facts = {"queries": messages, "transactions": messages}
    return [incident("tunnelling", "encoder", qname_suffix=plan.TUNNEL_SUFFIX, **ANSWERED, **facts)]


def dga(recorded: Recorded) -> list[Json]:
    names = recorded.names_of("thumbnailer")
    messages = asked(recorded, "thumbnailer")
    return [incident("dga", "thumbnailer", names=names, **ABSENT, queries=messages, transactions=messages)]


def fast_flux(recorded: Recorded) -> list[Json]:
    addresses = sorted({ip for call in recorded.resolutions("mailer") for ip in call["addresses"]})
    facts = {"queries": asked(recorded, "mailer"), "ttl_s": 3, "addresses": addresses}
    return [incident("fast_flux", "mailer", names=[plan.FLUX], **ANSWERED, **facts)]


def rebinding(recorded: Recorded) -> list[Json]:
    """A name of the public tree that first answers as one, and then with the address of a Service."""
    answers = list(dict.fromkeys(ip for call in recorded.resolutions("kiosk") for ip in call["addresses"]))
    facts = {"queries": asked(recorded, "kiosk"), "addresses": answers}
    return [incident("rebinding", "kiosk", names=[plan.REBINDING], **ANSWERED, **facts)]


def typosquat(recorded: Recorded) -> list[Json]:
    facts = {"resembles": plan.GATEWAY, "queries": recorded.asked("webhook", [plan.SQUATTED])}
    return [incident("typosquat", "webhook", names=[plan.SQUATTED], **ANSWERED, **facts)]


def asked(recorded: Recorded, client: str) -> int:
    return recorded.asked(client, recorded.names_of(client))


DIAGNOSES: tuple[Callable[[Recorded], list[Json]], ...] = (
    *(search_path, unanswered, pair_race, servfail, misspelt, unreachable, never_connected, truncated, slow_upstream),
    *(slow_replica, bypass, low_ttl, negative_cache, tunnelling, dga, fast_flux, rebinding, typosquat),
)


def incidents(recorded: Recorded) -> list[Json]:
    return [found for diagnosis in DIAGNOSES for found in diagnosis(recorded)]

"""Whatever programs ask for, one after another: a resolution is one call of their resolver, and says what it took."""

from pathlib import Path
from tempfile import mkdtemp

from hypothesis import given, settings
from hypothesis import strategies as st

from enricher.directory import Directory
from enricher.enrich import enrich
from tests.support.resolver import ADDRESS, Call, Resolver
from tests.unit.enricher.cluster import directory, dns, flows, node, pod

SEARCH = ("shop.svc.cluster.local", "svc.cluster.local", "cluster.local")
CLIENTS = tuple(f"10.1.0.{host}" for host in range(5, 25))
ZONE = {
    "rates.partner.example": ADDRESS,
    "a.b.c.d.e.example": ADDRESS,
    "cart.shop.svc.cluster.local": ADDRESS,
    "payments.payments.svc.cluster.local": ADDRESS,
    "erp.legacy.example": "SERVFAIL",
    "silent.example": "SILENT",
    "silent.shop.svc.cluster.local": "SILENT",
}
NAMES = (
    *(
        "rates.partner.example",
        "a.b.c.d.e.example",
        "cart",
        "payments.payments",
        "erp.legacy.example",
        "silent.example",
    ),
    *("silent", "gone", "gone.example", "typo.payments", "%.example", "_"),
)

programs = st.lists(
    st.builds(
        Call,
        name=st.sampled_from(NAMES),
        pause_s=st.one_of(st.floats(0.001, 0.2), st.floats(2, 20)).map(lambda pause: round(pause, 4)),
    ),
    max_size=12,
)


def resolvers(client: str) -> st.SearchStrategy[Resolver]:
    return st.builds(
        Resolver,
        client=st.just(client),
        search=st.just(SEARCH),
        ndots=st.sampled_from((1, 2, 5)),
        zone=st.just(ZONE),
        step_s=st.just(0.001),
        qtypes=st.sampled_from((("A", "AAAA"), ("A",))),
        parallel=st.booleans(),
    )


def shop() -> Directory:
    nodes = [node(f"n{n}", f"192.168.0.{n}", f"10.1.{n - 1}.0/24") for n in (1, 2)]
    pods = [pod(f"web-{ip}", ip) for ip in CLIENTS]
    return directory(Path(mkdtemp()), *nodes, *pods, pod("dns", "10.1.1.6", node="n2", namespace="kube-system"))


DIRECTORY = shop()


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.tuples(*[st.tuples(resolvers(client), programs) for client in CLIENTS]))
def test_resolutions_are_the_calls(clients: tuple[tuple[Resolver, list[Call]], ...]) -> None:
    expected = {resolver.client: resolver.calls(calls) for resolver, calls in clients}
    rows = [row for resolver, _ in clients for row in resolver.rows]
    found = enrich(flows(), dns(*rows), DIRECTORY).resolutions.to_pylist()
    for client, calls in expected.items():
        told = [{name: row[name] for name in calls[0]} for row in found if row["client_ip"] == client] if calls else []
        assert told == calls


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.tuples(resolvers(CLIENTS[0]), programs))
def test_every_query_is_in_one_resolution(program: tuple[Resolver, list[Call]]) -> None:
    resolver, calls = program
    resolver.calls(calls)
    enriched = enrich(flows(), dns(*resolver.rows), DIRECTORY)
    ids = enriched.dns["resolution_id"].to_pylist()
    told = {row["resolution_id"]: row["transactions"] for row in enriched.resolutions.to_pylist()}
    assert {one: ids.count(one) for one in ids} == told

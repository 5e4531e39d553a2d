"""Names that no cache can keep until they are asked for again."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from analysis.dns.doctor import examine
from analysis.dns.finding import Context, Finding, Severity
from store.lake import Lake
from tests.support.lake import HOSTILE
from tests.support.names import CLIENT, NOON, Row, make_names, pod, resolution


def every(seconds: float, count: int, asked: str = "rates.partner.example", **more: Any) -> list[Row]:
    told = {"ttl": 5, "registered_domain": "partner.example", "duration_us": 3000} | more
    start = told.pop("offset", 0)
    return [
        resolution(start + i, asked, start_time=NOON + timedelta(seconds=start + i * seconds), **told)
        for i in range(count)
    ]


def found(folder: Path, *rows: Row) -> list[Finding]:
    lake = make_names(folder / "lake", resolutions=list(rows))
    return list(examine(lake, {}, Context(), ["low_ttl"]).findings)


def test_a_ttl_too_short_for_the_rate(tmp_path: Path) -> None:
    """All answers have the full TTL, as those from a cache within the same second have as well."""
    (finding,) = found(tmp_path, *every(0.1, 151, ttl=1))
    assert (finding.subject, finding.severity) == ("shop/api: rates.partner.example", Severity.INFO)
    # At 0, 1, …, 15 s.
    assert finding.says == (
        "16 of 151 answers had to be fetched: they may be kept for 1 s, and a pod asks every 0.1 s. Each took 3 ms."
    )
    assert "`success 9984 3600 30` in the block `cache`" in finding.fix
    assert (
        finding.effect == "With 30 s a cache for each pod would answer 15 of 16 (93.8 %), and spare 45 ms of waiting."
    )
    assert (finding.queries, finding.waited_us) == (302, 16 * 3000)


def test_waiting_that_adds_up_is_a_warning(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, *every(6, 14, duration_us=400_000, wasted_us=20_000))
    assert (finding.severity, finding.waited_us) == (Severity.WARNING, 14 * 380_000)
    # It is asked for at 0, 6, …, 78 s: with 30 s only those at 0, 30 and 60 s are fetched.
    assert (
        finding.effect == "With 30 s a cache for each pod would answer 11 of 14 (78.6 %), and spare 4.2 s of waiting."
    )


def test_each_pod_keeps_its_own(tmp_path: Path) -> None:
    other = pod("api", "10.244.1.99", number=1)
    (finding,) = found(tmp_path, *every(1, 61, ttl=1), *every(1, 61, ttl=1, client=other, offset=100))
    evidence = finding.evidence
    assert (evidence["pods"], evidence["fetched"], evidence["needed"], evidence["interval_s"]) == (2, 122, 6, 1)


def test_silent_where_a_cache_helps(tmp_path: Path) -> None:
    """Others asked before: what is left of the TTL tells that the server had it."""
    fetched = every(60, 2, ttl=5, client=pod("other", "10.244.1.99"))
    cached = every(1, 60, ttl=3, offset=100)
    assert found(tmp_path, *fetched, *cached) == []
    lake = Lake.open(str(tmp_path / "lake"))
    assert examine(lake, {"namespace": "shop", "workload": "api"}, Context(), ["low_ttl"]).findings == []


def test_silent_where_nothing_could_be_saved(tmp_path: Path) -> None:
    long = every(0.5, 100, "long.partner.example", ttl=60)
    not_half = every(1, 100, "half.partner.example", ttl=20, offset=1000, duration_us=900_000)
    cheap = every(6, 50, "cheap.partner.example", offset=2000)
    few = every(4, 9, "few.partner.example", offset=3000, duration_us=900_000)
    assert found(tmp_path, *long, *not_half, *cheap, *few) == []


def test_a_name_of_the_cluster_costs_only_at_a_rate(tmp_path: Path) -> None:
    name = {"asked": "api.shop.svc.cluster.local", "registered_domain": None}
    assert found(tmp_path / "a", *every(1, 60, **name)) == []
    pods = [pod("api", f"10.244.3.{i}", number=i) for i in range(40)]
    many = [row for i, one in enumerate(pods) for row in every(6, 10, client=one, offset=100 * i, **name)]
    together = [row | {"start_time": NOON + timedelta(seconds=6 * (i % 10))} for i, row in enumerate(many)]
    (finding,) = found(tmp_path / "b", *together)
    assert finding.severity == Severity.INFO
    assert finding.says == (
        "800 queries for a name of the cluster with a TTL of 5 s, by 40 pods: a pod asks every 6 s."
    )
    assert "`ttl 30` in the block `kubernetes`" in finding.fix
    assert finding.effect == "With 30 s a cache for each pod would answer 320 of 400 (80 %)."


def test_names_are_data(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, *every(0.1, 151, HOSTILE[1], ttl=1, client=CLIENT | {"workload": HOSTILE[0]}))
    assert finding.subject == f"shop/{HOSTILE[0]}: {HOSTILE[1]}"


def test_an_empty_lake(tmp_path: Path) -> None:
    assert examine(Lake.create(tmp_path / "lake"), {}, Context(), ["low_ttl"]).findings == []

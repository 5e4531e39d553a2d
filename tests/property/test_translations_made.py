"""Of what a naive translator made, only what is one connection is joined, and all of it that nothing else could be taken for."""

from pathlib import Path
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from enricher.enrich import enrich
from enricher.translations import NEAR_US
from tests.naive.translator import BACKENDS, LATE_US, PODS, Translator
from tests.unit.enricher.cluster import directory, dns, endpoints, flows, node, pod, port, service


@settings(derandomize=True, deadline=None, max_examples=4)
@given(seed=st.integers(0, 2**32), keeps_ports=st.booleans())
def test_connections_are_those_that_were_made(folder: Path, seed: int, keeps_ports: bool) -> None:
    made = Translator(Random(seed), keeps_ports)
    made.run()
    pods = [pod(f"pod{number}", ip, node="n1") for number, ip in enumerate(PODS)]
    far = pod("far", BACKENDS[1], node="n2")
    nodes = [node(f"n{number}", f"192.168.0.{number}", f"10.1.{number - 1}.0/24") for number in (1, 2)]
    api = service("api", "10.96.0.7", port(80, nodePort=30080))
    read = directory(folder, *nodes, *pods, far, api, endpoints("api", [port(8080)], pods[0], far))
    ids = enrich(flows(*(row for _, row in made.records)), dns(), read).flows["connection_id"].to_pylist()

    numbers: dict[str, set[int]] = {}
    found: dict[int, set[str]] = {}
    for (number, _), one in zip(made.records, ids, strict=True):
        numbers.setdefault(one, set()).add(number)
        found.setdefault(number, set()).add(one)
    assert [wrong for wrong in numbers.values() if len(wrong) > 1] == []
    reach_s = (NEAR_US + 2 * LATE_US) / 1_000_000
    plain = [number for number in found if not made.contested(number, reach_s)]
    assert len(plain) > 50
    assert [number for number in plain if len(found[number]) > 1] == []

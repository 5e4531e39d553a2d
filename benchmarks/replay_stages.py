"""The stages of a replay one after the other in one process, wall and CPU seconds of each, as JSON."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from analysis.policy.dialects import read_policies
from analysis.policy.history import read_history, window_of
from analysis.policy.replay import replay_on
from analysis.policy.topology import read_endpoints
from analysis.questions import ask
from store.lake import Lake

T = TypeVar("T")

FLOOR = """
select
    cluster, src_kind, src_namespace, src_pod, src_workload_kind, src_workload, src_ip,
    dst_kind, dst_namespace, dst_pod, dst_workload_kind, dst_workload, coalesce(backend_ip, dst_ip), dst_domain,
    protocol, coalesce(backend_port, dst_port),
    count(*)
from flows
group by all
"""


class Stages:
    def __init__(self) -> None:
        self.taken: dict[str, tuple[float, float]] = {}

    def timed(self, name: str, stage: Callable[[], T]) -> T:
        wall, cpu = time.perf_counter(), time.process_time()
        answer = stage()
        self.taken[name] = (time.perf_counter() - wall, time.process_time() - cpu)
        return answer


def main() -> None:
    folder = Path(sys.argv[1])
    lake, stages = Lake.open(folder / "lake"), Stages()
    stages.timed("floor: ends, protocol, port of every record", lambda: lake.connect().sql(FLOOR).to_arrow_table())
    window = window_of(lake, None, None)
    assert window is not None
    stages.timed("of it the question", lambda: ask(lake, "policy/history", {"tick": window.tick_s}, None, 600.0))
    policies = stages.timed("reading the policies", lambda: read_policies([str(folder / "policies")]))
    known = stages.timed("reading the objects", lambda: read_endpoints(folder / "objects.json"))
    history = stages.timed("reading the history", lambda: read_history(lake, known, window))
    stages.timed("judging and reporting", lambda: replay_on(history, policies, known, []))
    print(json.dumps(stages.taken))


if __name__ == "__main__":
    main()

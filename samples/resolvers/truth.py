"""The ground truth: from the plan, the servers' query logs, the programs' own logs and the counters of what was dropped."""

from collections import Counter

from samples.cluster.lives import stamp
from samples.cluster.objects import Json
from samples.cluster.truth import assignments, interfaces, workload
from samples.resolvers.incidents import incidents
from samples.resolvers.plan import PODS, RESOLVERS
from samples.resolvers.recorded import Recorded
from samples.resolvers.twins import twins


def truth(recorded: Recorded) -> Json:
    return {
        "cluster": RESOLVERS.cluster,
        "from": stamp(recorded.book.captured_from),
        "until": stamp(recorded.book.captured_until + 1),
        "interfaces": interfaces(RESOLVERS),
        "dns_incidents": incidents(recorded),
        "benign": twins(recorded),
        "dns_queries": dns_queries(recorded),
        "assignments": assignments(recorded.book),
    }


def dns_queries(recorded: Recorded) -> list[Json]:
    """Messages each workload sent to the cluster's name servers: those that arrived, and those that were dropped."""
    counts = Counter(query.client for query in recorded.queries)
    counts.update(recorded.unheard)
    counts["storefront"] += recorded.race_lost
    return [{"client": workload(PODS[key]), "queries": count} for key, count in sorted(counts.items())]

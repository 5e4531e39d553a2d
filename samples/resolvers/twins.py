"""What looks like an incident and is none: the workloads of which a diagnosis must say nothing."""

from samples.cluster.objects import Json
from samples.cluster.truth import workload
from samples.resolvers.plan import PODS
from samples.resolvers.recorded import Recorded

# The diagnosis that could mistake it, the client, why it is none.
TWINS = (
    ("search_path", "billing-ndots", "ndots:1: the name is tried as it stands, and found"),
    ("search_path", "billing-dot", "a trailing dot: no search path"),
    ("no_endpoint", "cart-client", "one endpoint is not ready, the other is"),
    ("never_connected", "healthcheck", "resolves a Service and connects, each time"),
    ("fast_flux", "storefront-cdn", "a CDN: eight addresses, a TTL of a minute, always the same"),
    ("tunnelling", "image-proxy", "twenty hosts of assets with short names, connected to"),
    ("tunnelling", "mail-checker", "TXT records of mail domains"),
    ("rebinding", "intranet-sync", "the company's own zone, always at its private address"),
    ("dga", "crawler", "one name that is gone, three times"),
    ("negative_cache", "crawler", "its absence is remembered for five minutes"),
    ("typosquat", "regional", "two domains one letter apart, both in use"),
    ("low_ttl", "rates-reader", "a TTL of 5 s, asked every ten"),
)


def twins(recorded: Recorded) -> list[Json]:
    return [
        {
            "twin_of": diagnosis,
            "client": workload(PODS[client]),
            "why": why,
            "names": recorded.names_of(client),
            "queries": recorded.asked(client, recorded.names_of(client)),
        }
        for diagnosis, client, why in TWINS
    ]

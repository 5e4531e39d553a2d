"""One recording, read from what its programs left; the capture is not looked at."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from samples.cluster.lives import Book
from samples.cluster.objects import Json
from samples.resolvers import logs
from samples.resolvers.plan import PODS

STALL_S = 2.4  # the shortest pause of a resolver that waits for an answer: musl's


@dataclass(frozen=True)
class Recorded:
    book: Book
    work: Path
    unheard: dict[str, int]  # packets a silent replica did not hear, by client
    race_lost: int

    @cached_property
    def queries(self) -> list[logs.Query]:
        return logs.queries(self.work)

    @cached_property
    def replies(self) -> list[logs.Reply]:
        return logs.replies(self.work)

    @cached_property
    def upstream(self) -> list[logs.Query]:
        return logs.upstream(self.work)

    def asked(self, client: str, names: Iterable[str]) -> int:
        """Messages that reached the replicas."""
        wanted = set(names)
        return sum(query.client == client and query.qname in wanted for query in self.queries)

    def asked_below(self, client: str, suffix: str) -> int:
        return sum(query.client == client and query.qname.endswith("." + suffix) for query in self.queries)

    def names_of(self, client: str) -> list[str]:
        return sorted({query.qname for query in self.queries if query.client == client})

    def missed(self, client: str, names: Iterable[str]) -> int:
        wanted = set(names)
        return sum(reply.client == client and reply.qname in wanted and reply.missed for reply in self.replies)

    def asked_upstream(self, name: str) -> int:
        return sum(query.qname == name for query in self.upstream)

    def program(self, client: str, kind: str) -> list[Json]:
        """What a client noted of itself."""
        return logs.events(self.work, PODS[client], kind)

    def resolutions(self, client: str) -> list[Json]:
        return self.program(client, "resolution")

    def stalled(self, client: str) -> list[float]:
        """Seconds that the calls took which waited for an answer that did not come."""
        return [fact["took_s"] for fact in self.resolutions(client) if fact["took_s"] >= STALL_S]

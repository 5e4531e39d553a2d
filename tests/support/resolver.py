"""A resolver as resolv.conf(5) describes it, in virtual time: the calls of a program, and the transactions they become."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.unit.enricher.cluster import Object, answer, query

SERVER = "10.1.1.6:53"
ADDRESS = "198.51.100.7"
TIMEOUT_S = 5.0


@dataclass(frozen=True)
class Call:
    """``pause_s``: since the end of the call before; longer after one that nobody answered, as it could be its retry."""

    name: str
    pause_s: float


@dataclass
class Resolver:
    """``zone``: what there is at a name: an rcode, ``SILENT`` for no response, ``ADDRESS`` for data; NXDOMAIN otherwise."""

    client: str
    search: Sequence[str]
    ndots: int
    zone: Mapping[str, str]
    step_s: float
    qtypes: tuple[str, ...] = ("A", "AAAA")
    parallel: bool = True
    now: float = 0.0
    port: int = 30000
    rows: list[Object] = field(default_factory=list)

    def calls(self, calls: Sequence[Call]) -> list[dict[str, Any]]:
        """What a resolution has to say of each."""
        return [self._call(call) for call in calls]

    def _call(self, call: Call) -> dict[str, Any]:
        self.now += call.pause_s + (2 if self.rows and self.rows[-1]["outcome"] == "unanswered" else 0)
        before, tried = len(self.rows), []
        for suffix in self._suffixes(call.name):
            tried.append(suffix)
            if self._step(call.name if suffix == "." else f"{call.name}.{suffix}") != "NXDOMAIN":
                break
        rows = self.rows[before:]
        ended = {self._found(rows[-1]["qname"])}
        needed = tried[-1] if ended != {"NXDOMAIN"} or "." not in tried else "."
        waste = sum(row["attempts"] for row in rows if row["qname"] != self._name(call.name, needed))
        return {
            "asked": call.name if len(tried) > 1 else rows[0]["qname"],
            "suffixes": tried if len(tried) > 1 else ["."],
            "queries": sum(row["attempts"] for row in rows),
            "transactions": len(rows),
            "wasted_queries": waste,
            "outcome": {ADDRESS: "answered", "SILENT": "unanswered", "NXDOMAIN": "nxdomain"}.get(*ended, "failed"),
        }

    def _suffixes(self, name: str) -> Iterator[str]:
        if name.count(".") >= self.ndots:
            yield "."
            yield from self.search
        else:
            yield from self.search
            yield "."

    def _step(self, name: str) -> str:
        found = self._found(name)
        for number, qtype in enumerate(self.qtypes):
            self.port += 0 if number and self.parallel else 1
            self.rows.append(
                self._transaction(name, qtype, found, self.now + (0.00005 * number if self.parallel else 0))
            )
            self.now += 0 if self.parallel else self._lasts(found)
        self.now += self._lasts(found) if self.parallel else 0
        return found

    def _lasts(self, found: str) -> float:
        return 2 * TIMEOUT_S if found == "SILENT" else self.step_s

    def _transaction(self, name: str, qtype: str, found: str, start: float) -> Object:
        told = {"qtype": qtype, "id": len(self.rows), "node": "n1", "rcode": "NOERROR" if found == ADDRESS else found}
        client = f"{self.client}:{self.port}"
        if found == "SILENT":
            return query(client, SERVER, name, start, None, **told | {"rcode": None, "attempts": 2})
        return query(
            client, SERVER, name, start, [answer(name, ADDRESS)] if (found, qtype) == (ADDRESS, "A") else [], **told
        )

    def _found(self, name: str) -> str:
        return self.zone.get(name, "NXDOMAIN")

    @staticmethod
    def _name(name: str, suffix: str) -> str:
        return name if suffix == "." else f"{name}.{suffix}"

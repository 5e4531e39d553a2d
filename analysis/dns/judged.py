"""How much a report stands on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from analysis.questions import TIMEOUT_S, WINDOW, ask
from analysis.words import counted
from store.lake import Lake


@dataclass(frozen=True)
class Judged:
    """``forwarded``: transactions of name servers that ask for others, which are not among ``transactions``."""

    transactions: int
    forwarded: int
    clients: int
    first_seen: datetime | None
    last_seen: datetime | None

    def __bool__(self) -> bool:
        return self.transactions + self.forwarded > 0

    def __str__(self) -> str:
        told = f"{counted(self.transactions, 'transaction')} of {counted(self.clients, 'client')}"
        servers = f" and {self.forwarded:,} of name servers for others" if self.forwarded else ""
        return f"{told}{servers}{self._when()}"

    def _when(self) -> str:
        if self.first_seen is None or self.last_seen is None:
            return ""
        same_day = self.first_seen.date() == self.last_seen.date()
        last = f"{self.last_seen:%H:%M:%S}" if same_day else f"{self.last_seen:%Y-%m-%d %H:%M:%S}"
        return f", {self.first_seen:%Y-%m-%d %H:%M:%S} to {last} UTC"


def judged(lake: Lake, parameters: Mapping[str, object], timeout_s: float = TIMEOUT_S) -> Judged:
    """``parameters``: those of a report."""
    asked = {name: parameters.get(name) for name in (*WINDOW, "namespace", "workload")}
    (row,) = ask(lake, "dns/judged", asked, 1, timeout_s).table.to_pylist()
    return Judged(**row)

"""Records of the lake enriched again with what is known by now, a window at a time."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from cli.collected import LOOKBACK
from contract.errors import OvertakenError, UsageError

if TYPE_CHECKING:
    from enricher.directory import Directory
    from enricher.readings import History
    from enricher.relabel import Changes, Relabelled, Window
    from store.lake import Lake

# Whoever else rewrites the same table at the same time is done between two of ours.
TRIES = 8

# In the order of their commits, as they were first written.
REWRITTEN = ("resolutions", "flows", "dns")


@dataclass(frozen=True)
class Relabelling:
    """Of one cluster in [since, until); ``now`` tells when files are removed."""

    lake: "Lake"
    cluster: str
    since: datetime
    until: datetime
    dry_run: bool
    now: Callable[[], datetime]

    def run(self, dump: "Directory | None") -> Iterator[tuple[datetime, "Changes"]]:
        """What changed, with the time up to which all is done; what was done stays so if it ends early."""
        from enricher.around import windows
        from enricher.readings import History
        from enricher.relabel import Window, changes

        history = History(self.lake, self.cluster, self.since - LOOKBACK, dump)
        self._refuse_nothing(history)
        for period in history.periods(self.since, self.until):
            for since, until in windows(self.lake, period.since, period.until, self.cluster):
                relabelled = self._window(Window(since, until, self.until), period.directory)
                yield until, changes(relabelled)

    def _refuse_nothing(self, history: "History") -> None:
        if history.is_empty:
            raise UsageError(
                f"{self.lake.folder}: has no Kubernetes objects"
                f"{f' of cluster {self.cluster!r}' if self.cluster else ''}; give them with --kube"
            )

    def _window(self, window: "Window", directory: "Directory") -> "Relabelled":
        for _ in range(TRIES - 1):
            with suppress(OvertakenError):
                return self._once(window, directory)
        return self._once(window, directory)

    def _once(self, window: "Window", directory: "Directory") -> "Relabelled":
        from enricher.around import around
        from enricher.relabel import Records, relabel

        portions = {name: self.lake.portion(name, window.since, window.until, self.cluster) for name in REWRITTEN}
        inside = Records(**{name: portion.rows() for name, portion in portions.items()})
        relabelled = relabel(window, inside, around(self.lake, window, self.cluster), directory)
        for name, portion in portions.items():
            before, after = getattr(relabelled.before, name), getattr(relabelled.after, name)
            if not self.dry_run and not before.equals(after):
                portion.replace(after, self.now())
        return relabelled

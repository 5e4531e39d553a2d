"""The rows of a table that lie in a range of time and are of one cluster, to be replaced as a whole."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain

import pyarrow as pa
import pyarrow.compute as pc

from contract.columns import TIME, Table
from store import delta
from store.files import during
from store.rewriting import FILE_ROWS, Rewriting


class Portion:
    """As one version of the table has them; [since, until)."""

    def __init__(
        self, table: Table, rewriting: Rewriting, since: datetime, until: datetime, cluster: str | None
    ) -> None:
        self._table = table
        self._rewriting = rewriting
        self._since, self._until = pa.scalar(since, TIME), pa.scalar(until, TIME)
        self._cluster = cluster
        self._files = during(rewriting.files, since, until)

    def rows(self) -> pa.Table:
        pieces = [piece.filter(self._chosen(piece)) for piece in self._rewriting.rows(self._files)]
        return pa.concat_tables([self._table.schema.empty_table(), *pieces])

    def replace(self, rows: pa.Table, now: datetime) -> None:
        """Rows that came into the table since this version stay as they are."""
        kept = (piece.filter(pc.invert(self._chosen(piece))) for piece in self._rewriting.rows(self._files))
        self._rewriting.replace(self._files, gathered(chain(kept, [rows])), delta.RELABELLED, now)

    def _chosen(self, piece: pa.Table) -> pa.ChunkedArray:
        """Never NULL: a row is either replaced or kept."""
        times, cluster = piece[self._table.time], piece["cluster"]
        inside = pc.and_(pc.greater_equal(times, self._since), pc.less(times, self._until))
        own = pc.is_null(cluster) if self._cluster is None else pc.fill_null(pc.equal(cluster, self._cluster), False)
        return pc.and_(inside, own)


def gathered(pieces: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The same rows in pieces of ``FILE_ROWS``, and one of the rest."""
    waiting: list[pa.Table] = []
    for piece in pieces:
        waiting.append(piece)
        while sum(table.num_rows for table in waiting) >= FILE_ROWS:
            together = pa.concat_tables(waiting)
            yield together.slice(0, FILE_ROWS)
            waiting = [together.slice(FILE_ROWS)]
    rest = pa.concat_tables(waiting) if waiting else None
    if rest is not None and rest.num_rows:
        yield rest

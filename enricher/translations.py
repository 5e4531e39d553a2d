"""Which sightings are one connection before and after its source was translated (masquerade), as told or by comparing them."""

from typing import NamedTuple

import duckdb

from enricher.sightings import APART_US
from enricher.sql import run

# A node sends a packet on within this time; one that waits for a neighbour's address, or was sent again, later.
NEAR_US = 20_000


class Evidence(NamedTuple):
    """Parameters of ``sql/translated.sql``."""

    same_port: bool
    same_counts: bool
    reach_us: int


# The surest first: what it joins is no candidate any more. Linux keeps the source port where it is free, unless told not to.
EVIDENCE = (
    Evidence(same_port=True, same_counts=True, reach_us=NEAR_US),
    Evidence(same_port=False, same_counts=True, reach_us=NEAR_US),
    Evidence(same_port=False, same_counts=False, reach_us=NEAR_US),
    Evidence(same_port=True, same_counts=False, reach_us=APART_US),
)


def find_translations(connection: duckdb.DuckDBPyConnection) -> None:
    """After ``sql/backends.sql``, which it completes; tells what ``sql/passed.sql`` does."""
    run(connection, "tracked", apart_us=APART_US)
    run(connection, "backends_tracked")
    run(connection, "translatable", near_us=NEAR_US)
    for evidence in EVIDENCE if _any(connection, "translatable") else ():
        run(connection, "translated", near_us=NEAR_US, **evidence._asdict())
    run(connection, "hops")
    run(connection, "tuples")
    run(connection, "translations", apart_us=APART_US)
    run(connection, "passed", apart_us=APART_US, near_us=NEAR_US)
    run(connection, "fronts_passed")


def _any(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    return bool(connection.table(table).limit(1).fetchall())

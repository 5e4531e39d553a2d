"""A generated past: a cluster, the lake of eight days of its flows, and policies for it; the same for the same seed.

This file only says how much there is; it imports no NumPy, so that a program that starts others stays small.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Past:
    """``records``: at least so many, as connections are kept whole; ``calls``: of workloads among themselves.

    ``transactions``: about so many of DNS, beside the flows.
    """

    records: int = 10_000_000
    transactions: int = 0
    policies: int = 200
    namespaces: int = 40
    workloads: int = 400
    nodes: int = 60
    calls: int = 1_200
    domains: int = 300
    visitors: int = 1_000
    days: int = 8
    seed: int = 20261122


def scaled(past: Past, divisor: int) -> Past:
    """The same cluster with so many times fewer records."""
    return replace(past, records=past.records // divisor, transactions=past.transactions // divisor)


# Mostly names: what the DNS doctor is measured with.
NAMES = Past(records=1_000_000, transactions=50_000_000, days=7)

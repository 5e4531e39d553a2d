"""Addresses that a rule names, in the words of any dialect."""

from collections.abc import Iterator

from analysis.policy.calico.networks import Inside
from analysis.policy.endpoints import Selection
from analysis.policy.selectors import Block, Either, Every


def blocks_in(peer: Selection) -> Iterator[Block]:
    """However deep; what a peer excepts is none."""
    match peer:
        case Block():
            yield peer
        case Inside():
            yield from map(Block, peer.networks)
        case Every() | Either():
            for part in peer.parts:
                yield from blocks_in(part)

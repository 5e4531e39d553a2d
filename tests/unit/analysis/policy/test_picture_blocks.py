"""Addresses that rules of any dialect name."""

from ipaddress import ip_network

from analysis.policy.calico.networks import Inside, OfVersion
from analysis.policy.picture.blocks import blocks_in
from analysis.policy.selectors import Block, Either, Every, Not, Pods

ONE, TWO, THREE = (ip_network(f"10.{number}.0.0/16") for number in range(3))


def test_blocks_are_found_inside_of_others() -> None:
    peer = Every((Either((Inside((ONE, TWO)), Pods("shop", ()))), OfVersion(4), Not(Inside((THREE,)))))
    assert list(blocks_in(peer)) == [Block(ONE), Block(TWO)]
    assert list(blocks_in(Either((Block(THREE, (ONE,)),)))) == [Block(THREE, (ONE,))]
    assert not list(blocks_in(Pods("shop", ())))

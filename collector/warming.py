"""Every kernel loaded, or compiled where none is kept: that takes a minute, and a ring has room for seconds."""

import numpy as np

from collector.conntrack import room
from collector.kernels.columns import fill_answers, fill_flows
from collector.kernels.conntrack import walk_conntrack
from collector.kernels.frames import walk_pcap, walk_pcapng
from collector.kernels.hello import read_handshake
from collector.kernels.jit import is_compiled
from collector.kernels.layout import FRAME
from collector.kernels.ring import walk_ring
from collector.kernels.run import run
from collector.kernels.state import Bounds, records
from collector.records import Origin, dns_batch, flow_batch
from collector.sources.capture import Block
from collector.tables import Settings, Tables

FEW = Bounds(max_flows=1 << 6, max_pending=1 << 6)


def is_warm() -> bool:
    """Whether ``warm`` need not compile: told by some kernels, those that it comes to last among them."""
    return all(map(is_compiled, (run, fill_flows, fill_answers)))


def warm() -> None:
    """By having each look at nothing: of arguments only their kinds matter."""
    tables, octets, frames = Tables(Settings(0, bounds=FEW)), np.zeros(64, np.uint8), records(1, FRAME)
    places, numbers = np.zeros(1, np.int32), np.zeros(1, np.int64)
    walk_ring(octets, 0, 0, places, places, frames)
    walk_conntrack(octets, 0, 0, room(1))
    walk_pcap(octets, 0, 0, False, 1, 0, 1, frames)
    walk_pcapng(octets, 0, 0, False, 0, numbers, numbers, numbers, numbers, frames)
    for rows in (*tables.take(Block(octets, frames, 0)), *tables.wait(0), *tables.end()):
        read_handshake(rows.state.flow.hellos, 0, np.frombuffer(octets.tobytes(), np.uint8))
        origin = Origin(None, None, [None])
        flow_batch(rows.state, 1, origin)
        dns_batch(rows.state, 1, 0, origin)

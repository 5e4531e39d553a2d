"""ClientHellos that came by QUIC: decrypted in the decoding thread, so that whoever reads a hello finds it whole."""

import numpy as np

from collector.kernels.hello import read_handshake
from collector.kernels.state import FlowTables


def read_initials(flow: FlowTables, hellos: np.ndarray) -> None:
    """Decrypt what these hellos wait for, and free its place."""
    control = flow.control[0]
    hellos = hellos[hellos >= 0]
    for hello in np.unique(hellos[flow.hellos.initial[hellos] > 0]).tolist():
        slot = int(flow.hellos.initial[hello]) - 1
        read_handshake(flow.hellos, hello, np.frombuffer(_handshake(flow, slot), np.uint8))
        flow.hellos.initial[hello] = 0
        flow.free_initials[int(control.free_initials)] = slot
        control.free_initials += 1


def read_longest_waiting(flow: FlowTables) -> None:
    """Decrypt the older half of all that wait."""
    waiting = np.flatnonzero(flow.hellos.initial > 0)
    since = flow.initials.time[flow.hellos.initial[waiting] - 1]
    read_initials(flow, waiting[np.argsort(since, kind="stable")][: (waiting.size + 1) // 2])


def _handshake(flow: FlowTables, slot: int) -> bytes:
    from collector.quic import crypto_stream  # a library of 8 MB that most captures have no use for

    initial = flow.initials[slot]
    octets, ends = initial.octets.tobytes(), np.cumsum(initial.sizes[: initial.count]).tolist()
    return crypto_stream([octets[start:end] for start, end in zip([0, *ends], ends, strict=False)])

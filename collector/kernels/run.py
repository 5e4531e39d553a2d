"""The loop over the frames of a block, and the end of the input."""

import numpy as np

from collector.kernels.decode import decode
from collector.kernels.flowtable import (
    SWEEP_STEP,
    flush_flow,
    make_key,
    prefetch_flow,
    prefetch_slot,
    sweep_flows,
    update_flow,
)
from collector.kernels.hello import is_hello, read_hello
from collector.kernels.jit import inline, kernel
from collector.kernels.layout import BATCH, DONE, KEPT, MAX_ANSWERS, MESSAGE_TEXT, NO_TUNNEL, OUT_FULL
from collector.kernels.transactions import ROWS_A_MESSAGE, end_oldest, is_dns, pair_message


@inline
def has_room(state):
    """Room for all that one packet, and the sweep before it, can write."""
    control = state.control[0]
    return (
        control.flow_rows + SWEEP_STEP + 4 <= state.flow.flow_rows.size
        and control.dns_rows + ROWS_A_MESSAGE <= state.dns.dns_rows.size
        and control.answer_rows + MAX_ANSWERS <= state.dns.answer_rows.size
        and control.text + MESSAGE_TEXT <= state.dns.text.size
    )


@kernel
def fill_batch(state, data, frames, count):
    """Decode the next frames; ask for the lines of the table they will need."""
    control = state.control[0]
    size = 0
    while size < BATCH and control.frame < count:
        frame = frames[np.uint64(control.frame)]
        packet = state.batch[np.uint64(size)]
        reason, enter_tunnels = KEPT, True
        while True:
            reason = decode(data, frame, packet, state.fragments, control.seed, enter_tunnels)
            if reason == KEPT or packet.tunnel == NO_TUNNEL:
                break
            enter_tunnels = False  # what is in the tunnel is no IP packet: the tunnel itself is the flow
        control.frame += 1
        if reason != KEPT:
            state.discarded[np.uint64(frame.interface), np.uint64(reason)] += 1
            continue
        make_key(packet, control.seed)
        prefetch_slot(state.flow, packet)
        size += 1
    for place in range(size):
        prefetch_flow(state.flow, state.batch[np.uint64(place)])
    control.batch_size = size
    control.batch_done = 0


@kernel
def run(state, data, frames, count):
    """Take ``frames[:count]`` of ``data``; ``OUT_FULL`` asks to be called again when the rows were taken out."""
    control = state.control[0]
    while True:
        if control.batch_done == control.batch_size:
            if control.frame == count:
                return DONE
            if not has_room(state):
                return OUT_FULL
            sweep_flows(state.flow, SWEEP_STEP)
            fill_batch(state, data, frames, count)
        while control.batch_done < control.batch_size:
            if not has_room(state):
                return OUT_FULL
            packet = state.batch[np.uint64(control.batch_done)]
            control.now = max(control.now, packet.time)
            position = update_flow(state.flow, packet)
            if is_dns(packet):
                pair_message(state.dns, data, packet)
            elif is_hello(data, packet):
                read_hello(state.flow, data, packet, state.flow.flows[np.uint64(position)])
            control.batch_done += 1


@kernel
def flush(state):
    """Write everything that is still held; ``OUT_FULL`` asks to be called again."""
    control = state.control[0]
    while control.flush < control.free_flow:
        if not has_room(state):
            return OUT_FULL
        flush_flow(state.flow, control.flush)
        control.flush += 1
    while control.oldest >= 0:
        if not has_room(state):
            return OUT_FULL
        end_oldest(state.dns)
    return DONE


@kernel
def measure(frames, count, packets, octets, cut, first, last):
    """Add the frames to the totals of their interface: packets, bytes on the wire, cut short, times (µs)."""
    for place in range(count):
        frame = frames[np.uint64(place)]
        row = np.uint64(frame.interface)
        packets[row] += 1
        octets[row] += frame.wire
        if frame.captured < frame.wire:
            cut[row] += 1
        first[row] = min(first[row], frame.time)
        last[row] = max(last[row], frame.time)

"""The loop over the frames of a block, and the end of the input."""

import numpy as np

from collector.kernels.buffers import free_buffer
from collector.kernels.decode import decode
from collector.kernels.flowtable import (
    SWEEP_STEP,
    end_if_over,
    flush_flow,
    make_key,
    prefetch_flow,
    prefetch_slot,
    sweep_flows,
    update_flow,
)
from collector.kernels.fragments import end_fragments, message_of, note_carrier, place_fragment
from collector.kernels.hashing import ONE
from collector.kernels.jit import entry, inline, kernel
from collector.kernels.layout import (
    ACK,
    BATCH,
    DNS_APPLICATION,
    DONE,
    FEW_HELLOS,
    FEW_INITIALS,
    INITIALS_LOW,
    KEPT,
    MAX_ANSWERS,
    MAX_TUNNEL_LEVELS,
    MESSAGE_TEXT,
    NO_APPLICATION,
    OUT_FULL,
    QUIC,
    TAG_BYTES,
    TCP,
    UDP,
)
from collector.kernels.load import u8
from collector.kernels.recognise import is_initial, keep_initial, recognise
from collector.kernels.streams import (
    NO_MESSAGE,
    close_stream,
    has_payload,
    may_hold_hello,
    next_message,
    rest_stream,
    skip_gap,
    stage_hello,
    stage_messages,
)
from collector.kernels.transactions import ROWS_A_MESSAGE, end_pending, is_pending_over, pair_message

ROWS_A_PACKET = 4  # flows that one packet can end
NO_SOURCE, FROM_FRAME, FROM_DATAGRAM, FROM_STREAM = np.arange(4)
NO_MESSAGE_HERE = NO_SOURCE, np.int64(0), np.int64(0), np.int64(0)


@inline
def has_room(state, packets):
    """Room for all flows that so many packets and the sweep before them can write, and hellos for those to come."""
    control = state.control[0]
    most = SWEEP_STEP + ROWS_A_PACKET * packets
    return (
        (control.free_hellos >= FEW_HELLOS or control.retired < FEW_HELLOS // 2)
        and control.flow_rows + most <= state.flow.flow_rows.size
        and control.retired + most <= state.flow.retired.size
    )


@inline
def has_message_room(state):
    """Room for all that one message can write."""
    control = state.control[0]
    return (
        control.dns_rows + ROWS_A_MESSAGE <= state.dns.dns_rows.size
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
        reason, most = KEPT, MAX_TUNNEL_LEVELS
        while True:
            reason = decode(control, data, frame, packet, most)
            if reason == KEPT or packet.levels == 0:
                break
            most = packet.levels - 1  # what is in the tunnel is no IP packet: the tunnel itself is the flow
        control.frame += 1
        if reason == KEPT and (packet.more or packet.fragment_at > 0):
            reason = place_fragment(state, data, packet, frame.interface)
        if packet.carrier != np.uint64(0):
            note_carrier(state, packet, frame.interface)
        if reason != KEPT:
            if reason >= 0:
                state.discarded[np.uint64(frame.interface), np.uint64(reason)] += 1
            continue
        make_key(control, packet)
        prefetch_slot(state.flow, packet)
        size += 1
    for place in range(size):
        prefetch_flow(state.flow, state.batch[np.uint64(place)])
    control.batch_size = size
    control.batch_done = 0


@entry
def run(state, data, frames, count):
    """Take ``frames[:count]`` of ``data``; to be called again when, at ``OUT_FULL``, the rows were taken out, at ``INITIALS_LOW``
    packets of QUIC decrypted.
    """
    control = state.control[0]
    while True:
        if control.batch_done == control.batch_size:
            if control.frame == count:
                return DONE
            if not has_room(state, BATCH):
                return OUT_FULL
            if control.free_initials < FEW_INITIALS:
                return INITIALS_LOW
            sweep_flows(state.flow, SWEEP_STEP)
            fill_batch(state, data, frames, count)
        while control.batch_done < control.batch_size:
            if not has_message_room(state):
                return OUT_FULL
            packet = state.batch[np.uint64(control.batch_done)]
            source, at, size, length = NO_MESSAGE_HERE
            if control.stream < 0:
                control.now = max(control.now, packet.time)
                control.position = update_flow(state.flow, packet)
                if packet.protocol == TCP:
                    skip_what_was_missed(state, packet)
                if packet.captured > 0 or packet.complete >= 0:
                    source, at, size, length = read_payload(state, data, packet)
            if control.stream >= 0:
                source, at, size, length = next_of_stream(state)
            if source != NO_SOURCE:
                octets = data
                if source != FROM_FRAME:
                    octets = state.datagrams.data if source == FROM_DATAGRAM else state.flow.streams.data
                end_message(state, packet, pair_message(state.dns, octets, packet, at, size, length))
            if control.stream < 0:
                control.batch_done += 1


@inline
def skip_what_was_missed(state, packet):
    """An end that acknowledges what is missing in the other's stream has it: the capture has not, and it will not come."""
    flow = state.flow.flows[np.uint64(state.control[0].position)]
    slot = np.int64(flow.stream[ONE - packet.side])
    if slot >= 0 and packet.tcp_flags & ACK:
        skip_gap(state.flow, flow, slot, packet.ack)


@inline
def read_payload(state, data, packet):
    """What is in the packet beside headers: a part of a stream, what tells the application, or a DNS message.

    Returns where that is: in what, its place, the octets at hand, and how long it is.
    """
    control, ports = state.control[0], state.dns.ports
    flow = state.flow.flows[np.uint64(control.position)]
    dns_port = ports[np.uint64(packet.src_port)] or ports[np.uint64(packet.dst_port)]
    if packet.protocol == TCP:
        if has_payload(packet) and dns_port:
            control.stream = stage_messages(state.flow, data, packet, control.position)
        elif has_payload(packet) and flow.hello < 0 and may_hold_hello(data, packet, flow):
            stage_hello(state.flow, data, packet, control.position)
    elif packet.complete >= 0:
        at, size = message_of(state.datagrams, packet.complete)
        return FROM_DATAGRAM, at, size, size
    elif packet.protocol == UDP and dns_port:
        return FROM_FRAME, packet.payload, packet.captured, packet.length
    elif packet.protocol == UDP and may_be_told(data, packet, flow):
        if flow.application == NO_APPLICATION:
            flow.application = recognise(data, packet)
        if flow.application == QUIC and is_initial(data, packet):
            keep_initial(state.flow, data, packet, flow)
    return NO_MESSAGE_HERE


@inline
def may_be_told(data, packet, flow):
    """The first packet of a flow, or a long header of QUIC."""
    is_first = np.int64(flow.packets[0]) + np.int64(flow.packets[1]) == packet.packets
    return is_first or (flow.application == QUIC and u8(data, packet.payload) & 0x80 != 0)


@inline
def next_of_stream(state):
    """Find the next whole message of the stream at hand; without one the stream rests, or is none of DNS."""
    control = state.control[0]
    slot = np.int64(control.stream)
    at, size = next_message(state.flow, slot)
    if size >= 0:
        return FROM_STREAM, at, size, size
    control.stream = -1
    if size == NO_MESSAGE:
        control.dns_malformed += 1
        close_stream(state.flow, state.flow.flows[np.uint64(control.position)], slot, False)
    else:
        rest_stream(state.flow, slot)
    return NO_MESSAGE_HERE


@inline
def end_message(state, packet, known):
    """After a message was read; what follows one that is none in a stream is not looked at."""
    control = state.control[0]
    flow = state.flow.flows[np.uint64(control.position)]
    if known:
        flow.application = DNS_APPLICATION
    if packet.complete >= 0:
        free_buffer(state.datagrams, packet.complete)
    if control.stream >= 0 and not known:
        close_stream(state.flow, flow, np.int64(control.stream), False)
        control.stream = -1


@entry
def advance(state, now):
    """No packets came until ``now``: write what is over by then; ``OUT_FULL`` asks to be called again.

    ``flush`` of the control is 0 before the first call, as it is before that of ``flush``.
    """
    control = state.control[0]
    control.now = max(control.now, now)
    while control.flush < control.free_flow:
        if not has_room(state, 1):
            return OUT_FULL
        end_if_over(state.flow, control.flush)
        control.flush += 1
    while is_pending_over(state.dns):
        if not has_message_room(state):
            return OUT_FULL
        end_pending(state.dns, np.int64(control.oldest))
    return DONE


@entry
def flush(state):
    """Write everything that is still held; ``OUT_FULL`` asks to be called again."""
    control = state.control[0]
    while control.flush < control.free_flow:
        if not has_room(state, 1):
            return OUT_FULL
        flush_flow(state.flow, control.flush)
        control.flush += 1
    while control.oldest >= 0:
        if not has_message_room(state):
            return OUT_FULL
        end_pending(state.dns, np.int64(control.oldest))
    end_fragments(state)
    return DONE


@entry
def measure(frames, count, packets, octets, cut, first, last):
    """Add the frames to the totals of their interface: packets, bytes on the wire, cut short, times (µs)."""
    place = 0
    while place < count:
        interface = frames[np.uint64(place)].interface
        begin, wires, cuts = place, np.int64(0), np.int64(0)
        earliest = latest = frames[np.uint64(place)].time
        while place < count and frames[np.uint64(place)].interface == interface:
            frame = frames[np.uint64(place)]
            wires += frame.wire + (TAG_BYTES if frame.tag >= 0 else 0)
            cuts += frame.captured < frame.wire
            earliest, latest = min(earliest, frame.time), max(latest, frame.time)
            place += 1
        row = np.uint64(interface)
        packets[row] += place - begin
        octets[row] += wires
        cut[row] += cuts
        first[row] = min(first[row], earliest)
        last[row] = max(last[row], latest)

"""A delay line between two interfaces, for kernels without netem: ``python -m samples.cluster.delay NEAR FAR MILLISECONDS``.

What comes of FAR is sent to NEAR so much later, in order; what comes of NEAR is sent to FAR at once.
"""

import select
import socket
import sys
import time
from collections import deque

EVERY_PROTOCOL = 0x0003  # ETH_P_ALL
LONGEST_FRAME = 65_536


def opened(interface: str) -> socket.socket:
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(EVERY_PROTOCOL))
    raw.bind((interface, 0))
    return raw


def received(raw: socket.socket) -> bytes | None:
    """The next frame that came in, None for one that this program sent."""
    frame, address = raw.recvfrom(LONGEST_FRAME)
    return None if address[2] == socket.PACKET_OUTGOING else frame


def join(near: socket.socket, far: socket.socket, delay_s: float) -> None:
    waiting: deque[tuple[float, bytes]] = deque()
    while True:
        pause = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
        for raw in select.select([near, far], [], [], pause)[0]:
            frame = received(raw)
            if frame and raw is near:
                far.send(frame)
            elif frame:
                waiting.append((time.monotonic() + delay_s, frame))
        while waiting and waiting[0][0] <= time.monotonic():
            near.send(waiting.popleft()[1])


if __name__ == "__main__":
    join(opened(sys.argv[1]), opened(sys.argv[2]), int(sys.argv[3]) / 1000)

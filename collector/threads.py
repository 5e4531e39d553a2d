"""The name that the system shows of a thread: Python 3.14 tells it by itself."""

import ctypes

PR_SET_NAME = 15
LIBC = ctypes.CDLL(None, use_errno=True)


def name_thread(name: str) -> None:
    """Of the calling thread, in top(1) and /proc; 15 octets of it are kept."""
    LIBC.prctl(PR_SET_NAME, name.encode(), 0, 0, 0)

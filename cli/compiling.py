"""The kernels of `tailrace collect`, there before packets come: a ring has room for seconds, and compiling takes a minute."""

import logging
import os
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Event
from typing import TYPE_CHECKING

from cli.running import served

if TYPE_CHECKING:
    from cli.config import Running

log = logging.getLogger("tailrace.collect")

TURN_S = 0.25  # until a wish to stop is seen
COMPILING = "compiling kernels"


def kernels_ready(config: "Running", stop: Event) -> None:
    """Load them; where they must be compiled, say so, also on the health port, and end the process when told to stop."""
    from collector.warming import is_warm, warm

    if is_warm():
        warm()
        return
    log.info("compiling kernels into %s, a minute or more; later starts have them", _folder())
    with ThreadPoolExecutor(1) as compiler, served(config, lambda: [COMPILING], []) as beat:
        done = compiler.submit(warm)
        while not _is_done(done):
            beat()
            if stop.is_set():
                os._exit(0)  # nothing is open that must be written, and LLVM cannot be interrupted
        done.result()
    if not is_warm():
        log.warning("%s cannot be written: every start compiles; TAILRACE_CACHE names another folder", _folder())


def _is_done(compiled: "Future[None]") -> bool:
    return bool(wait([compiled], TURN_S).done)


def _folder() -> str:
    from collector.kernels.cache import cache_folder
    from collector.kernels.jit import OPTIONS

    try:
        return str(cache_folder(OPTIONS))
    except RuntimeError:  # a user without a home
        return "~/.cache/tailrace"

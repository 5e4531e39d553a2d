"""``tailrace warmup``: what a start would else compile, compiled now, as for a container image."""

import typer

from contract.errors import MachineError


def warmup() -> None:
    """Compile the packet kernels into the cache folder; with NUMBA_CPU_NAME=generic for every processor of this kind."""
    from collector.kernels.cache import cache_folder
    from collector.kernels.jit import OPTIONS, is_compiled
    from collector.kernels.run import run
    from collector.warming import warm

    warm()
    folder = cache_folder(OPTIONS)
    if not is_compiled(run):
        raise MachineError(f"{folder}: nothing was kept there; TAILRACE_CACHE names a folder that can be written")
    typer.echo(folder)

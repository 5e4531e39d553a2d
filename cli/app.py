"""``tailrace app``: the pages, on this machine."""

import socket
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from cli import options as o
from cli import policy_options as p
from cli.reading import open_lake
from contract.errors import UsageError

if TYPE_CHECKING:
    from viz.about import About

LOOPBACK = "127.0.0.1"
PORT = 8501


def app(
    lake: o.LakeOption,
    kube: p.KubeOption = None,
    cluster: o.ClusterOption = None,
    host: Annotated[str, typer.Option(help="Address to listen on; the app asks nobody for a password.")] = LOOPBACK,
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = PORT,
    browser: Annotated[bool, typer.Option(help="Open the page in a browser.")] = True,
) -> None:
    """Show the lake in the browser: overview, service graph, flows, DNS, policy."""
    from viz.about import About

    open_lake(lake, cluster)
    serve(About(lake, kube, cluster), port, browser, host)


def serve(about: "About", port: int, open_browser: bool, host: str = LOOPBACK) -> None:
    """Serve the app until interrupted."""
    from viz.serve import run

    port = _free_port(host, port)
    shown = f"[{host}]" if ":" in host else host
    print(f"Tailrace: http://{shown}:{port}   (Ctrl-C stops it)", file=sys.stderr, flush=True)
    run(about, host, port, open_browser)


def _free_port(host: str, port: int) -> int:
    """The port itself if nothing listens there, a free one for 0."""
    try:
        with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET) as server:
            return int(server.getsockname()[1])
    except (OSError, OverflowError) as error:
        raise UsageError(f"cannot listen on {host} port {port}: {error}; choose another with --port") from error

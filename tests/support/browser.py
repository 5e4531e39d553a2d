"""The distribution's Chromium, and the app on a free port of the loopback; what either says is kept for a failure."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import create_connection, create_server

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, Response, sync_playwright

STARTED_S = 60.0
STOPPED_S = 15.0
DEADLINE_MS = 30_000
# Nothing of Chromium's own may go out, and nothing may come from a GPU.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
)
# Opened at the address of a page, Streamlit looks for these below it before it tries the root.
PROBES = ("/_stcore/health", "/_stcore/host-config")


def chromium_path() -> str:
    """Where the browser is; without one a desk skips, and a machine that must have it fails."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found:
        return found
    message = "no Chromium: apt-get install chromium"
    if os.environ.get("REQUIRE_SERVICES") == "1":
        pytest.fail(message)
    pytest.skip(message)


@contextmanager
def chromium() -> Iterator[Browser]:
    path = chromium_path()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def app(lake: Path, folder: Path) -> Iterator[str]:
    """Serve ``lake`` as a user does, from ``folder``, until the end of the block; gives the address."""
    with app_process(lake, folder, free_port()) as (_, address):
        yield address


@contextmanager
def app_process(lake: Path, folder: Path, port: int) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    command = [sys.executable, "-c", "from cli.main import run; run()", "app", "--lake", str(lake)]
    log = folder / "app.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [*command, "--port", str(port), "--no-browser"], cwd=folder, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            _wait(process, port, log)
            yield process, f"http://127.0.0.1:{port}"
        finally:
            _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOPPED_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port() -> int:
    with create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + STARTED_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            create_connection(("127.0.0.1", port), 0.2).close()
            return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"the app did not start:\n{log.read_text()}")


class Watched:
    """A page, and everything about it that should not be; ``absent`` are ends of addresses that may have no answer."""

    def __init__(self, browser: Browser, address: str, scheme: str) -> None:
        self.address = address
        self.faults: list[str] = []
        self.absent: tuple[str, ...] = ()
        self.page: Page = browser.new_page(
            viewport={"width": 1440, "height": 900},
            color_scheme="dark" if scheme == "dark" else "light",
        )
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.faults.append(f"page error: {error}"))
        self.page.on("request", self._request)
        self.page.on("response", self._response)
        self.page.on("dialog", lambda dialog: self.faults.append(f"dialog: {dialog.message}"))

    def _console(self, message: ConsoleMessage) -> None:
        # Answers without success are judged by their address, which this message does not tell.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self.faults.append(f"console {message.type}: {message.text}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.address, self.address.replace("http", "ws"), "data:", "blob:")):
            self.faults.append(f"request to {request.url}")

    def _response(self, response: Response) -> None:
        if response.status >= 400 and not response.url.endswith(self.absent):
            self.faults.append(f"{response.status} from {response.url}")


@contextmanager
def watching(browser: Browser, address: str, scheme: str) -> Iterator[Watched]:
    view = Watched(browser, address, scheme)
    view.page.set_default_timeout(DEADLINE_MS)
    yield view
    view.page.close()


def ready(watched: Watched) -> Locator:
    """The graph of the page, once it is drawn."""
    found = watched.page.locator(".tailrace-graph[data-ready=true]")
    found.wait_for()
    return found


def click(watched: Watched, found: Locator, identifier: str) -> None:
    """Click where the graph draws the element: in the middle of a node, on the bend of an edge."""
    found.scroll_into_view_if_needed()
    point = found.evaluate(
        "(root, id) => { const e = root.cy.getElementById(id);"
        " return e.isNode() ? e.renderedPosition() : e.renderedMidpoint(); }",
        identifier,
    )
    box = found.locator(".canvas").bounding_box()
    assert box
    watched.page.mouse.click(box["x"] + point["x"], box["y"] + point["y"])

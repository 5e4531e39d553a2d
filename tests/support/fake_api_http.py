"""How the fake API server of ``fake_api.py`` speaks HTTP: lists as JSON, watches as chunks of one event a line."""

import json
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import inf
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from tests.support.fake_api import FakeApi, Watch

Object = dict[str, Any]
# How soon a watch sees what it was not woken for.
POLL_S = 0.02


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, api: "FakeApi", host: str) -> None:
        super().__init__((host, 0), Handler)
        self.api = api


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "Server"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        told = {name: values[0] for name, values in parse_qs(parts.query).items()}
        kind = self.server.api.asked_for(parts.path, told)
        refusal = self.server.api.refusal(kind, self.headers.get("Authorization"))
        if refusal is not None or kind is None:
            self._refuse(*(refusal or (404, "NotFound", {})))
        elif told.get("watch") in ("1", "true"):
            self._watch(kind, told)
        else:
            self._list(kind, told)

    def handle(self) -> None:
        with suppress(ConnectionError):
            super().handle()

    def log_message(self, *_: object) -> None:
        """Nothing on stderr."""

    def _refuse(self, code: int, reason: str, headers: dict[str, str]) -> None:
        self._json(code, status(code, reason), headers)

    def _json(self, code: int, body: Object, headers: dict[str, str]) -> None:
        data = json.dumps(body).encode()
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _list(self, kind: str, told: dict[str, str]) -> None:
        page = self.server.api.page(kind, int(told.get("limit", "0")), told.get("continue", ""))
        if page is None:
            self._refuse(410, "Expired", {})
        else:
            self._json(200, page, {})

    def _watch(self, kind: str, told: dict[str, str]) -> None:
        since = int(told.get("resourceVersion") or 0)
        is_expired = since > 0 and self.server.api.is_expired(kind, since)
        if is_expired and not self.server.api.expires_by_event:
            self._refuse(410, "Expired", {})
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        with self.server.api.opened(kind) as watch:
            if is_expired:
                self._event("ERROR", status(410, "Expired"))
            else:
                self._follow(kind, since, told, watch)
        if watch.is_cut:
            self.close_connection = True
        else:
            self.wfile.write(b"0\r\n\r\n")

    def _follow(self, kind: str, since: int, told: dict[str, str], watch: "Watch") -> None:
        """Until its time is over, or it is cut."""
        api = self.server.api
        at = since or self._begin(kind)
        until = monotonic() + float(told.get("timeoutSeconds", "1800"))
        bookmark_s = api.bookmark_s if told.get("allowWatchBookmarks") == "true" else inf
        bookmark_at = monotonic() + bookmark_s
        while monotonic() < until and not api.is_closing:
            events, version = api.news(kind, at, watch)
            if watch.is_muted:
                sleep(POLL_S)
                continue
            if api.is_expired(kind, at):
                self._event("ERROR", status(410, "Expired"))
                return
            self._send(events, watch)
            if watch.is_cut:
                return
            at = events[-1][0] if events else at
            if monotonic() > bookmark_at:
                # Everything up to this version was sent.
                self._event("BOOKMARK", {"kind": kind, "metadata": {"resourceVersion": str(version)}})
                bookmark_at, at = monotonic() + bookmark_s, max(at, version)

    def _send(self, events: list[tuple[int, str, Object]], watch: "Watch") -> None:
        for _, event, one in events:
            self._event(event, one)
        while watch.raw:
            self._chunk(watch.raw.popleft())

    def _begin(self, kind: str) -> int:
        with self.server.api.changed:
            at, present = self.server.api.version, self.server.api.present(kind)
        for one in present:
            self._event("ADDED", one)
        return at

    def _event(self, event: str, one: Object) -> None:
        self._chunk(json.dumps({"type": event, "object": one}).encode() + b"\n")

    def _chunk(self, data: bytes) -> None:
        if data:
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")


def status(code: int, reason: str) -> Object:
    return {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code}

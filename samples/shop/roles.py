"""The programs in the pods: ``python -m samples.shop.roles ROLE EVENTS``, run inside the pod's namespace."""

import random
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer

from samples.cluster import wire
from samples.shop import plan
from samples.shop.plan import NODES, PODS

# Kubernetes tells times in whole seconds: a pod is silent this long before it goes, so that its last
# packet is not later than the second in which it finished.
SILENCE_S = 1.5
TUNNEL_QUERIES = 60
TUNNEL_SEED = 20
STOPPING = threading.Event()


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def server_bind(self) -> None:
        TCPServer.server_bind(self)  # HTTPServer's own asks the DNS for the name of the machine


class Handler(BaseHTTPRequestHandler):
    actions: dict[str, Callable[[], None]]

    def do_GET(self) -> None:
        self.actions.get(self.path, lambda: None)()
        body = f"{self.path} done\n".encode() * 20
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.do_GET()

    def log_message(self, *_: object) -> None:
        return


def serve(port: int, actions: dict[str, Callable[[], None]] | None = None) -> None:
    Handler.actions = actions or {}
    server = Server(("0.0.0.0", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    STOPPING.wait()


def every(seconds: float, action: Callable[[int], object]) -> None:
    """Call an action at a steady pace until the pod is told to go."""
    start = time.monotonic()
    turn = 0
    while not STOPPING.is_set():
        action(turn)
        turn += 1
        STOPPING.wait(max(0.0, start + turn * seconds - time.monotonic()))


def api() -> None:
    def charge() -> None:
        wire.curl("http://payments.payments/charge")

    serve(8080, {"/cart": lambda: wire.redis("redis", "INCR carts", "GET carts"), "/order": charge})


def payments() -> None:
    def charge() -> None:
        wire.curl(f"https://{plan.BANK}/authorise")
        wire.redis("ledger", "LPUSH charges 1")

    serve(9090, {"/charge": charge})


def logs() -> None:
    serve(4318)


def loader() -> None:
    pages = ("/", "/api/cart", "/", "/api/cart", "/", "/api/order")
    every(0.5, lambda turn: wire.curl("http://frontend" + pages[turn % len(pages)]))


def office() -> None:
    nodes = list(NODES.values())
    every(2, lambda turn: wire.curl(f"http://{nodes[turn % 2].ip}:30080/"))


def node_agent() -> None:
    every(4, lambda _: wire.curl("http://logs:4318/v1/logs", "--data", "x" * 700))


def fx_rates() -> None:
    every(6, lambda _: wire.curl(f"https://{plan.RATES}/eur"))


def campaign() -> None:
    every(2, lambda _: wire.curl("http://frontend/api/cart"))
    wire.curl("http://frontend/")  # a last word after SIGTERM, as a graceful shutdown has it
    time.sleep(SILENCE_S)


def reconciler() -> None:
    def reconcile(_: int) -> None:
        wire.curl("http://payments/metrics")
        wire.resolve(plan.DEAD_NAME)

    every(8, reconcile)


def catalog_sync() -> None:
    wire.curl(f"https://{plan.PARTNER}/catalog")
    wire.redis("redis", *(f"SET item:{item} {item * 7}" for item in range(20)))
    time.sleep(SILENCE_S)


def recommender() -> None:
    """Fetches its model from a CDN it resolved once, has many addresses in one answer, and is not quite honest."""
    cdn = wire.resolve(plan.CDN)
    threading.Thread(target=every, args=(6, lambda _: fetch_model(str(cdn))), daemon=True).start()
    time.sleep(14)
    for _ in range(2):
        wire.curl(f"http://{plan.METADATA_IP}/latest/meta-data/", remark="metadata", limit_s=2)
    time.sleep(5)
    # IPv4 only: asked for both at once, glibc leaves for TCP before the second answer came, or after it.
    wire.resolve(plan.MANY_ADDRESSES, socket.AF_INET)
    time.sleep(12)
    dice = random.Random(TUNNEL_SEED)
    for _ in range(TUNNEL_QUERIES):
        wire.ask(f"{wire.random_labels(dice)}.{plan.TUNNEL_SUFFIX}", wire.TXT)
        time.sleep(0.1)
    STOPPING.wait()


def fetch_model(ip: str) -> None:
    resolved = f"{plan.CDN}:80:{ip}"
    wire.curl(f"http://{plan.CDN}/model.bin", "--resolve", resolved, remark="resolved once, used past its TTL")


def prometheus() -> None:
    scraped = [pod for pod in PODS.values() if pod.workload in ("frontend", "api", "payments", "logs")]

    def scrape(_: int) -> None:
        wire.ask("_http._tcp.api.shop.svc.cluster.local", wire.SRV)
        for pod in scraped:
            wire.curl(f"http://{pod.ip}:{next(iter(pod.ports.values()))}/metrics")
        for node in NODES.values():
            wire.curl(f"http://{node.ip}:10250/metrics")

    def push() -> None:
        time.sleep(20)
        wire.resolve(plan.SILENT_NAME + ".")

    threading.Thread(target=push, daemon=True).start()
    every(10, scrape)


def netdebug() -> None:
    time.sleep(55)
    wire.ping(PODS["payments"].ip, remark="scan")
    for ip in (PODS["payments"].ip, PODS["ledger-0"].ip, PODS["fx-rates"].ip, plan.UNUSED_IP):
        for port in plan.SCAN_PORTS:
            wire.knock(ip, port, 0.3, remark="scan")
    STOPPING.wait()


def kubelet_1() -> None:
    probe("node-1")


def kubelet_2() -> None:
    probe("node-2")


def probe(node: str) -> None:
    """Liveness probes of the pods of a node: HTTP where a pod speaks it, a connection where not."""
    pods = [pod for pod in PODS.values() if pod.node == node and pod.probe]

    def once(_: int) -> None:
        for pod in pods:
            port = next(iter(pod.ports.values()))
            if pod.probe == "http":
                wire.curl(f"http://{pod.ip}:{port}/healthz", remark="probe")
            else:
                wire.knock(pod.ip, port, remark="probe")

    every(5, once)


def kubelet_metrics() -> None:
    serve(10250)


ROLES: dict[str, Callable[[], None]] = {
    role.__name__.replace("_", "-"): role
    for role in (
        *(api, payments, logs, loader, office, node_agent, fx_rates, campaign, reconciler, catalog_sync),
        *(recommender, prometheus, netdebug, kubelet_1, kubelet_2, kubelet_metrics),
    )
}

if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: STOPPING.set())
    wire.log_to(Path(sys.argv[2]))
    ROLES[sys.argv[1]]()

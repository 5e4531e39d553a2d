"""Configuration of the shop's programs from Debian: name servers, web servers, redis."""

from pathlib import Path

from samples.cluster.daemons import cluster_records, nginx, nsd, unbound
from samples.cluster.plan import Pod
from samples.shop import plan
from samples.shop.plan import SHOP

# No more at most, or a client gives up on a dead upstream before it hears of SERVFAIL.
PATIENCE_MS = (300, 400)


def coredns(directory: Path, pod: Pod) -> list[str]:
    local = f'  local-zone: "{plan.SILENT_NAME}." deny\n'
    local += "".join(f'  local-data: "{record}"\n' for record in cluster_records(SHOP))
    forwards = {".": plan.OUTSIDE_IP, "legacy.example.": plan.DEAD_RESOLVER_IP}
    return unbound(directory, pod.ip, local, forwards, PATIENCE_MS)


def name_server(directory: Path) -> list[str]:
    """The authoritative server outside."""
    head = f"@ IN SOA ns1 hostmaster 1 7200 1800 86400 10\n@ IN NS ns1\nns1 IN A {plan.OUTSIDE_IP}\n"
    zones = {zone: f"$ORIGIN {zone}.\n$TTL 60\n{head}{records}\n" for zone, records in outside_zones().items()}
    return nsd(directory, plan.OUTSIDE_IP, zones)


def outside_zones() -> dict[str, str]:
    pool = "\n".join(f"edge-pool 5 IN A 198.51.100.{host}" for host in range(101, 161))
    return {
        "partner-api.example": f"@ 20 IN A {plan.PARTNER_IP}\nrates 5 IN A {plan.PARTNER_IP}",
        "partner-bank.example": f"gateway 20 IN A {plan.BANK_IP}",
        "cdn.example": f"static 5 IN CNAME shop.edge.cdn-provider.example.\n{pool}",
        "cdn-provider.example": f"shop.edge 5 IN CNAME pop7.edge\npop7.edge 5 IN A {plan.CDN_IP}",
        "cdn-metrics.example": '*.t 1 IN TXT "ack"',
    }


def nginx_outside(directory: Path) -> list[str]:
    """Partner, bank and CDN; the certificate names nobody in particular, and clients do not check it."""
    key, certificate = directory / "key.pem", directory / "certificate.pem"
    body = f"""  ssl_certificate {certificate};
  ssl_certificate_key {key};
  server {{
    listen {plan.CDN_IP}:80;
    location / {{ return 200 "{"c" * 1500}"; }}
  }}
  server {{
    listen {plan.PARTNER_IP}:443 ssl;
    listen {plan.BANK_IP}:443 ssl;
    location / {{ return 200 "{"p" * 600}"; }}
  }}"""
    return nginx(directory, body)


def nginx_frontend(directory: Path) -> list[str]:
    """The shop window: a page of its own, and /api/ from the api Service, whose name nginx itself resolves."""
    body = f"""  resolver {plan.DNS_SERVICE_IP} valid=10s ipv6=off;
  log_format calls '{{"t": $msec, "client": "$remote_addr", "upstream": "$upstream_addr"}}';
  server {{
    listen 8080;
    access_log {directory}/access.log calls;
    set $api api.shop.svc.cluster.local;
    location / {{ default_type text/html; return 200 "{"<p>shop</p>" * 200}"; }}
    location /healthz {{ return 200 "ok"; }}
    location /metrics {{ return 200 "nginx_up 1"; }}
    location /api/ {{ rewrite ^/api(/.*)$ $1 break; proxy_pass http://$api; }}
  }}"""
    return nginx(directory, body)


def redis(directory: Path, pod: Pod) -> list[str]:
    options = f"--port 6379 --bind {pod.ip} --protected-mode no --dir {directory} --appendonly no"
    return ["redis-server", *options.split(), "--save", ""]


def server_command(directory: Path, pod: Pod) -> list[str] | None:
    """The Debian program a pod runs, if it runs one."""
    if pod.workload == "coredns":
        return coredns(directory, pod)
    if pod.workload == "frontend":
        return nginx_frontend(directory)
    if pod.workload in ("redis", "ledger"):
        return redis(directory, pod)
    return None

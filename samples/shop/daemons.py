"""Configuration of the programs from Debian: name servers, web servers, redis."""

from pathlib import Path

from samples.shop import plan
from samples.shop.plan import SERVICES, Pod

NGINX_PATHS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
TTL_S = 30
RESOLVER_FILES = ("resolv.conf", "hosts", "nsswitch.conf")


def write_resolver_files(directory: Path, pod: Pod, ndots: int) -> None:
    """What kubelet puts into a pod; ``ndots`` is how many dots a name needs to be tried as it stands first."""
    directory.mkdir(parents=True, exist_ok=True)
    search = " ".join((f"{pod.namespace}.svc.cluster.local", "svc.cluster.local", "cluster.local"))
    name_server = f"nameserver {plan.DNS_SERVICE_IP}\n"
    (directory / "resolv.conf").write_text(f"{name_server}search {search}\noptions ndots:{ndots}\n")
    (directory / "hosts").write_text("127.0.0.1 localhost\n")
    (directory / "nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files dns\n")


def coredns(directory: Path, pod: Pod) -> list[str]:
    """unbound in CoreDNS' place, its query log the count of what clients asked.

    It waits 300 ms at least, or an answer late on a busy machine meets a closed port; and 400 ms at most, or a
    client gives up on a dead upstream before it hears of SERVFAIL.
    """
    log = directory / "queries.log"
    records = "".join(f'  local-data: "{record}"\n' for record in cluster_records())
    text = f"""server:
  interface: {pod.ip}
  access-control: 0.0.0.0/0 allow
  do-daemonize: no
  do-ip6: no
  username: ""
  chroot: ""
  directory: "{directory}"
  pidfile: ""
  use-syslog: no
  logfile: "{log}"
  log-queries: yes
  log-replies: yes
  verbosity: 0
  num-threads: 1
  module-config: "iterator"
  do-not-query-localhost: no
  edns-buffer-size: 1232
  infra-cache-min-rtt: 300
  infra-cache-max-rtt: 400
  local-zone: "cluster.local." static
  local-zone: "{plan.SILENT_NAME}." deny
{records}remote-control:
  control-enable: no
forward-zone:
  name: "."
  forward-addr: {plan.OUTSIDE_IP}
forward-zone:
  name: "legacy.example."
  forward-addr: {plan.DEAD_RESOLVER_IP}
"""
    return ["unbound", "-d", "-c", written(directory / "unbound.conf", text)]


def cluster_records() -> list[str]:
    """Records of the Kubernetes DNS specification: A of Services, of pods behind headless ones, SRV of named ports."""
    soa = "ns.dns.cluster.local. hostmaster.cluster.local. 1 7200 1800 86400 5"
    records = [f"cluster.local. 5 IN SOA {soa}"]
    for service in SERVICES:
        name = service.fqdn
        if service.cluster_ip:
            records.append(f"{name}. {TTL_S} IN A {service.cluster_ip}")
        else:
            for pod in plan.backends(service):
                records += [f"{host}. {TTL_S} IN A {pod.ip}" for host in (name, f"{pod.key}.{name}")]
        for port in service.ports:
            owner = f"_{port.name}._{port.protocol.lower()}.{name}."
            records.append(f"{owner} {TTL_S} IN SRV 0 100 {port.port} {name}.")
    return records


def nsd(directory: Path) -> list[str]:
    """The authoritative server outside."""
    zones = ""
    for zone, records in outside_zones().items():
        head = f"$ORIGIN {zone}.\n$TTL 60\n@ IN SOA ns1 hostmaster 1 7200 1800 86400 10\n@ IN NS ns1\n"
        path = written(directory / f"{zone}.zone", f"{head}ns1 IN A {plan.OUTSIDE_IP}\n{records}\n")
        zones += f'zone:\n  name: "{zone}"\n  zonefile: "{path}"\n'
    text = f"""server:
  ip-address: {plan.OUTSIDE_IP}
  do-ip6: no
  server-count: 1
  username: ""
  chroot: ""
  zonesdir: "{directory}"
  database: ""
  pidfile: ""
  logfile: "{directory}/nsd.log"
  xfrdfile: "{directory}/xfrd.state"
  xfrdir: "{directory}"
  zonelistfile: "{directory}/zone.list"
  cookie-secret-file: "{directory}/cookies"
  answer-cookie: no
  rrl-ratelimit: 0
remote-control:
  control-enable: no
{zones}"""
    return ["nsd", "-d", "-c", written(directory / "nsd.conf", text)]


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


def certificate_command(directory: Path) -> list[str]:
    """openssl, for a key and a certificate that live as long as the recording."""
    certificate = "-x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=outside.example"
    out = ["-keyout", str(directory / "key.pem"), "-out", str(directory / "certificate.pem")]
    return ["openssl", "req", *certificate.split(), *out]


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


def nginx(directory: Path, body: str) -> list[str]:
    paths = "\n".join(f"  {name}_temp_path {directory}/{name};" for name in NGINX_PATHS)
    text = f"""daemon off;
master_process off;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{ worker_connections 256; }}
http {{
{paths}
  access_log off;
  keepalive_timeout 0;
{body}
}}
"""
    return [
        "nginx",
        "-p",
        str(directory),
        "-e",
        f"{directory}/error.log",
        "-c",
        written(directory / "nginx.conf", text),
    ]


def redis(directory: Path, pod: Pod) -> list[str]:
    options = f"--port 6379 --bind {pod.ip} --protected-mode no --dir {directory} --appendonly no"
    return ["redis-server", *options.split(), "--save", ""]


def written(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def server_command(directory: Path, pod: Pod) -> list[str] | None:
    """The Debian program a pod runs, if it runs one."""
    if pod.workload == "coredns":
        return coredns(directory, pod)
    if pod.workload == "frontend":
        return nginx_frontend(directory)
    if pod.workload in ("redis", "ledger"):
        return redis(directory, pod)
    return None

"""Configuration of programs from Debian that several samples run: unbound in CoreDNS' place, nsd, nginx, a certificate."""

from collections.abc import Mapping
from pathlib import Path

from samples.cluster.plan import Plan, Pod

NGINX_PATHS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
TTL_S = 30


def written(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def write_resolver_files(plan: Plan, directory: Path, pod: Pod) -> None:
    """What kubelet puts into a pod; ``ndots`` is how many dots a name needs to be tried as it stands first."""
    directory.mkdir(parents=True, exist_ok=True)
    search = " ".join((f"{pod.namespace}.svc.cluster.local", "svc.cluster.local", "cluster.local"))
    text = f"nameserver {plan.dns_service_ip}\nsearch {search}\noptions ndots:{pod.ndots}\n"
    (directory / "resolv.conf").write_text(text)
    (directory / "hosts").write_text("127.0.0.1 localhost\n")
    (directory / "nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files dns\n")


def unbound(directory: Path, ip: str, local: str, forwards: dict[str, str], patience_ms: tuple[int, int]) -> list[str]:
    """unbound in CoreDNS' place, its query log the count of what clients asked; ``forwards`` are zones and upstreams.

    ``patience_ms`` is how long it waits for an upstream at least, or an answer late on a busy machine meets a closed
    port, and at most, before it calls the upstream dead.
    """
    zones = "".join(f'forward-zone:\n  name: "{zone}"\n  forward-addr: {to}\n' for zone, to in forwards.items())
    text = f"""server:
  interface: {ip}
  access-control: 0.0.0.0/0 allow
  do-daemonize: no
  do-ip6: no
  username: ""
  chroot: ""
  directory: "{directory}"
  pidfile: ""
  use-syslog: no
  logfile: "{directory / "queries.log"}"
  log-queries: yes
  log-replies: yes
  verbosity: 0
  num-threads: 1
  module-config: "iterator"
  do-not-query-localhost: no
  edns-buffer-size: 1232
  infra-cache-min-rtt: {patience_ms[0]}
  infra-cache-max-rtt: {patience_ms[1]}
  local-zone: "cluster.local." static
{local}remote-control:
  control-enable: no
{zones}"""
    return ["unbound", "-d", "-c", written(directory / "unbound.conf", text)]


def cluster_records(plan: Plan) -> list[str]:
    """Records of the Kubernetes DNS specification: A of Services, of pods behind headless ones, SRV of named ports."""
    soa = "ns.dns.cluster.local. hostmaster.cluster.local. 1 7200 1800 86400 5"
    records = [f"cluster.local. 5 IN SOA {soa}"]
    for service in plan.services:
        name = service.fqdn
        if service.cluster_ip:
            records.append(f"{name}. {TTL_S} IN A {service.cluster_ip}")
        else:
            for pod in plan.ready_backends(service):
                records += [f"{host}. {TTL_S} IN A {pod.ip}" for host in (name, f"{pod.key}.{name}")]
        for port in service.ports:
            owner = f"_{port.name}._{port.protocol.lower()}.{name}."
            records.append(f"{owner} {TTL_S} IN SRV 0 100 {port.port} {name}.")
    return records


def certificate_command(directory: Path) -> list[str]:
    """openssl, for a key and a certificate that live as long as the recording."""
    certificate = "-x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=outside.example"
    out = ["-keyout", str(directory / "key.pem"), "-out", str(directory / "certificate.pem")]
    return ["openssl", "req", *certificate.split(), *out]


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


def nsd(directory: Path, ip: str, zones: Mapping[str, str]) -> list[str]:
    """An authoritative server; ``zones`` are texts of zone files by name."""
    listed = ""
    for zone, records in zones.items():
        path = written(directory / f"{zone}.zone", records)
        listed += f'zone:\n  name: "{zone}"\n  zonefile: "{path}"\n'
    text = f"""server:
  ip-address: {ip}
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
{listed}"""
    return ["nsd", "-d", "-c", written(directory / "nsd.conf", text)]
